"""Geometry of a photo in a view, against rules that hold for every view."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.photos.photo import PhotoView
from app.photos.placement import flipped, panned, to_photo, to_view, turned, zoom_shown, zoomed
from tests.photos.test_photo import views

PHOTO, ROOM = (4000.0, 3000.0), (500.0, 700.0)


def at(view: PhotoView, u: float, v: float) -> np.ndarray:
    return to_view(view, PHOTO, ROOM) @ (u, v, 1.0)


@given(views)
def test_from_photo_to_view_and_back(view: PhotoView) -> None:
    x, y = at(view, 0.3, 0.8)
    assert to_photo(view, PHOTO, ROOM, x, y) == pytest.approx((0.3, 0.8), abs=1e-6)


@given(views, st.floats(0.02, 8.0), st.floats(0, 500), st.floats(0, 700))
def test_zooming_keeps_what_is_under_the_pointer(view: PhotoView, zoom: float, x: float, y: float) -> None:
    before = to_photo(view, PHOTO, ROOM, x, y)
    after = zoomed(view, PHOTO, ROOM, zoom, x, y)
    assert after.zoom == pytest.approx(zoom)
    assume(0 < after.center[0] < 1 and 0 < after.center[1] < 1)  # else the photo's edge was in the way
    assert at(after, *before) == pytest.approx((x, y), abs=1e-3)


@given(views, st.floats(-90, 90), st.floats(-90, 90))
def test_panning_moves_the_photo_with_the_pointer(view: PhotoView, dx: float, dy: float) -> None:
    after = panned(view, PHOTO, ROOM, dx, dy)
    assume(0 < after.center[0] < 1 and 0 < after.center[1] < 1)
    shown = replace(view, zoom=zoom_shown(view, PHOTO, ROOM), center=view.center if view.zoom else (0.5, 0.5))
    assert at(after, 0.4, 0.6) == pytest.approx(np.add(at(shown, 0.4, 0.6), (dx, dy)), abs=1e-3)


@given(st.floats(-180, 180), st.booleans())
def test_a_fitting_photo_is_wholly_in_view_and_as_large_as_can_be(rotation: float, flip: bool) -> None:
    view = PhotoView(rotation=rotation, flipped=flip)
    corners = np.array([at(view, u, v) for u in (0, 1) for v in (0, 1)])
    assert (corners >= 0).all()
    assert (corners <= ROOM).all()
    used = (corners.max(axis=0) - corners.min(axis=0)) / ROOM
    assert used.max() == pytest.approx(0.98)


def test_turning_is_clockwise_and_flipping_exchanges_left_and_right() -> None:
    left_edge = (0.0, 0.5)
    assert at(PhotoView(), *left_edge)[0] < ROOM[0] / 2
    assert at(turned(PhotoView(), 90.0), *left_edge)[1] < ROOM[1] / 2  # clockwise: left goes up
    assert at(flipped(PhotoView()), *left_edge)[0] > ROOM[0] / 2


@given(st.floats(-180, 180), st.booleans())
def test_flipping_mirrors_the_screen_whatever_the_rotation(rotation: float, flip: bool) -> None:
    view = PhotoView(zoom=0.1, rotation=rotation, flipped=flip)
    x, y = at(view, 0.2, 0.7)
    assert at(flipped(view), 0.2, 0.7) == pytest.approx((ROOM[0] - x, y), abs=1e-6)
    assert flipped(flipped(view)) == view


def test_four_quarter_turns_are_none() -> None:
    view = PhotoView(rotation=10.0)
    for _ in range(4):
        view = turned(view, 90.0)
        assert -180.0 < view.rotation <= 180.0
    assert view.rotation == pytest.approx(10.0)


def test_a_photo_cannot_be_pushed_out_of_sight() -> None:
    view = panned(PhotoView(zoom=1.0), PHOTO, ROOM, 1e6, -1e6)
    assert view.center == (0.0, 1.0)
