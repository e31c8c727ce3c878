"""Smoothing over the one-ring: toward its mean (Smooth, and auto-smooth as the second step of any dab), along the
surface only (Relax), without loss of volume (Surface Smooth).

What does not live here: open borders on their own (`borders`).
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import inline_kernel, prange, scaling_kernel
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


def along_start_surface(mesh: Mesh, region: Region, strength: float) -> np.ndarray:
    """Delta toward the mean of the one-ring, kept on the plane that touched the surface at the start of the stroke.

    Needs `region.start_normals`. What is on an open or non-manifold edge stays. Returns (k, 3) float32, mm.
    """
    topology = mesh.topology
    _toward_ring_mean(
        region.vertices, mesh.positions, topology.ring_offsets, topology.ring, topology.boundary, strength, region.delta
    )
    _keep_on_planes(
        region.vertices, mesh.positions, region.start, region.start_normals, topology.boundary, region.delta
    )
    return region.delta


def without_shrinking(mesh: Mesh, region: Region, original: float, own: float, strength: float) -> np.ndarray:
    """Delta of one pass of the HC algorithm (Vollmer, Mencl and Mueller, Improved Laplacian Smoothing of Noisy Surface
    Meshes, 1999): to the mean of the one-ring, then back by the mean of what that took from the vertices there.

    original: their alpha, 0 to 1, how far "back" means the start of the stroke, and not the pass before.
    own: their beta, 0 to 1, the share that a vertex's own loss has in the correction, and not its neighbours'.
    What is outside the region loses nothing. Returns (k, 3) float32, mm.
    """
    if "lost in smoothing" not in mesh.scratch:
        mesh.scratch["lost in smoothing"] = np.zeros((mesh.vertex_count, 3), np.float32)
    topology, lost = mesh.topology, mesh.scratch["lost in smoothing"]  # zero but within this function
    ring = topology.ring_offsets, topology.ring, topology.boundary
    _toward_ring_mean(region.vertices, mesh.positions, *ring, 1.0, region.delta)
    _lose(region.vertices, mesh.positions, region.start, original, region.delta, lost)
    _give_back(region.vertices, lost, *ring, own, strength, region.delta)
    _clear(region.vertices, lost)
    return region.delta


@inline_kernel
def _ring_difference(v, values, ring_offsets, ring, boundary):
    """Mean of the values around a vertex less its own."""
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
    scale = np.float32(1.0 / max(count, 1))
    return dx * scale, dy * scale, dz * scale


@scaling_kernel
def _toward_ring_mean(vertices, values, ring_offsets, ring, boundary, strength, delta):
    for i in prange(len(vertices)):
        dx, dy, dz = _ring_difference(vertices[i], values, ring_offsets, ring, boundary)
        delta[i, 0] = dx * strength
        delta[i, 1] = dy * strength
        delta[i, 2] = dz * strength


@scaling_kernel
def _keep_on_planes(vertices, positions, start, normals, boundary, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        height = np.float32(0)
        for k in range(3):
            height += normals[v, k] * (positions[v, k] + delta[i, k] - start[v, k])
        for k in range(3):
            delta[i, k] = np.float32(0) if boundary[v] else delta[i, k] - height * normals[v, k]


@scaling_kernel
def _lose(vertices, positions, start, original, delta, lost):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        for k in range(3):
            lost[v, k] = delta[i, k] + (positions[v, k] - start[v, k]) * original


@scaling_kernel
def _give_back(vertices, lost, ring_offsets, ring, boundary, own, strength, delta):
    for i in prange(len(vertices)):
        v = vertices[i]
        dx, dy, dz = _ring_difference(v, lost, ring_offsets, ring, boundary)
        # own * lost + (1 - own) * mean around
        delta[i, 0] = (delta[i, 0] - lost[v, 0] - dx * (1.0 - own)) * strength
        delta[i, 1] = (delta[i, 1] - lost[v, 1] - dy * (1.0 - own)) * strength
        delta[i, 2] = (delta[i, 2] - lost[v, 2] - dz * (1.0 - own)) * strength


@scaling_kernel
def _clear(vertices, values):
    for i in prange(len(vertices)):
        for k in range(3):
            values[vertices[i], k] = np.float32(0)
