"""Detail: how far the surface stands out from a smoothed copy of itself, as it was when the stroke began.

It stays the same during a stroke, so it is looked up over two rings once for each vertex, and kept beside the mesh.
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import inline_kernel, prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.region import Region


def toward_detail(mesh: Mesh, region: Region, amount: float, rate: float) -> np.ndarray:
    """Delta by a part `rate` of the way to the surface at the start of the stroke plus `amount` times its detail.

    Detail is what two passes of averaging over the one-ring take away, along the normal at the start of the stroke
    (`region.start_normals`). The goal does not move, so that repeated dabs end there. Returns (k, 3) float32.
    """
    if "detail" not in mesh.scratch:
        mesh.scratch["detail"] = np.empty(mesh.vertex_count, np.float32), np.zeros(mesh.vertex_count, np.int32)
    topology, (detail, known_at) = mesh.topology, mesh.scratch["detail"]
    _find_detail(
        region.vertices,
        mesh.positions,
        region.start,
        region.saved_at,
        region.saving,
        region.start_normals,
        topology.ring_offsets,
        topology.ring,
        topology.boundary,
        detail,
        known_at,
    )
    _toward_detail(
        region.vertices, mesh.positions, region.start, region.start_normals, detail, amount, rate, region.delta
    )
    return region.delta


@inline_kernel
def _height(q, v, positions, start, saved_at, saving, normals):
    """mm by which `q` stood above `v` at the start of the stroke, along the normal of `v`."""
    # Numbers are chosen between, not arrays: those would be counted as in use and let go of, each time.
    saved = saved_at[q] == saving
    x = start[q, 0] if saved else positions[q, 0]
    y = start[q, 1] if saved else positions[q, 1]
    z = start[q, 2] if saved else positions[q, 2]
    return (x - start[v, 0]) * normals[v, 0] + (y - start[v, 1]) * normals[v, 1] + (z - start[v, 2]) * normals[v, 2]


@scaling_kernel
def _find_detail(vertices, positions, start, saved_at, saving, normals, offsets, ring, boundary, detail, known_at):
    """Where this stroke has not asked before. A vertex on a border looks along the border only, as in `smoothing`."""
    for i in prange(len(vertices)):
        v = vertices[i]
        if known_at[v] == saving:
            continue
        smoothed = 0.0
        means = 0
        for k in range(offsets[v], offsets[v + 1]):
            near = ring[k]
            if boundary[v] and not boundary[near]:
                continue
            total = 0.0
            count = 0
            for j in range(offsets[near], offsets[near + 1]):
                far = ring[j]
                if boundary[near] and not boundary[far]:
                    continue
                total += _height(far, v, positions, start, saved_at, saving, normals)
                count += 1
            if count:
                smoothed += total / count
                means += 1
        detail[v] = -smoothed / means if means else 0.0
        known_at[v] = saving


@scaling_kernel
def _toward_detail(vertices, positions, start, normals, detail, amount, rate, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        height = 0.0
        for k in range(3):
            height += (positions[v, k] - start[v, k]) * normals[v, k]
        for k in range(3):
            delta[i, k] = (amount * detail[v] - height) * rate * normals[v, k]
