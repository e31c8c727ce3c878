"""OFF, text and binary: meshes of research code and Geomview, with colours per vertex or face (COFF, NOFF, STOFF).

Format: http://www.geomview.org/docs/html/OFF.html
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.errors import UnreadableFile
from app.formats.numerals import (
    HASH,
    is_line_end,
    line_number,
    read_real,
    read_whole,
    skip_blanks,
    skip_gaps,
    skip_line,
    skip_word,
)
from app.formats.points import refuse_points
from app.formats.polygons import triangulate
from app.formats.reading import check_counts, colors_0_to_1, finished, mapped, refuse, to_float32
from app.formats.registry import Format, Limits, Progress, register
from app.formats.writing import read_mark
from app.mesh.jit import kernel
from app.mesh.soup import Soup

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])*"
_KEYWORD = re.compile(_GAP + rb"(ST)?(C)?(N)?(4)?(n)?OFF(?:[ \t]+(BINARY)[ \t]*\r?\n|\b)")
_COUNTS = re.compile(_GAP + rb"(\d{1,12})" + _GAP + rb"(\d{1,12})" + _GAP + rb"(\d{1,12})?")
_HEAD_BYTES = 1 << 16
_AXES, _NORMAL, _COLOR, _PAIR = 3, 3, 4, 2
_FEWEST_BYTES = 2  # of a number and what follows it
_FINE, _BAD_VERTEX, _BAD_FACE, _CUT_OFF = range(4)
_WHAT = {
    _BAD_VERTEX: "has a vertex with a number missing",
    _BAD_FACE: "has a face that cannot be read, or names a vertex that does not exist",
    _CUT_OFF: "is cut off",
}


@dataclass(frozen=True)
class _Layout:
    """Which columns a vertex has. width: of all columns."""

    homogeneous: bool
    color: int | None
    pair: int | None
    width: int


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read an OFF file. Colours per face, where there are none per vertex, give unshared vertices."""
    data = mapped(path, limits)
    keyword = _KEYWORD.match(data[:_HEAD_BYTES])
    if keyword is None:
        refuse(path, "is no OFF file")
    has_uv, has_colors, has_normals, homogeneous, any_dimension, binary = (
        group is not None for group in keyword.groups()
    )
    if any_dimension:
        refuse(path, "has points in another number of dimensions than three", "Export it with three")
    width = _AXES + homogeneous + _NORMAL * has_normals + _COLOR * has_colors + _PAIR * has_uv
    color = _AXES + homogeneous + _NORMAL * has_normals if has_colors else None
    layout = _Layout(homogeneous, color, width - _PAIR if has_uv else None, width)
    progress(0.0, "Reading vertices and faces")
    reader = _binary if binary else _text
    soup = reader(path, data, keyword.end(), layout, limits)
    known = read_mark(data[:_HEAD_BYTES])
    if known:
        soup.up, soup.unit_mm = known
    return finished(soup, path, limits)


def _text(path: Path, data: mmap.mmap, at: int, layout: _Layout, limits: Limits) -> Soup:
    counts = _COUNTS.match(data[at : at + _HEAD_BYTES])
    if counts is None:
        refuse(path, "does not say how many vertices and faces it has")
    vertices, faces = int(counts[1]), int(counts[2])
    _check(path, limits, vertices, faces, (len(data) - at) // _FEWEST_BYTES, layout)
    raw, at = np.frombuffer(data, np.uint8), at + counts.end()
    if layout.color is not None and int(_words_in_line(raw, at)) == layout.width - 1:  # colours without opacity
        pair = None if layout.pair is None else layout.pair - 1
        layout = _Layout(layout.homogeneous, layout.color, pair, layout.width - 1)
    rows = np.empty((vertices, layout.width), np.float64)
    outcome, stop = _read_vertices(raw, at, rows)
    starts, colors = np.zeros(faces + 1, np.int64), np.full((faces, 3), np.nan)
    corners, after = np.empty(0, np.int32), stop
    if outcome == _FINE:  # twice: the first time only counts the corners
        outcome, stop = _read_faces(raw, after, vertices, starts, corners, colors)
    if outcome == _FINE:
        check_counts(path, limits, 0, max(0, int(starts[-1]) - 2 * faces))
        corners = np.empty(int(starts[-1]), np.int32)
        outcome, stop = _read_faces(raw, after, vertices, starts, corners, colors)
    if outcome != _FINE:
        where = f"{path}, line {line_number(data, int(stop))}"
        raise UnreadableFile(_WHAT[outcome], where, "The file is damaged; export it again")
    return _soup(rows, layout, starts, corners, colors)


def _binary(path: Path, data: mmap.mmap, at: int, layout: _Layout, limits: Limits) -> Soup:
    words = np.frombuffer(data, ">i4", (len(data) - at) // 4, at).astype(np.int32)
    if len(words) < 3:
        refuse(path, "is cut off")
    vertices, faces = int(words[0]), int(words[1])
    if min(vertices, faces) < 0:
        refuse(path, "says that it has less than no vertices or faces")
    _check(path, limits, vertices, faces, len(words) - 3, layout)
    body = words[3 + vertices * layout.width :]
    rows = words[3 : 3 + vertices * layout.width].view(np.float32).reshape(vertices, layout.width).astype(np.float64)
    starts, colors = np.zeros(faces + 1, np.int64), np.full((faces, 3), np.nan)
    corners = np.empty(len(body), np.int32)
    outcome = _binary_faces(body, body.view(np.float32), vertices, starts, corners, colors)
    if outcome != _FINE:
        refuse(path, _WHAT[outcome])
    check_counts(path, limits, 0, max(0, int(starts[-1]) - 2 * faces))
    return _soup(rows, layout, starts, corners[: int(starts[-1])], colors)


def _check(path: Path, limits: Limits, vertices: int, faces: int, numbers: int, layout: _Layout) -> None:
    check_counts(path, limits, vertices, faces)
    if vertices * layout.width + faces > numbers:
        refuse(path, f"is cut off: its header promises {vertices:,} vertices and {faces:,} faces")
    if vertices and not faces:
        refuse_points(path, vertices)


def _soup(rows: np.ndarray, layout: _Layout, starts: np.ndarray, corners: np.ndarray, colors: np.ndarray) -> Soup:
    with np.errstate(all="ignore"):
        points = rows[:, :3] / rows[:, 3:4] if layout.homogeneous else rows[:, :3]
    positions = to_float32(points)
    chosen, polygon, notes = triangulate(positions, corners, starts)
    soup = Soup(positions, corners[chosen], notes=notes)
    odd = int((np.diff(starts) < 3).sum())
    if odd:
        soup.notes.append(f"{odd:,} faces with fewer than three corners were left out.")
    if layout.pair is not None:
        soup.uv, soup.corner_uv = to_float32(rows[:, layout.pair : layout.pair + _PAIR]), soup.triangles
    if layout.color is not None:
        soup.colors = colors_0_to_1(rows[:, layout.color : layout.color + 3])
    elif not np.isnan(colors).all():
        soup.positions = positions[soup.triangles.ravel()]
        soup.triangles = np.arange(len(soup.positions), dtype=np.int32).reshape(-1, 3)
        soup.colors = np.repeat(colors_0_to_1(colors)[polygon], 3, axis=0)
    return soup


@kernel
def _next(data, i):
    """Index of the next word: past blanks, line ends and comments."""
    end = len(data)
    i = skip_gaps(data, i, end)
    while i < end and data[i] == HASH:
        i = skip_gaps(data, skip_line(data, i, end), end)
    return i


@kernel
def _words_in_line(data, i):
    end, found = len(data), 0
    i = _next(data, i)
    while i < end and not is_line_end(data[i]) and data[i] != HASH:
        found += 1
        i = skip_blanks(data, skip_word(data, i, end), end)
    return found


@kernel
def _read_vertices(data, i, rows):
    end = len(data)
    for v in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            i = _next(data, i)
            rows[v, k], after = read_real(data, i, end)
            if after == i:
                return (_CUT_OFF if i >= end else _BAD_VERTEX), i
            i = after
    return _FINE, i


@kernel
def _read_faces(data, i, vertices, starts, corners, colors):
    """Corners are only counted while there is no room for them. A colour is what follows them in the line."""
    end, written = len(data), 0
    values = np.empty(4, np.float64)
    for f in range(len(starts) - 1):
        i = _next(data, i)
        count, after = read_whole(data, i, end)
        if after == i or count < 0 or count > end - i:
            return (_CUT_OFF if i >= end else _BAD_FACE), i
        i = after
        for _ in range(count):
            i = _next(data, i)
            vertex, after = read_whole(data, i, end)
            if after == i or vertex < 0 or vertex >= vertices:
                return (_CUT_OFF if i >= end else _BAD_FACE), i
            i = after
            if len(corners):
                corners[written] = vertex
            written += 1
        starts[f + 1] = written
        found = 0
        while found < 4:
            i = skip_blanks(data, i, end)
            values[found], after = read_real(data, i, end)
            if after == i:
                break
            i = after
            found += 1
        if found >= 3:
            colors[f, 0], colors[f, 1], colors[f, 2] = values[0], values[1], values[2]
        while i < end and not is_line_end(data[i]):
            i += 1
    return _FINE, i


@kernel
def _binary_faces(words, reals, vertices, starts, corners, colors):
    """Each face: how many corners, those, how many parts of a colour, those."""
    i, written = 0, 0
    for f in range(len(starts) - 1):
        if i >= len(words) or words[i] < 0 or words[i] > len(words) - i - 1:
            return _CUT_OFF
        count = words[i]
        for k in range(count):
            if words[i + 1 + k] < 0 or words[i + 1 + k] >= vertices:
                return _BAD_FACE
            corners[written] = words[i + 1 + k]
            written += 1
        i += 1 + count
        starts[f + 1] = written
        if i >= len(words) or words[i] < 0 or words[i] > len(words) - i - 1:
            return _CUT_OFF
        if words[i] >= 3:
            for k in range(3):
                colors[f, k] = reals[i + 1 + k]
        i += 1 + words[i]
    return _FINE


def _sniff(head: bytes) -> bool:
    return _KEYWORD.match(head) is not None


register(Format("off", "OFF", (".off",), read, sniff=_sniff))
