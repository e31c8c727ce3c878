"""Tips: the outline of a brush where it is not round. What does not live here: the falloff from the middle of a dab
(`falloff`), and tips that are images (`alpha`)."""

from __future__ import annotations

import numpy as np

from app.mesh.jit import prange, scaling_kernel
from app.sculpt.alpha import stamp_frame
from app.sculpt.dabs import Dab
from app.sculpt.region import Region

# The largest square that the dab holds: what is under the tip is inside the ring that the sculptor sees.
_HALF_SIDE = 0.5**0.5
_SHARPEST = 1e-6


def square_tip(region: Region, positions: np.ndarray, dab: Dab, normal: np.ndarray, softness: float) -> np.ndarray:
    """Limit `region.delta` to the square in the dab's circle that lies in the surface with the unit `normal` (3,) and
    along the stroke, or upright where the stroke has no direction yet. Returns it.

    softness: 0 to 1, the part of the half side over which edges and corners fade.
    """
    right, top = stamp_frame(normal, dab.up, dab.travel, 0.0, dab.handed)
    half = _HALF_SIDE * dab.radius
    soft = half * max(softness, _SHARPEST)
    _square_tip(region.vertices, positions, dab.center, right, top, half - soft, soft, region.delta)
    return region.delta


@scaling_kernel
def _square_tip(vertices, positions, center, right, top, core, soft, delta):
    """Influence by the distance from the square of half side `core`: 0 within it, and so the corners are round."""
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        x, y, z = positions[v, 0] - center[0], positions[v, 1] - center[1], positions[v, 2] - center[2]
        across = max(abs(x * right[0] + y * right[1] + z * right[2]) - core, 0.0)
        along = max(abs(x * top[0] + y * top[1] + z * top[2]) - core, 0.0)
        part = max(1.0 - np.sqrt(across * across + along * along) / soft, 0.0)
        for k in range(3):
            delta[i, k] *= part * part * (3.0 - 2.0 * part)
