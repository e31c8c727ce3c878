"""Collapsing: the number is hit, a closed surface stays closed and manifold, rims and flat ground keep their shape."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mesh.build import build_mesh
from app.mesh.bvh import Bvh
from app.mesh.collapsing import collapse_to_count, collapse_to_length
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.mesh.splitting import edge_rings, split_to_count
from tests.meshes import cube_soup, grid, sphere
from tests.operations.checks import areas, crossed_sheets, edge_uses, judge, open_sheet, painted, silent


def collapsed(mesh: Mesh, count: int) -> Mesh:
    positions, triangles = collapse_to_count(mesh.positions, mesh.triangles, count, silent)
    assert positions.dtype == np.float32
    return build_mesh(Soup(positions, triangles))


@settings(max_examples=30)
@given(count=st.integers(150, 1279))
def test_a_closed_surface_stays_closed_and_manifold_at_any_number(count: int) -> None:
    mesh = painted(3)
    less = collapsed(mesh, count)
    assert less.triangle_count == count + count % 2
    assert set(edge_uses(less.triangles)) == {2}
    seen = judge(less)
    assert seen.is_watertight
    assert seen.is_winding_consistent
    assert seen.euler_number == 2
    assert len(seen.split()) == 1
    assert seen.volume == pytest.approx(judge(mesh).volume, rel=0.05)
    # Nothing turned over: on this ball, triangles face away from the middle.
    assert (np.einsum("ij,ij->i", seen.face_normals, seen.triangles_center) > 0).all()
    assert areas(less.positions, less.triangles).min() > 0


@settings(max_examples=15)
@given(count=st.integers(100, 600))
def test_an_open_surface_reaches_odd_numbers_too_and_keeps_its_rims(count: int) -> None:
    mesh = open_sheet()
    less = collapsed(mesh, count)
    assert less.triangle_count == count
    assert set(edge_uses(less.triangles)) == {1, 2}
    assert judge(less).euler_number == judge(mesh).euler_number
    lengths = [rim_length(part) for part in (mesh, less)]
    assert lengths[1] == pytest.approx(lengths[0], rel=0.03)


def rim_length(mesh: Mesh) -> float:
    seen = judge(mesh)
    rim = seen.edges_sorted[trimesh.grouping.group_rows(seen.edges_sorted, require_count=1)]
    return float(np.linalg.norm(np.diff(seen.vertices[rim], axis=1), axis=2).sum())


def test_torus_and_several_shells_keep_their_kind() -> None:
    ring = trimesh.creation.torus(6.0, 2.0, major_sections=60, minor_sections=24)
    mesh = build_mesh(Soup(ring.vertices.astype(np.float32), ring.faces.astype(np.int32)))
    less = collapsed(mesh, 300)
    assert less.triangle_count == 300
    assert judge(less).is_watertight
    assert judge(less).euler_number == 0
    ball = sphere(2)
    shells = [ball.positions * np.float32(size) + np.float32((30 * n, 0, 0)) for n, size in enumerate((1, 0.1, 0.01))]
    triangles = np.concatenate([ball.triangles + n * ball.vertex_count for n in range(3)])
    less = collapsed(build_mesh(Soup(np.concatenate(shells), triangles)), 240)
    assert less.triangle_count == 240
    assert len(judge(less).split()) == 3
    assert judge(less).is_watertight


def test_flat_ground_costs_nothing_and_sharp_edges_stay() -> None:
    mesh = build_mesh(cube_soup(20.0))
    positions, triangles, _ = split_to_count(
        mesh.positions, mesh.triangles, edge_rings(mesh.triangles, mesh.topology), 6000
    )
    less = collapsed(build_mesh(Soup(positions, triangles)), 600)
    assert less.triangle_count == 600
    assert judge(less).volume == pytest.approx(8000.0, rel=1e-4)
    assert np.abs(np.abs(less.positions).max(axis=1) - 10).max() < 1e-3
    # What is left is still even: no face of the cube lost nearly all of its triangles.
    faces = np.abs(judge(less).face_normals).argmax(axis=1)
    assert np.bincount(faces).min() > 100


def test_where_more_than_two_triangles_meet_vertices_stay() -> None:
    mesh = crossed_sheets()
    less = collapsed(mesh, 250)
    assert less.triangle_count == 250
    shared = mesh.positions[(mesh.positions[:, 1] == 0) & (mesh.positions[:, 2] == 0)]
    left = {tuple(row) for row in less.positions.tolist()}
    assert {tuple(row) for row in shared.tolist()} <= left
    assert (edge_uses(less.triangles) == 4).sum() == (edge_uses(mesh.triangles) == 4).sum()
    assert len(np.unique(np.sort(less.triangles, axis=1), axis=0)) == less.triangle_count


def test_small_solids_are_left_alone_when_nothing_can_go() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    triangles = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    assert len(collapse_to_count(corners, triangles, 2, silent)[1]) == 4
    assert len(collapse_to_count(corners[:3], triangles[:1] * 0 + [[0, 1, 2]], 0, silent)[1]) == 1


def test_the_surface_stays_near_and_better_than_by_plain_sampling() -> None:
    mesh = painted(5)
    less = collapsed(mesh, mesh.triangle_count // 8)
    distance = Bvh.of(less.positions, less.triangles).closest(mesh.positions).distance
    # The middle of a chord of that length lies so far below a ball of radius 10, and half of that below a tighter bend.
    longest = np.linalg.norm(
        less.positions[less.triangles] - less.positions[less.triangles[:, [1, 2, 0]]], axis=2
    ).max()
    assert distance.max() < longest**2 / (8 * 4)
    assert distance.mean() < 0.03


def test_collapsing_to_a_length_takes_short_edges_and_makes_no_long_ones() -> None:
    mesh = grid(40, 20.0)
    positions, triangles = collapse_to_length(mesh.positions, mesh.triangles, 0.8, 1.4)
    lengths = np.linalg.norm(positions[triangles] - positions[triangles[:, [1, 2, 0]]], axis=2)
    assert lengths.max() <= 1.4
    assert (lengths < 0.8).mean() < 0.25  # before, all were; what is left would have made one that is too long
    assert areas(positions, triangles).sum() == pytest.approx(400.0, rel=1e-3)


def test_the_same_input_gives_the_same_bits() -> None:
    mesh = painted(4)
    first, second = (collapse_to_count(mesh.positions, mesh.triangles, 999, silent) for _ in range(2))
    assert [array.tobytes() for array in first] == [array.tobytes() for array in second]
