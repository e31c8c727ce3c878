"""Where the defects are that `counts` counts, so that a click can fly there and a repair can be proposed.

Only called where there is something to find, so it may take as long as counting does.
"""

from __future__ import annotations

import numpy as np

from app.mesh.edges import Edges, names_twice
from app.mesh.jit import kernel, parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.preflight.counts import sort_first

_BLOCK = 4096


def open_edges(mesh: Mesh) -> np.ndarray:
    """(n, 2) int32: ends of edges with one triangle."""
    edges = Edges.of(_around_borders(mesh))
    return _inner_ends(edges, edges.uses == 1, mesh)


def non_manifold_edges(mesh: Mesh) -> np.ndarray:
    """(n, 2) int32: ends of edges with more than two triangles."""
    edges = Edges.of(_around_borders(mesh))
    return _inner_ends(edges, edges.uses > 2, mesh)


def winding_conflicts(mesh: Mesh) -> np.ndarray:
    """(n, 2) int32: ends of edges along which both triangles run the same way."""
    edges = Edges.of(mesh.triangles)
    two = np.flatnonzero(edges.uses == 2)
    start = mesh.triangles.ravel()
    first, second = edges.halves[edges.offsets[two]], edges.halves[edges.offsets[two] + 1]
    return edges.ends[two[start[first] == start[second]]]


def degenerate_triangles(mesh: Mesh) -> np.ndarray:
    """(n,) int64: triangles that name a vertex twice, or have three corners on a line."""
    corners = mesh.positions[mesh.triangles].astype(np.float64)
    # Differences of float32 and their products are exact in float64: no area means exactly that.
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.flatnonzero(names_twice(mesh.triangles) | ~across.any(axis=1))


def duplicate_triangles(mesh: Mesh) -> np.ndarray:
    """(n,) int64: triangles that use the same three vertices as an earlier one."""
    rows = np.flatnonzero(~names_twice(mesh.triangles))
    names = np.sort(mesh.triangles[rows], axis=1).astype(np.int64)
    order = np.lexsort((rows, names[:, 2], names[:, 1], names[:, 0]))
    same = (np.diff(names[order], axis=0) == 0).all(axis=1)
    return np.sort(rows[order[1:][same]])


def bow_ties(mesh: Mesh) -> np.ndarray:
    """(n,) int32: vertices at which the triangles do not form one fan over shared edges, as where two cones touch."""
    topology = mesh.topology
    return np.flatnonzero(_fans(mesh.triangles, topology.triangle_offsets, topology.vertex_triangles) > 1).astype(
        np.int32
    )


def _around_borders(mesh: Mesh) -> np.ndarray:
    """(n, 3) int32: triangles at vertices that lie on an edge without exactly two triangles."""
    if names_twice(mesh.triangles).any():
        return mesh.triangles  # such triangles can hide a border from the topology's marks
    return mesh.triangles[mesh.topology.boundary[mesh.triangles].any(axis=1)]


def _inner_ends(edges: Edges, chosen: np.ndarray, mesh: Mesh) -> np.ndarray:
    """Ends of chosen edges; those at the rim of the cut-out look open and are not."""
    ends = edges.ends[chosen]
    if names_twice(mesh.triangles).any():
        return ends
    return ends[mesh.topology.boundary[ends].all(axis=1)]


@parallel_kernel
def _fans(triangles, offsets, vertex_triangles):
    """(V,) int32: how many groups the triangles around each vertex form, hanging together by edges at the vertex."""
    vertex_count = len(offsets) - 1
    out = np.zeros(vertex_count, np.int32)
    for block in prange((vertex_count + _BLOCK - 1) // _BLOCK):
        last = min(vertex_count, (block + 1) * _BLOCK)
        widest = 0
        for v in range(block * _BLOCK, last):
            widest = max(widest, offsets[v + 1] - offsets[v])
        ends = np.empty(2 * widest, np.int64)
        parent = np.empty(widest, np.int64)
        for v in range(block * _BLOCK, last):
            out[v] = _groups(v, triangles, offsets, vertex_triangles, ends, parent)
    return out


@kernel
def _groups(v, triangles, offsets, vertex_triangles, ends, parent):
    count = 0
    groups = 0
    for i in range(offsets[v], offsets[v + 1]):
        t = vertex_triangles[i]
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if a == b or b == c or c == a:
            continue
        parent[groups] = groups
        for k in range(3):
            other = triangles[t, k]
            if other != v:
                # The other end of an edge in the upper bits, so that sorting brings the triangles of an edge together.
                ends[count] = (np.int64(other) << 32) | groups
                count += 1
        groups += 1
    sort_first(ends, count)
    left = groups
    for i in range(1, count):
        if ends[i] >> 32 == ends[i - 1] >> 32:
            first, second = _top(parent, ends[i - 1] & 0xFFFFFFFF), _top(parent, ends[i] & 0xFFFFFFFF)
            if first != second:
                parent[second] = first
                left -= 1
    return left


@kernel
def _top(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i
