"""The render copy against plain numpy indexing of the mesh."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.soup import Material, Texture
from app.viewport import render_copy
from app.viewport.render_copy import NO_SETS, SETS_ALONE, SETS_OVER, RenderCopy
from app.viewport.upload import joined
from tests.meshes import icosphere_soup, sphere, textured_soup


@pytest.fixture
def ball():
    return build_mesh(textured_soup(96, 48))


def expected(mesh, copy):
    rows = mesh.uv_vertex if len(copy.source) else np.arange(mesh.vertex_count)
    paint = np.full((len(rows), 4), 255, np.uint8)
    if mesh.colors is not None:
        paint[:, :3] = np.floor(np.clip(mesh.colors[rows], 0, 1) * 255 + 0.5)
    paint[:, 3] = np.floor(np.clip(mesh.mask[rows], 0, 1) * 255 + 0.5)
    return mesh.positions[rows], mesh.normals[rows], paint


def test_a_mesh_without_seams_is_not_copied():
    mesh = sphere(3)
    copy = RenderCopy(mesh)
    assert copy.positions is mesh.positions
    assert copy.normals is mesh.normals
    assert copy.groups[0].triangles is mesh.triangles


def test_seams_split_vertices_in_the_copy_only(ball):
    copy = RenderCopy(ball)
    assert len(copy.positions) == len(ball.uv) > ball.vertex_count
    for have, want in zip((copy.positions, copy.normals, copy.paint), expected(ball, copy), strict=True):
        np.testing.assert_array_equal(have, want)
    np.testing.assert_array_equal(copy.positions[copy.groups[0].triangles], ball.positions[ball.triangles])


@pytest.mark.parametrize("textured", [True, False])
def test_dirty_ranges_bring_all_of_the_change(ball, textured):
    mesh = ball if textured else sphere(5, colored=True)
    copy = RenderCopy(mesh)
    assert copy.update() == {}
    rng = np.random.default_rng(1)
    moved = np.arange(200, 900, 3, dtype=np.int32)
    mesh.positions[moved] *= 1.05
    mesh.touched("positions", moved)
    mesh.refresh()
    masked = np.arange(2000, 2100, dtype=np.int32)
    mesh.mask[masked] = rng.random(100)
    mesh.touched("mask", masked)
    if mesh.colors is not None:
        mesh.colors[moved] = rng.random((len(moved), 3)) * 1.2 - 0.1
        mesh.touched("colors", moved)
    before = copy.paint.copy()
    changed = copy.update()
    assert set(changed) == {"positions", "normals", "paint"}
    for have, want in zip((copy.positions, copy.normals, copy.paint), expected(mesh, copy), strict=True):
        np.testing.assert_array_equal(have, want)
    differing = np.flatnonzero((before != copy.paint).any(axis=1))
    inside = np.zeros(len(copy.paint), bool)
    for start, stop in changed["paint"]:
        inside[start:stop] = True
    assert len(differing)
    assert inside[differing].all()
    assert not inside.all()


def test_exchanged_arrays_are_noticed():
    mesh = sphere(2)
    copy = RenderCopy(mesh)
    assert copy.is_current()
    mesh.colors = np.ones((mesh.vertex_count, 3), np.float32)
    assert not copy.is_current()


def by_material(count, colors):
    soup = icosphere_soup(3)
    soup.materials = [Material(f"m{i}", color) for i, color in zip(range(count), colors, strict=True)]
    heights = soup.positions[soup.triangles][..., 2].mean(axis=1)
    bands = np.argsort(np.argsort(heights)) * count // len(heights)  # from the lowest triangles to the highest
    soup.triangle_material = bands.astype(np.int16)
    return build_mesh(soup)


def test_materials_that_look_alike_share_a_group():
    mesh = by_material(3, [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)])
    copy = RenderCopy(mesh)
    assert sorted(len(group.triangles) for group in copy.groups) == sorted(
        (np.count_nonzero(mesh.triangle_material == 1), np.count_nonzero(mesh.triangle_material != 1))
    )
    assert not copy.has_vertex_colors


def test_many_plain_materials_become_vertex_colours():
    colors = [(i / 20, 0.5, 1 - i / 20) for i in range(20)]
    mesh = by_material(20, colors)
    copy = RenderCopy(mesh)
    assert len(copy.groups) == 1
    assert copy.has_vertex_colors
    lowest, highest = mesh.positions[:, 2].argmin(), mesh.positions[:, 2].argmax()
    np.testing.assert_array_equal(copy.paint[[lowest, highest]], [[0, 128, 255, 0], [242, 128, 13, 0]])


def test_plain_materials_beside_a_texture_keep_their_colours():
    colors = [(i / 20, 0.5, 1 - i / 20) for i in range(20)]
    mesh = by_material(20, colors)
    mesh.materials[3] = Material("cloth", texture=Texture.from_pixels(np.zeros((2, 2, 3), np.uint8)))
    copy = RenderCopy(mesh)
    assert {group.material.base_color for group in copy.groups} == {*colors[:3], *colors[4:], (1.0, 1.0, 1.0)}
    assert not copy.has_vertex_colors


def tint(number):
    """Pale and of full value, in steps of the golden angle round the circle of hues."""
    return np.array(colorsys.hsv_to_rgb(number * 0.618034 % 1, 0.22, 1.0)) if number else np.ones(3)


@pytest.mark.parametrize("kind", ["plain", "colored", "textured", "merged"])
@pytest.mark.parametrize("how", [NO_SETS, SETS_OVER, SETS_ALONE])
def test_face_sets_tint_the_paint(kind, how):
    mesh = build_mesh(textured_soup(96, 48)) if kind == "textured" else sphere(5, colored=kind == "colored")
    if kind == "merged":
        mesh = by_material(20, [(i / 20, 0.5, 1 - i / 20) for i in range(20)])
    copy = RenderCopy(mesh)
    base = copy.paint[:, :3].astype(float)
    if how == SETS_ALONE:
        base[:] = 255
    assert copy.show_sets(how) == (how != NO_SETS)
    drawn = np.flatnonzero(mesh.positions[:, 2] > 1).astype(np.int32)
    mesh.face_sets[drawn] = 1 + drawn % 3
    mesh.touched("face_sets", drawn)
    assert set(copy.update()) == (set() if how == NO_SETS else {"paint"})
    numbers = mesh.face_sets[copy.source] if len(copy.source) else mesh.face_sets
    tints = np.array([tint(number if how != NO_SETS else 0) for number in numbers])
    np.testing.assert_allclose(copy.paint[:, :3], base * tints, atol=1)
    copy.show_sets(NO_SETS)
    np.testing.assert_array_equal(copy.paint, RenderCopy(mesh).paint)


@pytest.mark.parametrize("kind", ["plain", "textured", "materials"])
def test_a_triangle_with_a_hidden_corner_is_left_out(kind):
    mesh = build_mesh(textured_soup(96, 48)) if kind == "textured" else sphere(5)
    if kind == "materials":
        mesh = by_material(3, [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
    copy = RenderCopy(mesh)
    everything = [(group.triangles, group.chunk_offsets) for group in copy.groups]
    hidden = np.flatnonzero(mesh.positions[:, 2] > 2).astype(np.int32)
    mesh.hidden[hidden] = 1
    mesh.touched("hidden", hidden)
    assert copy.update() == {}
    assert copy.regrouped
    source = copy.source if len(copy.source) else np.arange(mesh.vertex_count)
    for group, (triangles, offsets) in zip(copy.groups, everything, strict=True):
        seen = [not mesh.hidden[source[triangle]].any() for triangle in triangles]
        np.testing.assert_array_equal(group.triangles, triangles[seen])
        np.testing.assert_array_equal(group.chunk_offsets, [np.count_nonzero(seen[:end]) for end in offsets])
    assert [len(group.triangles) for group in RenderCopy(mesh).groups] == [len(g.triangles) for g in copy.groups]
    assert RenderCopy(mesh, whole=True).groups[0].triangles is not copy.groups[0].triangles
    mesh.hidden[:] = 0
    mesh.touched_all("hidden")
    copy.update()
    for group, (triangles, _) in zip(copy.groups, everything, strict=True):
        np.testing.assert_array_equal(group.triangles, triangles)
    copy.update()
    assert not copy.regrouped


def test_ranges_are_joined_when_near_and_kept_apart_when_far():
    ranges = np.array([[90_000, 91_000], [0, 1000], [1500, 3000], [500, 1200]])
    np.testing.assert_array_equal(joined(ranges), [[0, 3000], [90_000, 91_000]])


def test_after_the_warm_up_hiding_and_face_sets_compile_nothing():
    render_copy.warm_up()
    kernels = [value for value in vars(render_copy).values() if hasattr(value, "signatures")]
    mesh = sphere(2)
    copy = RenderCopy(mesh)
    before = [len(kernel.signatures) for kernel in kernels]
    copy.show_sets(SETS_OVER)
    mesh.hidden[:9] = 1
    mesh.face_sets[:9] = 1
    mesh.touched_all("hidden")
    mesh.touched_all("face_sets")
    copy.update()
    assert copy.regrouped
    assert [len(kernel.signatures) for kernel in kernels] == before
