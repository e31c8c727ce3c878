"""Plain closed shapes to unite with a model or to cut out of it: discs and boxes along z."""

from __future__ import annotations

import numpy as np

from app.operations.surface import Surface

_SEGMENTS = 96


def cylinder(center: np.ndarray, radius: float, bottom: float, top: float) -> Surface:
    """Upright, closed, facing outward. center: (2,) x and y, mm."""
    angle = np.arange(_SEGMENTS) * (2 * np.pi / _SEGMENTS)
    return prism(np.asarray(center) + radius * np.stack((np.cos(angle), np.sin(angle)), axis=1), bottom, top)


def box(lower: np.ndarray, upper: np.ndarray, bottom: float, top: float) -> Surface:
    """Upright, closed, facing outward. lower, upper: (2,) corners in x and y, mm."""
    (a, b), (c, d) = lower, upper
    return prism(np.array([(a, b), (c, b), (c, d), (a, d)], np.float64), bottom, top)


def prism(outline: np.ndarray, bottom: float, top: float) -> Surface:
    """Over a convex outline, (n, 2) mm, counter-clockwise seen from above."""
    count = len(outline)
    rings = [np.column_stack((outline, np.full(count, z))) for z in (bottom, top)]
    middle = outline.mean(axis=0)
    positions = np.concatenate((*rings, [[*middle, bottom], [*middle, top]]))
    a = np.arange(count)
    b = (a + 1) % count
    walls = np.concatenate((np.column_stack((a, b, b + count)), np.column_stack((a, b + count, a + count))))
    floor = np.column_stack((b, a, np.full(count, 2 * count)))
    ceiling = np.column_stack((a + count, b + count, np.full(count, 2 * count + 1)))
    return Surface.bare(positions, np.concatenate((walls, floor, ceiling)))
