"""Write glTF 2.0: GLB, or a .gltf with its data inside.

One buffer; vertices split along seams and shared by all materials; one primitive per material. Textures keep their
bytes where the profile allows. Vertex colours are final: where they are written, the base colour is white.
"""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import WriteFailed
from app.formats.appearance import is_textured, split_at_seams, triangle_materials, vertex_colors
from app.formats.images import srgb_to_linear, written_texture
from app.formats.registry import Progress, WriteOptions
from app.formats.writing import mark, placed_positions, writing
from app.mesh.soup import Material, Soup

_UNSIGNED_SHORT, _UNSIGNED_INT, _FLOAT = 5123, 5125, 5126
_VERTICES, _INDICES = 34962, 34963  # buffer view targets
_REPEAT, _CLAMP_TO_EDGE = 10497, 33071
_MOST_SHORT_VERTICES = 65535  # the last 16-bit index restarts a strip
_MOST_BYTES = (1 << 32) - 64
_GLTF_UP, _GLTF_UNIT_MM = "y", 1000.0


class _Builder:
    """Collects arrays and the JSON that describes them."""

    def __init__(self) -> None:
        self.json: dict[str, list[dict[str, Any]]] = {"bufferViews": [], "accessors": []}
        self.parts: list[memoryview | bytes] = []
        self.size = 0

    def add(self, kind: str, entry: dict[str, Any]) -> int:
        entries = self.json.setdefault(kind, [])
        entries.append(entry)
        return len(entries) - 1

    def view(self, data: memoryview | bytes, target: int = 0) -> int:
        entry = {"buffer": 0, "byteOffset": self.size, "byteLength": len(data)}
        padding = -len(data) % 4
        self.parts += [data, b"\0" * padding]
        self.size += len(data) + padding
        return self.add("bufferViews", entry | ({"target": target} if target else {}))

    def accessor(self, array: np.ndarray, component: int, kind: str, target: int, **more: Any) -> int:
        view = self.view(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data, target)
        entry = {"bufferView": view, "componentType": component, "count": len(array), "type": kind}
        return self.add("accessors", entry | more)


def write(soup: Soup, path: Path, options: WriteOptions, progress: Progress) -> None:
    """Write a soup in mm, Z up. A name ending in .gltf gives JSON, any other GLB. Raises WriteFailed."""
    progress(0.0, "Preparing vertices")
    builder = _Builder()
    textured = is_textured(soup, options)
    colors = None if textured or (options.color == "texture" and soup.colors is None) else vertex_colors(soup, options)
    attributes, triangles = _vertices(builder, soup, options, textured, colors)
    progress(0.5, "Preparing materials")
    primitives = []
    for index, rows in _by_material(soup):
        material = _material(builder, soup.materials[index], options, textured, plain=colors is not None)
        corners = triangles[rows].reshape(-1)
        short = len(corners) and int(triangles.max()) < _MOST_SHORT_VERTICES
        kind, component = (np.uint16, _UNSIGNED_SHORT) if short else (np.uint32, _UNSIGNED_INT)
        accessor = builder.accessor(corners.astype(kind), component, "SCALAR", _INDICES)
        primitives.append({"attributes": attributes, "indices": accessor, "material": material})
    progress(0.7, "Writing")
    _save(builder, primitives, path, options)
    progress(1.0, "Writing")


def _vertices(
    builder: _Builder, soup: Soup, options: WriteOptions, textured: bool, colors: np.ndarray | None
) -> tuple[dict[str, int], np.ndarray]:
    positions = placed_positions(soup, options)
    normals = _normals(positions, soup.triangles)
    triangles = soup.triangles
    if textured:
        source, uv, triangles = split_at_seams(soup)
        positions, normals = positions[source], normals[source]
    bounds = {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()} if len(positions) else {}
    attributes = {
        "POSITION": builder.accessor(positions, _FLOAT, "VEC3", _VERTICES, **bounds),
        "NORMAL": builder.accessor(normals, _FLOAT, "VEC3", _VERTICES),
    }
    if textured:
        flipped = np.stack((uv[:, 0], 1 - uv[:, 1]), axis=1).astype(np.float32)
        attributes["TEXCOORD_0"] = builder.accessor(flipped, _FLOAT, "VEC2", _VERTICES)
    if colors is not None:
        linear = np.full((len(colors), 4), 65535, np.uint16)
        linear[:, :3] = np.rint(srgb_to_linear(np.clip(colors, 0, 1)) * 65535)
        attributes["COLOR_0"] = builder.accessor(linear, _UNSIGNED_SHORT, "VEC4", _VERTICES, normalized=True)
    return attributes, triangles


def _normals(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N, 3) float32, area weighted; (0, 0, 1) where there is no surface."""
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    # Scaled to about 1, so that small units do not underflow.
    size = float(np.abs(positions).max(initial=0)) or 1.0
    areas = np.cross((b - a) / np.float32(size), (c - a) / np.float32(size))
    normals = np.zeros((len(positions), 3))
    for k in range(3):
        for corner in range(3):
            normals[:, k] += np.bincount(triangles[:, corner], areas[:, k], len(positions))
    lengths = np.linalg.norm(normals, axis=1)
    normals[lengths <= 0] = (0.0, 0.0, 1.0)
    return (normals / np.where(lengths > 0, lengths, 1.0)[:, None]).astype(np.float32)


def _by_material(soup: Soup) -> list[tuple[int, np.ndarray | slice]]:
    """Each used material with the triangles that use it."""
    used = triangle_materials(soup)
    indices = np.unique(used).tolist()
    if len(indices) == 1:
        return [(indices[0], slice(None))]
    return [(index, np.flatnonzero(used == index)) for index in indices]


def _material(builder: _Builder, material: Material, options: WriteOptions, textured: bool, plain: bool) -> int:
    surface: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 1.0}
    if not plain and options.color != "none":
        linear = srgb_to_linear(np.array(material.base_color)).astype(float).tolist()
        surface["baseColorFactor"] = [*(round(value, 7) for value in linear), 1.0]
    if textured and material.texture is not None:
        texture = written_texture(material.texture, options)
        image = {"bufferView": builder.view(texture.encoded), "mimeType": texture.mime, "name": texture.name}
        mode = _CLAMP_TO_EDGE if material.wrap == "clamp" else _REPEAT
        sampler = builder.add("samplers", {"wrapS": mode, "wrapT": mode})
        source = builder.add("images", image)
        surface["baseColorTexture"] = {"index": builder.add("textures", {"sampler": sampler, "source": source})}
    return builder.add("materials", {"name": material.name, "pbrMetallicRoughness": surface})


def _save(builder: _Builder, primitives: list[dict[str, Any]], path: Path, options: WriteOptions) -> None:
    asset: dict[str, Any] = {"version": "2.0", "generator": "Likeness"}
    if (options.up, options.unit_mm) != (_GLTF_UP, _GLTF_UNIT_MM):
        asset["extras"] = {"comment": mark(options)}
    document: dict[str, Any] = {
        "asset": asset,
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": options.title}],
        "meshes": [{"name": options.title, "primitives": primitives}],
        "buffers": [{"byteLength": builder.size}],
        **builder.json,
    }
    if builder.size > _MOST_BYTES:
        raise WriteFailed("is larger than 4 GB, the most that GLB can hold", path, "Reduce the mesh or its textures")
    with writing(path):
        if path.suffix.lower() == ".gltf":
            data = base64.b64encode(b"".join(builder.parts)).decode("ascii")
            document["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{data}"
            path.write_text(json.dumps(document), "utf-8")
            return
        text = json.dumps(document, separators=(",", ":")).encode("utf-8")
        text += b" " * (-len(text) % 4)
        with path.open("wb") as stream:
            stream.write(struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + builder.size))
            stream.write(struct.pack("<I4s", len(text), b"JSON"))
            stream.write(text)
            stream.write(struct.pack("<I4s", builder.size, b"BIN\0"))
            for part in builder.parts:
                stream.write(part)
