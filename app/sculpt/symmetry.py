"""Mirror symmetry: every dab repeated across any combination of the three axis planes.

All dabs of one group see the mesh as it was before the group, so that neither side is first. Where their reaches
overlap, each dab counts by its share (`feather`, and `region`), so that a stroke along the plane acts once, not twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np


@dataclass(frozen=True)
class Symmetry:
    """axes: mirror left-right (X), front-back (Y), top-bottom (Z). origin: mm, a point on every mirror plane."""

    axes: tuple[bool, bool, bool] = (False, False, False)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def signs(self) -> np.ndarray:
        """(n, 3) float64 of +1 and -1: the given side first, then its n - 1 images."""
        return np.array(list(product(*[(1.0, -1.0) if axis else (1.0,) for axis in self.axes])))

    def points(self, point: np.ndarray) -> np.ndarray:
        """(n, 3) float64, mm: a point and its images."""
        origin = np.asarray(self.origin)
        return origin + (np.asarray(point, np.float64) - origin) * self.signs()

    def vectors(self, vector: np.ndarray) -> np.ndarray:
        """(n, 3) float64: a direction and its images."""
        return np.asarray(vector, np.float64) * self.signs()


def feather(centers: np.ndarray, radius: float) -> float:
    """Weight, 0 to 1, of each dab in a group so that coinciding dabs add up to one.

    centers: (n, 3), mm. Dabs two radii apart count in full; the weight falls linearly as they approach.
    """
    distance = np.linalg.norm(centers - centers[0], axis=1)
    return 1.0 / float(np.clip(1.0 - distance / (2.0 * radius), 0.0, 1.0).sum())
