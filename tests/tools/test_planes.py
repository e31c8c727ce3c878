"""Brushes that work toward a plane, against planes taken from the definition: mean place and mean normal."""

from __future__ import annotations

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from tests.meshes import grid, grid_soup, sphere
from tests.sculpting import samples, stroke
from tests.tools.test_shaping import FLAT, UP, at_origin, line, waves


def mean_plane(mesh: Mesh, chosen: np.ndarray | slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
    """Centre and unit normal of these vertices, all of the same weight."""
    normal = mesh.normals[chosen].astype(float).mean(axis=0)
    return mesh.positions[chosen].astype(float).mean(axis=0), normal / np.linalg.norm(normal)


@pytest.mark.parametrize(
    ("brush", "invert", "side"), [("scrape", False, -1), ("fill", True, -1), ("fill", False, 1), ("scrape", True, 1)]
)
def test_scrape_moves_only_what_is_above_the_plane_and_fill_what_is_below(brush: str, invert: bool, side: int):
    mesh = waves()
    start = mesh.positions.copy()
    center, normal = mean_plane(mesh)
    offset = {"parameters": {"offset": 2.0}}  # of 10 mm, into the surface for scrape and out of it for fill
    at_origin(mesh, brush, radius_mm=15.0, strength=0.5, invert=invert, **offset, **FLAT)
    above = (start - center) @ normal - side * 0.02 * 15.0
    moved = side * above < 0
    wanted = start - np.where(moved, 0.5 * above, 0.0)[:, None] * normal
    np.testing.assert_allclose(mesh.positions, wanted, atol=1e-5)
    assert mesh.positions[~moved].tobytes() == start[~moved].tobytes()
    assert 0.2 < moved.mean() < 0.9


@pytest.mark.parametrize(("invert", "sign"), [(False, 1), (True, -1)])
def test_trim_cuts_to_the_one_plane_on_which_the_stroke_began(invert: bool, sign: int):
    mesh = sphere(5, radius=10.0)
    start = mesh.positions.copy()
    top = np.array([0.0, 0.0, 10.0])
    center, normal = mean_plane(mesh, np.linalg.norm(start - top, axis=1) <= 3.0)
    path = samples([np.array([x, y, 10.0]) for y in (-1.0, 0.0, 1.0) for x in (0.0, 1.5, -1.5)], UP)
    path = [*samples([top], UP), *path]
    depth = {"parameters": {"depth": 0.1}}
    stroke(mesh, "trim", path, radius_mm=3.0, strength=1.0, invert=invert, **depth, **FLAT)
    above = ((start - center) @ normal + sign * 0.1) * sign
    changed = (mesh.positions != start).any(axis=1)
    assert changed.sum() > 100
    assert (above[changed] > 0).all()
    assert changed[(above > 0) & (np.linalg.norm(start - top, axis=1) < 2.9)].all()
    np.testing.assert_allclose((mesh.positions[changed] - center) @ normal, -sign * 0.1, atol=1e-5)


def square(x: np.ndarray, y: np.ndarray, radius: float, softness: float) -> np.ndarray:
    """Influence of a square with sides along x and y, inscribed in the dab, whose rim fades smoothly."""
    half = radius / np.sqrt(2)
    core = half * (1 - softness)
    away = np.hypot(np.maximum(np.abs(x) - core, 0), np.maximum(np.abs(y) - core, 0))
    p = np.clip(1 - away / (half * softness), 0, 1)
    return 3 * p**2 - 2 * p**3


@pytest.mark.parametrize(("invert", "sign"), [(False, 1), (True, -1)])
def test_clay_strips_lays_a_square_and_leaves_alone_what_is_beyond_its_plane(invert: bool, sign: int):
    soup = grid_soup(60)
    spike = np.argmin(np.linalg.norm(soup.positions - np.array([0.5, 0.5, 0]), axis=1))
    soup.positions[spike, 2] = sign * 1.5
    mesh = build_mesh(soup)
    start = mesh.positions.copy()
    inside = np.linalg.norm(start, axis=1) <= 5.0
    center, normal = mean_plane(mesh, inside)
    strip = {"parameters": {"height": 20.0, "softness": 30.0}}
    at_origin(mesh, "clay_strips", radius_mm=5.0, strength=0.6, invert=invert, **strip)
    below = np.where(inside, (center - start) @ normal + sign * 0.2 * 5.0, 0.0)
    below = np.where(below * sign > 0, below, 0.0)
    weight = 0.6 * below * square(start[:, 0], start[:, 1], 5.0, 0.3)
    np.testing.assert_allclose(mesh.positions, start + weight[:, None] * normal, atol=2e-3)
    stays = np.abs(start[:, 2]) > 1
    assert stays.sum() == 1
    assert mesh.positions[stays].tobytes() == start[stays].tobytes()


def test_clay_strips_lie_along_the_stroke_and_over_each_other():
    mesh = grid(80)
    strip = {"radius_mm": 3.0, "strength": 0.5, "parameters": {"height": 10.0, "softness": 20.0}}
    way = np.array([1.0, 1.0, 0.0]) / np.sqrt(2)
    stroke(mesh, "clay_strips", samples([way * x for x in np.linspace(-7, 7, 30)], UP), **strip)
    x, y, z = mesh.positions.T
    across = np.abs(x - y) / np.sqrt(2)
    middle = np.abs(x + y) / np.sqrt(2) < 3
    one = z[middle & (across < 0.5)].mean()
    # Flat across nearly its whole width, and nothing beside it.
    np.testing.assert_allclose(z[middle & (across < 1.5)], one, rtol=0.1)
    assert np.abs(z[middle & (across > 3 / np.sqrt(2))]).max() < 1e-6
    mesh.refresh()
    line(mesh, "clay_strips", **strip)
    crossing = np.linalg.norm(mesh.positions[:, :2], axis=1) < 0.7
    assert mesh.positions[crossing, 2].min() > 1.5 * one
