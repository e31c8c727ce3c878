"""Detail: how far the surface stands out from a smoothed copy of itself, as it was when the stroke began."""

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
    topology = mesh.topology
    _toward_detail(
        region.vertices,
        mesh.positions,
        region.start,
        region.saved_at,
        region.saving,
        region.start_normals,
        topology.ring_offsets,
        topology.ring,
        topology.boundary,
        amount,
        rate,
        region.delta,
    )
    return region.delta


@inline_kernel
def _height(q, v, positions, start, saved_at, saving, normals):
    """mm by which `q` stood above `v` at the start of the stroke, along the normal of `v`."""
    values = start if saved_at[q] == saving else positions
    return (
        (values[q, 0] - start[v, 0]) * normals[v, 0]
        + (values[q, 1] - start[v, 1]) * normals[v, 1]
        + (values[q, 2] - start[v, 2]) * normals[v, 2]
    )


@scaling_kernel
def _toward_detail(vertices, positions, start, saved_at, saving, normals, offsets, ring, boundary, amount, rate, delta):
    """A vertex on a border looks along the border only, as in `smoothing`."""
    for i in prange(len(vertices)):
        v = vertices[i]
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
        height = 0.0
        for k in range(3):
            height += (positions[v, k] - start[v, k]) * normals[v, k]
        detail = -smoothed / means if means else 0.0
        for k in range(3):
            delta[i, k] = (amount * detail - height) * rate * normals[v, k]
