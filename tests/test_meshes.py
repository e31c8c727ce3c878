"""The factories of tests/meshes.py are what their docstrings say; every other test relies on it."""

from __future__ import annotations

import numpy as np
import trimesh

from tests import meshes


def _solid(soup: meshes.Soup) -> trimesh.Trimesh:
    solid = trimesh.Trimesh(soup.positions, soup.triangles, process=False)
    solid.merge_vertices(merge_tex=True, merge_norm=True)
    return solid


def test_cube_is_a_closed_box() -> None:
    for soup in (meshes.cube_soup(20.0), meshes.cube_soup(20.0, split=True)):
        assert _solid(soup).is_watertight
        assert _solid(soup).volume == 8000.0


def test_icosphere_counts_and_radius() -> None:
    soup = meshes.icosphere_soup(3, 10.0)
    assert (len(soup.triangles), len(soup.positions)) == (20 * 4**3, 10 * 4**3 + 2)
    np.testing.assert_allclose(np.linalg.norm(soup.positions, axis=1), 10.0, rtol=1e-6)
    assert _solid(soup).is_watertight
    assert 0.98 < _solid(soup).volume / (4 / 3 * np.pi * 1000) < 1


def test_grid_faces_up_and_is_open() -> None:
    mesh = meshes.grid(8, 16.0)
    assert (mesh.triangle_count, mesh.vertex_count) == (128, 81)
    np.testing.assert_array_equal(mesh.normals, np.tile([0, 0, 1], (81, 1)))


def test_textured_sphere_is_open_by_index_and_closed_by_position() -> None:
    soup = meshes.textured_soup(32, 16)
    assert len(soup.triangles) == 2 * 32 * 15
    assert not trimesh.Trimesh(soup.positions, soup.triangles, process=False).is_watertight
    assert _solid(soup).is_watertight
    assert _solid(soup).volume > 0
