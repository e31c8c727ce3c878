"""Encoded test images, made by Pillow."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def quarters(width: int = 60, height: int = 40) -> np.ndarray:
    """(h, w, 3) uint8: red, green, blue and white quarters, so that every turn and flip looks different."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = 220, 30, 40
    pixels[: height // 2, width // 2 :] = 40, 200, 60
    pixels[height // 2 :, : width // 2] = 30, 60, 210
    pixels[height // 2 :, width // 2 :] = 240, 240, 240
    return pixels


def encoded(image: Image.Image | np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of an image file."""
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, kind, **options)
    return buffer.getvalue()


def oriented(image: Image.Image, orientation: int, kind: str, **options: Any) -> bytes:
    """An image file that says in its EXIF data how it is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, kind, exif=exif, **options)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes whose header claims a size; its pixels, such as there are, are zeros."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
