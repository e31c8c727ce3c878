"""Damage to images that keeps their checksums right, so that it reaches the decoders; bombs; rubbish in EXIF."""

from __future__ import annotations

import re
import struct
import zlib
from functools import cache
from random import Random

from tests.fuzzing.blind import WHOLE_NUMBERS, damaged

_PNG = b"\x89PNG\r\n\x1a\n"
_KINDS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"PLTE", b"tRNS", b"acTL", b"fcTL", b"fdAT", b"gAMA", b"IDAT")
_JPEG_SIZES = re.compile(rb"\xff[\xc0-\xc2]..\x08(....)", re.DOTALL)
_JPEG_SEGMENTS = re.compile(rb"\xff[\xc4\xdb\xda\xdd\xe0-\xef](..)", re.DOTALL)
_SIDES = (0, 1, 2, 3, 255, 4096, 16_384, 30_000, 65_535)


def damaged_picture(content: bytes, rng: Random, other: bytes = b"") -> bytes:
    """A damaged copy of an image file of any kind."""
    if content.startswith(_PNG) and rng.random() < 0.7:
        return _damaged_png(content, rng)
    if content.startswith(b"\xff\xd8") and rng.random() < 0.7:
        return _damaged_jpeg(content, rng, other)
    return damaged(content, rng, other)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with a right checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@cache
def _bomb(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()


def _damaged_png(content: bytes, rng: Random) -> bytes:
    chunks, at = [], len(_PNG)
    while at + 12 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randrange(len(chunks)) if chunks else 0
        match rng.randrange(8):
            case 0 | 1 if chunks and len(chunks[0][1]) >= 13:
                header = bytearray(chunks[0][1])
                if rng.random() < 0.5:
                    struct.pack_into(">II", header, 0, rng.choice(_SIDES), rng.choice(_SIDES))
                else:
                    header[rng.randrange(8, 13)] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
                chunks[0] = chunks[0][0], bytes(header)
            case 2 if chunks:
                chunks.insert(place, rng.choice(chunks))
            case 3 if chunks:
                del chunks[place]
            case 4 if chunks:
                chunks[place] = chunks[place][0], damaged(chunks[place][1], rng)
            case 5:
                body = b"ICC\0\0" + _bomb(rng.choice((1, 70)) << 20) if rng.random() < 0.1 else rng.randbytes(60)
                chunks.insert(min(1, len(chunks)), (rng.choice(_KINDS), body))
            case 6 if chunks:
                chunks[place] = rng.choice(_KINDS), chunks[place][1]
            case _:
                rows = b"".join(body for kind, body in chunks if kind == b"IDAT")
                chunks = [(kind, body) for kind, body in chunks if kind != b"IDAT"]
                chunks.insert(max(0, len(chunks) - 1), (b"IDAT", _repacked(rows, rng)))
    return _PNG + b"".join(png_chunk(kind, body) for kind, body in chunks)


def _repacked(rows: bytes, rng: Random) -> bytes:
    if rng.random() < 0.05:
        return _bomb(64 << 20)
    try:
        plain = zlib.decompressobj().decompress(rows, 1 << 20)
    except zlib.error:
        return rows
    return zlib.compress(damaged(plain, rng), 1)


def _damaged_jpeg(content: bytes, rng: Random, other: bytes) -> bytes:
    data = bytearray(content)
    match rng.randrange(5):
        case 0:
            found = _JPEG_SIZES.search(content)
            if found:
                struct.pack_into(">HH", data, found.start(1), rng.choice(_SIDES), rng.choice(_SIDES))
        case 1:
            segments = list(_JPEG_SEGMENTS.finditer(content))
            if segments:
                struct.pack_into(">H", data, rng.choice(segments).start(1), rng.choice(WHOLE_NUMBERS) & 0xFFFF)
        case 2:
            body = b"Exif\0\0" + (damaged(_exif(content), rng) if rng.random() < 0.7 else _looping_exif(rng))
            data[2:2] = b"\xff\xe1" + struct.pack(">H", min(0xFFFF, len(body) + 2)) + body[:0xFFFD]
        case 3:
            start = rng.randrange(len(data))  # a scan that begins anew, over and over
            scan = content.find(b"\xff\xda")
            data[start:start] = content[scan : scan + 64] * rng.choice((1, 20, 400))
        case _:
            return damaged(content, rng, other)
    return bytes(data) if rng.random() < 0.8 else damaged(bytes(data), rng, other)


def _exif(content: bytes) -> bytes:
    at = content.find(b"Exif\0\0")
    plain = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    return content[at + 6 : at + 2000] if at >= 0 else plain


def _looping_exif(rng: Random) -> bytes:
    """Directories that point at themselves or each other, entries with huge counts."""
    entry = struct.pack("<HHII", rng.choice((0x0112, 0x8769, 0x8825, 0x014A, 0x927C)), rng.randrange(14), 0xFFFFFFFF, 8)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 40) + entry * 40 + struct.pack("<I", 8)
