"""Reading VRML97 figurines: face sets with colours or images, placed by transforms.

What lives here: what the nodes mean. What does not: the syntax (`vrml_nodes`). ISO/IEC 14772-1:1997, chapter 6.
"""

from __future__ import annotations

import mmap
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.errors import LimitExceeded, UnreadableFile
from app.formats.polygons import triangulate
from app.formats.reading import Images, check_counts, colors_0_to_1, finished, mapped, refuse, to_float32
from app.formats.registry import Limits, Progress
from app.formats.vrml_nodes import Node, Parser
from app.formats.vrml_transforms import changed, transform
from app.formats.writing import read_mark
from app.mesh.soup import Material, Soup

_HEAD_BYTES = 4096
_GZIP = b"\x1f\x8b"
_GROUPS = ("Group", "Anchor", "Billboard", "Collision", "Transform")
_DEEPEST = 200
_MOST_MATERIALS = 30_000
# Text of coordinates shrinks four to fifty times.
_HARMLESS_BYTES, _HONEST_RATIO = 64 << 20, 200


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read a VRML97 file, also a compressed one. Y is up, as the standard says; the unit is not known."""
    data = _bytes(path, limits)
    head = data[:_HEAD_BYTES]
    if head.startswith(b"#VRML V1"):
        refuse(path, "is VRML 1.0, of which nothing is read", "Export it as VRML 2.0 (VRML97), OBJ or PLY")
    if not head.startswith(b"#VRML"):
        refuse(path, "is no VRML file")
    progress(0.0, "Reading nodes")
    parser = Parser(path, data, limits)
    nodes = parser.scene()
    progress(0.7, "Making triangles")
    scene = _Scene(path, limits)
    for node in nodes:
        scene.add(node, np.eye(4), 0)
    soup = scene.soup()
    known = read_mark(head)
    soup.up, soup.unit_mm = known if known else ("y", None)
    if parser.skipped_prototypes:
        soup.notes.append("Prototypes were left out.")
    return finished(soup, path, limits)


def _bytes(path: Path, limits: Limits) -> mmap.mmap | bytes:
    data = mapped(path, limits)
    if data[:2] != _GZIP:
        return data
    try:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        most = int(min(limits.unpacked_bytes, max(_HARMLESS_BYTES, len(data) * _HONEST_RATIO)))
        text = unpacker.decompress(data, most)
    except zlib.error as error:
        raise UnreadableFile("is damaged: it cannot be unpacked", path, "Export it again") from error
    if not unpacker.eof:
        if len(text) >= most:
            raise LimitExceeded("unpacks to too much", path, "Export it uncompressed")
        refuse(path, "is cut off")
    return text


@dataclass
class _Part:
    """One face set, placed."""

    positions: np.ndarray
    triangles: np.ndarray
    colors: np.ndarray | None
    uv: np.ndarray | None
    corner_uv: np.ndarray | None
    material: int


@dataclass
class _Faces:
    """A face set before it is placed; a node may be placed many times. corner: (T, 3) into the corners of its faces.

    colors: (T, 3, 3) float32 sRGB per corner, or None. uv: (U, 2) float32 with corner_uv, (T, 3) int32 into them.
    """

    points: np.ndarray
    triangles: np.ndarray
    corner: np.ndarray
    polygon: np.ndarray
    colors: np.ndarray | None = None
    uv: np.ndarray | None = None
    corner_uv: np.ndarray | None = None

    @property
    def entries(self) -> int:
        """Of its longest table."""
        return max(len(self.points), 0 if self.uv is None else len(self.uv))


@dataclass
class _Scene:
    """Walks the nodes and gathers parts."""

    path: Path
    limits: Limits
    parts: list[_Part] = field(default_factory=list)
    materials: list[Material] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _visited: int = 0
    _read: int = 0
    _vertices: int = 0
    _triangles: int = 0
    _skipped: set[str] = field(default_factory=set)
    _faces: dict[int, _Faces | None] = field(default_factory=dict)
    _looks: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._images = Images(self.limits, self.notes)

    def add(self, node: Node, matrix: np.ndarray, depth: int) -> None:
        """Add what a node shows. matrix: (4, 4) for column vectors."""
        self._visited += 1
        if self._visited > self.limits.nodes or depth > _DEEPEST:
            raise LimitExceeded("places too many objects", self.path, "Join the objects before exporting")
        if node.kind == "Transform":
            matrix = matrix @ transform(node)
        children: list[Node] = []
        if node.kind in _GROUPS:
            children = node.nodes("children")
        elif node.kind == "LOD":
            children = (node.nodes("level") or node.nodes("children"))[:1]
        elif node.kind == "Switch":
            chosen = node.numbers("whichChoice")
            which = int(np.nan_to_num(chosen[0, 0])) if len(chosen) else -1
            choices = node.nodes("choice") or node.nodes("children")
            children = [choices[which]] if 0 <= which < len(choices) else []
        elif node.kind == "Shape":
            self._add_shape(node, matrix)
        for child in children:
            self.add(child, matrix, depth + 1)

    def _add_shape(self, shape: Node, matrix: np.ndarray) -> None:
        geometry = shape.node("geometry")
        if geometry is None:
            return
        if geometry.kind != "IndexedFaceSet":
            self._skipped.add(geometry.kind)
            return
        if id(geometry) not in self._faces:
            found = self._faces[id(geometry)] = self._read_faces(geometry)
            # Also of those that show nothing: many may use the same table.
            self._read += 0 if found is None else found.entries
            check_counts(self.path, self.limits, self._read, 0)
        faces = self._faces[id(geometry)]
        if faces is None or not len(faces.triangles):
            return
        self._vertices += faces.entries
        self._triangles += len(faces.triangles)
        check_counts(self.path, self.limits, self._vertices, self._triangles)
        with np.errstate(all="ignore"):
            points = (faces.points @ matrix[:3, :3].T + matrix[:3, 3]).astype(np.float32)
        mirrored = np.linalg.det(matrix[:3, :3]) < 0
        turn = slice(None, None, -1 if mirrored == geometry.flag("ccw", True) else 1)
        colors, uv, corner_uv = faces.colors, faces.uv, faces.corner_uv
        appearance = shape.node("appearance", "Appearance")
        triangles = faces.triangles[:, turn]
        part = _Part(points, triangles, None, None, None, self._look(appearance))
        if uv is not None and corner_uv is not None:
            part.uv, part.corner_uv = uv, corner_uv[:, turn]
            if appearance is not None:
                part.uv = changed(uv, appearance.node("textureTransform", "TextureTransform"))
        if colors is not None:
            colors = colors[:, turn]
            of_vertex = np.ones((len(points), 3), np.float32)
            of_vertex[triangles] = colors
            if (of_vertex[triangles] == colors).all():
                part.colors = of_vertex
            else:
                part.positions = points[triangles.ravel()]
                part.triangles = np.arange(len(part.positions), dtype=np.int32).reshape(-1, 3)
                part.colors = colors.reshape(-1, 3)
        self.parts.append(part)

    def _read_faces(self, geometry: Node) -> _Faces | None:
        coordinates = geometry.node("coord", "Coordinate")
        if coordinates is None:
            return None
        points = to_float32(coordinates.numbers("point", 3))
        index = _whole(geometry.numbers("coordIndex")[:, 0])
        ends = np.flatnonzero(index < 0)
        keep = index >= 0
        vertices = index[keep].astype(np.int32)
        if len(vertices) and vertices.max() >= len(points):
            what = f"has a face that names point {int(vertices.max())}, of {len(points):,}"
            raise UnreadableFile(what, self.path, "The file is damaged; export it again")
        starts = np.concatenate(([0], ends - np.arange(len(ends)), [len(vertices)]))
        check_counts(self.path, self.limits, len(points), len(vertices))
        corner, polygon, notes = triangulate(points, vertices, starts)
        self.notes += notes
        faces = _Faces(points, vertices[corner], corner, polygon)
        faces.colors = self._colors(geometry, faces)
        faces.uv, faces.corner_uv = self._coordinates(geometry, faces)
        return faces

    def _colors(self, geometry: Node, faces: _Faces) -> np.ndarray | None:
        """(T, 3, 3) float32 sRGB per corner, or None."""
        node = geometry.node("color", "Color")
        table = colors_0_to_1(node.numbers("color", 3)) if node else np.empty((0, 3), np.float32)
        if not len(table):
            return None
        index = _whole(geometry.numbers("colorIndex")[:, 0])
        if geometry.flag("colorPerVertex", True):
            index = index[index >= 0]
            wanted = index[np.minimum(faces.corner, len(index) - 1)] if len(index) else faces.triangles
        else:
            wanted = index[np.minimum(faces.polygon, len(index) - 1)] if len(index) else faces.polygon
            wanted = np.repeat(wanted[:, None], 3, axis=1)
        return table[np.clip(wanted, 0, len(table) - 1)]

    def _coordinates(self, geometry: Node, faces: _Faces) -> tuple[np.ndarray | None, np.ndarray | None]:
        """(U, 2) float32 texture coordinates and (T, 3) int32 into them, or None twice."""
        node = geometry.node("texCoord", "TextureCoordinate")
        table = to_float32(node.numbers("point", 2)) if node else np.empty((0, 2), np.float32)
        if not len(table):
            return None, None
        index = _whole(geometry.numbers("texCoordIndex")[:, 0])
        index = index[index >= 0]
        wanted = index[np.minimum(faces.corner, len(index) - 1)] if len(index) else faces.triangles
        return table, np.clip(wanted, 0, len(table) - 1).astype(np.int32)

    def _look(self, appearance: Node | None) -> int:
        """Number of the material of an Appearance node."""
        key = id(appearance)
        if key in self._looks:
            return self._looks[key]
        color, texture, wrap = (1.0, 1.0, 1.0), None, "repeat"
        if appearance is not None:
            material = appearance.node("material", "Material")
            shade = material.numbers("diffuseColor", 3) if material else np.empty((0, 3))
            if len(shade):
                red, green, blue = np.nan_to_num(shade[0]).clip(0, 1).tolist()
                color = red, green, blue
            image = appearance.node("texture", "ImageTexture")
            if image is not None and image.texts("url"):
                texture = self._images.beside(image.texts("url")[0], self.path)
                wrap = "repeat" if image.flag("repeatS", True) else "clamp"
        if texture is not None:  # a colour image replaces the material's colour: 6.5 and table 4.5
            color = (1.0, 1.0, 1.0)
        if len(self.materials) >= _MOST_MATERIALS:
            raise LimitExceeded(f"uses more than {_MOST_MATERIALS:,} materials", self.path, "Merge some of them")
        self._looks[key] = len(self.materials)
        self.materials.append(Material(f"material {len(self.materials) + 1}", color, texture, wrap))
        return self._looks[key]

    def soup(self) -> Soup:
        """All parts as one soup."""
        if self._skipped:
            self.notes.append(f"Shapes of the kinds {', '.join(sorted(self._skipped)[:5])} were left out.")
        if not self.parts:
            return Soup(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32), notes=self.notes)
        first = np.cumsum([0, *(len(part.positions) for part in self.parts)])
        soup = Soup(
            np.concatenate([part.positions for part in self.parts]),
            np.concatenate([part.triangles + np.int32(k) for part, k in zip(self.parts, first, strict=False)]),
            materials=self.materials,
            notes=self.notes,
        )
        soup.triangle_material = np.repeat(
            np.array([part.material for part in self.parts], np.int16), [len(part.triangles) for part in self.parts]
        )
        if any(part.colors is not None for part in self.parts):
            soup.colors = np.concatenate([
                np.broadcast_to(np.array(self.materials[part.material].base_color, np.float32), part.positions.shape)
                if part.colors is None else part.colors for part in self.parts
            ])  # fmt: skip
        if any(part.uv is not None for part in self.parts):
            nowhere = np.zeros((1, 2), np.float32)
            tables = [nowhere if part.uv is None else part.uv for part in self.parts]
            begin = np.cumsum([0, *(len(table) for table in tables)])
            soup.uv = np.concatenate(tables)
            soup.corner_uv = np.concatenate([
                (np.zeros_like(part.triangles) if part.corner_uv is None else part.corner_uv) + np.int32(k)
                for part, k in zip(self.parts, begin, strict=False)
            ])  # fmt: skip
        return soup


def _whole(values: np.ndarray) -> np.ndarray:
    """int64 of indices; what is no number, or too large for one, ends a face."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < 2**31, values, -1).astype(np.int64)
