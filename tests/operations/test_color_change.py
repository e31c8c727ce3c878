"""Colour difference against the published pairs, and what it says about meshes whose difference is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.mesh.transform import with_positions
from app.operations.color_change import SAMPLES, ciede2000, color_change, lab, surface_samples
from tests.meshes import sphere
from tests.operations.checks import areas, open_sheet, painted, silent, textured

# Sharma, Wu and Dalal, The CIEDE2000 color-difference formula: implementation notes, supplementary test data, and
# mathematical observations, Color Research and Application 30, 2005, table 1: L a b of both, and the difference.
PAIRS = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.49 -0.001 50 -2.49 0.0009 7.1792
50 2.49 -0.001 50 -2.49 0.0010 7.1792
50 2.49 -0.001 50 -2.49 0.0011 7.2195
50 2.49 -0.001 50 -2.49 0.0012 7.2195
50 -0.001 2.49 50 0.0009 -2.49 4.8045
50 -0.001 2.49 50 0.0010 -2.49 4.8045
50 -0.001 2.49 50 0.0011 -2.49 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


def test_all_34_published_pairs_to_four_places() -> None:
    table = np.array([line.split() for line in PAIRS.split("\n") if line], np.float64)
    assert len(table) == 34
    np.testing.assert_allclose(ciede2000(table[:, :3], table[:, 3:6]), table[:, 6], atol=5.1e-5)
    np.testing.assert_allclose(ciede2000(table[:, 3:6], table[:, :3]), table[:, 6], atol=5.1e-5)


def test_lab_is_that_of_the_primaries_and_of_opencv() -> None:
    # Lindbloom's calculator, sRGB, D65.
    known = {
        (1, 0, 0): (53.2408, 80.0925, 67.2032),
        (0, 1, 0): (87.7347, -86.1827, 83.1793),
        (0, 0, 1): (32.2970, 79.1875, -107.8602),
        (1, 1, 1): (100.0, 0.0, 0.0),
        (0, 0, 0): (0.0, 0.0, 0.0),
    }
    np.testing.assert_allclose(lab(np.array(list(known))), np.array(list(known.values())), atol=2e-3)
    colors = np.random.default_rng(1).random((500, 3)).astype(np.float32)
    # OpenCV goes through tables and is off by up to 0.3.
    np.testing.assert_allclose(lab(colors), cv2.cvtColor(colors[None], cv2.COLOR_RGB2LAB)[0], atol=0.4)


def test_samples_are_spread_by_area_and_are_the_same_each_time() -> None:
    mesh = open_sheet()
    triangle, weights = surface_samples(mesh, SAMPLES)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert (weights >= 0).all()
    share = np.bincount(triangle, minlength=mesh.triangle_count) / SAMPLES
    wanted = areas(mesh.positions, mesh.triangles)
    np.testing.assert_allclose(share, wanted / wanted.sum(), atol=2.0 / SAMPLES)
    again = surface_samples(mesh, SAMPLES)
    assert again[0].tobytes() == triangle.tobytes()
    assert again[1].tobytes() == weights.tobytes()


def _with_colors(mesh: Mesh, colors: np.ndarray) -> Mesh:
    return Mesh(mesh.positions, mesh.triangles.copy(), colors=colors.astype(np.float32))


@pytest.mark.parametrize("model", [painted, textured])
def test_the_same_mesh_has_not_changed(model) -> None:
    mesh = model()
    again = Mesh(
        mesh.positions,
        mesh.triangles.copy(),
        colors=mesh.colors,
        uv=mesh.uv,
        uv_vertex=mesh.uv_vertex,
        corner_uv=mesh.corner_uv,
        triangle_material=mesh.triangle_material,
        materials=mesh.materials,
    )
    change = color_change(mesh, again, silent)
    assert change is not None
    assert change.samples >= 20_000
    assert change.p95 < 0.01


def test_a_known_difference_is_found() -> None:
    mesh = sphere(4)
    grey, red = np.full((mesh.vertex_count, 3), 0.5), np.tile([0.6, 0.4, 0.4], (mesh.vertex_count, 1))
    change = color_change(_with_colors(mesh, grey), _with_colors(mesh, red), silent)
    expected = float(ciede2000(lab(grey[:1]), lab(red[:1]))[0])
    assert change is not None
    assert change.mean == pytest.approx(expected, rel=1e-4)
    # Half of the ball is red: the mean halves, the 95th percentile stays.
    half = np.where(mesh.positions[:, :1] > 0, red, grey)
    change = color_change(_with_colors(mesh, grey), _with_colors(mesh, half), silent)
    assert change is not None
    assert change.mean == pytest.approx(expected / 2, rel=0.03)
    assert change.p95 == pytest.approx(expected, rel=1e-4)


def test_where_only_vertices_moved_points_are_compared_with_themselves() -> None:
    mesh = painted()
    far = with_positions(mesh, (mesh.positions + np.float32(100))[:, ::-1].copy())
    change = color_change(mesh, far, silent)
    assert change is not None
    assert change.mean == change.p95 == 0.0


def test_without_colour_there_is_nothing_to_compare() -> None:
    assert color_change(sphere(2), painted(2), silent) is None
    nothing = build_mesh(Soup(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)))
    assert color_change(painted(2), nothing, silent) is None
