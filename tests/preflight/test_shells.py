"""Shells within shells, and where defects are: by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.preflight import places
from app.preflight.counts import inspect
from app.preflight.shells import nesting_of, shells_of
from tests.meshes import cube_soup, grid, icosphere_soup, sphere


def together(*parts: tuple[Soup, tuple[float, float, float], bool]) -> Mesh:
    """Soups, each moved and turned inside out or not, as one mesh."""
    positions, triangles, count = [], [], 0
    for soup, shift, inward in parts:
        positions.append(soup.positions + np.float32(shift))
        triangles.append((soup.triangles[:, ::-1] if inward else soup.triangles) + count)
        count += len(soup.positions)
    return build_mesh(Soup(np.concatenate(positions), np.concatenate(triangles)))


def ball(radius: float, subdivisions: int = 3) -> Soup:
    return icosphere_soup(subdivisions, radius)


HERE, BESIDE = (0.0, 0.0, 0.0), (30.0, 0.0, 0.0)


def kinds(mesh: Mesh) -> list[str]:
    """What each shell is, largest first."""
    found = shells_of(mesh)
    nesting = nesting_of(mesh, found)
    names = []
    for i in np.argsort(-found.area_mm2):
        flags = {"buried": nesting.buried[i], "void": nesting.void[i], "flipped": nesting.flipped[i]}
        names.append(next((name for name, flag in flags.items() if flag), "body"))
    return names


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([(ball(10), HERE, False)], ["body"]),
        ([(ball(10), HERE, True)], ["flipped"]),
        ([(ball(10), HERE, False), (ball(5), HERE, False)], ["body", "buried"]),
        ([(ball(10), HERE, False), (ball(5), HERE, True)], ["body", "void"]),
        ([(ball(10), HERE, False), (ball(5), BESIDE, False)], ["body", "body"]),
        ([(ball(10), HERE, False), (ball(5), BESIDE, True)], ["body", "flipped"]),
        # A body within the hollow of another is not buried; within a body within a body it is.
        ([(ball(10), HERE, False), (ball(7), HERE, True), (ball(4), HERE, False)], ["body", "void", "body"]),
        ([(ball(10), HERE, False), (ball(7), HERE, False), (ball(4), HERE, False)], ["body", "buried", "buried"]),
        # Reaching out of it is not lying inside.
        ([(ball(10), HERE, False), (ball(5), (8.0, 0.0, 0.0), False)], ["body", "body"]),
        # Within the box of another, but not within its surface.
        ([(ball(10), HERE, False), (ball(0.5), (8.5, 8.5, 8.5), False)], ["body", "body"]),
    ],
)
def test_what_lies_within_what(parts: list, wanted: list[str]) -> None:
    assert kinds(together(*parts)) == wanted


def test_sizes_of_shells_are_those_of_the_shapes() -> None:
    found = shells_of(together((ball(10, 5), HERE, False), (cube_soup(6.0), BESIDE, False)))
    order = np.argsort(-found.area_mm2)
    assert found.count == 2
    assert found.triangles[order].tolist() == [20 * 4**5, 12]
    np.testing.assert_allclose(found.area_mm2[order], [4 * np.pi * 100, 6 * 36], rtol=5e-3)
    np.testing.assert_allclose(found.volume_mm3[order], [4 / 3 * np.pi * 1000, 216], rtol=5e-3)
    np.testing.assert_allclose(found.upper[order[1]] - found.lower[order[1]], 6.0)
    assert not found.is_open.any()
    assert len(found.of(found.triangles == 12)) == 12


def test_a_hole_makes_a_shell_open_and_it_still_contains() -> None:
    skin = ball(10, 4)
    skin.triangles = skin.triangles[3:]
    mesh = together((skin, HERE, False), (ball(3), HERE, False))
    found = shells_of(mesh)
    assert found.is_open.tolist() == [True, False] or found.is_open.tolist() == [False, True]
    assert nesting_of(mesh, found).buried.tolist() == (~found.is_open).tolist()


def test_no_shells_without_triangles() -> None:
    empty = build_mesh(Soup(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)))
    assert shells_of(empty).count == 0
    assert not len(nesting_of(empty, shells_of(empty)).buried)


def test_a_border_is_where_it_is() -> None:
    mesh = grid(10)
    ends = places.open_edges(mesh)
    assert len(ends) == inspect(mesh).open_edges == 40
    assert (np.abs(mesh.positions[ends]).max(axis=2) == 10).all()
    assert not len(places.open_edges(sphere(3)))


@given(st.lists(st.tuples(*[st.integers(0, 7)] * 3), min_size=1, max_size=30))
def test_as_many_places_as_are_counted(rows: list[tuple[int, int, int]]) -> None:
    points = np.random.default_rng(1).random((8, 3)).astype(np.float32)
    mesh = build_mesh(Soup(points, np.array(rows, np.int32)))
    counts = inspect(mesh)
    assert len(places.open_edges(mesh)) == counts.open_edges
    assert len(places.non_manifold_edges(mesh)) == counts.non_manifold_edges
    assert len(places.winding_conflicts(mesh)) == counts.winding_conflicts
    assert len(places.degenerate_triangles(mesh)) == counts.degenerate + counts.without_area
    assert len(places.duplicate_triangles(mesh)) == counts.duplicates
    assert places.bow_ties(mesh).tolist() == slow_bow_ties(mesh)


def slow_bow_ties(mesh: Mesh) -> list[int]:
    """Vertices whose triangles fall apart when only edges at the vertex join them."""
    found = []
    for v in range(mesh.vertex_count):
        left = [set(t) - {v} for t in mesh.triangles.tolist() if v in t and len(set(t)) == 3]
        groups = 0
        while left:
            groups += 1
            reached = left.pop()
            while joined := [ends for ends in left if ends & reached]:
                left = [ends for ends in left if ends not in joined]
                reached = reached.union(*joined)
        if groups > 1:
            found.append(v)
    return found


def test_cones_that_touch_are_a_bow_tie() -> None:
    points = [[0, 0, 0], [1, 0, 1], [0, 1, 1], [-1, -1, 1], [1, 0, -1], [0, 1, -1], [-1, -1, -1]]
    cones = [[0, 1, 2], [0, 2, 3], [0, 3, 1], [0, 5, 4], [0, 6, 5], [0, 4, 6]]
    mesh = build_mesh(Soup(np.array(points, np.float32), np.array(cones, np.int32)))
    tied = places.bow_ties(mesh)
    assert mesh.positions[tied].tolist() == [[0, 0, 0]]
