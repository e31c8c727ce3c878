"""Twist: turns what lay under the brush about the direction it faced."""

from __future__ import annotations

import numpy as np

from app.mesh.jit import prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.region import Region


@brush(
    label="Twist",
    shortcut="Shift+K",
    tooltip="Turns the surface under the brush; drag to the right for clockwise, to the left for back.",
    from_stroke_start=True,
    strength=1.0,
    order=92,
)
def twist(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """A drag of one radius to the side turns by one radian about the area normal at the start of the stroke.

    Each vertex turns by its factor's part of the angle and so keeps its distance from the axis.
    """
    axis = region.begun.normal
    right = np.cross(dab.up, dab.view if dab.view.any() else axis) * dab.handed
    length = float(np.linalg.norm(right))
    if length > 0:
        way = float(dab.displacement @ right) / length
    else:
        way = float(np.linalg.norm(dab.displacement))  # seen from above nothing says where the right is
    angle = -dab.strength * dab.handed * way / dab.radius
    _turn(region.vertices, region.factors, region.start, dab.center, axis, angle, region.delta)
    return region.delta


@scaling_kernel
def _turn(vertices, factors, positions, center, axis, angle, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        factor = max(np.float64(factors[i]), 1e-12)
        sine, rest = np.sin(angle * factor) / factor, (np.cos(angle * factor) - 1.0) / factor
        x, y, z = positions[v, 0] - center[0], positions[v, 1] - center[1], positions[v, 2] - center[2]
        up = x * axis[0] + y * axis[1] + z * axis[2]
        delta[i, 0] = (axis[1] * z - axis[2] * y) * sine + (x - up * axis[0]) * rest
        delta[i, 1] = (axis[2] * x - axis[0] * z) * sine + (y - up * axis[1]) * rest
        delta[i, 2] = (axis[0] * y - axis[1] * x) * sine + (z - up * axis[2]) * rest
