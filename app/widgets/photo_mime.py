"""What of a drop or of the clipboard can become photos: files, or an image."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QMimeData
from PySide6.QtGui import QImage

from app.formats.registry import readable_suffixes

# Taken as they come, with their colour profile; anything else is made a PNG of.
_ENCODED = ("image/png", "image/jpeg", "image/webp", "image/tiff", "image/bmp")


def is_welcome(mime: QMimeData) -> bool:
    """Whether there is anything that may be a photo; models are left to the window, which opens them."""
    files, models = _files(mime), readable_suffixes()
    return any(path.suffix.lower() not in models for path in files) or (not files and mime.hasImage())


def contents(mime: QMimeData) -> list[Path] | bytes:
    """The files; without any, the bytes of an image file; empty when there is neither."""
    files = _files(mime)
    if files:
        return files
    for kind in _ENCODED:
        if mime.hasFormat(kind):
            return bytes(mime.data(kind).data())
    image = mime.imageData() if mime.hasImage() else None
    return _png(image) if isinstance(image, QImage) and not image.isNull() else b""


def _files(mime: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())
