"""The ball on which brushes are timed: nearly even triangles, with bumps so that curvature and normals vary.

A geodesic icosphere of frequency n has exactly 20 n^2 triangles and 10 n^2 + 2 vertices; n = 283 is the 1.6 million
triangles that figurines have.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull

from app.mesh.soup import Soup

# Places to start from, so that no lucky or unlucky place in memory decides.
STARTS = (
    (0.35, -0.86, 0.37),
    (-0.62, -0.55, 0.56),
    (0.71, 0.45, -0.54),
    (-0.30, 0.75, 0.59),
    (0.10, -0.20, -0.97),
    (-0.93, 0.12, -0.35),
    (0.55, -0.40, -0.73),
    (0.05, 0.98, -0.15),
)
# Dabs follow a circle around this axis.
_PATH_AXIS = np.array((0.2, 0.25, 1.0)) / np.linalg.norm((0.2, 0.25, 1.0))
# Lattice points of two patches that are one differ by rounding only.
_SAME = 1e-7


def frequency_for(triangles: int) -> int:
    """The frequency whose ball has about so many triangles."""
    return max(1, round((triangles / 20) ** 0.5))


def bumpy_ball(frequency: int, radius_mm: float) -> Soup:
    """The ball with vertices and triangles in generation order, coloured by position."""
    points, triangles = _icosphere(frequency)
    x, y, z = points.T
    height = (
        1.0
        + 0.03 * np.sin(7 * x + 1.0) * np.sin(6 * y) * np.cos(5 * z)
        + 0.02 * np.sin(17 * x) * np.cos(15 * y + 0.5) * np.sin(13 * z + 0.3)
        + 0.005 * np.sin(41 * x + 2) * np.sin(37 * y) * np.cos(43 * z)
    )
    positions = (points * height[:, None]).astype(np.float32) * np.float32(radius_mm)
    colors = (0.5 + 0.4 * np.sin(5 * points)).astype(np.float32)
    return Soup(positions, triangles, colors=colors, unit_mm=1.0)


def radius_for(positions: np.ndarray, center: np.ndarray, vertices: int) -> float:
    """Radius, mm, of the ball around a centre that holds so many vertices."""
    squared = np.sum((positions.astype(float) - center) ** 2, axis=1)
    return float(np.sqrt(np.partition(squared, vertices)[vertices]))


def dab_path(directions: np.ndarray, start: tuple[float, ...], angle: float, count: int) -> np.ndarray:
    """Vertices (count,) at equal steps along a circle.

    directions: (V, 3) unit, of the vertices from the middle of the ball. angle: radians of arc from dab to dab.
    """
    first = np.asarray(start) / np.linalg.norm(start)
    reach = float(np.linalg.norm(first - _PATH_AXIS * (first @ _PATH_AXIS)))
    turns = np.arange(count)[:, None] * angle / reach
    along = _PATH_AXIS * (_PATH_AXIS @ first)
    ways = first * np.cos(turns) + np.cross(_PATH_AXIS, first) * np.sin(turns) + along * (1 - np.cos(turns))
    return np.array([int(np.argmax(directions @ way)) for way in ways])


def _icosphere(n: int) -> tuple[np.ndarray, np.ndarray]:
    """(10 n^2 + 2, 3) float64 unit points and (20 n^2, 3) int32 triangles, counter-clockwise from outside."""
    golden = (1 + 5**0.5) / 2
    arms = np.array([(0, one, other) for one in (-1, 1) for other in (-golden, golden)])
    corners = np.concatenate([np.roll(arms, turn, axis=1) for turn in range(3)])
    faces = ConvexHull(corners).simplices
    inward = np.linalg.det(corners[faces]) < 0
    faces[inward] = faces[inward][:, ::-1]
    # One patch: row i of the lattice has i + 1 points; triangles row by row, so that neighbours are near in memory.
    rows = np.repeat(np.arange(n + 1), np.arange(n + 1) + 1)
    columns = np.concatenate([np.arange(row + 1) for row in range(n + 1)])
    weights = np.stack((n - rows, rows - columns, columns), axis=1) / n
    lattice = np.concatenate([_strip(row) for row in range(n)])
    points = np.concatenate([weights @ (corners[face] / np.linalg.norm(corners[0])) for face in faces])
    triangles = np.concatenate([lattice + patch * len(rows) for patch in range(len(faces))])
    cells = np.round(points / _SAME).astype(np.int64)
    key = cells[:, 0] + (cells[:, 1] << 21) * 31 + (cells[:, 2] << 42) * 17  # wraps, which a key may
    _, first, index = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(first)  # keep the generation order
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    points = points[first[order]]
    return points / np.linalg.norm(points, axis=1, keepdims=True), rank[index][triangles].astype(np.int32)


def _strip(row: int) -> np.ndarray:
    """Triangles between two rows of the lattice, alternately up and down."""
    upper, lower = row * (row + 1) // 2, (row + 1) * (row + 2) // 2
    column = np.arange(row + 1)
    up = np.stack((upper + column, lower + column, lower + column + 1), axis=1)
    down = np.stack((upper + column[:-1], lower + column[1:], upper + column[1:]), axis=1)
    out = np.empty((2 * row + 1, 3), np.int64)
    out[0::2], out[1::2] = up, down
    return out
