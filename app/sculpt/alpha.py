"""Alphas: greyscale stamps that multiply the factors of a dab.

An alpha lies in the dab's tangent plane, as wide as the dab, and stands upright along the figurine's up; where it is
raked it follows the stroke instead. White works in full, black not at all, and so does everything outside the image.
What does not live here: which alphas there are (`app.alphas`), how a stroke turns them (`methods`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.errors import InvalidInput
from app.mesh.jit import prange, scaling_kernel

LARGEST = 4096
# A direction this close to the normal gives no way along the surface.
_UPRIGHT = 1e-6


@dataclass(frozen=True, eq=False)
class Alpha:
    """id: its name. image: (height, width) float32, 0 to 1, the first row on top.

    Raises InvalidInput for an image that is none.
    """

    id: str
    image: np.ndarray

    def __post_init__(self) -> None:
        image = self.image
        if image.ndim != 2 or image.dtype != np.float32 or not 0 < min(image.shape) <= max(image.shape) <= LARGEST:
            raise InvalidInput(
                f"the alpha {self.id} is no greyscale image of at most {LARGEST} pixels a side",
                advice="Choose another image",
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alpha) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)


def stamp_frame(
    normal: np.ndarray, up: np.ndarray, travel: np.ndarray | None, angle: float, handed: float
) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (3,) float64 along which the image's x (to the right) and y (up) lie on the surface.

    normal: (3,) unit. up: (3,) unit, which way the stamp stands; travel: (3,), where given and not zero, which way its
    top points instead. angle: radians, counter-clockwise. handed: -1 for a stamp in a mirror.
    """
    top = _along(normal, travel) if travel is not None else None
    if top is None:
        top = _along(normal, up)
    if top is None:
        top = _along(normal, np.roll(up, 1))
    if top is None:
        return np.zeros(3), np.zeros(3)
    right = handed * np.cross(top, normal)
    return (
        right * math.cos(angle) + top * math.sin(angle),
        top * math.cos(angle) - right * math.sin(angle),
    )


def _along(normal: np.ndarray, way: np.ndarray) -> np.ndarray | None:
    flat = way - normal * float(way @ normal)
    length = float(np.linalg.norm(flat))
    return flat / length if length > _UPRIGHT else None


@scaling_kernel
def multiply_by_image(vertices, factors, positions, center, right, top, radius, image):
    """factors *= the image at each vertex, bilinear, and 0 outside. image: (height, width) float32, as in `Alpha`."""
    height, width = image.shape
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        x = positions[v, 0] - center[0]
        y = positions[v, 1] - center[1]
        z = positions[v, 2] - center[2]
        u = (x * right[0] + y * right[1] + z * right[2]) / radius
        w = (x * top[0] + y * top[1] + z * top[2]) / radius
        if not (-1.0 <= u <= 1.0 and -1.0 <= w <= 1.0):
            factors[i] = 0
            continue
        column = (u + 1.0) / 2.0 * (width - 1)
        row = (1.0 - w) / 2.0 * (height - 1)
        left, upper = int(column), int(row)
        right_column, lower = min(left + 1, width - 1), min(upper + 1, height - 1)
        a, b = column - left, row - upper
        above = image[upper, left] * (1.0 - a) + image[upper, right_column] * a
        below = image[lower, left] * (1.0 - a) + image[lower, right_column] * a
        factors[i] *= np.float32(above * (1.0 - b) + below * b)
