"""Texture coordinates for the sample bust: charts projected along an axis, packed on shelves; and what a texel shows.

What lives here: which triangle belongs to which chart, where the charts lie, and which point of the surface a texel
shows. What does not: the surface itself and its colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from app.mesh.jit import kernel

GUTTER = 4  # pixels
_SMALL = 160  # triangles; a smaller chart joins its neighbour where the projection allows
_LEANING = 0.12  # least cosine between a triangle and the axis it is projected along
_AXES = np.concatenate((np.eye(3), -np.eye(3)))
# Right and up on the chart for each axis, so that no chart is mirrored.
_RIGHT = np.array([(0, 0, -1), (1, 0, 0), (1, 0, 0), (0, 0, 1), (1, 0, 0), (-1, 0, 0)], float)
_UP = np.array([(0, 1, 0), (0, 0, -1), (0, 1, 0), (0, 1, 0), (0, 0, 1), (0, 1, 0)], float)


@dataclass
class Atlas:
    """corner_uv: (T, 3) int64 into uv (U, 2) float64, 0 to 1, origin lower left; wedge_vertex: (U,) int64."""

    uv: np.ndarray
    corner_uv: np.ndarray
    wedge_vertex: np.ndarray
    charts: int


def make_atlas(positions: np.ndarray, triangles: np.ndarray, parts: np.ndarray, scale: np.ndarray, size: int) -> Atlas:
    """Charts of (T, 3) triangles that share a part, (T,), and face the same way; scale: texels of a part, relative."""
    chart, axis = _charts(positions, triangles, parts)
    count = int(chart.max()) + 1
    first = np.unique(chart, return_index=True)[1]
    zoom = scale[parts[first]]
    wedges, corner_uv = np.unique(
        np.stack((np.repeat(chart, 3), triangles.ravel()), axis=1), axis=0, return_inverse=True
    )
    wedge_chart, wedge_vertex = wedges.T
    direction = axis[first][wedge_chart]
    points = positions[wedge_vertex]
    flat = np.stack(((points * _RIGHT[direction]).sum(1), (points * _UP[direction]).sum(1)), axis=1)
    flat *= zoom[wedge_chart][:, None]
    lower = np.full((count, 2), np.inf)
    np.minimum.at(lower, wedge_chart, flat)
    flat -= lower[wedge_chart]
    extent = np.zeros((count, 2))
    np.maximum.at(extent, wedge_chart, flat)
    place, pixels = _pack(extent, size)
    uv = (place[wedge_chart] + GUTTER / 2 + flat * pixels) / size
    return Atlas(uv, corner_uv.reshape(-1, 3), wedge_vertex, count)


def _charts(positions: np.ndarray, triangles: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T,) chart and (T,) axis of every triangle."""
    corners = positions[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    pairs = _neighbours(triangles)
    beside = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(triangles),) * 2)
    beside = csr_matrix(beside + beside.T)
    smooth = normals.copy()
    for _ in range(12):
        smooth = smooth + beside @ smooth
        smooth /= np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-12)
    facing = normals @ _AXES.T
    axis = np.where(facing > _LEANING, smooth @ _AXES.T, -2).argmax(axis=1)
    for _ in range(4):
        chart = _connected(pairs, axis, parts)
        small = np.bincount(chart)[chart] < _SMALL
        votes = np.stack([beside @ ((axis == way) & ~small).astype(float) for way in range(6)], axis=1)
        votes[facing <= _LEANING] = 0
        change = small & (votes.max(axis=1) > 0)
        axis = np.where(change, votes.argmax(axis=1), axis)
    return _connected(pairs, axis, parts), axis


def _neighbours(triangles: np.ndarray) -> np.ndarray:
    """(n, 2) pairs of triangles that share an edge."""
    edges = np.sort(np.concatenate((triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]])), axis=1)
    owner = np.tile(np.arange(len(triangles)), 3)
    order = np.lexsort(edges.T)
    edges, owner = edges[order], owner[order]
    same = (edges[1:] == edges[:-1]).all(axis=1)
    return np.stack((owner[:-1][same], owner[1:][same]), axis=1)


def _connected(pairs: np.ndarray, axis: np.ndarray, parts: np.ndarray) -> np.ndarray:
    label = axis * 16 + parts
    kept = pairs[label[pairs[:, 0]] == label[pairs[:, 1]]]
    graph = coo_matrix((np.ones(len(kept)), kept.T), shape=(len(axis),) * 2)
    return connected_components(graph, directed=False)[1]


def _pack(extent: np.ndarray, size: int) -> tuple[np.ndarray, float]:
    """Lower left corners of the charts in pixels, and the largest scale in pixels per unit at which all fit."""
    low, high = 0.0, size / extent.max()
    for _ in range(24):
        middle = (low + high) / 2
        if _shelves(extent * middle, size) is None:
            high = middle
        else:
            low = middle
    place = _shelves(extent * low, size)
    assert place is not None
    return place, low


def _shelves(extent: np.ndarray, size: int) -> np.ndarray | None:
    """Charts in rows, tallest first, each in the first row with room; None where they overflow."""
    boxes = np.ceil(extent) + GUTTER
    place = np.zeros_like(boxes)
    rows: list[list[float]] = []  # x reached, bottom, height
    top = 0.0
    for chart in np.argsort(-boxes[:, 1], kind="stable"):
        width, height = boxes[chart]
        row = next((row for row in rows if row[0] + width <= size), None)
        if row is None:
            if top + height > size or width > size:
                return None
            row = [0.0, top, height]
            rows.append(row)
            top += height
        place[chart] = row[0], row[1]
        row[0] += width
    return place


@kernel
def fill_texels(uv, triangles, size, owner, weights):
    """Which triangle, and where in it, each texel shows. owner: (size, size) int32, -1 outside; row 0 at the top."""
    for t in range(len(triangles)):
        x0, y0 = uv[triangles[t, 0], 0] * size - 0.5, (1 - uv[triangles[t, 0], 1]) * size - 0.5
        x1, y1 = uv[triangles[t, 1], 0] * size - 0.5, (1 - uv[triangles[t, 1], 1]) * size - 0.5
        x2, y2 = uv[triangles[t, 2], 0] * size - 0.5, (1 - uv[triangles[t, 2], 1]) * size - 0.5
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area == 0:
            continue
        for row in range(max(0, int(min(y0, y1, y2))), min(size - 1, int(max(y0, y1, y2)) + 1) + 1):
            for column in range(max(0, int(min(x0, x1, x2))), min(size - 1, int(max(x0, x1, x2)) + 1) + 1):
                b = ((column - x0) * (y2 - y0) - (x2 - x0) * (row - y0)) / area
                c = ((x1 - x0) * (row - y0) - (column - x0) * (y1 - y0)) / area
                if b >= -1e-6 and c >= -1e-6 and b + c <= 1 + 1e-6:
                    owner[row, column] = t
                    weights[row, column, 0] = b
                    weights[row, column, 1] = c
