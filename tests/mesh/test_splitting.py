"""Splitting: the number is hit, the shape does not change, no surface tears, angles stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mesh.bvh import Bvh
from app.mesh.mesh import Mesh
from app.mesh.splitting import edge_rings, split_to_count, split_to_length
from app.mesh.topology import Topology
from tests.meshes import grid, sphere
from tests.operations.checks import areas, crossed_sheets, edge_uses, open_sheet, painted, smallest_angles

MODELS = {"ball": painted(2), "sheet": open_sheet(8), "crossed sheets": crossed_sheets(6), "cube-like": sphere(0)}
every_model = pytest.mark.parametrize("name", list(MODELS))


def split(mesh: Mesh, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return split_to_count(mesh.positions, mesh.triangles, edge_rings(mesh.triangles, mesh.topology), count)


def test_rings_hold_exactly_the_sides_of_each_edge() -> None:
    mesh = crossed_sheets(6)
    across = edge_rings(mesh.triangles, mesh.topology)
    start, end = mesh.triangles.ravel(), mesh.triangles[:, [1, 2, 0]].ravel()
    edges = np.sort(np.stack((start, end), axis=1), axis=1)
    assert np.array_equal(edges[across], edges)
    assert sorted(across.tolist()) == list(range(len(across)))
    sizes = []
    for half in range(len(across)):
        other, size = across[half], 1
        while other != half:
            other, size = across[other], size + 1
        sizes.append(size)
    _, place, uses = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    assert np.array_equal(sizes, uses[place.ravel()])
    assert max(sizes) == 4


@every_model
@settings(max_examples=25)
@given(more=st.integers(0, 3000))
def test_the_number_is_hit_and_the_shape_is_the_same(name: str, more: int) -> None:
    mesh = MODELS[name]
    count = mesh.triangle_count + more
    positions, triangles, across = split(mesh, count)
    uses_before, uses = edge_uses(mesh.triangles), edge_uses(triangles)
    closed = (uses_before % 2 == 0).all()
    assert len(triangles) == count - (more % 2 if closed else 0)
    assert set(uses) == set(uses_before)
    assert areas(positions, triangles).sum() == pytest.approx(areas(mesh.positions, mesh.triangles).sum(), rel=1e-5)
    assert Bvh.of(mesh.positions, mesh.triangles).closest(positions).distance.max() < 1e-5
    assert np.array_equal(positions[: mesh.vertex_count], mesh.positions)
    rebuilt = edge_rings(triangles, Topology.of(triangles, len(positions)))
    edges = np.sort(np.stack((triangles.ravel(), triangles[:, [1, 2, 0]].ravel()), axis=1), axis=1)
    assert np.array_equal(edges[across], edges)
    assert np.array_equal(across == np.arange(len(across)), rebuilt == np.arange(len(across)))


@every_model
def test_no_angle_becomes_smaller_than_half_of_the_smallest(name: str) -> None:
    mesh = MODELS[name]
    positions, triangles, _ = split(mesh, 20 * mesh.triangle_count)
    before = smallest_angles(mesh.positions, mesh.triangles).min()
    # Nearly equal lengths are taken in any order, which costs a little of the half that the theorem gives.
    assert smallest_angles(positions, triangles).min() > 0.4 * before


def test_long_edges_go_first_and_a_level_in_between_is_spread_evenly() -> None:
    mesh = sphere(4)
    positions, triangles, _ = split(mesh, 3 * mesh.triangle_count // 2)
    centers = positions[triangles].mean(axis=1)
    for axis in range(3):
        assert 0.47 < (centers[:, axis] > 0).mean() < 0.53
    sheet = grid(4, 20.0)
    sheet.positions[:, 0] *= 10
    positions, triangles, _ = split(sheet, 2000)
    sides = positions[triangles] - positions[triangles[:, [1, 2, 0]]]
    lengths = np.linalg.norm(sides, axis=2)
    assert lengths.max() < 3 * np.median(lengths)


def test_splitting_to_a_length_leaves_no_longer_edge() -> None:
    mesh = painted(2)
    across = edge_rings(mesh.triangles, mesh.topology)
    positions, triangles, _ = split_to_length(mesh.positions, mesh.triangles, across, 0.7, 1_000_000)
    lengths = np.linalg.norm(positions[triangles] - positions[triangles[:, [1, 2, 0]]], axis=2)
    assert lengths.max() <= 0.7 * (1 + 1e-6)
    assert lengths.min() > 0.1
    stopped = split_to_length(mesh.positions, mesh.triangles, across, 0.01, 5000)[1]
    assert len(stopped) == 5000


def test_the_same_input_gives_the_same_bits() -> None:
    mesh = painted(3)
    assert [array.tobytes() for array in split(mesh, 9000)] == [array.tobytes() for array in split(mesh, 9000)]
