"""Triangles for a hole, from its border: the cheapest ones, a finer net of the surrounding's density, a smooth shape.

Liepa, "Filling holes in meshes", 2003: among all triangulations of the border take the one whose sharpest fold is the
least sharp, the smallest area among equals (dynamic programming); then split triangles until they are as large as
those around, flipping edges to Delaunay; then let the new vertices take the smoothest shape.

What lives here: one hole, as arrays. What does not: which holes there are and which to fill (`app.operations`).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags
from scipy.sparse.linalg import splu

from app.mesh.jit import kernel

# Beyond so many border vertices, ears are cut off first: the programme takes time with the cube of their number.
_MOST_EXACT = 360
_DENSITY = 2.0**0.5
_ROUNDS = 40
_FLIP_PASSES = 12
# Weights follow the shape, so the shape is found in steps.
_FAIRINGS = 3
# Very obtuse or thin triangles would give negative or huge weights.
_LEAST_WEIGHT = 0.02
# Cost of a triangle without area, above that of any fold (0 is flat, 2 folded back).
_NO_AREA = 3.0
_FORBIDDEN = 10.0


def triangulated(border: np.ndarray, normals: np.ndarray, taken: np.ndarray) -> np.ndarray | None:
    """Triangles over a closed border. Returns (n - 2, 3) int32, or None where every way uses an edge that is taken.

    border: (n, 3) float64, counter-clockwise seen from outside the fill. normals: (n, 3) float64 unit, of the old
    triangle at the edge from each border vertex to the next. taken: (n, n) bool, pairs of border vertices that an
    edge of the mesh joins already, neighbours on the border left out.
    """
    left, ears = _ears(border, taken, _MOST_EXACT)
    left_normals = np.zeros((len(left), 3))
    for place, vertex in enumerate(left):
        following = left[(place + 1) % len(left)]
        if following == (vertex + 1) % len(border):
            left_normals[place] = normals[vertex]
        else:
            a, b, c = ears[next(i for i, ear in enumerate(ears) if ear[0] == vertex and ear[2] == following)]
            left_normals[place] = _unit(np.cross(border[b] - border[a], border[c] - border[a]))
    cost, inner = _cheapest(border[left], left_normals, taken[np.ix_(left, left)])
    if cost >= _FORBIDDEN:
        return None
    return np.concatenate((ears, left[inner])).astype(np.int32)


def _unit(vector: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vector)
    return vector / length if length > 0 else vector


@kernel
def _ears(border, taken, most):
    """Cut off corners with the shortest third side until `most` are left. Returns those left, and the triangles."""
    count = len(border)
    ahead, behind = np.empty(count, np.int64), np.empty(count, np.int64)
    for i in range(count):
        ahead[i], behind[i] = (i + 1) % count, (i - 1) % count
    ears = np.empty((max(count - most, 0), 3), np.int64)
    cut = 0
    gone = np.zeros(count, np.bool_)
    while count - cut > most:
        best, best_length = -1, np.inf
        for i in range(count):
            if gone[i] or taken[behind[i], ahead[i]]:
                continue
            length = 0.0
            for k in range(3):
                length += (border[ahead[i], k] - border[behind[i], k]) ** 2
            if length < best_length:
                best, best_length = i, length
        if best < 0:
            break
        ears[cut, 0], ears[cut, 1], ears[cut, 2] = behind[best], best, ahead[best]
        ahead[behind[best]], behind[ahead[best]] = ahead[best], behind[best]
        gone[best] = True
        cut += 1
    return np.flatnonzero(~gone), ears[:cut].copy()


@kernel
def _triangle_normal(border, a, b, c, out):
    """Write the unit normal (zero without area), return the area."""
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        out[k] = (border[b, i] - border[a, i]) * (border[c, j] - border[a, j]) - (border[b, j] - border[a, j]) * (
            border[c, i] - border[a, i]
        )
    length = np.sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2])
    if length > 0:
        for k in range(3):
            out[k] /= length
    return length / 2


@kernel
def _fold(a, b):
    return 1.0 - (a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


@kernel
def _cheapest(border, normals, taken):
    """Returns the cost (sharpest fold) and (n - 2, 3) int64 triangles."""
    n = len(border)
    worst, area = np.zeros((n, n)), np.zeros((n, n))
    split = np.full((n, n), -1, np.int64)
    mine, theirs = np.empty(3), np.empty(3)
    for span in range(2, n):
        for i in range(n - span):
            j = i + span
            best_worst, best_area, best = np.inf, np.inf, -1
            whole = i == 0 and j == n - 1
            closed = taken[i, j] and not whole
            for m in range(i + 1, j):
                fold = max(worst[i, m], worst[m, j])
                if fold > best_worst:
                    continue
                own = _triangle_normal(border, i, m, j, mine)
                if not own > 0:
                    fold = max(fold, _NO_AREA)
                if m == i + 1:
                    fold = max(fold, _fold(mine, normals[i]))
                else:
                    _triangle_normal(border, i, split[i, m], m, theirs)
                    fold = max(fold, _fold(mine, theirs))
                if m == j - 1:
                    fold = max(fold, _fold(mine, normals[m]))
                else:
                    _triangle_normal(border, m, split[m, j], j, theirs)
                    fold = max(fold, _fold(mine, theirs))
                if whole:
                    fold = max(fold, _fold(mine, normals[j]))
                if closed:
                    fold = max(fold, _FORBIDDEN)
                total = area[i, m] + area[m, j] + own
                if fold < best_worst or (fold == best_worst and total < best_area):
                    best_worst, best_area, best = fold, total, m
            worst[i, j], area[i, j], split[i, j] = best_worst, best_area, best
    out = np.empty((n - 2, 3), np.int64)
    found = 0
    waiting = [(0, n - 1)]
    while waiting:
        i, j = waiting.pop()
        if j - i < 2:
            continue
        m = split[i, j]
        out[found, 0], out[found, 1], out[found, 2] = i, m, j
        found += 1
        waiting.append((i, m))
        waiting.append((m, j))
    return worst[0, n - 1], out


def refined(
    border: np.ndarray, triangles: np.ndarray, spacing: np.ndarray, taken: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split triangles until they are about as large as those around. Returns (m, 3) points, border first, triangles.

    spacing: (n,) wanted edge length at each border vertex. most: at most so many points.
    """
    beside = _neighbours(triangles)
    points, out = _refine(border, triangles.astype(np.int64), beside, spacing, taken, max(most, len(border) + 1))
    return points, out.astype(np.int32)


def _neighbours(triangles: np.ndarray) -> np.ndarray:
    """(n, 3) int64: the triangle over the edge from each corner to the next, -1 at the border."""
    beside = np.full((len(triangles), 3), -1, np.int64)
    seen: dict[tuple[int, int], tuple[int, int]] = {}
    for t, corners in enumerate(triangles.tolist()):
        for k in range(3):
            a, b = corners[k], corners[(k + 1) % 3]
            other = seen.pop((b, a), None)
            if other is None:
                seen[a, b] = (t, k)
            else:
                beside[t, k], beside[other] = other[0], t
    return beside


@kernel
def _refine(border, first_triangles, first_beside, first_spacing, taken, most):
    n = len(border)
    points, spacing = np.empty((most, 3)), np.empty(most)
    triangles, beside = np.empty((2 * most, 3), np.int64), np.empty((2 * most, 3), np.int64)
    points[:n], spacing[:n] = border, first_spacing
    count, size = len(first_triangles), n
    triangles[:count], beside[:count] = first_triangles, first_beside
    for _ in range(_ROUNDS):
        before = size
        for t in range(count):
            if size + 1 > most or count + 2 > len(triangles):
                break
            wanted = 0.0
            middle = np.zeros(3)
            for k in range(3):
                wanted += spacing[triangles[t, k]] / 3
                middle += points[triangles[t, k]] / 3
            large = True
            for k in range(3):
                far = _DENSITY * np.sqrt(((points[triangles[t, k]] - middle) ** 2).sum())
                large = large and far > wanted and far > spacing[triangles[t, k]]
            if large:
                points[size], spacing[size] = middle, wanted
                _split_in_three(triangles, beside, t, count, size)
                size += 1
                count += 2
        for _ in range(_FLIP_PASSES):
            flips = 0
            for t in range(count):
                for k in range(3):
                    flips += _flip_if_better(points, triangles, beside, t, k, taken, n)
            if flips == 0:
                break
        if size == before:
            break
    return points[:size].copy(), triangles[:count].copy()


@kernel
def _replace(beside, triangle, old, new):
    if triangle >= 0:
        for k in range(3):
            if beside[triangle, k] == old:
                beside[triangle, k] = new
                return


@kernel
def _split_in_three(triangles, beside, t, count, vertex):
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    over_bc, over_ca = beside[t, 1], beside[t, 2]
    second, third = count, count + 1
    triangles[t, 0], triangles[t, 1], triangles[t, 2] = a, b, vertex
    beside[t, 1], beside[t, 2] = second, third
    triangles[second, 0], triangles[second, 1], triangles[second, 2] = b, c, vertex
    beside[second, 0], beside[second, 1], beside[second, 2] = over_bc, third, t
    triangles[third, 0], triangles[third, 1], triangles[third, 2] = c, a, vertex
    beside[third, 0], beside[third, 1], beside[third, 2] = over_ca, t, second
    _replace(beside, over_bc, t, second)
    _replace(beside, over_ca, t, third)


@kernel
def _angle(points, at, a, b):
    u, v = points[a] - points[at], points[b] - points[at]
    length = np.sqrt((u * u).sum() * (v * v).sum())
    if not length > 0:
        return 0.0
    return np.arccos(min(max((u * v).sum() / length, -1.0), 1.0))


@kernel
def _joined(triangles, beside, start, vertex, other):
    """Whether an edge of the patch joins two vertices; start: a triangle at `vertex`."""
    for direction in range(2):
        t = start
        for _ in range(len(triangles)):
            place = 0
            for k in range(3):
                if triangles[t, k] == vertex:
                    place = k
                if triangles[t, k] == other:
                    return True
            t = beside[t, place] if direction == 0 else beside[t, (place + 2) % 3]
            if t < 0 or t == start:
                break
        if t == start:
            break
    return False


@kernel
def _flip_if_better(points, triangles, beside, t, k, taken, n):
    near = beside[t, k]
    if near < 0:
        return 0
    j = 0
    while beside[near, j] != t or triangles[near, j] != triangles[t, (k + 1) % 3]:
        j += 1
        if j == 3:
            return 0
    a, b, c = triangles[t, k], triangles[t, (k + 1) % 3], triangles[t, (k + 2) % 3]
    d = triangles[near, (j + 2) % 3]
    if _angle(points, c, a, b) + _angle(points, d, a, b) <= np.pi + 1e-7:
        return 0
    if c == d or (c < n and d < n and taken[c, d]):
        return 0
    u, v, p, q = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    _triangle_normal(points, a, b, c, u)
    _triangle_normal(points, b, a, d, v)
    if not _triangle_normal(points, a, d, c, p) > 0 or not _triangle_normal(points, d, b, c, q) > 0:
        return 0
    # A flip that folds the patch, where it is not flat, would undo what the cheapest triangulation was chosen for.
    if _fold(p, q) > _fold(u, v) + 0.3 or _joined(triangles, beside, t, c, d):
        return 0
    over_bc, over_ca = beside[t, (k + 1) % 3], beside[t, (k + 2) % 3]
    over_ad, over_db = beside[near, (j + 1) % 3], beside[near, (j + 2) % 3]
    triangles[t, 0], triangles[t, 1], triangles[t, 2] = a, d, c
    beside[t, 0], beside[t, 1], beside[t, 2] = over_ad, near, over_ca
    triangles[near, 0], triangles[near, 1], triangles[near, 2] = d, b, c
    beside[near, 0], beside[near, 1], beside[near, 2] = over_db, over_bc, t
    _replace(beside, over_ad, near, t)
    _replace(beside, over_bc, t, near)
    return 1


def faired(points: np.ndarray, triangles: np.ndarray, free: np.ndarray, *, curved: bool) -> np.ndarray:
    """Move the free points of a patch to the smoothest shape. Returns (m, 3) float64; all others stay.

    points: (m, 3); triangles: the patch and, for `curved`, the triangles around it. free: (m,) bool. curved: continue
    the curvature of the surrounding (thin plate: the Laplacian of the Laplacian is zero), else the tightest skin.
    """
    inner, fixed = np.flatnonzero(free), np.flatnonzero(~free)
    moved = points.copy()
    if not len(inner):
        return moved
    for _ in range(_FAIRINGS):
        stiffness, area = _laplacian(moved, triangles)
        rows = stiffness[inner]
        if curved:
            rows = (stiffness @ diags(1.0 / area))[inner] @ stiffness
        moved[inner] = splu(rows[:, inner].tocsc()).solve(-(rows[:, fixed] @ moved[fixed]))
    return moved


def _laplacian(points: np.ndarray, triangles: np.ndarray) -> tuple[csr_matrix, np.ndarray]:
    """Cotangent weights (Pinkall and Polthier 1993), kept above zero, and (m,) area that belongs to each point."""
    count = len(points)
    rows, columns, weights = [], [], []
    area = np.full(count, np.finfo(float).tiny)
    for k in range(3):
        apex, a, b = triangles[:, k], triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3]
        u, v = points[a] - points[apex], points[b] - points[apex]
        double = np.linalg.norm(np.cross(u, v), axis=1)
        cosine = np.einsum("ij,ij->i", u, v)
        weight = (cosine / np.maximum(double, np.finfo(float).tiny)).clip(_LEAST_WEIGHT, 1.0 / _LEAST_WEIGHT) / 2
        rows += [a, b, a, b]
        columns += [b, a, a, b]
        weights += [-weight, -weight, weight, weight]
        np.add.at(area, apex, double / 6)
    matrix = coo_matrix(
        (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), shape=(count, count)
    )
    return matrix.tocsr(), area
