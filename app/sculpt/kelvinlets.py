"""Grabbing an elastic body: de Goes and James, Regularized Kelvinlets, 2017.

What lives here: the displacement of a grab. What does not: the region and the falloff, which an elastic body brings
along itself.
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import prange, scaling_kernel
from app.sculpt.region import Region

# Three radii of regularisation (their section 5), each longer than the one before by what the paper uses, and the first
# as a part of the reach: so 0.7 % of the grab at most is left at the rim, whatever the material.
_FIRST_SCALE = 0.35
_NEXT_SCALE = 1.1
# Three square roots and divisions for each vertex: threads pay sooner.
_COST = 4


def elastic_grab_delta(
    region: Region, positions: np.ndarray, center: np.ndarray, way: np.ndarray, reach: float, poisson: float
) -> np.ndarray:
    """Delta (k, 3), mm, of an infinite elastic body that is grabbed at `center` (3,), mm, and pulled by `way` (3,), mm.

    The centre itself goes all the way; far away the displacement falls with the fifth power of the distance.
    positions: (V, 3), mm, at rest. reach: mm, where less than 1 % is left. poisson: Poisson's ratio, 0 to 0.5.
    """
    scales = _FIRST_SCALE * reach * _NEXT_SCALE ** np.arange(3)
    b = 1.0 / (4.0 * (1.0 - poisson))  # in units of a, which the normalisation divides out
    weights = _far_field_cancelling(scales)
    weights /= (1.5 - b) * (weights / scales).sum()
    _grab.pick(_COST * len(region.vertices))(region.vertices, positions, center, way, scales, weights, b, region.delta)
    return region.delta


def _far_field_cancelling(scales: np.ndarray) -> np.ndarray:
    """(3,) weights whose sum, and whose sum times the squared scales, is zero: the slow parts of the decay cancel."""
    first, second, third = scales**2
    return np.array([1.0, (first - third) / (third - second), (second - first) / (third - second)])


@scaling_kernel
def _grab(vertices, positions, center, way, scales, weights, b, delta):
    """Sum of ((a - b) / r_e + a e^2 / (2 r_e^3)) f + b / r_e^3 (r . f) r over the scales e, with r_e^2 = r^2 + e^2."""
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        x, y, z = positions[v, 0] - center[0], positions[v, 1] - center[1], positions[v, 2] - center[2]
        distance2 = x * x + y * y + z * z
        along = 0.0
        outward = 0.0
        for k in range(len(scales)):
            e2 = scales[k] * scales[k]
            inverse = 1.0 / np.sqrt(distance2 + e2)
            cube = inverse * inverse * inverse
            along += weights[k] * ((1.0 - b) * inverse + 0.5 * e2 * cube)
            outward += weights[k] * b * cube
        outward *= x * way[0] + y * way[1] + z * way[2]
        delta[i, 0] = along * way[0] + outward * x
        delta[i, 1] = along * way[1] + outward * y
        delta[i, 2] = along * way[2] + outward * z
