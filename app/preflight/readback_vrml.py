"""A small VRML97 reader for checking exports: indexed face sets with colours or an image. Shares nothing with writers.

It reads shapes of triangles without transforms, as exports have; it is no importer. Node names and rules: ISO/IEC
14772-1:1997, chapter 6.
"""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath

import numpy as np
from PIL import Image

from app.preflight.model import Model, Skin, joined

_COMMENT = re.compile(rb"^\s*#[^\n]*$", re.MULTILINE)
_SHAPE = re.compile(rb"\bShape\s*\{")
_NUMBER = rb"\s+([-+.0-9eE]+)"
_DIFFUSE = re.compile(rb"\bdiffuseColor" + 3 * _NUMBER)
_IMAGE = re.compile(rb'\burl\s*\[?\s*"([^"]+)"')
_NOT_REPEATED = re.compile(rb"\brepeatS\s+FALSE\b")
_TRANSFORM = re.compile(rb"\b(Transform|Inline|PROTO)\b")
_DEFAULT_DIFFUSE = (0.8, 0.8, 0.8)


def read_vrml(path: Path) -> Model:
    """Read a VRML97 file in its own unit and axes. Raises ValueError for what exports do not have."""
    data = path.read_bytes()
    if not data.startswith(b"#VRML V2.0 utf8"):
        raise ValueError("it does not begin as VRML97 does")
    starts = [found.start() for found in _SHAPE.finditer(data)]
    if not starts:
        raise ValueError("it holds no shape")
    if _TRANSFORM.search(_COMMENT.sub(b"", data[: starts[0]])):
        raise ValueError("it holds transforms, which exports do not")
    named: dict[bytes, np.ndarray] = {}
    parts = [
        _shape(data, start, stop, path, named) for start, stop in zip(starts, [*starts[1:], len(data)], strict=True)
    ]
    return joined(parts)


def _shape(data: bytes, start: int, stop: int, path: Path, named: dict[bytes, np.ndarray]) -> Model:
    points = _node(data, start, stop, rb"\bcoord", rb"Coordinate", 3, named)
    corners = _faces(data, start, stop, rb"\bcoordIndex")
    if points is None or corners is None:
        raise ValueError("a shape has no coordinates")
    model = Model(points, corners, skins=[_skin(data, start, stop, path)])
    colors = _node(data, start, stop, rb"\bcolor", rb"Color", 3, named)
    if colors is not None:
        own = _faces(data, start, stop, rb"\bcolorIndex")
        model.corner_colors = colors[corners if own is None else own]
    uv = _node(data, start, stop, rb"\btexCoord", rb"TextureCoordinate", 2, named)
    if uv is not None:
        own = _faces(data, start, stop, rb"\btexCoordIndex")
        model.corner_uv = uv[corners if own is None else own]
    return model


def _node(
    data: bytes, start: int, stop: int, field: bytes, kind: bytes, columns: int, named: dict[bytes, np.ndarray]
) -> np.ndarray | None:
    """The numbers of a field such as `coord DEF a Coordinate { point [ ... ] }`, or of the node it uses again."""
    used = re.compile(field + rb"\s+USE\s+(\S+)").search(data, start, stop)
    if used:
        return named[used[1]]
    opening = field + rb"\s+(?:DEF\s+(\S+)\s+)?" + kind + rb"\s*\{\s*(?:point|color)\s*\["
    found = re.compile(opening).search(data, start, stop)
    if found is None:
        return None
    values = _numbers(data, found.end()).reshape(-1, columns)
    if found[1]:
        named[found[1]] = values
    return values


def _faces(data: bytes, start: int, stop: int, field: bytes) -> np.ndarray | None:
    found = re.compile(field + rb"\s*\[").search(data, start, stop)
    if found is None:
        return None
    indices = _numbers(data, found.end()).astype(np.int64)
    if len(indices) % 4 == 3:  # the last face need not be ended
        indices = np.append(indices, -1)
    faces = indices.reshape(-1, 4)
    if (faces[:, 3] != -1).any() or (faces[:, :3] < 0).any():
        raise ValueError("a face is no triangle")
    return faces[:, :3]


def _numbers(data: bytes, start: int) -> np.ndarray:
    return np.fromstring(data[start : data.index(b"]", start)].replace(b",", b" "), np.float64, sep=" ")


def _skin(data: bytes, start: int, stop: int, path: Path) -> Skin:
    image = _IMAGE.search(data, start, stop)
    if image is not None:
        with Image.open(path.parent / PureWindowsPath(image[1].decode()).name) as opened:  # exports lie in one folder
            wrap = "clamp" if _NOT_REPEATED.search(data, start, stop) else "repeat"
            return Skin(np.asarray(opened.convert("RGB")), wrap=wrap)
    diffuse = _DIFFUSE.search(data, start, stop)
    red, green, blue = (float(value) for value in diffuse.groups()) if diffuse else _DEFAULT_DIFFUSE
    return Skin(None, (red, green, blue))
