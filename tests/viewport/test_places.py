"""Showing places: flying there, tinting triangles, the heat map of walls."""

from __future__ import annotations

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.viewport.camera import Camera
from app.viewport.flight import between, looking_at
from tests.meshes import sphere, textured_soup

SIZE = (400.0, 300.0)


@pytest.mark.parametrize("direction", [(0, -1, 0), (0, 1, 0), (1, 0.2, 0.1), (-0.5, 0.5, 0.7), (0, 0, 1), (0.1, 0, -1)])
def test_a_place_comes_into_the_middle_and_is_seen_from_outside(direction):
    mesh = sphere(4)
    place = 10 * np.array(direction) / np.linalg.norm(direction)
    camera = looking_at(Camera().viewed("front"), mesh, place, 0.5, SIZE)
    assert camera.project(place, SIZE) == pytest.approx((200, 150), abs=0.5)
    assert (place / 10) @ -camera.axes()[2] > 0.2  # not through the ball
    assert camera.mm_per_pixel(place, SIZE) * SIZE[1] < 6


def test_a_place_that_is_seen_well_turns_nothing():
    mesh, camera = sphere(4), Camera().viewed("front").orbited(20, 10)
    place = np.array((2.0, -9.6, 1.5))
    near = looking_at(camera, mesh, place, 0.5, SIZE)
    assert (near.azimuth, near.elevation) == (camera.azimuth, camera.elevation)


def test_a_place_behind_something_is_looked_at_from_another_side():
    """Two balls in a row: the rear one's front is hidden by the other."""
    front, rear = textured_soup(), textured_soup()
    rear.positions = rear.positions + np.float32((0, 25, 0))
    both = build_mesh(
        type(front)(
            np.concatenate([front.positions, rear.positions]),
            np.concatenate([front.triangles, rear.triangles + len(front.positions)]),
        )
    )
    place = np.array((0.0, 15.0, 0.0))
    camera = looking_at(Camera().viewed("front"), both, place, 0.5, SIZE)
    toward = -camera.axes()[2]
    assert abs(toward @ (0, -1, 0)) < 0.95
    assert toward @ (0, -1, 0) > 0  # still its outside


def test_the_way_there_is_the_shorter_one():
    start, end = Camera(azimuth=170.0, distance=100.0), Camera(azimuth=-170.0, distance=25.0)
    half = between(start, end, 0.5)
    assert half.azimuth % 360 == pytest.approx(180.0)
    assert half.distance == pytest.approx(50.0)


def test_flying_ends_at_the_place_and_the_hand_can_take_over(viewport, qtbot):
    viewport.set_mesh(sphere(4))
    viewport.image()
    place = np.array((10.0, 0.0, 0.0))
    viewport.fly_to(place, 1.0)
    qtbot.waitUntil(lambda: not viewport.flying, timeout=3000)
    assert viewport.project(place) == pytest.approx((200, 150), abs=1.0)
    viewport.fly_to(-place, 1.0)
    qtbot.wait(60)
    viewport.orbit(30, 0)
    held = viewport.camera
    qtbot.wait(500)
    assert viewport.camera is held


def test_the_tint_is_seen_even_from_behind_and_goes_away(viewport, qtbot):
    mesh = build_mesh(textured_soup())
    viewport.set_mesh(mesh)
    plain = viewport.image()
    rear = np.flatnonzero((mesh.positions[mesh.triangles].mean(axis=1) @ (0, 1, 0)) > 8)  # away from the viewer
    viewport.highlight(rear, np.array((0.0, 10.0, 0.0)))
    tinted = viewport.image()
    changed = (np.abs(tinted.astype(int) - plain) > 30).any(axis=2)
    assert 0.01 < changed.mean() < 0.2
    assert (tinted[changed][:, 1] < plain[changed][:, 1]).all()  # magenta takes green away
    assert viewport.highlighted
    moved = np.arange(200, dtype=np.int32)
    mesh.positions[moved] *= np.float32(1.2)  # a stroke while something is pointed out
    mesh.touched("positions", moved)
    viewport.flush()
    viewport.image()
    viewport.highlight(None)
    assert not viewport.highlighted
    mesh.positions[moved] /= np.float32(1.2)
    mesh.touched("positions", moved)
    viewport.flush()
    assert (np.abs(viewport.image().astype(int) - plain) > 8).any(axis=2).mean() < 0.001


@pytest.mark.parametrize("textured", [False, True])
def test_heat_is_shown_and_the_colours_come_back(viewport, qtbot, textured):
    mesh = build_mesh(textured_soup()) if textured else sphere(4, colored=True)
    viewport.set_mesh(mesh)
    before = viewport.image()
    heat = np.zeros((mesh.vertex_count, 3), np.uint8)
    heat[:] = (86, 160, 172)
    heat[mesh.positions[:, 0] < 0] = (222, 45, 38)
    viewport.set_heat(heat)
    assert (viewport.image() == before).all()  # known, but another shading is chosen
    was = viewport.shading
    viewport.set_shading("walls")
    shown = viewport.image()
    left, right = shown[150, 150].astype(int), shown[150, 250].astype(int)
    assert left[0] > left[2] + 60
    assert right[2] > right[0] + 20
    mesh.mask[:5] = 1  # the paint is written again for what changes
    mesh.touched("mask", np.arange(5, dtype=np.int32))
    if mesh.colors is not None:
        mesh.colors[:50] = 0.5
        mesh.touched("colors", np.arange(50, dtype=np.int32))
    viewport.flush()
    assert (np.abs(viewport.image().astype(int) - shown) > 40).any(axis=2).mean() < 0.02
    viewport.set_shading(was)
    if mesh.colors is None:
        mesh.mask[:5] = 0
        mesh.touched("mask", np.arange(5, dtype=np.int32))
        viewport.flush()
        assert (viewport.image() == before).all()
    viewport.set_heat(None)
    viewport.set_shading("walls")
    grey = viewport.image()[150, 200].astype(int)
    assert np.ptp(grey) < 12
