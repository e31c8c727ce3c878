"""Scaling, turning, placing: exact sums, and the old mesh untouched."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.errors import InvalidInput
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.normals import vertex_normals
from app.mesh.soup import Soup
from app.mesh.transform import placed_on_ground, rotated, scaled, scaled_to_height
from tests.meshes import sphere, textured_soup

_TURN = Rotation.from_euler("xyz", [0.3, -1.0, 2.0]).as_matrix()


def _changed(mesh: Mesh) -> list[Mesh]:
    return [scaled(mesh, 2.5), scaled_to_height(mesh, 150), rotated(mesh, _TURN), placed_on_ground(mesh)]


def test_positions() -> None:
    mesh = build_mesh(textured_soup())
    twice, tall, turned, placed = _changed(mesh)
    positions = mesh.positions.astype(float)
    np.testing.assert_allclose(twice.positions, positions * 2.5, rtol=1e-6)
    assert tall.size()[2] == pytest.approx(150, rel=1e-6)
    np.testing.assert_allclose(turned.positions, positions @ _TURN.T, atol=1e-5)
    lower, upper = placed.bounds()
    np.testing.assert_allclose([*(lower + upper)[:2], lower[2]], 0, atol=1e-5)


def test_boxes_and_normals_are_those_of_the_new_positions() -> None:
    for mesh in _changed(sphere(4)):
        np.testing.assert_array_equal(mesh.size(), np.ptp(mesh.positions.astype(float), axis=0))
        expected = vertex_normals(mesh.positions, mesh.triangles, mesh.topology)
        np.testing.assert_allclose(mesh.normals, expected, atol=1e-5)
        assert not mesh.chunks.moved.any()


def test_sculpting_the_new_mesh_leaves_the_old_one_as_it_was() -> None:
    old = sphere(3, colored=True)
    kept = {name: getattr(old, name).copy() for name in ("positions", "normals", "colors", "mask")}
    boxes = old.chunks.lower.copy()
    for mesh in _changed(old):
        assert mesh.topology is old.topology
        assert mesh.triangles is old.triangles
        for name in kept:
            getattr(mesh, name)[:] = 7
        mesh.touched_all("positions")
    for name, values in kept.items():
        np.testing.assert_array_equal(getattr(old, name), values)
    np.testing.assert_array_equal(old.chunks.lower, boxes)


def test_what_belongs_to_the_mesh_goes_with_it() -> None:
    old = build_mesh(textured_soup())
    old.mask[3], old.face_sets[4], old.hidden[5] = 0.5, 7, 1
    for mesh in _changed(old):
        for name in ("uv", "corner_uv", "uv_vertex", "triangle_material", "file_vertex", "file_triangle"):
            np.testing.assert_array_equal(getattr(mesh, name), getattr(old, name))
        for name in ("mask", "face_sets", "hidden"):
            np.testing.assert_array_equal(getattr(mesh, name), getattr(old, name))
        assert mesh.materials == old.materials


@pytest.mark.parametrize("factor", [0, -1, np.nan, np.inf])
def test_a_factor_that_makes_no_sense(factor: float) -> None:
    with pytest.raises(InvalidInput):
        scaled(sphere(1), factor)
    with pytest.raises(InvalidInput):
        scaled_to_height(sphere(1), factor)


@pytest.mark.parametrize("matrix", [np.eye(2), 2 * np.eye(3), np.diag([1, 1, -1]), np.full((3, 3), np.nan)])
def test_a_matrix_that_is_no_rotation(matrix: np.ndarray) -> None:
    with pytest.raises(InvalidInput):
        rotated(sphere(1), matrix)


def test_a_flat_mesh_cannot_be_given_a_height() -> None:
    flat = build_mesh(Soup(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32), np.array([[0, 1, 2]], np.int32)))
    with pytest.raises(InvalidInput, match="height"):
        scaled_to_height(flat, 100)


def test_an_empty_mesh_can_be_placed() -> None:
    empty = build_mesh(Soup(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)))
    assert placed_on_ground(empty).vertex_count == 0
