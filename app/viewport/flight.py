"""Flying to a place on the model: from where it is best seen, and the way there.

What does not live here: what a camera is (`camera`), who asks for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEasingCurve, QObject, QVariantAnimation

from app.mesh.mesh import Mesh
from app.mesh.raycast import cast
from app.viewport.camera import STANDARD_VIEWS, Camera, Size

_MS = 320
# The present view stays where it looks at the place no more askance than this (cosine).
_STEEP = 0.5
_HIGHEST = 75.0  # degrees: looking straight down, a turntable turns wildly
_LEAST_MM, _LEAST_PART = 1.0, 0.035  # of the longest side: what is next to it stays in sight
_AROUND = 1.6  # of the radius
_ABOVE = 1e-3  # of the longest side: where a look at the sky starts


def looking_at(camera: Camera, mesh: Mesh, point: np.ndarray, radius_mm: float, size: Size) -> Camera:
    """A camera with a place on the mesh in the middle of the picture, seen from outside and not through other parts.

    point: (3,) mm. radius_mm: what around it should be in sight.
    """
    place, longest = np.asarray(point, np.float64), float(mesh.size().max())
    reach = max(_AROUND * radius_mm, _LEAST_PART * longest, _LEAST_MM)
    directions = list(_directions(camera, mesh, place, reach))
    clear = (direction for direction in directions if _sees_sky(mesh, place, direction, _ABOVE * longest))
    direction = next(clear, directions[0])
    turned = camera if direction is directions[-1] else _from(camera, direction)
    return turned.framing(place - reach, place + reach, size)


def between(start: Camera, end: Camera, part: float) -> Camera:
    """A camera on the way; part: 0 to 1. Distances change by proportions, angles by the shorter way."""
    turn = (end.azimuth - start.azimuth + 180.0) % 360.0 - 180.0
    return replace(
        end,
        focus=start.focus + (end.focus - start.focus) * part,
        distance=start.distance * (end.distance / start.distance) ** part,
        azimuth=start.azimuth + turn * part,
        elevation=start.elevation + (end.elevation - start.elevation) * part,
    )


class Flight(QObject):
    """Moves the camera over a third of a second; another movement of the camera ends it."""

    def __init__(self, read: Callable[[], Camera], write: Callable[[Camera], None], parent: QObject) -> None:
        super().__init__(parent)
        self._read, self._write = read, write
        self._start = self._end = self._last = read()
        self._animation = QVariantAnimation(self)
        self._animation.setDuration(_MS)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._step)

    @property
    def flying(self) -> bool:
        return self._animation.state() == QVariantAnimation.State.Running

    def to(self, end: Camera, *, at_once: bool) -> None:
        """Go there; at once where frames are too slow to be a movement."""
        self._animation.stop()
        self._start = self._last = self._read()
        self._end = end
        if at_once:
            self._write(end)
        else:
            self._animation.start()

    def _step(self, part: float) -> None:
        if self._read() is not self._last:
            self._animation.stop()  # the hand has taken over
            return
        self._last = self._end if part >= 1.0 else between(self._start, self._end, part)
        self._write(self._last)


def _directions(camera: Camera, mesh: Mesh, place: np.ndarray, reach: float) -> Iterator[np.ndarray]:
    """Unit vectors from the place toward possible viewers, the best first; the last is the present one."""
    present = -camera.axes()[2]
    outward = _outward(mesh, place, reach)
    if outward @ present > _STEEP:
        yield present
    yield outward
    views = [-replace(camera, azimuth=a, elevation=e).axes()[2] for a, e in STANDARD_VIEWS.values()]
    halves = [outward + view for view in views]
    others = [*views, *(half / np.linalg.norm(half) for half in halves if np.linalg.norm(half) > _ABOVE)]
    yield from sorted(others, key=lambda direction: -float(direction @ outward))
    yield present


def _outward(mesh: Mesh, place: np.ndarray, reach: float) -> np.ndarray:
    """(3,) unit: which way the surface around a place faces."""
    apart = ((mesh.positions - place.astype(np.float32)) ** 2).sum(axis=1)
    here = mesh.normals[int(np.argmin(apart))]
    near = mesh.normals[apart < (reach / 2) ** 2]
    normal = here.astype(np.float64) + near[near @ here > 0].sum(axis=0, dtype=np.float64)  # not of its other side
    length = float(np.linalg.norm(normal))
    return normal / length if length > 0 else np.array([0.0, -1.0, 0.0])


def _sees_sky(mesh: Mesh, place: np.ndarray, direction: np.ndarray, above_mm: float) -> bool:
    return cast(mesh, place + direction * above_mm, direction) is None


def _from(camera: Camera, direction: np.ndarray) -> Camera:
    """The camera turned so that its viewer is in this direction."""
    elevation = math.degrees(math.asin(min(1.0, max(-1.0, float(direction[2])))))
    azimuth = math.degrees(math.atan2(float(direction[0]), -float(direction[1])))
    flat = math.hypot(float(direction[0]), float(direction[1]))
    if flat < 1e-6:  # straight up or down: no side is better than the present one
        azimuth = camera.azimuth
    return replace(camera, azimuth=azimuth, elevation=min(_HIGHEST, max(-_HIGHEST, elevation)))
