"""COLLADA meshes: sources, inputs with their offsets, and the ways of writing faces. COLLADA 1.4.1, chapter 5."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.errors import UnreadableFile
from app.formats.assembly import Assembly
from app.formats.dae_xml import Element, number_lists, numbers
from app.formats.polygons import triangulate
from app.formats.reading import check_counts, colors_0_to_1, to_float32

_FACES = ("triangles", "polylist", "polygons", "tristrips", "trifans")
_ADVICE = "The file is damaged; export it again"


@dataclass(frozen=True, eq=False)
class Faces:
    """The triangles of a mesh that have one material.

    symbol: the name that an instance binds to a material. positions: (n, 3) float32. triangles: (t, 3) int32.
    uv: by set number, (u, 2) float32 values and (t, 3) int32 into them. colors: (t, 3, 3) float32 sRGB, or None.
    """

    symbol: str
    positions: np.ndarray
    triangles: np.ndarray
    uv: dict[int, tuple[np.ndarray, np.ndarray]]
    colors: np.ndarray | None


class Geometries:
    """Reads each `geometry` once."""

    def __init__(self, assembly: Assembly, named: dict[str, Element]) -> None:
        self._assembly, self._named = assembly, named
        self._path: Path = assembly.path
        self._read: dict[int, list[Faces]] = {}
        self._sources: dict[int, np.ndarray] = {}

    def faces(self, geometry: Element) -> list[Faces]:
        """All triangles of a geometry, by material. Raises UnreadableFile, LimitExceeded."""
        if id(geometry) not in self._read:
            mesh = geometry.at("mesh") or geometry.at("convex_mesh")
            found = [] if mesh is None else [self._faces(faces) for faces in mesh.all(*_FACES)]
            self._read[id(geometry)] = [faces for faces in found if faces is not None]
            if mesh is not None and mesh.all("lines", "linestrips"):
                self._assembly.note("Lines were left out; only surfaces are read.")
        return self._read[id(geometry)]

    def _faces(self, faces: Element) -> Faces | None:
        inputs = faces.all("input")
        stride = 1 + max((entry.whole("offset") for entry in inputs), default=0)
        corners, starts = self._corners(faces, stride)
        vertex_input = next((entry for entry in inputs if entry.get("semantic") == "VERTEX"), None)
        vertices = self._named.get(vertex_input.get("source").removeprefix("#")) if vertex_input else None
        if vertex_input is None or vertices is None or not len(corners):
            return None
        of_vertex = [(entry, vertex_input.whole("offset")) for entry in vertices.all("input")]
        positions = next((e for e, _ in of_vertex if e.get("semantic") == "POSITION"), None)
        points = self._values(positions, 3) if positions is not None else np.empty((0, 3))
        corner_vertex = self._checked(corners[:, vertex_input.whole("offset")], len(points))
        check_counts(self._path, self._assembly.limits, len(points), len(corner_vertex))
        chosen, _, notes = triangulate(to_float32(points), corner_vertex, starts)
        for note in notes:
            self._assembly.note(note)
        uv: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        colors: np.ndarray | None = None
        for entry, offset in [*of_vertex, *((entry, entry.whole("offset")) for entry in inputs)]:
            if entry.get("semantic") == "TEXCOORD":
                values = to_float32(self._values(entry, 2))
                uv[entry.whole("set")] = values, self._checked(corners[:, offset], len(values))[chosen]
            elif entry.get("semantic") == "COLOR" and colors is None:
                values = colors_0_to_1(self._values(entry, 3))
                colors = values[self._checked(corners[:, offset], len(values))[chosen]]
        return Faces(faces.get("material"), to_float32(points), corner_vertex[chosen], uv, colors)

    def _corners(self, faces: Element, stride: int) -> tuple[np.ndarray, np.ndarray]:
        """(c, stride) indices of corners, and the first corner of each polygon (p + 1,)."""
        lists = faces.all("p")
        for hole in faces.all("ph"):  # a polygon with holes
            lists += hole.all("p")
            self._assembly.note("Holes in polygons were filled.")
        values, lengths = number_lists(lists, self._path) if lists else (np.empty(0), np.empty(0, np.int64))
        if (lengths % stride).any():
            raise UnreadableFile("has polygons that do not fit their corners", self._path, _ADVICE)
        corners, counts = _whole(values).reshape(-1, stride), lengths // stride
        if faces.tag in ("tristrips", "trifans"):
            corners = corners[_unrolled(counts, faces.tag == "trifans")]
        if faces.tag == "polylist":
            counts = _whole(numbers(faces.at("vcount"), self._path))
        elif faces.tag != "polygons":
            corners = corners[: len(corners) // 3 * 3]
            counts = np.full(len(corners) // 3, 3)
        if (counts < 0).any() or counts.sum() > len(corners):
            raise UnreadableFile("has polygons that do not fit their corners", self._path, _ADVICE)
        return corners, np.concatenate(([0], np.cumsum(counts)))

    def _values(self, entry: Element, width: int) -> np.ndarray:
        """(n, width) float64 that an input's source and accessor describe; missing columns are 0."""
        source = self._named.get(entry.get("source").removeprefix("#"))
        accessor = source.at("technique_common", "accessor") if source is not None else None
        if accessor is None:
            return np.empty((0, width))
        array = self._named.get(accessor.get("source").removeprefix("#"))
        if id(array) not in self._sources:
            self._sources[id(array)] = numbers(array, self._path)
        values = self._sources[id(array)][accessor.whole("offset") :]
        stride = max(1, accessor.whole("stride", 1))
        values = values[: len(values) // stride * stride].reshape(-1, stride)
        named = [column for column, param in enumerate(accessor.all("param")) if param.get("name")]
        columns = [column for column in named or range(stride) if column < stride][:width]
        out = np.zeros((len(values), width))
        out[:, : len(columns)] = values[:, columns]
        return out

    def _checked(self, indices: np.ndarray, count: int) -> np.ndarray:
        if len(indices) and not 0 <= indices.min() <= indices.max() < count:
            raise UnreadableFile(f"has a face that names entry {indices.max():,} of {count:,}", self._path, _ADVICE)
        return indices.astype(np.int32)


def _whole(values: np.ndarray) -> np.ndarray:
    """int64 of indices; what is none becomes -1, which no list has."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < 2**31, values, -1).astype(np.int64)


def _unrolled(counts: np.ndarray, fan: bool) -> np.ndarray:
    """(3 t,) rows that the triangles of strips or fans use. counts: rows of each; they follow one another."""
    first = np.repeat(np.cumsum(counts) - counts, counts)
    row = np.arange(len(first))
    row = row[row - first >= 2]  # each row from the third on ends a triangle
    start = first[row]
    odd = (row - start) % 2  # of a strip, every second triangle is turned round
    a, b = (start, row - 1) if fan else (row - 2 + odd, row - 1 - odd)
    return np.stack((a, b, row), axis=1).ravel()
