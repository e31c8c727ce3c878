"""The camera: where it stands, how it moves, and the mathematics between pixels and millimetres. No VTK, no Qt.

A turntable: the picture's vertical is the model's Z, so a figure never tips over. All in float64 and from the camera's
own numbers, so that a ray for picking does not suffer from what the graphics card rounds.

Pixels here are logical pixels from the upper left corner, x to the right, y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Size = tuple[float, float]

DEFAULT_VIEW_ANGLE = 30.0  # degrees, vertical: a portrait lens; wider ones distort a face
_DEGREES_PER_PIXEL = 0.35
_FRAME_MARGIN = 1.08
_NEAREST_MM, _FARTHEST_MM = 0.05, 1e6
# Of the far distance: keeps enough of the depth buffer's precision for what is in sight.
_NEAR_FRACTION = 1e-3

# azimuth and elevation in degrees; azimuth 0 looks along +Y at the figure's front.
STANDARD_VIEWS = {
    "front": (0.0, 0.0),
    "back": (180.0, 0.0),
    "right": (90.0, 0.0),
    "left": (-90.0, 0.0),
    "top": (0.0, 90.0),
    "bottom": (0.0, -90.0),
}


@dataclass(frozen=True)
class Camera:
    """One state of the camera; every movement gives a new one.

    focus: (3,) float64, mm, the middle of the picture. distance: mm from the focus to the eye; in a parallel
    projection it only sets the scale. azimuth, elevation: degrees. view_angle: degrees, vertical.
    """

    focus: np.ndarray = field(default_factory=lambda: np.zeros(3))
    distance: float = 400.0
    azimuth: float = 0.0
    elevation: float = 0.0
    view_angle: float = DEFAULT_VIEW_ANGLE
    parallel: bool = False

    def axes(self) -> np.ndarray:
        """(3, 3) float64: rows are the unit vectors right, up and forward (into the picture)."""
        a, e = math.radians(self.azimuth), math.radians(self.elevation)
        right = (math.cos(a), math.sin(a), 0.0)
        forward = (-math.sin(a) * math.cos(e), math.cos(a) * math.cos(e), -math.sin(e))
        up = (-math.sin(a) * math.sin(e), math.cos(a) * math.sin(e), math.cos(e))
        return np.array((right, up, forward))

    @property
    def position(self) -> np.ndarray:
        """(3,) float64, mm: the eye."""
        return self.focus - self.distance * self.axes()[2]

    @property
    def half_height(self) -> float:
        """Half the height, mm, of what is in sight at the focus; VTK's parallel scale."""
        return self.distance * math.tan(math.radians(self.view_angle) / 2)

    def depth(self, point: np.ndarray) -> float:
        """Distance of a point from the eye's plane along the view direction, mm."""
        return float((np.asarray(point, np.float64) - self.position) @ self.axes()[2])

    def mm_per_pixel(self, point: np.ndarray, size: Size) -> float:
        """Width of one logical pixel at a point, mm. At the focus for a point behind the eye."""
        scale = 2 * self.half_height / max(size[1], 1)
        if self.parallel:
            return scale
        depth = self.depth(point)
        return scale * (depth / self.distance if depth > 0 else 1.0)

    def ray(self, x: float, y: float, size: Size) -> tuple[np.ndarray, np.ndarray]:
        """Origin and unit direction, mm, of the line of sight through a pixel.

        A parallel ray starts at the eye's plane; use `ray_before` where it has to start before a whole model.
        """
        right, up, forward = self.axes()
        scale = 2 * self.half_height / max(size[1], 1)
        offset = ((x - size[0] / 2) * right - (y - size[1] / 2) * up) * scale
        if self.parallel:
            return self.position + offset, forward
        direction = self.distance * forward + offset
        return self.position, direction / np.linalg.norm(direction)

    def ray_before(
        self, x: float, y: float, size: Size, bounds: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `ray`, but a parallel ray starts before the box `bounds` (lower and upper corner, mm)."""
        origin, direction = self.ray(x, y, size)
        if self.parallel:
            near, _ = self._depth_range(bounds)
            origin = origin + min(near, 0.0) * direction
        return origin, direction

    def project(self, points: np.ndarray, size: Size) -> np.ndarray:
        """Pixels of points. (n, 3) or (3,) mm to (n, 2) or (2,) float64; NaN behind the eye."""
        relative = (np.asarray(points, np.float64) - self.position) @ self.axes().T
        depth = relative[..., 2]
        shrink = 1.0 if self.parallel else self.distance / np.where(depth > 0, depth, np.nan)
        scale = max(size[1], 1) / (2 * self.half_height) * shrink
        x = size[0] / 2 + relative[..., 0] * scale
        y = size[1] / 2 - relative[..., 1] * scale
        return np.stack((x, y), axis=-1)

    def toward_viewer(self, point: np.ndarray) -> np.ndarray:
        """(3,) float64, unit: from a point toward the eye."""
        if self.parallel:
            return -self.axes()[2]
        toward = self.position - np.asarray(point, np.float64)
        length = np.linalg.norm(toward)
        return toward / length if length > 0 else -self.axes()[2]

    def orbited(self, dx: float, dy: float, pivot: np.ndarray | None = None) -> Camera:
        """Turned by a drag of (dx, dy) pixels about a pivot (the focus by default): the model follows the hand."""
        turned = replace(
            self,
            azimuth=_wrapped(self.azimuth - dx * _DEGREES_PER_PIXEL),
            elevation=min(90.0, max(-90.0, self.elevation + dy * _DEGREES_PER_PIXEL)),
        )
        return turned if pivot is None else turned._keeping(self, pivot)

    def panned(self, dx: float, dy: float, size: Size, anchor: np.ndarray | None = None) -> Camera:
        """Shifted by (dx, dy) pixels so that the anchor (the focus by default) stays under the hand."""
        right, up, _ = self.axes()
        scale = self.mm_per_pixel(self.focus if anchor is None else anchor, size)
        return replace(self, focus=self.focus + (dy * up - dx * right) * scale)

    def zoomed(self, factor: float, anchor: np.ndarray | None = None) -> Camera:
        """Magnified by `factor` about an anchor (the focus by default), which keeps its place in the picture."""
        distance = min(_FARTHEST_MM, max(_NEAREST_MM, self.distance / factor))
        centre = self.focus if anchor is None else np.asarray(anchor, np.float64)
        return replace(self, distance=distance, focus=centre + (self.focus - centre) * (distance / self.distance))

    def viewed(self, name: str) -> Camera:
        """A standard view: "front", "back", "left", "right", "top" or "bottom". Raises KeyError for another name."""
        azimuth, elevation = STANDARD_VIEWS[name]
        return replace(self, azimuth=azimuth, elevation=elevation)

    def framing(self, lower: np.ndarray, upper: np.ndarray, size: Size) -> Camera:
        """Looking at a box from the same direction so that its projection fills the picture."""
        centre = (np.asarray(lower, np.float64) + upper) / 2
        corners = np.array(np.meshgrid(*np.stack((lower, upper), axis=1))).reshape(3, -1).T - centre
        local = corners @ self.axes().T
        tangent = math.tan(math.radians(self.view_angle) / 2)
        aspect = max(size[0], 1) / max(size[1], 1)
        needed = np.maximum(np.abs(local[:, 1]), np.abs(local[:, 0]) / aspect) * _FRAME_MARGIN / tangent
        distance = float((needed if self.parallel else needed - local[:, 2]).max())
        return replace(self, focus=centre, distance=distance if distance > _NEAREST_MM else 100.0)

    def clipping_range(self, bounds: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
        """Near and far, mm from the eye, around the box `bounds`. In a parallel projection near may be negative."""
        near, far = self._depth_range(bounds)
        margin = 0.01 * (far - near) + 0.01
        near, far = near - margin, far + margin
        if self.parallel:
            return near, far
        far = max(far, 2 * _NEAREST_MM)
        return max(near, far * _NEAR_FRACTION), far

    def state(self) -> dict[str, Any]:
        """JSON-ready values; `from_state` reads them."""
        return {
            "focus": [float(value) for value in self.focus],
            "distance": self.distance,
            "azimuth": self.azimuth,
            "elevation": self.elevation,
            "view_angle": self.view_angle,
            "parallel": self.parallel,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Camera:
        """Inverse of `state`. Missing or senseless values take their defaults."""
        default = cls()
        focus = np.asarray(state.get("focus", default.focus), np.float64)
        numbers = {
            name: float(state.get(name, getattr(default, name))) for name in ("distance", "azimuth", "elevation")
        }
        angle = float(state.get("view_angle", default.view_angle))
        if focus.shape != (3,) or not np.isfinite([*focus, *numbers.values(), angle]).all():
            return default
        return cls(
            focus=focus,
            distance=min(_FARTHEST_MM, max(_NEAREST_MM, numbers["distance"])),
            azimuth=_wrapped(numbers["azimuth"]),
            elevation=min(90.0, max(-90.0, numbers["elevation"])),
            view_angle=min(120.0, max(1.0, angle)),
            parallel=bool(state.get("parallel", False)),
        )

    def _keeping(self, before: Camera, pivot: np.ndarray) -> Camera:
        """Moved so that the pivot appears where it appeared before the turn."""
        offset = before.axes() @ (before.focus - pivot)
        return replace(self, focus=pivot + offset @ self.axes())

    def _depth_range(self, bounds: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
        lower, upper = bounds
        forward = self.axes()[2]
        ends = np.stack((lower, upper)) * forward
        eye = float(self.position @ forward)
        return float(ends.min(axis=0).sum()) - eye, float(ends.max(axis=0).sum()) - eye


def _wrapped(degrees: float) -> float:
    return (degrees + 180.0) % 360.0 - 180.0
