"""A light stand-in for a heavy mesh, drawn while the camera moves where a full frame takes longer than a blink.

Vertices are clustered on a grid and each cluster is drawn by one of its own vertices, so that the stand-in is a short
list of mesh vertices that is gathered afresh in a millisecond whenever the mesh has changed.
Rossignac and Borrel, Multi-resolution 3D approximations for rendering complex scenes, 1993.
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import kernel
from app.viewport.render_copy import Group, RenderCopy

STANDIN_TRIANGLES = 60_000
_MOST_CELLS_ALONG = 1 << 20
_BITS = 21  # clusters per triangle corner in a 64-bit key
# A surface crosses about 1.5 area / h^2 cubes of side h, and has twice as many triangles as vertices.
_TRIANGLES_PER_SQUARE_CELL = 3.0


class StandIn:
    """Render arrays of the stand-in, with the names and meanings of `RenderCopy`.

    Raises nothing; a mesh that is light already gives about as many triangles as it has.
    """

    def __init__(self, copy: RenderCopy, wanted: int = STANDIN_TRIANGLES) -> None:
        self._copy = copy
        representative = _clusters(copy, wanted)
        kept = [_kept(group.triangles, representative) for group in copy.groups]
        corners = np.concatenate([group.triangles[rows] for group, rows in zip(copy.groups, kept, strict=True)])
        if copy.tcoords is None:
            self._rows, inverse = np.unique(representative[corners], return_inverse=True)
            triangles = inverse.reshape(-1, 3).astype(np.int32)
            self.tcoords = None
        else:
            # A cluster may reach across a texture seam: each corner keeps its own texture coordinate.
            self._rows = representative[corners].ravel()
            triangles = np.arange(len(self._rows), dtype=np.int32).reshape(-1, 3)
            self.tcoords = np.ascontiguousarray(copy.tcoords[corners.ravel()])
        ends = np.cumsum([0, *(len(rows) for rows in kept)])
        self.groups = [
            Group(group.material, np.ascontiguousarray(triangles[ends[i] : ends[i + 1]]))
            for i, group in enumerate(copy.groups)
        ]
        self.positions = np.empty((len(self._rows), 3), np.float32)
        self.normals = np.empty((len(self._rows), 3), np.float32)
        self.paint = np.empty((len(self._rows), 4), np.uint8)
        self.gather()

    def gather(self) -> None:
        """Take over the present state of the full render arrays."""
        np.take(self._copy.positions, self._rows, axis=0, out=self.positions)
        np.take(self._copy.normals, self._rows, axis=0, out=self.normals)
        np.take(self._copy.paint, self._rows, axis=0, out=self.paint)


def _clusters(copy: RenderCopy, wanted: int) -> np.ndarray:
    """(N,) int32: for each render vertex the one that stands for its cluster."""
    if not len(copy.positions):
        return np.empty(0, np.int32)
    area = sum(_area(copy.positions, group.triangles) for group in copy.groups)
    cell = np.sqrt(_TRIANGLES_PER_SQUARE_CELL * area / wanted) if area > 0 else 1.0
    lower = copy.positions.min(axis=0).astype(np.float64)
    return _representatives(_cell_keys(copy.positions, lower, 1.0 / cell))


def _kept(triangles: np.ndarray, representative: np.ndarray) -> np.ndarray:
    """Rows of the triangles whose corners lie in three clusters, one row for each trio of clusters."""
    rows = _spanning(triangles, representative)
    clusters = representative[triangles[rows]]
    _, numbers = np.unique(clusters, return_inverse=True)
    trio = np.sort(numbers.reshape(-1, 3), axis=1).astype(np.uint64)
    keys = (trio[:, 0] << np.uint64(2 * _BITS)) | (trio[:, 1] << np.uint64(_BITS)) | trio[:, 2]
    _, first = np.unique(keys, return_index=True)
    return rows[np.sort(first)]


@kernel
def _area(positions, triangles):
    total = 0.0
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux = positions[b, 0] - positions[a, 0]
        uy = positions[b, 1] - positions[a, 1]
        uz = positions[b, 2] - positions[a, 2]
        vx = positions[c, 0] - positions[a, 0]
        vy = positions[c, 1] - positions[a, 1]
        vz = positions[c, 2] - positions[a, 2]
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        total += 0.5 * np.sqrt(np.float64(x * x + y * y + z * z))
    return total


@kernel
def _cell_keys(positions, lower, scale):
    keys = np.empty(len(positions), np.int64)
    for i in range(len(positions)):
        key = np.int64(0)
        for k in range(3):
            place = np.int64((positions[i, k] - lower[k]) * scale)
            key = key * np.int64(_MOST_CELLS_ALONG) + min(max(place, np.int64(0)), np.int64(_MOST_CELLS_ALONG - 1))
        keys[i] = key
    return keys


@kernel
def _representatives(keys):
    """For each vertex the first vertex with the same key."""
    count = len(keys)
    capacity = 16
    while capacity < 2 * count:
        capacity *= 2
    table = np.full(capacity, -1, np.int32)
    out = np.empty(count, np.int32)
    for i in range(count):
        h = np.uint64(keys[i]) * np.uint64(0x9E3779B97F4A7C15)
        slot = np.int64((h ^ (h >> np.uint64(29))) & np.uint64(capacity - 1))
        while table[slot] >= 0 and keys[table[slot]] != keys[i]:
            slot = (slot + 1) & (capacity - 1)
        if table[slot] < 0:
            table[slot] = i
        out[i] = table[slot]
    return out


@kernel
def _spanning(triangles, representative):
    rows = np.empty(len(triangles), np.int64)
    found = 0
    for t in range(len(triangles)):
        a, b, c = representative[triangles[t, 0]], representative[triangles[t, 1]], representative[triangles[t, 2]]
        if a != b and b != c and a != c:
            rows[found] = t
            found += 1
    return rows[:found].copy()
