"""Vertex normals against sums written out, and the partial refresh against a full one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.mesh.build import build_mesh
from app.mesh.normals import vertex_normals
from app.mesh.soup import Soup
from tests.mesh.soups import soups
from tests.meshes import sphere


@given(soups())
def test_normals_are_area_weighted_sums(soup: Soup) -> None:
    mesh = build_mesh(soup)
    expected = np.zeros((mesh.vertex_count, 3))
    for triangle in mesh.triangles:
        a, b, c = mesh.positions[triangle].astype(float)
        for vertex in triangle:
            expected[vertex] += np.cross(b - a, c - a)
    for vertex in range(mesh.vertex_count):
        length = np.linalg.norm(expected[vertex])
        unit = expected[vertex] / length if length else (0, 0, 1)
        np.testing.assert_allclose(mesh.normals[vertex], unit, atol=1e-6)


def test_normals_of_a_sphere_point_outward() -> None:
    mesh = sphere(5)
    assert np.einsum("ij,ij->i", mesh.normals, mesh.positions / 10).min() > 0.999


@given(st.integers(0, 2**32), st.integers(1, 400))
def test_a_refresh_after_some_moved_equals_a_full_one_to_the_bit(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    mesh = sphere(4)
    for _ in range(2):
        vertices = np.sort(rng.choice(mesh.vertex_count, count, replace=False)).astype(np.int32)
        before = mesh.normals.copy()
        mesh.positions[vertices] += rng.normal(size=(count, 3)).astype(np.float32)
        mesh.touched("positions", vertices)
        mesh.refresh()
        np.testing.assert_array_equal(mesh.normals, vertex_normals(mesh.positions, mesh.triangles, mesh.topology))
        covered = np.zeros(mesh.vertex_count, bool)
        for start, stop in mesh.take_dirty("normals"):
            covered[start:stop] = True
        assert covered[(mesh.normals != before).any(axis=1)].all()


def test_a_second_refresh_has_nothing_to_do() -> None:
    mesh = sphere(3)
    mesh.positions[5] *= 2
    mesh.touched("positions", np.array([5], np.int32))
    mesh.refresh()
    assert len(mesh.take_dirty("normals"))
    mesh.refresh()
    assert len(mesh.take_dirty("normals")) == 0
    assert not mesh.moved.any()
