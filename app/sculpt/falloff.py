"""Falloff: influence over distance, as a curve that a kernel reads from a table.

Shapes follow Blender's presets. Hardness, the flat middle, is baked into the table, so a kernel looks up one number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from app.errors import InvalidInput

KINDS = ("smooth", "sphere", "sharp", "linear", "constant", "custom")
TABLE_CELLS = 256
_LEAST_GAP = 1e-6
_STRAIGHT = ((0.0, 1.0), (1.0, 0.0))


@dataclass(frozen=True)
class Falloff:
    """A curve over distance from the dab's centre (0) to its rim (1).

    kind: one of KINDS. points: for "custom", (distance, influence) pairs, both 0 to 1, distances ascending.
    Raises InvalidInput for an unknown kind or a curve that is none.
    """

    kind: str = "smooth"
    points: tuple[tuple[float, float], ...] = _STRAIGHT

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidInput(f'there is no falloff "{self.kind}"', advice=f"Use one of {', '.join(KINDS)}")
        points = np.asarray(self.points, float)
        shaped = points.ndim == 2 and points.shape[1:] == (2,) and len(points) >= 2
        # Nearer to each other, the slope between two points is no number.
        if not shaped or not ((points >= 0) & (points <= 1)).all() or not (np.diff(points[:, 0]) >= _LEAST_GAP).all():
            raise InvalidInput(
                "the custom falloff is not a curve",
                advice=f"Give two or more points from 0 to 1, distances ascending by at least {_LEAST_GAP:g}",
            )

    def values(self, distance: np.ndarray) -> np.ndarray:
        """Influence, float64, 0 to 1, at distances given as a part of the radius."""
        distance = np.asarray(distance, float)
        p = np.clip(1.0 - distance, 0.0, 1.0)
        if self.kind == "smooth":
            return p * p * (3.0 - 2.0 * p)
        if self.kind == "sphere":
            return np.sqrt(p * (2.0 - p))
        if self.kind == "sharp":
            return p * p
        if self.kind == "linear":
            return p
        if self.kind == "constant":
            return np.ones_like(p)
        x, y = np.asarray(self.points, float).T
        # Monotone between its points, so the curve that the user draws never overshoots.
        return np.clip(PchipInterpolator(x, y)(np.clip(distance, x[0], x[-1])), 0.0, 1.0)

    def table(self, hardness: float = 0.0) -> np.ndarray:
        """(TABLE_CELLS + 2,) float32: influence at i / TABLE_CELLS, flat within `hardness` (0 to 1) of the radius.

        The last entry repeats the one before, so that interpolation at the very rim stays inside the table.
        """
        distance = np.arange(TABLE_CELLS + 1) / TABLE_CELLS
        if hardness >= 1.0:
            values = np.full_like(distance, self.values(np.zeros(1))[0])
        else:
            values = self.values(np.clip((distance - hardness) / (1.0 - hardness), 0.0, 1.0))
        return np.append(values, values[-1]).astype(np.float32)
