"""What each brush that drags the surface means, against hand calculation."""

from __future__ import annotations

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.sculpt.falloff import Falloff
from tests.meshes import grid, grid_soup
from tests.sculpting import bumpy_sphere, samples, stroke

UP = np.array([0.0, 0.0, 1.0])
FRONT = np.array([0.0, -1.0, 0.0])
FLAT = {"falloff": Falloff("constant")}


def smooth_falloff(distance: np.ndarray, radius: float) -> np.ndarray:
    p = np.clip(1 - distance / radius, 0, 1)
    return 3 * p**2 - 2 * p**3


def standing_square() -> Mesh:
    """An open square of 20 mm in the plane y = 0 that faces the front."""
    soup = grid_soup(60)
    soup.positions = np.ascontiguousarray(soup.positions[:, [0, 2, 1]])
    return build_mesh(soup)


def test_nudge_pushes_along_the_surface_by_the_way_of_the_stroke():
    mesh = grid(60)
    start = mesh.positions.copy()
    way = [np.zeros(3), np.array([0.8, -0.4, 0.0]), np.array([0.8, -0.4, 0.6])]  # the last step leaves the surface
    stroke(mesh, "nudge", samples(way, UP), radius_mm=5.0, strength=0.5, method="dots")
    factor = smooth_falloff(np.linalg.norm(start - way[1], axis=1), 5.0)[:, None]
    np.testing.assert_allclose(mesh.positions, start + 0.5 * factor * way[1], atol=1e-5)


def test_nudge_does_not_depend_on_how_close_its_dabs_are():
    ends = []
    for spacing in (0.05, 0.2):
        mesh = grid(60)
        path = samples([np.array([x, 0.0, 0.0]) for x in np.linspace(-8, 8, 30)], UP)
        middle = int(np.argmin(np.linalg.norm(mesh.positions, axis=1)))
        stroke(mesh, "nudge", path, radius_mm=3.0, strength=0.5, spacing=spacing)
        ends.append(mesh.positions[middle, 0])
    assert ends[0] == pytest.approx(ends[1], rel=0.1)
    assert ends[0] > 1.0
    assert np.abs(mesh.positions[:, 2]).max() < 1e-5


def test_snake_hook_draws_a_strand_after_the_pointer():
    mesh = grid(100)
    start = mesh.positions.copy()
    tip = int(np.argmin(np.linalg.norm(start, axis=1)))
    path = samples([UP * height for height in np.linspace(0.0, 9.0, 40)], np.array([1.0, 0.0, 0.0]))
    stroke(mesh, "snake_hook", path, radius_mm=3.0)
    # Always in the middle of a dab, whose steps are a tenth of the radius: the tip is under the pointer.
    assert mesh.positions[tip] == pytest.approx(9.0 * UP, abs=0.3 + 1e-4)
    distance = np.linalg.norm(start, axis=1)
    assert np.array_equal(mesh.positions[distance > 3.0], start[distance > 3.0])
    # What was left behind stays behind: a strand, where Grab would make a hill.
    assert np.median(mesh.positions[distance < 2.9, 2]) < 2.5


def kelvinlet(r: np.ndarray, epsilon: float, way: np.ndarray, poisson: float) -> np.ndarray:
    """Equation 6 of de Goes and James 2017 as a matrix, for a shear modulus of 1 / (4 pi), so that a = 1."""
    a, b = 1.0, 1.0 / (4 * (1 - poisson))
    length = np.sqrt(r @ r + epsilon**2)
    matrix = ((a - b) / length + a / 2 * epsilon**2 / length**3) * np.eye(3) + b / length**3 * np.outer(r, r)
    return matrix @ way


@pytest.mark.parametrize("volume", [0.0, 80.0, 100.0])
def test_elastic_grab_is_the_triscale_kelvinlet(volume: float):
    mesh = bumpy_sphere(3)
    start = mesh.positions.astype(float)
    center = start[7]
    way = np.array([0.6, -1.1, 0.4])
    path = samples([center, center - way, center + way])
    stroke(mesh, "elastic_grab", path, radius_mm=8.0, strength=0.5, parameters={"volume": volume})
    scales = 8.0 * 0.35 * np.array([1.0, 1.1, 1.21])
    # The weights from their definition: the far field cancels in its first two orders.
    squares = np.vander(scales**2, 2, increasing=True).T
    weights = np.append(1.0, np.linalg.solve(squares[:, 1:], -squares[:, 0]))

    def moved(r: np.ndarray) -> np.ndarray:
        parts = [w * kelvinlet(r, e, way, volume / 200) for w, e in zip(weights, scales, strict=True)]
        return np.sum(parts, axis=0)

    whole = moved(np.zeros(3))  # parallel to the way
    gain = 0.5 * np.linalg.norm(way) / np.linalg.norm(whole)
    wanted = np.array([gain * moved(p - center) for p in start])
    distance = np.linalg.norm(start - center, axis=1)
    wanted[distance > 8.0] = 0.0
    np.testing.assert_allclose(mesh.positions - start, wanted, atol=2e-6)
    assert np.allclose(mesh.positions[7] - start[7], 0.5 * way, atol=1e-6)
    assert np.linalg.norm(wanted[distance > 7.0], axis=1).max() < 0.02 * np.linalg.norm(way)


def test_elastic_grab_leaves_less_than_a_hundredth_at_the_rim():
    for volume in (0.0, 50.0, 100.0):
        for way in (np.array([2.0, 0.0, 0.0]), 2.0 * UP):
            mesh = grid(80)
            start = mesh.positions.copy()
            stroke(mesh, "elastic_grab", samples([np.zeros(3), way], UP), radius_mm=8.0, parameters={"volume": volume})
            distance = np.linalg.norm(start, axis=1)
            moved = np.linalg.norm(mesh.positions - start, axis=1)
            assert moved[(distance > 7.9) & (distance <= 8.0)].max() < 0.01 * 2.0
            assert moved[distance < 1e-4] == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize("side", [1.0, -0.5])
def test_twist_turns_by_a_radian_for_each_radius_to_the_side(side: float):
    mesh = standing_square()
    start = mesh.positions.astype(float)
    path = samples([np.zeros(3), np.array([3.0 * side, 0.0, 2.0])], FRONT)
    stroke(mesh, "twist", path, radius_mm=6.0, strength=0.8)
    # To the right is clockwise as seen from the front; what is in between turns by a part of the angle.
    angle = -0.8 * 0.5 * side * smooth_falloff(np.linalg.norm(start, axis=1), 6.0)
    x, z = start[:, 0], start[:, 2]
    wanted = np.stack((x * np.cos(angle) - z * np.sin(angle), 0 * x, x * np.sin(angle) + z * np.cos(angle)), axis=1)
    np.testing.assert_allclose(mesh.positions, wanted, atol=2e-4)
    np.testing.assert_allclose(np.linalg.norm(mesh.positions, axis=1), np.linalg.norm(start, axis=1), atol=2e-5)


def test_twist_is_about_the_direction_the_surface_faced_when_it_began():
    mesh = bumpy_sphere(4)
    start = mesh.positions.astype(float)
    center = start[np.argmax(start[:, 0] / np.linalg.norm(start, axis=1))]  # faces x, seen askew
    path = samples(
        [center, center + np.array([0.0, 1.0, 0.0]), center + np.array([0.0, 4.0, 0.0])], np.array([1, -0.5, 0])
    )
    stroke(mesh, "twist", path, radius_mm=4.0)
    turned = (mesh.positions != start.astype(np.float32)).any(axis=1)
    assert turned.sum() > 100
    before, after = start[turned] - center, mesh.positions[turned] - center
    np.testing.assert_allclose(after[:, 0], before[:, 0], atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(after[:, 1:], axis=1), np.linalg.norm(before[:, 1:], axis=1), atol=2e-3)


def test_thumb_drags_along_the_surface_only():
    mesh = grid(60)
    start = mesh.positions.copy()
    way = np.array([[0, 0, 0], [-3.0, 0, 5.0], [2.0, -1.0, 3.0]])
    stroke(mesh, "thumb", samples(way, np.array([0.0, -1.0, 1.0])), radius_mm=5.0, strength=0.5)
    # The pointer left the surface by 3 mm; the surface does not follow it there.
    wanted = start + 0.5 * smooth_falloff(np.linalg.norm(start, axis=1), 5.0)[:, None] * np.array([2.0, -1.0, 0.0])
    np.testing.assert_allclose(mesh.positions, wanted, atol=2e-4)


def test_thumb_and_twist_that_return_to_their_start_change_nothing():
    for name in ("thumb", "twist", "elastic_grab"):
        mesh = standing_square()
        before = mesh.positions.tobytes()
        aside = np.array([2.0, 0.0, 1.0])
        history, changed = stroke(mesh, name, samples([np.zeros(3), aside, np.zeros(3)], FRONT), radius_mm=5.0)
        assert not changed
        assert history.steps == []
        assert mesh.positions.tobytes() == before
