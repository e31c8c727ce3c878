"""Which vertices are in sight: a small picture of depths, drawn without a graphics card.

What does not live here: one ray (`raycast`), where points lie in the picture (`app.viewport.camera`).
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import kernel, parallel_kernel, prange


def in_sight(
    places: np.ndarray,
    nearness: np.ndarray,
    triangles: np.ndarray,
    hidden: np.ndarray,
    rows: np.ndarray,
    limit: np.ndarray,
) -> np.ndarray:
    """Whether vertices `rows`, (k,) int, are not behind what is visible of the triangles. Returns (k,) bool.

    places: (V, 2) float64, pixels, finite at `rows`; NaN behind the eye. nearness: (V,) float64, larger is nearer, and
    linear over the picture within a triangle. hidden: (V,) float32. limit: (k,) float64, nearness from which on
    something is before the vertex.
    """
    if not len(rows):
        return np.zeros(0, bool)
    low = np.floor(places[rows].min(axis=0)).astype(np.int64) - 1
    high = np.ceil(places[rows].max(axis=0)).astype(np.int64) + 1
    picture = np.full((int(high[1] - low[1]) + 1, int(high[0] - low[0]) + 1), -np.inf)
    _draw(places - low, nearness, triangles, hidden, picture)
    seen = np.empty(len(rows), np.bool_)
    _look(places - low, rows, limit, picture, seen)
    return seen


@kernel
def _draw(places, nearness, triangles, hidden, picture):
    """The nearest surface at the middle of each pixel."""
    height, width = picture.shape
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if hidden[a] != 0 or hidden[b] != 0 or hidden[c] != 0:
            continue
        ax, ay, bx, by, cx, cy = places[a, 0], places[a, 1], places[b, 0], places[b, 1], places[c, 0], places[c, 1]
        left, right = min(ax, bx, cx), max(ax, bx, cx)
        top, bottom = min(ay, by, cy), max(ay, by, cy)
        if not (right >= 0 and left <= width and bottom >= 0 and top <= height):
            continue  # beside the picture; or NaN, behind the eye
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0 or not np.isfinite(area):
            continue
        for row in range(max(int(np.ceil(top - 0.5)), 0), min(int(np.floor(bottom - 0.5)), height - 1) + 1):
            y = row + 0.5
            for column in range(max(int(np.ceil(left - 0.5)), 0), min(int(np.floor(right - 0.5)), width - 1) + 1):
                x = column + 0.5
                v = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
                w = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
                if v >= 0.0 and w >= 0.0 and v + w <= 1.0:
                    near = nearness[a] + v * (nearness[b] - nearness[a]) + w * (nearness[c] - nearness[a])
                    picture[row, column] = max(picture[row, column], near)


@parallel_kernel
def _look(places, rows, limit, picture, seen):
    """In sight is what is not behind all of the nine pixels around it: at a steep flank some of them are nearer."""
    height, width = picture.shape
    for i in prange(len(rows)):
        v = rows[i]
        column, row = int(places[v, 0]), int(places[v, 1])
        found = False
        for y in range(max(row - 1, 0), min(row + 2, height)):
            for x in range(max(column - 1, 0), min(column + 2, width)):
                found = found or picture[y, x] <= limit[i]
        seen[i] = found
