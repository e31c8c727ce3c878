"""A glTF document: the container (GLB or JSON), its JSON read with checks, its buffers and buffer views.

Nothing in a file is trusted: each value is checked for its type and range where it is used, each array against the
bytes that are there, and everything that is created rather than looked at is charged to a budget.
Errors name the part ("accessor 3"); the reader adds the file.
"""

from __future__ import annotations

import binascii
import json
import math
import re
import struct
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import numpy as np

from app.errors import LimitExceeded, UnreadableFile, readable
from app.formats.gltf_meshopt import decode_view
from app.formats.reading import find_beside
from app.formats.registry import Limits

ADVICE = "Export it again from the program that made it"

_MAGIC, _VERSION = b"glTF", 2
_HEADER, _CHUNK_HEADER = struct.Struct("<4sII"), struct.Struct("<I4s")
# JSON grows about 25 times when parsed; binary data inside it is taken out before.
_JSON_BYTES = 32 << 20
_DATA_URI = re.compile(rb'"(data:[^"\\]*)"')
_PLACEHOLDER = "data:#"
# What a file may have created for it at least, however small it is (compressed, sparse or repeated geometry).
_LEAST_BUDGET = 128 << 20
_MOST_NOTES = 100
# Each costs a look through the folder.
_MOST_MISSING = 200
# Beyond this a JSON number is no longer exact.
_MOST_INTEGER = 1 << 53
_MESHOPT = ("KHR_meshopt_compression", "EXT_meshopt_compression")


class Item:
    """One JSON object, read with checks. where: what a user can look for, such as "accessor 3"."""

    __slots__ = ("data", "where")

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict):
            raise UnreadableFile("is not a JSON object", where, ADVICE)
        self.data, self.where = data, where

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def fail(self, what: str) -> UnreadableFile:
        return UnreadableFile(what, self.where, ADVICE)

    def integer(self, key: str, default: int | None = None, least: int = 0) -> int:
        value = self.data.get(key, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST_INTEGER:
            raise self.fail(f"has no valid {key}")
        return value

    def index(self, key: str) -> int | None:
        """An optional reference to another part."""
        return self.integer(key) if key in self.data else None

    def numbers(self, key: str, default: tuple[float, ...]) -> tuple[float, ...]:
        """As many finite numbers as the default has."""
        if key not in self.data:
            return default
        values = self.data[key]
        try:
            numbers = tuple(float(value) for value in values)
        except (TypeError, ValueError, OverflowError):
            numbers = ()
        if len(numbers) != len(default) or not all(map(math.isfinite, numbers)):
            raise self.fail(f"has no valid {key}")
        return numbers

    def number(self, key: str, default: float) -> float:
        """One finite number."""
        return Item({key: [self.data.get(key, default)]}, self.where).numbers(key, (default,))[0]

    def string(self, key: str, default: str = "") -> str:
        value = self.data.get(key, default)
        return value if isinstance(value, str) else default

    def entries(self, key: str) -> list[Any]:
        value = self.data.get(key, [])
        if not isinstance(value, list):
            raise self.fail(f"has {key} that are not a list")
        return value

    def indices(self, key: str) -> list[int]:
        """A list of references to other parts."""
        values = self.entries(key)
        if not all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in values):
            raise self.fail(f"has no valid {key}")
        return values

    def item(self, key: str) -> Item | None:
        """An optional object inside this one."""
        return Item(self.data[key], f"{self.where}, {key}" if self.where else key) if key in self.data else None

    def extension(self, name: str) -> Item | None:
        extensions = self.data.get("extensions")
        return (
            Item(extensions[name], f"{self.where}, {name}")
            if isinstance(extensions, dict) and name in extensions
            else None
        )


class Document:
    """The parsed JSON with its buffers. notes: what was left out, for the user."""

    def __init__(self, root: Item, binary: np.ndarray | None, uris: list[bytes], path: Path, limits: Limits) -> None:
        self.root, self.path, self.limits = root, path, limits
        self.notes: list[str] = []
        self._binary, self._uris = binary, uris
        self._buffers: dict[int, np.ndarray] = {}
        self._views: dict[int, np.ndarray] = {}
        self._input_bytes = sum(map(len, uris)) + (0 if binary is None else len(binary))
        self._created_bytes = self._missing = 0

    def note(self, text: str) -> None:
        """Tell the user, once. A file can give rise to more notes than anybody would read."""
        if len(self.notes) < _MOST_NOTES and text not in self.notes:
            self.notes.append(readable(text))

    def count(self, kind: str) -> int:
        return len(self.root.entries(kind))

    def part(self, kind: str, index: int) -> Item:
        """One entry of a top-level list, such as part("accessors", 3)."""
        entries = self.root.entries(kind)
        name = "mesh" if kind == "meshes" else re.sub(r"(?<=[a-z])V", " v", kind.removesuffix("s"))
        if index >= len(entries):
            raise UnreadableFile(f"names {name} {index}, but has only {len(entries)}", "", ADVICE)
        return Item(entries[index], f"{name} {index}")

    def charge(self, count: int, where: str) -> None:
        """Ask for `count` bytes that are not in the file as such. Raises LimitExceeded beyond what is reasonable."""
        self._created_bytes += count
        ratio = int(self.limits.unpack_ratio * self._input_bytes)
        if self._created_bytes > min(self.limits.unpacked_bytes, max(_LEAST_BUDGET, ratio)):
            what = f"would unpack to {self._created_bytes / (1 << 20):,.0f} MB, out of proportion to the file"
            raise LimitExceeded(what, where, "The file is damaged or made to exhaust memory; do not use it")

    def view(self, index: int) -> np.ndarray:
        """The bytes of a buffer view, (n,) uint8, unpacked where it is compressed."""
        if index not in self._views:
            item = self.part("bufferViews", index)
            packed = next((found for name in _MESHOPT if (found := item.extension(name))), None)
            self._views[index] = self._slice(item) if packed is None else self._unpack(item, packed)
        return self._views[index]

    def resource(self, item: Item) -> bytes | None:
        """The bytes behind an image's bufferView or uri; None where it has neither."""
        view = item.index("bufferView")
        if view is not None:
            return self.view(view).tobytes()
        uri = item.string("uri")
        return self._fetch(uri, item.where, self.limits.encoded_texture_bytes) if uri else None

    def _slice(self, item: Item) -> np.ndarray:
        buffer = self._buffer(item.integer("buffer"))
        offset, length = item.integer("byteOffset", 0), item.integer("byteLength")
        if offset + length > len(buffer):
            raise item.fail(
                f"needs {offset + length:,} bytes of a buffer of {len(buffer):,}; the file is cut off or wrong"
            )
        return buffer[offset : offset + length]

    def _unpack(self, item: Item, packed: Item) -> np.ndarray:
        count, stride = packed.integer("count"), packed.integer("byteStride", least=1)
        mode, mesh_filter = packed.string("mode"), packed.string("filter", "NONE")
        source = self._slice(packed)
        if count * stride > self.limits.unpacked_bytes:
            raise LimitExceeded(f"says that it unpacks to {count * stride:,} bytes", item.where, ADVICE)
        self.charge(count * stride, item.where)
        try:
            return decode_view(source, count, stride, mode, mesh_filter)
        except ValueError as error:
            raise item.fail(f"has damaged meshopt data: {error}") from error

    def _buffer(self, index: int) -> np.ndarray:
        if index not in self._buffers:
            item = self.part("buffers", index)
            uri = item.string("uri")
            if uri:
                content = np.frombuffer(self._fetch(uri, item.where, self.limits.file_bytes), np.uint8)
                self._input_bytes += len(content)
            elif index == 0 and self._binary is not None:
                content = self._binary
            else:
                raise item.fail("has no data")
            if sum(map(len, self._buffers.values())) + len(content) > self.limits.file_bytes:
                raise LimitExceeded(
                    "brings the model above the largest size that is read", item.where, "Reduce it first"
                )
            self._buffers[index] = content
        return self._buffers[index]

    def _fetch(self, uri: str, where: str, most_bytes: int) -> bytes:
        if uri.startswith("data:"):
            return _data_uri(self._inline(uri, where), where)
        found = find_beside(self.path, uri) or find_beside(self.path, unquote(uri))
        if found is None:
            self._missing += 1
            if self._missing > _MOST_MISSING:
                raise LimitExceeded("names too many files that are not beside the model", where, ADVICE)
            shown = "".join(letter for letter in uri[:80] if letter.isprintable())
            what = f"names the file {shown!r}, which is not beside the model"
            raise UnreadableFile(what, where, "Put all its files into one folder, then open it again")
        if found.stat().st_size > most_bytes:
            raise LimitExceeded(f"names a file larger than {most_bytes >> 20:,} MB", where, "Reduce it first")
        return found.read_bytes()

    def _inline(self, uri: str, where: str) -> bytes:
        number = uri.removeprefix(_PLACEHOLDER)
        if number == uri:
            return uri.encode("utf-8", "replace")
        if not number.isdecimal() or len(number) > 9 or int(number) >= len(self._uris):
            raise UnreadableFile("has a damaged data URI", where, ADVICE)
        return self._uris[int(number)]


def _data_uri(uri: bytes, where: str) -> bytes:
    head, comma, body = uri.partition(b",")
    if not comma:
        raise UnreadableFile("has a damaged data URI", where, ADVICE)
    if not head.endswith(b";base64"):
        return unquote_to_bytes(body)
    try:
        return binascii.a2b_base64(body)
    except binascii.Error as error:
        raise UnreadableFile("has damaged base64 data", where, ADVICE) from error


def load_document(path: Path, limits: Limits) -> Document:
    """Read and parse a file. Raises UnreadableFile, and LimitExceeded where its JSON is too large."""
    try:
        content = np.fromfile(path, np.uint8, count=min(path.stat().st_size, limits.file_bytes + 1))
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror or error}", "", "Check your rights to it") from error
    if len(content) > limits.file_bytes:
        raise LimitExceeded(f"is larger than {limits.file_bytes >> 20:,} MB", "", "Reduce it before opening it here")
    if bytes(content[:4]) == _MAGIC:
        text, binary = _chunks(content)
        uris: list[bytes] = []
    else:
        text, binary = content.tobytes(), None
        uris = [match[1] for match in _DATA_URI.finditer(text)]
        numbers = iter(range(len(uris)))
        text = _DATA_URI.sub(lambda match: b'"%s%d"' % (_PLACEHOLDER.encode(), next(numbers)), text)
    root = Item(_parsed(text), "")
    asset = root.item("asset")
    version = asset.string("version", "2.0") if asset else "2.0"
    if version and not version.startswith(f"{_VERSION}."):
        raise UnreadableFile(f"is glTF version {version[:10]}; only version 2 is read", "", "Export it as glTF 2.0")
    return Document(root, binary, uris, path, limits)


def _chunks(content: np.ndarray) -> tuple[bytes, np.ndarray | None]:
    """The JSON text and the binary chunk of a GLB file."""
    if len(content) < _HEADER.size:
        raise UnreadableFile("ends within its header", "", "Download or export it again")
    _, version, length = _HEADER.unpack(content[: _HEADER.size].tobytes())
    if version != _VERSION:
        raise UnreadableFile(f"is GLB version {version}; only version 2 is read", "", "Export it as glTF 2.0")
    if length > len(content):
        what = f"is cut off: {len(content):,} of {length:,} bytes are there"
        raise UnreadableFile(what, "", "Download or export it again")
    text, binary, place = None, None, _HEADER.size
    while place + _CHUNK_HEADER.size <= length and (text is None or binary is None):
        size, kind = _CHUNK_HEADER.unpack(content[place : place + _CHUNK_HEADER.size].tobytes())
        place += _CHUNK_HEADER.size
        if place + size > len(content):
            raise UnreadableFile("has a chunk that goes beyond the end of the file", "", "Download or export it again")
        if kind == b"JSON" and text is None:
            text = content[place : place + size].tobytes()
        elif kind == b"BIN\0" and binary is None:
            binary = content[place : place + size]
        place += size
    if text is None:
        raise UnreadableFile("has no JSON chunk", "", "Download or export it again")
    return text, binary


def _parsed(text: bytes) -> Any:
    if len(text) > _JSON_BYTES:
        raise LimitExceeded(f"has {len(text) >> 20} MB of JSON; at most {_JSON_BYTES >> 20} MB are read", "", ADVICE)
    try:
        return json.loads(text.decode("utf-8-sig", "replace").rstrip("\0 \n\r\t"))
    except RecursionError as error:
        raise UnreadableFile("has JSON nested deeper than any model needs", "", ADVICE) from error
    except ValueError as error:
        raise UnreadableFile(f"has damaged JSON: {str(error)[:80]}", "", ADVICE) from error
