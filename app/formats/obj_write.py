"""Writing OBJ with MTL and images, and zipped as printing services ask for it. Text is made by kernels, in blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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
from app.formats.numerals import NEWLINE, SPACE, put_fixed, put_whole
from app.formats.registry import Progress, WriteOptions
from app.formats.writing import mark, placed_positions, writing
from app.mesh.jit import kernel
from app.mesh.soup import Soup

_BLOCK = 100_000
_NUMBER_BYTES = 25
_MM_DECIMALS, _COLOR_DECIMALS, _UV_DECIMALS = 6, 5, 7
_MOST_DECIMALS = 9
_V, _T, _F, _SLASH = 118, 116, 102, 47


def write(soup: Soup, path: Path, options: WriteOptions, progress: Progress) -> None:
    """Write OBJ; MTL and images go beside it, named after it. Raises WriteFailed.

    Vertex colours are written as "v x y z r g b", sRGB 0 to 1.
    """
    textured = is_textured(soup, options)
    colors = None if textured else _own_colors(soup, options)
    colorful = any(material.base_color != (1.0, 1.0, 1.0) for material in soup.materials)
    with writing(path):
        lines = [f"# {mark(options)}"]
        names: list[str] = []
        if textured or (colors is None and colorful and options.color == "texture"):
            names = _write_materials(soup, path, options)
            lines.append(f"mtllib {safe_stem(path)}.mtl")
        with path.open("wb") as stream:
            stream.write(("\n".join([*lines, f"o {safe_stem(path)}"]) + "\n").encode("ascii"))
            progress(0.0, "Writing vertices")
            for block in vertex_lines(placed_positions(soup, options), colors, position_decimals(options)):
                stream.write(block)
            if textured:
                progress(0.4, "Writing texture coordinates")
                assert soup.uv is not None
                for block in _coordinate_lines(soup.uv):
                    stream.write(block)
            progress(0.5, "Writing faces")
            _write_faces(stream, soup, names, textured)
    progress(1.0, "Written")


def position_decimals(options: WriteOptions) -> int:
    """Decimals that keep a nanometre in the unit of the file."""
    return min(_MOST_DECIMALS, max(0, _MM_DECIMALS + math.ceil(math.log10(options.unit_mm))))


def _own_colors(soup: Soup, options: WriteOptions) -> np.ndarray | None:
    """Colours of vertices, but not where materials can say the same sharply."""
    return soup.colors if options.color == "texture" else vertex_colors(soup, options)


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


def _write_faces(stream: BinaryIO, soup: Soup, names: list[str], textured: bool) -> None:
    triangles = np.ascontiguousarray(soup.triangles, np.int32)
    corner_uv = np.ascontiguousarray(soup.corner_uv if textured else np.empty((0, 3)), np.int32)
    if not names:
        groups = [np.arange(len(triangles))]
    else:
        of_triangle = triangle_materials(soup)
        groups = [np.flatnonzero(of_triangle == number) for number in range(len(names))]
    for number, rows in enumerate(groups):
        if names and len(rows):
            stream.write(f"usemtl {names[number]}\n".encode("ascii"))
        for first in range(0, len(rows), _BLOCK):
            part = rows[first : first + _BLOCK]
            out = np.empty(len(part) * 6 * _NUMBER_BYTES, np.uint8)
            stream.write(out[: _put_faces(triangles, corner_uv, part, out)].data)


def vertex_lines(positions: np.ndarray, colors: np.ndarray | None, decimals: int) -> Iterator[memoryview]:
    """The text of "v" lines in blocks."""
    for first in range(0, len(positions), _BLOCK):
        block = positions[first : first + _BLOCK]
        tint = np.empty((0, 3), np.float32) if colors is None else colors[first : first + _BLOCK].astype(np.float32)
        out = np.empty(len(block) * 7 * _NUMBER_BYTES, np.uint8)
        yield out[: _put_vertices(block, tint, decimals, _COLOR_DECIMALS, out)].data


def _coordinate_lines(uv: np.ndarray) -> Iterator[memoryview]:
    uv = np.ascontiguousarray(uv, np.float32)
    for first in range(0, len(uv), _BLOCK):
        block = uv[first : first + _BLOCK]
        out = np.empty(len(block) * 3 * _NUMBER_BYTES, np.uint8)
        yield out[: _put_coordinates(block, _UV_DECIMALS, out)].data


@kernel
def _put_vertices(positions, colors, decimals, color_decimals, out):
    i = 0
    for row in range(len(positions)):
        out[i] = _V
        i += 1
        for k in range(3):
            out[i] = SPACE
            i = put_fixed(out, i + 1, positions[row, k], decimals)
        if len(colors):
            for k in range(3):
                out[i] = SPACE
                i = put_fixed(out, i + 1, min(max(colors[row, k], 0.0), 1.0), color_decimals)
        out[i] = NEWLINE
        i += 1
    return i


@kernel
def _put_coordinates(uv, decimals, out):
    i = 0
    for row in range(len(uv)):
        out[i], out[i + 1], out[i + 2] = _V, _T, SPACE
        i = put_fixed(out, i + 3, uv[row, 0], decimals)
        out[i] = SPACE
        i = put_fixed(out, i + 1, uv[row, 1], decimals)
        out[i] = NEWLINE
        i += 1
    return i


@kernel
def _put_faces(triangles, corner_uv, rows, out):
    i = 0
    for row in rows:
        out[i] = _F
        i += 1
        for k in range(3):
            out[i] = SPACE
            i = put_whole(out, i + 1, np.int64(triangles[row, k]) + 1)
            if len(corner_uv):
                out[i] = _SLASH
                i = put_whole(out, i + 1, np.int64(corner_uv[row, k]) + 1)
        out[i] = NEWLINE
        i += 1
    return i
