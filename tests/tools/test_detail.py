"""Brushes for fine detail: Pores against the image, Sharpen against an unsharp mask from the definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from app.mesh.mesh import Mesh
from app.sculpt.alphas import load_alpha
from app.sculpt.brush import brushes
from app.sculpt.history import History
from app.sculpt.stroke import StrokeInHand
from tests.meshes import grid
from tests.sculpting import Owner, samples, settings_of, stroke
from tests.tools.test_shaping import FLAT, ORIGIN, UP, at_origin, slow_smooth, waves


@pytest.mark.parametrize(("invert", "sign"), [(False, -1), (True, 1)])
def test_pores_sink_as_deep_as_the_image_is_white(invert: bool, sign: int):
    mesh = grid(120)
    depth = {"parameters": {"depth": 0.2}}
    at_origin(mesh, "pores", radius_mm=6.0, strength=0.5, alpha_random=0.0, invert=invert, **depth, **FLAT)
    image = load_alpha("pores").image
    x, y, z = mesh.positions.T.astype(float)
    # On a surface that lies flat there is no way up, so the stamp's top points along x and its right along -y.
    place = (1 - x / 6.0) / 2 * (image.shape[0] - 1), (1 - y / 6.0) / 2 * (image.shape[1] - 1)
    wanted = sign * 0.5 * 0.2 * map_coordinates(image, place, order=1, cval=0.0)
    wanted[np.hypot(x, y) > 6.0] = 0
    np.testing.assert_allclose(z, wanted, atol=1e-5)
    assert np.abs(z).max() > 0.05


def heights_of(mesh: Mesh) -> np.ndarray:
    """(121, 121) mm: heights of the grid's vertices by rows of y, columns of x."""
    x, y, z = mesh.positions.T
    return z[np.lexsort((x, y))].reshape(121, 121)


def test_each_stamp_of_pores_is_turned_another_way():
    mesh = grid(120)
    points = [np.array([x, 0.0, 0.0]) for x in (-5.0, 5.0)]
    stroke(mesh, "pores", samples(points, UP), radius_mm=4.0, method="dots")
    heights = heights_of(mesh)
    left, right = heights[:, 6:55], heights[:, 66:115]
    assert (left < 0).sum() > 300
    assert np.corrcoef(left.ravel(), right.ravel())[0, 1] < 0.5
    fixed = grid(120)
    stroke(fixed, "pores", samples(points, UP), radius_mm=4.0, method="dots", alpha_random=0.0)
    heights = heights_of(fixed)
    np.testing.assert_allclose(heights[:, 6:55], heights[:, 66:115], atol=1e-5)


def detail_of(mesh: Mesh) -> np.ndarray:
    """(V,) mm along the normals by which the surface stands out from itself after two passes of smoothing."""
    smoothed = Mesh(slow_smooth(mesh, 1.0).astype(np.float32), mesh.triangles)
    away = mesh.positions.astype(float) - slow_smooth(smoothed, 1.0)
    return np.einsum("ij,ij->i", away, mesh.normals.astype(float))


@pytest.mark.parametrize(("invert", "amount"), [(False, 1.5), (True, -1.0)])
def test_sharpen_goes_away_from_the_smoothed_surface_and_soften_toward_it(invert: bool, amount: float):
    mesh = waves()
    start, normals, detail = mesh.positions.astype(float), mesh.normals.astype(float), detail_of(mesh)
    settings = {"radius_mm": 100.0, "strength": 0.8, "spacing": 0.5, "parameters": {"amount": 150.0}, **FLAT}
    at_origin(mesh, "sharpen", invert=invert, **settings)
    wanted = start + (0.8 * 0.5 * amount * detail)[:, None] * normals
    np.testing.assert_allclose(mesh.positions, wanted, atol=2e-5)


def test_a_stroke_of_sharpen_ends_at_its_goal_however_long_it_lasts():
    mesh = waves()
    start, normals, detail = mesh.positions.astype(float), mesh.normals.astype(float), detail_of(mesh)
    brush = brushes()["sharpen"]
    settings = settings_of(brush, radius_mm=100.0, strength=1.0, method="dots", **FLAT)
    in_hand = StrokeInHand(mesh, History(Owner(mesh)), brush, settings)
    for sample in samples([ORIGIN] * 60, UP):
        in_hand.add(sample)
        mesh.refresh()
    in_hand.finish()
    np.testing.assert_allclose(mesh.positions, start + (1.5 * detail)[:, None] * normals, atol=1e-4)


def test_sharpen_sees_the_start_of_the_stroke_also_at_the_rim_of_earlier_dabs():
    """A ring reaches beyond the dab: part of it has moved in this stroke, part of it not."""
    mesh = waves()
    start, normals, detail = mesh.positions.astype(float), mesh.normals.astype(float), detail_of(mesh)
    points = [np.array([x, 0.0, 0.0]) for x in (-2.0, 2.0)]
    settings = {"radius_mm": 2.5, "strength": 1.0, "spacing": 1.0, "method": "dots", **FLAT}
    stroke(mesh, "sharpen", samples(points, UP), **settings)
    changed = (mesh.positions != start.astype(np.float32)).any(axis=1)
    assert changed.sum() > 100
    wanted = start + (1.5 * detail)[:, None] * normals
    np.testing.assert_allclose(mesh.positions[changed], wanted[changed], atol=2e-5)
