"""Meshes of a project file, with everything checked that a kernel relies upon: no index out of range, no wrong order.

Sizes are checked before anything of that size is allocated. What the rows are is told in `store`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from app.errors import LimitExceeded
from app.formats.images import read_texture
from app.formats.registry import Limits
from app.mesh.chunks import Chunks
from app.mesh.jit import kernel
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Texture
from app.mesh.topology import Topology
from app.project.arrays import decode
from app.project.changes import SPARSE
from app.project.content import Stored
from app.project.store import Store
from app.sculpt.face_sets import LARGEST_SET
from app.sculpt.packed import COLUMNS
from app.sculpt.packing import Damaged, unpack_words

MAX_MESHES, MAX_MATERIALS = 1000, 32_767
# All arrays of all meshes together, unpacked.
MAX_BYTES = 4 << 30
_PAGE_VERTICES = range(64, 65_537)
_SHAPES = {  # dtype, columns
    "triangles": ("int32", 3),
    "uv": ("float32", 2),
    "uv_vertex": ("int32", 1),
    "corner_uv": ("int32", 3),
    "triangle_material": ("int16", 1),
    "file_vertex": ("int32", 1),
    "file_triangle": ("int32", 1),
    "original_colors": ("float32", 3),
}
_TEXTURED = ("uv", "uv_vertex", "corner_uv")
_PER_VERTEX = ("uv", "uv_vertex", "file_vertex", "original_colors")
_NEEDED = ("triangles", "triangle_material", "file_vertex", "file_triangle")
_ADVICE = "Open an older copy of it"


class MeshReader:
    """Reads all meshes of a project; what they share in the file they share in memory."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store, self._limits = store, limits
        self._left = MAX_BYTES
        self._arrays: dict[int, np.ndarray] = {}
        self._topologies: dict[int, Topology] = {}
        self._textures: dict[str, Texture] = {}
        self._materials: dict[str, Material] = {}

    def read(self) -> Stored:
        """All meshes by id. Raises Damaged, UnreadableFile, sqlite3.Error, ValueError, RecursionError."""
        rows = self._store.meshes()
        if len(rows) > MAX_MESHES:
            raise LimitExceeded(f"holds {len(rows):,} meshes", "", _ADVICE)
        return Stored({number: self._mesh(number, record) for number, record in rows}, self._arrays)

    def _mesh(self, number: int, record: Any) -> Mesh:
        if not isinstance(record, dict) or not isinstance(record.get("arrays"), dict):
            raise Damaged("a mesh without a record")
        vertex_count, page = whole(record.get("vertex_count")), whole(record.get("page_vertices"))
        if vertex_count > self._limits.vertices:
            raise LimitExceeded(f"has a mesh of {vertex_count:,} vertices", "", _ADVICE)
        if vertex_count == 0 or page not in _PAGE_VERTICES:
            raise Damaged(f"{vertex_count} vertices in pages of {page}")
        attributes = record.get("attributes")
        if not isinstance(attributes, list) or not {"positions", "mask"} <= set(attributes) <= set(COLUMNS):
            raise Damaged("the wrong attributes")
        arrays = self._static(record["arrays"], vertex_count)
        triangles = arrays["triangles"]
        names = {*attributes, *SPARSE}
        values = {name: self._attribute(number, name, vertex_count, page) for name in sorted(names)}
        materials = self._read_materials(record.get("materials"))
        _check_materials(arrays["triangle_material"], len(materials))
        if id(triangles) not in self._topologies:
            self._topologies[id(triangles)] = Topology.of(triangles, vertex_count)
        positions = values.pop("positions")
        return Mesh(
            positions,
            **arrays,
            **values,
            materials=materials,
            topology=self._topologies[id(triangles)],
            chunks=Chunks.of(positions, triangles, page),
        )

    def _static(self, names: Mapping[str, Any], vertex_count: int) -> dict[str, Any]:
        if not set(_NEEDED) <= set(names) <= set(_SHAPES) or len(set(_TEXTURED) & set(names)) not in (0, 3):
            raise Damaged("the wrong arrays")
        arrays = {name: self._array(names[name], name) for name in sorted(names)}
        triangle_count = len(arrays["triangles"])
        lengths = {"file_vertex": vertex_count, "triangle_material": triangle_count, "file_triangle": triangle_count}
        if "uv" in arrays:
            lengths |= {"corner_uv": triangle_count, "uv_vertex": len(arrays["uv"])}
        if "original_colors" in arrays:
            lengths["original_colors"] = vertex_count
        for name, length in lengths.items():
            if len(arrays[name]) != length:
                raise Damaged(f"{len(arrays[name])} instead of {length} entries of {name}")
        _check_static(arrays, vertex_count)
        return arrays

    def _array(self, number: Any, name: str) -> np.ndarray:
        number = whole(number)
        dtype, columns = _SHAPES[name]
        if number not in self._arrays:
            row = self._store.array(number)
            if row is None or not isinstance(row[2], bytes):
                raise Damaged(f"no {name}")
            shape = json.loads(row[1])
            if not isinstance(shape, list) or not 1 <= len(shape) <= 2:
                raise Damaged(f"a wrong shape of {name}")
            most = self._limits.vertices if name in _PER_VERTEX else self._limits.triangles
            rows = whole(shape[0])
            if rows > most:
                raise LimitExceeded(f"has {rows:,} entries of {name}", "", _ADVICE)
            if row[0] != dtype or shape != ([rows] if columns == 1 else [rows, columns]):
                raise Damaged(f"a wrong kind of {name}")
            self._spend(rows * columns * np.dtype(dtype).itemsize)
            self._arrays[number] = decode(row[2], dtype, tuple(shape))
        array = self._arrays[number]
        if array.dtype != dtype or array.ndim != (1 if columns == 1 else 2) or array.shape[1:] not in ((), (columns,)):
            raise Damaged(f"a wrong kind of {name}")
        return array

    def _attribute(self, mesh: int, name: str, vertex_count: int, page_vertices: int) -> np.ndarray:
        """(V, 3) or (V,) float32 from its pages."""
        columns = COLUMNS[name]
        self._spend(vertex_count * columns * 4)
        out = np.zeros((vertex_count, columns), np.float32)
        done, sparse = 0, name in SPARSE
        for page, data in self._store.pages(mesh, name):
            start = whole(page) * page_vertices
            if (start < done if sparse else start != done) or start >= vertex_count or not isinstance(data, bytes):
                raise Damaged(f"pages of {name} that do not follow each other")
            done = min(start + page_vertices, vertex_count)
            out[start:done] = unpack_words(data, done - start, columns).view(np.float32)
        if done != vertex_count and not sparse:
            raise Damaged(f"pages of {name} are missing")
        return _whole_numbers(out.reshape(-1)) if sparse else (out if columns > 1 else out.reshape(-1))

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise LimitExceeded(f"holds more than {MAX_BYTES >> 30} GB of meshes", "", _ADVICE)

    def _read_materials(self, records: Any) -> list[Material]:
        if not isinstance(records, list) or not 0 < len(records) <= MAX_MATERIALS:
            raise Damaged("the wrong materials")
        return [self._material(record) for record in records]

    def _material(self, record: Any) -> Material:
        key = json.dumps(record, sort_keys=True)
        if key not in self._materials:
            color = record.get("base_color") if isinstance(record, dict) else None
            if not isinstance(color, list) or [part for part in color if not isinstance(part, int | float)]:
                raise Damaged("a material without a colour")
            texture = self._texture(record["texture"]) if record.get("texture") else None
            wrap = "clamp" if record.get("wrap") == "clamp" else "repeat"
            red, green, blue = (float(part) if 0 <= part <= 1 else 1.0 for part in color)
            self._materials[key] = Material(str(record.get("name")), (red, green, blue), texture, wrap)
        return self._materials[key]

    def _texture(self, record: Any) -> Texture:
        key = json.dumps(record, sort_keys=True)
        if key not in self._textures:
            encoded = self._store.blob(record.get("blob")) if isinstance(record, dict) else None
            if not isinstance(encoded, bytes):
                raise Damaged("a texture that is missing")
            self._textures[key] = read_texture(encoded, str(record.get("name")), self._limits)
        return self._textures[key]


def _whole_numbers(values: np.ndarray) -> np.ndarray:
    """(V,) float32 without what is no number of a set: whole, not negative, finite."""
    values[~((values >= 0) & (values <= LARGEST_SET) & (values == np.floor(values)))] = 0
    return values


def whole(value: Any) -> int:
    """A whole number from a file that is not negative. Raises Damaged."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 62:
        raise Damaged("something else where a whole number belongs")
    return value


def _check_static(arrays: Mapping[str, np.ndarray], vertex_count: int) -> None:
    triangles = arrays["triangles"]
    if not _triangles_are_good(triangles, vertex_count):
        raise Damaged("a triangle that names a vertex that does not exist, or is out of order")
    for name in ("file_vertex", "file_triangle"):
        if not _is_permutation(arrays[name]):
            raise Damaged(f"a wrong order of the file's {name.removeprefix('file_')} list")
    if "uv" in arrays:
        uv_vertex = arrays["uv_vertex"]
        if not _wedges_are_good(triangles, arrays["corner_uv"], uv_vertex, vertex_count):
            raise Damaged("a corner that names a texture coordinate that does not exist")
        if not np.isfinite(arrays["uv"]).all():
            raise Damaged("a texture coordinate that is not a finite number")


def _check_materials(triangle_material: np.ndarray, count: int) -> None:
    if len(triangle_material) and not 0 <= triangle_material.min() <= triangle_material.max() < count:
        raise Damaged("a triangle that names a material that does not exist")


@kernel
def _triangles_are_good(triangles, vertex_count):
    """Every index in range, and sorted by the smallest vertex of each triangle, which chunks rely upon."""
    last = np.int32(0)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        low = min(a, b, c)
        if low < last or max(a, b, c) >= vertex_count:
            return False
        last = low
    return True


@kernel
def _is_permutation(order):
    seen = np.zeros(len(order), np.uint8)
    for entry in order:
        if entry < 0 or entry >= len(order) or seen[entry]:
            return False
        seen[entry] = 1
    return True


@kernel
def _wedges_are_good(triangles, corner_uv, uv_vertex, vertex_count):
    """Wedges sorted by vertex, and every corner's wedge is one of its own vertex."""
    for w in range(len(uv_vertex)):
        if uv_vertex[w] < 0 or uv_vertex[w] >= vertex_count or (w > 0 and uv_vertex[w] < uv_vertex[w - 1]):
            return False
    for t in range(len(triangles)):
        for k in range(3):
            wedge = corner_uv[t, k]
            if wedge < 0 or wedge >= len(uv_vertex) or uv_vertex[wedge] != triangles[t, k]:
                return False
    return True
