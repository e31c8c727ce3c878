"""Writing OBJ with MTL and images beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.formats.appearance import (
    is_textured,
    safe_stem,
    triangle_materials,
    vertex_colors,
    write_images,
    written_textures,
)
from app.formats.mtl import material_file
from app.formats.registry import Progress, WriteOptions
from app.formats.text_rows import COLOR_DECIMALS, color_values, index_rows, position_decimals, real_rows
from app.formats.writing import mark, placed_positions, writing
from app.mesh.soup import Soup

_UV_DECIMALS = 7


def write(soup: Soup, path: Path, options: WriteOptions, progress: Progress) -> None:
    """Write OBJ; MTL and images go beside it, named after it. Raises WriteFailed.

    Vertex colours are written as "v x y z r g b", sRGB 0 to 1. Triangles are grouped by material.
    """
    textured = is_textured(soup, options)
    # Materials say sharply what colours of vertices could only blur.
    colors = None if textured else soup.colors if options.color == "texture" else vertex_colors(soup, options)
    colorful = any(material.base_color != (1.0, 1.0, 1.0) for material in soup.materials)
    rows, decimals = placed_positions(soup, options), [position_decimals(options)] * 3
    if colors is not None:
        rows = np.concatenate((rows, color_values(colors)), axis=1)
        decimals += [COLOR_DECIMALS] * 3
    with writing(path):
        head = [f"# {mark(options)}"]
        names: list[str] = []
        if textured or (colors is None and colorful and options.color == "texture"):
            names = _write_materials(soup, path, options)
            head.append(f"mtllib {safe_stem(path)}.mtl")
        with path.open("wb") as stream:
            stream.write(("\n".join([*head, f"o {safe_stem(path)}"]) + "\n").encode("ascii"))
            progress(0.0, "Writing vertices")
            stream.writelines(real_rows(rows, decimals, b"v "))
            progress(0.4, "Writing texture coordinates")
            if textured and soup.uv is not None:
                stream.writelines(real_rows(soup.uv, [_UV_DECIMALS] * 2, b"vt "))
            progress(0.5, "Writing faces")
            corner_uv = soup.corner_uv if textured else None
            for name, group in _groups(soup, names):
                stream.write(name)
                second = None if corner_uv is None else corner_uv[group]
                stream.writelines(index_rows(soup.triangles[group], second, first=1, prefix=b"f "))
    progress(1.0, "Written")


def _groups(soup: Soup, names: list[str]) -> list[tuple[bytes, np.ndarray | slice]]:
    """Triangles by material, and the line before each group."""
    if not names:
        return [(b"", slice(None))]
    of_triangle = triangle_materials(soup)
    groups = ((f"usemtl {name}\n".encode("ascii"), np.flatnonzero(of_triangle == k)) for k, name in enumerate(names))
    return [(line, rows) for line, rows in groups if len(rows)]


def _write_materials(soup: Soup, path: Path, options: WriteOptions) -> list[str]:
    images = write_images(written_textures(soup, options), path)
    names = [f"{safe_stem(path)}_{number}" for number in range(1, len(images) + 1)]
    # Images carry the base colour already.
    colors = [
        (1.0, 1.0, 1.0) if image else material.base_color
        for material, image in zip(soup.materials, images, strict=True)
    ]
    text = material_file(list(zip(names, colors, images, strict=True)))
    (path.parent / f"{safe_stem(path)}.mtl").write_text(text, "ascii", newline="\n")
    return names
