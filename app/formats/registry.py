"""What a format is, and the list of formats.

Adding a format is adding a module to this folder that ends with `register(Format(...))`.
"""

from __future__ import annotations

import importlib
import pkgutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from app.errors import UnreadableFile
from app.formats.points import refuse_scan
from app.mesh.soup import Soup

# fraction done 0 to 1, what is being done ("Reading triangles"); may raise Cancelled.
Progress = Callable[[float, str], None]

_SNIFF_BYTES = 4096


def no_progress(fraction: float, doing: str) -> None:
    """Progress for callers that show none."""


@dataclass(frozen=True)
class Limits:
    """What a reader may be asked for before it must refuse. Checked before anything of that size is allocated."""

    file_bytes: int = 2 << 30
    vertices: int = 40_000_000
    triangles: int = 20_000_000
    texture_pixels: int = 16_384 * 16_384
    encoded_texture_bytes: int = 256 << 20
    unpacked_bytes: int = 2 << 30
    unpack_ratio: float = 2000.0
    nodes: int = 100_000
    text_line_bytes: int = 16 << 20


@dataclass(frozen=True)
class WriteOptions:
    """How a printer profile wants a file.

    up: axis that points up in the file, "y" or "z". unit_mm: millimetres per file unit.
    color: "texture" (texture where the soup has one, else vertex colours), "vertex", or "none".
    texture_format: "png", "jpeg" or "keep". texture_limit: largest width or height, pixels; 0 for no limit.
    title: model name for the file's metadata.
    """

    up: str = "z"
    unit_mm: float = 1.0
    color: str = "texture"
    texture_format: str = "keep"
    texture_limit: int = 0
    title: str = "figurine"


Reader = Callable[[Path, Limits, Progress], Soup]
Writer = Callable[[Soup, Path, WriteOptions, Progress], None]


@dataclass(frozen=True)
class Format:
    """A file format. suffixes: lower case with the dot, the preferred one first.

    sniff: says from the first bytes (at most 4096) whether a file is of this format, whatever it is called.
    writes_sidecars: the writer puts further files (MTL, textures) into the folder of the path it is given.
    """

    id: str
    label: str
    suffixes: tuple[str, ...]
    read: Reader | None = None
    write: Writer | None = None
    sniff: Callable[[bytes], bool] = field(default=lambda head: False)
    writes_sidecars: bool = False


_registered: dict[str, Format] = {}


def register(file_format: Format) -> None:
    """Add a format; called at the end of its module."""
    _registered[file_format.id] = file_format


@cache
def formats() -> dict[str, Format]:
    """All formats by id."""
    package = importlib.import_module("app.formats")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"app.formats.{module.name}")
    return dict(sorted(_registered.items()))


def readable_suffixes() -> list[str]:
    """Suffixes that can be opened, with the dot."""
    return [suffix for file_format in formats().values() if file_format.read for suffix in file_format.suffixes]


def format_of(path: Path) -> Format:
    """The readable format of a file, by its content first and its name second.

    Raises UnreadableFile when the file cannot be opened, is empty, or is of no known format.
    """
    try:
        # Looked at before it is opened: a pipe without a writer would keep us waiting, a device may never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableFile("is not a regular file", path, "Choose a file, not a folder, a pipe or a device")
        with path.open("rb") as stream:
            head = stream.read(_SNIFF_BYTES)
    except OSError as error:
        raise UnreadableFile(
            f"cannot be opened: {error.strerror or error}", path, "Check the name and your rights to it"
        ) from error
    if not head:
        raise UnreadableFile("is empty", path, "Download or export it again")
    candidates = [file_format for file_format in formats().values() if file_format.read]
    by_name = [file_format for file_format in candidates if path.suffix.lower() in file_format.suffixes]
    # A file is what it contains; the name only decides between formats without a signature.
    for file_format in [*by_name, *candidates]:
        if file_format.sniff(head):
            return file_format
    if by_name:
        return by_name[0]
    refuse_scan(path, path.suffix.lower(), head)
    known = ", ".join(sorted(suffix.lstrip(".").upper() for suffix in readable_suffixes()))
    raise UnreadableFile("is not a mesh format that Likeness reads", path, f"Export it as one of {known}")
