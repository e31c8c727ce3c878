"""Picking against all triangles tried one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.raycast import cast
from app.mesh.soup import Soup
from tests.meshes import cube_soup, grid, sphere

_number = st.floats(-30, 30, allow_nan=False)
_vector = st.tuples(_number, _number, _number)


def _nearest_by_trial(mesh: Mesh, origin: np.ndarray, direction: np.ndarray, margin: float) -> float:
    """Distance to the first triangle, each larger by `margin`, by solving for all; infinity without one."""
    a, b, c = mesh.positions[mesh.triangles].astype(float).transpose(1, 0, 2)
    matrices = np.stack((b - a, c - a, np.broadcast_to(-direction, a.shape)), axis=2)
    solvable = np.abs(np.linalg.det(matrices)) > 0
    u, v, t = np.linalg.solve(matrices[solvable], (origin - a[solvable])[..., None])[..., 0].T
    hit = (u >= -margin) & (v >= -margin) & (u + v <= 1 + margin) & (t >= -margin)
    return float(t[hit].min(initial=np.inf))


@given(_vector, _vector)
def test_the_nearest_triangle_is_found(origin: tuple[float, ...], target: tuple[float, ...]) -> None:
    mesh = _BUMPY
    start = np.array(origin)
    direction = np.array(target) / 3 - start
    if np.linalg.norm(direction) < 1e-3:
        return
    hit = cast(mesh, start, direction)
    # A ray through an edge meets either triangle or, by rounding, neither: the truth lies between these two.
    first, last = (_nearest_by_trial(mesh, start, direction, margin) for margin in (1e-9, -1e-9))
    if hit is None:
        assert last == np.inf
        return
    assert first * (1 - 1e-6) - 1e-8 <= hit.distance <= last * (1 + 1e-6) + 1e-8
    np.testing.assert_allclose(hit.point, start + hit.distance * direction, atol=1e-9)
    corners = mesh.positions[mesh.triangles[hit.triangle]]
    np.testing.assert_allclose(hit.weights @ corners, hit.point, atol=1e-4)
    assert np.linalg.norm(hit.normal) == pytest.approx(1)


def _bumpy() -> Mesh:
    mesh = sphere(4)
    positions = mesh.positions * (1 + 0.2 * np.sin(mesh.positions[:, :1]) * np.cos(mesh.positions[:, 1:2]))
    return build_mesh(Soup(positions.astype(np.float32), mesh.triangles))


_BUMPY = _bumpy()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_rays_along_an_axis_and_along_the_planes_of_boxes(axis: int, sign: float) -> None:
    mesh = build_mesh(cube_soup(20))
    direction = np.full(3, -0.0) if sign < 0 else np.zeros(3)
    direction[axis] = sign
    for offset in (0.0, 3.0, 10.0, -10.0):  # the last two lie in the cube's faces
        origin = np.full(3, offset)
        origin[axis] = -50 * sign
        hit = cast(mesh, origin, direction)
        assert hit is not None
        assert hit.distance == pytest.approx(40)


def test_a_flat_mesh_is_hit_from_both_sides() -> None:
    mesh = grid(20, 20.0)
    for height in (5.0, -5.0):
        hit = cast(mesh, np.array([0.3, 0.4, height]), np.array([0, 0, -np.sign(height)]))
        assert hit is not None
        np.testing.assert_allclose(hit.point, [0.3, 0.4, 0], atol=1e-12)
        np.testing.assert_allclose(hit.normal, [0, 0, 1], atol=1e-6)


def test_behind_and_beside_is_nothing() -> None:
    mesh = sphere(3)
    assert cast(mesh, np.array([0, 0, 20.0]), np.array([0, 0, 1.0])) is None
    assert cast(mesh, np.array([11, 0, 20.0]), np.array([0, 0, -1.0])) is None


@pytest.mark.parametrize("bad", [(0, 0, 0), (np.nan, 0, 1), (np.inf, 0, 0)])
def test_a_direction_that_is_none_hits_nothing(bad: tuple[float, float, float]) -> None:
    assert cast(sphere(2), np.zeros(3), np.array(bad)) is None
    assert cast(sphere(2), np.array(bad) + np.array([0, 0, np.nan]), np.array([0, 0, 1.0])) is None


def test_an_empty_mesh_and_degenerate_triangles() -> None:
    empty = build_mesh(Soup(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)))
    assert cast(empty, np.zeros(3), np.array([0, 0, 1.0])) is None
    line = build_mesh(Soup(np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]], np.float32), np.array([[0, 1, 2]], np.int32)))
    assert cast(line, np.array([0.5, 0, 5.0]), np.array([0, 0, -1.0])) is None


def test_what_a_stroke_has_just_moved_is_hit_where_it_is_now() -> None:
    mesh = sphere(4)
    origin, down = np.array([0, 0, 100.0]), np.array([0, 0, -1.0])
    before = cast(mesh, origin, down)
    assert before is not None
    top = np.flatnonzero(mesh.positions[:, 2] > 5).astype(np.int32)
    mesh.positions[top, 2] += 30
    mesh.touched("positions", top)
    after = cast(mesh, origin, down)
    assert after is not None
    assert after.distance == pytest.approx(before.distance - 30, abs=1e-4)


def test_what_is_hidden_is_not_picked() -> None:
    mesh = sphere(3)
    origin, direction = np.array([0.0, 0.0, 30.0]), np.array([0.01, 0.02, -1.0])
    first = cast(mesh, origin, direction)
    assert first is not None
    mesh.hidden[mesh.triangles[first.triangle, 1]] = 1  # one corner is enough
    second = cast(mesh, origin, direction)
    assert second is not None
    assert second.point[2] < 0
    mesh.hidden[:] = 1
    assert cast(mesh, origin, direction) is None
