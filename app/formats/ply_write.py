"""Writing PLY: binary little endian, with colours per vertex or texture coordinates and images beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.formats.appearance import (
    is_textured,
    plain_texture,
    split_at_seams,
    triangle_materials,
    vertex_colors,
    write_images,
    written_textures,
)
from app.formats.registry import Progress, WriteOptions
from app.formats.writing import colors_8_bit, mark, placed_positions, writing
from app.mesh.soup import Soup

_NAMES = {"<f4": "float", "<i4": "int", "u1": "uchar"}
_Columns = list[tuple[str, str, np.ndarray]]


def write(soup: Soup, path: Path, options: WriteOptions, progress: Progress) -> None:
    """Write PLY. Raises WriteFailed.

    One image: its coordinates are s and t of vertices, split along seams, which most programs read. Several: each
    face has its own coordinates and the number of its image, as MeshLab does it.
    """
    progress(0.0, "Writing vertices")
    placed = placed_positions(soup, options)
    comments = [mark(options)]
    triangles, uv, images = soup.triangles, None, []
    with writing(path):
        if is_textured(soup, options):
            images = _write_textures(soup, path, options)
            comments += [f"TextureFile {name}" for name in dict.fromkeys(images)]
            if len(set(images)) == 1:
                source, uv, triangles = split_at_seams(soup)
                placed = placed[source]
        vertices: _Columns = [(name, "<f4", placed[:, k]) for k, name in enumerate("xyz")]
        if uv is not None:
            vertices += [("s", "<f4", uv[:, 0]), ("t", "<f4", uv[:, 1])]
        colors = None if images else vertex_colors(soup, options)
        if colors is not None:
            eight = colors_8_bit(colors)
            vertices += [(name, "u1", eight[:, k]) for k, name in enumerate(("red", "green", "blue"))]
        faces: _Columns = [("vertex_indices", "<i4", triangles)]
        if images and uv is None:
            faces += _wedge_columns(soup, images)
        with path.open("wb") as stream:
            stream.write(_header(comments, vertices, faces))
            _table(vertices).tofile(stream)
            progress(0.5, "Writing triangles")
            _table(faces).tofile(stream)
    progress(1.0, "Written")


def _write_textures(soup: Soup, path: Path, options: WriteOptions) -> list[str]:
    """The image name of each material; materials in use without an image get one of their colour."""
    textures = written_textures(soup, options)
    used = np.bincount(triangle_materials(soup), minlength=len(textures))
    for index, material in enumerate(soup.materials):
        if textures[index] is None:
            filler = next(texture for texture in textures if texture is not None)
            textures[index] = plain_texture(material) if used[index] else filler
    return [name for name in write_images(textures, path) if name is not None]


def _wedge_columns(soup: Soup, images: list[str]) -> _Columns:
    assert soup.uv is not None
    assert soup.corner_uv is not None
    order = list(dict.fromkeys(images))
    number = np.array([order.index(name) for name in images], np.int32)[triangle_materials(soup)]
    return [("texcoord", "<f4", soup.uv[soup.corner_uv].reshape(-1, 6)), ("texnumber", "<i4", number)]


def _header(comments: list[str], vertices: _Columns, faces: _Columns) -> bytes:
    lines = ["ply", "format binary_little_endian 1.0", *(f"comment {comment}" for comment in comments)]
    for name, columns in (("vertex", vertices), ("face", faces)):
        lines.append(f"element {name} {len(columns[0][2])}")
        for column, kind, values in columns:
            lines.append(f"property {'list uchar ' if values.ndim == 2 else ''}{_NAMES[kind]} {column}")
    return ("\n".join([*lines, "end_header"]) + "\n").encode("ascii")


def _table(columns: _Columns) -> np.ndarray:
    fields: list[tuple] = []
    for name, kind, values in columns:
        if values.ndim == 2:
            fields += [(f"{name} length", "u1"), (name, kind, values.shape[1:])]
        else:
            fields.append((name, kind))
    table = np.empty(len(columns[0][2]), fields)
    for name, _, values in columns:
        table[name] = values
        if values.ndim == 2:
            table[f"{name} length"] = values.shape[1]
    return table
