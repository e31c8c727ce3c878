"""The gizmo: what lies under the pointer, and what a drag from one place to another means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.sculpt.transform import FARTHEST_MM, LARGEST_SCALE, SMALLEST_SCALE, Transform
from app.viewport.camera import Camera
from app.viewport.gizmo import (
    ARROW_FROM,
    ARROW_TO,
    BOX,
    CENTRE_HANDLE,
    CIRCLE,
    CIRCLE_HANDLE,
    HANDLES,
    RING,
    Gizmo,
    Handle,
)
from app.viewport.gizmo_drag import GizmoDrag

SIZE = (800.0, 600.0)
CENTER = np.array([3.0, -5.0, 40.0])
CAMERAS = [
    Camera(np.array([0.0, 0.0, 45.0]), 300.0, azimuth, elevation, parallel=parallel)
    for azimuth, elevation in ((30.0, 25.0), (-130.0, 40.0), (75.0, -35.0))
    for parallel in (True, False)
]
AXES = [0, 1, 2]


def gizmo_of(transform: Transform) -> Gizmo:
    return Gizmo(CENTER + np.array(transform.move), transform.turn_axes(), transform.rotation().T)


PLAIN = gizmo_of(Transform())
POSED = Transform(move=(1.0, 2.0, 3.0), turn=(20.0, -35.0, 50.0), scale=(1.2, 0.8, 1.5))


def middle_of(gizmo: Gizmo, handle: Handle, camera: Camera) -> np.ndarray:
    """A pixel of a handle that is no other's."""
    if handle == CENTRE_HANDLE:
        return camera.project(gizmo.center, SIZE)
    if handle == CIRCLE_HANDLE:
        return camera.project(gizmo.center, SIZE) + CIRCLE * np.array((-0.6, 0.8))
    if handle.kind == "turn":
        pixels, front = gizmo.ring(handle, camera, SIZE)
        away = np.array([min(others_from(gizmo, handle, camera, pixel)) for pixel in pixels])
        return pixels[np.argmax(np.where(front, away, -1.0))]
    return gizmo.along(handle, BOX if handle.kind == "scale" else (ARROW_FROM + ARROW_TO) / 2, camera, SIZE)


def others_from(gizmo: Gizmo, handle: Handle, camera: Camera, place: np.ndarray) -> list[float]:
    return [gizmo._distance(other, place, camera, SIZE) for other in HANDLES if other != handle]


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("transform", [Transform(), POSED])
def test_each_handle_lies_under_its_own_pixels_and_nothing_beside_them(camera: Camera, transform: Transform):
    gizmo = gizmo_of(transform)
    for handle in HANDLES:
        if gizmo.shown(handle, camera):
            x, y = middle_of(gizmo, handle, camera)
            assert gizmo.handle_at(x, y, camera, SIZE, 3.0) == handle
    x, y = camera.project(gizmo.center, SIZE) + (CIRCLE + 12.0) * np.array((0.6, 0.8))
    assert gizmo.handle_at(x, y, camera, SIZE, 8.0) is None
    assert gizmo.handle_at(x, y, camera, SIZE, 13.0) == CIRCLE_HANDLE


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("closer", [0.2, 4.0])
def test_it_keeps_its_size_on_the_screen(camera: Camera, closer: float):
    near = camera.zoomed(closer, CENTER)
    for handle in HANDLES:
        if handle.kind == "turn":
            before, after = (PLAIN.ring(handle, each, SIZE)[0] for each in (camera, near))
        elif handle.axis >= 0:
            before, after = (PLAIN.along(handle, ARROW_TO, each, SIZE) for each in (camera, near))
        else:
            continue
        tolerance = 1e-6 if camera.parallel else 25.0  # perspective foreshortens what is near
        np.testing.assert_allclose(after, before, atol=tolerance)


def test_an_axis_that_points_at_the_viewer_has_no_handles_but_its_ring():
    front = Camera(CENTER, 300.0, parallel=True)
    x, y = front.project(CENTER, SIZE)
    assert PLAIN.handle_at(x, y, front, SIZE, 8.0) == CENTRE_HANDLE
    assert not PLAIN.shown(Handle("move", 1), front)
    assert not PLAIN.shown(Handle("scale", 1), front)
    assert PLAIN.handle_at(x + RING * 0.6, y + RING * 0.8, front, SIZE, 3.0) == Handle("turn", 1)
    assert PLAIN.handle_at(x, y + RING - 8, front, SIZE, 3.0) == Handle("turn", 0)  # a line, seen from its edge


def test_in_a_small_picture_it_is_smaller_and_works():
    camera, small = Camera(CENTER, 300.0, 30.0, 25.0, parallel=True), (200.0, 500.0)
    x, y = camera.project(CENTER, small)
    assert PLAIN.handle_at(x + 84.0, y, camera, small, 0.5) == CIRCLE_HANDLE
    for axis in AXES:
        assert (np.abs(PLAIN.along(Handle("move", axis), ARROW_TO, camera, small) - (x, y)) < 84).all()
    start, end = (PLAIN.along(Handle("move", 0), reach, camera, small) for reach in (100.0, 150.0))
    drag = GizmoDrag(Handle("move", 0), PLAIN, Transform(), camera, small, *start)
    pixels = np.linalg.norm(end - start) / np.sqrt(1 - camera.axes()[2][0] ** 2)
    mm = pixels * camera.mm_per_pixel(CENTER, small)
    np.testing.assert_allclose(drag.to(*end, snap=False).move, (mm, 0, 0), atol=1e-9)


def test_behind_the_eye_there_is_nothing():
    away = Camera(CENTER + np.array([0.0, 500.0, 0.0]), 100.0)
    assert PLAIN.handle_at(400, 300, away, SIZE, 1e6) is None


def dragged(
    handle: Handle, camera: Camera, path: list[np.ndarray], before: Transform = POSED, snap: bool = False
) -> Transform:
    """The transform after a drag along pixels."""
    drag = GizmoDrag(handle, gizmo_of(before), before, camera, SIZE, *path[0])
    after = before
    for x, y in path[1:]:
        after = drag.to(x, y, snap=snap)
    assert drag.reading(after)
    return after


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("axis", AXES)
def test_an_arrow_follows_the_pointer_along_its_axis(camera: Camera, axis: int):
    handle, gizmo, way = Handle("move", axis), gizmo_of(POSED), np.eye(3)[axis]
    path = [camera.project(gizmo.center + (8 + mm) * way, SIZE) for mm in (0.0, 3.0, -2.0, 7.25)]
    after = dragged(handle, camera, path)
    np.testing.assert_allclose(after.move, np.array(POSED.move) + 7.25 * way, atol=1e-6)
    assert (after.turn, after.scale) == (POSED.turn, POSED.scale)
    snapped = dragged(handle, camera, path, snap=True)
    assert snapped.move[axis] == round(POSED.move[axis] + 7.25)


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_centre_follows_the_pointer_in_the_plane_of_the_screen(camera: Camera):
    right, up, forward = camera.axes()
    gizmo, step = gizmo_of(POSED), 4.0 * right - 6.0 * up
    path = [camera.project(gizmo.center + part * step, SIZE) for part in (0.0, 0.5, 1.0)]
    after = dragged(CENTRE_HANDLE, camera, path)
    np.testing.assert_allclose(np.array(after.move) - POSED.move, step, atol=1e-6)
    assert abs(step @ forward) < 1e-9
    assert all(part == round(part) for part in dragged(CENTRE_HANDLE, camera, path, snap=True).move)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("degrees", [30.0, -200.0, 500.0])
def test_a_ring_follows_the_pointer_around_more_than_once(axis: int, degrees: float):
    handle, gizmo = Handle("turn", axis), gizmo_of(POSED)
    way = gizmo.axis(handle)
    parallel = [camera for camera in CAMERAS if camera.parallel]
    camera = max(parallel, key=lambda camera: abs(way @ camera.toward_viewer(gizmo.center)))
    spoke = np.cross(way, (0.3, 0.5, 0.8))
    turns = Rotation.from_rotvec(np.linspace(0, degrees, 30)[:, None] * way, degrees=True)
    path = list(camera.project(gizmo.center + turns.apply(spoke), SIZE))
    after = dragged(handle, camera, path)
    assert after.turn[axis] - POSED.turn[axis] == pytest.approx(degrees, abs=1e-6)
    assert (after.move, after.scale) == (POSED.move, POSED.scale)
    assert dragged(handle, camera, path, snap=True).turn[axis] % 5 == 0
    sweep = GizmoDrag(handle, gizmo, POSED, camera, SIZE, *path[0]).sweep(after)
    assert sweep is not None
    np.testing.assert_allclose((sweep - gizmo.center) @ way, 0, atol=1e-9)
    start = camera.project(sweep[0], SIZE) - camera.project(gizmo.center, SIZE)
    wanted = path[0] - camera.project(gizmo.center, SIZE)
    assert start @ wanted == pytest.approx(np.linalg.norm(start) * np.linalg.norm(wanted))


def test_a_ring_seen_from_its_edge_is_pulled_along():
    front = Camera(CENTER, 300.0, parallel=True)
    middle = front.project(CENTER, SIZE)
    after = dragged(Handle("turn", 2), front, [middle, middle + np.array((RING, 0.0))], Transform())
    # What is in front, at -Y, goes to the right, which is X.
    assert after.turn == (0.0, 0.0, pytest.approx(np.degrees(1.0)))
    assert Rotation.from_euler("z", after.turn[2], degrees=True).apply((0.0, -1.0, 0.0))[0] > 0


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("axis", AXES)
def test_boxes_and_the_circle_scale_by_how_far_out_the_pointer_goes(camera: Camera, axis: int):
    handle, gizmo = Handle("scale", axis), gizmo_of(POSED)
    way = gizmo.axis(handle)
    if gizmo.shown(handle, camera):
        path = [camera.project(gizmo.center + reach * way, SIZE) for reach in (6.0, 9.0)]
        after = dragged(handle, camera, path)
        assert after.scale[axis] == pytest.approx(1.5 * POSED.scale[axis])
        assert all(after.scale[k] == POSED.scale[k] for k in AXES if k != axis)
        snapped = dragged(handle, camera, path, snap=True).scale[axis]
        assert snapped / 0.05 == pytest.approx(round(snapped / 0.05))
    middle = camera.project(gizmo.center, SIZE)
    after = dragged(CIRCLE_HANDLE, camera, [middle + np.array((CIRCLE, 0.0)), middle + np.array((0.0, 2 * CIRCLE))])
    np.testing.assert_allclose(after.scale, 2 * np.array(POSED.scale))
    middle = camera.project(CENTER, SIZE)
    path = [middle + np.array((CIRCLE, 0.0)), middle + np.array((0.0, 1.234 * CIRCLE))]
    assert dragged(CIRCLE_HANDLE, camera, path, Transform(), snap=True).size == pytest.approx(1.25)


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("handle", HANDLES)
def test_wherever_the_pointer_goes_the_transform_is_one(camera: Camera, handle: Handle):
    gizmo = gizmo_of(POSED)
    drag = GizmoDrag(handle, gizmo, POSED, camera, SIZE, *middle_of(gizmo, handle, camera))
    places = [(x, y) for x in (-1e6, -3e3, 0.0, 400.0, 5e3, 1e6) for y in (-1e6, 0.0, 300.0, 4e3)]
    for x, y in [*places, tuple(camera.project(gizmo.center, SIZE))]:
        after = drag.to(x, y, snap=False)
        assert max(map(abs, after.move)) <= FARTHEST_MM
        assert all(SMALLEST_SCALE <= factor <= LARGEST_SCALE for factor in after.scale)
        drag.sweep(after)
