"""Lids for one border: counts, edges that are taken, density, and the smoothest shape."""

from __future__ import annotations

import numpy as np

from app.mesh.filling import faired, refined, triangulated


def _circle(count: int, radius: float = 10.0) -> np.ndarray:
    angle = np.arange(count) * (2 * np.pi / count)
    return np.stack((radius * np.cos(angle), radius * np.sin(angle), np.zeros(count)), axis=1)


def _upward(count: int) -> np.ndarray:
    return np.tile([0.0, 0.0, 1.0], (count, 1))


def _area(points: np.ndarray, triangles: np.ndarray) -> float:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return float(np.cross(b - a, c - a)[:, 2].sum() / 2)


def test_a_flat_border_is_covered_exactly_once() -> None:
    # More than are triangulated at once, so that ears are cut off first.
    for count in (3, 4, 17, 500):
        border = _circle(count)
        lid = triangulated(border, _upward(count), np.zeros((count, count), bool))
        assert lid is not None
        assert lid.shape == (count - 2, 3)
        a, b, c = (border[lid[:, k]] for k in range(3))
        assert (np.cross(b - a, c - a)[:, 2] > 0).all()
        assert np.isclose(_area(border, lid), 0.5 * count * 100 * np.sin(2 * np.pi / count))


def test_a_concave_border_is_not_overlapped() -> None:
    border = np.array([(0, 0, 0), (10, 0, 0), (10, 10, 0), (9, 1, 0), (1, 1, 0), (0, 10, 0)], float)
    lid = triangulated(border, _upward(6), np.zeros((6, 6), bool))
    assert lid is not None
    a, b, c = (border[lid[:, k]] for k in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()
    assert np.isclose(_area(border, lid), 19.0)


def test_edges_that_the_mesh_has_already_are_not_used_again() -> None:
    border = _circle(4)
    taken = np.zeros((4, 4), bool)
    taken[0, 2] = taken[2, 0] = True
    lid = triangulated(border, _upward(4), taken)
    assert lid is not None
    assert all({1, 3} <= set(corners) for corners in lid.tolist())
    taken[1, 3] = taken[3, 1] = True
    assert triangulated(border, _upward(4), taken) is None


def test_refined_to_the_density_around_and_still_the_same_area() -> None:
    border = _circle(60)
    lid = triangulated(border, _upward(60), np.zeros((60, 60), bool))
    assert lid is not None
    spacing = np.full(60, 2 * 10 * np.sin(np.pi / 60))
    points, triangles = refined(border, lid, spacing, np.zeros((60, 60), bool), 10_000)
    assert np.array_equal(points[:60], border)
    assert np.isclose(_area(points, triangles), _area(border, lid))
    edges = np.sort(np.concatenate([triangles[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    unique, uses = np.unique(edges, axis=0, return_counts=True)
    assert uses.max() == 2
    assert (uses == 1).sum() == 60
    inner = unique[uses == 2]
    lengths = np.linalg.norm(points[inner[:, 0]] - points[inner[:, 1]], axis=1)
    assert 0.5 * spacing[0] < np.median(lengths) < 2 * spacing[0]


def test_the_tightest_skin_over_a_flat_border_is_flat_and_a_plane_stays_a_plane() -> None:
    border = _circle(40) + np.array([0, 0, 3.0])
    lid = triangulated(border, _upward(40), np.zeros((40, 40), bool))
    assert lid is not None
    points, triangles = refined(border, lid, np.full(40, 1.5), np.zeros((40, 40), bool), 10_000)
    points[40:, 2] += np.random.default_rng(3).normal(0, 0.3, len(points) - 40)
    free = np.arange(len(points)) >= 40
    for curved in (False, True):
        moved = faired(points, triangles, free, curved=curved)
        assert np.array_equal(moved[:40], points[:40])
        if not curved:
            assert np.abs(moved[:, 2] - 3.0).max() < 1e-6
