"""Paint and Mask: blending, softening, and what is needed before painting."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import LikenessError
from app.mesh.build import build_mesh
from app.mesh.colors import with_vertex_colors
from app.sculpt.falloff import Falloff
from app.sculpt.history import History
from tests.meshes import grid_soup, sphere, textured_soup
from tests.sculpting import Owner, samples, stroke

UP = np.array([0.0, 0.0, 1.0])
RED = (0.9, 0.1, 0.2)


def coloured_square():
    soup = grid_soup(40)
    soup.colors = np.random.default_rng(5).random((len(soup.positions), 3)).astype(np.float32)
    return build_mesh(soup)


def test_paint_blends_toward_the_colour_by_strength_and_falloff():
    mesh = coloured_square()
    before = mesh.colors.astype(float)
    stroke(mesh, "paint", samples([np.zeros(3)], UP), radius_mm=6.0, strength=0.6, color=RED)
    p = np.clip(1 - np.linalg.norm(mesh.positions, axis=1) / 6.0, 0, 1)[:, None]
    factor = 0.6 * (3 * p**2 - 2 * p**3)
    np.testing.assert_allclose(mesh.colors, before + factor * (np.array(RED) - before), atol=1e-5)


def test_full_paint_is_exactly_the_colour_and_faint_paint_adds_up():
    mesh = coloured_square()
    flat = {"radius_mm": 100.0, "falloff": Falloff("constant"), "color": RED}
    history, _ = stroke(mesh, "paint", samples([np.zeros(3)], UP), strength=1.0, **flat)
    np.testing.assert_allclose(mesh.colors, np.broadcast_to(RED, mesh.colors.shape), atol=1e-7)
    history.undo()
    before = mesh.colors.astype(float)
    for _ in range(200):  # each pass is less than a step of 8 bits
        stroke(mesh, "paint", samples([np.zeros(3)], UP), history, strength=0.002, **flat)
    wanted = np.array(RED) + (before - RED) * (1 - 0.002) ** 200
    np.testing.assert_allclose(mesh.colors, wanted, atol=1e-4)


def test_soften_evens_out_colours_without_changing_their_range():
    mesh = coloured_square()
    before = mesh.colors.copy()
    stroke(mesh, "paint", samples([np.zeros(3)], UP), radius_mm=100.0, strength=1.0, invert=True)
    assert mesh.colors.std() < 0.7 * before.std()
    assert mesh.colors.min() >= before.min()
    assert mesh.colors.max() <= before.max()


def test_mask_goes_to_one_and_unmask_to_zero():
    mesh = coloured_square()
    everywhere = {"radius_mm": 100.0, "falloff": Falloff("constant")}
    history, _ = stroke(mesh, "mask", samples([np.zeros(3)], UP), strength=0.75, **everywhere)
    np.testing.assert_allclose(mesh.mask, 0.75, atol=1e-6)
    stroke(mesh, "mask", samples([np.zeros(3)], UP), history, strength=1.0, **everywhere)
    assert (mesh.mask == 1.0).all()
    _, changed = stroke(mesh, "inflate", samples([np.zeros(3)], UP), history, **everywhere)
    assert not changed
    stroke(mesh, "mask", samples([np.zeros(3)], UP), history, strength=0.5, invert=True, **everywhere)
    np.testing.assert_allclose(mesh.mask, 0.5, atol=1e-6)


def test_without_vertex_colours_the_error_says_what_to_do():
    plain, textured = sphere(2), build_mesh(textured_soup())
    for mesh, advice in ((plain, "Add vertex colours"), (textured, "Move the texture's colour onto the vertices")):
        with pytest.raises(LikenessError, match=advice):
            stroke(mesh, "paint", samples([np.array([0, 0, 10.0])]), radius_mm=3.0)


def test_moving_the_texture_onto_vertices_makes_it_paintable_and_can_be_undone():
    owner = Owner(build_mesh(textured_soup()))
    textured = owner.mesh
    history = History(owner)
    history.replace_mesh("Colour onto vertices", with_vertex_colors(textured))
    stroke(owner.mesh, "paint", samples([np.array([0, 0, 10.0])]), history, radius_mm=3.0, color=RED)
    assert len(history.steps) == 2
    assert not owner.mesh.has_texture
    history.go_to(0)
    assert owner.mesh is textured
    assert owner.mesh.has_texture
    history.go_to(2)
    top = np.argmax(owner.mesh.positions[:, 2])
    np.testing.assert_allclose(owner.mesh.colors[top], RED, atol=0.02)
