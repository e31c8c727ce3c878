"""Cutting a soup of triangles so that every edge has at most two triangles and every vertex one fan.

Guéziec, Taubin, Lazarus and Horn, "Converting sets of polygons to manifold surfaces by cutting and stitching", 1998:
say which two half-edges belong together at every edge (`mates`), then give each fan a vertex of its own (`fans`).
At an edge of four or more triangles those are paired that have no other between them, looking along the edge.
"""

from __future__ import annotations

import numpy as np

from app.mesh.edges import Edges
from app.mesh.jit import kernel


def mates(positions: np.ndarray, triangles: np.ndarray, edges: Edges, *, join: bool) -> np.ndarray:
    """(3 T,) int64: the half-edge that continues the surface over each half-edge, -1 where it ends.

    join: at edges of more than two triangles, pair those with air between them, so that what meets there is one body;
    otherwise those with matter between them, so that it falls apart. Triangles of one sheet must face one way.
    """
    return _mates(positions, triangles, edges.ends, edges.offsets, edges.halves, join)


def fans(triangles: np.ndarray, mate: np.ndarray, vertex_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Give each fan a vertex. Returns (T, 3) int32 triangles and (M,) int32, the old vertex of each new one.

    The first fan of a vertex keeps its number; M >= vertex_count.
    """
    return _fans(triangles, mate, vertex_count)


@kernel
def _mates(positions, triangles, ends, offsets, halves, join):
    mate = np.full(3 * len(triangles), -1, np.int64)
    for edge in range(len(ends)):
        first, count = offsets[edge], offsets[edge + 1] - offsets[edge]
        if count == 2:
            a, b = halves[first], halves[first + 1]
            if triangles[a // 3, a % 3] != triangles[b // 3, b % 3]:
                mate[a], mate[b] = b, a
        elif count > 2:
            _pair_around(positions, triangles, ends[edge, 0], ends[edge, 1], halves[first : first + count], join, mate)
    return mate


@kernel
def _pair_around(positions, triangles, low, high, halves, join, mate):
    """Pair half-edges as brackets on the circle around the edge."""
    count = len(halves)
    angle = _angles(positions, triangles, low, high, halves)
    order = np.argsort(angle)
    waiting = np.empty(count, np.int64)
    size = 0
    # A triangle that runs from low to high faces the side of growing angle, so what follows it is air.
    for step in range(2 * count):
        half = halves[order[step % count]]
        if mate[half] >= 0:
            continue
        opens = (triangles[half // 3, half % 3] == low) == join
        if opens:
            if step < count:
                waiting[size] = half
                size += 1
        elif size > 0:
            size -= 1
            mate[half], mate[waiting[size]] = waiting[size], half


@kernel
def _angles(positions, triangles, low, high, halves):
    """(n,) angle of each triangle around the edge from low to high, counted right-handed."""
    axis = np.empty(3)
    for k in range(3):
        axis[k] = np.float64(positions[high, k]) - positions[low, k]
    axis /= np.sqrt((axis * axis).sum())
    u, v = np.zeros(3), np.zeros(3)
    u[np.argmin(np.abs(axis))] = 1.0
    u -= axis * (u * axis).sum()
    u /= np.sqrt((u * u).sum())
    for k in range(3):
        v[k] = axis[(k + 1) % 3] * u[(k + 2) % 3] - axis[(k + 2) % 3] * u[(k + 1) % 3]
    angle = np.empty(len(halves))
    for i in range(len(halves)):
        apex = triangles[halves[i] // 3, (halves[i] + 2) % 3]
        x, y = 0.0, 0.0
        for k in range(3):
            along = np.float64(positions[apex, k]) - positions[low, k]
            x += along * u[k]
            y += along * v[k]
        angle[i] = np.arctan2(y, x)
    return angle


@kernel
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def _fans(triangles, mate, vertex_count):
    corners = 3 * len(triangles)
    parent = np.arange(corners)
    for half in range(corners):
        other = mate[half]
        if other > half:
            after, other_after = 3 * (half // 3) + (half + 1) % 3, 3 * (other // 3) + (other + 1) % 3
            for a, b in ((half, other_after), (after, other)):
                ra, rb = _root(parent, a), _root(parent, b)
                parent[max(ra, rb)] = min(ra, rb)
    out = np.empty_like(triangles)
    given = np.full(corners, -1, np.int32)
    taken = np.zeros(vertex_count, np.bool_)
    old = np.empty(vertex_count + corners, np.int32)
    old[:vertex_count] = np.arange(vertex_count)
    size = vertex_count
    for corner in range(corners):
        root = _root(parent, corner)
        if given[root] < 0:
            vertex = triangles[corner // 3, corner % 3]
            if not taken[vertex]:
                taken[vertex] = True
                given[root] = vertex
            else:
                old[size] = vertex
                given[root] = size
                size += 1
        out[corner // 3, corner % 3] = given[root]
    return out, old[:size].copy()
