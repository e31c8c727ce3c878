"""Patches of surface: vertices that have something in common and hang together, with their area.

A wall is not thin because one vertex says so: checks judge by patches, and fly to the worst of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.mesh.jit import kernel, parallel_kernel, prange
from app.mesh.mesh import Mesh


@dataclass(frozen=True, eq=False)
class Patch:
    """vertices: (n,) int32, ascending. area_mm2: a third of every triangle around each of them."""

    vertices: np.ndarray
    area_mm2: float


def patches(mesh: Mesh, chosen: np.ndarray, areas: np.ndarray | None = None) -> list[Patch]:
    """Connected patches of the vertices that a (V,) bool array chooses, largest first.

    areas: (V,) mm², if they are known.
    """
    vertices = np.flatnonzero(chosen).astype(np.int32)
    if not len(vertices):
        return []
    areas = vertex_areas(mesh) if areas is None else areas
    label = _labels(vertices, mesh.vertex_count, mesh.topology.ring_offsets, mesh.topology.ring)
    area = np.bincount(label, weights=areas[vertices])
    order = np.argsort(label, kind="stable")
    parts = np.split(vertices[order], np.flatnonzero(np.diff(label[order])) + 1)
    return [Patch(parts[i], float(area[i])) for i in np.argsort(-area, kind="stable")]


def vertex_areas(mesh: Mesh) -> np.ndarray:
    """(V,) float64, mm²: a third of the area of the triangles around each vertex."""
    return np.bincount(
        mesh.triangles.ravel(), np.repeat(triangle_areas(mesh.positions, mesh.triangles) / 3, 3), mesh.vertex_count
    )


@parallel_kernel
def triangle_areas(positions, triangles):
    """(T,) float64, mm²."""
    out = np.empty(len(triangles))
    for t in prange(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = np.float64(positions[a, 0]), np.float64(positions[a, 1]), np.float64(positions[a, 2])
        ux, uy, uz = positions[b, 0] - ax, positions[b, 1] - ay, positions[b, 2] - az
        vx, vy, vz = positions[c, 0] - ax, positions[c, 1] - ay, positions[c, 2] - az
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        out[t] = 0.5 * np.sqrt(nx * nx + ny * ny + nz * nz)
    return out


@kernel
def _labels(vertices, vertex_count, ring_offsets, ring):
    """(n,) int64: number of the patch of each chosen vertex, counted in the order of their first vertices."""
    number = np.full(vertex_count, -1, np.int64)
    for i in range(len(vertices)):
        number[vertices[i]] = i
    label = np.full(len(vertices), -1, np.int64)
    queue = np.empty(len(vertices), np.int64)
    found = 0
    for first in range(len(vertices)):
        if label[first] >= 0:
            continue
        label[first] = found
        queue[0] = first
        size = 1
        while size > 0:
            size -= 1
            v = vertices[queue[size]]
            for k in range(ring_offsets[v], ring_offsets[v + 1]):
                other = number[ring[k]]
                if other >= 0 and label[other] < 0:
                    label[other] = found
                    queue[size] = other
                    size += 1
        found += 1
    return label
