"""The lines of an OBJ file as arrays: one pass that counts, one that reads. Kernels over the file's bytes.

What lives here: v, vt and f, and where the lines are that Python looks at (usemtl, mtllib, ZBrush colours).
"""

from __future__ import annotations

import numpy as np

from app.formats.numerals import (
    HASH,
    is_blank,
    is_line_end,
    read_real,
    read_whole,
    skip_blanks,
    skip_gaps,
    skip_line,
    skip_word,
)
from app.mesh.jit import kernel

_V, _T, _F, _SLASH = 118, 116, 102, 47
_MATERIAL, _LIBRARY, _ZBRUSH = (np.frombuffer(word, np.uint8) for word in (b"usemtl", b"mtllib", b"#MRGB"))
# Outcomes of `read_lines`.
FINE, BAD_VERTEX, BAD_COORDINATE, BAD_FACE, BAD_INDEX = range(5)


@kernel
def _starts_with(data, i, end, word):
    if i + len(word) >= end or not is_blank(data[i + len(word)]):
        return False
    for k in range(len(word)):  # noqa: SIM110
        if data[i + k] != word[k]:
            return False
    return True


@kernel
def _is_special(data, i, end):
    byte = data[i]
    if byte == _MATERIAL[0]:
        return _starts_with(data, i, end, _MATERIAL)
    if byte == _LIBRARY[0]:
        return _starts_with(data, i, end, _LIBRARY)
    return byte == HASH and _starts_with(data, i, end, _ZBRUSH)


@kernel
def count_lines(data, begin):
    """(5,) int64: vertices, texture coordinates, faces, corners of faces, lines for Python."""
    counts = np.zeros(5, np.int64)
    i, end = begin, len(data)
    while i < end:
        i = skip_gaps(data, i, end)
        if i + 1 >= end:
            break
        byte, following = data[i], data[i + 1]
        if byte == _V and is_blank(following):
            counts[0] += 1
        elif byte == _V and following == _T:
            counts[1] += 1
        elif byte == _F and is_blank(following):
            counts[2] += 1
            i = skip_blanks(data, i + 1, end)
            while i < end and not is_line_end(data[i]) and data[i] != HASH:
                counts[3] += 1
                i = skip_blanks(data, skip_word(data, i, end), end)
        elif _is_special(data, i, end):
            counts[4] += 1
        i = skip_line(data, i, end)
    return counts


@kernel
def _read_reals(data, i, end, values):
    """Read numbers to the end of the line or the first other word. Returns how many and the index after them."""
    found = 0
    while found < len(values):
        i = skip_blanks(data, i, end)
        value, after = read_real(data, i, end)
        if after == i:
            break
        values[found] = value
        found += 1
        i = after
    return found, i


@kernel
def _read_index(data, i, end, count):
    """A reference, from 1, or from -1 for the latest. Returns it from 0 (-1 where there is none) and the next byte."""
    value, after = read_whole(data, i, end)
    if after == i:
        return np.int64(-1), i
    if value < 0:
        value += count
    elif value > 0:
        value -= 1
    else:
        value = np.int64(-2)
    return (value if value >= 0 else np.int64(-2)), after


@kernel
def read_lines(data, begin, positions, colors, uv, starts, corner_vertex, corner_uv, special_at, special_face):
    """Fill the arrays that `count_lines` measured.

    positions, colors (N, 3) float32 (colours not a number where a vertex has none), uv (U, 2) float32, starts (P + 1,),
    corner_vertex and corner_uv (C,) int32 (-1 without one), special_at (S,) int64 byte of a line for Python and
    special_face (S,) the face that follows it. Returns an outcome, the byte of an error, and whether there are colours.
    """
    i, end = begin, len(data)
    vertices, coordinates, faces, corners, specials = 0, 0, 0, 0, 0
    values = np.empty(7, np.float64)
    colored = False
    while i < end:
        i = skip_gaps(data, i, end)
        if i + 1 >= end:
            break
        byte, following = data[i], data[i + 1]
        if byte == _V and is_blank(following):
            found, after = _read_reals(data, i + 1, end, values)
            if found < 3:
                return BAD_VERTEX, i, colored
            for k in range(3):
                positions[vertices, k] = values[k]
                colors[vertices, k] = values[3 + k] if found >= 6 else np.nan
            colored = colored or found >= 6
            vertices += 1
            i = after
        elif byte == _V and following == _T:
            found, after = _read_reals(data, i + 2, end, values)
            if not found:
                return BAD_COORDINATE, i, colored
            uv[coordinates, 0] = values[0]
            uv[coordinates, 1] = values[1] if found > 1 else 0.0
            coordinates += 1
            i = after
        elif byte == _F and is_blank(following):
            line = i
            i = skip_blanks(data, i + 1, end)
            while i < end and not is_line_end(data[i]) and data[i] != HASH:
                index, after = _read_index(data, i, end, vertices)
                if after == i or index < 0:
                    return (BAD_FACE if after == i else BAD_INDEX), line, colored
                corner_vertex[corners] = min(index, np.int64(2**31 - 1))
                corner_uv[corners] = -1
                i = after
                if i < end and data[i] == _SLASH:
                    index, i = _read_index(data, i + 1, end, coordinates)
                    corner_uv[corners] = min(max(index, -1), np.int64(2**31 - 1))
                corners += 1
                i = skip_blanks(data, skip_word(data, i, end), end)
            faces += 1
            starts[faces] = corners
        elif _is_special(data, i, end):
            special_at[specials] = i
            special_face[specials] = faces
            specials += 1
        i = skip_line(data, i, end)
    return FINE, 0, colored
