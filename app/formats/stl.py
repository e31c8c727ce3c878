"""STL, binary and text, and the two dialects that hide 15-bit colours in the binary one's spare bytes.

Layout: https://www.fabbers.com/tech/STL_Format; colours as VisCAM and SolidView write them (valid bit set, blue lowest)
and as Materialise Magics does (a colour for all in the header, valid bit clear, red lowest).
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import numpy as np

from app.errors import UnreadableFile
from app.formats.numerals import HASH, is_blank, is_line_end, line_number, read_real, skip_blanks, skip_line, skip_word
from app.formats.polygons import triangulate
from app.formats.reading import check_counts, finished, mapped, refuse
from app.formats.registry import Format, Limits, Progress, WriteOptions, register
from app.formats.writing import mark, placed_positions, read_mark, writing
from app.mesh.jit import kernel
from app.mesh.soup import Soup

_HEADER_BYTES = 80
_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_TEXT_START = re.compile(rb"(\s|#[^\r\n]*[\r\n])*solid", re.IGNORECASE)
_TEXT_WORDS = re.compile(rb"\b(facet|endsolid)\b", re.IGNORECASE)
_MAGICS_COLOR = re.compile(rb"COLOR=(.{4})", re.DOTALL)
_VALID_COLOR = 0x8000
_CHANNEL = 0x1F
_FEWEST_BYTES_PER_VERTEX = 12  # "vertex 0 0 0"
_ENDED, _NO_NUMBER, _CUT_OFF, _TOO_MANY = 0, 1, 2, 3


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read an STL file. Colours, where there are any, are per triangle; vertices are unshared."""
    data = mapped(path, limits)
    progress(0.0, "Reading triangles")
    soup = _read_text(path, data, limits) if _is_text(data) else _read_binary(path, data, limits)
    return finished(soup, path, limits)


def _is_text(data: mmap.mmap) -> bool:
    if len(data) >= _HEADER_BYTES + 4:
        count = int.from_bytes(data[_HEADER_BYTES : _HEADER_BYTES + 4], "little")
        if _HEADER_BYTES + 4 + count * _RECORD.itemsize == len(data):
            return False  # many programs begin a binary header with "solid"
    head = data[:4096]
    return _TEXT_START.match(head) is not None and b"\0" not in head


def _read_binary(path: Path, data: mmap.mmap, limits: Limits) -> Soup:
    start = _HEADER_BYTES + 4
    if len(data) < start:
        refuse(path, "is no STL file: too short for a header")
    count = int.from_bytes(data[_HEADER_BYTES:start], "little")
    held = (len(data) - start) // _RECORD.itemsize
    if count > held:
        refuse(path, f"is cut off or no STL file: its header promises {count:,} triangles, it holds {held:,}")
    check_counts(path, limits, 3 * count, count)
    records = np.frombuffer(data, _RECORD, count, start)
    notes = []
    if len(data) - start - count * _RECORD.itemsize:
        notes.append("Bytes after the last triangle were ignored.")
    known = read_mark(data[:_HEADER_BYTES])
    return Soup(
        records["corners"].reshape(-1, 3).copy(),
        np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
        colors=_facet_colors(data[:_HEADER_BYTES], records["attribute"]),
        up=known[0] if known else "z",
        unit_mm=known[1] if known else None,
        notes=notes,
    )


def _facet_colors(header: bytes, attribute: np.ndarray) -> np.ndarray | None:
    """(3 T, 3) float32 or None."""
    magics = _MAGICS_COLOR.search(header)
    valid = (attribute & _VALID_COLOR) != 0
    if magics is None and not valid.any():
        return None
    channels = [(attribute >> shift & _CHANNEL).astype(np.float32) / _CHANNEL for shift in (0, 5, 10)]
    if magics is None:
        colors, own, default = np.stack(channels[::-1], axis=1), valid, (1.0, 1.0, 1.0)
    else:
        # Programs that only fill in the header leave every attribute at 0, which would be black.
        own = ~valid if attribute.any() else np.zeros(len(attribute), bool)
        red, green, blue = (value / 255.0 for value in magics[1][:3])
        colors, default = np.stack(channels, axis=1), (red, green, blue)
    colors[~own] = default
    return np.repeat(colors, 3, axis=0)


def _read_text(path: Path, data: mmap.mmap, limits: Limits) -> Soup:
    most = min(len(data) // _FEWEST_BYTES_PER_VERTEX + 1, 3 * limits.triangles)
    corners = np.empty((most, 3), np.float32)
    starts = np.zeros(most + 1, np.int32)
    outcome, found, loops, at = _text_facets(np.frombuffer(data, np.uint8), corners, starts)
    if outcome == _TOO_MANY:
        check_counts(path, limits, found + 1, found // 3 + 1)
    if outcome == _NO_NUMBER:
        raise UnreadableFile(
            "has a vertex without three numbers", f"{path}, line {line_number(data, at)}", "Export it again"
        )
    if outcome == _CUT_OFF:
        refuse(path, "is cut off: it ends in the middle of a facet")
    corners, starts = corners[:found].copy(), starts[: loops + 1]
    vertices = np.arange(found, dtype=np.int32)
    triangles, _, notes = triangulate(corners, vertices, starts)
    odd = int((np.diff(starts) < 3).sum())
    if odd:
        notes.append(f"{odd:,} facets with fewer than three corners were left out.")
    return Soup(corners, triangles, notes=notes)


@kernel
def _same_word(data, start, stop, word):
    if stop - start != len(word):
        return False
    for k in range(len(word)):  # noqa: SIM110
        if (data[start + k] | 0x20) != word[k]:
            return False
    return True


_VERTEX, _SOLID, _ENDSOLID, _ENDLOOP, _ENDFACET = (
    np.frombuffer(word, np.uint8) for word in (b"vertex", b"solid", b"endsolid", b"endloop", b"endfacet")
)


@kernel
def _text_facets(data, corners, starts):
    """Fill corners and the start of each facet. Returns outcome, corners found, facets found, byte of an error."""
    i, end = 0, len(data)
    found, loops = 0, 0
    while i < end:
        if is_blank(data[i]) or is_line_end(data[i]):
            i += 1
            continue
        if data[i] == HASH:
            i = skip_line(data, i, end)
            continue
        stop = skip_word(data, i, end)
        if _same_word(data, i, stop, _VERTEX):
            if found == len(corners):
                return _TOO_MANY, found, loops, i
            at = stop
            for k in range(3):
                at = skip_blanks(data, at, end)
                value, after = read_real(data, at, end)
                if after == at:
                    return (_CUT_OFF if at >= end else _NO_NUMBER), found, loops, i
                corners[found, k] = value
                at = after
            found += 1
            i = at
        elif _same_word(data, i, stop, _ENDLOOP) or _same_word(data, i, stop, _ENDFACET):
            if found > starts[loops]:
                loops += 1
                starts[loops] = found
            i = stop
        elif _same_word(data, i, stop, _SOLID) or _same_word(data, i, stop, _ENDSOLID):
            i = skip_line(data, stop, end)  # a name may be any words
        else:
            i = stop
    return (_CUT_OFF if found > starts[loops] else _ENDED), found, loops, i


def write(soup: Soup, path: Path, options: WriteOptions, progress: Progress) -> None:
    """Write binary STL. Raises WriteFailed."""
    progress(0.0, "Writing triangles")
    corners = placed_positions(soup, options)[soup.triangles]
    records = np.zeros(len(corners), _RECORD)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    records["normal"] = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
    records["corners"] = corners
    header = mark(options).encode("ascii").ljust(_HEADER_BYTES, b" ")
    with writing(path), path.open("wb") as stream:
        stream.write(header + np.uint32(len(records)).tobytes())
        records.tofile(stream)
    progress(1.0, "Written")


def _sniff(head: bytes) -> bool:
    return _TEXT_START.match(head) is not None and b"\0" not in head and _TEXT_WORDS.search(head) is not None


register(Format("stl", "STL", (".stl",), read, write, _sniff))
