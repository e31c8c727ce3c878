"""Polygons become triangles that cover the same area, in bounded time."""

from __future__ import annotations

import numpy as np
import pytest

from app.formats import polygons
from app.formats.polygons import triangulate


def _area(points: np.ndarray) -> float:
    """Signed area of a flat polygon, shoelace formula."""
    x, y = points[:, 0].astype(float), points[:, 1].astype(float)
    return 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def _single(points: list[tuple[float, float]] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangulate one flat polygon; returns the (n, 2) points and the (n - 2, 3) triangles."""
    flat = np.array(points, np.float32)
    positions = np.concatenate((flat, np.zeros((len(flat), 1), np.float32)), axis=1)
    triangles, polygon, notes = triangulate(positions, np.arange(len(flat)), np.array([0, len(flat)]))
    assert not notes
    assert (polygon == 0).all()
    return flat, triangles


def _assert_exact_cover(points: np.ndarray, triangles: np.ndarray) -> None:
    """n - 2 triangles, none turned over, together as large as the polygon: with that they cannot overlap."""
    assert triangles.shape == (len(points) - 2, 3)
    areas = np.array([_area(points[triangle]) for triangle in triangles])
    direction = np.sign(_area(points))
    assert (areas * direction >= -1e-4 * abs(_area(points))).all()
    assert areas.sum() == pytest.approx(_area(points), rel=1e-4)
    assert set(triangles.ravel()) == set(range(len(points)))


def test_triangles_stay_as_they_are() -> None:
    triangles, polygon, notes = triangulate(np.zeros((4, 3)), np.array([0, 1, 2, 1, 2, 3]), np.array([0, 3, 6]))
    assert triangles.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert polygon.tolist() == [0, 1]
    assert notes == []


def test_convex_quad_is_a_fan() -> None:
    _, triangles = _single([(0, 0), (1, 0), (1, 1), (0, 1)])
    assert triangles.tolist() == [[0, 1, 2], [0, 2, 3]]


def test_arrowhead_is_cut_through_its_inner_corner() -> None:
    points, triangles = _single([(0, 0), (2, -2), (0, 4), (-2, -2)])
    _assert_exact_cover(points, triangles)


def test_polygons_of_all_sizes_together() -> None:
    """Corners, not vertices, come back, so that texture coordinates can follow; small faces give nothing."""
    positions = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 2, 0]], np.float32)
    corner_vertex = np.array([0, 1, 2, 0, 1, 2, 3, 0, 0, 1, 0, 1, 2, 4, 3])
    triangles, polygon, _ = triangulate(positions, corner_vertex, np.array([0, 3, 7, 8, 10, 15]))
    assert polygon.tolist() == [0, 1, 1, 4, 4, 4]
    assert triangles[:3].tolist() == [[0, 1, 2], [3, 4, 5], [3, 5, 6]]
    assert triangles[3:].min() == 10


@pytest.mark.parametrize("clockwise", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_winding_is_kept_in_every_plane(axis: int, clockwise: bool) -> None:
    outline = np.array([(0, 0), (4, 0), (4, 4), (2, 1), (0, 4)], float)[:: -1 if clockwise else 1]
    positions = np.insert(outline, axis, 5.0, axis=1).astype(np.float32)
    triangles, _, _ = triangulate(positions, np.arange(5), np.array([0, 5]))
    normals = np.cross(
        positions[triangles[:, 1]] - positions[triangles[:, 0]], positions[triangles[:, 2]] - positions[triangles[:, 0]]
    )
    newell = sum(np.cross(positions[k], positions[(k + 1) % 5]) for k in range(5))
    assert (normals @ newell > 0).all()
    assert np.linalg.norm(normals.sum(axis=0)) == pytest.approx(np.linalg.norm(newell))


@pytest.mark.parametrize("seed", range(8))
def test_random_stars_are_covered(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.random(60)) * 2 * np.pi
    radius = rng.uniform(0.2, 1.0, 60)
    _assert_exact_cover(*_single(np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1)))


def test_comb_is_covered() -> None:
    """Long teeth: nearly every corner is reflex or has another corner in its triangle."""
    teeth = [(x, y) for k in range(50) for x, y in ((2 * k, 10), (2 * k + 1, 0.5))]
    _assert_exact_cover(*_single([(100, 0), *[(100 - x, y) for x, y in teeth[::-1]][::-1], (0, 0)][::-1]))


def test_polygon_with_a_bridged_hole_is_covered() -> None:
    """A hole joined to the rim by an edge that is walked twice: corners at equal places must not block an ear."""
    points = [(0, 0), (6, 0), (6, 6), (0, 6), (0, 0), (2, 2), (2, 4), (4, 4), (4, 2), (2, 2)]
    _, triangles = _single(points)
    areas = [_area(np.array(points, float)[triangle]) for triangle in triangles]
    assert sum(areas) == pytest.approx(32)
    assert min(areas) >= 0


def test_huge_polygon_gives_all_its_triangles_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polygons, "_BUDGET", 100_000)
    rng = np.random.default_rng(1)
    angle = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    radius = rng.uniform(0.9, 1.0, len(angle))
    positions = np.stack((radius * np.cos(angle), radius * np.sin(angle), 0 * angle), axis=1).astype(np.float32)
    triangles, _, notes = triangulate(positions, np.arange(len(angle)), np.array([0, len(angle)]))
    assert triangles.shape == (len(angle) - 2, 3)
    assert len(np.unique(np.sort(triangles, axis=1), axis=0)) == len(triangles)
    assert len(notes) == 1


def test_knotted_and_degenerate_polygons_give_their_number_of_triangles() -> None:
    bow_tie = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 0], [0, 1, 0], [0.5, 2, 0]], np.float32)
    for positions in (bow_tie, np.zeros((5, 3), np.float32), np.full((5, 3), np.nan, np.float32)):
        triangles, _, _ = triangulate(positions, np.arange(5), np.array([0, 5]))
        assert triangles.shape == (3, 3)
        assert ((triangles >= 0) & (triangles < 5)).all()
