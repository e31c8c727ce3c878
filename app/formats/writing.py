"""What all writers share: errors, axes and units, the mark that lets a reader know them again, and colours.

No format's grammar lives here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.errors import WriteFailed
from app.formats.registry import WriteOptions
from app.mesh.soup import Soup

_MARK = re.compile(rb"Likeness up=([yz]) unit_mm=([0-9.eE+-]{1,20})")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an operating system's error into WriteFailed."""
    try:
        yield
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise WriteFailed(what, path, "Check the folder, your rights to it and the free space") from error


def placed_positions(soup: Soup, options: WriteOptions) -> np.ndarray:
    """(N, 3) float32 positions of a soup in mm and Z up, in the axes and the unit of the file."""
    positions = np.asarray(soup.positions, np.float32)
    if options.unit_mm != 1.0:
        positions = (positions / np.float64(options.unit_mm)).astype(np.float32)
    if options.up == "y":
        positions = np.stack((positions[:, 0], positions[:, 2], -positions[:, 1]), axis=1)
    return np.ascontiguousarray(positions)


def mark(options: WriteOptions) -> str:
    """A comment for formats that know neither unit nor axes, so that we read our own files as they were meant."""
    return f"Likeness up={options.up} unit_mm={options.unit_mm:g}"


def read_mark(head: bytes) -> tuple[str, float] | None:
    """Up axis and unit that `mark` left in the first bytes of a file."""
    found = _MARK.search(head)
    if not found:
        return None
    try:
        unit = float(found[2])
    except ValueError:
        return None
    return (found[1].decode(), unit) if 1e-6 < unit < 1e6 else None


def colors_8_bit(colors: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 from (N, 3) float sRGB 0 to 1, rounded."""
    return (np.clip(colors, 0.0, 1.0) * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)
