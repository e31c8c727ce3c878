"""Adjacency against dictionaries and loops, for any soup: non-manifold, degenerate, empty."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given

from app.mesh.build import build_mesh
from app.mesh.soup import Soup
from app.mesh.topology import Topology
from tests.mesh.soups import soups
from tests.meshes import grid, sphere


@given(soups())
def test_triangles_and_neighbours_of_every_vertex(soup: Soup) -> None:
    mesh = build_mesh(soup)
    topology = mesh.topology
    for vertex in range(mesh.vertex_count):
        around = [t for t in range(mesh.triangle_count) if vertex in mesh.triangles[t]]
        found = topology.vertex_triangles[topology.triangle_offsets[vertex] : topology.triangle_offsets[vertex + 1]]
        corners = np.repeat(around, [list(mesh.triangles[t]).count(vertex) for t in around])
        assert found.tolist() == corners.tolist()
        ring = sorted({int(other) for t in around for other in mesh.triangles[t]} - {vertex})
        assert topology.ring[topology.ring_offsets[vertex] : topology.ring_offsets[vertex + 1]].tolist() == ring


@given(soups())
def test_boundary_vertices_lie_on_an_edge_without_exactly_two_triangles(soup: Soup) -> None:
    triangles = np.array([t for t in soup.triangles if len(set(t.tolist())) == 3], np.int32).reshape(-1, 3)
    # One distinct position per vertex, so that nothing welds and no triangle collapses.
    mesh = build_mesh(Soup(np.arange(3.0 * len(soup.positions), dtype=np.float32).reshape(-1, 3), triangles))
    edges = Counter(tuple(sorted((int(t[k]), int(t[(k + 1) % 3])))) for t in mesh.triangles for k in range(3))
    expected = np.zeros(mesh.vertex_count, np.uint8)
    for edge, count in edges.items():
        if count != 2:
            expected[list(edge)] = 1
    np.testing.assert_array_equal(mesh.topology.boundary, expected)


def test_a_closed_sphere_has_no_boundary_and_an_open_square_its_rim() -> None:
    assert not sphere(3).topology.boundary.any()
    mesh = grid(10, 20.0)
    rim = (np.abs(mesh.positions[:, :2]) == 10).any(axis=1)
    np.testing.assert_array_equal(mesh.topology.boundary, rim)


def test_vertices_without_triangles() -> None:
    topology = Topology.of(np.array([[0, 2, 4]], np.int32), 6)
    assert np.diff(topology.ring_offsets).tolist() == [2, 0, 2, 0, 2, 0]
    assert topology.ring.tolist() == [2, 4, 0, 4, 0, 2]
    assert topology.boundary.tolist() == [1, 0, 1, 0, 1, 0]
