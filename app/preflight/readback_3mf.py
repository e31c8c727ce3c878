"""A small 3MF reader for checking exports: geometry, colour groups, textures. Shares nothing with lib3mf.

It reads one model part with mesh objects, as exports have, and refuses anything else. It is no importer: that is
`app.formats.threemf`. Element names and rules: 3MF Core Specification 1.4, Materials and Properties Extension 1.2.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from app.formats.numerals import read_real
from app.mesh.jit import kernel
from app.preflight.model import Model, Skin

_UNIT_MM = {"micron": 0.001, "millimeter": 1.0, "centimeter": 10.0, "inch": 25.4, "foot": 304.8, "meter": 1000.0}
# Elements with millions of children, taken out of the XML and scanned by a kernel: child and attributes of each.
_BULK = {
    b"vertices": (b"vertex", (b"x", b"y", b"z")),
    b"triangles": (b"triangle", (b"v1", b"v2", b"v3", b"pid", b"p1", b"p2", b"p3")),
    b"colorgroup": (b"color", (b"color",)),
    b"texture2dgroup": (b"tex2coord", (b"u", b"v")),
}
_OPENING = re.compile(rb"<(\w+:)?(vertices|triangles|colorgroup|texture2dgroup)\b[^>]*>")
_BLANKS, _SLASH, _LESS, _GREATER, _EQUAL, _COLON, _HASH = (32, 9, 10, 13), 47, 60, 62, 61, 58, 35
_RGB_DIGITS = 6


@dataclass
class _Group:
    """A colour group or base materials: (n, 3) sRGB. A texture group: (n, 2) uv and its index in the model's skins."""

    values: np.ndarray
    skin: int = -1


def read_3mf(path: Path) -> Model:
    """Read a 3MF file in mm. Raises ValueError for what it does not know, and whatever the ZIP or XML parser raises."""
    with zipfile.ZipFile(path) as archive:
        data = archive.read(_model_part(archive))
        skeleton, tables = _split(data)
        root = ElementTree.fromstring(skeleton)  # our own file, and expat limits the expansion of entities
        images = {
            node.get("id"): Skin(_pixels(archive, str(node.get("path"))), wrap=str(node.get("tilestyleu", "wrap")))
            for node in root.iter()
            if _local(node.tag) == "texture2d"
        }
    return _assembled(root, tables, images)


def _model_part(archive: zipfile.ZipFile) -> str:
    for node in ElementTree.fromstring(archive.read("_rels/.rels")):
        if str(node.get("Type")).endswith("/3dmodel"):
            return str(node.get("Target")).lstrip("/")
    raise ValueError("the package names no model part")


def _pixels(archive: zipfile.ZipFile, part: str) -> np.ndarray:
    with Image.open(io.BytesIO(archive.read(part.lstrip("/")))) as image:
        return np.asarray(image.convert("RGB"))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _split(data: bytes) -> tuple[bytes, list[np.ndarray]]:
    """The XML without the children of bulk elements, and those as one table per bulk element, in order."""
    pieces, tables, at = [], [], 0
    bytes_of = np.frombuffer(data, np.uint8)
    for found in _OPENING.finditer(data):
        name, stop = found[2], found.end()
        pieces.append(data[at:stop])
        at = stop
        if found[0].endswith(b"/>"):
            tables.append(np.empty((0, len(_BULK[name][1]))))
            continue
        at = data.index(b"</" + (found[1] or b"") + name, stop)
        child, attributes = _BULK[name]
        rows = data.count(b"<" + (found[1] or b"") + child, stop, at)
        table = np.full((rows, len(attributes)), np.nan)
        keys = np.zeros((len(attributes), max(map(len, attributes))), np.uint8)
        for index, attribute in enumerate(attributes):
            keys[index, : len(attribute)] = np.frombuffer(attribute, np.uint8)
        if _scan(bytes_of, stop, at, keys, table) != rows:
            raise ValueError(f"{name.decode()} holds something else than {child.decode()}")
        tables.append(table)
    pieces.append(data[at:])
    return b"".join(pieces), tables


@kernel
def _scan(data, start, stop, keys, table):
    """Read the attributes of the elements between start and stop, one row each. Returns the number of elements."""
    row = -1
    i = start
    while i < stop:
        if data[i] == _LESS:
            if data[i + 1] != _SLASH:
                row += 1
                if row >= len(table):
                    return -1
            while i < stop and data[i] not in _BLANKS and data[i] != _GREATER:
                i += 1
            continue
        if data[i] != _EQUAL:
            i += 1
            continue
        end = i
        while data[end - 1] in _BLANKS:
            end -= 1
        first = end
        while data[first - 1] not in _BLANKS and data[first - 1] != _COLON:
            first -= 1
        column = _column(data, first, end - first, keys)
        i += 1
        while i < stop and data[i] in _BLANKS:
            i += 1
        quote = data[i]
        i += 1
        if column >= 0 and row >= 0:
            value, after = _hexadecimal(data, i + 1) if data[i] == _HASH else read_real(data, i, stop)
            if after > i:
                table[row, column] = value
        while i < stop and data[i] != quote:
            i += 1
        i += 1
    return row + 1


@kernel
def _column(data, first, length, keys):
    width = keys.shape[1]
    for column in range(len(keys)):
        same = length <= width
        for k in range(width):
            if same and keys[column, k] != (data[first + k] if k < length else 0):
                same = False
        if same:
            return column
    return -1


@kernel
def _hexadecimal(data, i):
    """RRGGBB or RRGGBBAA as the number 0xRRGGBB, and the index after it."""
    value = 0
    digits = 0
    while True:
        byte = data[i] | 0x20
        if 48 <= data[i] <= 57:
            digit = data[i] - 48
        elif 97 <= byte <= 102:
            digit = byte - 87
        else:
            return np.float64(value), i
        if digits < _RGB_DIGITS:
            value = value * 16 + digit
        digits += 1
        i += 1


def _assembled(root: ElementTree.Element, tables: list[np.ndarray], images: dict[str | None, Skin]) -> Model:
    groups: dict[int, _Group] = {}
    skins = [Skin()]
    objects: dict[str, tuple[ElementTree.Element, list[np.ndarray]]] = {}
    remaining = iter(tables)
    for node in root.iter():
        name = _local(node.tag)
        if name == "object":
            objects[str(node.get("id"))] = (node, [])
            current = objects[str(node.get("id"))][1]
        elif name in ("vertices", "triangles"):
            current.append(next(remaining))
        elif name == "colorgroup":
            packed = next(remaining)[:, 0].astype(np.int64)
            groups[int(str(node.get("id")))] = _Group(
                np.stack([packed >> shift & 255 for shift in (16, 8, 0)], axis=1) / 255
            )
        elif name == "texture2dgroup":
            groups[int(str(node.get("id")))] = _Group(next(remaining), len(skins))
            skins.append(images[node.get("texid")])
        elif name == "basematerials":
            groups[int(str(node.get("id")))] = _Group(np.array([_rgb(str(base.get("displaycolor"))) for base in node]))
        elif name in ("components", "multiproperties", "compositematerials"):
            raise ValueError(f"it holds {name}, which exports do not")
    items = [node for node in root.iter() if _local(node.tag) == "item"]
    if len(items) != 1:
        raise ValueError(f"it places {len(items)} objects, exports place one")
    unit = _UNIT_MM[root.get("unit", "millimeter")]
    node, (vertices, triangles) = objects[str(items[0].get("objectid"))]
    model = Model(_placed(vertices, items[0].get("transform")) * unit, triangles[:, :3].astype(np.int64))
    model.skins = skins
    _color(model, triangles, node, groups)
    return model


def _rgb(text: str) -> list[float]:
    return [int(text[place : place + 2], 16) / 255 for place in (1, 3, 5)]


def _placed(vertices: np.ndarray, transform: str | None) -> np.ndarray:
    if transform is None:
        return vertices
    matrix = np.array(transform.split(), np.float64).reshape(4, 3)
    return vertices @ matrix[:3] + matrix[3]


def _color(model: Model, triangles: np.ndarray, node: ElementTree.Element, groups: dict[int, _Group]) -> None:
    """Materials 1.2: a triangle without pid has its object's; without p1 too; without p2 or p3, they are p1."""
    pid, p = triangles[:, 3], triangles[:, 4:7].copy()
    default_pid, default_index = float(node.get("pid", "nan")), float(node.get("pindex", "nan"))
    inherits = np.isnan(p[:, 0])
    p[inherits] = default_index
    pid = np.where(np.isnan(pid) | inherits, default_pid, pid)
    for k in (1, 2):
        p[:, k] = np.where(np.isnan(p[:, k]), p[:, 0], p[:, k])
    model.skin = np.zeros(len(triangles), np.int64)
    for group_id, group in groups.items():
        rows = np.flatnonzero(pid == group_id)
        if not len(rows):
            continue
        values = group.values[p[rows].astype(np.int64)]
        if group.skin < 0:
            model.corner_colors = (
                np.ones((len(triangles), 3, 3)) if model.corner_colors is None else model.corner_colors
            )
            model.corner_colors[rows] = values
        else:
            model.corner_uv = np.zeros((len(triangles), 3, 2)) if model.corner_uv is None else model.corner_uv
            model.corner_uv[rows] = values
            model.skin[rows] = group.skin
