"""Rows of numbers as text, made by kernels in blocks: what OBJ and VRML files mostly are."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from app.formats.numerals import NEWLINE, SPACE, put_fixed, put_whole
from app.formats.registry import WriteOptions
from app.mesh.jit import kernel

_BLOCK = 100_000
_NUMBER_BYTES = 26
_MM_DECIMALS, _MOST_DECIMALS = 6, 9
_SLASH = 47
COLOR_DECIMALS = 6
_COLOR_TRACE = 1e-6


def position_decimals(options: WriteOptions) -> int:
    """Decimals that keep a nanometre in the unit of the file."""
    return min(_MOST_DECIMALS, max(0, _MM_DECIMALS + math.ceil(math.log10(options.unit_mm))))


def color_values(colors: np.ndarray) -> np.ndarray:
    """(n, 3) float32 for text: a trace above each colour, since readers that make bytes of it cut decimals off."""
    return np.clip(colors + np.float32(_COLOR_TRACE), 0, 1).astype(np.float32)


def real_rows(values: np.ndarray, decimals: list[int], prefix: bytes = b"") -> Iterator[memoryview]:
    """One line for each row: a prefix, then each column with its decimals. values: (n, k) float. Yields blocks."""
    places = np.array(decimals, np.int64)
    start = np.frombuffer(prefix, np.uint8)
    for first in range(0, len(values), _BLOCK):
        block = np.ascontiguousarray(values[first : first + _BLOCK], np.float32)
        out = np.empty(len(block) * (len(decimals) * _NUMBER_BYTES + len(prefix) + 1), np.uint8)
        yield out[: _put_reals(block, places, start, out)].data


def index_rows(
    indices: np.ndarray, second: np.ndarray | None = None, *, first: int = 0, prefix: bytes = b"", suffix: bytes = b""
) -> Iterator[memoryview]:
    """One line for each row of (n, 3) indices, counted from `first`; a second array's follow after a slash."""
    start, end = np.frombuffer(prefix, np.uint8), np.frombuffer(suffix, np.uint8)
    none = np.empty((0, 3), np.int32)
    for begin in range(0, len(indices), _BLOCK):
        block = np.ascontiguousarray(indices[begin : begin + _BLOCK], np.int32)
        other = none if second is None else np.ascontiguousarray(second[begin : begin + _BLOCK], np.int32)
        out = np.empty(len(block) * (6 * _NUMBER_BYTES + len(prefix) + len(suffix) + 1), np.uint8)
        yield out[: _put_indices(block, other, first, start, end, out)].data


@kernel
def _put_bytes(word, out, i):
    for k in range(len(word)):
        out[i + k] = word[k]
    return i + len(word)


@kernel
def _put_reals(values, decimals, prefix, out):
    i = 0
    for row in range(len(values)):
        i = _put_bytes(prefix, out, i)
        for k in range(values.shape[1]):
            i = put_fixed(out, i, values[row, k], decimals[k])
            out[i] = SPACE
            i += 1
        out[i - 1] = NEWLINE
    return i


@kernel
def _put_indices(indices, second, first, prefix, suffix, out):
    i = 0
    for row in range(len(indices)):
        i = _put_bytes(prefix, out, i)
        for k in range(3):
            i = put_whole(out, i, np.int64(indices[row, k]) + first)
            if len(second):
                out[i] = _SLASH
                i = put_whole(out, i + 1, np.int64(second[row, k]) + first)
            out[i] = SPACE
            i += 1
        i = _put_bytes(suffix, out, i - 1)
        out[i] = NEWLINE
        i += 1
    return i
