"""More triangles: edges are split at their middles, longest first, until there are as many triangles as wanted.

A half-edge is one side of a triangle: number 3 t + k runs from corner k of triangle t to its next corner. Around each
edge its half-edges form a ring: `across[h]` is the next one on the same edge, h itself at an open edge. So an edge with
one, two or more triangles is split all the same, and no surface tears. The globally longest edge is the longest in each
of its triangles, and bisecting at longest edges never makes an angle smaller than half of the smallest one there was
(Rosenberg and Stenger, 1975). New vertices lie on the old surface, so the shape does not change at all.
"""

from __future__ import annotations

import math

import numpy as np

from app.mesh.jit import inline_kernel, kernel, parallel_kernel, prange
from app.mesh.topology import Topology

# More triangles than this around one edge are left alone: no real surface has that.
_MOST_AROUND = 32
# Lengths within this part of each other count as equal and are taken in a scattered order, so that a surface that ends
# up between two levels of refinement is a fine mixture of both and not finer on one side.
_SCATTER = 0.15
_BUCKETS = 1 << 15
_ROUNDING = 1e-6


def edge_rings(triangles: np.ndarray, topology: Topology) -> np.ndarray:
    """(3 T,) int32 `across` of (T, 3) triangles that name no vertex twice."""
    return _edge_rings(triangles, topology.triangle_offsets, topology.vertex_triangles)


def split_to_count(
    positions: np.ndarray, triangles: np.ndarray, across: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split the longest edges until there are exactly `count` triangles.

    positions: (V, 3) float32. triangles: (T, 3) int32, none of which names a vertex twice. Returns new positions,
    triangles and across. One fewer comes out where the number of triangles to add is odd and no edge has an odd number
    of triangles: a closed surface always has an even number.
    """
    shortest = _shortest_to_split(positions, triangles, count)
    positions, triangles, across = _split(positions, triangles, across, count, shortest * shortest)
    if len(triangles) < count:
        # One is missing: an open edge adds just one, and is too short to have been split for its length.
        open_halves = np.flatnonzero(across == np.arange(len(across)))
        if len(open_halves):
            t, k = open_halves // 3, open_halves % 3
            sides = positions[triangles[t, k]].astype(np.float64) - positions[triangles[t, (k + 1) % 3]]
            longest2 = np.float32((sides**2).sum(axis=1).max() * (1 - _ROUNDING))
            positions, triangles, across = _split(positions, triangles, across, count, float(longest2))
    return positions, triangles, across


def split_to_length(
    positions: np.ndarray, triangles: np.ndarray, across: np.ndarray, longest: float, most: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split all edges longer than `longest`, mm, but stop at `most` triangles."""
    return _split(positions, triangles, across, most, longest * longest)


def _shortest_to_split(positions: np.ndarray, triangles: np.ndarray, count: int) -> float:
    """No edge shorter than this is ever split: `count` triangles with shorter sides could not cover the area."""
    corners = positions[triangles].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
    return float(np.sqrt(4 * area / (np.sqrt(3) * count))) * (1 - _SCATTER)


@parallel_kernel
def _edge_rings(triangles, offsets, vertex_triangles):
    across = np.empty(3 * len(triangles), np.int32)
    for t in prange(len(triangles)):
        for k in range(3):
            a, b = triangles[t, k], triangles[t, (k + 1) % 3]
            own = 3 * t + k
            first = following = -1  # the lowest of all on this edge, and the lowest above this one
            for i in range(offsets[a], offsets[a + 1]):
                other = vertex_triangles[i]
                for m in range(3):
                    c, d = triangles[other, m], triangles[other, (m + 1) % 3]
                    if (c == a and d == b) or (c == b and d == a):
                        half = 3 * other + m
                        if first < 0:
                            first = half
                        if half > own and following < 0:
                            following = half
            across[own] = following if following >= 0 else first
    return across


@inline_kernel
def _length2(positions, a, b):
    dx = np.float64(positions[a, 0]) - positions[b, 0]
    dy = np.float64(positions[a, 1]) - positions[b, 1]
    dz = np.float64(positions[a, 2]) - positions[b, 2]
    return np.float32(dx * dx + dy * dy + dz * dz)


@inline_kernel
def _bucket(length2, a, b):
    """Place in the queue: by length, a little scattered by a hash of the ends."""
    mixed = np.uint64(min(a, b)) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(max(a, b)) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    part = np.float32(mixed >> np.uint64(40)) / np.float32(1 << 24)
    value = np.float32(length2) * (np.float32(1) - np.float32(_SCATTER) * part)
    # The bits of positive floats are ordered as the floats are: seven bits of fraction give steps of 0.8 percent.
    whole, exponent = math.frexp(np.float64(value))
    place = (exponent + 128) * 128 + np.int64((whole - 0.5) * 256)
    return min(max(place, 0), _BUCKETS - 1)


@kernel
def _push(positions, triangles, half, shortest2, heads, entry_half, entry_length, entry_next, state):
    """Queue a half-edge's edge if it is long enough. state: 0 free list, 1 entries in use, 2 highest bucket."""
    t, k = half // 3, half % 3
    a, b = triangles[t, k], triangles[t, (k + 1) % 3]
    length2 = _length2(positions, a, b)
    if length2 < shortest2 or not length2 < np.inf:
        return
    entry = state[0]
    if entry >= 0:
        state[0] = entry_next[entry]
    else:
        entry = state[1]
        state[1] += 1
    place = _bucket(length2, a, b)
    entry_half[entry], entry_length[entry] = half, length2
    entry_next[entry] = heads[place]
    heads[place] = entry
    state[2] = max(state[2], place)


@kernel
def _ring(across, half, members):
    """Fill `members` with the half-edges of an edge, the given one first; how many, or 0 for too many."""
    members[0] = half
    count = 1
    other = across[half]
    while other != half:
        if count == _MOST_AROUND:
            return 0
        members[count] = other
        count += 1
        other = across[other]
    return count


@inline_kernel
def _before(across, half):
    """The half-edge whose follower around the edge is this one."""
    other = half
    while across[other] != half:
        other = across[other]
    return other


@kernel
def _split_edge(triangles, across, members, around, middle, next_triangle):
    """Split the edge of these half-edges at vertex `middle`: each of its triangles in two. New ones come at the end."""
    a = triangles[members[0] // 3, members[0] % 3]
    first_a = last_a = first_b = last_b = np.int64(-1)
    for i in range(around):
        half = np.int64(members[i])
        t, k = half // 3, half % 3
        end, apex = triangles[t, (k + 1) % 3], triangles[t, (k + 2) % 3]
        new = np.int64(next_triangle + i)
        triangles[new, 0], triangles[new, 1], triangles[new, 2] = middle, end, apex
        # The side from the end to the apex moves to the new triangle; the one within joins both.
        moved = 3 * t + (k + 1) % 3
        before = _before(across, moved)
        if before == moved:
            across[3 * new + 1] = 3 * new + 1
        else:
            across[3 * new + 1] = across[moved]
            across[before] = 3 * new + 1
        triangles[t, (k + 1) % 3] = middle
        across[moved], across[3 * new + 2] = 3 * new + 2, moved
        at_a, at_b = half, 3 * new
        if triangles[t, k] != a:
            at_a, at_b = at_b, at_a
        if i == 0:
            first_a, first_b = at_a, at_b
        else:
            across[last_a], across[last_b] = at_a, at_b
        last_a, last_b = at_a, at_b
    across[last_a], across[last_b] = first_a, first_b


@kernel
def _grown(array, size):
    out = np.empty(size, array.dtype)
    out[: len(array)] = array
    return out


@kernel
def _split(old_positions, old_triangles, old_across, target, shortest2):
    triangle_count, vertex_count = len(old_triangles), len(old_positions)
    # Every split adds a triangle at least, and never more than one vertex.
    room = max(target - triangle_count, 0)
    positions = np.empty((vertex_count + room, 3), np.float32)
    positions[:vertex_count] = old_positions
    triangles = np.empty((triangle_count + room, 3), np.int32)
    triangles[:triangle_count] = old_triangles
    across = np.empty(3 * (triangle_count + room), np.int32)
    across[: 3 * triangle_count] = old_across
    heads = np.full(_BUCKETS, -1, np.int32)
    capacity = 3 * triangle_count + 64
    entry_half, entry_next = np.empty(capacity, np.int32), np.empty(capacity, np.int32)
    entry_length = np.empty(capacity, np.float32)
    state = np.array([-1, 0, 0])
    members = np.empty(_MOST_AROUND, np.int32)
    odd = False  # whether an edge with an odd number of triangles, which can change parity, is there
    for own in range(3 * triangle_count):
        around = _ring(across, own, members)
        odd = odd or around % 2 == 1
        least = True
        for i in range(1, around):
            least = least and members[i] > own
        if least:
            _push(positions, triangles, own, shortest2, heads, entry_half, entry_length, entry_next, state)
    if not odd and (target - triangle_count) % 2:
        target -= 1
    while triangle_count < target and state[2] >= 0:
        entry = heads[state[2]]
        if entry < 0:
            state[2] -= 1
            continue
        heads[state[2]] = entry_next[entry]
        entry_next[entry] = state[0]
        state[0] = entry
        half = np.int64(entry_half[entry])
        a, b = triangles[half // 3, half % 3], triangles[half // 3, (half % 3 + 1) % 3]
        if _length2(positions, a, b) != entry_length[entry]:
            continue  # another edge lies here by now
        around = _ring(across, half, members)
        if around == 0 or triangle_count + around > target:
            continue
        for k in range(3):
            positions[vertex_count, k] = (np.float64(positions[a, k]) + positions[b, k]) / 2
        _split_edge(triangles, across, members, around, vertex_count, triangle_count)
        vertex_count += 1
        if state[1] + 6 * around + 8 > capacity:
            capacity *= 2
            entry_half, entry_next = _grown(entry_half, capacity), _grown(entry_next, capacity)
            entry_length = _grown(entry_length, capacity)
        for i in range(around):
            corner, new = np.int64(members[i]), triangle_count + i
            halves = (corner, corner - corner % 3 + (corner + 1) % 3, 3 * new, 3 * new + 1)
            for n in range(4):
                if i == 0 or n % 2:
                    _push(
                        positions, triangles, halves[n], shortest2, heads, entry_half, entry_length, entry_next, state
                    )
        triangle_count += around
    return positions[:vertex_count].copy(), triangles[:triangle_count].copy(), across[: 3 * triangle_count].copy()
