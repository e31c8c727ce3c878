"""From a file's soup to a sculptable mesh, and back.

Weld: GLB, OBJ and STL split vertices along texture seams, sharp edges or everywhere; sculpting a split seam tears it
open and makes a solid read as leaky, so vertices at exactly equal positions become one. Texture coordinates stay on
corners. Reorder: vertices follow a Hilbert curve, so that neighbours in space are neighbours in memory.
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import inline_kernel, kernel, parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup

_HILBERT_BITS = 20
_BLOCK = 8192
# Texture coordinates nearer than this are one wedge: a hundredth of a texel of a 4096 pixel texture.
_UV_STEP = 1.0 / (4096 * 100)


def build_mesh(
    soup: Soup,
    mask: np.ndarray | None = None,
    face_sets: np.ndarray | None = None,
    hidden: np.ndarray | None = None,
) -> Mesh:
    """Weld and reorder a soup. Positions are taken as they are: unit and axes are the caller's business.

    Vertices that no triangle uses are dropped. Colours of welded vertices are averaged; so is `mask`, (N,) float32; of
    `face_sets` and `hidden`, (N,) float32, the first counts.
    Raises ValueError where an array has the wrong shape, an index is out of range or a position is not finite.
    """
    _check(soup)
    positions = np.ascontiguousarray(soup.positions, np.float32) + np.float32(0)  # -0.0 welds with 0.0
    triangles = np.ascontiguousarray(soup.triangles, np.int32)
    welded, first = _weld(positions, triangles)
    order = np.argsort(hilbert_keys(positions[first]), kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    vertex_of = np.append(rank, np.int32(-1))[welded]  # soup vertex -> mesh vertex, -1 where unused
    new_triangles = vertex_of[triangles]
    triangle_order = np.argsort(new_triangles.min(axis=1), kind="stable") if len(triangles) else np.empty(0, np.int64)
    new_triangles = np.ascontiguousarray(new_triangles[triangle_order])
    file_triangle = triangle_order.astype(np.int32)
    colors = None if soup.colors is None else _means(soup.colors, vertex_of, len(order))
    uv, uv_vertex, corner_uv = None, None, None
    if soup.uv is not None and soup.corner_uv is not None and len(triangles):
        file_corners = np.ascontiguousarray(soup.corner_uv[triangle_order], np.int32)
        uv, uv_vertex, corner_uv = _wedges(np.ascontiguousarray(soup.uv, np.float32), file_corners, new_triangles)
    material = None if soup.triangle_material is None else soup.triangle_material[triangle_order].astype(np.int16)
    return Mesh(
        np.ascontiguousarray(positions[first[order]]),
        new_triangles,
        colors=colors,
        mask=None if mask is None else _means(mask[:, None], vertex_of, len(order))[:, 0].copy(),
        face_sets=None if face_sets is None else np.ascontiguousarray(face_sets[first[order]], np.float32),
        hidden=None if hidden is None else np.ascontiguousarray(hidden[first[order]], np.float32),
        triangle_material=material,
        materials=list(soup.materials),
        file_vertex=order.astype(np.int32),
        file_triangle=file_triangle,
        uv=uv,
        uv_vertex=uv_vertex,
        corner_uv=corner_uv,
    )


def to_soup(mesh: Mesh) -> Soup:
    """The mesh in its file's own order of vertices and triangles, welded, units mm, Z up."""
    vertices = np.empty(mesh.vertex_count, np.int64)
    vertices[mesh.file_vertex] = np.arange(mesh.vertex_count)
    triangles = np.empty(mesh.triangle_count, np.int64)
    triangles[mesh.file_triangle] = np.arange(mesh.triangle_count)
    corner_uv = None if mesh.corner_uv is None else np.ascontiguousarray(mesh.corner_uv[triangles])
    return Soup(
        positions=np.ascontiguousarray(mesh.positions[vertices]),
        triangles=np.ascontiguousarray(mesh.file_vertex[mesh.triangles[triangles]]),
        colors=None if mesh.colors is None else np.ascontiguousarray(mesh.colors[vertices]),
        uv=mesh.uv,
        corner_uv=corner_uv,
        triangle_material=mesh.triangle_material[triangles],
        materials=list(mesh.materials),
        up="z",
        unit_mm=1.0,
    )


def _check(soup: Soup) -> None:
    positions, triangles = soup.positions, soup.triangles
    if positions.ndim != 2 or positions.shape[1] != 3 or triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError("positions and triangles must have three columns")
    if len(triangles) and (triangles.min() < 0 or triangles.max() >= len(positions)):
        raise ValueError("a triangle names a vertex that does not exist")
    if not np.isfinite(positions).all():
        raise ValueError("a vertex position is not a finite number")
    if soup.colors is not None and soup.colors.shape != (len(positions), 3):
        raise ValueError("there must be one colour per vertex")
    if (soup.uv is None) != (soup.corner_uv is None):
        raise ValueError("uv and corner_uv come together")
    if soup.uv is not None and soup.corner_uv is not None:
        if soup.corner_uv.shape != triangles.shape:
            raise ValueError("there must be one texture coordinate per corner")
        if len(triangles) and (soup.corner_uv.min() < 0 or soup.corner_uv.max() >= len(soup.uv)):
            raise ValueError("a corner names a texture coordinate that does not exist")
    material = soup.triangle_material
    if material is not None and len(material) and not 0 <= material.min() <= material.max() < len(soup.materials):
        raise ValueError("a triangle names a material that does not exist")


@inline_kernel
def _hash(a, b, c):
    h = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15)
    h ^= np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F)
    h ^= np.uint64(c) * np.uint64(0x165667B19E3779F9)
    h ^= h >> np.uint64(29)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    return h ^ (h >> np.uint64(32))


def _weld(positions: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns (N,) int32 welded index per soup vertex, -1 where unused, and (W,) int32 first soup vertex of each."""
    used = np.zeros(len(positions), np.uint8)
    used[triangles.ravel()] = 1
    return _weld_equal(positions.view(np.uint32), used)


@kernel
def _weld_equal(bits, used):
    count = len(bits)
    capacity = 16
    while capacity < 2 * count:
        capacity *= 2
    mask = np.uint64(capacity - 1)
    table = np.full(capacity, -1, np.int32)
    welded = np.full(count, -1, np.int32)
    first = np.empty(count, np.int32)
    found = 0
    for i in range(count):
        if not used[i]:
            continue
        slot = _hash(bits[i, 0], bits[i, 1], bits[i, 2]) & mask
        while True:
            other = table[slot]
            if other < 0:
                table[slot] = found
                first[found] = i
                welded[i] = found
                found += 1
                break
            j = first[other]
            if bits[j, 0] == bits[i, 0] and bits[j, 1] == bits[i, 1] and bits[j, 2] == bits[i, 2]:
                welded[i] = other
                break
            slot = (slot + np.uint64(1)) & mask
    return welded, first[:found].copy()


def hilbert_keys(points: np.ndarray) -> np.ndarray:
    """(n,) uint64 place of each (n, 3) point along a Hilbert curve through the bounding box's cube."""
    if not len(points):
        return np.empty(0, np.uint64)
    lower = points.min(axis=0).astype(np.float64)
    extent = float((points.max(axis=0) - lower).max())
    scale = ((1 << _HILBERT_BITS) - 1) / extent if extent > 0 else 0.0
    keys = np.empty(len(points), np.uint64)
    _hilbert(points, lower, scale, keys)
    return keys


@parallel_kernel
def _hilbert(points, lower, scale, keys):
    """Skilling, Programming the Hilbert curve, 2004."""
    count = len(points)
    for block in prange((count + _BLOCK - 1) // _BLOCK):
        x = np.empty(3, np.uint32)
        for i in range(block * _BLOCK, min(count, (block + 1) * _BLOCK)):
            for k in range(3):
                x[k] = np.uint32((points[i, k] - lower[k]) * scale)
            q = np.uint32(1 << (_HILBERT_BITS - 1))
            while q > 1:
                p = np.uint32(q - np.uint32(1))
                for k in range(3):
                    if x[k] & q:
                        x[0] ^= p
                    else:
                        t = (x[0] ^ x[k]) & p
                        x[0] ^= t
                        x[k] ^= t
                q >>= np.uint32(1)
            x[1] ^= x[0]
            x[2] ^= x[1]
            t = np.uint32(0)
            q = np.uint32(1 << (_HILBERT_BITS - 1))
            while q > 1:
                if x[2] & q:
                    t ^= np.uint32(q - np.uint32(1))
                q >>= np.uint32(1)
            key = np.uint64(0)
            for bit in range(_HILBERT_BITS - 1, -1, -1):
                for k in range(3):
                    key = (key << np.uint64(1)) | np.uint64(((x[k] ^ t) >> np.uint32(bit)) & np.uint32(1))
            keys[i] = key


def _means(values: np.ndarray, vertex_of: np.ndarray, vertex_count: int) -> np.ndarray:
    """(vertex_count, k) float32: mean over the soup vertices that became one, of values from 0 to 1."""
    used = vertex_of >= 0
    target = vertex_of[used]
    counts = np.bincount(target, minlength=vertex_count)
    out = np.empty((vertex_count, values.shape[1]), np.float32)
    for k in range(values.shape[1]):
        out[:, k] = np.bincount(target, weights=values[used, k], minlength=vertex_count) / np.maximum(counts, 1)
    return np.nan_to_num(out, nan=1.0, posinf=1.0, neginf=0.0).clip(0.0, 1.0)


def _wedges(uv: np.ndarray, corner_uv: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give each (vertex, texture coordinate) pair one entry, sorted by vertex. Returns uv, uv_vertex, corner_uv."""
    uv = np.nan_to_num(uv, nan=0.0, posinf=0.0, neginf=0.0)
    wedge, first_corner = _pair_ids(uv, corner_uv.ravel(), triangles.ravel())
    vertex = triangles.ravel()[first_corner]
    order = np.argsort(vertex, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return (
        np.ascontiguousarray(uv[corner_uv.ravel()[first_corner[order]]]),
        np.ascontiguousarray(vertex[order].astype(np.int32)),
        rank[wedge].reshape(-1, 3),
    )


@kernel
def _pair_ids(uv, corner_uv, corner_vertex):
    count = len(corner_uv)
    capacity = 16
    while capacity < count:
        capacity *= 2
    capacity *= 2
    mask = np.uint64(capacity - 1)
    table = np.full(capacity, -1, np.int32)
    wedge = np.empty(count, np.int32)
    first = np.empty(count, np.int32)
    found = 0
    for i in range(count):
        vertex = corner_vertex[i]
        u = np.int64(np.floor(uv[corner_uv[i], 0] / _UV_STEP + 0.5))
        v = np.int64(np.floor(uv[corner_uv[i], 1] / _UV_STEP + 0.5))
        slot = _hash(np.uint64(vertex), np.uint64(u), np.uint64(v)) & mask
        while True:
            other = table[slot]
            if other < 0:
                table[slot] = found
                first[found] = i
                wedge[i] = found
                found += 1
                break
            j = first[other]
            same_u = np.int64(np.floor(uv[corner_uv[j], 0] / _UV_STEP + 0.5)) == u
            same_v = np.int64(np.floor(uv[corner_uv[j], 1] / _UV_STEP + 0.5)) == v
            if corner_vertex[j] == vertex and same_u and same_v:
                wedge[i] = other
                break
            slot = (slot + np.uint64(1)) & mask
    return wedge, first[:found].copy()
