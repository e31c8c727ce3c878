"""The brushes for colour, and Mask: blending, softening, dragging, cloning, and what is needed before painting."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import LikenessError
from app.mesh.build import build_mesh
from app.mesh.bvh import Bvh
from app.mesh.colors import with_vertex_colors
from app.mesh.mesh import Mesh
from app.mesh.transform import placed_on_ground
from app.sculpt.falloff import Falloff
from app.sculpt.history import History
from app.sculpt.symmetry import Symmetry
from tests.meshes import grid_soup, sphere, textured_soup
from tests.sculpting import Owner, samples, stroke

UP = np.array([0.0, 0.0, 1.0])
FLAT = Falloff("constant")
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


def shaded_square(cells: int = 40):
    """An open square of 20 mm with colours that change evenly from side to side, so that any mix of them is known."""
    soup = grid_soup(cells)
    soup.colors = shades(soup.positions).astype(np.float32)
    return build_mesh(soup)


def shades(positions: np.ndarray) -> np.ndarray:
    x, y = positions[:, 0], positions[:, 1]
    return np.stack((0.5 + 0.02 * x, 0.5 - 0.015 * y, 0.5 + 0.01 * (x + y)), axis=1)


def test_smear_brings_the_colour_from_one_step_behind():
    mesh = shaded_square()
    before = mesh.colors.copy()
    step = np.array([1.37, -0.81, 0.0])  # several edges, and between vertices
    stroke(mesh, "smear", samples([np.zeros(3), step], UP), radius_mm=5.0, strength=0.75, method="dots")
    p = np.clip(1 - np.linalg.norm(mesh.positions - step, axis=1) / 5.0, 0, 1)[:, None]
    wanted = before + 0.75 * (3 * p**2 - 2 * p**3) * (shades(mesh.positions - step) - before)
    np.testing.assert_allclose(mesh.colors, wanted, atol=2e-6)


def test_smear_stays_on_its_side_of_a_thin_wall():
    front, back = grid_soup(40), grid_soup(40)
    back.positions[:, 2] -= 0.01
    front.colors, back.colors = np.full((1681, 3), 0.2, np.float32), np.full((1681, 3), 0.9, np.float32)
    soup = grid_soup(40)
    soup.positions = np.concatenate((front.positions, back.positions))
    soup.triangles = np.concatenate((front.triangles, back.triangles[:, ::-1] + 1681))
    soup.colors = np.concatenate((front.colors, back.colors))
    mesh = build_mesh(soup)
    before = mesh.colors.copy()
    path = samples([np.array([x, 0.1, 0.0]) for x in np.linspace(-5, 5, 20)], UP)
    stroke(mesh, "smear", path, radius_mm=3.0)
    np.testing.assert_allclose(mesh.colors, before, atol=1e-6)


def test_blur_is_what_paint_does_with_ctrl_in_up_to_four_passes():
    blurred, softened = coloured_square(), coloured_square()
    where = {"radius_mm": 6.0, "falloff": Falloff("constant")}
    stroke(blurred, "blur", samples([np.zeros(3)], UP), strength=0.6, **where)
    for strength in (1.0, 1.0, 0.4):
        stroke(softened, "paint", samples([np.zeros(3)], UP), strength=strength, invert=True, **where)
    np.testing.assert_allclose(blurred.colors, softened.colors, atol=1e-6)


def test_clone_takes_the_colours_from_around_the_source():
    mesh = shaded_square()
    before = mesh.colors.copy()
    source = np.array([-4.3, 2.7, 0.0])
    path = [np.array([3.0, -2.0, 0.0]), np.array([4.1, -1.2, 0.0])]
    stroke(mesh, "clone", samples(path, UP), radius_mm=2.0, source=tuple(source), method="dots", falloff=FLAT)
    inside = (np.linalg.norm(mesh.positions[:, None] - path, axis=2) <= 2.0).any(axis=1)
    np.testing.assert_allclose(mesh.colors[inside], shades(mesh.positions + source - path[0])[inside], atol=2e-6)
    assert np.array_equal(mesh.colors[~inside], before[~inside])


def test_clone_sees_the_source_as_it_was_when_the_stroke_began():
    mesh = shaded_square()
    path = [np.array([x, 0.0, 0.0]) for x in (0.0, 1.0, 2.0, 3.0)]
    source = np.array([-1.5, 0.0, 0.0])  # less than the stroke's length away: it is painted over
    stroke(mesh, "clone", samples(path, UP), radius_mm=1.2, source=tuple(source), method="dots", falloff=FLAT)
    inside = (np.linalg.norm(mesh.positions[:, None] - path, axis=2) <= 1.2).any(axis=1)
    np.testing.assert_allclose(mesh.colors[inside], shades(mesh.positions + source)[inside], atol=2e-6)


def test_clone_finds_the_nearest_place_on_a_round_surface():
    mesh = sphere(4)
    mesh = Mesh(mesh.positions, mesh.triangles, colors=(mesh.positions / 20 + 0.5).astype(np.float32))
    center, source = np.array([0, -10.0, 0]), np.array([6.0, 0.0, 8.0])
    stroke(mesh, "clone", samples([center]), radius_mm=4.0, source=tuple(source), falloff=FLAT)
    inside = np.linalg.norm(mesh.positions - center, axis=1) <= 4.0
    closest = Bvh.of(mesh.positions, mesh.triangles).closest(mesh.positions[inside] + source - center)
    # Colours are places here.
    np.testing.assert_allclose(
        (mesh.colors[inside] - 0.5) * 20, closest.interpolated(mesh.positions[mesh.triangles]), atol=1e-4
    )


def test_a_mirrored_clone_takes_from_the_mirrored_source():
    mesh = shaded_square()
    start, source = np.array([5.0, 0.0, 0.0]), np.array([3.0, 6.0, 0.0])
    mirror = Symmetry((True, False, False))
    stroke(mesh, "clone", samples([start], UP), radius_mm=1.5, source=tuple(source), falloff=FLAT, symmetry=mirror)
    for flip in (np.array([1.0, 1, 1]), np.array([-1.0, 1, 1])):
        inside = np.linalg.norm(mesh.positions - start * flip, axis=1) <= 1.5
        wanted = shades(mesh.positions + (source - start) * flip)[inside]
        np.testing.assert_allclose(mesh.colors[inside], wanted, atol=2e-6)


def test_clone_without_a_source_says_so_and_with_one_off_the_surface_changes_nothing():
    mesh = shaded_square()
    before = mesh.colors.tobytes()
    with pytest.raises(LikenessError, match="Choose one on the model"):
        stroke(mesh, "clone", samples([np.zeros(3)], UP), radius_mm=2.0, source=None)
    _, changed = stroke(mesh, "clone", samples([np.zeros(3)], UP), radius_mm=2.0, source=(0.0, 0.0, 9.0))
    assert not changed
    assert mesh.colors.tobytes() == before


def test_erase_brings_back_the_colours_that_the_model_came_with():
    mesh = coloured_square()
    before = mesh.colors.copy()
    history, _ = stroke(mesh, "paint", samples([np.zeros(3)], UP), radius_mm=6.0, color=RED)
    painted = mesh.colors.copy()
    where = {"radius_mm": 100.0, "falloff": FLAT}
    stroke(mesh, "erase", samples([np.zeros(3)], UP), history, strength=0.5, **where)
    np.testing.assert_allclose(mesh.colors, (before + painted) / 2, atol=1e-6)
    stroke(mesh, "erase", samples([np.zeros(3)], UP), history, strength=1.0, **where)
    np.testing.assert_allclose(mesh.colors, before, atol=1e-7)


def test_what_the_model_came_with_goes_along_when_it_is_moved():
    mesh = coloured_square()
    before = mesh.colors.copy()
    stroke(mesh, "paint", samples([np.zeros(3)], UP), radius_mm=6.0, color=RED)
    for other in (placed_on_ground(mesh), mesh.snapshot()):
        assert np.array_equal(other.original_colors, before)
    textured = with_vertex_colors(build_mesh(textured_soup()))
    assert np.array_equal(textured.original_colors, textured.colors)
