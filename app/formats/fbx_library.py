"""The only place that talks to ufbx: opening a scene, and taking objects and arrays out of it safely.

ufbx 0.0.5, the latest on PyPI, counts references wrongly in two places: an object of the scene is handed out without a
reference of its own, and a list that was viewed as a buffer loses one each time. Left alone, that ends in a crash when
Python collects its garbage. So whatever comes out of a scene gets two references here that are never given back: the
scene stays in memory until the process ends, which for opening a file is a worker's end.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from app.errors import LimitExceeded, UnreadableFile
from app.formats.registry import Limits
from app.mesh.jit import kernel

T = TypeVar("T")

BINARY = b"Kaydara FBX Binary"
_HEADER_BYTES = 27
_WIDE_VERSION = 7500  # from here on sizes have 64 bits
# Coordinates shrink two to fifty times; an array that shrinks more, and is large, is mostly nothing.
_HONEST_RATIO = 200
_HARMLESS_BYTES = 64 << 20
_DEEPEST_NODE = 1000
_NO_REASON = "Failed to load"
_keep = ctypes.pythonapi.Py_IncRef
_keep.argtypes, _keep.restype = [ctypes.py_object], None


def load_scene(path: Path, data: bytes, limits: Limits) -> Any:
    """A `ufbx.Scene` in the file's own axes and units. Opens no other file. Raises UnreadableFile, LimitExceeded."""
    import ufbx

    if data.startswith(BINARY):
        _check_arrays(path, data, limits)
    try:
        return held(
            ufbx.load_memory(
                data,
                file_format=ufbx.FileFormat.FBX,
                ignore_animation=True,
                load_external_files=False,
                skip_skin_vertices=True,
                skip_mesh_parts=True,
                node_depth_limit=_DEEPEST_NODE,
            )
        )
    except (ufbx.OutOfMemoryError, ufbx.MemoryLimitError, ufbx.AllocationLimitError) as error:
        raise LimitExceeded("needs more memory than it may use", path, "Reduce it before opening it here") from error
    except ufbx.UfbxError as error:
        why = "" if str(error) == _NO_REASON else f": {str(error)[:120]}"
        raise UnreadableFile(f"is no FBX file, or damaged{why}", path, "Download or export it again") from error


def _check_arrays(path: Path, data: bytes, limits: Limits) -> None:
    """Refuse a binary file whose packed arrays say that they unpack to too much."""
    wide = int.from_bytes(data[23:27], "little") >= _WIDE_VERSION
    total, suspicious = _unpacked_bytes(np.frombuffer(data, np.uint8), _HEADER_BYTES, wide)
    if total > limits.unpacked_bytes or suspicious:
        advice = "It is damaged or made to do harm; ask for another file"
        raise LimitExceeded("unpacks to far more than it takes up", path, advice)


@kernel
def _little(data, i, count):
    value = np.int64(0)
    for k in range(count):
        value |= np.int64(data[i + k]) << (8 * k)
    return value


@kernel
def _unpacked_bytes(data, i, wide):
    """Bytes that all arrays say they unpack to, and whether a large one shrinks beyond belief. Nodes follow each other
    in the file whatever their depth; damage ends the walk, for ufbx to complain of.
    https://code.blender.org/2013/08/fbx-binary-file-format-specification/
    """
    size = 8 if wide else 4
    total = np.int64(0)
    while i + 3 * size + 1 <= len(data):
        end, properties = _little(data, i, size), _little(data, i + size, size)
        i += 3 * size + 1 + np.int64(data[i + 3 * size])
        if end == 0:
            continue
        for _ in range(properties):
            if i + 13 > len(data):
                return total, False
            kind = data[i]
            i += 1
            if kind == 89:  # Y: 16 bits
                i += 2
            elif kind == 67 or kind == 66:
                i += 1
            elif kind == 73 or kind == 70:
                i += 4
            elif kind == 68 or kind == 76:
                i += 8
            elif kind == 83 or kind == 82:
                i += 4 + _little(data, i, 4)
            elif kind == 100 or kind == 108 or kind == 102 or kind == 105 or kind == 98 or kind == 99:
                width = 8 if kind == 100 or kind == 108 else (4 if kind == 102 or kind == 105 else 1)
                unpacked, packed = width * _little(data, i, 4), _little(data, i + 8, 4)
                total += unpacked
                if _little(data, i + 4, 4) == 1 and unpacked > max(_HARMLESS_BYTES, packed * _HONEST_RATIO):
                    return total, True
                i += 12 + packed
            else:
                return total, False
            if i < 0 or i > len(data):
                return total, False
    return total, False


def held(thing: T) -> T:
    """An object of a scene, with the references that ufbx forgot and one for ever."""
    _keep(thing)
    _keep(thing)
    return thing


def each(things: Iterable[T]) -> list[T]:
    """The objects of one of a scene's lists."""
    return [held(thing) for thing in things]


def array(values: Any, width: int) -> np.ndarray:
    """(n, width) copy of a list of numbers, vectors or faces; (n,) for width 0."""
    if not len(values):
        return np.empty((0, width) if width else 0)
    if width:
        with memoryview(held(values)) as view:
            return np.array(view).reshape(len(values), width)
    return np.fromiter(values, np.int64, len(values))  # whole numbers offer no buffer


def matrix(value: Any) -> np.ndarray:
    """(4, 4) float64 for column vectors, of a `ufbx.Matrix`."""
    out = np.eye(4)
    out[:3] = np.array([value.c0, value.c1, value.c2, value.c3]).T
    return out
