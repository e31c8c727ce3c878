"""The benchmarks' mesh, against its own arithmetic and against the one that other programs were timed on."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from app.bench.ball import STARTS, bumpy_ball, dab_path, frequency_for, radius_for
from app.bench.strokes import stroke_rows
from app.mesh.build import build_mesh
from app.mesh.mesh import ATTRIBUTES
from app.sculpt.brush import brushes


@pytest.mark.parametrize("frequency", [1, 2, 7, 20])
def test_the_ball_is_closed_with_the_counts_of_an_icosphere(frequency: int):
    soup = bumpy_ball(frequency, 50.0)
    assert len(soup.triangles) == 20 * frequency**2
    assert len(soup.positions) == 10 * frequency**2 + 2
    mesh = build_mesh(soup)
    assert mesh.vertex_count == len(soup.positions)
    assert not mesh.topology.boundary.any()
    corners = soup.positions.astype(float)[soup.triangles]
    assert (np.linalg.det(corners) > 0).all()  # outward, seen from the middle


def test_a_frequency_for_figurines():
    assert frequency_for(1_600_000) == 283
    assert frequency_for(1) == 1


def test_it_is_the_mesh_and_the_paths_that_blender_was_timed_on(shared: Path):
    spec = importlib.util.spec_from_file_location("bench_mesh", shared.parent / "bench" / "bench_mesh.py")
    assert spec is not None
    assert spec.loader is not None
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    positions, triangles = theirs.make_mesh(40)
    ours = bumpy_ball(40, 1.0)

    def corners(vertices: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """Triangles by the place of their corners, in an order that is the same for both."""
        rounded = np.round(np.sort(vertices[indices].reshape(len(indices), 3, 3), axis=1), 5).reshape(len(indices), 9)
        return rounded[np.lexsort(rounded.T)]

    np.testing.assert_allclose(corners(ours.positions, ours.triangles), corners(positions, triangles), atol=2e-5)
    assert len(STARTS) == len(theirs.STARTS)
    directions = ours.positions / np.linalg.norm(ours.positions, axis=1, keepdims=True)
    for start in theirs.STARTS:
        radius = theirs.radius_for(positions, positions[5], 200)
        assert radius_for(ours.positions, positions[5].astype(float), 200) == pytest.approx(radius, rel=1e-6)
        wanted = positions[theirs.dab_path(positions, radius, 20, start=start)]
        path = ours.positions[dab_path(directions, start, 0.2 * radius, 20)]
        # Where two vertices are equally near to the path, either will do.
        assert np.linalg.norm(path - wanted, axis=1).max() < 0.04


def test_every_brush_is_measured_and_the_mesh_left_as_it_was():
    mesh = build_mesh(bumpy_ball(25, 75.0))
    before = {name: mesh.attribute(name).tobytes() for name in ATTRIBUTES}
    rows = stroke_rows(mesh, 75.0, lambda part, doing: None, repeats=1, every_brush=True)[7:]
    assert {name: mesh.attribute(name).tobytes() for name in ATTRIBUTES} == before
    assert [row["brush"] for row in rows] == [f"{name}*" for name in brushes()]
    assert all(row["stroke_vertices"] > 200 for row in rows)
    assert {row["brush"]: row["strength"] for row in rows}["clone*"] == 1.0


def test_every_row_is_measured_and_the_mesh_left_as_it_was():
    mesh = build_mesh(bumpy_ball(25, 75.0))
    before = mesh.positions.tobytes()
    rows = stroke_rows(mesh, 75.0, lambda part, doing: None, repeats=1)
    assert mesh.positions.tobytes() == before
    assert [row["brush"] for row in rows] == ["draw", "inflate", "smooth", "smooth@0.7", "crease", "grab", "clay"]
    for row in rows:
        assert 0.7 * 2000 < row["vertices"] <= 2001
        assert row["stroke_vertices"] >= row["vertices"]
        assert 0 < row["dab_ms_min"] <= row["dab_ms_median"]
        assert min(row[key] for key in ("normals_ms_median", "first_dab_and_normals_ms_median", "undo_ms_median")) > 0
