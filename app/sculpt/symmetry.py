"""Symmetry: every dab repeated across any combination of the three axis planes, and around an axis.

All dabs of one group see the mesh as it was before the group, so that neither side is first. Where their reaches
overlap, each dab counts by its share (`feather`, and `region`), so that a stroke along the plane acts once, not twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from app.errors import InvalidInput

AXES = "xyz"
MOST_RADIAL = 64


@dataclass(frozen=True)
class Symmetry:
    """axes: mirror left-right (X), front-back (Y), top-bottom (Z). origin: mm, a point on every mirror plane.

    radial: how many times a dab is repeated around the axis `radial_axis` (of AXES) through the origin; 1 for none.
    Raises InvalidInput where that is no such number or axis.
    """

    axes: tuple[bool, bool, bool] = (False, False, False)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    radial: int = 1
    radial_axis: str = "z"

    def __post_init__(self) -> None:
        if not 1 <= self.radial <= MOST_RADIAL or self.radial_axis not in AXES or len(self.radial_axis) != 1:
            raise InvalidInput(
                f"{self.radial} times around {self.radial_axis!r} is no symmetry",
                advice=f"Give a number from 1 to {MOST_RADIAL} and an axis x, y or z",
            )

    @property
    def count(self) -> int:
        """How many dabs each one becomes, itself included."""
        return int(2 ** sum(self.axes)) * self.radial

    def matrices(self) -> np.ndarray:
        """(count, 3, 3) float64, orthogonal: the given side first, then its images."""
        mirrors = [np.diag(signs) for signs in self._signs()]
        turns = [_turn(AXES.index(self.radial_axis), step, self.radial) for step in range(self.radial)]
        return np.array([turn @ mirror for turn in turns for mirror in mirrors])

    def handed(self) -> np.ndarray:
        """(count,) float64: -1 for images that are mirrored, else 1."""
        return np.tile([np.prod(signs) for signs in self._signs()], self.radial)

    def points(self, point: np.ndarray) -> np.ndarray:
        """(count, 3) float64, mm: a point and its images."""
        origin = np.asarray(self.origin)
        return origin + self.vectors(np.asarray(point, np.float64) - origin)

    def vectors(self, vector: np.ndarray) -> np.ndarray:
        """(count, 3) float64: a direction and its images."""
        vector = np.asarray(vector, np.float64)
        if self.radial == 1:
            return vector * np.array(list(self._signs()))  # exact: a mirrored stroke is the same to the bit
        return self.matrices() @ vector

    def _signs(self) -> Iterator[tuple[float, ...]]:
        return product(*[(1.0, -1.0) if axis else (1.0,) for axis in self.axes])


def _turn(axis: int, step: int, count: int) -> np.ndarray:
    """Rotation by `step` of `count` parts of a full turn."""
    angle = 2 * np.pi * step / count
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[[first, second], [first, second]] = np.cos(angle)
    matrix[second, first] = np.sin(angle)
    matrix[first, second] = -np.sin(angle)
    return matrix


def feather(centers: np.ndarray, radius: float) -> float:
    """Weight, 0 to 1, of each dab in a group so that those which overlap add up to one.

    centers: (n, 3), mm. Two dabs with the smooth falloff f(t) = 1 - 3 t^2 + 2 t^3 that are t radii apart add up to
    2 f(t / 2) between them; from one radius on, that is no more than one, and each dab counts in full.
    """
    apart = (np.linalg.norm(centers - centers[0], axis=1) / radius).clip(0.0, 1.0)
    return 1.0 / float((1.0 - 1.5 * apart**2 + 0.5 * apart**3).sum())
