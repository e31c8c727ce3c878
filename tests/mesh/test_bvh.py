"""The tree of boxes against searches that look at every triangle."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from app.mesh.bvh import Bvh
from app.mesh.jit import numba
from app.mesh.raycast import cast
from tests.meshes import grid, sphere
from tests.sculpting import bumpy_sphere


def _points(count: int, size: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32) * np.float32(size)


def test_closest_points_are_those_of_a_search_over_all_triangles() -> None:
    mesh = bumpy_sphere(3)
    points = np.concatenate((_points(300, 8.0), mesh.positions[::7], mesh.positions[mesh.triangles[::11]].mean(axis=1)))
    found = Bvh.of(mesh.positions, mesh.triangles).closest(points)
    judge = trimesh.Trimesh(mesh.positions, mesh.triangles, process=False)
    where, distance, _ = trimesh.proximity.closest_point_naive(judge, points)
    np.testing.assert_allclose(found.distance, distance, atol=2e-5)
    np.testing.assert_allclose(found.interpolated(mesh.positions[mesh.triangles]), where, atol=2e-3)
    assert (found.weights >= 0).all()
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0, atol=1e-6)


@given(st.integers(0, 40), st.integers(0, 2**31))
def test_any_soup_of_triangles_flat_ones_included(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    positions = random.integers(-2, 3, (12, 3)).astype(np.float32)
    triangles = random.integers(0, 12, (count, 3)).astype(np.int32)
    points = random.integers(-9, 10, (20, 3)).astype(np.float32) / np.float32(2)
    tree = Bvh.of(positions, triangles)
    assert sorted(tree.order.tolist()) == list(range(count))
    found = tree.closest(points)
    if not count:
        assert (found.triangle == -1).all()
        assert np.isinf(found.distance).all()
        return
    assert (found.triangle >= 0).all()
    reached = found.interpolated(positions[triangles])
    np.testing.assert_allclose(np.linalg.norm(reached - points, axis=1), found.distance, atol=1e-5)
    # No point of a fine sampling of all triangles is nearer.
    grid_weights = np.array([(i, j, 8 - i - j) for i in range(9) for j in range(9 - i)]) / 8
    samples = np.einsum("wk,tkc->twc", grid_weights, positions[triangles].astype(float)).reshape(-1, 3)
    nearest = np.linalg.norm(points[:, None] - samples[None], axis=2).min(axis=1)
    assert (found.distance <= nearest + 1e-5).all()


def test_a_point_beside_a_thin_wall_finds_the_side_it_belongs_to() -> None:
    upper = grid(4, 10.0)
    positions = np.concatenate((upper.positions, upper.positions - np.float32((0, 0, 0.2))))
    triangles = np.concatenate((upper.triangles, upper.triangles[:, ::-1] + upper.vertex_count)).astype(np.int32)
    tree = Bvh.of(positions, triangles)
    point = np.array([[0.3, 0.4, -0.15]], np.float32)
    facing = np.array([[0, 0, 1]], np.float32)
    lower_side = tree.closest(point)
    assert lower_side.triangle[0] >= upper.triangle_count
    upper_side = tree.closest(point, facing=facing, away_mm=0.5)
    assert upper_side.triangle[0] < upper.triangle_count
    assert upper_side.distance[0] == pytest.approx(0.15)
    assert tree.closest(point, facing=facing, away_mm=0.05).triangle[0] >= upper.triangle_count


def test_only_triangles_of_the_wanted_group_are_taken() -> None:
    mesh = sphere(3)
    group_of = (mesh.positions[mesh.triangles].mean(axis=1)[:, 2] > 0).astype(np.int32)
    points = _points(200, 8.0)
    wanted = np.random.default_rng(2).integers(-1, 2, len(points)).astype(np.int32)
    tree = Bvh.of(mesh.positions, mesh.triangles)
    found = tree.closest(points, group_of=group_of, group=wanted)
    for group in (0, 1):
        rows = wanted == group
        assert (group_of[found.triangle[rows]] == group).all()
        members = np.flatnonzero(group_of == group)
        alone = Bvh.of(mesh.positions, np.ascontiguousarray(mesh.triangles[members])).closest(points[rows])
        np.testing.assert_allclose(found.distance[rows], alone.distance, atol=1e-6)
    np.testing.assert_allclose(found.distance[wanted < 0], tree.closest(points).distance[wanted < 0], atol=1e-6)
    assert (tree.closest(points, group_of=group_of, group=np.full(len(points), 7)).triangle == -1).all()


def test_first_hits_are_those_of_the_picking_ray() -> None:
    mesh = bumpy_sphere(4)
    origins, directions = _points(300, 8.0), _points(300, 1.0, seed=3)
    directions[::5, 0] = 0
    found = Bvh.of(mesh.positions, mesh.triangles).first_hits(origins, directions)
    hits = [cast(mesh, origin, direction) for origin, direction in zip(origins, directions, strict=True)]
    assert 50 < sum(hit is not None for hit in hits) < 300
    np.testing.assert_allclose(
        found.distance, [np.inf if hit is None else hit.distance for hit in hits], rtol=1e-5, atol=1e-6
    )
    behind = Bvh.of(mesh.positions, mesh.triangles).first_hits(origins, directions, found.distance + np.float32(1e-3))
    seen = found.triangle >= 0
    assert (behind.distance[seen] > found.distance[seen]).all()
    assert (found.triangle[~seen] == -1).all()


def test_answers_do_not_depend_on_threads() -> None:
    mesh = bumpy_sphere(5)
    points = _points(5000, 8.0)
    results = []
    cores = numba.get_num_threads()
    for threads in (cores, 1):
        numba.set_num_threads(threads)
        try:
            tree = Bvh.of(mesh.positions, mesh.triangles)
            found, hits = tree.closest(points), tree.first_hits(points, points)
        finally:
            numba.set_num_threads(cores)
        results.append([array.tobytes() for array in (tree.boxes, found.triangle, found.weights, hits.triangle)])
    assert results[0] == results[1]
