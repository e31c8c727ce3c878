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
    """Write VRML97, one shape for each material; images go beside it, named after it. Raises WriteFailed."""
    textured = is_textured(soup, options)
    colors = None if textured else soup.colors if options.color == "texture" else vertex_colors(soup, options)
    with writing(path):
        images = write_images(written_textures(soup, options), path)
        with path.open("wb") as stream:
            title = options.title.encode("ascii", "replace").decode().replace("\\", "").replace('"', "")
            info = f'WorldInfo {{ title "{title}" info [ "{mark(options)}" ] }}'
            stream.write(f"#VRML V2.0 utf8\n{info}\n".encode("ascii"))
            for number, (rows, appearance) in enumerate(_shapes(soup, options, colors, images)):
                progress(0.1, "Writing shapes")
                stream.write(f"Shape {{\n{appearance}geometry IndexedFaceSet {{\n".encode("ascii"))
                _write_tables(stream, soup, options, colors, number == 0, textured)
                stream.write(b"coordIndex [\n")
                stream.writelines(index_rows(soup.triangles[rows], suffix=b" -1"))
                if textured and soup.corner_uv is not None:
                    stream.write(b"]\ntexCoordIndex [\n")
                    stream.writelines(index_rows(soup.corner_uv[rows], suffix=b" -1"))
                stream.write(b"]\n} }\n")
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


def _write_tables(
    stream: BinaryIO, soup: Soup, options: WriteOptions, colors: np.ndarray | None, first: bool, textured: bool
) -> None:
    """Coordinates, colours and texture coordinates: written with the first shape, used again by the others."""
    if not first:
        stream.write(b"coord USE POINTS\n" + (b"texCoord USE UV\n" if textured else b""))
        return
    stream.write(b"coord DEF POINTS Coordinate { point [\n")
    stream.writelines(real_rows(placed_positions(soup, options), [position_decimals(options)] * 3))
    stream.write(b"] }\n")
    if colors is not None:
        stream.write(b"colorPerVertex TRUE\ncolor Color { color [\n")
        stream.writelines(real_rows(color_values(colors), [COLOR_DECIMALS] * 3))
        stream.write(b"] }\n")
    if textured and soup.uv is not None:
        stream.write(b"texCoord DEF UV TextureCoordinate { point [\n")
        stream.writelines(real_rows(soup.uv, [_UV_DECIMALS] * 2))
        stream.write(b"] }\n")
