"""The brush cursor's geometry: rings of true size that lie on the surface. Points only; the overlay paints them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SIDES = 64
_SMALLEST_INNER = 0.02  # of the radius; a smaller hardness ring would be a second dot

Color = tuple[float, float, float]


@dataclass(frozen=True)
class BrushCursor:
    """What to show under the pointer.

    point, normal: (3,) mm and unit, on the surface. radius_mm: of the brush. hardness: 0 to 1, the inner ring's part
    of the radius. mirrored: points and normals of the mirror dabs. color: sRGB of the ring, None for neutral.
    """

    point: np.ndarray
    normal: np.ndarray
    radius_mm: float
    hardness: float = 0.0
    mirrored: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
    color: Color | None = None

    def places(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The dab itself and its mirror images."""
        return [(self.point, self.normal), *self.mirrored]

    def radii(self) -> list[float]:
        """Outer ring, then the hardness ring where there is one to see, mm."""
        inner = self.hardness * self.radius_mm
        return [self.radius_mm] + ([inner] if _SMALLEST_INNER < self.hardness < 1 - _SMALLEST_INNER else [])


def ring(point: np.ndarray, normal: np.ndarray, radius: float) -> np.ndarray:
    """(n + 1, 3) float64, mm: a closed circle in the plane through `point` across `normal`."""
    point, normal = np.asarray(point, np.float64), np.asarray(normal, np.float64)
    length = np.linalg.norm(normal)
    normal = normal / length if length > 0 else np.array((0.0, 0.0, 1.0))
    # Any direction across the normal will do; the axis least along it gives the best conditioned one.
    side = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    side /= np.linalg.norm(side)
    angles = np.linspace(0, 2 * np.pi, _SIDES + 1)[:, None]
    return point + radius * (np.cos(angles) * side + np.sin(angles) * np.cross(normal, side))
