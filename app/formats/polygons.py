"""Polygons to triangles: fans for what is convex, ear clipping for what is not.

Works on corners, not vertices, so that a reader can take texture coordinates and normals along. Time is bounded: ear
clipping is quadratic at worst, and a file whose polygons would need more than the budget gets fans for the rest.
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import kernel

# Point-in-triangle tests for one file, about a second. An honest file needs thousands to millions.
_BUDGET = 300_000_000
# Corners of a polygon that turn inward by less than this part of its area count as straight.
_STRAIGHT = 1e-9


def triangulate(
    positions: np.ndarray, corner_vertex: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Triangulate polygons.

    positions: (N, 3) float32. corner_vertex: (C,) integer into positions, checked by the caller.
    starts: (P + 1,) integer; polygon p has the corners starts[p] to starts[p + 1]. Fewer than three give no triangle.
    Returns (T, 3) int32 *corners* (indices into corner_vertex) in polygon order, (T,) int32 the polygon of each, and
    notes for the user.
    """
    starts = np.ascontiguousarray(starts, np.int64)
    counts = np.diff(starts)
    if len(counts) and (counts == 3).all():
        corners = np.arange(starts[0], starts[-1], dtype=np.int32).reshape(-1, 3)
        return corners, np.arange(len(counts), dtype=np.int32), []
    total = int(np.maximum(counts - 2, 0).sum())
    corners = np.empty((total, 3), np.int32)
    polygon = np.repeat(np.arange(len(counts), dtype=np.int32), np.maximum(counts - 2, 0))
    if not total:
        return corners, polygon, []
    points = np.ascontiguousarray(positions, np.float32)
    vertices = np.ascontiguousarray(corner_vertex, np.int32)
    clumsy = _triangulate_all(points, vertices, starts, int(counts.max()), _BUDGET, corners)
    notes = []
    if clumsy:
        notes.append(
            f"{clumsy} very large or concave polygons were cut into triangles without a search for the best cut."
        )
    return corners, polygon, notes


@kernel
def _triangulate_all(points, vertices, starts, largest, budget, out):
    flat = np.empty((largest, 2), np.float64)
    before = np.empty(largest, np.int32)
    after = np.empty(largest, np.int32)
    reflex = np.empty(largest, np.int32)
    clumsy = 0
    written = 0
    for p in range(len(starts) - 1):
        first = starts[p]
        count = starts[p + 1] - first
        if count < 3:
            continue
        if count == 3:
            out[written, 0], out[written, 1], out[written, 2] = first, first + 1, first + 2
            written += 1
            continue
        _flatten(points, vertices, first, count, flat)
        if _is_convex(flat, count):
            written = _fan(first, count, out, written)
            continue
        budget -= count
        if budget > 0:
            written, budget = _clip_ears(flat, count, before, after, reflex, first, out, written, budget)
        else:
            written = _fan(first, count, out, written)
        if budget <= 0:
            clumsy += 1
    return clumsy


@kernel
def _fan(first, count, out, written):
    for k in range(1, count - 1):
        out[written, 0], out[written, 1], out[written, 2] = first, first + k, first + k + 1
        written += 1
    return written


@kernel
def _flatten(points, vertices, first, count, flat):
    """Project along the largest part of the polygon's normal (Newell's method), so that it runs counter-clockwise."""
    nx, ny, nz = 0.0, 0.0, 0.0
    origin = vertices[first]
    for k in range(count):
        a = vertices[first + k]
        b = vertices[first + (k + 1) % count]
        ax, bx = np.float64(points[a, 0]) - points[origin, 0], np.float64(points[b, 0]) - points[origin, 0]
        ay, by = np.float64(points[a, 1]) - points[origin, 1], np.float64(points[b, 1]) - points[origin, 1]
        az, bz = np.float64(points[a, 2]) - points[origin, 2], np.float64(points[b, 2]) - points[origin, 2]
        nx += (ay - by) * (az + bz)
        ny += (az - bz) * (ax + bx)
        nz += (ax - bx) * (ay + by)
    u, v, sign = 0, 1, nz
    if abs(nx) >= abs(ny) and abs(nx) >= abs(nz):
        u, v, sign = 1, 2, nx
    elif abs(ny) >= abs(nz):
        u, v, sign = 2, 0, ny
    if sign < 0:
        u, v = v, u
    for k in range(count):
        a = vertices[first + k]
        flat[k, 0] = np.float64(points[a, u]) - points[origin, u]
        flat[k, 1] = np.float64(points[a, v]) - points[origin, v]


@kernel
def _turn(flat, a, b, c):
    """Twice the area of a, b, c; positive where the way turns left at b."""
    ux, uy = flat[b, 0] - flat[a, 0], flat[b, 1] - flat[a, 1]
    vx, vy = flat[c, 0] - flat[b, 0], flat[c, 1] - flat[b, 1]
    return ux * vy - uy * vx


@kernel
def _is_convex(flat, count):
    area = 0.0
    for k in range(1, count - 1):
        area += _turn(flat, 0, k, k + 1)
    slack = -_STRAIGHT * abs(area)
    for k in range(count):
        if _turn(flat, k, (k + 1) % count, (k + 2) % count) < slack:
            return False
    for k in range(1, count - 1):  # a star that winds twice turns left everywhere, too  # noqa: SIM110
        if _turn(flat, 0, k, k + 1) < slack:
            return False
    return True


@kernel
def _is_ear(flat, a, b, c, after, reflex, reflex_count):
    """Whether no reflex corner lies in the triangle. Corners at the place of one of its own, or cut, do not count."""
    for r in range(reflex_count):
        p = reflex[r]
        if p == a or p == b or p == c or after[p] < 0:  # noqa: SIM109
            continue
        x, y = flat[p, 0], flat[p, 1]
        if (
            (x == flat[a, 0] and y == flat[a, 1])
            or (x == flat[b, 0] and y == flat[b, 1])
            or (x == flat[c, 0] and y == flat[c, 1])
        ):
            continue
        if _turn(flat, a, b, p) >= 0 and _turn(flat, b, c, p) >= 0 and _turn(flat, c, a, p) >= 0:
            return False
    return True


@kernel
def _reflex_corners(flat, after, before, start, remaining, reflex):
    found = 0
    k = start
    for _ in range(remaining):
        if _turn(flat, before[k], k, after[k]) <= 0:
            reflex[found] = k
            found += 1
        k = after[k]
    return found


@kernel
def _clip_ears(flat, count, before, after, reflex, first, out, written, budget):
    """Meisters, Polygons have ears, 1975. Cuts something in every case: a knotted polygon gets some triangles."""
    for k in range(count):
        before[k] = (k - 1) % count
        after[k] = (k + 1) % count
    remaining = count
    reflex_count = _reflex_corners(flat, after, before, 0, remaining, reflex)
    since_refresh = 0
    since_cut = 0
    k = 0
    while remaining > 3:
        a, c = before[k], after[k]
        cut = since_cut > remaining or budget <= 0
        if not cut and _turn(flat, a, k, c) > 0:
            budget -= reflex_count + 1
            cut = _is_ear(flat, a, k, c, after, reflex, reflex_count)
        if not cut:
            k = c
            since_cut += 1
            budget -= 1
            continue
        out[written, 0], out[written, 1], out[written, 2] = first + a, first + k, first + c
        written += 1
        after[a], before[c], after[k] = c, a, -1
        remaining -= 1
        since_cut = 0
        since_refresh += 1
        k = after[c]  # skipping one keeps the triangles from becoming one fan of slivers
        if since_refresh * 8 > remaining:  # corners only ever become convex: a stale list is slow, not wrong
            reflex_count = _reflex_corners(flat, after, before, k, remaining, reflex)
            since_refresh = 0
    a, c = before[k], after[k]
    out[written, 0], out[written, 1], out[written, 2] = first + a, first + k, first + c
    return written + 1, budget
