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


def push_along_surface(region: Region, vector: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """The same delta for all: the part of `vector` (3,), mm, that is square to the unit `normal` (3,)."""
    return push(region, vector - normal * (vector @ normal))


def pull_to_plane(
    region: Region, positions: np.ndarray, point: np.ndarray, normal: np.ndarray, rate: float, side: float = 0.0
) -> np.ndarray:
    """Delta by a part `rate` of the way to the plane through `point` (3,), mm, along its unit `normal` (3,).

    side: 1 for what is below the plane only, which comes up; -1 for what is above it only; 0 for both.
    """
    _to_plane(region.vertices, positions, point, normal, rate, side, region.delta)
    return region.delta


def pull_along_surface(
    region: Region,
    positions: np.ndarray,
    center: np.ndarray,
    normal: np.ndarray,
    rate: float,
    travel: np.ndarray = _NOWHERE,
    lift: float = 0.0,
    on_top: bool = False,
) -> np.ndarray:
    """Delta by a part `rate` of the way to `center` (3,), mm, square to the unit `normal` (3,), plus `lift` mm along.

    travel: (3,) unit; where given, toward the line through the centre in that direction instead.
    on_top: added to what `region.delta` already holds.
    """
    if not on_top:
        push(region, _NOWHERE)
    line = _within_plane(travel, normal)
    _along_surface(region.vertices, positions, center, normal, line, rate, lift, region.delta)
    return region.delta


def spare_line(
    region: Region, positions: np.ndarray, center: np.ndarray, normal: np.ndarray, travel: np.ndarray, width: float
) -> None:
    """Take back `region.delta` near the line through `center` (3,), mm, along `travel` (3,): wholly on the line, not at
    all from `width` mm on, measured square to the unit `normal` (3,). Without travel, near the point."""
    line = _within_plane(travel, normal)
    _spare_line(region.vertices, positions, center, normal, line, width, region.delta)


def _within_plane(vector: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """(3,) unit: the part of a vector that is square to a unit normal; zeros where there is none."""
    flat = vector - normal * (vector @ normal)
    length = float(np.linalg.norm(flat))
    return flat / length if length > 0 else _NOWHERE


def pull_to_values(region: Region, values: np.ndarray, goals: np.ndarray, rate: float) -> np.ndarray:
    """Delta by a part `rate` of the way from (V, columns) values to goals of the same shape."""
    _to_values(region.vertices, values, goals, rate, region.delta)
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
def _to_plane(vertices, positions, point, normal, rate, side, delta):
    height = point[0] * normal[0] + point[1] * normal[1] + point[2] * normal[2]
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        below = height - (positions[v, 0] * normal[0] + positions[v, 1] * normal[1] + positions[v, 2] * normal[2])
        if below * side < 0:
            below = 0.0
        for k in range(3):
            delta[i, k] = below * normal[k] * rate


@scaling_kernel
def _along_surface(vertices, positions, center, normal, line, rate, lift, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        x, y, z = center[0] - positions[v, 0], center[1] - positions[v, 1], center[2] - positions[v, 2]
        up = x * normal[0] + y * normal[1] + z * normal[2]
        along = x * line[0] + y * line[1] + z * line[2]
        delta[i, 0] += (x - up * normal[0] - along * line[0]) * rate + normal[0] * lift
        delta[i, 1] += (y - up * normal[1] - along * line[1]) * rate + normal[1] * lift
        delta[i, 2] += (z - up * normal[2] - along * line[2]) * rate + normal[2] * lift


@scaling_kernel
def _spare_line(vertices, positions, center, normal, line, width, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        x, y, z = positions[v, 0] - center[0], positions[v, 1] - center[1], positions[v, 2] - center[2]
        up = x * normal[0] + y * normal[1] + z * normal[2]
        along = x * line[0] + y * line[1] + z * line[2]
        away = x * x + y * y + z * z - up * up - along * along
        part = min(np.sqrt(max(away, 0.0)) / width, 1.0)
        for k in range(3):
            delta[i, k] *= part * part * (3.0 - 2.0 * part)


@scaling_kernel
def _to_values(vertices, values, goals, rate, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        for k in range(values.shape[1]):
            delta[i, k] = (goals[v, k] - values[v, k]) * rate


@scaling_kernel
def _to_value(vertices, values, goal, rate, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        for k in range(values.shape[1]):
            delta[i, k] = (goal[k] - values[v, k]) * rate
