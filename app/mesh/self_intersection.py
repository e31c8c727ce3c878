"""Where a surface goes through itself: pairs of triangles that meet where they should not.

What lives here: finding the pairs among all of a mesh. What meeting is, and the test of one pair: `meeting`.

The tree's leaves are taken in order, and each is compared with the leaves after it whose boxes overlap its own; so
every pair is seen once, and the answer does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.errors import LimitExceeded
from app.mesh.bvh import STACK, Bvh, first_of_leaf
from app.mesh.jit import inline_kernel, kernel, parallel_kernel, prange
from app.mesh.meeting import has_no_area, triangles_meet
from app.mesh.mesh import Mesh
from app.mesh.stretches import stretches

_DOING = "Looking for places where the surface goes through itself"
_BLOCK = 64  # leaves, or triangles, of one thread's share
_LEAST_LEAVES = 8  # compared at a time
# A crumpled mess in which everything lies on everything: no figure has so many triangles close together.
_MOST_COMPARED = 4_000_000_000
_MOST_PAIRS = 20_000_000


def self_intersections(
    mesh: Mesh, progress: Callable[[float, str], None] | None = None, tree: Bvh | None = None
) -> np.ndarray:
    """All pairs of triangles that meet. Returns (k, 2) int32, the smaller index first, in ascending order.

    Triangles without area are passed over: they are found by counting (`counts`). tree: of the mesh, if there is one.
    Raises LimitExceeded for a mess of more than 20 million pairs.
    """
    report = progress or (lambda fraction, doing: None)
    tree = tree or Bvh.of(mesh.positions, mesh.triangles)
    flat = _flat_places(tree.corners)
    leaves = len(tree.boxes) // 2
    found = []
    compared = total = 0
    for start, stop in stretches(leaves, report, _DOING, _LEAST_LEAVES):
        counts, looked = _count_pairs(tree.corners, tree.boxes, flat, start, stop, _MOST_PAIRS - total)
        compared += int(looked.sum())
        total += int(counts.sum())
        if compared > _MOST_COMPARED or total > _MOST_PAIRS:
            raise LimitExceeded("the surface goes through itself in too many places", "", "Repair it first")
        chosen = np.flatnonzero(counts)
        offsets = np.concatenate(([0], np.cumsum(counts[chosen])))
        pairs = np.empty((offsets[-1], 2), np.int32)
        _write_pairs(tree.corners, tree.boxes, flat, tree.order, chosen + start, offsets, pairs)
        found.append(pairs)
    pairs = np.concatenate(found)
    pairs.sort(axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


@inline_kernel
def _load(corners, place, points, first):
    for i in range(3):
        for k in range(3):
            points[first + i, k] = corners[place, i, k]


@parallel_kernel
def _flat_places(corners):
    """(T,) uint8: 1 where a triangle has no area."""
    flat = np.zeros(len(corners), np.uint8)
    for block in prange((len(corners) + _BLOCK - 1) // _BLOCK):
        points = np.empty((3, 3))
        for place in range(block * _BLOCK, min(len(corners), (block + 1) * _BLOCK)):
            _load(corners, place, points, 0)
            flat[place] = has_no_area(points, 0)
    return flat


@inline_kernel
def _boxes_meet(boxes, n, m):
    return (
        boxes[n, 0] <= boxes[m, 3]
        and boxes[m, 0] <= boxes[n, 3]
        and boxes[n, 1] <= boxes[m, 4]
        and boxes[m, 1] <= boxes[n, 4]
        and boxes[n, 2] <= boxes[m, 5]
        and boxes[m, 2] <= boxes[n, 5]
    )


@inline_kernel
def _lowest(corners, place, k):
    return min(corners[place, 0, k], corners[place, 1, k], corners[place, 2, k])


@inline_kernel
def _highest(corners, place, k):
    return max(corners[place, 0, k], corners[place, 1, k], corners[place, 2, k])


@kernel
def _places_meet(corners, a, b, points):
    for k in range(3):
        if _highest(corners, a, k) < _lowest(corners, b, k) or _highest(corners, b, k) < _lowest(corners, a, k):
            return False
    _load(corners, a, points, 0)
    _load(corners, b, points, 3)
    return triangles_meet(points)


@kernel
def _compare(corners, boxes, flat, leaf, other, points, order, pairs, cursor):
    """Compare the triangles of two leaves, or of one with themselves. Returns how many pairs meet.

    pairs: where to write them, from row `cursor` on; empty to count only.
    """
    count, leaves = len(corners), len(boxes) // 2
    last = first_of_leaf(other + 1, count, leaves)
    met = 0
    for a in range(first_of_leaf(leaf, count, leaves), first_of_leaf(leaf + 1, count, leaves)):
        if flat[a]:
            continue
        for b in range(a + 1 if other == leaf else first_of_leaf(other, count, leaves), last):
            if flat[b] or not _places_meet(corners, a, b, points):
                continue
            if len(pairs):
                pairs[cursor + met, 0], pairs[cursor + met, 1] = order[a], order[b]
            met += 1
    return met


@kernel
def _search(corners, boxes, flat, leaf, stack, points, most, order, pairs, cursor):
    """Compare a leaf with itself and with all that come after it. Returns pairs that meet, and leaves compared.

    Goes up the tree and, wherever it comes from the left, down the right: so only later leaves are seen.
    """
    leaves = len(boxes) // 2
    met = _compare(corners, boxes, flat, leaf, leaf, points, order, pairs, cursor)
    looked = 1
    up = leaves + leaf
    while up > 1:
        if up % 2 == 0:
            stack[0] = up + 1
            size = 1
            while size > 0 and met <= most:
                size -= 1
                node = stack[size]
                if not _boxes_meet(boxes, node, leaves + leaf):
                    continue
                if node < leaves:
                    stack[size], stack[size + 1] = 2 * node + 1, 2 * node
                    size += 2
                    continue
                met += _compare(corners, boxes, flat, leaf, node - leaves, points, order, pairs, cursor + met)
                looked += 1
        up //= 2
    return met, looked


@parallel_kernel
def _count_pairs(corners, boxes, flat, start, stop, most):
    counts = np.zeros(stop - start, np.int64)
    looked = np.zeros(stop - start, np.int64)
    order, pairs = np.empty(0, np.int32), np.empty((0, 2), np.int32)
    for block in prange((stop - start + _BLOCK - 1) // _BLOCK):
        stack = np.empty(STACK, np.int64)
        points = np.empty((6, 3))
        for i in range(block * _BLOCK, min(stop - start, (block + 1) * _BLOCK)):
            counts[i], looked[i] = _search(corners, boxes, flat, start + i, stack, points, most, order, pairs, 0)
    return counts, looked


@parallel_kernel
def _write_pairs(corners, boxes, flat, order, chosen, offsets, pairs):
    for i in prange(len(chosen)):
        stack = np.empty(STACK, np.int64)
        points = np.empty((6, 3))
        most = offsets[i + 1] - offsets[i]
        _search(corners, boxes, flat, chosen[i], stack, points, most, order, pairs, offsets[i])
