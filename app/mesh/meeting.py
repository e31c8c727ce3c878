"""Do two triangles meet where they should not? Exact for float32 corners.

Two triangles *meet* if they have a point in common that lies inside at least one of them. So sharing a corner or an
edge does not count, nor does an edge that runs along a part of another (a T-junction); folding back onto a neighbour
does, lying on each other does, and a corner or an edge that touches the other's inside does. Corners are shared where
they are at the same place, whatever index they have. Triangles without area have no inside: the caller leaves them out.

Everything is decided by signs (`exact`): no intersection point is ever computed, so nothing can be rounded wrongly.
"""

from __future__ import annotations

import numpy as np

from app.mesh.exact import side_of_line, side_of_plane
from app.mesh.jit import inline_kernel, kernel

_ALL_EDGES = 7


@kernel
def has_no_area(points, first):
    """Whether the corners first, first + 1, first + 2 lie exactly on one line."""
    a, b, c = first, first + 1, first + 2
    return (
        side_of_line(points, a, b, c, 0, 1) == 0
        and side_of_line(points, a, b, c, 1, 2) == 0
        and side_of_line(points, a, b, c, 2, 0) == 0
    )


@kernel
def triangles_meet(points):
    """Whether the triangles of rows 0 to 2 and 3 to 5 of (6, 3) float64 points (float32 values) meet.

    Rows may be swapped within a triangle.
    """
    shared = _shared_first(points)
    if shared == 3:
        return True
    if shared == 2:
        return _fold_at_edge(points)
    if shared == 1:
        return _meet_beyond_corner(points)
    return _meet_apart(points)


@inline_kernel
def _same(points, i, j):
    return points[i, 0] == points[j, 0] and points[i, 1] == points[j, 1] and points[i, 2] == points[j, 2]


@inline_kernel
def _swap(points, i, j):
    for k in range(3):
        points[i, k], points[j, k] = points[j, k], points[i, k]


@kernel
def _shared_first(points):
    """Bring shared corners to the front of both triangles, in the same order. Returns how many there are."""
    shared = 0
    for i in range(3):
        for j in range(3 + shared, 6):
            if _same(points, i, j):
                if i != shared:
                    _swap(points, i, shared)
                if j != 3 + shared:
                    _swap(points, j, 3 + shared)
                shared += 1
                break
    return shared


@kernel
def _axes_of(points, first):
    """Two axes onto whose plane a triangle with area projects as one, turned so that it runs counter-clockwise."""
    for k in range(3):
        u, v = k, (k + 1) % 3
        side = side_of_line(points, first, first + 1, first + 2, u, v)
        if side > 0:
            return u, v
        if side < 0:
            return v, u
    return 0, 1  # not reached with an area


@kernel
def _fold_at_edge(points):
    """Neighbours meet beyond their edge only if they lie in one plane, on the same side of the edge."""
    if side_of_plane(points, 0, 1, 2, 5) != 0:
        return False
    u, v = _axes_of(points, 0)
    return side_of_line(points, 0, 1, 5, u, v) > 0


@kernel
def _meet_beyond_corner(points):
    """Two triangles with one corner in common. In one plane: do their angles at it overlap?

    Otherwise: with n and m the normals, the planes' line through the corner has the direction n x m, and each triangle
    covers one of its two halves at most; which one follows from the sides of the other corners, because
    n x m = s2 b1 - s1 b2 = t1 a2 - t2 a1 with s the distances of b1, b2 from plane a, and t of a1, a2 from plane b.
    """
    s1, s2 = side_of_plane(points, 0, 1, 2, 4), side_of_plane(points, 0, 1, 2, 5)
    if s1 == s2 and s1 != 0:
        return False
    if s1 == 0 and s2 == 0:
        return _angles_overlap(points)
    t1, t2 = side_of_plane(points, 3, 4, 5, 1), side_of_plane(points, 3, 4, 5, 2)
    if t1 == t2 and t1 != 0:
        return False
    along_edges = (s1 == 0 or s2 == 0) and (t1 == 0 or t2 == 0)
    return (s2 > s1) == (t1 > t2) and not along_edges


@kernel
def _angles_overlap(points):
    """Whether the angles of two triangles at their common corner, in one plane, have more than a side in common."""
    u, v = _axes_of(points, 0)
    a1, a2 = 1, 2
    b1, b2 = (4, 5) if side_of_line(points, 3, 4, 5, u, v) > 0 else (5, 4)
    b1_in_a, b2_in_a = _in_angle(points, a1, a2, b1, u, v), _in_angle(points, a1, a2, b2, u, v)
    a1_in_b, a2_in_b = _in_angle(points, b1, b2, a1, u, v), _in_angle(points, b1, b2, a2, u, v)
    if max(b1_in_a, b2_in_a, a1_in_b, a2_in_b) == 2:
        return True
    return (b1_in_a > 0 and b2_in_a > 0) or (a1_in_b > 0 and a2_in_b > 0)


@inline_kernel
def _in_angle(points, first, last, way, u, v):
    """2 where the way from point 0 to `way` lies within the angle at point 0 from `first` to `last`, 1 on a side."""
    after, before = side_of_line(points, 0, first, way, u, v), side_of_line(points, 0, way, last, u, v)
    return 0 if min(after, before) < 0 else 1 + min(after, before)


@kernel
def _meet_apart(points):
    """Two triangles without a common corner: does an edge of one go through the other, or touch its inside?

    What they have in common is a stretch of the line in which their planes cross; each end of it is where an edge
    reaches the other triangle. If all ends lie on edges of both, it may still run through the inside of one: unless
    one edge of each holds all ends.
    """
    sides = np.empty(6, np.int64)  # of each corner, from the other triangle's plane
    for k in range(3):
        sides[3 + k] = side_of_plane(points, 0, 1, 2, 3 + k)
    if sides[3] == sides[4] == sides[5]:
        return sides[3] == 0 and _overlap_in_plane(points)
    for k in range(3):
        sides[k] = side_of_plane(points, 3, 4, 5, k)
    if sides[0] == sides[1] == sides[2]:
        return False
    holding = np.full(2, _ALL_EDGES)  # edges of the two triangles, as bits, that hold all ends found so far
    found = False
    for mine in range(2):
        for k in range(3):
            p, q = 3 * mine + k, 3 * mine + (k + 1) % 3
            # An edge within the plane needs no look: the other two edges reach the plane at its ends.
            if sides[p] == sides[q]:
                continue
            touched = _edges_reached(points, p, q, 3 - 3 * mine)
            if touched == 0:
                return True
            if touched < 0:
                continue
            found = True
            own = 1 << k
            if sides[p] == 0:
                own |= 1 << (k + 2) % 3
            if sides[q] == 0:
                own |= 1 << (k + 1) % 3
            holding[mine] &= own
            holding[1 - mine] &= touched
    return found and (holding[0] == 0 or holding[1] == 0)


@kernel
def _edges_reached(points, p, q, first):
    """Where a segment across a triangle's plane reaches it: 0 inside, -1 outside, else its edges there, as bits."""
    left = right = False
    edges = 0
    for k in range(3):
        side = side_of_plane(points, p, first + k, first + (k + 1) % 3, q)
        left |= side > 0
        right |= side < 0
        if side == 0:
            edges |= 1 << k
    return -1 if left and right else edges


@kernel
def _overlap_in_plane(points):
    """Two triangles in one plane do not overlap if all of one lies beyond an edge of the other, or on it."""
    u, v = _axes_of(points, 0)
    for first in (0, 3):
        turn = side_of_line(points, first, first + 1, first + 2, u, v)
        for k in range(3):
            beyond = True
            for j in range(3):
                side = turn * side_of_line(points, first + k, first + (k + 1) % 3, 3 - first + j, u, v)
                beyond &= side <= 0
            if beyond:
                return False
    return True
