"""The widget: when it draws and when it does not, pixels and millimetres, the brush cursor, slow machines."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent

from app.mesh.build import build_mesh
from app.mesh.raycast import cast
from app.mesh.soup import Material
from app.viewport.cursor import BrushCursor, ring
from app.viewport.patch import Patch
from tests.meshes import sphere, textured_soup


@pytest.fixture
def frames(viewport):
    times = []
    viewport.frame_rendered.connect(times.append)
    return times


def settle(qtbot, viewport):
    viewport.image()
    qtbot.wait(60)


def test_many_changes_give_one_frame_and_none_when_idle(viewport, frames, qtbot):
    mesh = sphere(4)
    viewport.set_mesh(mesh)
    settle(qtbot, viewport)
    frames.clear()
    for start in range(0, 1000, 100):
        rows = np.arange(start, start + 50, dtype=np.int32)
        mesh.positions[rows] *= np.float32(1.01)
        mesh.touched("positions", rows)
        viewport.flush()
    qtbot.waitUntil(lambda: len(frames) == 1)
    assert frames[0] > 0
    qtbot.wait(300)
    assert len(frames) == 1


def test_hovering_and_uncovering_do_not_draw_the_mesh(viewport, frames, qtbot):
    viewport.set_mesh(sphere(4))
    settle(qtbot, viewport)
    before = viewport.grab().toImage()
    frames.clear()
    for x in (-3.0, 0.0, 3.0):
        point = np.array((x, -np.sqrt(100 - x * x), 0))
        viewport.show_cursor(point, point / 10, 2.0, 0.5, [(point * (-1, 1, 1), point / 10 * (-1, 1, 1))])
        qtbot.wait(20)
    shown = viewport.grab().toImage()
    viewport.hide_cursor()
    viewport._canvas.widget.update()
    qtbot.wait(40)
    assert frames == []
    assert shown != before
    assert viewport.grab().toImage() == before


@pytest.mark.parametrize("parallel", [False, True])
def test_rays_and_pixels_agree_with_the_surface(viewport, parallel):
    mesh = sphere(5)
    viewport.set_parallel(parallel)
    viewport.set_mesh(mesh)
    for x, y in ((200, 150), (150, 100), (260, 190)):
        hit = cast(mesh, *viewport.ray(x, y))
        assert hit is not None
        assert viewport.project(hit.point) == pytest.approx((x, y), abs=1e-6)
        assert viewport.view_direction(hit.point) @ hit.normal > 0
    assert cast(mesh, *viewport.ray(2, 2)) is None


@pytest.mark.parametrize("parallel", [False, True])
def test_one_pixel_is_as_wide_as_the_viewport_says(viewport, parallel):
    viewport.set_parallel(parallel)
    viewport.set_mesh(sphere(5))
    point = np.array((3.0, -4.0, 2.0))
    right = viewport.camera.axes()[0]
    x, _ = viewport.project(point)
    moved, _ = viewport.project(point + right * viewport.mm_per_pixel(point))
    assert moved - x == pytest.approx(1, abs=1e-6)


def test_the_model_is_drawn_where_it_is_projected(viewport):
    viewport.set_mesh(sphere(5))
    picture = viewport.image().astype(int)
    columns = np.flatnonzero((np.abs(picture - picture[0, 0]) > 3).any(axis=(0, 2)))
    scale = picture.shape[1] / viewport.width()
    eye = np.linalg.norm(viewport.camera.position)
    # Seen from distance d a sphere of radius r has its outline at r / sqrt(1 - (r / d)^2) in the plane of its middle.
    outline = 10 / np.sqrt(1 - (10 / eye) ** 2)
    left, right = (viewport.project(np.array((side * outline, 0, 0)))[0] * scale for side in (-1, 1))
    assert columns[0] == pytest.approx(left, abs=1.5)
    assert columns[-1] + 1 == pytest.approx(right, abs=1.5)


def test_cursor_ring_has_its_true_size_and_lies_on_the_surface(viewport):
    viewport.set_parallel(True)
    viewport.set_mesh(sphere(4))
    point, normal = np.array((0.0, -10.0, 0.0)), np.array((0.0, -1.0, 0.0))
    cursor = BrushCursor(point, normal, 4.0, 0.25)
    (outer, inner), *_ = viewport._overlay.rings(cursor)
    pixels = 4.0 / viewport.mm_per_pixel(point)
    middle = viewport.project(point)
    assert np.linalg.norm(outer - middle, axis=1) == pytest.approx(np.full(len(outer), pixels), rel=1e-9)
    assert np.linalg.norm(inner - middle, axis=1) == pytest.approx(np.full(len(inner), pixels / 4), rel=1e-9)
    # Seen at 60 degrees the ring on the surface is half as wide.
    tilted = BrushCursor(point, np.array((np.sqrt(3) / 2, -0.5, 0.0)), 4.0)
    (ellipse,), *_ = viewport._overlay.rings(tilted)
    assert np.ptp(ellipse, axis=0) == pytest.approx((pixels, 2 * pixels), rel=1e-2)


def test_hardness_ring_only_where_there_is_one_to_see():
    point, normal = np.zeros(3), np.array((0.0, 0.0, 1.0))
    assert BrushCursor(point, normal, 5.0, 0.0).radii() == [5.0]
    assert BrushCursor(point, normal, 5.0, 1.0).radii() == [5.0]
    assert BrushCursor(point, normal, 5.0, 0.4).radii() == [5.0, 2.0]


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 0, -1), (1, 2, 3), (0, 0, 0), (1e-9, 0, 0)])
def test_ring_is_a_circle_across_the_normal(normal):
    circle = ring(np.array((1.0, 2.0, 3.0)), np.array(normal, float), 5.0) - (1, 2, 3)
    assert np.linalg.norm(circle, axis=1) == pytest.approx(np.full(len(circle), 5.0))
    assert circle @ np.array(normal, float) == pytest.approx(np.zeros(len(circle)), abs=1e-6)
    assert circle[0] == pytest.approx(circle[-1])


def test_camera_state_goes_through_json(viewport, qtbot):
    viewport.set_mesh(sphere(3))
    viewport.orbit(40, 20)
    viewport.zoom_at(100, 100, 1.5)
    state = json.loads(json.dumps(viewport.camera_state()))
    x, y = viewport.project(np.array((1.0, 2.0, 3.0)))
    viewport.standard_view("top")
    viewport.set_parallel(True)
    with qtbot.waitSignal(viewport.camera_changed):
        viewport.set_camera_state(state)
    assert not viewport.parallel
    assert viewport.project(np.array((1.0, 2.0, 3.0))) == pytest.approx((x, y))


def test_a_framed_model_stays_framed_until_the_camera_is_moved(viewport, qtbot):
    viewport.set_mesh(sphere(4))
    low, high = np.array((-10.0, 0, 0)), np.array((10.0, 0, 0))
    viewport.resize(220, 600)
    qtbot.wait(30)
    assert viewport.project(low)[0] > 0
    assert viewport.project(high)[0] < 220
    viewport.orbit(10, 0)
    camera = viewport.camera
    viewport.resize(400, 300)
    qtbot.wait(30)
    assert viewport.camera is camera


def test_a_closed_viewport_bears_late_calls(viewport, qtbot):
    mesh = sphere(3)
    viewport.set_mesh(mesh)
    viewport.image()
    viewport.close_graphics()
    viewport.close_graphics()
    frames = []
    viewport.frame_rendered.connect(frames.append)
    mesh.touched_all("positions")
    viewport.flush()
    viewport.orbit(3, 3)
    viewport.resize(300, 300)
    viewport.set_mesh(None)
    qtbot.wait(30)
    assert viewport.mesh is None
    assert not frames


def test_unknown_names_are_refused(viewport):
    with pytest.raises(KeyError):
        viewport.standard_view("sideways")
    with pytest.raises(KeyError):
        viewport.set_shading("matcap:none")


def test_framing_a_point_brings_it_to_the_middle(viewport):
    viewport.set_mesh(sphere(4))
    viewport.frame_point(np.array((5.0, -8.0, 1.0)), 2.0)
    assert viewport.project(np.array((5.0, -8.0, 1.0))) == pytest.approx((200, 150))
    assert viewport.mm_per_pixel(np.array((5.0, -8.0, 1.0))) < 0.02


def test_keeping_the_camera_keeps_the_shading_too(viewport):
    viewport.set_mesh(sphere(3))
    viewport.orbit(30, 0)
    viewport.set_shading("color")
    camera = viewport.camera
    viewport.set_mesh(sphere(4), keep_camera=True)
    assert viewport.camera is camera
    assert viewport.shading == "color"
    viewport.set_mesh(sphere(4, radius=30.0))
    assert viewport.shading == "clay"
    assert viewport.camera.distance > 2 * camera.distance


def test_a_slow_machine_turns_a_stand_in_and_shows_all_at_rest(viewport, qtbot, monkeypatch):
    monkeypatch.setattr("app.viewport.canvas._SLOW_MS", 0.0)
    mesh = sphere(6)
    viewport.set_mesh(mesh)
    settle(qtbot, viewport)
    qtbot.waitUntil(lambda: not viewport._scene.draft)
    full = viewport.image()
    viewport.orbit(5, 0)
    assert viewport._scene.draft
    qtbot.wait(30)
    viewport.orbit(-5, 0)
    light = viewport._canvas.image()
    qtbot.waitUntil(lambda: not viewport._scene.draft)
    np.testing.assert_array_equal(viewport.image(), full)
    differing = np.abs(light.astype(int) - full).max(axis=-1) > 40
    assert (light != full).any()
    assert differing.mean() < 0.02  # recognisably the same


def hide(mesh, which):
    mesh.hidden[:] = which
    mesh.touched_all("hidden")


def test_on_a_slow_machine_the_stand_in_hides_too(viewport, qtbot, monkeypatch):
    monkeypatch.setattr("app.viewport.canvas._SLOW_MS", 0.0)
    mesh = sphere(6)
    viewport.set_mesh(mesh)
    settle(qtbot, viewport)
    qtbot.waitUntil(lambda: not viewport._scene.draft)
    for which in (mesh.positions[:, 2] > 2, mesh.positions[:, 2] < -2, np.zeros(mesh.vertex_count)):
        hide(mesh, which)
        full = viewport.image()
        viewport.orbit(5, 0)
        viewport.orbit(-5, 0)
        assert viewport._scene.draft
        light = viewport._canvas.image()
        qtbot.waitUntil(lambda: not viewport._scene.draft)
        assert (light != full).any()
        assert (np.abs(light.astype(int) - full).max(axis=-1) > 40).mean() < 0.02


def test_on_a_slow_machine_a_part_of_the_picture_hides_too(viewport, qtbot, monkeypatch):
    monkeypatch.setattr("app.viewport.canvas._SLOW_MS", 0.0)
    areas = []
    original = Patch.begin
    monkeypatch.setattr(Patch, "begin", lambda *args: areas.append(args[-1]) or original(*args))
    mesh = sphere(7)
    viewport.set_mesh(mesh)
    qtbot.waitUntil(lambda: not viewport._scene.draft)
    hide(mesh, mesh.positions[:, 2] > 0.3)
    viewport._canvas.image()
    dab = np.flatnonzero(np.linalg.norm(mesh.positions - (0, -10, 0), axis=1) < 2).astype(np.int32)
    mesh.mask[dab] = 1
    mesh.touched("mask", dab)
    dabbed = viewport._canvas.image()
    assert len(areas) == 1
    assert (dabbed != viewport.image()).any(axis=-1).sum() < 60


@pytest.mark.parametrize("view", ["perspective", "parallel", "near"])
@pytest.mark.parametrize("kind", ["plain", "textured", "materials"])
def test_a_slow_machine_draws_only_the_part_that_a_dab_changed(viewport, qtbot, monkeypatch, view, kind):
    monkeypatch.setattr("app.viewport.canvas._SLOW_MS", 0.0)
    monkeypatch.setattr("app.viewport.patch._LARGEST_PART", 1.0)  # these meshes are coarse for their size
    areas = []
    original = Patch.begin
    monkeypatch.setattr(Patch, "begin", lambda *args: areas.append(args[-1]) or original(*args))
    mesh = build_mesh(textured_soup(512, 256)) if kind == "textured" else sphere(7)
    if kind == "materials":
        mesh.materials = [Material("a", (0.9, 0.2, 0.1)), Material("b", (0.1, 0.3, 0.9))]
        mesh.triangle_material[::3] = 1
    viewport.set_parallel(view == "parallel")
    viewport.set_mesh(mesh)
    if view == "near":
        viewport.zoom_at(200, 150, 4.0)
    qtbot.waitUntil(lambda: not viewport._scene.draft)
    before = viewport.image()
    reach = 0.4 if view == "near" else 2.0
    dab = np.flatnonzero(np.linalg.norm(mesh.positions - (0, -10, 0), axis=1) < reach).astype(np.int32)
    for step in range(4):
        if step < 3:  # out, and deep in: the old surface must go, the far side must not show through
            mesh.positions[dab, 1] += np.float32((-0.6, 0.9, 0.3)[step])
            mesh.touched("positions", dab)
        else:
            mesh.mask[dab] = 1
            mesh.touched("mask", dab)
        mesh.refresh()
        dabbed = viewport._canvas.image()
        assert len(areas) == step + 1, "the whole mesh was drawn"
    whole = viewport.image()
    assert len(areas) == 4
    assert (before != whole).any(axis=-1).sum() > 200
    # The cropped projection rounds differently: single pixels on edges may differ.
    assert (dabbed != whole).any(axis=-1).sum() < 60


def test_a_slow_machine_draws_all_after_anything_but_a_dab(viewport, qtbot, monkeypatch):
    monkeypatch.setattr("app.viewport.canvas._SLOW_MS", 0.0)
    monkeypatch.setattr(Patch, "begin", lambda *args: pytest.fail("only a part was drawn"))
    mesh = sphere(5)
    viewport.set_mesh(mesh)
    qtbot.waitUntil(lambda: not viewport._scene.draft)
    rows = np.arange(20, dtype=np.int32)
    for change in (
        lambda: viewport.set_shading("color"),
        lambda: viewport.set_wireframe(True),
        lambda: viewport.set_background((0.1, 0.1, 0.1)),
        lambda: viewport.set_mask_visible(False),
        lambda: viewport.set_flat(True),
        lambda: hide(mesh, mesh.positions[:, 2] > 3),
        lambda: viewport.set_mesh(mesh, keep_camera=True),
    ):
        viewport._canvas.image()
        mesh.mask[rows] += np.float32(0.1)
        mesh.touched("mask", rows)
        change()
        viewport._canvas.image()


def test_the_viewport_keeps_keys_for_the_window(viewport, qtbot):
    for key in (Qt.Key.Key_Q, Qt.Key.Key_W, Qt.Key.Key_S, Qt.Key.Key_E, Qt.Key.Key_3):
        event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, chr(key.value).lower())
        QCoreApplication.sendEvent(viewport, event)
        assert not event.isAccepted()
    assert viewport.isVisible()
    assert viewport.focusPolicy() != Qt.FocusPolicy.NoFocus
    assert viewport._canvas.widget.focusPolicy() == Qt.FocusPolicy.NoFocus
