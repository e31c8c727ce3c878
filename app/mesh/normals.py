"""Vertex normals, area weighted: the normalised sum of the cross products of the triangles around a vertex.

Refreshed once per frame over all vertices that moved and their one ring, because a moved vertex tilts the triangles of
its neighbours too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.mesh.jit import inline_kernel, parallel_kernel, prange, scaling_kernel
from app.mesh.topology import Topology

if TYPE_CHECKING:
    from app.mesh.mesh import Mesh

_MOVED, _NEIGHBOUR = 1, 2
_BLOCK = 1024


def vertex_normals(positions: np.ndarray, triangles: np.ndarray, topology: Topology) -> np.ndarray:
    """All vertex normals. Returns (V, 3) float32; (0, 0, 1) where no triangle with an area is attached."""
    normals = np.empty((len(positions), 3), np.float32)
    _all_normals(positions, triangles, topology.triangle_offsets, topology.vertex_triangles, normals)
    return normals


def refresh_normals(mesh: Mesh) -> None:
    """Recompute the normals of moved vertices and their one ring; mark the chunks they lie in dirty."""
    stale = np.flatnonzero(mesh.chunks.moved)
    if not len(stale):
        return
    topology, chunks = mesh.topology, mesh.chunks
    ring_chunks = np.zeros(chunks.count, np.uint8)
    _mark_rings.pick(len(stale) * chunks.size)(
        stale, chunks.vertex_offsets, mesh.moved, topology.ring_offsets, topology.ring, chunks.size, ring_chunks
    )
    dirty = np.flatnonzero(ring_chunks)
    _refresh_marked.pick(len(dirty) * chunks.size)(
        dirty,
        chunks.vertex_offsets,
        mesh.moved,
        mesh.positions,
        mesh.triangles,
        topology.triangle_offsets,
        topology.vertex_triangles,
        mesh.normals,
    )
    mesh.dirty["normals"][dirty] = 1
    # A chunk whose triangles use a moved vertex holds one of that vertex's ring.
    chunks.triangle_boxes_stale[dirty] = 1
    chunks.moved[stale] = 0


@inline_kernel
def _normal(vertex, positions, triangles, offsets, vertex_triangles, normals):
    x = np.float32(0)
    y = np.float32(0)
    z = np.float32(0)
    for i in range(offsets[vertex], offsets[vertex + 1]):
        # Unsigned, an index cannot count from the end: no check for that. With no branch at the end, twice as fast.
        t = np.uint32(vertex_triangles[i])
        a = np.uint32(triangles[t, 0])
        b = np.uint32(triangles[t, 1])
        c = np.uint32(triangles[t, 2])
        ux = positions[b, 0] - positions[a, 0]
        uy = positions[b, 1] - positions[a, 1]
        uz = positions[b, 2] - positions[a, 2]
        vx = positions[c, 0] - positions[a, 0]
        vy = positions[c, 1] - positions[a, 1]
        vz = positions[c, 2] - positions[a, 2]
        x += uy * vz - uz * vy
        y += uz * vx - ux * vz
        z += ux * vy - uy * vx
    # In float64, for the square of an area is no float32 where triangles are kilometres large, or atoms.
    wide_x, wide_y, wide_z = np.float64(x), np.float64(y), np.float64(z)
    length = np.sqrt(wide_x * wide_x + wide_y * wide_y + wide_z * wide_z)
    scale = 1.0 / length if length > 0 else 0.0
    normals[vertex, 0] = wide_x * scale
    normals[vertex, 1] = wide_y * scale
    normals[vertex, 2] = wide_z * scale if length > 0 else 1.0


@parallel_kernel
def _all_normals(positions, triangles, offsets, vertex_triangles, normals):
    count = len(positions)
    for block in prange((count + _BLOCK - 1) // _BLOCK):
        for vertex in range(block * _BLOCK, min(count, (block + 1) * _BLOCK)):
            _normal(vertex, positions, triangles, offsets, vertex_triangles, normals)


@scaling_kernel
def _mark_rings(stale, vertex_offsets, moved, ring_offsets, ring, chunk_size, ring_chunks):
    # Threads may write the same flag: always the same value, so the outcome is the same.
    for i in prange(len(stale)):
        chunk = stale[i]
        for vertex in range(vertex_offsets[chunk], vertex_offsets[chunk + 1]):
            if moved[vertex] == _MOVED:
                ring_chunks[chunk] = 1
                for k in range(ring_offsets[vertex], ring_offsets[vertex + 1]):
                    other = np.uint32(ring[k])
                    if moved[other] == 0:
                        moved[other] = _NEIGHBOUR
                        ring_chunks[other // np.uint32(chunk_size)] = 1


@scaling_kernel
def _refresh_marked(dirty, vertex_offsets, moved, positions, triangles, offsets, vertex_triangles, normals):
    for i in prange(len(dirty)):
        chunk = dirty[i]
        for vertex in range(vertex_offsets[chunk], vertex_offsets[chunk + 1]):
            if moved[vertex] != 0:
                moved[vertex] = 0
                _normal(vertex, positions, triangles, offsets, vertex_triangles, normals)
