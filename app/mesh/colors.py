"""Moving a texture's colour onto the vertices, so that it can be painted.

What lives here: sampling and the mesh that results. What does not: decoding images (`soup`), painting (`app.tools`).
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import kernel, parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.mesh.soup import Material


def colors_from_texture(mesh: Mesh) -> np.ndarray:
    """Colour of every vertex. Returns (V, 3) float32, sRGB 0 to 1.

    Each wedge takes its material's texture, sampled bilinearly, times the base colour, both in linear light, as glTF
    says; a vertex on a seam takes the mean of its wedges. Materials without a texture give their base colour.
    """
    if mesh.uv is None or mesh.uv_vertex is None or mesh.corner_uv is None:
        linear = _mean_by_vertex(
            mesh.triangles.ravel(),
            _base_colors(mesh.materials)[np.repeat(mesh.triangle_material, 3)],
            mesh.vertex_count,
        )
        return _to_srgb(linear)
    material = np.zeros(len(mesh.uv), np.int16)
    material[mesh.corner_uv.ravel()] = np.repeat(mesh.triangle_material, 3)
    linear = _linear_light(mesh.materials, material, mesh.uv)
    return _to_srgb(_mean_by_vertex(mesh.uv_vertex, linear, mesh.vertex_count))


def colors_at(materials: list[Material], material: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(n, 3) float32 sRGB of points of a textured surface. material: (n,) int; uv: (n, 2), origin lower left."""
    return _to_srgb(_linear_light(materials, material, uv))


def with_vertex_colors(mesh: Mesh, colors: np.ndarray | None = None) -> Mesh:
    """The same surface with colours on its vertices and no texture. Shares with `mesh` what strokes never write.

    colors: (V, 3) float32, sRGB; by default those of the texture and the materials.
    """
    mesh.refresh()
    colors = colors_from_texture(mesh) if colors is None else colors
    return Mesh(
        mesh.positions.copy(),
        mesh.triangles,
        colors=np.array(colors, np.float32, order="C"),
        mask=mesh.mask.copy(),
        face_sets=mesh.face_sets.copy(),
        hidden=mesh.hidden.copy(),
        materials=[Material()],
        file_vertex=mesh.file_vertex,
        file_triangle=mesh.file_triangle,
        topology=mesh.topology,
        normals=mesh.normals.copy(),
    )


def _to_linear(srgb: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _to_srgb(linear: np.ndarray) -> np.ndarray:
    linear = linear.clip(0.0, 1.0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


_LINEAR_OF_BYTE = _to_linear(np.arange(256) / 255)


def _base_colors(materials: list[Material]) -> np.ndarray:
    """(materials, 3) float32, linear."""
    return _to_linear(np.array([material.base_color for material in materials], np.float64).clip(0.0, 1.0))


def _linear_light(materials: list[Material], material: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(n, 3) float32: the texture or, without one, the base colour alone."""
    base = _base_colors(materials)
    linear = base[material]
    for index, entry in enumerate(materials):
        if entry.texture is None:
            continue
        rows = np.flatnonzero(material == index)
        sampled = np.empty((len(rows), 3), np.float32)
        pixels = entry.texture.pixels()
        _sample(pixels, _LINEAR_OF_BYTE, np.ascontiguousarray(uv[rows], np.float32), entry.wrap == "repeat", sampled)
        linear[rows] = sampled * base[index]
    return linear


@kernel
def _mean_by_vertex(vertex, values, count):
    total = np.zeros((count, 3), np.float32)
    uses = np.zeros(count, np.int32)
    for i in range(len(vertex)):
        uses[vertex[i]] += 1
        for k in range(3):
            total[vertex[i], k] += values[i, k]
    for v in range(count):
        if uses[v] > 1:
            for k in range(3):
                total[v, k] /= uses[v]
    return total


@parallel_kernel
def _sample(pixels, linear_of_byte, uv, repeat, out):
    """Bilinear, in linear light; uv has its origin at the lower left, texel centres at half integers."""
    height, width = pixels.shape[0], pixels.shape[1]
    for i in prange(len(uv)):
        x = np.float64(uv[i, 0]) * width - 0.5
        y = (1.0 - np.float64(uv[i, 1])) * height - 0.5
        left, top = int(np.floor(x)), int(np.floor(y))
        part_x, part_y = x - left, y - top
        for k in range(3):
            value = 0.0
            for row in range(2):
                for column in range(2):
                    px, py = left + column, top + row
                    if repeat:
                        px, py = px % width, py % height
                    else:
                        px, py = min(max(px, 0), width - 1), min(max(py, 0), height - 1)
                    weight = (part_x if column else 1.0 - part_x) * (part_y if row else 1.0 - part_y)
                    value += weight * linear_of_byte[pixels[py, px, k]]
            out[i, k] = value
