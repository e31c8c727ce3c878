"""Picking: the nearest visible triangle that a ray meets, over chunk boxes and triangles.

Never a depth-buffer read: this works without a window, to float precision, and knows what a stroke has just moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.mesh.jit import kernel
from app.mesh.mesh import Mesh


@dataclass(frozen=True)
class Hit:
    """Where a ray met the surface.

    point: (3,) float64, mm. normal: (3,) float64, unit, interpolated from the vertices. triangle: its index.
    distance: along the ray, in lengths of its direction. weights: barycentric, (3,) float64.
    """

    point: np.ndarray
    normal: np.ndarray
    triangle: int
    distance: float
    weights: np.ndarray


def cast(mesh: Mesh, origin: np.ndarray, direction: np.ndarray) -> Hit | None:
    """First hit of a ray with what is visible of the mesh, from either side, or None. origin, direction: (3,), mm."""
    # Adding zero turns -0.0 into 0.0, whose inverse would order a box's two planes the wrong way round.
    origin, direction = np.asarray(origin, np.float64), np.asarray(direction, np.float64) + 0.0
    if not np.isfinite(origin).all() or not np.isfinite(direction).all() or not direction.any():
        return None
    chunks = mesh.chunks
    if chunks.moved.any():
        mesh.refresh()
    chunks.refresh_triangle_boxes(mesh.positions, mesh.triangles)
    triangle, distance, u, v = _cast(
        origin,
        direction,
        mesh.positions,
        mesh.triangles,
        mesh.hidden,
        chunks.triangle_offsets,
        chunks.triangle_lower,
        chunks.triangle_upper,
    )
    if triangle < 0:
        return None
    weights = np.array([1.0 - u - v, u, v])
    normal = weights @ mesh.normals[mesh.triangles[triangle]].astype(np.float64)
    length = np.linalg.norm(normal)
    normal = normal / length if length > 0 else -direction / np.linalg.norm(direction)
    return Hit(origin + distance * direction, normal, int(triangle), float(distance), weights)


@kernel
def _box_entry(origin, inverse, lower, upper, chunk):
    near = 0.0
    far = np.inf
    for k in range(3):
        # A ray within a box's plane gives 0 * inf; the comparisons below then leave near and far alone.
        a = (lower[chunk, k] - origin[k]) * inverse[k]
        b = (upper[chunk, k] - origin[k]) * inverse[k]
        if a > b:
            a, b = b, a
        if a > near:
            near = a
        if b < far:
            far = b
    return near if near <= far else np.inf


@kernel
def _cast(origin, direction, positions, triangles, hidden, triangle_offsets, lower, upper):
    """Möller and Trumbore 1997, chunks taken from near to far."""
    inverse = 1.0 / direction
    count = len(lower)
    entries = np.empty(count)
    order = np.empty(count, np.int64)
    candidates = 0
    for c in range(count):
        entry = _box_entry(origin, inverse, lower, upper, c)
        if entry < np.inf:
            entries[candidates] = entry
            order[candidates] = c
            candidates += 1
    by_entry = np.argsort(entries[:candidates])
    best, best_t, best_u, best_v = -1, np.inf, 0.0, 0.0
    for i in range(candidates):
        if entries[by_entry[i]] > best_t:
            break
        c = order[by_entry[i]]
        for t in range(triangle_offsets[c], triangle_offsets[c + 1]):
            a, b, d = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            ax, ay, az = np.float64(positions[a, 0]), np.float64(positions[a, 1]), np.float64(positions[a, 2])
            e1x, e1y, e1z = positions[b, 0] - ax, positions[b, 1] - ay, positions[b, 2] - az
            e2x, e2y, e2z = positions[d, 0] - ax, positions[d, 1] - ay, positions[d, 2] - az
            px = direction[1] * e2z - direction[2] * e2y
            py = direction[2] * e2x - direction[0] * e2z
            pz = direction[0] * e2y - direction[1] * e2x
            det = e1x * px + e1y * py + e1z * pz
            if det == 0.0:
                continue
            sx, sy, sz = origin[0] - ax, origin[1] - ay, origin[2] - az
            u = (sx * px + sy * py + sz * pz) / det
            if u < 0.0 or u > 1.0:
                continue
            qx = sy * e1z - sz * e1y
            qy = sz * e1x - sx * e1z
            qz = sx * e1y - sy * e1x
            v = (direction[0] * qx + direction[1] * qy + direction[2] * qz) / det
            if v < 0.0 or u + v > 1.0:
                continue
            distance = (e2x * qx + e2y * qy + e2z * qz) / det
            visible = hidden[a] == 0 and hidden[b] == 0 and hidden[d] == 0
            if visible and 0.0 <= distance < best_t:
                best, best_t, best_u, best_v = t, distance, u, v
    return best, best_t, best_u, best_v
