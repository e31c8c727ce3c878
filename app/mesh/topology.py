"""Adjacency in compressed sparse rows, valid for any triangle soup, non-manifold edges and loose vertices included.

triangle_offsets (V + 1,) int32, vertex_triangles (3 T,) int32    triangles that use a vertex, ascending
ring_offsets     (V + 1,) int32, ring             (R,)   int32    vertices that share a triangle, ascending, no doubles
boundary         (V,)     uint8                                   1 on an edge with one or more than two triangles
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.mesh.jit import kernel, parallel_kernel, prange

# Rings are built for blocks of vertices, so that threads never share one.
_RING_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class Topology:
    """Adjacency of a mesh; see the module's docstring for the arrays."""

    triangle_offsets: np.ndarray
    vertex_triangles: np.ndarray
    ring_offsets: np.ndarray
    ring: np.ndarray
    boundary: np.ndarray

    @classmethod
    def of(cls, triangles: np.ndarray, vertex_count: int) -> Topology:
        """Build from (T, 3) int32 triangles over `vertex_count` vertices."""
        offsets, vertex_triangles = _triangles_of_vertices(triangles, vertex_count)
        ring_offsets, ring, boundary = _rings(triangles, offsets, vertex_triangles)
        return cls(offsets, vertex_triangles, ring_offsets, ring, boundary)


@kernel
def _triangles_of_vertices(triangles, vertex_count):
    offsets = np.zeros(vertex_count + 1, np.int32)
    for t in range(len(triangles)):
        for k in range(3):
            offsets[triangles[t, k] + 1] += 1
    for v in range(vertex_count):
        offsets[v + 1] += offsets[v]
    cursor = offsets[:-1].copy()
    out = np.empty(3 * len(triangles), np.int32)
    for t in range(len(triangles)):
        for k in range(3):
            v = triangles[t, k]
            out[cursor[v]] = t
            cursor[v] += 1
    return offsets, out


@kernel
def _sorted_neighbours(vertex, triangles, offsets, vertex_triangles, found):
    """Fill `found` with the other corners around a vertex, ascending, doubles included; return how many."""
    count = 0
    for i in range(offsets[vertex], offsets[vertex + 1]):
        t = vertex_triangles[i]
        for k in range(3):
            other = triangles[t, k]
            if other == vertex:
                continue
            place = count
            while place > 0 and found[place - 1] > other:
                found[place] = found[place - 1]
                place -= 1
            found[place] = other
            count += 1
    return count


@parallel_kernel
def _rings(triangles, offsets, vertex_triangles):
    vertex_count = len(offsets) - 1
    widest = 0
    for v in range(vertex_count):
        widest = max(widest, offsets[v + 1] - offsets[v])
    sizes = np.zeros(vertex_count + 1, np.int32)
    boundary = np.zeros(vertex_count, np.uint8)
    # Neighbours are gathered with doubles into a list as wide as twice the triangles, then packed.
    loose = np.empty(2 * len(vertex_triangles), np.int32)
    blocks = (vertex_count + _RING_BLOCK - 1) // _RING_BLOCK
    for block in prange(blocks):
        found = np.empty(2 * widest + 1, np.int32)
        for v in range(block * _RING_BLOCK, min(vertex_count, (block + 1) * _RING_BLOCK)):
            count = _sorted_neighbours(v, triangles, offsets, vertex_triangles, found)
            start = 2 * offsets[v]
            size = 0
            i = 0
            while i < count:
                run = 1
                while i + run < count and found[i + run] == found[i]:
                    run += 1
                # An inner edge is seen once from each of its two triangles.
                if run != 2:
                    boundary[v] = 1
                loose[start + size] = found[i]
                size += 1
                i += run
            sizes[v + 1] = size
    ring_offsets = np.cumsum(sizes).astype(np.int32)
    ring = np.empty(ring_offsets[vertex_count], np.int32)
    for block in prange(blocks):
        for v in range(block * _RING_BLOCK, min(vertex_count, (block + 1) * _RING_BLOCK)):
            for i in range(ring_offsets[v + 1] - ring_offsets[v]):
                ring[ring_offsets[v] + i] = loose[2 * offsets[v] + i]
    return ring_offsets, ring, boundary
