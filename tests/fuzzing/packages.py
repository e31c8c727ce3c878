"""Damage to files that hold others: GLB, zip archives (3MF, USDZ, zipped OBJ)."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from random import Random

from tests.fuzzing.blind import WHOLE_NUMBERS, damaged
from tests.fuzzing.case import escapes
from tests.fuzzing.texts import damaged_json

Inner = Callable[[str, bytes, Random], bytes]
_ESCAPES = escapes()
_MOST_UNPACKED = 8 << 20
# Where numbers stand behind the signatures of a zip file, and their sizes: (offset, bytes). PKWARE's APPNOTE, 4.3.
_FIELDS = {
    b"PK\x03\x04": ((4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)),
    b"PK\x01\x02": ((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (38, 4), (42, 4)),
    b"PK\x05\x06": ((4, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)),
}


def damaged_glb(content: bytes, rng: Random, other: bytes = b"") -> bytes:
    """The JSON or the binary chunk damaged, and now and then the sizes of both."""
    chunks = _glb_chunks(content)
    if not chunks:
        return damaged(content, rng, other)
    at = 0 if rng.random() < 0.75 else rng.randrange(len(chunks))
    kind, body = chunks[at]
    chunks[at] = kind, damaged_json(body, rng) if kind == b"JSON" else damaged(body, rng, other)
    if rng.random() < 0.05:
        chunks.insert(rng.randrange(len(chunks) + 1), rng.choice(chunks))
    packed = b""
    for kind, body in chunks:
        body += b" " * (-len(body) % 4)
        size = rng.choice(WHOLE_NUMBERS) & 0xFFFFFFFF if rng.random() < 0.02 else len(body)
        packed += struct.pack("<I4s", size, kind) + body
    size = rng.choice(WHOLE_NUMBERS) & 0xFFFFFFFF if rng.random() < 0.02 else 12 + len(packed)
    return struct.pack("<4sII", b"glTF", 2, size) + packed


def _glb_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 12
    while content[:4] == b"glTF" and at + 8 <= len(content):
        size, kind = struct.unpack_from("<I4s", content, at)
        found.append((kind, content[at + 8 : at + 8 + size]))
        at += 8 + size
    return found


def damaged_zip(content: bytes, rng: Random, inner: Inner) -> bytes:
    """One part damaged by its kind, or the archive itself: names, links, doubles, sizes that are not true, bombs."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            infos = [info for info in package.infolist() if info.file_size < _MOST_UNPACKED]
            parts = [(info.filename, package.read(info)) for info in infos]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError, zlib.error, EOFError):
        return damaged(content, rng)
    if not parts:
        return damaged(content, rng)
    if rng.random() < 0.7:
        # The model is worth more attention than the list of content types.
        at = max(range(len(parts)), key=lambda k: len(parts[k][1])) if rng.random() < 0.6 else rng.randrange(len(parts))
        name, body = parts[at]
        parts[at] = name, inner(name, body, rng)
        return _packed(parts, rng)
    match rng.randrange(8):
        case 0:
            return _packed([*parts, (_hostile_name(rng), rng.choice(parts)[1])], rng)
        case 1:
            at = rng.randrange(len(parts))
            parts[at] = _hostile_name(rng), parts[at][1]
            return _packed(parts, rng)
        case 2:
            parts.append(rng.choice(parts))
            rng.shuffle(parts)
            return _packed(parts, rng)
        case 3:
            del parts[rng.randrange(len(parts))]
            return _packed(parts, rng)
        case 4:
            return _packed(parts, rng, link=rng.randrange(len(parts)))
        case 5 if rng.random() < 0.1:
            return _with_bomb(parts, rng)
        case 6:
            parts = [(re.sub(r"[a-z]", lambda letter: letter.group().upper(), name), body) for name, body in parts]
            return _packed(parts, rng)
        case _:
            return _with_lies(_packed(parts, rng), rng)


def _hostile_name(rng: Random) -> str:
    name = rng.choice(_ESCAPES).decode("utf-8", "replace").replace("\0", "") or "x"
    return name + rng.choice(("", ".obj", ".model", "/", ".png"))


def _packed(parts: list[tuple[str, bytes]], rng: Random, link: int = -1) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for number, (name, body) in enumerate(parts):
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED if rng.random() < 0.9 else zipfile.ZIP_STORED
            if number == link:
                info.external_attr, info.create_system = (stat.S_IFLNK | 0o777) << 16, 3
                body = rng.choice(_ESCAPES)
            # Doubled names are the point; zipfile warns of them.
            package.NameToInfo.clear()
            package.writestr(info, body)
    return buffer.getvalue()


def _with_lies(packed: bytes, rng: Random) -> bytes:
    """One to three numbers of the archive's own headers replaced."""
    data = bytearray(packed)
    for _ in range(rng.choice((1, 1, 2, 3))):
        signature = rng.choice(list(_FIELDS))
        places = [found.start() for found in re.finditer(re.escape(signature), data)]
        if not places:
            continue
        offset, size = rng.choice(_FIELDS[signature])
        at = rng.choice(places) + offset
        old = int.from_bytes(data[at : at + size], "little")
        value = rng.choice((*WHOLE_NUMBERS, old - 1, old + 1, old * 2, old // 2, rng.choice(places)))
        data[at : at + size] = (value & ((1 << (8 * size)) - 1)).to_bytes(size, "little")
    return bytes(data)


@cache
def _zeros(count: int, filling: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = filling * (1 << 20)
    return b"".join(packer.compress(block) for _ in range(count >> 20)) + packer.flush()


def _with_bomb(parts: list[tuple[str, bytes]], rng: Random) -> bytes:
    """A part that unpacks to a hundred megabytes and says so or not; or many parts that are the same bytes."""
    packed = _zeros(100 << 20, rng.choice((b" ", b"\0")))
    name = rng.choice(parts)[0]
    said = rng.choice((100 << 20, 1000, 0, 0xFFFFFFFE))
    if rng.random() < 0.5:
        return raw_zip([(name, packed, said)])
    return raw_zip([(f"{number}{name}", packed, said) for number in range(50)], overlapping=True)


def raw_zip(parts: list[tuple[str, bytes, int]], *, overlapping: bool = False) -> bytes:
    """An archive of parts already deflated: name, packed bytes, and the size that the headers claim.

    overlapping: all entries of the directory point at the first part's bytes (Fifield, A better zip bomb, 2019).
    """
    body, directory = b"", b""
    for number, (name, packed, size) in enumerate(parts):
        encoded = name.encode()
        sizes = struct.pack("<III", 0, len(packed), size)
        place = 0 if overlapping else len(body)
        if not (overlapping and number):
            body += b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0) + sizes
            body += struct.pack("<HH", len(encoded), 0) + encoded + packed
        directory += b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0) + sizes
        directory += struct.pack("<HHHHHII", len(encoded), 0, 0, 0, 0, 0, place) + encoded
    return (
        body
        + directory
        + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(parts), len(parts), len(directory), len(body), 0)
    )
