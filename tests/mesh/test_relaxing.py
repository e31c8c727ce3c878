"""Flips and moves: better triangles, the same number of them, the surface within the budget, edges and rims kept."""

from __future__ import annotations

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.relaxing import relax
from app.mesh.soup import Soup
from app.mesh.splitting import edge_rings, split_to_count
from app.mesh.topology import Topology
from tests.meshes import cube_soup
from tests.operations.checks import (
    areas,
    crossed_sheets,
    edge_uses,
    hausdorff,
    open_sheet,
    painted,
    smallest_angles,
)


def split(mesh: Mesh, count: int) -> tuple[np.ndarray, np.ndarray]:
    return split_to_count(mesh.positions, mesh.triangles, edge_rings(mesh.triangles, mesh.topology), count)[:2]


def relaxed(
    positions: np.ndarray, triangles: np.ndarray, budget: float, rounds: int = 4
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    positions, triangles = positions.copy(), triangles.copy()
    across = edge_rings(triangles, Topology.of(triangles, len(positions)))
    error = np.zeros(len(triangles), np.float32)
    for _ in range(rounds):
        _, moved = relax(positions, triangles, across, error, budget)
        assert moved
    rebuilt = edge_rings(triangles, Topology.of(triangles, len(positions)))
    edges = np.sort(np.stack((triangles.ravel(), triangles[:, [1, 2, 0]].ravel()), axis=1), axis=1)
    assert np.array_equal(edges[across], edges)
    assert np.array_equal(across == np.arange(len(across)), rebuilt == np.arange(len(across)))
    return positions, triangles, error


def test_triangles_get_better_within_the_budget() -> None:
    mesh = painted(3)
    before = split(mesh, 9000)
    positions, triangles, error = relaxed(*before, budget=0.01)
    assert len(triangles) == 9000
    assert set(edge_uses(triangles)) == {2}
    assert error.max() <= 0.01 * (1 + 1e-5)
    assert hausdorff(mesh, build_mesh(Soup(positions, triangles))) < 0.012
    assert smallest_angles(positions, triangles).mean() > 1.05 * smallest_angles(*before).mean()
    spread = [size.std() / size.mean() for size in (areas(*before), areas(positions, triangles))]
    assert spread[1] < 0.9 * spread[0]


def test_without_a_budget_to_speak_of_flat_ground_is_evened_and_edges_stay_sharp() -> None:
    positions, triangles, _ = relaxed(*split(build_mesh(cube_soup(20.0)), 3000), budget=1e-5)
    # Every vertex is still on a face of the cube, every edge of the cube still a row of edges.
    assert np.abs(np.abs(positions).max(axis=1) - 10).max() < 2e-5
    middles = (positions[triangles] + positions[triangles[:, [1, 2, 0]]]) / 2
    assert np.abs(np.abs(middles).max(axis=2) - 10).max() < 2e-5
    assert areas(positions, triangles).sum() == pytest.approx(2400.0, rel=1e-5)
    # 45 degrees is what bisecting the halves of squares gives; even triangles have 60.
    assert np.degrees(smallest_angles(positions, triangles).mean()) > 46


def test_rims_and_shared_rows_keep_their_bits() -> None:
    for mesh in (open_sheet(10), crossed_sheets(8)):
        before, triangles = split(mesh, 4000)
        positions, after, _ = relaxed(before, triangles, budget=0.05)
        fixed = Topology.of(triangles, len(before)).boundary == 1
        assert np.array_equal(positions[fixed], before[fixed])
        assert (positions[~fixed] != before[~fixed]).any(axis=1).mean() > 0.3
        assert np.array_equal(np.sort(edge_uses(after)), np.sort(edge_uses(triangles)))


def test_a_folded_sheet_does_not_shrink() -> None:
    # Two sides of a leaf, almost upon each other, joined at a bent rim.
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.stack((10 * np.cos(angles), 6 * np.sin(angles), np.zeros(24)), axis=1)
    positions = np.concatenate((rim, [[0, 0, 0.05], [0, 0, -0.05]])).astype(np.float32)
    around = np.arange(24)
    upper = np.stack((around, (around + 1) % 24, np.full(24, 24)), axis=1)
    lower = np.stack(((around + 1) % 24, around, np.full(24, 25)), axis=1)
    mesh = build_mesh(Soup(positions, np.concatenate((upper, lower)).astype(np.int32)))
    positions, triangles, _ = relaxed(*split(mesh, 6000), budget=0.01)
    assert hausdorff(mesh, build_mesh(Soup(positions, triangles))) < 0.012
    # A vertex that lies on two sheets at once is not taken for the middle of one fan.
    assert set(edge_uses(triangles)) == {2}


def test_two_fans_at_one_vertex_are_left_alone() -> None:
    tip = np.zeros((1, 3))
    angles = np.arange(3) * 2 * np.pi / 3
    ring = np.stack((np.cos(angles), np.sin(angles), np.ones(3)), axis=1)
    positions = np.concatenate((tip, ring, -ring)).astype(np.float32)
    triangles = np.array([(0, 2, 1), (0, 3, 2), (0, 1, 3), (0, 5, 4), (0, 6, 5), (0, 4, 6)], np.int32)
    moved = positions.copy()
    moved[0] += np.float32(0.2)
    kept = moved.copy()
    error = np.zeros(6, np.float32)
    relax(moved, triangles, edge_rings(triangles, Topology.of(triangles, 7)), error, 100.0)
    assert np.array_equal(moved, kept)
