"""A mesh taken apart and put together again: nothing gets lost, new corners get what their place on the old has."""

from __future__ import annotations

import numpy as np

from app.mesh.colors import colors_from_texture
from app.operations.painting import painted_like_surrounding, painted_plain
from app.operations.surface import Surface, joined
from tests.operations.checks import assert_sound, bits, painted, textured


def test_there_and_back_is_the_same_to_the_bit() -> None:
    for mesh in (painted(3), textured()):
        again = Surface.of(mesh).mesh()
        assert bits(again) == bits(mesh)
        assert again.materials == mesh.materials


def test_a_part_keeps_its_colour_to_the_bit() -> None:
    for mesh in (painted(3), textured()):
        kept = mesh.positions[mesh.triangles].mean(axis=1)[:, 2] > 1
        surface = Surface.of(mesh)
        part = surface.kept(kept[np.argsort(mesh.file_triangle)]).mesh()
        assert_sound(part)
        assert part.triangle_count == kept.sum()
        known = {tuple(place): i for i, place in enumerate(mesh.positions.tolist())}
        old = np.array([known[tuple(place)] for place in part.positions.tolist()])
        assert np.array_equal(part.mask, mesh.mask[old])
        assert np.array_equal(part.face_sets, mesh.face_sets[old])
        assert set(part.face_sets) == {0, 5}
        if mesh.colors is not None:
            assert np.array_equal(part.colors, mesh.colors[old])
        if mesh.uv is not None:
            assert part.uv is not None
            corners = {
                tuple(np.sort(old_corners)): set(map(tuple, mesh.uv[mesh.corner_uv[t]].tolist()))
                for t, old_corners in enumerate(mesh.triangles)
            }
            for t, new in enumerate(part.triangles):
                assert set(map(tuple, part.uv[part.corner_uv[t]].tolist())) == corners[tuple(np.sort(old[new]))]


def test_turned_over_triangles_keep_their_corners() -> None:
    mesh = textured()
    twice = Surface.of(mesh).flipped(np.ones(mesh.triangle_count, bool))
    np.testing.assert_allclose(twice.mesh().normals, -mesh.normals, atol=1e-6)
    assert bits(twice.flipped(np.ones(mesh.triangle_count, bool)).mesh()) == bits(mesh)


def test_a_corner_in_the_middle_of_an_edge_gets_the_mean_of_its_ends() -> None:
    mesh = textured()
    surface = Surface.of(mesh)
    a, b, c = surface.triangles[40]
    middle = (surface.positions[a].astype(float) + surface.positions[b]) / 2
    positions = np.concatenate((surface.positions, [middle])).astype(np.float32)
    new = len(surface.positions)
    rows = np.arange(len(surface.triangles))
    triangles = np.concatenate((np.where(rows[:, None] == 40, (a, new, c), surface.triangles), [(new, b, c)]))
    split = surface.rebuilt(positions, triangles, np.append(rows, 40))
    assert surface.uv is not None
    assert split.uv is not None
    assert np.array_equal(split.uv[:40], surface.uv[:40])
    np.testing.assert_allclose(split.uv[40, 1], surface.uv[40, :2].mean(axis=0), atol=1e-6)
    assert split.material[-1] == surface.material[40]
    assert split.mask[new] == np.float32((surface.mask[a] + surface.mask[b]) / 2)


def test_a_textured_part_beside_a_plain_one() -> None:
    first, second = Surface.of(textured()), Surface.of(painted(2))
    whole = joined(first, second).mesh()
    assert_sound(whole)
    assert whole.triangle_count == len(first.triangles) + len(second.triangles)
    assert whole.has_texture
    assert whole.colors is not None


def test_new_triangles_take_the_colours_around() -> None:
    for mesh in (painted(3), textured()):
        surface = Surface.of(mesh)
        rows = np.flatnonzero(surface.positions[surface.triangles].mean(axis=1)[:, 0] > 7)
        origin = np.arange(len(surface.triangles))
        origin[rows] = -1
        blank = surface.rebuilt(surface.positions, surface.triangles, origin)
        filled = painted_like_surrounding(blank, rows).mesh()
        assert_sound(filled)
        looks = filled.colors if filled.colors is not None else colors_from_texture(filled)
        wanted = mesh.colors if mesh.colors is not None else colors_from_texture(mesh)
        # Colour is a smooth function of the place in these models, so a harmonic patch comes close to what was there.
        assert np.abs(looks - wanted)[mesh.positions[:, 0] > 7].mean() < 0.06
        assert np.abs(looks - wanted)[mesh.positions[:, 0] < 5].max() < 1e-6


def test_new_triangles_in_one_colour() -> None:
    color = (0.2, 0.4, 0.6)
    for mesh in (painted(3), textured()):
        surface = Surface.of(mesh)
        rows = np.flatnonzero(surface.positions[surface.triangles][:, :, 2].min(axis=1) > 2)
        plain = painted_plain(surface, rows, color)
        assert_sound(plain.mesh())
        looks = plain.looks(rows)
        inner = ~np.isin(surface.triangles[rows], np.delete(surface.triangles, rows, axis=0))
        if mesh.uv is not None:
            inner[:] = True
        np.testing.assert_allclose(looks[inner], np.broadcast_to(color, looks[inner].shape), atol=1e-3)
