"""The gizmo: arrows, rings and boxes of constant size on the screen, and which of them lies under the pointer.

Only where the picture has no room for it, it is smaller.

    arrows   move along X, Y and Z            centre  moves in the plane of the screen
    rings    turn about the part's own axes
    boxes    scale along the part's own axes  circle  around it all: scales all three alike

No Qt, no VTK. What does not live here: what a drag does (`gizmo_drag`), how it is painted (`gizmo_painter`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from app.viewport.camera import Camera, Size
from app.viewport.cursor import ring

# Logical pixels from the centre, in a picture that has room for them.
CENTRE, BOX, RING, ARROW_FROM, ARROW_TO, CIRCLE = 9.0, 50.0, 76.0, 86.0, 122.0, 142.0
BOX_SIDE = 12.0
# Of the picture's shorter side, what the circle may reach from its middle.
_MOST = 0.42
# An axis that points at the viewer more steeply than this (length on the screen as a part of its own) has no handles.
STEEP = 0.3
# Of a ring, what lies no further behind its middle than this part of its radius is in front.
_BEHIND = 0.12
ALL = -1


class Handle(NamedTuple):
    """axis: 0 to 2, or ALL for the centre, which moves in the plane of the screen, and for the circle."""

    kind: Literal["move", "turn", "scale"]
    axis: int


CENTRE_HANDLE, CIRCLE_HANDLE = Handle("move", ALL), Handle("scale", ALL)
HANDLES = (
    CENTRE_HANDLE,
    *(Handle("scale", axis) for axis in range(3)),
    *(Handle("move", axis) for axis in range(3)),
    *(Handle("turn", axis) for axis in range(3)),
    CIRCLE_HANDLE,
)


@dataclass(frozen=True, eq=False)
class Gizmo:
    """center: (3,) mm. turn_axes, scale_axes: (3, 3), unit rows: what the rings turn about, where the boxes lie."""

    center: np.ndarray
    turn_axes: np.ndarray
    scale_axes: np.ndarray

    def axis(self, handle: Handle) -> np.ndarray:
        """(3,) float64, unit: the axis of an arrow, ring or box."""
        axes = {"move": np.eye(3), "turn": self.turn_axes, "scale": self.scale_axes}[handle.kind]
        return axes[handle.axis]

    def along(self, handle: Handle, pixels: float, camera: Camera, size: Size) -> np.ndarray:
        """(2,) float64: the pixel that lies so far out on an axis, as it is drawn."""
        reach = pixels * room(size) * camera.mm_per_pixel(self.center, size)
        return camera.project(self.center + reach * self.axis(handle), size)

    def shown(self, handle: Handle, camera: Camera) -> bool:
        """Whether there is such a handle in this view."""
        if handle.axis == ALL or handle.kind == "turn":
            return True
        across = self.axis(handle) @ camera.toward_viewer(self.center)
        return bool(1.0 - across * across > STEEP * STEEP)

    def ring(self, handle: Handle, camera: Camera, size: Size) -> tuple[np.ndarray, np.ndarray]:
        """A ring's pixels, (n, 2) float64, closed, and which of them are in front, (n,) bool."""
        radius = RING * room(size) * camera.mm_per_pixel(self.center, size)
        points = ring(self.center, self.axis(handle), radius)
        depth = (points - self.center) @ camera.toward_viewer(self.center)
        return camera.project(points, size), depth > -_BEHIND * radius

    def handle_at(self, x: float, y: float, camera: Camera, size: Size, reach: float) -> Handle | None:
        """The nearest handle within `reach` logical pixels of a pixel."""
        place = np.array((x, y))
        found = [(self._distance(handle, place, camera, size), handle) for handle in HANDLES]
        distance, handle = min(found, key=lambda pair: pair[0])
        return handle if distance <= reach else None

    def _distance(self, handle: Handle, place: np.ndarray, camera: Camera, size: Size) -> float:
        """Logical pixels from a handle, below 0 within a box or the centre; infinite for one that is not there."""
        middle = camera.project(self.center, size)
        if not np.isfinite(middle).all() or not self.shown(handle, camera):
            return np.inf
        if handle == CENTRE_HANDLE:
            return float(np.linalg.norm(place - middle)) - CENTRE
        if handle == CIRCLE_HANDLE:
            return abs(float(np.linalg.norm(place - middle)) - CIRCLE * room(size))
        if handle.kind == "turn":
            pixels, front = self.ring(handle, camera, size)
            both = front[:-1] & front[1:]
            return _from_segments(place, pixels[:-1][both], pixels[1:][both])
        if handle.kind == "scale":
            box = self.along(handle, BOX, camera, size)
            return float(np.abs(place - box).max()) - BOX_SIDE / 2
        ends = [self.along(handle, pixels, camera, size) for pixels in (ARROW_FROM, ARROW_TO)]
        return _from_segments(place, ends[0][None], ends[1][None])


@dataclass(frozen=True, eq=False)
class GizmoLook:
    """What to show. hovered: under the pointer. held: being dragged; the others stand back.

    sweep: (n, 3) mm, the arc that a ring was turned by. reading: words beside the pixel `place`.
    """

    gizmo: Gizmo
    hovered: Handle | None = None
    held: Handle | None = None
    sweep: np.ndarray | None = None
    reading: str = ""
    place: tuple[float, float] = (0.0, 0.0)


def room(size: Size) -> float:
    """By how much the gizmo is smaller than it would like to be, 0 to 1."""
    return min(1.0, _MOST * min(size) / CIRCLE)


def _from_segments(place: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> float:
    """Distance of a place, (2,), from the nearest of the segments, (n, 2) each; infinite without any."""
    if not len(starts) or not np.isfinite((starts, ends)).all():
        return np.inf
    along, to = ends - starts, place - starts
    part = np.einsum("ij,ij->i", to, along) / np.maximum(np.einsum("ij,ij->i", along, along), 1e-12)
    return float(np.linalg.norm(to - part.clip(0, 1)[:, None] * along, axis=1).min())
