"""Lines and curves on the screen: points that the hand sets, and the pointer samples along them.

What does not live here: what lies under them on the surface (`sculpt_controller`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from app.viewport.pointer import PointerSample

PATHS = ("line", "curve")
_NUMBERS = ("x", "y", "pressure", "tilt_x", "tilt_y", "time")
_MOST_STEPS = 2048
_LEAST_PX = 1.0


def pointers_between(start: PointerSample, end: PointerSample, step_px: float, most: int) -> Iterator[PointerSample]:
    """Evenly spaced samples after `start` up to `end`, at most `step_px` apart; just `end` for a small movement."""
    way = math.hypot(end.x - start.x, end.y - start.y)
    count = min(max(1, math.ceil(way / step_px)), most)
    for step in range(1, count):
        part = step / count
        values: dict[str, Any] = {name: _mixed(getattr(start, name), getattr(end, name), part) for name in _NUMBERS}
        yield replace(end, **values)
    yield end


def _mixed(start: float, end: float, part: float) -> float:
    return start + part * (end - start)


class StrokePath:
    """Points set one after the other; the newest follows the pointer until it is let go."""

    def __init__(self, first: PointerSample, step_px: float) -> None:
        self._points = [first]
        self._step_px = step_px
        self._open = True  # the first point stays where it is: the first movement sets the second

    def add(self, pointer: PointerSample) -> None:
        """Set another point."""
        self._points.append(pointer)
        self._open = False

    def move(self, pointer: PointerSample) -> None:
        """Drag the newest point."""
        if self._open:
            self.add(pointer)
        else:
            self._points[-1] = pointer

    def remove_last(self) -> bool:
        """Take the newest point back. Returns False when it was the only one."""
        if len(self._points) == 1:
            return False
        self._points.pop()
        self._open = len(self._points) == 1
        return True

    def pointers(self) -> list[PointerSample]:
        """Samples along a smooth curve through all points; through two, a straight line."""
        points = [
            point
            for index, point in enumerate(self._points)
            if index == 0 or _distance(self._points[index - 1], point) >= _LEAST_PX
        ]
        if len(points) < 2:
            return points
        lengths = np.cumsum([0.0, *(_distance(a, b) for a, b in pairwise(points))])
        values = np.array([[getattr(point, name) for name in _NUMBERS] for point in points])
        if len(points) == 2:
            return [points[0], *pointers_between(points[0], points[1], self._step_px, _MOST_STEPS)]
        count = min(math.ceil(lengths[-1] / self._step_px) + 1, _MOST_STEPS)
        along = np.linspace(0.0, lengths[-1], max(count, 2))
        places = CubicSpline(lengths, values[:, :2], bc_type="natural")(along)
        rest = np.stack([np.interp(along, lengths, values[:, column]) for column in range(2, len(_NUMBERS))], axis=1)
        rows: list[dict[str, Any]] = [
            dict(zip(_NUMBERS, map(float, row), strict=True)) for row in np.concatenate((places, rest), axis=1)
        ]
        return [replace(points[-1], **row) for row in rows]


def _distance(a: PointerSample, b: PointerSample) -> float:
    return math.hypot(a.x - b.x, a.y - b.y)
