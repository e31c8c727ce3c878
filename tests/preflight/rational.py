"""The slow judge of intersections: exact fractions, and corners of what two triangles have in common.

It shares nothing with the program: no signs of determinants, but intersection points, each computed exactly.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np

Point = tuple[Fraction, ...]
Triangle = list[Point]


def exact(corners: np.ndarray) -> Triangle:
    """(3, 3) floats as fractions."""
    return [tuple(Fraction(float(value)) for value in corner) for corner in corners]


def minus(a: Point, b: Point) -> Point:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def dot(a: Point, b: Point) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def cross(a: Point, b: Point) -> Point:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def normal(t: Triangle) -> Point:
    return cross(minus(t[1], t[0]), minus(t[2], t[0]))


def has_area(t: Triangle) -> bool:
    return any(normal(t))


def holds(t: Triangle, p: Point) -> bool:
    """Whether a point lies in a triangle, edges included."""
    n = normal(t)
    edges = ((t[k], t[(k + 1) % 3]) for k in range(3))
    return dot(n, minus(p, t[0])) == 0 and all(dot(n, cross(minus(b, a), minus(p, a))) >= 0 for a, b in edges)


def on_segment(a: Point, b: Point, p: Point) -> bool:
    along = dot(minus(b, a), minus(p, a))
    return not any(cross(minus(b, a), minus(p, a))) and 0 <= along <= dot(minus(b, a), minus(b, a))


def on_border(t: Triangle, p: Point) -> bool:
    return any(on_segment(t[k], t[(k + 1) % 3], p) for k in range(3))


def crossing(p: Point, q: Point, r: Point, s: Point) -> Point | None:
    """The point that two segments have in common, unless they are parallel."""
    d, e = minus(q, p), minus(s, r)
    n, w = cross(d, e), minus(r, p)
    if not any(n) or dot(w, n) != 0:
        return None
    a, b = dot(cross(w, e), n) / dot(n, n), dot(cross(w, d), n) / dot(n, n)
    return tuple(x + a * y for x, y in zip(p, d, strict=True)) if 0 <= a <= 1 and 0 <= b <= 1 else None


def common_corners(a: Triangle, b: Triangle) -> list[Point]:
    """Corners of the set of points that two triangles with area have in common."""
    found = set()
    for one, other in ((a, b), (b, a)):
        found.update(p for p in one if holds(other, p))
        n = normal(other)
        for k in range(3):
            p, q = one[k], one[(k + 1) % 3]
            below, above = dot(n, minus(p, other[0])), dot(n, minus(q, other[0]))
            if below != above and 0 <= below / (below - above) <= 1:
                part = below / (below - above)
                at = tuple(u + part * (v - u) for u, v in zip(p, q, strict=True))
                found.update([at] if holds(other, at) else [])
            for j in range(3):
                at_edges = crossing(p, q, other[j], other[(j + 1) % 3])
                found.update([at_edges] if at_edges else [])
    return sorted(found)


def meet(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two (3, 3) triangles with area have a point in common that lies inside at least one of them.

    What they have in common is convex: the middle of its corners lies inside a triangle unless all of it is on an edge.
    """
    one, other = exact(a), exact(b)
    corners = common_corners(one, other)
    if not corners:
        return False
    middle = tuple(sum(values, Fraction(0)) / len(corners) for values in zip(*corners, strict=True))
    return not (on_border(one, middle) and on_border(other, middle))


def meeting_faces(positions: np.ndarray, triangles: np.ndarray, faces: list[int]) -> list[int]:
    """Those of `faces` that meet any other triangle with area."""
    corners = positions[triangles]
    lower, upper = corners.min(axis=1), corners.max(axis=1)
    found = []
    for face in faces:
        near = np.flatnonzero(((lower <= upper[face]) & (upper >= lower[face])).all(axis=1))
        if has_area(exact(corners[face])) and any(
            other != face and has_area(exact(corners[other])) and meet(corners[face], corners[other]) for other in near
        ):
            found.append(face)
    return found


def side_of_plane(p: np.ndarray) -> int:
    """Sign of the determinant that says on which side of the plane of rows 0 to 2 row 3 lies."""
    a, b, c, d = (tuple(Fraction(float(value)) for value in row) for row in p)
    value = dot(cross(minus(b, a), minus(c, a)), minus(d, a))
    return (value > 0) - (value < 0)


def all_pairs(positions: np.ndarray, triangles: np.ndarray) -> set[tuple[int, int]]:
    """All pairs of triangles with area that meet."""
    corners = positions[triangles]
    usable = [t for t in range(len(triangles)) if has_area(exact(corners[t]))]
    return {(a, b) for a, b in combinations(usable, 2) if meet(corners[a], corners[b])}
