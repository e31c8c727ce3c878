"""Writing VRML97: what GrabCAD Print and other colour printers' programs read. ISO/IEC 14772-1:1997."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from app.formats.appearance import is_textured, triangle_materials, vertex_colors, write_images, written_textures
from app.formats.registry import Progress, WriteOptions
from app.formats.text_rows import COLOR_DECIMALS, color_values, index_rows, position_decimals, real_rows
from app.formats.writing import mark, placed_positions, writing
from app.mesh.soup import Soup

_UV_DECIMALS = 7


def write(soup: Soup, path: Path, options: WriteOptions, progress: Progress) -> None:
    """Write VRML97, one shape for each material; images go beside it, named after it. Raises WriteFailed.

    Shapes share nothing: VTK's importer, among others, breaks off where one uses the coordinates of another.
    """
    textured = is_textured(soup, options)
    colors = None if textured else soup.colors if options.color == "texture" else vertex_colors(soup, options)
    positions = placed_positions(soup, options)
    with writing(path):
        images = write_images(written_textures(soup, options), path)
        with path.open("wb") as stream:
            title = options.title.encode("ascii", "replace").decode().replace("\\", "").replace('"', "")
            info = f'WorldInfo {{ title "{title}" info [ "{mark(options)}" ] }}'
            stream.write(f"#VRML V2.0 utf8\n{info}\n".encode("ascii"))
            for rows, appearance in _shapes(soup, options, colors, images):
                progress(0.1, "Writing shapes")
                stream.write(f"Shape {{\n{appearance}geometry IndexedFaceSet {{\n".encode("ascii"))
                used, triangles = _used(soup.triangles[rows], len(positions))
                _write_table(stream, "coord Coordinate { point", positions[used], [position_decimals(options)] * 3)
                _write_indices(stream, "coordIndex", triangles)
                if colors is not None:
                    stream.write(b"colorPerVertex TRUE\n")
                    _write_table(stream, "color Color { color", color_values(colors[used]), [COLOR_DECIMALS] * 3)
                if textured and soup.uv is not None and soup.corner_uv is not None:
                    used, corner_uv = _used(soup.corner_uv[rows], len(soup.uv))
                    _write_table(stream, "texCoord TextureCoordinate { point", soup.uv[used], [_UV_DECIMALS] * 2)
                    _write_indices(stream, "texCoordIndex", corner_uv)
                stream.write(b"} }\n")
    progress(1.0, "Written")


def _shapes(
    soup: Soup, options: WriteOptions, colors: np.ndarray | None, images: list[str | None]
) -> Iterator[tuple[np.ndarray | slice, str]]:
    """Triangles and appearance of each shape."""
    of_triangle = triangle_materials(soup)
    if colors is not None or options.color == "none" or (of_triangle == 0).all():
        plain = colors is not None or options.color == "none"
        yield slice(None), _appearance((1.0, 1.0, 1.0) if plain else soup.materials[0].base_color, images[0])
        return
    for number, (material, image) in enumerate(zip(soup.materials, images, strict=True)):
        rows = np.flatnonzero(of_triangle == number)
        if len(rows):
            yield rows, _appearance(material.base_color, image)


def _appearance(color: tuple[float, float, float], image: str | None) -> str:
    red, green, blue = (1.0, 1.0, 1.0) if image else color  # images carry the base colour already
    texture = f'texture ImageTexture {{ url "{image}" }} ' if image else ""
    return (
        f"appearance Appearance {{ material Material {{ diffuseColor {red:.5g} {green:.5g} {blue:.5g} }} {texture}}}\n"
    )


def _used(indices: np.ndarray, count: int) -> tuple[np.ndarray | slice, np.ndarray]:
    """Which of `count` rows are named, and (n, 3) indices into those alone."""
    named = np.zeros(count, bool)
    named[indices] = True
    if named.all():
        return slice(None), indices
    place = np.cumsum(named, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(named), place[indices]


def _write_table(stream: BinaryIO, opening: str, values: np.ndarray, decimals: list[int]) -> None:
    stream.write(f"{opening} [\n".encode("ascii"))
    stream.writelines(real_rows(values, decimals))
    stream.write(b"] }\n")


def _write_indices(stream: BinaryIO, name: str, indices: np.ndarray) -> None:
    stream.write(f"{name} [\n".encode("ascii"))
    stream.writelines(index_rows(indices, suffix=b" -1"))
    stream.write(b"]\n")
