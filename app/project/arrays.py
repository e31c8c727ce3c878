"""Arrays of a mesh to blobs and back. Sizes are checked before anything is allocated."""

from __future__ import annotations

import numpy as np

from app.sculpt.packing import Damaged, pack_words, squeeze, unpack_words, unsqueeze

# What a project file holds; anything else in one is refused.
DTYPES = ("float32", "int32", "int16", "uint8")
_WORD = 4


def encode(array: np.ndarray) -> bytes:
    """Pack an array of one of DTYPES with one or two dimensions."""
    array = np.ascontiguousarray(array)
    if array.dtype.itemsize == _WORD:
        return pack_words(array.reshape(len(array), -1))
    return squeeze(array.reshape(-1).view(np.uint8))


def decode(data: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """A new array, C-contiguous and writable. Raises Damaged where the bytes do not give exactly that array."""
    if dtype not in DTYPES or not 1 <= len(shape) <= 2 or min(shape) < 0:
        raise Damaged(f"an array of {dtype} {shape}")
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if np.dtype(dtype).itemsize == _WORD and size:
        columns = shape[1] if len(shape) == 2 else 1
        return unpack_words(data, shape[0], columns).view(dtype).reshape(shape)
    return np.frombuffer(bytearray(unsqueeze(data, size)), dtype).reshape(shape)
