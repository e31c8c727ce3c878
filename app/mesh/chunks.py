"""Chunks: contiguous ranges of vertices that lie close together, each with a bounding box.

Vertices are stored along a Hilbert curve (`build`), so every `size` consecutive vertices are a compact patch. Triangles
are sorted by their smallest vertex, so the triangles that *belong* to a chunk are one range too. The boxes of vertices
serve brush queries and are exact at all times; the boxes of triangles serve ray casts and are renewed when asked for.
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import kernel, parallel_kernel, prange, scaling_kernel

CHUNK_VERTICES = 1024


class Chunks:
    """Bounding boxes over a mesh.

    vertex_offsets   (C + 1,) int64   vertices of chunk c are vertex_offsets[c] to vertex_offsets[c + 1]
    triangle_offsets (C + 1,) int64   triangles whose smallest vertex lies in chunk c
    lower, upper     (C, 3) float32   mm, box of the chunk's vertices
    triangle_lower, triangle_upper (C, 3) float32   mm, box of the chunk's triangles
    moved            (C,) uint8       1 where positions changed since the last refresh of the normals
    """

    def __init__(self, vertex_offsets: np.ndarray, triangle_offsets: np.ndarray, size: int) -> None:
        self.size = size
        self.count = len(vertex_offsets) - 1
        self.vertex_offsets, self.triangle_offsets = vertex_offsets, triangle_offsets
        self.lower = np.zeros((self.count, 3), np.float32)
        self.upper = np.zeros((self.count, 3), np.float32)
        self.triangle_lower = np.zeros((self.count, 3), np.float32)
        self.triangle_upper = np.zeros((self.count, 3), np.float32)
        self.triangle_boxes_stale = np.ones(self.count, np.uint8)
        self.moved = np.zeros(self.count, np.uint8)

    @classmethod
    def of(cls, positions: np.ndarray, triangles: np.ndarray, size: int = CHUNK_VERTICES) -> Chunks:
        """Chunks over (V, 3) positions and (T, 3) triangles sorted by their smallest vertex."""
        vertex_count = len(positions)
        count = (vertex_count + size - 1) // size
        vertex_offsets = np.minimum(np.arange(count + 1, dtype=np.int64) * size, vertex_count)
        triangle_offsets = _triangle_offsets(triangles, vertex_offsets)
        chunks = cls(vertex_offsets, triangle_offsets, size)
        _vertex_boxes.parallel(positions, vertex_offsets, np.arange(count), chunks.lower, chunks.upper)
        return chunks

    def of_vertices(self, vertices: np.ndarray) -> np.ndarray:
        """Chunks that hold any of these ascending vertices. Returns (n,) int64, ascending."""
        return _chunks_of_sorted(vertices, self.size, self.count)

    def refresh(self, positions: np.ndarray, chunks: np.ndarray) -> None:
        """Renew the vertex boxes of these chunks after their vertices moved."""
        _vertex_boxes.pick(len(chunks) * self.size)(positions, self.vertex_offsets, chunks, self.lower, self.upper)
        self.moved[chunks] = 1

    def refresh_triangle_boxes(self, positions: np.ndarray, triangles: np.ndarray) -> None:
        """Renew those boxes of triangles that went stale."""
        stale = np.flatnonzero(self.triangle_boxes_stale)
        if len(stale):
            _triangle_boxes(
                positions, triangles, self.triangle_offsets, stale, self.triangle_lower, self.triangle_upper
            )
            self.triangle_boxes_stale[stale] = 0


@kernel
def _triangle_offsets(triangles, vertex_offsets):
    count = len(vertex_offsets) - 1
    offsets = np.zeros(count + 1, np.int64)
    chunk = 0
    for t in range(len(triangles)):
        smallest = min(triangles[t, 0], triangles[t, 1], triangles[t, 2])
        while smallest >= vertex_offsets[chunk + 1]:
            chunk += 1
            offsets[chunk] = t
    for c in range(chunk + 1, count + 1):
        offsets[c] = len(triangles)
    return offsets


@kernel
def _chunks_of_sorted(vertices, size, count):
    out = np.empty(min(count, len(vertices)), np.int64)
    found = 0
    end = 0  # a compare per vertex instead of a division
    for i in range(len(vertices)):
        if vertices[i] >= end:
            chunk = vertices[i] // size
            out[found] = chunk
            found += 1
            end = (chunk + 1) * size
    return out[:found]


@scaling_kernel
def _vertex_boxes(positions, vertex_offsets, chunks, lower, upper):
    for i in prange(len(chunks)):
        c = chunks[i]
        start = vertex_offsets[c]
        low_x = high_x = positions[start, 0]
        low_y = high_y = positions[start, 1]
        low_z = high_z = positions[start, 2]
        for v in range(start + 1, vertex_offsets[c + 1]):
            x, y, z = positions[v, 0], positions[v, 1], positions[v, 2]
            low_x = min(low_x, x)
            low_y = min(low_y, y)
            low_z = min(low_z, z)
            high_x = max(high_x, x)
            high_y = max(high_y, y)
            high_z = max(high_z, z)
        lower[c, 0] = low_x
        lower[c, 1] = low_y
        lower[c, 2] = low_z
        upper[c, 0] = high_x
        upper[c, 1] = high_y
        upper[c, 2] = high_z


@parallel_kernel
def _triangle_boxes(positions, triangles, triangle_offsets, chunks, lower, upper):
    for i in prange(len(chunks)):
        c = chunks[i]
        for k in range(3):
            low = np.float32(np.inf)
            high = np.float32(-np.inf)
            for t in range(triangle_offsets[c], triangle_offsets[c + 1]):
                for corner in range(3):
                    value = positions[triangles[t, corner], k]
                    low = min(low, value)
                    high = max(high, value)
            lower[c, k] = low
            upper[c, k] = high
