"""Smoothing toward the mean of the one-ring: the Smooth brush, and auto-smooth as the second step of any dab."""

from __future__ import annotations

import numpy as np

from app.mesh.jit import prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.region import Region

# Strength 1 is so many full passes, as in Blender.
_FULL_PASSES = 4


def smoothing_passes(strength: float) -> list[float]:
    """Strengths of the passes of one dab: full ones, then the rest."""
    whole, rest = divmod(_FULL_PASSES * strength, 1.0)
    return [1.0] * int(whole) + ([rest] if rest > 0 else [])


def toward_ring_mean(mesh: Mesh, region: Region, values: np.ndarray, strength: float) -> np.ndarray:
    """Delta of (V, 3) float32 values toward the mean of the one-ring. Returns (k, 3) float32.

    A vertex on an open or non-manifold edge looks at such neighbours only, so that open borders do not shrink inward.
    """
    topology = mesh.topology
    _toward_ring_mean(
        region.vertices, values, topology.ring_offsets, topology.ring, topology.boundary, strength, region.delta
    )
    return region.delta


@scaling_kernel
def _toward_ring_mean(vertices, values, ring_offsets, ring, boundary, strength, delta):
    for i in prange(len(vertices)):
        v = vertices[i]
        on_boundary = boundary[v]
        x, y, z = values[v, 0], values[v, 1], values[v, 2]
        # Differences are small, so float32 sums lose nothing.
        dx = np.float32(0)
        dy = np.float32(0)
        dz = np.float32(0)
        count = 0
        for k in range(ring_offsets[v], ring_offsets[v + 1]):
            other = ring[k]
            if on_boundary and not boundary[other]:
                continue
            dx += values[other, 0] - x
            dy += values[other, 1] - y
            dz += values[other, 2] - z
            count += 1
        scale = np.float32(strength / count) if count else np.float32(0)
        delta[i, 0] = dx * scale
        delta[i, 1] = dy * scale
        delta[i, 2] = dz * scale
