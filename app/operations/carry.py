"""Colour follows the surface: texture coordinates, materials, vertex colours, mask, face sets and what is hidden from
one mesh onto another.

    carry             onto any new surface near the old one, by closest points
    carry_by_weights  onto corners that are known points of known triangles, as after a subdivision: exact

Texture coordinates of a new triangle must not reach over a seam, or the whole image between the seam's two sides would
be squeezed into it. So each new triangle belongs to the old triangle below its centre, and its corners take their
coordinates from old triangles that can be reached from there without crossing a seam; a corner beyond a seam takes
the nearest point on this side of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.mesh.build import build_mesh
from app.mesh.bvh import Bvh, Closest, closest_on_triangle
from app.mesh.jit import inline_kernel, kernel, parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.operations.operation import Progress, no_progress

# A surface that faces the other way counts as so much farther off, as a part of the model's size.
_AWAY = 0.01
# Distances that differ by less than this part of the model's size are the same.
_SAME = 1e-7
_BLOCK = 1024
# Old triangles looked at for one new one, and slots of the table that remembers them.
_MOST_VISITED = 1024
_SLOTS = 4 * _MOST_VISITED
# How far beyond its farthest corner the neighbourhood of a new triangle's centre reaches, as a part of that distance.
_REACH = 1.25


def carry(
    source: Mesh,
    positions: np.ndarray,
    triangles: np.ndarray,
    progress: Progress = no_progress,
    *,
    tree: Bvh | None = None,
) -> Mesh:
    """A mesh of these triangles with the source's colours, by closest points on its surface.

    positions: (N, 3) float32, mm. triangles: (T, 3) int32. tree: over the source's triangles, where there is one.
    Points of a thin wall take from the side that faces their way.
    """
    positions, triangles = np.ascontiguousarray(positions, np.float32), np.ascontiguousarray(triangles, np.int32)
    if not source.triangle_count or not len(triangles):
        return build_mesh(Soup(positions, triangles, unit_mm=1.0))
    by_triangle = source.corner_uv is not None or len(source.materials) > 1
    by_vertex = source.corner_uv is not None or source.colors is not None
    by_vertex = by_vertex or bool(source.mask.any() or source.face_sets.any() or source.hidden.any())
    corner_uv = material = None
    looks = _Looks()
    if by_triangle or by_vertex:
        progress(0.0, "Carrying the colours over")
        tree = tree or Bvh.of(source.positions, source.triangles)
        vertex_normals, centres, normals = facing(positions, triangles)
        away = _AWAY * float(np.linalg.norm(source.size()))
        progress(0.1, "Carrying the colours over")
        at_vertex = tree.closest(positions, facing=vertex_normals, away_mm=away)
        looks = _Looks.of(source, at_vertex)
        progress(0.3, "Carrying the colours over")
        if by_triangle:
            below = tree.closest(centres, facing=normals, away_mm=away).triangle
            material = source.triangle_material[below]
            progress(0.6, "Carrying the texture over")
            if source.corner_uv is not None:
                corner_uv = _corners_without_seams(source, tree, positions, triangles, centres, below, at_vertex)
    progress(0.8, "Putting the mesh together")
    return _assembled(source, positions, triangles, looks, corner_uv, material)


def carry_by_weights(
    source: Mesh,
    positions: np.ndarray,
    triangles: np.ndarray,
    parent: np.ndarray,
    weights: np.ndarray,
    progress: Progress = no_progress,
) -> Mesh:
    """A mesh of these triangles, each corner of which is a known point of a triangle of the source.

    parent: (T,) int, triangle of the source that a new triangle came from. weights: (T, 3, 3) float, the barycentric
    weights of each corner in it. Texture coordinates are interpolated within the parent, so seams stay where they are.
    """
    progress(0.0, "Carrying the colours over")
    weights = np.asarray(weights, np.float32)
    corner_vertex = triangles.ravel()
    first = np.zeros(len(positions), np.int64)  # any one corner of each vertex: they all agree
    first[corner_vertex] = np.arange(len(corner_vertex))
    flat = weights.reshape(-1, 3)
    at = Closest(parent[first // 3].astype(np.int32), flat[first], np.zeros(len(positions), np.float32))
    looks = _Looks.of(source, at)
    progress(0.3, "Carrying the texture over")
    corner_uv = None
    if source.uv is not None and source.corner_uv is not None:
        corner_uv = np.einsum("tck,tkx->tcx", weights, source.uv[source.corner_uv[parent]])
    progress(0.6, "Putting the mesh together")
    return _assembled(source, positions, triangles, looks, corner_uv, source.triangle_material[parent])


@dataclass(frozen=True, eq=False)
class _Looks:
    """Colours, mask, face sets and hidden of new vertices; None for those that the source has none of."""

    colors: np.ndarray | None = None
    mask: np.ndarray | None = None
    face_sets: np.ndarray | None = None
    hidden: np.ndarray | None = None

    @classmethod
    def of(cls, source: Mesh, at: Closest) -> _Looks:
        """Those of points of the source; face set and hidden are those of the nearest corner."""
        corners = source.triangles[at.triangle]
        nearest = corners[np.arange(len(corners)), at.weights.argmax(axis=1)]
        colors = mask = face_sets = hidden = None
        if source.colors is not None:
            colors = np.einsum("nk,nkc->nc", at.weights, source.colors[corners])
        if source.mask.any():
            mask = np.einsum("nk,nk->n", at.weights, source.mask[corners])
        if source.face_sets.any():
            face_sets = source.face_sets[nearest]
        if source.hidden.any():
            hidden = source.hidden[nearest]
        return cls(colors, mask, face_sets, hidden)


def _assembled(
    source: Mesh,
    positions: np.ndarray,
    triangles: np.ndarray,
    looks: _Looks,
    corner_uv: np.ndarray | None,
    material: np.ndarray | None,
) -> Mesh:
    soup = Soup(
        positions,
        triangles,
        colors=looks.colors,
        uv=None if corner_uv is None else np.ascontiguousarray(corner_uv, np.float32).reshape(-1, 2),
        corner_uv=None if corner_uv is None else np.arange(3 * len(triangles), dtype=np.int32).reshape(-1, 3),
        triangle_material=material,
        materials=list(source.materials),
        unit_mm=1.0,
    )
    return build_mesh(soup, looks.mask, looks.face_sets, looks.hidden)


def _corners_without_seams(
    source: Mesh,
    tree: Bvh,
    positions: np.ndarray,
    triangles: np.ndarray,
    centres: np.ndarray,
    below: np.ndarray,
    at_vertex: Closest,
) -> np.ndarray:
    """(T, 3, 2) float32 texture coordinates of the corners."""
    assert source.uv is not None
    assert source.corner_uv is not None
    topology = source.topology
    neighbours = _neighbours_in_texture(
        source.triangles,
        source.corner_uv,
        source.triangle_material,
        topology.triangle_offsets,
        topology.vertex_triangles,
    )
    place = np.empty(len(tree.order), np.int32)
    place[tree.order] = np.arange(len(tree.order), dtype=np.int32)
    out = np.empty((len(triangles), 3, 2), np.float32)
    _corner_uv(
        positions,
        triangles,
        centres,
        below,
        at_vertex.triangle,
        at_vertex.weights,
        at_vertex.distance + np.float32(_SAME * np.linalg.norm(source.size())),
        source.uv,
        source.corner_uv,
        neighbours,
        place,
        tree.corners,
        out,
    )
    return out


@kernel
def facing(positions, triangles):
    """Area-weighted vertex normals, centres of triangles, normals of triangles; normals are not unit."""
    vertex = np.zeros((len(positions), 3), np.float32)
    centres = np.empty((len(triangles), 3), np.float32)
    normals = np.empty((len(triangles), 3), np.float32)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            u, v = positions[b, i] - positions[a, i], positions[b, j] - positions[a, j]
            p, q = positions[c, i] - positions[a, i], positions[c, j] - positions[a, j]
            normals[t, k] = u * q - v * p
            centres[t, k] = (positions[a, k] + positions[b, k] + positions[c, k]) / np.float32(3)
            vertex[a, k] += normals[t, k]
            vertex[b, k] += normals[t, k]
            vertex[c, k] += normals[t, k]
    return vertex, centres, normals


@parallel_kernel
def _neighbours_in_texture(triangles, corner_uv, material, offsets, vertex_triangles):
    """(T, 3) int32: the triangle across each edge (corner k to the next), -1 at seams, borders and where three meet."""
    out = np.full((len(triangles), 3), -1, np.int32)
    for t in prange(len(triangles)):
        for k in range(3):
            a, b = triangles[t, k], triangles[t, (k + 1) % 3]
            found, side, uses = -1, 0, 0
            for i in range(offsets[a], offsets[a + 1]):
                other = vertex_triangles[i]
                for m in range(3):
                    if triangles[other, m] != a:
                        continue
                    if other != t and (triangles[other, (m + 1) % 3] == b or triangles[other, (m + 2) % 3] == b):
                        uses += 1
                        found, side = other, m
            if uses != 1 or triangles[found, (side + 2) % 3] != b or material[found] != material[t]:
                continue
            same_start = corner_uv[found, side] == corner_uv[t, k]
            same_end = corner_uv[found, (side + 2) % 3] == corner_uv[t, (k + 1) % 3]
            if same_start and same_end:
                out[t, k] = found
    return out


@inline_kernel
def _shares_wedge(corner_uv, first, second):
    for i in range(3):
        for k in range(3):
            if corner_uv[first, i] == corner_uv[second, k]:
                return True
    return False


@kernel
def _remember(table, stamps, stamp, triangle):
    """Put a triangle into a hash set; False where it already was. Entries with an older stamp count as empty."""
    slot = (np.int64(triangle) * 2654435761) & (_SLOTS - 1)
    while stamps[slot] == stamp:
        if table[slot] == triangle:
            return False
        slot = (slot + 1) & (_SLOTS - 1)
    table[slot], stamps[slot] = triangle, stamp
    return True


@kernel
def _flood(start, x, y, z, reach2, neighbours, place, corners, table, stamps, stamp, visited):
    """Fill `visited` with triangles that hang together with `start` and come within reach of a point; how many."""
    visited[0] = start
    count, done = 1, 0
    _remember(table, stamps, stamp, start)
    while done < count and count + 3 <= _MOST_VISITED:
        for k in range(3):
            other = neighbours[visited[done], k]
            if other < 0 or not _remember(table, stamps, stamp, other):
                continue
            if closest_on_triangle(corners, place[other], x, y, z)[2] <= reach2:
                visited[count] = other
                count += 1
        done += 1
    return count


@parallel_kernel
def _corner_uv(
    positions, triangles, centres, below, at, weights, limit, uv, corner_uv, neighbours, place, corners, out
):
    for block in prange((len(triangles) + _BLOCK - 1) // _BLOCK):
        table = np.empty(_SLOTS, np.int32)
        stamps = np.zeros(_SLOTS, np.int32)
        visited = np.empty(_MOST_VISITED, np.int32)
        for t in range(block * _BLOCK, min(len(triangles), (block + 1) * _BLOCK)):
            own = below[t]
            count = 0
            for k in range(3):
                v = triangles[t, k]
                chosen = at[v]
                u, w = np.float64(weights[v, 1]), np.float64(weights[v, 2])
                if chosen != own:
                    # A corner that lies on several triangles equally well belongs to that below the centre.
                    px, py, pz = positions[v, 0], positions[v, 1], positions[v, 2]
                    a, b, d2 = closest_on_triangle(corners, place[own], np.float64(px), np.float64(py), np.float64(pz))
                    if d2 <= limit[v] * limit[v]:
                        chosen, u, w = own, a, b
                if chosen != own and not _shares_wedge(corner_uv, chosen, own):
                    if count == 0:
                        x, y, z = np.float64(centres[t, 0]), np.float64(centres[t, 1]), np.float64(centres[t, 2])
                        reach2 = 0.0
                        for m in range(3):
                            px = positions[triangles[t, m], 0] - x
                            py = positions[triangles[t, m], 1] - y
                            pz = positions[triangles[t, m], 2] - z
                            reach2 = max(reach2, px * px + py * py + pz * pz)
                        # The old surface may lie a little beside the new one.
                        off2 = closest_on_triangle(corners, place[own], x, y, z)[2]
                        reach2 = (_REACH * np.sqrt(reach2) + np.sqrt(off2)) ** 2
                        stamp = t - block * _BLOCK + 1
                        count = _flood(own, x, y, z, reach2, neighbours, place, corners, table, stamps, stamp, visited)
                    best = np.inf
                    reached = False
                    for i in range(count):
                        reached = reached or visited[i] == chosen
                    for i in range(0 if not reached else count, count):
                        px, py, pz = positions[v, 0], positions[v, 1], positions[v, 2]
                        a, b, d2 = closest_on_triangle(
                            corners, place[visited[i]], np.float64(px), np.float64(py), np.float64(pz)
                        )
                        if d2 < best:
                            best, chosen, u, w = d2, visited[i], a, b
                for c in range(2):
                    first = uv[corner_uv[chosen, 0], c]
                    second, third = uv[corner_uv[chosen, 1], c], uv[corner_uv[chosen, 2], c]
                    out[t, k, c] = first + u * (second - first) + w * (third - first)
