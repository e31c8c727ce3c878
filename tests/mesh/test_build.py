"""From soup to mesh and back, against numpy's unique and plain loops."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given

from app.mesh.build import build_mesh, to_soup
from app.mesh.soup import Material, Soup
from tests.mesh.soups import soups
from tests.meshes import cube_soup, icosphere_soup, textured_soup


def _used(soup: Soup) -> np.ndarray:
    """Distinct positions that a triangle uses."""
    return np.unique(soup.positions[soup.triangles.ravel()] + np.float32(0), axis=0)


@given(soups())
def test_equal_positions_become_one_vertex_and_unused_ones_go(soup: Soup) -> None:
    mesh = build_mesh(soup)
    found = mesh.positions[np.lexsort(mesh.positions.T[::-1])]
    np.testing.assert_array_equal(found, _used(soup) if len(soup.triangles) else np.empty((0, 3)))


@given(soups())
def test_every_triangle_keeps_its_corners_and_its_direction(soup: Soup) -> None:
    mesh = build_mesh(soup)
    assert sorted(mesh.file_triangle.tolist()) == list(range(len(soup.triangles)))
    expected = soup.positions[soup.triangles[mesh.file_triangle]]
    np.testing.assert_array_equal(mesh.positions[mesh.triangles], expected)


@given(soups())
def test_triangles_are_sorted_by_their_smallest_vertex(soup: Soup) -> None:
    smallest = build_mesh(soup).triangles.min(axis=1, initial=2**31 - 1)
    assert (np.diff(smallest) >= 0).all()


@given(soups())
def test_the_files_vertex_order_is_the_order_of_first_appearance(soup: Soup) -> None:
    mesh = build_mesh(soup)
    used = np.unique(soup.triangles)
    seen: dict[bytes, None] = {}
    for vertex in used:
        seen.setdefault((soup.positions[vertex] + np.float32(0)).tobytes())
    expected = [np.frombuffer(key, np.float32).tolist() for key in seen]
    assert to_soup(mesh).positions.tolist() == expected
    assert sorted(mesh.file_vertex.tolist()) == list(range(mesh.vertex_count))


@given(soups())
def test_colours_of_joined_vertices_are_averaged(soup: Soup) -> None:
    mesh = build_mesh(soup)
    assert soup.colors is not None
    groups: dict[bytes, list[np.ndarray]] = defaultdict(list)
    for vertex in np.unique(soup.triangles):
        groups[(soup.positions[vertex] + np.float32(0)).tobytes()].append(soup.colors[vertex])
    expected = [np.mean(groups[position.tobytes()], axis=0) for position in mesh.positions]
    assert mesh.colors is not None
    np.testing.assert_allclose(mesh.colors, np.reshape(expected, (-1, 3)), atol=1e-6)


@given(soups(textured=True))
def test_texture_coordinates_stay_on_corners_as_the_fewest_wedges(soup: Soup) -> None:
    mesh = build_mesh(soup)
    if not len(soup.triangles):
        return
    assert mesh.uv is not None
    assert mesh.uv_vertex is not None
    assert mesh.corner_uv is not None
    assert soup.uv is not None
    assert soup.corner_uv is not None
    np.testing.assert_array_equal(mesh.uv[mesh.corner_uv], soup.uv[soup.corner_uv[mesh.file_triangle]])
    np.testing.assert_array_equal(mesh.uv_vertex[mesh.corner_uv], mesh.triangles)
    assert (np.diff(mesh.uv_vertex) >= 0).all()
    corners = np.column_stack((mesh.triangles.ravel(), mesh.uv[mesh.corner_uv].reshape(-1, 2)))
    assert len(mesh.uv) == len(np.unique(corners, axis=0))


@given(soups(textured=True))
def test_a_soup_of_a_mesh_builds_the_same_mesh(soup: Soup) -> None:
    mesh = build_mesh(soup)
    again = build_mesh(to_soup(mesh))
    for name in ("positions", "triangles", "normals", "corner_uv", "file_vertex", "file_triangle"):
        np.testing.assert_array_equal(getattr(again, name), getattr(mesh, name))


def test_a_split_cube_becomes_whole() -> None:
    mesh = build_mesh(cube_soup(split=True))
    assert (mesh.vertex_count, mesh.triangle_count) == (8, 12)
    assert not mesh.topology.boundary.any()


def test_a_texture_seam_is_closed_in_shape_and_kept_in_uv() -> None:
    soup = textured_soup(segments=32, rings=16)
    mesh = build_mesh(soup)
    assert mesh.vertex_count == 32 * 15 + 2
    assert not mesh.topology.boundary.any()
    assert mesh.uv is not None
    assert len(mesh.uv) == 33 * 15 + 2 * 32  # a seam of 15 vertices, and each pole once per triangle that ends there


def test_neighbours_in_space_are_neighbours_in_memory() -> None:
    soup = icosphere_soup(5)
    order = np.random.default_rng(0).permutation(len(soup.positions))
    rank = np.argsort(order).astype(np.int32)
    mesh = build_mesh(Soup(soup.positions[order], rank[soup.triangles]))
    step = np.linalg.norm(np.diff(mesh.positions, axis=0), axis=1)
    edge = np.linalg.norm(mesh.positions[mesh.triangles[:, 0]] - mesh.positions[mesh.triangles[:, 1]], axis=1)
    assert step.mean() < 3 * edge.mean()


def test_positions_that_differ_in_the_last_bit_stay_apart() -> None:
    soup = cube_soup()
    soup.positions = np.concatenate((soup.positions, np.nextafter(soup.positions[:1], np.float32(0))))
    soup.triangles = np.concatenate((soup.triangles, np.array([[8, 1, 2]], np.int32)))
    assert build_mesh(soup).vertex_count == 9


def test_texture_coordinates_that_are_no_numbers_become_zero() -> None:
    soup = cube_soup()
    soup.uv = np.array([[np.nan, np.inf], [0.5, 0.5]], np.float32)
    soup.corner_uv = np.tile(np.array([[0, 1, 1]], np.int32), (12, 1))
    mesh = build_mesh(soup)
    assert mesh.uv is not None
    assert set(map(tuple, mesh.uv.tolist())) == {(0.0, 0.0), (0.5, 0.5)}


def test_materials_follow_their_triangles() -> None:
    soup = icosphere_soup(2)
    soup.materials = [Material("a"), Material("b")]
    soup.triangle_material = (soup.positions[soup.triangles].mean(axis=1)[:, 2] > 0).astype(np.int16)
    mesh = build_mesh(soup)
    above = mesh.positions[mesh.triangles].mean(axis=1)[:, 2] > 0
    np.testing.assert_array_equal(mesh.triangle_material, above)
    np.testing.assert_array_equal(to_soup(mesh).triangle_material, soup.triangle_material)


def test_nothing_at_all() -> None:
    mesh = build_mesh(Soup(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)))
    assert (mesh.vertex_count, mesh.triangle_count) == (0, 0)
    assert mesh.size().tolist() == [0, 0, 0]
    assert len(to_soup(mesh).positions) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"positions": np.zeros((8, 2), np.float32)},
        {"triangles": np.zeros((4, 4), np.int32)},
        {"triangles": np.full((1, 3), 8, np.int32)},
        {"triangles": np.full((1, 3), -1, np.int32)},
        {"positions": np.full((8, 3), np.nan, np.float32)},
        {"colors": np.zeros((7, 3), np.float32)},
        {"uv": np.zeros((3, 2), np.float32)},
        {"uv": np.zeros((3, 2), np.float32), "corner_uv": np.full((12, 3), 3, np.int32)},
        {"uv": np.zeros((3, 2), np.float32), "corner_uv": np.zeros((11, 3), np.int32)},
        {"triangle_material": np.ones(12, np.int16)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, np.ndarray]) -> None:
    soup = cube_soup()
    for name, value in change.items():
        setattr(soup, name, value)
    with pytest.raises(ValueError, match=r"must|that does not exist|not a finite|come together"):
        build_mesh(soup)
