"""How a soup's colour goes into a file: which images, which vertex colours, which corners share a vertex.

Writers ask here, so that the same model looks the same in every format. No format's grammar lives here.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from app.formats.images import linear_to_srgb, srgb_to_linear, written_texture
from app.formats.registry import WriteOptions
from app.mesh.jit import kernel
from app.mesh.soup import Material, Soup, Texture

_WHITE = (1.0, 1.0, 1.0)
_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg"}


def is_textured(soup: Soup, options: WriteOptions) -> bool:
    """Whether the file gets images: the soup has some and the profile wants them."""
    wanted = options.color == "texture" and soup.uv is not None and soup.corner_uv is not None
    return wanted and any(material.texture is not None for material in soup.materials)


def triangle_materials(soup: Soup) -> np.ndarray:
    """(T,) int16 into the soup's materials."""
    if soup.triangle_material is None:
        return np.zeros(len(soup.triangles), np.int16)
    return soup.triangle_material


def written_textures(soup: Soup, options: WriteOptions) -> list[Texture | None]:
    """One image or None per material, as the profile wants them; None throughout where it wants no images.

    A base colour other than white is multiplied into the image: the formats disagree about what it means beside one.
    """
    if not is_textured(soup, options):
        return [None] * len(soup.materials)
    used = np.bincount(triangle_materials(soup), minlength=len(soup.materials))
    written: dict[tuple[int, tuple[float, float, float]], Texture] = {}
    textures: list[Texture | None] = []
    for material, count in zip(soup.materials, used, strict=True):
        if material.texture is None or not count:
            textures.append(None)
            continue
        key = id(material.texture), material.base_color
        if key not in written:
            written[key] = written_texture(_tinted(material), options)
        textures.append(written[key])
    return textures


def _tinted(material: Material) -> Texture:
    texture = material.texture
    assert texture is not None
    if material.base_color == _WHITE:
        return texture
    light = srgb_to_linear(np.arange(256) / 255.0)[:, None] * srgb_to_linear(np.array(material.base_color))
    table = np.rint(linear_to_srgb(light) * 255.0).clip(0, 255).astype(np.uint8)
    pixels = texture.pixels()
    return Texture.from_pixels(np.stack([table[pixels[..., k], k] for k in range(3)], axis=2), texture.name)


def plain_texture(material: Material) -> Texture:
    """An image of a material's colour, for formats in which all triangles must have one."""
    color = np.rint(np.array(material.base_color) * 255.0).clip(0, 255).astype(np.uint8)
    return Texture.from_pixels(np.broadcast_to(color, (4, 4, 3)), "plain")


def safe_stem(path: Path) -> str:
    """A name for files beside `path` that survives in MTL and VRML: no blanks, quotes or letters beyond ASCII."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", path.stem).strip("._") or "model"


def write_images(textures: list[Texture | None], path: Path) -> list[str | None]:
    """Write images into the folder of `path`, each once. Returns a file name or None for each."""
    different = list({id(texture): texture for texture in textures if texture is not None}.values())
    names: dict[int, str] = {}
    for number, texture in enumerate(different, 1):
        tail = f"_{number}" if len(different) > 1 else ""
        names[id(texture)] = f"{safe_stem(path)}{tail}{_SUFFIXES[texture.mime]}"
        (path.parent / names[id(texture)]).write_bytes(texture.encoded)
    return [None if texture is None else names[id(texture)] for texture in textures]


def vertex_colors(soup: Soup, options: WriteOptions) -> np.ndarray | None:
    """(N, 3) float32 sRGB colours for a format or profile that has them only on vertices; None where there are none.

    Without colours of its own a soup gets those of its textures and materials, averaged over a vertex's corners.
    """
    if options.color == "none":
        return None
    if soup.colors is not None:
        return soup.colors
    plain = all(material.texture is None and material.base_color == _WHITE for material in soup.materials)
    if plain or not len(soup.triangles):
        return None
    corners = _corner_colors(soup).reshape(-1, 3)
    vertex = soup.triangles.ravel()
    count = np.maximum(np.bincount(vertex, minlength=len(soup.positions)), 1)
    columns = [np.bincount(vertex, corners[:, k], len(soup.positions)) / count for k in range(3)]
    return np.stack(columns, axis=1).astype(np.float32)


def _corner_colors(soup: Soup) -> np.ndarray:
    """(T, 3, 3) float32."""
    colors = np.empty((len(soup.triangles), 3, 3), np.float32)
    of_triangle = triangle_materials(soup)
    for index, material in enumerate(soup.materials):
        rows = np.flatnonzero(of_triangle == index)
        if material.texture is None or soup.uv is None or soup.corner_uv is None:
            colors[rows] = material.base_color
        else:
            uv = np.ascontiguousarray(soup.uv, np.float32)
            _sample(_tinted(material).pixels(), uv, soup.corner_uv, rows, material.wrap == "repeat", colors)
    return colors


@kernel
def _sample(pixels, uv, corner_uv, rows, repeat, colors):
    """Bilinear. uv has its origin at the lower left, pixels at the upper left."""
    height, width = pixels.shape[0], pixels.shape[1]
    for row in rows:
        for k in range(3):
            u, v = np.float64(uv[corner_uv[row, k], 0]), np.float64(uv[corner_uv[row, k], 1])
            if not (abs(u) < 1e6 and abs(v) < 1e6):
                u, v = np.float64(0.0), np.float64(0.0)
            x, y = u * width - 0.5, (1.0 - v) * height - 0.5
            x0, y0 = np.int64(np.floor(x)), np.int64(np.floor(y))
            fx, fy = x - x0, y - y0
            if repeat:
                xa, xb = x0 % width, (x0 + 1) % width
                ya, yb = y0 % height, (y0 + 1) % height
            else:
                xa, xb = min(max(x0, 0), width - 1), min(max(x0 + 1, 0), width - 1)
                ya, yb = min(max(y0, 0), height - 1), min(max(y0 + 1, 0), height - 1)
            for c in range(3):
                upper = pixels[ya, xa, c] * (1.0 - fx) + pixels[ya, xb, c] * fx
                lower = pixels[yb, xa, c] * (1.0 - fx) + pixels[yb, xb, c] * fx
                colors[row, k, c] = (upper * (1.0 - fy) + lower * fy) / 255.0


def split_at_seams(soup: Soup) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices for formats in which a vertex has one texture coordinate.

    Returns (M,) int vertex of the soup that each comes from, (M, 2) float32 uv, (T, 3) int32 triangles into them.
    """
    assert soup.uv is not None
    assert soup.corner_uv is not None
    owner = np.zeros(len(soup.uv), np.int64)
    owner[soup.corner_uv] = soup.triangles
    if (owner[soup.corner_uv] == soup.triangles).all():  # as in a soup of ours: each entry belongs to one vertex
        return owner, soup.uv, soup.corner_uv
    keys = soup.triangles.ravel().astype(np.int64) * len(soup.uv) + soup.corner_uv.ravel()
    pairs, place = np.unique(keys, return_inverse=True)
    triangles = place.reshape(-1, 3).astype(np.int32)
    return pairs // len(soup.uv), soup.uv[pairs % len(soup.uv)], triangles
