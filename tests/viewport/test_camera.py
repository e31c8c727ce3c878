"""The camera's mathematics against VTK's own matrices and against what it promises to keep still."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

from app.viewport.camera import STANDARD_VIEWS, Camera
from app.viewport.scene import Scene

SIZE = (800.0, 600.0)
BOUNDS = (np.array([-20.0, -30.0, 0.0]), np.array([20.0, 30.0, 100.0]))

cameras = st.builds(
    Camera,
    focus=st.tuples(*[st.floats(-50, 50)] * 3).map(np.array),
    distance=st.floats(5, 1000),
    azimuth=st.floats(-180, 180),
    elevation=st.floats(-90, 90),
    view_angle=st.floats(5, 90),
    parallel=st.booleans(),
)
pixels = st.tuples(st.floats(0, SIZE[0]), st.floats(0, SIZE[1]))


def vtk_pixel(camera: Camera, point: np.ndarray) -> np.ndarray:
    renderer = vtkRenderer()
    Scene(vtkRenderWindow(), renderer)._apply(camera)
    matrix = renderer.GetActiveCamera().GetCompositeProjectionTransformMatrix(SIZE[0] / SIZE[1], -1, 1)
    x, y, _, w = matrix.MultiplyPoint((*point, 1.0))
    return np.array(((x / w + 1) / 2 * SIZE[0], (1 - y / w) / 2 * SIZE[1]))


@given(cameras, pixels, st.floats(1.0, 500.0))
def test_a_point_on_the_ray_through_a_pixel_projects_to_that_pixel(camera, pixel, distance):
    origin, direction = camera.ray(*pixel, SIZE)
    assert np.linalg.norm(direction) == pytest.approx(1)
    assert camera.project(origin + distance * direction, SIZE) == pytest.approx(pixel, abs=1e-4)


@given(cameras, pixels)
def test_projection_is_the_one_that_vtk_draws_with(camera, pixel):
    origin, direction = camera.ray(*pixel, SIZE)
    point = origin + camera.distance * direction
    assert vtk_pixel(camera, point) == pytest.approx(pixel, abs=1e-2)


@given(cameras)
def test_axes_are_right_handed_and_never_tip_over(camera):
    right, up, forward = camera.axes()
    assert np.cross(right, up) == pytest.approx(-forward, abs=1e-12)
    assert camera.axes() @ camera.axes().T == pytest.approx(np.eye(3), abs=1e-12)
    assert right[2] == 0  # the horizon stays level
    assert up[2] >= -1e-12


@given(cameras, pixels, st.floats(0.2, 5.0), st.floats(2, 300))
def test_zoom_keeps_the_point_under_the_pointer(camera, pixel, factor, depth):
    origin, direction = camera.ray(*pixel, SIZE)
    anchor = origin + depth * direction
    zoomed = camera.zoomed(factor, anchor)
    assert zoomed.project(anchor, SIZE) == pytest.approx(pixel, abs=1e-4)
    assert zoomed.mm_per_pixel(anchor, SIZE) == pytest.approx(camera.mm_per_pixel(anchor, SIZE) / factor, rel=1e-6)


@given(cameras, pixels, st.floats(-200, 200), st.floats(-200, 200))
def test_pan_keeps_the_anchor_under_the_hand(camera, pixel, dx, dy):
    origin, direction = camera.ray(*pixel, SIZE)
    anchor = origin + 1.3 * camera.distance * direction
    moved = camera.panned(dx, dy, SIZE, anchor)
    assert moved.project(anchor, SIZE) == pytest.approx((pixel[0] + dx, pixel[1] + dy), abs=1e-4)


@given(cameras, pixels, st.floats(-300, 300), st.floats(-300, 300))
def test_orbit_turns_about_the_pivot(camera, pixel, dx, dy):
    origin, direction = camera.ray(*pixel, SIZE)
    pivot = origin + 1.2 * camera.distance * direction
    turned = camera.orbited(dx, dy, pivot)
    assert turned.project(pivot, SIZE) == pytest.approx(pixel, abs=1e-4)
    assert turned.distance == camera.distance


@pytest.mark.parametrize(
    ("name", "toward_viewer", "right"),
    [
        ("front", (0, -1, 0), (1, 0, 0)),
        ("back", (0, 1, 0), (-1, 0, 0)),
        ("right", (1, 0, 0), (0, 1, 0)),
        ("left", (-1, 0, 0), (0, -1, 0)),
        ("top", (0, 0, 1), (1, 0, 0)),
        ("bottom", (0, 0, -1), (1, 0, 0)),
    ],
)
def test_standard_views(name, toward_viewer, right):
    camera = Camera(parallel=True).viewed(name)
    assert camera.toward_viewer(np.zeros(3)) == pytest.approx(toward_viewer, abs=1e-12)
    assert camera.axes()[0] == pytest.approx(right, abs=1e-12)
    assert set(STANDARD_VIEWS) == {"front", "back", "left", "right", "top", "bottom"}


@given(cameras)
def test_framing_shows_all_corners_and_fills_the_picture(camera):
    framed = camera.framing(*BOUNDS, SIZE)
    corners = np.array([[BOUNDS[(i >> k) & 1][k] for k in range(3)] for i in range(8)])
    places = framed.project(corners, SIZE) / SIZE
    assert ((places > 0) & (places < 1)).all()
    assert max(np.ptp(places, axis=0)) > 0.5


@given(cameras)
def test_clipping_range_holds_what_is_before_the_eye(camera):
    near, far = camera.clipping_range(BOUNDS)
    corners = np.array([[BOUNDS[(i >> k) & 1][k] for k in range(3)] for i in range(8)])
    depths = [camera.depth(corner) for corner in corners]
    assert near < far
    assert max(depths) < far
    if camera.parallel:
        assert near < min(depths)
    else:
        assert near > 0
        assert near < max(min(depths), 1.01e-3 * far)


@given(cameras, pixels)
def test_a_parallel_ray_for_picking_starts_before_the_model(camera, pixel):
    camera = replace(camera, parallel=True)
    origin, direction = camera.ray_before(*pixel, SIZE, BOUNDS)
    corners = np.array([[BOUNDS[(i >> k) & 1][k] for k in range(3)] for i in range(8)])
    assert ((corners - origin) @ direction).min() > -1e-6
    assert camera.project(origin, SIZE) == pytest.approx(pixel, abs=1e-4)


@given(cameras)
def test_state_survives_json_types(camera):
    again = Camera.from_state(camera.state())
    assert again.position == pytest.approx(camera.position, abs=1e-6)
    assert again.parallel == camera.parallel


@pytest.mark.parametrize("state", [{}, {"focus": [1, 2]}, {"distance": float("nan")}, {"distance": -5.0}])
def test_senseless_state_gives_a_usable_camera(state):
    camera = Camera.from_state(state)
    assert camera.distance > 0
    assert np.isfinite(camera.position).all()
