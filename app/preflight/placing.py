"""Putting finished files in place: all of them or none, and whatever stood there before until then.

What is in the files is the business of whoever writes them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.errors import WriteFailed

_REASONS = {
    errno.ENOSPC: ("there is no space left", "Free some space, or choose another disk"),
    errno.EDQUOT: ("your share of the disk is used up", "Delete something, or choose another disk"),
    errno.EFBIG: ("the file is larger than this disk or account takes", "Choose another disk"),
    errno.EROFS: ("the disk is read-only", "Choose another folder"),
    errno.EACCES: ("there is no permission to write there", "Choose another folder"),
    errno.EPERM: ("there is no permission to write there", "Choose another folder"),
    errno.ENOENT: ("the folder does not exist", "Make the folder, or choose another"),
    errno.ENOTDIR: ("the folder does not exist", "Make the folder, or choose another"),
    errno.EISDIR: ("there is a folder of this name", "Choose another name"),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name"),
}


@contextlib.contextmanager
def staging(path: Path) -> Iterator[Path]:
    """A hidden folder beside the target, so that renaming does not copy; removed in the end, whoever died in it."""
    with explained(path):
        folder = Path(tempfile.mkdtemp(prefix=".likeness-", dir=path.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an operating system's error, also one that a writer has reported already, into WriteFailed with advice."""
    try:
        yield
    except OSError as error:
        raise _reason(error, path) from error
    except WriteFailed as failure:
        cause = failure.__cause__
        if isinstance(cause, OSError):
            raise _reason(cause, path) from cause
        failure.where = str(path)  # not a place in the staging folder
        raise


def _reason(error: OSError, path: Path) -> WriteFailed:
    reason, advice = _REASONS.get(error.errno or 0, (error.strerror or str(error), "Try another folder"))
    return WriteFailed(f"cannot be written: {reason}", path, advice)


def install(folder: Path, path: Path) -> list[Path]:
    """Move the files of the staging folder to their places, the main one last; on failure put the old ones back."""
    main = folder / path.name
    replaced: list[tuple[Path, Path | None]] = []  # the place, what stood there
    try:
        for file in [*sorted(other for other in folder.iterdir() if other != main), main]:
            place, kept = path.parent / file.name, None
            if place.exists():
                kept = _kept(place, folder / f"{file.name}.before")
            file.replace(place)
            replaced.append((place, kept))
    except OSError:
        for place, kept in reversed(replaced):
            with contextlib.suppress(OSError):
                if kept is None:
                    place.unlink()
                else:
                    kept.replace(place)
        raise
    _sync_folder(path.parent)
    return [path, *(place for place, _ in replaced if place != path)]


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all. Raises WriteFailed.

    Bytes of file names that are no text, which Python keeps as lone surrogates, become escapes such as \\udcff.
    """
    path = Path(path).absolute()
    with staging(path) as folder, explained(path):
        (folder / path.name).write_text(text, "utf-8", "backslashreplace")
        install(folder, path)


def _kept(place: Path, copy: Path) -> Path:
    """A second name for a file, or a copy where the disk knows no second names."""
    try:
        os.link(place, copy)
    except OSError:
        shutil.copy2(place, copy)
    return copy


def _sync_folder(folder: Path) -> None:
    """Make the renames last through a power cut, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
