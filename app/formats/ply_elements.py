"""The container that PLY is: a header that declares elements with properties, and their rows as text or binary.

What lives here: any PLY's rows as arrays. What does not: what the properties mean (`ply`).
Format: http://paulbourke.net/dataformats/ply/
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.errors import LimitExceeded, UnreadableFile
from app.formats.numerals import line_number, read_real, skip_gaps
from app.formats.reading import refuse
from app.mesh.jit import kernel

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "int64": "i8", "uint64": "u8", "float32": "f4", "float64": "f8",
}  # fmt: skip
_MOST_HEADER_BYTES = 1 << 20
_MOST_PROPERTIES = 1000
# Places in a table with lists, each of which is noted down with 16 bytes; an honest file has a few per triangle.
_MOST_PLACES = 80_000_000
_FORMS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(frozen=True)
class Property:
    """One column. kind: numpy type without byte order. count_kind: type of a list's length, or None for a scalar."""

    name: str
    kind: str
    count_kind: str | None = None


@dataclass
class Element:
    """A table of the file: so many rows of the same properties."""

    name: str
    count: int
    properties: list[Property] = field(default_factory=list)

    def kind_of(self, name: str) -> np.dtype:
        """The declared type of a property, which gives a colour its range."""
        return np.dtype(next(item.kind for item in self.properties if item.name == name))


@dataclass
class Header:
    """order: "" for text, "<" or ">" for binary. body: byte at which the rows begin."""

    order: str
    elements: list[Element]
    comments: list[str]
    body: int


@dataclass(eq=False)
class Lists:
    """A list property's rows: counts (rows,) int64, and all values one after the other."""

    counts: np.ndarray
    values: np.ndarray


Columns = dict[str, np.ndarray | Lists]


def read_header(path: Path, data: mmap.mmap) -> Header:
    """Parse the header. Raises UnreadableFile."""
    head = data[:_MOST_HEADER_BYTES]
    if not head.startswith(b"ply"):
        refuse(path, "is no PLY file")
    header = Header("", [], [], 0)
    order: str | None = None
    at, number = 0, 0
    while True:
        line, at = _next_line(head, at)
        number += 1
        words = line.decode("latin-1").split()
        if at > len(head) or (not words and at == len(head)):
            refuse(path, "is cut off: its header has no end")
        where = f"{path}, line {number}"
        if not words or words[0] in ("ply", "obj_info"):
            continue
        if words[0] == "comment":
            header.comments.append(" ".join(words[1:]))
        elif words[0] == "format":
            order = _FORMS.get(words[1]) if len(words) > 1 else None
            if order is None:
                raise UnreadableFile(f"names an unknown format: {' '.join(words[1:])[:40]}", where, "Export it again")
        elif words[0] == "element":
            header.elements.append(_element(words, where))
        elif words[0] == "property":
            if not header.elements or len(header.elements[-1].properties) >= _MOST_PROPERTIES:
                raise UnreadableFile("has a property without an element, or too many", where, "Export it again")
            header.elements[-1].properties.append(_property(words, where))
        elif words[0] == "end_header":
            break
        else:
            raise UnreadableFile(f"has an unknown header line: {words[0][:40]}", where, "Export it again")
    if order is None:
        refuse(path, "does not say in its header whether it is text or binary")
    header.order, header.body = order, at
    return header


def _next_line(head: bytes, at: int) -> tuple[bytes, int]:
    """The line at a byte and the start of the next; len + 1 where there is no line end."""
    ends = [end for end in (head.find(b"\n", at), head.find(b"\r", at)) if end >= 0]
    if not ends:
        return head[at:], len(head) + 1
    end = min(ends)
    return head[at:end], end + (2 if head[end : end + 2] == b"\r\n" else 1)


def _element(words: list[str], where: str) -> Element:
    if len(words) != 3 or not words[2].isascii() or not words[2].isdigit() or len(words[2]) > 18:
        raise UnreadableFile("has an element without a number of rows", where, "Export it again")
    return Element(words[1], int(words[2]))


def _property(words: list[str], where: str) -> Property:
    is_list = len(words) == 5 and words[1] == "list"
    kinds = [_TYPES.get(word) for word in (words[2:4] if is_list else words[1:2])]
    if len(words) != (5 if is_list else 3) or None in kinds or (is_list and str(kinds[0]).startswith("f")):
        raise UnreadableFile(f"has a property that cannot be read: {' '.join(words)[:60]}", where, "Export it again")
    return Property(words[-1], str(kinds[-1]), str(kinds[0]) if is_list else None)


def read_rows(path: Path, data: mmap.mmap, header: Header, element: Element, at: int) -> tuple[Columns, int]:
    """An element's columns by name, from the byte at which its rows begin; and the byte after them.

    Scalars: (rows,) arrays; lists: `Lists`. Nothing is allocated before the file is known to be long enough.
    Raises UnreadableFile where the file is cut off or a row is broken.
    """
    if not element.count or not element.properties:
        return {}, at
    if not header.order:
        return _text_rows(path, data, element, at)
    least = sum(np.dtype(item.count_kind or item.kind).itemsize for item in element.properties)
    if element.count * least > len(data) - at:
        _refuse_short(path, element, (len(data) - at) // least)
    if not any(item.count_kind for item in element.properties):
        fields = [(f"f{k}", header.order + item.kind) for k, item in enumerate(element.properties)]
        table = np.frombuffer(data, fields, element.count, at)
        columns: Columns = {item.name: table[f"f{k}"] for k, item in enumerate(element.properties)}
        return columns, at + table.nbytes
    _check_places(path, element)
    return _even_rows(data, header, element, at) or _uneven_rows(path, data, header, element, at)


def _refuse_short(path: Path, element: Element, held: int) -> None:
    what = f"is cut off or damaged: its header promises {element.count:,} rows of {element.name}, it holds {held:,}"
    refuse(path, what)


def _check_places(path: Path, element: Element) -> None:
    if element.count * len(element.properties) > _MOST_PLACES:
        raise LimitExceeded(f"has {element.count:,} rows of {element.name}", path, "Reduce the mesh elsewhere first")


def _even_rows(data: mmap.mmap, header: Header, element: Element, at: int) -> tuple[Columns, int] | None:
    """Rows whose lists are all as long as in the first row, as in a file of triangles; None for others."""
    fields: list[tuple] = []
    offset = at
    for k, item in enumerate(element.properties):
        kind = np.dtype(header.order + item.kind)
        if item.count_kind is None:
            fields.append((f"f{k}", kind))
            offset += kind.itemsize
            continue
        count_kind = np.dtype(header.order + item.count_kind)
        if offset + count_kind.itemsize > len(data):
            return None
        count = int(np.frombuffer(data, count_kind, 1, offset)[0])
        offset += count_kind.itemsize + count * kind.itemsize
        if count < 0 or offset > len(data):
            return None
        fields += [(f"c{k}", count_kind), (f"f{k}", kind, (count,))]
    if (offset - at) * element.count > len(data) - at:
        return None
    table = np.frombuffer(data, fields, element.count, at)
    columns: Columns = {}
    for k, item in enumerate(element.properties):
        if item.count_kind is None:
            columns[item.name] = table[f"f{k}"]
            continue
        if not (table[f"c{k}"] == table[f"c{k}"][0]).all():
            return None
        columns[item.name] = Lists(table[f"c{k}"].astype(np.int64), table[f"f{k}"].reshape(-1))
    return columns, at + table.nbytes


def _uneven_rows(path: Path, data: mmap.mmap, header: Header, element: Element, at: int) -> tuple[Columns, int]:
    raw = np.frombuffer(data, np.uint8)
    item_bytes = np.array([np.dtype(item.kind).itemsize for item in element.properties], np.int64)
    count_bytes = np.array(
        [np.dtype(item.count_kind).itemsize if item.count_kind else 0 for item in element.properties], np.int64
    )
    signed = np.array([str(item.count_kind).startswith("i") for item in element.properties])
    starts = np.empty((element.count, len(item_bytes)), np.int64)
    counts = np.empty_like(starts)
    rows, end = _scan_rows(raw, at, item_bytes, count_bytes, signed, header.order == ">", starts, counts)
    if rows < element.count:
        _refuse_short(path, element, rows)
    columns: Columns = {}
    for k, item in enumerate(element.properties):
        total = int(counts[:, k].sum()) * int(item_bytes[k])
        packed = _gather(raw, starts[:, k], counts[:, k] * item_bytes[k], np.empty(total, np.uint8))
        values = packed.view(header.order + item.kind)
        columns[item.name] = Lists(counts[:, k].copy(), values) if item.count_kind else values
    return columns, end


@kernel
def _scan_rows(data, at, item_bytes, count_bytes, signed, big_endian, starts, counts):
    """Find where each property of each row lies. Returns the rows that fit into the file and the byte after them."""
    end = len(data)
    for row in range(len(starts)):
        for k in range(len(item_bytes)):
            count = np.int64(1)
            size = count_bytes[k]
            if size:
                if at + size > end:
                    return row, at
                count = np.int64(0)
                for b in range(size):
                    byte = np.int64(data[at + b if big_endian else at + size - 1 - b])
                    count = (count << 8) | byte
                if signed[k] and size < 8 and count >> (8 * size - 1):
                    return row, at
                at += size
            if count < 0 or count > end or at + count * item_bytes[k] > end:
                return row, at
            starts[row, k] = at
            counts[row, k] = count
            at += count * item_bytes[k]
    return len(starts), at


@kernel
def _gather(data, starts, lengths, out):
    written = 0
    for row in range(len(starts)):
        for b in range(lengths[row]):
            out[written] = data[starts[row] + b]
            written += 1
    return out


def _text_rows(path: Path, data: mmap.mmap, element: Element, at: int) -> tuple[Columns, int]:
    raw = np.frombuffer(data, np.uint8)
    is_list = np.array([item.count_kind is not None for item in element.properties])
    if element.count * len(is_list) * 2 > len(data) - at + 1:  # a digit and a blank for each
        _refuse_short(path, element, (len(data) - at) // (2 * len(is_list)))
    _check_places(path, element)
    rows, total, stop = _measure_text(raw, at, element.count, is_list)
    if rows < element.count:
        if stop >= len(data):
            _refuse_short(path, element, rows)
        where = f"{path}, line {line_number(data, stop)}"
        raise UnreadableFile(f"has a {element.name} row with something that is not a number", where, "Export it again")
    if total > 2 * _MOST_PLACES:
        raise LimitExceeded(f"has {total:,} numbers in its rows of {element.name}", path, "Reduce the mesh first")
    values = np.empty(total, np.float64)
    counts = np.ones((element.count, len(is_list)), np.int64)
    end = _fill_text(raw, at, is_list, counts, values)
    if not is_list.any():
        table = values.reshape(element.count, -1)
        return {item.name: table[:, k] for k, item in enumerate(element.properties)}, end
    starts = np.cumsum(counts.ravel()).reshape(counts.shape) - counts
    columns: Columns = {}
    for k, item in enumerate(element.properties):
        if item.count_kind is None:
            columns[item.name] = values[starts[:, k]]
        elif len(is_list) == 1:
            columns[item.name] = Lists(counts[:, 0], values)
        else:
            part = np.empty(int(counts[:, k].sum()), np.float64)
            columns[item.name] = Lists(counts[:, k].copy(), _gather(values, starts[:, k], counts[:, k], part))
    return columns, end


@kernel
def _measure_text(data, i, rows, is_list):
    """Rows that can be read, the number of their values, and the byte at which reading stopped."""
    end = len(data)
    total = np.int64(0)
    for row in range(rows):
        for k in range(len(is_list)):
            count = np.int64(1)
            if is_list[k]:
                i = skip_gaps(data, i, end)
                value, after = read_real(data, i, end)
                if after == i or not 0 <= value <= end:
                    return row, total, i
                count, i = np.int64(value), after
            for _ in range(count):
                i = skip_gaps(data, i, end)
                _, after = read_real(data, i, end)
                if after == i:
                    return row, total, i
                i = after
            total += count
    return rows, total, i


@kernel
def _fill_text(data, i, is_list, counts, values):
    end = len(data)
    written = 0
    for row in range(len(counts)):
        for k in range(len(is_list)):
            if is_list[k]:
                value, i = read_real(data, skip_gaps(data, i, end), end)
                counts[row, k] = np.int64(value)
            for _ in range(counts[row, k]):
                values[written], i = read_real(data, skip_gaps(data, i, end), end)
                written += 1
    return i
