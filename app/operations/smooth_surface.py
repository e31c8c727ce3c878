"""Smooth: evens out bumps all over and keeps the volume."""

from __future__ import annotations

import numpy as np

from app.mesh.jit import parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.mesh.normals import vertex_normals
from app.mesh.transform import with_positions
from app.operations.operation import Number, Progress, operation
from app.preflight.counts import volume_of

# Taubin, A signal processing approach to fair surface design, 1995: a step inward, then a slightly longer one outward.
# 1 / inward + 1 / outward = 0.1 is the frequency below which nothing is lost.
_INWARD = 0.5
_OUTWARD = -1.0 / (1.0 / _INWARD - 0.1)
_MOST_PASSES = 60


@operation(
    id="smooth_surface",
    label="Smooth",
    group="Density",
    tooltip="Evens out bumps all over the model and keeps its volume; what is masked stays",
    parameters=(Number("strength", "Strength", "%", 1.0, 100.0, 20.0, "How many times bumps are evened out"),),
    order=50,
)
def smooth_surface(mesh: Mesh, progress: Progress, *, strength: float) -> Mesh:
    """Open rims, and edges where more than two triangles meet, stay where they are."""
    passes = max(1, round(_MOST_PASSES * strength / 100))
    topology = mesh.topology
    free = np.where(topology.boundary == 1, np.float32(0), 1 - mesh.mask.clip(0, 1)).astype(np.float32)
    positions, other = mesh.positions.copy(), np.empty_like(mesh.positions)
    for number in range(passes):
        progress(number / passes, "Smoothing")
        _toward_ring_mean(positions, topology.ring_offsets, topology.ring, free, _INWARD, other)
        _toward_ring_mean(other, topology.ring_offsets, topology.ring, free, _OUTWARD, positions)
    return with_positions(mesh, _with_volume_of(mesh, positions, free))


def _with_volume_of(mesh: Mesh, positions: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Positions moved outward or inward, all by the same distance, until the volume is again that of the mesh.

    Taubin's two steps make round things a little larger. Open surfaces have no volume to keep.
    """
    if (mesh.topology.boundary == 1).any():
        return positions
    normals = vertex_normals(positions, mesh.triangles, mesh.topology)
    corners = positions[mesh.triangles].astype(np.float64)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    area = float((areas * free[mesh.triangles].mean(axis=1)).sum())
    missing = volume_of(mesh.positions, mesh.triangles) - volume_of(positions, mesh.triangles)
    return positions + normals * (free * np.float32(missing / area if area > 0 else 0))[:, None]


@parallel_kernel
def _toward_ring_mean(positions, offsets, ring, free, step, out):
    for v in prange(len(positions)):
        start, stop = offsets[v], offsets[v + 1]
        x, y, z = 0.0, 0.0, 0.0
        for i in range(start, stop):
            x += positions[ring[i], 0]
            y += positions[ring[i], 1]
            z += positions[ring[i], 2]
        part = step * free[v]
        count = max(stop - start, 1)
        if stop == start:
            part = 0.0
        out[v, 0] = positions[v, 0] + part * (x / count - positions[v, 0])
        out[v, 1] = positions[v, 1] + part * (y / count - positions[v, 1])
        out[v, 2] = positions[v, 2] + part * (z / count - positions[v, 2])
