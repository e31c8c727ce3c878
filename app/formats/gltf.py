"""glTF 2.0: GLB and glTF files into a soup; the writer is in `gltf_write`.

    container, JSON, buffers   gltf_document (packed views: gltf_meshopt)
    arrays                     gltf_accessors
    one primitive              gltf_primitives, gltf_materials
    where it stands            gltf_scene

Units are metres, Y up. Coordinates keep the file's precision; seams are welded later.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from app.errors import LimitExceeded, UnreadableFile
from app.formats.gltf_document import Document, Item, load_document
from app.formats.gltf_materials import Materials
from app.formats.gltf_primitives import Piece, read_piece
from app.formats.gltf_scene import Placement, placed, read_placements
from app.formats.gltf_write import write
from app.formats.images import linear_to_srgb
from app.formats.points import refuse_points, refuse_splat
from app.formats.reading import finished
from app.formats.registry import Format, Limits, Progress, register
from app.formats.writing import read_mark
from app.mesh.soup import Soup

_MM_PER_METRE = 1000.0
_UNDERSTOOD = {
    "EXT_mesh_gpu_instancing",
    "EXT_meshopt_compression",
    "EXT_texture_avif",
    "EXT_texture_webp",
    "KHR_draco_mesh_compression",
    "KHR_mesh_quantization",
    "KHR_meshopt_compression",
    "KHR_texture_basisu",
    "KHR_texture_transform",
}
_SPLATS = "KHR_gaussian_splatting"
_POINTS, _TRIANGLES = 0, 4
_LARGEST_WEIGHT = 1e9
_BYTES_PER_VERTEX = 12
_BYTES_PER_TRIANGLE = 12


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read a GLB or glTF file. Raises UnreadableFile, and LimitExceeded for what asks for too much."""
    try:
        # Absurd numbers overflow on their way; what comes out of them is looked at in the end.
        with np.errstate(all="ignore"):
            soup = _read(path, limits, progress)
    except UnreadableFile as error:
        where = f"{path}, {error.where}" if error.where else str(path)
        raise type(error)(error.what, where, error.advice) from error
    return finished(soup, path, limits)


def _read(path: Path, limits: Limits, progress: Progress) -> Soup:
    progress(0.0, "Reading the file")
    document = load_document(path, limits)
    _note_extensions(document)
    placements = read_placements(document)
    materials, total = Materials(document), _Total(document)
    pieces: dict[int, list[Piece]] = {}
    for number, placement in enumerate(placements):
        if placement.mesh in pieces:
            for piece in pieces[placement.mesh]:
                total.add(piece)
        else:
            progress(0.2 + 0.5 * number / len(placements), "Reading triangles")
            pieces[placement.mesh] = _mesh(document, materials, placement.mesh, total)
    parts = [(piece, placement) for placement in placements for piece in pieces[placement.mesh]]
    progress(0.7, "Placing parts")
    soup = _soup(parts)
    if not parts:
        _refuse_points(document)
    progress(1.0, "Placing parts")
    soup.materials = materials.soup_materials or soup.materials
    soup.notes = document.notes
    asset = document.root.item("asset")
    meant = read_mark(json.dumps(asset.data.get("extras")).encode()) if asset and "extras" in asset else None
    if meant:
        soup.up, soup.unit_mm = meant
    return soup


def _refuse_points(document: Document) -> None:
    """Say what a file without surfaces is, where it holds points."""
    if _SPLATS in document.root.entries("extensionsUsed"):
        refuse_splat("scene")
    count = 0
    for index in range(document.count("meshes")):
        mesh = document.part("meshes", index)
        for primitive in (Item(entry, mesh.where) for entry in mesh.entries("primitives")):
            names = primitive.item("attributes")
            if primitive.integer("mode", _TRIANGLES) == _POINTS and names is not None and "POSITION" in names:
                count += document.part("accessors", names.integer("POSITION")).integer("count")
    if count:
        refuse_points("scene", count)


def _note_extensions(document: Document) -> None:
    for name in map(str, document.root.entries("extensionsRequired")):
        if name not in _UNDERSTOOD and not name.startswith("KHR_materials"):
            document.note(f"The file requires {name[:60]}, which is not known here; something may be missing.")


class _Total:
    """What the scene shows so far. Refuses primitives and instances without end before they are put together."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._looked = self._parts = self._vertices = self._triangles = 0

    def look(self) -> None:
        """Count a primitive, also one that shows nothing."""
        self._looked += 1
        if self._looked > self._document.limits.nodes:
            what = f"has more than {self._document.limits.nodes:,} primitives"
            raise LimitExceeded(what, "meshes", "Merge its parts first")

    def add(self, piece: Piece) -> None:
        limits, vertices, triangles = self._document.limits, len(piece.positions), len(piece.triangles)
        self._parts, self._vertices = self._parts + 1, self._vertices + vertices
        self._triangles += triangles
        if self._parts > limits.nodes:
            raise LimitExceeded(f"shows more than {limits.nodes:,} parts", "scene", "Merge its parts first")
        if self._vertices > limits.vertices or self._triangles > limits.triangles:
            what = f"shows more than the {limits.triangles:,} triangles or {limits.vertices:,} vertices that are read"
            raise LimitExceeded(what, "scene", "Reduce it before opening it here")
        self._document.charge(_BYTES_PER_VERTEX * vertices + _BYTES_PER_TRIANGLE * triangles, "scene")


def _mesh(document: Document, materials: Materials, index: int, total: _Total) -> list[Piece]:
    mesh, pieces = document.part("meshes", index), []
    weights = mesh.entries("weights")
    morphs = [float(w) if isinstance(w, int | float) and abs(w) < _LARGEST_WEIGHT else 0.0 for w in weights]
    for number, primitive in enumerate(mesh.entries("primitives")):
        total.look()
        piece = read_piece(document, materials, Item(primitive, f"{mesh.where}, primitive {number}"), morphs)
        if piece is not None and len(piece.triangles):
            total.add(piece)
            pieces.append(piece)
    return pieces


def _soup(parts: list[tuple[Piece, Placement]]) -> Soup:
    positions, triangles, offset = [], [], 0
    for piece, placement in parts:
        points, mirrored = placed(piece, placement)
        corners = piece.triangles[:, ::-1] if mirrored else piece.triangles
        positions.append(points)
        triangles.append(corners + np.int32(offset) if offset else corners)
        offset += len(points)
    all_triangles = _joined(triangles, (0, 3), np.int32)
    uv = _uv(parts)
    sizes = [len(piece.triangles) for piece, _ in parts]
    material = np.repeat(np.array([piece.look.index for piece, _ in parts], np.int16), sizes)
    return Soup(
        positions=_joined(positions, (0, 3), np.float32),
        triangles=all_triangles,
        colors=_colors(parts),
        uv=uv,
        corner_uv=None if uv is None else all_triangles,
        triangle_material=material,
        up="y",
        unit_mm=_MM_PER_METRE,
    )


def _joined(arrays: list[np.ndarray], empty: tuple[int, int], kind: type) -> np.ndarray:
    if not arrays:
        return np.empty(empty, kind)
    return np.ascontiguousarray(arrays[0]) if len(arrays) == 1 else np.concatenate(arrays)


def _uv(parts: list[tuple[Piece, Placement]]) -> np.ndarray | None:
    if all(piece.uv is None for piece, _ in parts):
        return None
    found = [np.zeros((len(piece.positions), 2), np.float32) if piece.uv is None else piece.uv for piece, _ in parts]
    return _joined(found, (0, 2), np.float32)


def _colors(parts: list[tuple[Piece, Placement]]) -> np.ndarray | None:
    """(N, 3) sRGB where any piece has vertex colours. The base colour is part of them, except under a texture."""
    if all(piece.colors is None for piece, _ in parts):
        return None
    found = []
    for piece, _ in parts:
        factor = np.array((1.0, 1.0, 1.0) if piece.look.textured else piece.look.linear_color, np.float32)
        colors = np.ones((len(piece.positions), 3), np.float32) if piece.colors is None else piece.colors
        found.append(linear_to_srgb(np.clip(np.nan_to_num(colors) * factor, 0, 1)))
    return _joined(found, (0, 3), np.float32)


def _sniff(head: bytes) -> bool:
    if head.startswith(b"glTF"):
        return True
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"{") and any(key in text for key in (b'"asset"', b'"buffers"', b'"meshes"', b'"scenes"'))


register(Format("gltf", "glTF", (".glb", ".gltf"), read=read, write=write, sniff=_sniff))
