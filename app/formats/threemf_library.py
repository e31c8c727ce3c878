"""lib3mf, with numpy arrays where its own Python layer copies element by element.

What lives here: calls into the library. What does not: what a 3MF's resources mean (`threemf_read`, `threemf_write`).
Why: SetGeometry through Python lists took 6.5 s for 1.6 million triangles, through its C entry point 0.03 s.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np


@cache
def library() -> Any:
    """lib3mf's module. Imported on first use: the program starts without it."""
    import lib3mf

    return lib3mf


@cache
def wrapper() -> Any:
    """The loaded library."""
    return library().get_wrapper()


def library_error() -> type[Exception]:
    """What lib3mf raises."""
    return library().ELib3MFException


def _pointer(array: np.ndarray, kind: Any) -> Any:
    return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))


def _fetch(owner: Any, entry: str, kind: Any, dtype: Any, columns: int) -> np.ndarray:
    """Call an entry point of the form (handle, size, needed size, buffer) twice, as lib3mf wants it."""
    call = getattr(wrapper().lib, entry)
    needed = ctypes.c_uint64(0)
    wrapper().checkError(owner, call(owner._handle, ctypes.c_uint64(0), needed, None))
    out = np.zeros((needed.value, columns), dtype)
    if needed.value:
        wrapper().checkError(owner, call(owner._handle, ctypes.c_uint64(needed.value), needed, _pointer(out, kind)))
    return out


def vertices(mesh: Any) -> np.ndarray:
    """(N, 3) float32, model units."""
    return _fetch(mesh, "lib3mf_meshobject_getvertices", library().Position, np.float32, 3)


def triangles(mesh: Any) -> np.ndarray:
    """(T, 3) int32."""
    return _fetch(mesh, "lib3mf_meshobject_gettriangleindices", library().Triangle, np.uint32, 3).view(np.int32)


def triangle_properties(mesh: Any) -> np.ndarray:
    """(T, 4) uint32: resource (0 for none), and the property of each corner; inherited ones filled in."""
    kind = library().TriangleProperties
    return _fetch(mesh, "lib3mf_meshobject_getalltriangleproperties", kind, np.uint32, 4)


def attachment_bytes(attachment: Any) -> bytes:
    """The bytes of a package part."""
    return _fetch(attachment, "lib3mf_attachment_writetobuffer", ctypes.c_uint8, np.uint8, 1).tobytes()


def set_geometry(mesh: Any, positions: np.ndarray, corners: np.ndarray) -> None:
    """positions: (N, 3) float32. corners: (T, 3) int32, no vertex twice in a triangle."""
    positions, corners = np.ascontiguousarray(positions, np.float32), np.ascontiguousarray(corners, np.int32)
    position, triangle = library().Position, library().Triangle
    result = wrapper().lib.lib3mf_meshobject_setgeometry(
        mesh._handle,
        ctypes.c_uint64(len(positions)),
        _pointer(positions, position),
        ctypes.c_uint64(len(corners)),
        _pointer(corners, triangle),
    )
    wrapper().checkError(mesh, result)


def set_triangle_properties(mesh: Any, properties: np.ndarray) -> None:
    """properties: (T, 4) uint32, as in `triangle_properties`."""
    properties = np.ascontiguousarray(properties, np.uint32)
    pointer = _pointer(properties, library().TriangleProperties)
    count = ctypes.c_uint64(len(properties))
    wrapper().checkError(mesh, wrapper().lib.lib3mf_meshobject_setalltriangleproperties(mesh._handle, count, pointer))


def set_attachment(attachment: Any, content: bytes) -> None:
    """Set the bytes of a package part."""
    array = np.frombuffer(content, np.uint8)
    pointer = _pointer(array, ctypes.c_uint8)
    count = ctypes.c_uint64(len(array))
    wrapper().checkError(attachment, wrapper().lib.lib3mf_attachment_readfrombuffer(attachment._handle, count, pointer))


def add_all(group: Any, entry: str, items: np.ndarray) -> np.ndarray:
    """Add structures one by one through the bare entry point, half a microsecond each.

    items: (n, columns), each row laid out as the C structure. Returns (n,) uint32, their property ids.
    """
    items = np.ascontiguousarray(items)
    ids = np.zeros(len(items), np.uint32)
    call = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(_address(entry))
    handle = group._handle.value
    for item, identity in zip(_row_addresses(items), _row_addresses(ids), strict=True):
        result = call(handle, item, identity)
        if result:
            wrapper().checkError(group, result)
    return ids


def get_all(group: Any, entry: str, ids: np.ndarray, dtype: Any, columns: int) -> np.ndarray:
    """Read structures by property id, as `add_all` adds them. Returns (n, columns); a missing id leaves zeros."""
    out = np.zeros((len(ids), columns), dtype)
    call = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)(_address(entry))
    handle = group._handle.value
    for identity, row in zip(ids.tolist(), _row_addresses(out), strict=True):
        call(handle, identity, row)
    return out


def layer_properties(group: Any, ids: np.ndarray, layers: int) -> np.ndarray:
    """(n, layers) uint32: the property that each multiproperty has in each layer; zeros where the library fails."""
    out = np.zeros((len(ids), layers), np.uint32)
    call = wrapper().lib.lib3mf_multipropertygroup_getmultiproperty
    needed = ctypes.c_uint64(0)
    for identity, row in zip(ids.tolist(), out, strict=True):
        call(group._handle, ctypes.c_uint32(identity), ctypes.c_uint64(layers), needed, _pointer(row, ctypes.c_uint32))
    return out


def _address(entry: str) -> int:
    return ctypes.cast(getattr(wrapper().lib, entry), ctypes.c_void_p).value or 0


def _row_addresses(array: np.ndarray) -> range:
    return range(array.ctypes.data, array.ctypes.data + array.nbytes, array.strides[0]) if len(array) else range(0)


def property_ids(group: Any, entry: str) -> np.ndarray:
    """(n,) uint32, all property ids of a group, in order."""
    return _fetch(group, entry, ctypes.c_uint32, np.uint32, 1)[:, 0]


def each(iterator: Any) -> Iterator[Any]:
    """The objects of a lib3mf iterator."""
    while iterator.MoveNext():
        yield iterator.GetCurrent()


def read_package(reader: Any, content: bytes) -> None:
    """Let a reader read a package from memory."""
    array = np.frombuffer(content, np.uint8)
    pointer = _pointer(array, ctypes.c_uint8)
    count = ctypes.c_uint64(len(array))
    wrapper().checkError(reader, wrapper().lib.lib3mf_reader_readfrombuffer(reader._handle, count, pointer))


def write_package(writer: Any, path: Path) -> None:
    """Write the package through Python's file. Raises OSError.

    lib3mf's own way to a file ends the process when the disk is full, and does not say why a file cannot be opened.
    """
    failures: list[OSError] = []
    with path.open("wb") as stream:

        def put(address: int, size: int, _: Any) -> None:
            try:
                if not failures:
                    stream.write(ctypes.string_at(address, size))
            except OSError as error:
                failures.append(error)

        def move(position: int, _: Any) -> None:
            try:
                if not failures:
                    stream.seek(position)
            except OSError as error:
                failures.append(error)

        # The library keeps no reference to these: they must live until it returns.
        callbacks = library().WriteCallback(put), library().SeekCallback(move)
        writer.WriteToCallback(*callbacks, 0)
        if failures:
            raise failures[0]
