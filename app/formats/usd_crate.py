"""A look at the tables of a binary USD layer before USD's own reader, which allocates what they announce.

What lives here: whether the announced numbers fit the file. What does not: reading it. Layout: OpenUSD,
pxr/usd/sdf/crateFile.h
"""

from __future__ import annotations

import mmap
from pathlib import Path

from app.errors import LimitExceeded, UnreadableFile
from app.formats.registry import Limits

SIGNATURE = b"PXR-USDC"
_CONTENTS_AT = 16
_ENTRY_BYTES, _NAME_BYTES = 32, 16
_MOST_SECTIONS = 64
_STRING_BYTES = 4
# LZ4 packs at most 255 to 1, and whole numbers take at least two bits before that.
_PACKING, _NUMBERS_PER_BYTE = 255, 4
_AGAIN = "Download or export it again"


def check_crate(file: Path, data: mmap.mmap, limits: Limits) -> None:
    """Raise UnreadableFile or LimitExceeded for a binary layer whose tables cannot be as large as they say."""
    at = _number(data, _CONTENTS_AT)
    count = _number(data, at) if at + 8 <= len(data) else 0
    if not 0 < count <= _MOST_SECTIONS or at + 8 + count * _ENTRY_BYTES > len(data):
        raise UnreadableFile("is cut off or damaged: it has no table of contents", file, _AGAIN)
    for index in range(count):
        entry = at + 8 + index * _ENTRY_BYTES
        name = data[entry : entry + _NAME_BYTES].rstrip(b"\0")
        start, size = _number(data, entry + _NAME_BYTES), _number(data, entry + _NAME_BYTES + 8)
        if start + size > len(data):
            raise UnreadableFile("is cut off or damaged: a part of it lies beyond its end", file, _AGAIN)
        if size < 8:
            continue
        announced, most = _number(data, start), size * _PACKING * _NUMBERS_PER_BYTE
        if name == b"STRINGS":
            most = (size - 8) // _STRING_BYTES
        elif name == b"TOKENS" and size >= 16:
            announced = max(announced, _number(data, start + 8))
            most = min(size * _PACKING, limits.unpacked_bytes)
        if announced > most:
            what = f"announces {announced:,} entries in {size:,} bytes"
            raise LimitExceeded(what, file, "It is damaged or made to do harm; ask for another file")


def _number(data: mmap.mmap, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")
