"""Edges, shells, sheets and borders, against hand counts and trimesh."""

from __future__ import annotations

import numpy as np
import trimesh

from app.mesh.edges import Edges, names_twice, open_loops, sheets, shells
from app.mesh.orientation import facing
from tests.meshes import cube_soup, grid_soup, icosphere_soup


def test_edges_of_a_closed_surface() -> None:
    soup = icosphere_soup(2)
    edges = Edges.of(soup.triangles)
    assert len(edges.ends) == 3 * len(soup.triangles) // 2
    assert (edges.uses == 2).all()
    assert not len(edges.open_halves())
    start, end = soup.triangles.ravel(), soup.triangles[:, [1, 2, 0]].ravel()
    expected = np.sort(np.stack((start, end), axis=1), axis=1)
    assert np.array_equal(edges.ends[edges.of_half], expected)


def test_triangles_that_name_a_vertex_twice_have_no_edges() -> None:
    triangles = np.array([[0, 1, 2], [1, 1, 2], [0, 2, 2]], np.int32)
    assert names_twice(triangles).tolist() == [False, True, True]
    edges = Edges.of(triangles)
    assert len(edges.ends) == 3
    assert (edges.of_half.reshape(-1, 3)[1:] == -1).all()


def test_no_triangles() -> None:
    empty = np.empty((0, 3), np.int32)
    assert len(Edges.of(empty).ends) == 0
    assert shells(empty, 0)[0] == sheets(empty)[0] == 0
    assert open_loops(empty) == []


def test_shells_hang_together_by_vertices_sheets_by_edges() -> None:
    # Two triangles that share an edge, one more at a corner of theirs, one apart.
    triangles = np.array([[0, 1, 2], [2, 1, 3], [3, 4, 5], [6, 7, 8]], np.int32)
    count, shell = shells(triangles, 9)
    assert (count, shell.tolist()) == (2, [0, 0, 0, 1])
    count, sheet = sheets(triangles)
    assert (count, sheet.tolist()) == (3, [0, 0, 1, 2])


def test_border_of_a_grid_runs_once_around_it() -> None:
    soup = grid_soup(6)
    (loop,) = open_loops(soup.triangles)
    assert len(loop) == 24
    start = soup.triangles[loop // 3, loop % 3]
    end = soup.triangles[loop // 3, (loop + 1) % 3]
    assert np.array_equal(end, np.roll(start, -1))
    outline = trimesh.Trimesh(soup.positions, soup.triangles, process=False).outline()
    assert len(outline.entities) == 1


def test_two_holes_that_touch_in_a_vertex_share_a_border() -> None:
    soup = grid_soup(6)
    middle = soup.positions[soup.triangles].mean(axis=1)
    cell = 20 / 6
    low = (middle[:, :2] > -cell).all(axis=1) & (middle[:, :2] < 0).all(axis=1)
    high = (middle[:, :2] > 0).all(axis=1) & (middle[:, :2] < cell).all(axis=1)
    loops = open_loops(soup.triangles[~(low | high)])
    assert sorted(len(loop) for loop in loops) == [8, 24]


def test_facing_turns_the_smaller_part() -> None:
    triangles = cube_soup().triangles.copy()
    wrong = np.array([2, 3, 7])
    triangles[wrong] = triangles[wrong][:, ::-1]
    found = facing(triangles, Edges.of(triangles), np.ones(len(triangles)))
    assert np.flatnonzero(found.flip).tolist() == wrong.tolist()
    assert not found.one_sided.any()
