"""Masks over the whole mesh against what they mean, computed the slow way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from app.errors import LikenessError
from app.mesh.mesh import Mesh
from app.operations.color_change import lab
from app.sculpt import masking
from app.sculpt.automask import cavity
from app.sculpt.history import History
from tests.meshes import grid, sphere
from tests.sculpt.test_automask import two_sheets
from tests.sculpting import Owner, bumpy_sphere


def rings(mesh: Mesh) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in range(mesh.vertex_count)]
    for triangle in mesh.triangles.tolist():
        for vertex in triangle:
            found[vertex].update(triangle)
    return found  # with the vertex itself


def noisy(mesh: Mesh) -> Mesh:
    mesh.mask[:] = np.random.default_rng(5).random(mesh.vertex_count)
    return mesh


@pytest.mark.parametrize(
    ("function", "reference"), [(masking.grown, max), (masking.shrunk, min), (masking.blurred, np.mean)]
)
def test_filters_look_at_the_ring(function: Callable, reference: Callable):
    mesh = noisy(bumpy_sphere(3))
    wanted = [reference([mesh.mask[v] for v in ring]) for ring in rings(mesh)]
    np.testing.assert_allclose(function(mesh), wanted, atol=1e-6)


def test_sharpening_makes_the_edge_steeper_and_moves_it_nowhere():
    mesh = grid(20)
    mesh.mask[:] = (mesh.positions[:, 0] / 20 + 0.5).clip(0, 1)
    sharp = masking.sharpened(mesh)
    low, half, high = mesh.mask < 0.49, np.abs(mesh.mask - 0.5) < 1e-6, mesh.mask > 0.51
    assert (sharp[low] <= mesh.mask[low]).all()
    assert (sharp[high] >= mesh.mask[high]).all()
    np.testing.assert_allclose(sharp[half], 0.5)
    assert (np.diff(sharp[np.argsort(mesh.mask)]) >= 0).all()
    assert sharp.min() == 0
    assert sharp.max() == 1


def test_invert_and_clear():
    mesh = noisy(sphere(2))
    np.testing.assert_array_equal(masking.inverted(mesh) + mesh.mask, np.float32(1))
    assert not masking.cleared(mesh).any()


def test_a_selection_is_put_on_and_taken_off():
    mesh = noisy(sphere(2))
    selection = np.random.default_rng(6).random(mesh.vertex_count).astype(np.float32)
    pairs = list(zip(mesh.mask.tolist(), selection.tolist(), strict=True))
    np.testing.assert_allclose(masking.added(mesh, selection), [max(m, s) for m, s in pairs])
    np.testing.assert_allclose(masking.removed(mesh, selection), [min(m, 1 - s) for m, s in pairs], atol=1e-6)


def test_cavity_takes_hollows_or_ridges():
    mesh = grid(20)
    mesh.positions[mesh.vertex_count // 2, 2] -= 1
    mesh.touched_all("positions")
    mesh.refresh()
    depth = cavity(mesh)
    hollows, ridges = masking.by_cavity(mesh), masking.by_cavity(mesh, ridges=True)
    assert hollows[mesh.vertex_count // 2] == 1
    np.testing.assert_allclose(hollows - ridges, depth)
    assert not (hollows * ridges).any()


def test_color_range_is_a_distance_in_cielab():
    mesh = sphere(3, colored=True)
    mesh.colors[:] = np.random.default_rng(7).random(mesh.colors.shape)
    color, tolerance = np.array([0.8, 0.5, 0.4]), 20.0
    away = np.linalg.norm(lab(mesh.colors) - lab(color[None]), axis=1)
    np.testing.assert_allclose(masking.by_color(mesh, color, tolerance), (2 - away / tolerance).clip(0, 1), atol=1e-3)
    assert masking.by_color(mesh, mesh.colors[7], 1e-3)[7] == 1


def test_color_range_without_colors_says_what_to_do():
    with pytest.raises(LikenessError, match="no colours"):
        masking.by_color(sphere(1), np.ones(3), 10)


def test_normals_within_an_angle():
    mesh = sphere(4)
    direction = np.array([1.0, 2.0, -2.0])
    mask = masking.by_normal(mesh, direction, 30)
    degrees = np.degrees(np.arccos((mesh.normals @ (direction / 3)).clip(-1, 1)))
    assert (mask[degrees <= 29.9] == 1).all()
    assert not mask[degrees >= 40.1].any()
    np.testing.assert_allclose(mask[(degrees > 34.9) & (degrees < 35.1)], 0.5, atol=0.02)


def test_connection_is_the_sheet_of_the_vertex():
    mesh = two_sheets()
    upper = int(np.argmax(mesh.positions[:, 2]))
    np.testing.assert_array_equal(masking.by_connection(mesh, upper), mesh.positions[:, 2] > 0.5)


def test_an_outline_is_even_odd():
    star = np.array([(np.sin(k * 4 * np.pi / 5), np.cos(k * 4 * np.pi / 5)) for k in range(5)]) * 10
    places = np.random.default_rng(8).uniform(-12, 12, (500, 2))
    places[0] = np.nan
    crossings = np.zeros(500, int)  # of a ray downward, from the edges' own equations
    for (ax, ay), (bx, by) in zip(star, np.roll(star, -1, axis=0), strict=True):
        across = (ax <= places[:, 0]) != (bx <= places[:, 0])
        crossings += across & (ay + (places[:, 0] - ax) / (bx - ax) * (by - ay) < places[:, 1])
    np.testing.assert_array_equal(masking.by_outline(places, star), crossings % 2)
    assert not masking.by_outline(places, star)[0]
    assert not masking.by_outline(np.zeros((1, 2)), star).any()  # the star's middle is hollow
    assert not masking.by_outline(places, np.empty((0, 2))).any()


@pytest.mark.parametrize("corners", [3, 40, 5000])
def test_a_long_lasso_gives_what_looking_at_every_edge_does(corners):
    """A hand's line over and over itself, some of it level; places also in line with its corners."""
    random = np.random.default_rng(corners)
    line = random.normal(0, 5, (corners, 2)).cumsum(axis=0).round()
    places = np.concatenate(
        (random.uniform(line.min(axis=0) - 1, line.max(axis=0) + 1, (300, 2)), line[:50] + np.array([0.5, 0]))
    )
    inside = np.zeros(len(places), bool)
    for (ax, ay), (bx, by) in zip(np.roll(line, 1, axis=0), line, strict=True):
        across = (ay > places[:, 1]) != (by > places[:, 1])
        inside ^= across & (places[:, 0] < ax + (places[:, 1] - ay) * (bx - ax) / (by - ay if by != ay else 1))
    assert corners == 3 or inside.any()
    np.testing.assert_array_equal(masking.by_outline(places, line), inside)


def test_an_outline_without_height_holds_nothing():
    places = np.array([(0.5, 1.0), (0.5, 0.9)])
    assert not masking.by_outline(places, np.array([(0.0, 1.0), (1.0, 1.0), (0.5, 1.0)])).any()


def test_a_write_is_one_step_exact_to_the_bit():
    mesh = noisy(sphere(3))
    history, before = History(Owner(mesh)), mesh.mask.copy()
    assert masking.write(history, mesh, "Grow Mask", "mask", masking.grown(mesh))
    after = mesh.mask.copy()
    assert [step.label for step in history.steps] == ["Grow Mask"]
    history.undo()
    assert mesh.mask.tobytes() == before.tobytes()
    history.redo()
    assert mesh.mask.tobytes() == after.tobytes()


def test_nothing_to_do_is_no_step():
    mesh = sphere(2)
    history = History(Owner(mesh))
    assert not masking.write(history, mesh, "Clear Mask", "mask", masking.cleared(mesh))
    assert not history.steps


def test_what_is_hidden_keeps_its_mask():
    mesh = noisy(sphere(3))
    mesh.hidden[mesh.positions[:, 2] > 0] = 1
    before = mesh.mask.copy()
    masking.write(History(Owner(mesh)), mesh, "Invert Mask", "mask", masking.inverted(mesh))
    hidden = mesh.hidden != 0
    np.testing.assert_array_equal(mesh.mask[hidden], before[hidden])
    np.testing.assert_array_equal(mesh.mask[~hidden], 1 - before[~hidden])
