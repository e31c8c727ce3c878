"""Reading a photo file safely: by its content, not its suffix, within limits, and where a crash does no harm.

Everything is decoded in a worker process, except plain JPEG and PNG of ordinary size: those decoders are the best
tested there are, their time and memory follow from the header, and a worker takes many times longer to start.
What does not live here: how an image becomes pixels (`decode`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.errors import LimitExceeded, UnreadableFile, WorkerFailed
from app.photos.decode import ADVICE, ADVICE_DAMAGED, Decoded, decode, is_harmless
from app.photos.display import DisplayCopy
from app.photos.photo import Photo
from app.worker import WorkerLimits, run

PHOTO_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".hif", ".avif"),
    *(".gif", ".bmp", ".ppm", ".pgm"),
)
MAX_BYTES = 200 << 20
_LIMITS = WorkerLimits(seconds=60.0, memory_bytes=2 << 30)


def is_photo(path: Path) -> bool:
    """Whether a file's name says that it is a photo of a kind that is read."""
    return path.suffix.lower() in PHOTO_SUFFIXES


def load_photo(source: Path | bytes, name: str = "", cancelled: Callable[[], bool] | None = None) -> Photo:
    """Read a photo from a file, or from the bytes of one. May take seconds; may be called from any thread.

    Raises UnreadableFile, LimitExceeded (too large in bytes or pixels), WorkerFailed, Cancelled.
    """
    path = source if isinstance(source, Path) else None
    name = name or (path.name if path else "Pasted photo")
    encoded = read_bytes(source) if isinstance(source, Path) else source
    _check_bytes(len(encoded), name)
    decoded = _decode(encoded, name, cancelled)
    photo = Photo(name, encoded, decoded.width, decoded.height, path)
    _take_over(photo, decoded)
    return photo


def load_display(photo: Photo, cancelled: Callable[[], bool] | None = None) -> None:
    """Give a photo its display copy back after it was dropped, or after the photo came from a project file.

    Raises what `load_photo` raises.
    """
    if photo.display is None:
        _check_bytes(len(photo.encoded), photo.name)
        _take_over(photo, _decode(photo.encoded, photo.name, cancelled))


def read_bytes(path: Path) -> bytes:
    """A photo file's bytes. Raises UnreadableFile and LimitExceeded, before anything is read into memory."""
    try:
        if not path.is_file():
            what = "is a folder, not a photo" if path.is_dir() else "is not there any more"
            raise UnreadableFile(what, path.name, "Choose a photo file")
        _check_bytes(path.stat().st_size, path.name)
        return path.read_bytes()
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise UnreadableFile(what, path.name, "Check that the file is there and that you may read it") from error


def _check_bytes(size: int, name: str) -> None:
    if size == 0:
        raise UnreadableFile("is empty", name, ADVICE_DAMAGED)
    if size > MAX_BYTES:
        what = f"is {size / (1 << 20):.0f} MB large; photos of up to {MAX_BYTES >> 20} MB are read"
        raise LimitExceeded(what, name, ADVICE)


def _decode(encoded: bytes, name: str, cancelled: Callable[[], bool] | None) -> Decoded:
    if is_harmless(encoded):
        return decode(encoded, name)
    try:
        # An array goes to the worker without being copied while Python's lock is held; a hundred megabytes would show.
        return run(decode, np.frombuffer(encoded, np.uint8), name, cancelled=cancelled, limits=_LIMITS)
    except WorkerFailed as error:
        raise UnreadableFile(f"cannot be read: {error.what}", name, ADVICE) from error


def _take_over(photo: Photo, decoded: Decoded) -> None:
    photo.width, photo.height = decoded.width, decoded.height
    photo.display, photo.thumbnail = DisplayCopy(decoded.pixels), decoded.thumbnail
