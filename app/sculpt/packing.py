"""32-bit words to few bytes and back, exact to the bit; what steps of the history and arrays of a project file share.

    words (n, columns) uint32 -> each row minus the one before -> small numbers of either sign as small unsigned ones
      -> all lowest bytes of a column together, then the next ... -> zstd with a checksum

Neighbours in memory are neighbours in space, so rows differ little, also as the bits of floats. All kernels let other
threads run and use one thread themselves: they serve a background thread.
"""

from __future__ import annotations

import numpy as np
import zstandard

from app.mesh.jit import kernel

LEVEL = 1
_WORD = 4


class Damaged(ValueError):
    """Packed bytes are not what they should be; the text says how."""


def pack_words(words: np.ndarray, level: int = LEVEL) -> bytes:
    """Pack (n, columns) of any 4-byte type, C-contiguous."""
    return squeeze(_planes(words.view(np.uint32)), level)


def unpack_words(packed: bytes, rows: int, columns: int) -> np.ndarray:
    """(rows, columns) uint32 of `pack_words`. Raises Damaged; never needs more memory than that result twice."""
    planes = np.frombuffer(unsqueeze(packed, rows * columns * _WORD), np.uint8)
    return _words(planes, rows, columns)


def squeeze(plain: np.ndarray, level: int = LEVEL) -> bytes:
    """Compress an array's bytes; their number and a checksum are in the result."""
    compressor = zstandard.ZstdCompressor(level=level, write_checksum=True, write_content_size=True)
    return compressor.compress(plain.data)


def unsqueeze(packed: bytes, size: int) -> bytes:
    """Decompress what must have exactly `size` bytes. Raises Damaged, before anything is allocated if it has not."""
    try:
        parameters = zstandard.get_frame_parameters(packed)
        if parameters.content_size != size or not parameters.has_checksum:
            raise Damaged(f"{parameters.content_size} bytes instead of {size}")
        plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Damaged(str(error)) from error
    if len(plain) != size:
        raise Damaged(f"{len(plain)} bytes instead of {size}")
    return plain


@kernel
def _planes(words):
    rows, columns = words.shape
    out = np.empty(4 * rows * columns, np.uint8)
    for k in range(columns):
        place = 4 * k * rows
        before = np.uint32(0)
        for i in range(rows):
            word = words[i, k]
            step = np.uint32(word - before)
            before = word
            small = np.uint32(step << np.uint32(1)) ^ np.uint32(np.uint32(0) - (step >> np.uint32(31)))
            out[place + i] = small & np.uint32(0xFF)
            out[place + rows + i] = (small >> np.uint32(8)) & np.uint32(0xFF)
            out[place + 2 * rows + i] = (small >> np.uint32(16)) & np.uint32(0xFF)
            out[place + 3 * rows + i] = small >> np.uint32(24)
    return out


@kernel
def _words(planes, rows, columns):
    out = np.empty((rows, columns), np.uint32)
    for k in range(columns):
        place = 4 * k * rows
        word = np.uint32(0)
        for i in range(rows):
            small = np.uint32(planes[place + i])
            small |= np.uint32(planes[place + rows + i]) << np.uint32(8)
            small |= np.uint32(planes[place + 2 * rows + i]) << np.uint32(16)
            small |= np.uint32(planes[place + 3 * rows + i]) << np.uint32(24)
            step = np.uint32(small >> np.uint32(1)) ^ np.uint32(np.uint32(0) - (small & np.uint32(1)))
            word = np.uint32(word + step)
            out[i, k] = word
    return out
