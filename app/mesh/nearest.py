"""The vertex nearest to a point, over chunk boxes."""

from __future__ import annotations

import numpy as np

from app.mesh.jit import kernel
from app.mesh.mesh import Mesh


def nearest_vertex(mesh: Mesh, point: np.ndarray) -> int | None:
    """Index of the vertex nearest to a (3,) point, mm; None for a mesh without vertices. The first of equals."""
    point = np.array(point, np.float64)
    chunks = mesh.chunks
    vertex = _nearest(point, mesh.positions, chunks.vertex_offsets, chunks.lower, chunks.upper)
    return None if vertex < 0 else int(vertex)


@kernel
def _nearest(point, positions, offsets, lower, upper):
    best = -1
    best_distance = np.inf
    for c in range(len(lower)):
        to_box = 0.0
        for k in range(3):
            outside = max(lower[c, k] - point[k], point[k] - upper[c, k], 0.0)
            to_box += outside * outside
        if to_box >= best_distance:
            continue
        for v in range(offsets[c], offsets[c + 1]):
            dx, dy, dz = positions[v, 0] - point[0], positions[v, 1] - point[1], positions[v, 2] - point[2]
            distance = dx * dx + dy * dy + dz * dz
            if distance < best_distance:
                best, best_distance = v, distance
    return best
