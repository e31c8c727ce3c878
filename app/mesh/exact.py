"""On which side does a point lie? Signs of determinants of float32 points that are right however close the call is.

What lives here: the two orientation tests that intersection tests are made of. A determinant is first computed in
float64 with a bound on its error (Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric
Predicates, 1997, the "A" filters); where the bound does not decide, all its products are summed without any error.
Points are rows of a (n, 3) float64 array whose values are float32 numbers: a product of two is then exact.
"""

from __future__ import annotations

import itertools

import numpy as np

from app.mesh.jit import inline_kernel, kernel

_EPSILON = 2.0**-53
_BOUND_2D = (3.0 + 16.0 * _EPSILON) * _EPSILON
_BOUND_3D = (7.0 + 56.0 * _EPSILON) * _EPSILON
_SPLITTER = 2.0**27 + 1.0
_TERMS_2D, _TERMS_3D = 6, 48


def _permutations(points: int, used: int) -> np.ndarray:
    """Rows (point for x, point for y, ..., sign) of a determinant's products with a column of ones."""
    rows = []
    for chosen in itertools.permutations(range(points)):
        swaps = sum(a > b for a, b in itertools.combinations(chosen, 2))
        rows.append((*chosen[:used], -1 if swaps % 2 else 1))
    return np.array(rows, np.int64)


_PRODUCTS_2D = _permutations(3, 2)
_PRODUCTS_3D = _permutations(4, 3)


@kernel
def side_of_plane(points, a, b, c, d):
    """1 where a, b, c run counter-clockwise seen from d, -1 where clockwise, 0 where all four lie in a plane."""
    adx, ady, adz = points[a, 0] - points[d, 0], points[a, 1] - points[d, 1], points[a, 2] - points[d, 2]
    bdx, bdy, bdz = points[b, 0] - points[d, 0], points[b, 1] - points[d, 1], points[b, 2] - points[d, 2]
    cdx, cdy, cdz = points[c, 0] - points[d, 0], points[c, 1] - points[d, 1], points[c, 2] - points[d, 2]
    bc, cb = bdx * cdy, cdx * bdy
    ca, ac = cdx * ady, adx * cdy
    ab, ba = adx * bdy, bdx * ady
    # Positive where d is below: turned over, so that counter-clockwise seen from d is positive.
    value = -(adz * (bc - cb) + bdz * (ca - ac) + cdz * (ab - ba))
    doubt = abs(adz) * (abs(bc) + abs(cb)) + abs(bdz) * (abs(ca) + abs(ac)) + abs(cdz) * (abs(ab) + abs(ba))
    if abs(value) > _BOUND_3D * doubt:
        return 1 if value > 0.0 else -1
    if doubt == 0.0:  # every product has a factor that is exactly zero
        return 0
    return _exact_side_of_plane(points, a, b, c, d)


@kernel
def side_of_line(points, a, b, c, u, v):
    """1 where a, b, c run counter-clockwise in the plane of axes u and v, -1 where clockwise, 0 on a line."""
    left = (points[a, u] - points[c, u]) * (points[b, v] - points[c, v])
    right = (points[a, v] - points[c, v]) * (points[b, u] - points[c, u])
    value, doubt = left - right, abs(left) + abs(right)
    if abs(value) > _BOUND_2D * doubt:
        return 1 if value > 0.0 else -1
    if doubt == 0.0:
        return 0
    return _exact_side_of_line(points, a, b, c, u, v)


@kernel
def _exact_side_of_plane(points, a, b, c, d):
    names = np.array([a, b, c, d])
    sum_ = np.empty(_TERMS_3D)
    size = 0
    for row in range(len(_PRODUCTS_3D)):
        x = points[names[_PRODUCTS_3D[row, 0]], 0]
        y = points[names[_PRODUCTS_3D[row, 1]], 1]
        z = points[names[_PRODUCTS_3D[row, 2]], 2]
        # 48 bits in two halves, each of which times 24 bits is exact again.
        high, low = _halves(x * y)
        z = z * _PRODUCTS_3D[row, 3]
        size = _add(sum_, size, high * z)
        size = _add(sum_, size, low * z)
    return -_sign(sum_, size)


@kernel
def _exact_side_of_line(points, a, b, c, u, v):
    names = np.array([a, b, c])
    sum_ = np.empty(_TERMS_2D)
    size = 0
    for row in range(len(_PRODUCTS_2D)):
        x, y = points[names[_PRODUCTS_2D[row, 0]], u], points[names[_PRODUCTS_2D[row, 1]], v]
        size = _add(sum_, size, x * y * _PRODUCTS_2D[row, 2])
    return _sign(sum_, size)


@inline_kernel
def _halves(value):
    """Two numbers of at most 27 bits whose sum is `value` (Dekker 1971)."""
    c = _SPLITTER * value
    high = c - (c - value)
    return high, value - high


@kernel
def _add(sum_, size, value):
    """Add a number to an expansion: numbers that do not overlap, smallest first, whose sum is exact."""
    kept = 0
    for i in range(size):
        total = value + sum_[i]
        part = total - value
        rest = (value - (total - part)) + (sum_[i] - part)
        value = total
        if rest != 0.0:
            sum_[kept] = rest
            kept += 1
    if value != 0.0:
        sum_[kept] = value
        kept += 1
    return kept


@inline_kernel
def _sign(sum_, size):
    """The largest number of an expansion outweighs all others together."""
    if size == 0:
        return 0
    return 1 if sum_[size - 1] > 0.0 else -1
