"""Smoothing of open borders along themselves: the edges that one triangle uses, or more than two.

What lives here: walking along a border, its corners. What does not: the smooth of the surface between (`smoothing`).
"""

from __future__ import annotations

import math

import numpy as np

from app.mesh.jit import kernel, prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.region import Region

# A whole step would turn a zigzag over, in to out and out to in, for ever.
_PART = 0.5


def along_borders(mesh: Mesh, region: Region, corner_degrees: float, strength: float) -> None:
    """Overwrite `region.delta` on borders: half the way to the mean of the two neighbours along the border.

    A vertex stays where the border turns by more than `corner_degrees`, measured over two edges on either side so that
    a jag is not a corner, and where not exactly two border edges meet.
    """
    topology = mesh.topology
    _along_borders(
        region.vertices,
        mesh.positions,
        mesh.triangles,
        topology.triangle_offsets,
        topology.vertex_triangles,
        topology.boundary,
        math.cos(math.radians(corner_degrees)),
        _PART * strength,
        region.delta,
    )


@kernel
def _uses(v, other, triangles, offsets, vertex_triangles, end):
    """How many of the triangles around `v`, up to the one at `end`, use `other`, too."""
    count = 0
    for i in range(offsets[v], end):
        t = vertex_triangles[i]
        if triangles[t, 0] == other or triangles[t, 1] == other or triangles[t, 2] == other:
            count += 1
    return count


@kernel
def _border_neighbours(v, triangles, offsets, vertex_triangles):
    """How many border edges meet at `v`, and the other ends of the first two."""
    count = 0
    first = second = v
    for i in range(offsets[v], offsets[v + 1]):
        for k in range(3):
            other = triangles[vertex_triangles[i], k]
            if other == v or _uses(v, other, triangles, offsets, vertex_triangles, i) > 0:
                continue
            if _uses(v, other, triangles, offsets, vertex_triangles, offsets[v + 1]) == 2:
                continue
            if count == 0:
                first = other
            elif count == 1:
                second = other
            count += 1
    return count, first, second


@kernel
def _beyond(v, came_from, triangles, offsets, vertex_triangles):
    """The next vertex along the border; `v` itself where it ends or branches."""
    count, first, second = _border_neighbours(v, triangles, offsets, vertex_triangles)
    if count != 2:
        return v
    return second if first == came_from else first


@scaling_kernel
def _along_borders(vertices, positions, triangles, offsets, vertex_triangles, boundary, corner_cosine, rate, delta):
    for i in prange(len(vertices)):
        v = vertices[i]
        if not boundary[v]:
            continue
        count, a, b = _border_neighbours(v, triangles, offsets, vertex_triangles)
        far_a = _beyond(a, v, triangles, offsets, vertex_triangles)
        far_b = _beyond(b, v, triangles, offsets, vertex_triangles)
        along = before = after = 0.0
        for k in range(3):
            come, go = positions[v, k] - positions[far_a, k], positions[far_b, k] - positions[v, k]
            along += come * go
            before += come * come
            after += go * go
        straight = count == 2 and along >= corner_cosine * np.sqrt(before * after)
        for k in range(3):
            middle = (positions[a, k] + positions[b, k]) / np.float32(2)
            delta[i, k] = (middle - positions[v, k]) * rate if straight else 0.0
