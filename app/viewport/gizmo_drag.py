"""A handle of the gizmo in the hand: from where the pointer goes to the transform. No Qt, no VTK.

Each drag changes one number of the transform (the centre changes the three of the move, the circle those of the scale),
starting from what it was when the handle was taken.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from app.sculpt.symmetry import AXES
from app.sculpt.transform import FARTHEST_MM, LARGEST_SCALE, SMALLEST_SCALE, Transform, Vector
from app.viewport.camera import Camera, Size
from app.viewport.gizmo import ALL, CIRCLE_HANDLE, RING, STEEP, Gizmo, Handle, room

# What Ctrl snaps to.
SNAP_MM, SNAP_DEGREES, SNAP_SCALE = 1.0, 5.0, 0.05
# A ring that is seen more nearly from its edge than this cosine is pulled along, not gone around.
_EDGE_ON = 0.2
_STEEPEST = STEEP * STEEP / 4
_SWEEP_STEP = math.radians(4.0)


class GizmoDrag:
    """One drag. handle: what is held. gizmo: as it was when it was taken, as the camera saw it then."""

    def __init__(
        self, handle: Handle, gizmo: Gizmo, transform: Transform, camera: Camera, size: Size, x: float, y: float
    ) -> None:
        self.handle, self.gizmo = handle, gizmo
        self._before, self._camera, self._size = transform, camera, size
        self._middle = camera.project(gizmo.center, size)
        self._axis = np.zeros(3) if handle.axis == ALL else gizmo.axis(handle)
        self._from_edge = False
        if handle.kind == "turn":
            self._from_edge = abs(float(self._axis @ camera.toward_viewer(gizmo.center))) < _EDGE_ON
        self._angle, self._turned = 0.0, 0.0
        self._grabbed = self._measure(x, y)

    def to(self, x: float, y: float, *, snap: bool) -> Transform:
        """The transform with the pointer at a logical pixel. snap: to whole steps of the number that is changed."""
        handle, before = self.handle, self._before
        measured = self._measure(x, y)
        if not np.isfinite(measured).all():
            return before
        if handle.kind == "scale":
            step, factor = SNAP_SCALE if snap else 0.0, float(measured[0] / self._grabbed[0])
            if handle == CIRCLE_HANDLE:
                return before.resized(max(_snapped(before.size * factor, step), SMALLEST_SCALE))
            scale = _snapped(before.scale[handle.axis] * factor, step)
            return replace(
                before, scale=_with(before.scale, handle.axis, _limited(scale, SMALLEST_SCALE, LARGEST_SCALE))
            )
        if handle.kind == "turn":
            degrees = before.turn[handle.axis] + math.degrees(self._around(measured))
            return replace(
                before, turn=_with(before.turn, handle.axis, _snapped(degrees, SNAP_DEGREES if snap else 0.0))
            )
        step = SNAP_MM if snap else 0.0
        if handle.axis == ALL:
            moved = np.array(before.move) + measured - self._grabbed
            x, y, z = (_limited(_snapped(float(part), step), -FARTHEST_MM, FARTHEST_MM) for part in moved)
            return replace(before, move=(x, y, z))
        along = _snapped(before.move[handle.axis] + float(measured[0] - self._grabbed[0]), step)
        return replace(before, move=_with(before.move, handle.axis, _limited(along, -FARTHEST_MM, FARTHEST_MM)))

    def sweep(self, transform: Transform) -> np.ndarray | None:
        """(n, 3) float64, mm: the arc that a ring has been turned by so far; None for other handles."""
        if self.handle.kind != "turn":
            return None
        angle = math.radians(transform.turn[self.handle.axis] - self._before.turn[self.handle.axis])
        angle = math.copysign(min(abs(angle), 2 * math.pi), angle)
        steps = self._swept_from() + np.linspace(0.0, angle, max(2, round(abs(angle) / _SWEEP_STEP)))
        first, second = self._across()
        radius = RING * room(self._size) * self._camera.mm_per_pixel(self.gizmo.center, self._size)
        return self.gizmo.center + radius * (np.cos(steps)[:, None] * first + np.sin(steps)[:, None] * second)

    def reading(self, transform: Transform) -> str:
        """The number that is being changed, in words."""
        handle, name = self.handle, "" if self.handle.axis == ALL else f"{AXES[self.handle.axis].upper()}  "
        if handle.kind == "scale":
            factor = transform.size if handle.axis == ALL else transform.scale[handle.axis]
            return f"{name}{100 * factor:.1f} %"
        if handle.kind == "turn":
            return f"{name}{transform.turn[handle.axis]:+.1f}°"
        if handle.axis == ALL:
            return (
                "  ".join(f"{axis.upper()} {part:+.2f}" for axis, part in zip(AXES, transform.move, strict=True))
                + " mm"
            )
        return f"{name}{transform.move[handle.axis]:+.2f} mm"

    def _swept_from(self) -> float:
        """Radians around the axis of where a ring was taken; of its front, where it is seen from its edge."""
        if not self._from_edge:
            return float(self._grabbed[0])
        toward, (first, second) = self._camera.toward_viewer(self.gizmo.center), self._across()
        return math.atan2(toward @ second, toward @ first)

    def _measure(self, x: float, y: float) -> np.ndarray:
        """What the handle's number is read from: mm along the axis, the angle around it, a point, or pixels."""
        handle, center, camera = self.handle, self.gizmo.center, self._camera
        if handle == CIRCLE_HANDLE:
            return np.array([max(1.0, math.hypot(x - self._middle[0], y - self._middle[1]))])
        if handle.kind == "turn":
            return np.array([self._angle_from_edge(x, y) if self._from_edge else self._angle_of(x, y)])
        origin, direction = camera.ray(x, y, self._size)
        if handle.axis == ALL:
            forward = camera.axes()[2]
            return origin + direction * ((center - origin) @ forward / (direction @ forward))
        # Of the axis, the point nearest to the line of sight; where that is nearly the axis itself, it goes slowly.
        slope = float(self._axis @ direction)
        along = (origin - center) @ self._axis - slope * ((origin - center) @ direction)
        return np.array([along / max(1.0 - slope * slope, _STEEPEST)])

    def _across(self) -> tuple[np.ndarray, np.ndarray]:
        """Two unit vectors across the axis, right-handed with it."""
        first = np.cross(self._axis, np.eye(3)[np.argmin(np.abs(self._axis))])
        first /= np.linalg.norm(first)
        return first, np.cross(self._axis, first)

    def _angle_of(self, x: float, y: float) -> float:
        """Radians around the axis of where a line through a pixel meets the ring's plane.

        All lines have the direction from the eye to the centre: those of a perspective view may miss the plane.
        """
        right, up, _ = self._camera.axes()
        toward = self._camera.toward_viewer(self.gizmo.center)
        offset = (x - self._middle[0]) * right - (y - self._middle[1]) * up
        offset -= toward * ((offset @ self._axis) / (toward @ self._axis))
        first, second = self._across()
        return math.atan2(offset @ second, offset @ first)

    def _angle_from_edge(self, x: float, y: float) -> float:
        """Radians by which a ring seen from its edge is pulled: its front follows the pointer."""
        camera, center = self._camera, self.gizmo.center
        front = np.cross(self._axis, camera.toward_viewer(center))  # where the nearest point of the ring goes
        reach = camera.mm_per_pixel(center, self._size)
        pulled = camera.project(center + reach * front / np.linalg.norm(front), self._size) - self._middle
        pulled /= np.linalg.norm(pulled)
        return float((np.array((x, y)) - self._middle) @ pulled) / (RING * room(self._size))

    def _around(self, measured: np.ndarray) -> float:
        """Radians turned since the grab, also past half a turn."""
        angle = float(measured[0] - self._grabbed[0])
        if self._from_edge:
            return angle
        self._turned += math.remainder(angle - self._angle, 2 * math.pi)
        self._angle = angle
        return self._turned


def _snapped(value: float, step: float) -> float:
    return round(value / step) * step if step else value


def _with(values: Vector, axis: int, value: float) -> Vector:
    x, y, z = (value if k == axis else values[k] for k in range(3))
    return x, y, z


def _limited(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
