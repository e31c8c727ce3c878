"""Where a photo lies in a view: pure geometry between photo coordinates and screen pixels, no Qt and no pixels.

Photo coordinates (u, v) run from 0 to 1 along width and height, from the upper left. View coordinates are
device-independent pixels from the upper left of the view. Sizes are (width, height).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from app.photos.photo import MAX_ZOOM, MIN_ZOOM, PhotoView

Size = tuple[float, float]
_FIT_MARGIN = 0.98  # of the view, so that the photo's edge can be seen


def zoom_shown(view: PhotoView, photo: Size, room: Size) -> float:
    """Screen pixels per photo pixel; for a fitting view the zoom at which the turned photo just has room."""
    if view.zoom > 0:
        return view.zoom
    angle = math.radians(view.rotation)
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    wide, high = photo[0] * cosine + photo[1] * sine, photo[0] * sine + photo[1] * cosine
    return min(max(_FIT_MARGIN * min(room[0] / wide, room[1] / high), MIN_ZOOM), MAX_ZOOM)


def to_view(view: PhotoView, photo: Size, room: Size) -> np.ndarray:
    """(2, 3) float64 affine matrix from photo coordinates to view coordinates."""
    turn = _turn(view, photo, room)
    linear = turn @ np.diag(photo)
    center = view.center if view.zoom > 0 else (0.5, 0.5)
    shift = np.array(room) / 2 - linear @ center
    return np.column_stack([linear, shift])


def to_photo(view: PhotoView, photo: Size, room: Size, x: float, y: float) -> tuple[float, float]:
    """Photo coordinates under a point of the view; outside 0 to 1 beside the photo."""
    matrix = to_view(view, photo, room)
    u, v = np.linalg.solve(matrix[:, :2], np.array([x, y]) - matrix[:, 2])
    return float(u), float(v)


def _turn(view: PhotoView, photo: Size, room: Size) -> np.ndarray:
    """(2, 2): photo pixels to screen pixels: flip, then rotate clockwise (the y axis points down), then zoom."""
    angle = math.radians(view.rotation)
    cosine, sine = math.cos(angle), math.sin(angle)
    flip = -1.0 if view.flipped else 1.0
    zoom = zoom_shown(view, photo, room)
    return zoom * np.array([[flip * cosine, -sine], [flip * sine, cosine]])


def zoomed(view: PhotoView, photo: Size, room: Size, zoom: float, x: float, y: float) -> PhotoView:
    """The view at another zoom; what lies under (x, y) stays there unless the photo would leave the view."""
    zoom = min(max(zoom, MIN_ZOOM), MAX_ZOOM)
    anchor = to_photo(view, photo, room, x, y)
    return _with_point_at(replace(view, zoom=zoom), photo, room, anchor, x, y)


def panned(view: PhotoView, photo: Size, room: Size, dx: float, dy: float) -> PhotoView:
    """The view moved with the pointer by (dx, dy); a fitting view keeps its size and stops fitting."""
    zoom = zoom_shown(view, photo, room)
    anchor = to_photo(view, photo, room, room[0] / 2 - dx, room[1] / 2 - dy)
    return _with_point_at(replace(view, zoom=zoom), photo, room, anchor, room[0] / 2, room[1] / 2)


def _with_point_at(
    view: PhotoView, photo: Size, room: Size, point: tuple[float, float], x: float, y: float
) -> PhotoView:
    linear = _turn(view, photo, room) @ np.diag(photo)
    u, v = np.array(point) - np.linalg.solve(linear, np.array([x, y]) - np.array(room) / 2)
    return replace(view, center=(min(max(float(u), 0.0), 1.0), min(max(float(v), 0.0), 1.0)))


def turned(view: PhotoView, degrees: float) -> PhotoView:
    """The view turned further clockwise, with its rotation kept above -180 and up to 180."""
    rotation = (view.rotation + degrees + 180.0) % 360.0 - 180.0
    return replace(view, rotation=180.0 if rotation == -180.0 else rotation)


def flipped(view: PhotoView) -> PhotoView:
    """The view with left and right of the screen exchanged, whatever its rotation."""
    rotation = -view.rotation if abs(view.rotation) != 180.0 else view.rotation
    return replace(view, flipped=not view.flipped, rotation=rotation)
