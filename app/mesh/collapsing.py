"""Fewer triangles: edges are collapsed into points, the cheapest first (`quadrics`), until as many are left as wanted.

A collapse is refused where it would change what the surface is (link condition: a closed surface stays closed and
manifold, a hole keeps its rim), turn a triangle over, or make a needle. Vertices where more than two triangles share an
edge, or two sheets a point, stay where they are.

Corners are linked per vertex: `first[v]` is a corner 3 t + k of vertex v, `following[corner]` the next one of the same
vertex; dead triangles have a first corner of -1 and are skipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from app.mesh.jit import inline_kernel, kernel, parallel_kernel, prange
from app.mesh.quadrics import LOCKED, RIMMED, best_point, cross, vertex_quadrics
from app.mesh.splitting import edge_rings
from app.mesh.topology import Topology

_BUCKETS = 1 << 15
# How much later, in buckets, a refused collapse is tried again: at four times its cost.
_LATER = 256
# Cosine of the most that a triangle's normal may turn in one collapse.
_MOST_TURN = 0.2
# Height by longest side below which a triangle is a needle.
_NEEDLE = 0.1
_MOST_AROUND = 256
_SLICES = 24


def collapse_to_count(
    positions: np.ndarray, triangles: np.ndarray, count: int, progress: Callable[[float, str], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Collapse edges until there are `count` triangles, or as near above as can be reached.

    positions: (V, 3) float32, mm. triangles: (T, 3) int32, none of which names a vertex twice. Returns new positions,
    vertices without triangles included, and new triangles. A collapse takes two triangles away, at an open edge one.
    """
    progress(0.0, "Measuring the surface")
    work = _Work(positions, triangles)
    before = len(triangles)
    for part in range(1, _SLICES + 1):
        progress(0.2 + 0.8 * (part - 1) / _SLICES, "Reducing triangles")
        work.run(before - (before - count) * part // _SLICES, count)
    return work.result()


def collapse_to_length(
    positions: np.ndarray, triangles: np.ndarray, shortest: float, longest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Collapse edges shorter than `shortest`, the shortest first, as long as none gets longer than `longest`, mm."""
    work = _Work(positions, triangles, shortest, longest)
    work.run(0, 0)
    return work.result()


class _Work:
    """The arrays of a reduction in progress."""

    def __init__(
        self, positions: np.ndarray, triangles: np.ndarray, shortest: float = 0.0, longest: float = np.inf
    ) -> None:
        topology = Topology.of(triangles, len(positions))
        across = edge_rings(triangles, topology)
        self.center = (positions.min(axis=0).astype(np.float64) + positions.max(axis=0)) / 2
        self.points = positions - self.center
        self.triangles = triangles.copy()
        self.kind = _kinds(triangles, across, topology.triangle_offsets, topology.vertex_triangles)
        self.quadrics = vertex_quadrics(
            self.points, triangles, across, topology.triangle_offsets, topology.vertex_triangles
        )
        self.first, self.following, self.valence = _corner_lists(triangles, len(positions))
        self.version = np.zeros(len(positions), np.int32)
        self.mark = np.zeros(len(positions), np.int32)
        # Triangles alive, stamp, free entry, entries in use, lowest bucket.
        self.state = np.array([len(triangles), 0, -1, 0, _BUCKETS])
        self.heads = np.full(_BUCKETS, -1, np.int32)
        self.shortest2, self.longest2 = float(shortest * shortest), float(longest * longest)
        costs = _edge_costs(self.points, triangles, across, self.quadrics, self.kind, self.shortest2)
        self.entries = _fill_queue(costs, triangles, self.heads, self.state)

    def run(self, stop: int, target: int) -> None:
        self.entries = _run(
            self.points,
            self.triangles,
            self.quadrics,
            self.kind,
            self.first,
            self.following,
            self.valence,
            self.version,
            self.mark,
            self.heads,
            self.entries,
            self.state,
            stop,
            target,
            self.shortest2,
            self.longest2,
        )

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        alive = self.triangles[:, 0] >= 0
        return (self.points + self.center).astype(np.float32), np.ascontiguousarray(self.triangles[alive])


@parallel_kernel
def _kinds(triangles, across, offsets, vertex_triangles):
    """(V,) uint8: free inside a surface, on an open rim, or locked because the surface is no surface there."""
    kind = np.zeros(len(offsets) - 1, np.uint8)
    for v in prange(len(kind)):
        open_edges, strange, around = 0, False, offsets[v + 1] - offsets[v]
        start = np.int64(-1)
        for i in range(offsets[v], offsets[v + 1]):
            t = np.int64(vertex_triangles[i])
            for k in range(3):
                if triangles[t, k] != v:
                    continue
                leaving, coming = 3 * t + k, 3 * t + (k + 2) % 3
                if start < 0 or across[leaving] == leaving:
                    start = leaving
                for half in (leaving, coming):
                    other = np.int64(across[half])
                    if other == half:
                        open_edges += 1
                    elif across[other] != half or triangles[other // 3, other % 3] == triangles[half // 3, half % 3]:
                        strange = True
        # One fan only: walking around from the start comes past all triangles.
        seen, spoke = 0, start
        while not strange and spoke >= 0 and seen < around:
            seen += 1
            coming = spoke - 1 if spoke % 3 else spoke + 2
            spoke = np.int64(across[coming])
            if spoke in (coming, start):
                break
        if strange or seen != around or open_edges > 2:
            kind[v] = LOCKED
        elif open_edges:
            kind[v] = RIMMED
    return kind


@kernel
def _corner_lists(triangles, vertex_count):
    first = np.full(vertex_count, -1, np.int32)
    following = np.empty(3 * len(triangles), np.int32)
    valence = np.zeros(vertex_count, np.int32)
    for t in range(len(triangles) - 1, -1, -1):
        for k in range(3):
            v = triangles[t, k]
            following[3 * t + k] = first[v]
            first[v] = 3 * t + k
            valence[v] += 1
    return first, following, valence


@kernel
def _cost(points, quadrics, kind, a, b, shortest2):
    """What decides when an edge's turn is: what it costs or, with a limit, its squared length; -1 for not at all."""
    if kind[a] == LOCKED or kind[b] == LOCKED:
        return -1.0
    if shortest2 == 0.0:
        return best_point(points, quadrics, kind, a, b)[3]
    ex, ey, ez = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
    length2 = ex * ex + ey * ey + ez * ez
    return length2 if length2 < shortest2 else -1.0


@parallel_kernel
def _edge_costs(points, triangles, across, quadrics, kind, shortest2):
    """(3 T,) float64: cost of the edge of each half-edge; -1 where another one stands for it or it must stay."""
    costs = np.full(3 * len(triangles), -1.0)
    for half in prange(len(costs)):
        a, b = triangles[half // 3, half % 3], triangles[half // 3, (half % 3 + 1) % 3]
        if across[half] >= half:
            costs[half] = _cost(points, quadrics, kind, a, b, shortest2)
    return costs


@inline_kernel
def _bucket(cost):
    # Steps of 0.8 percent.
    whole, exponent = math.frexp(cost)
    return min(max((exponent + 190) * 128 + np.int64((whole - 0.5) * 256), 0), _BUCKETS - 1)


@kernel
def _push(entries, heads, state, place, a, b, version):
    entry = state[2]
    if entry >= 0:
        state[2] = entries[entry, 3]
    else:
        entry = state[3]
        state[3] += 1
    entries[entry, 0], entries[entry, 1], entries[entry, 2], entries[entry, 3] = a, b, version, heads[place]
    heads[place] = entry
    state[4] = min(state[4], place)


@kernel
def _fill_queue(costs, triangles, heads, state):
    count = 0
    for half in range(len(costs)):
        count += costs[half] >= 0.0
    entries = np.empty((count + count // 4 + 4 * _MOST_AROUND, 4), np.int32)
    for half in range(len(costs) - 1, -1, -1):
        if costs[half] >= 0.0:
            a, b = triangles[half // 3, half % 3], triangles[half // 3, (half % 3 + 1) % 3]
            _push(entries, heads, state, _bucket(costs[half]), a, b, 0)
    return entries


@kernel
def _neighbours(triangles, first, following, mark, stamp, v, ring):
    """Fill `ring` with the vertices around v, marked with `stamp`; how many, or -1 for too many."""
    count = 0
    corner = first[v]
    while corner >= 0:
        t = corner // 3
        if triangles[t, 0] >= 0:
            for k in range(1, 3):
                other = triangles[t, (corner % 3 + k) % 3]
                if mark[other] != stamp:
                    if count == len(ring):
                        return -1
                    mark[other] = stamp
                    ring[count] = other
                    count += 1
        corner = following[corner]
    return count


@kernel
def _keeps_the_surface(triangles, first, following, valence, kind, mark, state, a, b, ring):
    """Link condition (Dey, Edelsbrunner, Guha and Nekhayev, 1999): how many triangles collapsing a b would take away,
    0 where it would make the surface another one."""
    state[1] += 2
    stamp = state[1]
    if _neighbours(triangles, first, following, mark, stamp, a, ring) < 0:
        return 0
    shared = 0
    corner = first[b]
    while corner >= 0:
        t = corner // 3
        if triangles[t, 0] >= 0:
            for k in range(1, 3):
                other = triangles[t, (corner % 3 + k) % 3]
                if other != a:
                    continue
                shared += 1
                if valence[triangles[t, (corner % 3 + 3 - k) % 3]] == 1:
                    return 0
        corner = following[corner]
    if shared > 2 or shared == 0 or (shared == 2 and kind[a] == RIMMED and kind[b] == RIMMED):
        return 0
    common = 0
    corner = first[b]
    while corner >= 0:
        t = corner // 3
        if triangles[t, 0] >= 0:
            p, q = triangles[t, (corner % 3 + 1) % 3], triangles[t, (corner % 3 + 2) % 3]
            if p != a and q != a and mark[p] >= stamp and mark[q] >= stamp:
                return 0  # the same triangle may be at a already
            for other in (p, q):
                if mark[other] == stamp:
                    mark[other] = stamp + 1
                    common += 1
        corner = following[corner]
    return shared if common == shared else 0


@kernel
def _keeps_its_shape(points, triangles, first, following, v, gone, x, y, z, longest2):
    """Whether no triangle of v that lacks `gone` turns over, becomes a needle, or gets a side beyond a length."""
    corner = first[v]
    while corner >= 0:
        t, k = corner // 3, corner % 3
        corner = following[corner]
        p, q = triangles[t, (k + 1) % 3], triangles[t, (k + 2) % 3]
        if triangles[t, 0] < 0 or p == gone or q == gone:
            continue
        ux, uy, uz = points[q, 0] - points[p, 0], points[q, 1] - points[p, 1], points[q, 2] - points[p, 2]
        ox, oy, oz = points[v, 0] - points[p, 0], points[v, 1] - points[p, 1], points[v, 2] - points[p, 2]
        wx, wy, wz = x - points[p, 0], y - points[p, 1], z - points[p, 2]
        nx, ny, nz = cross(ux, uy, uz, ox, oy, oz)
        mx, my, mz = cross(ux, uy, uz, wx, wy, wz)
        old2, new2 = nx * nx + ny * ny + nz * nz, mx * mx + my * my + mz * mz
        turn = nx * mx + ny * my + nz * mz
        base2, from_p2 = ux * ux + uy * uy + uz * uz, wx * wx + wy * wy + wz * wz
        from_q2 = (wx - ux) ** 2 + (wy - uy) ** 2 + (wz - uz) ** 2
        if max(from_p2, from_q2) > longest2:
            return False
        if not new2 > 0.0 or (old2 > 0.0 and turn <= _MOST_TURN * np.sqrt(old2 * new2)):
            return False
        longest = max(base2, from_p2, from_q2)
        if new2 < _NEEDLE * _NEEDLE * longest * longest:
            old_q2 = (ox - ux) ** 2 + (oy - uy) ** 2 + (oz - uz) ** 2
            before = max(base2, ox * ox + oy * oy + oz * oz, old_q2)
            if new2 * before * before < old2 * longest * longest:
                return False
    return True


@kernel
def _merge(points, triangles, quadrics, kind, first, following, valence, version, a, b, x, y, z):
    """Move a to its new place and give it all of b."""
    points[a, 0], points[a, 1], points[a, 2] = x, y, z
    for k in range(10):
        quadrics[a, k] += quadrics[b, k]
    kind[a] = max(kind[a], kind[b])
    # First the triangles of the edge die, then both lists are joined without the dead.
    corner = first[b]
    while corner >= 0:
        t = corner // 3
        if triangles[t, 0] >= 0:
            if triangles[t, 0] == a or triangles[t, 1] == a or triangles[t, 2] == a:
                for k in range(3):
                    valence[triangles[t, k]] -= 1
                triangles[t, 0] = -1
            else:
                triangles[t, corner % 3] = a
                valence[a] += 1
        corner = following[corner]
    joined = -1
    for v in (a, b):
        corner = first[v]
        while corner >= 0:
            after = following[corner]
            if triangles[corner // 3, 0] >= 0:
                following[corner] = joined
                joined = corner
            corner = after
    first[a], first[b] = joined, -1
    version[a] += 1
    version[b] += 1


@kernel
def _run(
    points,
    triangles,
    quadrics,
    kind,
    first,
    following,
    valence,
    version,
    mark,
    heads,
    entries,
    state,
    stop,
    target,
    shortest2,
    longest2,
):
    """Collapse until `stop` triangles are left or nothing is queued. state: see `_Work`. Returns the entries, grown."""
    ring = np.empty(_MOST_AROUND, np.int32)
    latest = _BUCKETS if shortest2 == 0.0 else _bucket(shortest2) + _LATER
    while state[0] > stop and state[4] < _BUCKETS:
        entry = heads[state[4]]
        if entry < 0:
            state[4] += 1
            continue
        a, b = entries[entry, 0], entries[entry, 1]
        fresh = entries[entry, 2] == version[a] + version[b] and first[a] >= 0 and first[b] >= 0
        heads[state[4]] = entries[entry, 3]
        entries[entry, 3] = state[2]
        state[2] = entry
        if not fresh:
            continue
        gone = _keeps_the_surface(triangles, first, following, valence, kind, mark, state, a, b, ring)
        x, y, z, _ = best_point(points, quadrics, kind, a, b)
        if (
            gone == 0
            or not _keeps_its_shape(points, triangles, first, following, a, b, x, y, z, longest2)
            or not _keeps_its_shape(points, triangles, first, following, b, a, x, y, z, longest2)
        ):
            # What is around it may have changed when its turn comes again.
            later = state[4] + _LATER
            if later < latest:
                _push(entries, heads, state, later, a, b, version[a] + version[b])
            continue
        if state[0] - gone < target:
            continue
        _merge(points, triangles, quadrics, kind, first, following, valence, version, a, b, x, y, z)
        state[0] -= gone
        state[1] += 2
        around = _neighbours(triangles, first, following, mark, state[1], a, ring)
        if state[3] + _MOST_AROUND > len(entries):
            grown = np.empty((2 * len(entries), 4), np.int32)
            grown[: len(entries)] = entries
            entries = grown
        for i in range(around):
            other = ring[i]
            cost = _cost(points, quadrics, kind, a, other, shortest2)
            if cost >= 0.0:
                _push(entries, heads, state, _bucket(cost), a, other, version[a] + version[other])
    return entries
