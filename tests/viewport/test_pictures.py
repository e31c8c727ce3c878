"""What is on the screen: sub-range uploads against rebuilds, colours, winding, shadings. Real OpenGL, real window."""

from __future__ import annotations

import numpy as np
import pytest
from OpenGL.GL import glIsBuffer
from PIL import Image

import app.viewport.shading as shading_module
from app.errors import LikenessError
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Soup, Texture
from app.viewport import upload as upload_module
from app.viewport.offscreen import render_image, render_png
from app.viewport.scene import MID_GREY
from app.viewport.shading import default_shading, shadings
from app.viewport.textures import matcap_texture
from tests.meshes import cube_soup, grid, sphere, textured_soup

BACKGROUND = np.round(np.array(MID_GREY) * 255)


def rebuilt(viewport):
    """The picture after VTK has sent every array again."""
    viewport._scene.rebuild()
    return viewport.image()


def on_model(picture):
    return (np.abs(picture - BACKGROUND) > 3).any(axis=-1)


def square(texture=None, colors=None, wrap="repeat", base=(1.0, 1.0, 1.0)):
    """A square of 20 mm in the x-z plane that faces the front camera; texture coordinates 0 to 1."""
    positions = np.array([(-10, 0, 0), (10, 0, 0), (10, 0, 20), (-10, 0, 20)], np.float32)
    triangles = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    uv = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    material = Material("square", base, texture, wrap)
    return build_mesh(Soup(positions, triangles, colors, uv, triangles.copy(), None, [material]))


def at(viewport, picture, point):
    x, y = viewport.project(np.array(point, float))
    scale = picture.shape[1] / viewport.width()
    return picture[int(y * scale), int(x * scale)].astype(int)


@pytest.mark.parametrize("kind", ["plain", "colored", "textured"])
def test_sub_range_upload_draws_what_a_rebuild_draws(viewport, monkeypatch, kind):
    mesh = build_mesh(textured_soup(160, 80)) if kind == "textured" else sphere(6, colored=kind == "colored")
    viewport.set_mesh(mesh)
    first = viewport.image()
    answers = []
    original = upload_module.upload_ranges
    monkeypatch.setattr(
        "app.viewport.layer.upload_ranges", lambda *args: answers.append(original(*args)) or answers[-1]
    )
    rng = np.random.default_rng(0)
    front = np.flatnonzero(mesh.positions[:, 1] < -3).astype(np.int32)
    mesh.positions[front] *= 1 + 0.1 * rng.random((len(front), 1), np.float32)
    mesh.touched("positions", front)
    masked = front[::2].copy()
    mesh.mask[masked] = 0.8
    mesh.touched("mask", masked)
    if mesh.colors is not None:
        mesh.colors[front] = rng.random((len(front), 3), np.float32)
        mesh.touched("colors", front)
    viewport.flush()
    dabbed = viewport.image()
    assert answers
    assert all(answers), "a range went the slow way"
    assert (dabbed != first).any(axis=-1).sum() > 1000
    np.testing.assert_array_equal(dabbed, rebuilt(viewport))


@pytest.mark.parametrize("kind", ["plain", "textured"])
def test_what_is_hidden_is_not_drawn(viewport, kind):
    mesh = build_mesh(textured_soup(160, 80)) if kind == "textured" else sphere(5)
    viewport.set_mesh(mesh)
    whole = viewport.image()
    hidden = np.flatnonzero(mesh.positions[:, 2] > 1).astype(np.int32)
    mesh.hidden[hidden] = 1
    mesh.touched("hidden", hidden)
    viewport.flush()
    seen = viewport.image()
    # What stays is the picture of a mesh without the hidden triangles.
    kept = ~mesh.hidden[mesh.triangles].any(axis=1)
    part = Mesh(
        mesh.positions.copy(),
        mesh.triangles[kept],
        uv=mesh.uv,
        uv_vertex=mesh.uv_vertex,
        corner_uv=None if mesh.corner_uv is None else mesh.corner_uv[kept],
        materials=mesh.materials,
        normals=mesh.normals.copy(),
    )
    viewport.set_mesh(part, keep_camera=True)
    np.testing.assert_array_equal(seen, viewport.image())
    assert 0 < on_model(seen).sum() < 0.8 * on_model(whole).sum()
    viewport.set_mesh(mesh, keep_camera=True)
    np.testing.assert_array_equal(viewport.image(), seen)
    mesh.hidden[:] = 0
    mesh.touched_all("hidden")
    viewport.flush()
    np.testing.assert_array_equal(viewport.image(), whole)


@pytest.mark.parametrize("shading", ["clay", "color", "texture", "color:unlit"])
@pytest.mark.parametrize("kind", ["plain", "colored", "textured"])
def test_face_sets_are_pale_tints(viewport, kind, shading):
    mesh = build_mesh(textured_soup()) if kind == "textured" else sphere(4, colored=kind == "colored")
    viewport.set_mesh(mesh)
    viewport.set_shading(shading)
    before = viewport.image().astype(float)
    upper = np.flatnonzero(mesh.positions[:, 2] > 0).astype(np.int32)
    mesh.face_sets[upper] = 1
    mesh.touched("face_sets", upper)
    viewport.flush()
    after = viewport.image().astype(float)
    top, bottom = np.array([0.0, -7.0, 7.0]), np.array([0.0, -7.0, -7.0])
    ratio = (at(viewport, after, top) + 1) / (at(viewport, before, top) + 1)
    assert ratio.min() < 0.9
    assert ratio.min() > 0.5
    assert ratio.max() <= 1.01
    assert (at(viewport, after, bottom) == at(viewport, before, bottom)).all()
    viewport.set_shading("walls")
    walls = viewport.image()
    viewport.set_shading(shading)
    np.testing.assert_array_equal(viewport.image(), after)
    viewport.set_face_sets_visible(False)
    np.testing.assert_array_equal(viewport.image(), before)
    viewport.set_shading("walls")
    np.testing.assert_array_equal(viewport.image(), walls)


def test_a_picture_for_a_report_shows_what_is_hidden():
    mesh = sphere(4)
    whole = render_image(mesh, (200, 150))
    mesh.hidden[mesh.positions[:, 2] > 1] = 1
    np.testing.assert_array_equal(render_image(mesh, (200, 150)), whole)


def test_without_a_buffer_handle_vtk_rebuilds(viewport, monkeypatch):
    mesh = sphere(5)
    viewport.set_mesh(mesh)
    first = viewport.image()
    monkeypatch.setattr("app.viewport.layer.upload_ranges", lambda *args: False)
    mesh.positions[:] *= np.float32(0.8)
    mesh.touched_all("positions")
    viewport.flush()
    shrunk = viewport.image()
    assert on_model(shrunk).sum() < 0.7 * on_model(first).sum()


def test_a_buffer_of_another_size_is_refused(viewport):
    viewport.set_mesh(sphere(3))
    viewport.image()
    array = viewport._scene._full.points._vtk["positions"]
    wrong = np.zeros((10, 3), np.float32)
    window = viewport._canvas.window
    window.MakeCurrent()
    assert not upload_module.upload_ranges(window, array, wrong, np.array([[0, 10]]))


def test_replacing_the_mesh_frees_its_buffers(viewport):
    held = []
    for _ in range(4):
        mesh = sphere(3)
        viewport.set_mesh(mesh)
        viewport.image()
        mesh.touched_all("positions")
        viewport.flush()
        viewport.image()
        viewport._canvas.window.MakeCurrent()
        held.append(sum(bool(glIsBuffer(name)) for name in range(1, 400)))
    assert held[-1] == held[1]


def test_uploads_still_arrive_after_a_resize(viewport, qtbot):
    mesh = sphere(5)
    viewport.set_mesh(mesh)
    viewport.image()
    viewport.resize(520, 360)
    qtbot.wait(50)
    viewport.image()
    dent = np.flatnonzero(mesh.positions[:, 1] < -5).astype(np.int32)
    mesh.positions[dent, 1] += 3
    mesh.touched("positions", dent)
    viewport.flush()
    picture = viewport.image()
    assert picture.shape[:2] == (round(360 * viewport.devicePixelRatioF()), round(520 * viewport.devicePixelRatioF()))
    np.testing.assert_array_equal(picture, rebuilt(viewport))


def test_texture_is_right_way_up_and_true_in_colour(viewport):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32, :32], pixels[:32, 32:] = (250, 20, 30), (20, 180, 40)  # top left red, top right green
    pixels[32:, :32], pixels[32:, 32:] = (30, 40, 220), (128, 128, 128)
    viewport.set_mesh(square(Texture.from_pixels(pixels)))
    assert viewport.shading == "texture"
    viewport.set_shading("texture:unlit")
    picture = viewport.image()
    for place, color in (
        ((-5, 0, 15), (250, 20, 30)),
        ((5, 0, 15), (20, 180, 40)),
        ((-5, 0, 5), (30, 40, 220)),
        ((5, 0, 5), (128, 128, 128)),
    ):
        assert np.abs(at(viewport, picture, place) - color).max() <= 2
    viewport.set_shading("texture")
    lit = viewport.image()
    # Light changes how bright a colour is, not which colour it is: channels keep their order and zero stays dark.
    red = at(viewport, lit, (-5, 0, 15))
    assert red[0] > 150
    assert red[1:].max() < 60


def test_base_colour_multiplies_the_texture_in_linear_light(viewport):
    viewport.set_mesh(square(Texture.from_pixels(np.full((8, 8, 3), 188, np.uint8)), base=(0.5, 1.0, 1.0)))
    viewport.set_shading("texture:unlit")
    # 188 is 0.503 and sRGB 0.5 is 0.214 in linear light: 0.1077, which is sRGB 92.
    assert np.abs(at(viewport, viewport.image(), (0, 0, 10)) - (92, 188, 188)).max() <= 2


def test_clamped_and_repeated_textures(viewport):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, 32:] = 255
    for wrap, beyond in (("clamp", 255), ("repeat", 0)):
        mesh = square(Texture.from_pixels(pixels), wrap=wrap)
        mesh.uv[:, 0] *= 2
        viewport.set_mesh(mesh)
        viewport.set_shading("texture:unlit")
        assert at(viewport, viewport.image(), (2.5, 0, 10))[0] == beyond


def test_vertex_colours_are_shown_as_they_are(viewport):
    colors = np.tile(np.array((0.8, 0.4, 0.1), np.float32), (4, 1))
    viewport.set_mesh(square(colors=colors))
    assert viewport.shading == "color"
    viewport.set_shading("color:unlit")
    assert np.abs(at(viewport, viewport.image(), (0, 0, 10)) - (204, 102, 26)).max() <= 1


def test_several_materials_show_their_own_colours(viewport):
    mesh = square()
    mesh.materials = [Material("a", (1.0, 0.0, 0.0)), Material("b", (0.0, 0.0, 1.0))]
    mesh.triangle_material[:] = [0, 1]
    viewport.set_mesh(mesh)
    viewport.set_shading("color:unlit")
    picture = viewport.image()
    seen = {tuple(at(viewport, picture, place)) for place in ((6, 0, 3), (-6, 0, 17))}
    assert seen == {(255, 0, 0), (0, 0, 255)}


def test_winding_front_is_bright_and_back_is_dull(viewport):
    viewport.set_mesh(square())
    viewport.set_shading("clay")
    front = at(viewport, viewport.image(), (0, 0, 10))
    viewport.standard_view("back")
    back = at(viewport, viewport.image(), (0, 0, 10))
    assert front.min() > 120
    assert 20 < back.max() < 0.7 * front.min()


def test_every_shading_and_switch_draws_a_surface_of_its_own(viewport):
    mesh = sphere(4, colored=True)
    mesh.colors[:, 0] = 0.9
    mesh.mask[mesh.positions[:, 0] > 0] = 1
    viewport.set_mesh(mesh)
    pictures = {}
    for shading in viewport.shadings():
        viewport.set_shading(shading)
        pictures[shading] = viewport.image()
    viewport.set_shading("clay")
    for name, switch in (("wireframe", viewport.set_wireframe), ("flat", viewport.set_flat)):
        switch(True)
        pictures[name] = viewport.image()
        switch(False)
    viewport.set_mask_visible(False)
    pictures["no mask"] = viewport.image()
    # Without a texture its shadings show the vertex colours.
    del pictures["texture"], pictures["texture:unlit"]
    assert all(on_model(picture).sum() > 5000 for picture in pictures.values())
    flattened = {picture.tobytes() for picture in pictures.values()}
    assert len(flattened) == len(pictures)


def test_the_mask_darkens_what_it_protects(viewport):
    mesh = sphere(5)
    viewport.set_mesh(mesh)
    viewport.set_background((0.0, 0.0, 0.0))
    plain = viewport.image().astype(int)
    right = np.flatnonzero(mesh.positions[:, 0] > 0).astype(np.int32)
    mesh.mask[right] = 1
    mesh.touched("mask", right)
    viewport.flush()
    masked = viewport.image().astype(int)
    width = plain.shape[1]
    assert masked[:, : width // 2 - 10].sum() == plain[:, : width // 2 - 10].sum()
    assert masked[:, width // 2 + 10 :].sum() < 0.6 * plain[:, width // 2 + 10 :].sum()


@pytest.fixture
def drawn_matcap(tmp_path, monkeypatch):
    """A matcap that shows the normal: red to the right, green up."""
    ramp = np.linspace(0, 255, 512).round().astype(np.uint8)
    pixels = np.stack((*np.meshgrid(ramp, ramp[::-1]), np.full((512, 512), 64, np.uint8)), axis=-1)
    (tmp_path / "matcaps").mkdir()
    Image.fromarray(pixels).save(tmp_path / "matcaps" / "drawn.png")
    monkeypatch.setattr(shading_module, "resource", lambda name: tmp_path / name)
    shadings.cache_clear()
    yield "matcap:drawn"
    shadings.cache_clear()


def test_matcap_is_looked_up_by_the_normal_in_view(viewport, drawn_matcap):
    viewport.set_parallel(True)
    viewport.set_mesh(sphere(5))
    assert viewport.shading_label(drawn_matcap) == "Matcap drawn"
    viewport.set_shading(drawn_matcap)
    picture = viewport.image()
    assert np.abs(at(viewport, picture, (0, 0, 0)) - (128, 128, 64)).max() <= 4
    # Half a radius to the right the normal's x is 0.5; upward its y.
    assert np.abs(at(viewport, picture, (5, 0, 0)) - (128 + 64, 128, 64)).max() <= 8
    assert np.abs(at(viewport, picture, (0, 0, 5)) - (128, 128 + 64, 64)).max() <= 8


def test_a_damaged_matcap_says_which_file(tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"no image")
    with pytest.raises(LikenessError, match=r"broken\.png"):
        matcap_texture(path)


def test_an_emptied_viewport_shows_only_the_background(viewport):
    viewport.set_mesh(sphere(3))
    viewport.image()
    viewport.set_mesh(None)
    assert not on_model(viewport.image()).any()


def test_a_stroke_that_moves_the_surface_far_is_not_clipped(viewport):
    mesh = sphere(4)
    viewport.set_parallel(True)
    viewport.set_mesh(mesh)
    before = on_model(viewport.image()).sum()
    mesh.positions[:, 1] -= 500  # toward the viewer, far outside the bounds that VTK knew
    mesh.touched_all("positions")
    viewport.flush()
    assert on_model(viewport.image()).sum() == pytest.approx(before, rel=0.02)


def test_default_shading_shows_a_mesh_as_delivered():
    assert default_shading(build_mesh(textured_soup())) == "texture"
    assert default_shading(sphere(1, colored=True)) == "color"
    assert default_shading(sphere(1)) == "clay"
    mesh = build_mesh(cube_soup())
    mesh.materials = [Material("red", (1.0, 0.0, 0.0))]
    assert default_shading(mesh) == "color"


def test_offscreen_picture_and_file(tmp_path):
    mesh = grid(4)
    picture = render_image(mesh, (200, 160), "top")
    assert picture.shape == (160, 200, 3)
    assert on_model(picture).mean() > 0.5
    render_png(mesh, tmp_path / "top.png", (200, 160), "top")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "top.png")), picture)
    assert [path.name for path in tmp_path.iterdir()] == ["top.png"]


def test_offscreen_draws_what_the_window_draws(viewport):
    mesh = build_mesh(textured_soup())
    viewport._canvas.window.SetMultiSamples(4)
    viewport.set_mesh(mesh)
    window = viewport.image()
    alone = render_image(mesh, (window.shape[1], window.shape[0]))
    assert np.abs(window.astype(int) - alone).mean() < 1.0
