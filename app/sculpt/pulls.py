"""Deltas that several brushes share: a push, a pull to a plane, to a line or point along the surface, to a value."""

from __future__ import annotations

import numpy as np

from app.mesh.jit import prange, scaling_kernel
from app.sculpt.region import Region

_NOWHERE = np.zeros(3)


def push(region: Region, vector: np.ndarray) -> np.ndarray:
    """The same delta (3,), mm, for all."""
    _fill(region.vertices, vector, region.delta)
    return region.delta


def pull_to_plane(
    region: Region, positions: np.ndarray, point: np.ndarray, normal: np.ndarray, rate: float
) -> np.ndarray:
    """Delta by a part `rate` of the way to the plane through `point` (3,), mm, along its unit `normal` (3,)."""
    _to_plane(region.vertices, positions, point, normal, rate, region.delta)
    return region.delta


def pull_along_surface(
    region: Region,
    positions: np.ndarray,
    center: np.ndarray,
    normal: np.ndarray,
    rate: float,
    travel: np.ndarray = _NOWHERE,
    lift: float = 0.0,
) -> np.ndarray:
    """Delta by a part `rate` of the way to `center` (3,), mm, square to the unit `normal` (3,), plus `lift` mm along.

    travel: (3,) unit; where given, toward the line through the centre in that direction instead.
    """
    line = travel - normal * (travel @ normal)
    length = float(np.linalg.norm(line))
    line = line / length if length > 0 else _NOWHERE
    _along_surface(region.vertices, positions, center, normal, line, rate, lift, region.delta)
    return region.delta


def pull_to_value(region: Region, values: np.ndarray, goal: np.ndarray, rate: float) -> np.ndarray:
    """Delta by a part `rate` of the way from (V, columns) values to one `goal` (columns,) float64."""
    _to_value(region.vertices, values, goal, rate, region.delta)
    return region.delta


@scaling_kernel
def _fill(vertices, vector, delta):
    for i in prange(len(vertices)):
        for k in range(3):
            delta[i, k] = vector[k]


@scaling_kernel
def _to_plane(vertices, positions, point, normal, rate, delta):
    height = point[0] * normal[0] + point[1] * normal[1] + point[2] * normal[2]
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        below = height - (positions[v, 0] * normal[0] + positions[v, 1] * normal[1] + positions[v, 2] * normal[2])
        for k in range(3):
            delta[i, k] = below * normal[k] * rate


@scaling_kernel
def _along_surface(vertices, positions, center, normal, line, rate, lift, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        x, y, z = center[0] - positions[v, 0], center[1] - positions[v, 1], center[2] - positions[v, 2]
        up = x * normal[0] + y * normal[1] + z * normal[2]
        along = x * line[0] + y * line[1] + z * line[2]
        delta[i, 0] = (x - up * normal[0] - along * line[0]) * rate + normal[0] * lift
        delta[i, 1] = (y - up * normal[1] - along * line[1]) * rate + normal[1] * lift
        delta[i, 2] = (z - up * normal[2] - along * line[2]) * rate + normal[2] * lift


@scaling_kernel
def _to_value(vertices, values, goal, rate, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        for k in range(values.shape[1]):
            delta[i, k] = (goal[k] - values[v, k]) * rate
