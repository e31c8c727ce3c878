"""Edges and half-edges of a triangle soup, and what hangs together over them.

A half-edge is one side of a triangle: number 3 t + k runs from corner k of triangle t to its next corner. Any soup will
do: edges with one, two or more triangles, and triangles that name a vertex twice (those have no edges).

What lives here: tables over topology. What does not: repairing what they show (`app.operations`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from app.mesh.jit import kernel


@dataclass(frozen=True, eq=False)
class Edges:
    """All edges of (T, 3) triangles.

    ends: (E, 2) int32, smaller vertex first. offsets: (E + 1,) int64 and halves: (H,) int64, the half-edges of each
    edge, ascending. of_half: (3 T,) int64, the edge of a half-edge, -1 in triangles that name a vertex twice.
    """

    ends: np.ndarray
    offsets: np.ndarray
    halves: np.ndarray
    of_half: np.ndarray

    @classmethod
    def of(cls, triangles: np.ndarray) -> Edges:
        """Build from (T, 3) int triangles; about a second for 1.6 million."""
        start = triangles.ravel().astype(np.int64)
        end = triangles[:, [1, 2, 0]].ravel().astype(np.int64)
        proper = np.repeat(~names_twice(triangles), 3)
        key = (np.minimum(start, end) << 32) | np.maximum(start, end)
        halves = np.flatnonzero(proper)
        halves = halves[np.argsort(key[halves], kind="stable")]
        sorted_key = key[halves]
        first = np.flatnonzero(np.concatenate(([True], sorted_key[1:] != sorted_key[:-1]))) if len(halves) else halves
        offsets = np.append(first, len(halves)).astype(np.int64)
        of_half = np.full(len(start), -1, np.int64)
        of_half[halves] = np.repeat(np.arange(len(first)), np.diff(offsets))
        unique = sorted_key[first]
        ends = np.stack((unique >> 32, unique & 0xFFFFFFFF), axis=1).astype(np.int32)
        return cls(ends, offsets, halves, of_half)

    @property
    def uses(self) -> np.ndarray:
        """(E,) int64: triangles at each edge."""
        return np.diff(self.offsets)

    def open_halves(self) -> np.ndarray:
        """(n,) int64: half-edges that no other triangle shares, ascending."""
        return np.sort(self.halves[self.offsets[:-1][self.uses == 1]])

    def pairs(self) -> np.ndarray:
        """(n, 2) int64: the half-edges of the edges that have exactly two."""
        first = self.offsets[:-1][self.uses == 2]
        return np.stack((self.halves[first], self.halves[first + 1]), axis=1)


def names_twice(triangles: np.ndarray) -> np.ndarray:
    """(T,) bool: triangles that name one vertex twice."""
    a, b, c = triangles.T
    return (a == b) | (b == c) | (c == a)


def shells(triangles: np.ndarray, vertex_count: int) -> tuple[int, np.ndarray]:
    """What hangs together by shared vertices. Returns how many, and (T,) int32 shell of each triangle.

    Shells are numbered by their first triangle.
    """
    if not len(triangles):
        return 0, np.empty(0, np.int32)
    a, b, c = triangles.T
    rows, columns = np.concatenate((a, b)), np.concatenate((b, c))
    graph = coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(vertex_count, vertex_count))
    _, of_vertex = connected_components(graph, directed=False)
    return _by_first(of_vertex[a])


def sheets(triangles: np.ndarray, edges: Edges | None = None) -> tuple[int, np.ndarray]:
    """What hangs together over edges with exactly two triangles. Returns how many, and (T,) int32 as `shells` does."""
    if not len(triangles):
        return 0, np.empty(0, np.int32)
    pairs = (edges or Edges.of(triangles)).pairs() // 3
    graph = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(len(triangles),) * 2)
    return _by_first(connected_components(graph, directed=False)[1])


def _by_first(labels: np.ndarray) -> tuple[int, np.ndarray]:
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first), dtype=np.int32)
    return len(first), rank[inverse]


def open_loops(triangles: np.ndarray) -> list[np.ndarray]:
    """The borders of holes: (n,) int64 half-edges each, in the order in which the triangles run along them.

    A loop follows the fans of triangles, so holes that touch in a vertex share one, and no fan is gone round twice. A
    border that does not close (triangles that face opposite ways) is left out.
    """
    edges = Edges.of(triangles)
    halves = edges.open_halves()
    if not len(halves):
        return []
    following = _following(halves, triangles, edges.offsets, edges.halves, edges.of_half)
    loops, seen = [], np.zeros(len(halves), bool)
    for start in range(len(halves)):
        loop, at = [], start
        while at >= 0 and not seen[at]:
            seen[at] = True
            loop.append(at)
            at = following[at]
        if at == start and len(loop) > 1:
            loops.append(halves[loop])
    return loops


@kernel
def _following(halves, triangles, offsets, edge_halves, of_half):
    """Place of the open half-edge that follows each open half-edge around its hole; -1 where there is none."""
    out = np.full(len(halves), -1, np.int64)
    for i in range(len(halves)):
        # Turn around the vertex at the end, through the triangles of one fan, until an open edge leaves it.
        half = 3 * (halves[i] // 3) + (halves[i] + 1) % 3
        for _ in range(len(edge_halves)):
            edge = of_half[half]
            count = offsets[edge + 1] - offsets[edge]
            if count == 1:
                out[i] = np.searchsorted(halves, half)
                break
            if count > 2:
                break
            other = edge_halves[offsets[edge]]
            if other == half:
                other = edge_halves[offsets[edge] + 1]
            if triangles[other // 3, other % 3] == triangles[half // 3, half % 3]:
                break  # both run the same way: the triangles face opposite ways
            half = 3 * (other // 3) + (other + 1) % 3
    return out
