"""Zip files from strangers: looked through before anything in them is unpacked.

What lives here: sizes, names and declarations of the parts. What does not: what the parts mean.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

from app.errors import LimitExceeded, UnreadableFile
from app.formats.reading import refuse
from app.formats.registry import Limits

# What reading a part of a damaged archive raises.
DAMAGED_PART = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError)
_MOST_PARTS = 10_000
_STEP = 1 << 20
# Deflate cannot do better: https://zlib.net/zlib_tech.html
_DEFLATE_RATIO = 1032
# Text of coordinates shrinks four to fifty times; a large part that shrinks more is mostly nothing.
_HONEST_RATIO = 200
# Too small to hide anything behind a false size.
_HARMLESS_BYTES = 64 << 20
_PROLOG_BYTES = 1 << 20
_SNIFFED_BYTES = 256
_ROOT = re.compile(r"<[A-Za-z_]")
_DECLARATION = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def open_package(path: Path, limits: Limits) -> zipfile.ZipFile:
    """Open a zip file whose parts all have honest sizes and names. The caller closes it.

    Raises UnreadableFile for a damaged, encrypted or hostile file, LimitExceeded for one that unpacks to too much.
    """
    try:
        package = zipfile.ZipFile(path)
    except OSError as error:
        raise UnreadableFile(f"cannot be opened: {error.strerror or error}", path, "Check your rights to it") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeError) as error:
        raise UnreadableFile("is cut off or no zip archive", path, "Download or export it again") from error
    try:
        _check_parts(package, path, limits)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError) as error:
        package.close()
        raise UnreadableFile(f"is damaged: {error}", path, "Download or export it again") from error
    except UnreadableFile:
        package.close()
        raise
    return package


def _check_parts(package: zipfile.ZipFile, path: Path, limits: Limits) -> None:
    parts = package.infolist()
    advice = "It is damaged or made to do harm; ask for another file"
    if len(parts) > _MOST_PARTS:
        raise LimitExceeded(f"holds {len(parts):,} parts, more than {_MOST_PARTS:,}", path, advice)
    unpacked = sum(part.file_size for part in parts)
    if unpacked > limits.unpacked_bytes:
        raise LimitExceeded(f"unpacks to {unpacked / 2**30:.1f} GiB", path, advice)
    seen: set[str] = set()
    for part in parts:
        where = f"{path}, part {part.filename[:80]}"
        if part.flag_bits & 1:
            raise UnreadableFile("is protected by a password", where, "Save it without one")
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableFile("is packed in a way that is not read", where, "Save it as an ordinary zip archive")
        names = re.split(r"[/\\]", part.filename)
        if not part.filename or ".." in names or "\0" in part.filename or part.filename in seen:
            raise UnreadableFile("has no name, or one that leads elsewhere or comes twice", where, advice)
        seen.add(part.filename)
        ratio = min(limits.unpack_ratio, _HONEST_RATIO) if part.file_size > _HARMLESS_BYTES else limits.unpack_ratio
        if part.file_size > max(_STEP, part.compress_size * ratio):
            raise LimitExceeded("unpacks to far more than it takes up", where, advice)
        if part.compress_size * _DEFLATE_RATIO > _HARMLESS_BYTES and _unpacks_to_more(package, part):
            raise LimitExceeded("unpacks to more than it says", where, advice)


def _unpacks_to_more(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Whether a deflated part goes on after its declared size. Python's own reader would stop there and not tell."""
    if part.compress_type != zipfile.ZIP_DEFLATED:
        return part.compress_size != part.file_size
    stream = package.fp
    assert stream is not None
    stream.seek(part.header_offset + 26)
    lengths = stream.read(4)
    stream.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    left, found = part.compress_size, 0
    while left > 0 and not unpacker.eof and found <= part.file_size:
        packed = stream.read(min(_STEP, left))
        if not packed:
            break
        left -= len(packed)
        found += len(unpacker.decompress(packed, _STEP))
        while unpacker.unconsumed_tail and found <= part.file_size:
            found += len(unpacker.decompress(unpacker.unconsumed_tail, _STEP))
    return found > part.file_size


def is_xml(content: bytes) -> bool:
    """Whether a part begins as XML does, whatever it is called: relations name the parts, not their suffixes."""
    return content[:_SNIFFED_BYTES].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] == b"<"


def safe_names(name: str) -> list[str]:
    """A part's name as those of folders and a file that cannot lead out of the folder it is unpacked to."""
    return [part.replace(":", "_") for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def check_xml(content: bytes, name: str, path: Path) -> None:
    """Refuse XML that declares entities, which can grow without bound or name files. Raises UnreadableFile.

    A declaration can only stand before the first element.
    """
    coding = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(content[:2], "utf-8")
    text = content[:_PROLOG_BYTES].decode(coding, "replace")
    root = _ROOT.search(text)
    if root is None:
        raise UnreadableFile("is no XML", f"{path}, part {name[:80]}", "Download or export it again")
    if _DECLARATION.search(text, 0, root.start()):
        refuse(path, "declares XML entities, which no honest 3MF file does", "Ask for another file")
