"""Making what was written last through a power cut, and saying in words why something could not be written."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from pathlib import Path

from app.errors import LikenessError, WriteFailed

_ADVICE_FULL = "Free some space, or choose another disk"
_ADVICE_FOLDER = "Choose another folder"
_BY_ERRNO = {
    errno.ENOSPC: ("the disk is full", _ADVICE_FULL),
    errno.EDQUOT: ("your share of the disk is used up", _ADVICE_FULL),
    errno.EFBIG: ("the file is larger than this disk or account takes", "Choose another disk"),
    errno.EROFS: ("the disk is read-only", _ADVICE_FOLDER),
    errno.EACCES: ("there is no permission to write there", _ADVICE_FOLDER),
    errno.EPERM: ("there is no permission to write there", _ADVICE_FOLDER),
    errno.ENOENT: ("the folder is not there, or not any more", "Connect the disk again, or choose another folder"),
    errno.ENOTDIR: ("the folder is not there, or not any more", "Connect the disk again, or choose another folder"),
    errno.EISDIR: ("there is a folder of this name", "Choose another name"),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name"),
    errno.EIO: ("the disk reports an error", "Choose another disk, and have this one looked at"),
    errno.ETIMEDOUT: ("the network drive does not answer", "Connect it again, or choose another disk"),
    errno.ESTALE: ("the network drive does not answer", "Connect it again, or choose another disk"),
    errno.EHOSTDOWN: ("the network drive does not answer", "Connect it again, or choose another disk"),
}
_BY_SQLITE = {
    sqlite3.SQLITE_FULL: _BY_ERRNO[errno.ENOSPC],
    sqlite3.SQLITE_READONLY: ("the disk or the file is read-only", _ADVICE_FOLDER),
    sqlite3.SQLITE_CANTOPEN: ("the folder cannot be opened", _ADVICE_FOLDER),
    sqlite3.SQLITE_PERM: _BY_ERRNO[errno.EACCES],
    sqlite3.SQLITE_IOERR: ("the disk reports an error, or is gone", "Connect it again, or choose another disk"),
    sqlite3.SQLITE_BUSY: ("another program holds the file", "Close the other program, or choose another name"),
    sqlite3.SQLITE_LOCKED: ("another program holds the file", "Close the other program, or choose another name"),
    sqlite3.SQLITE_CORRUPT: (
        "what was written cannot be read back",
        "Choose another disk, and have this one looked at",
    ),
    sqlite3.SQLITE_NOTADB: ("what was written cannot be read back", "Choose another disk, and have this one looked at"),
    sqlite3.SQLITE_TOOBIG: ("a part of it is too large for the file", "Use smaller textures or photos"),
}
_PRIMARY = 0xFF  # the low byte of SQLite's extended codes


def write_failure(error: BaseException, path: Path | str, doing: str = "cannot be written") -> LikenessError:
    """The error for a user that an error of the system or of SQLite amounts to."""
    if isinstance(error, LikenessError):
        return error
    reason, advice = f"{type(error).__name__}: {error}", "Choose another folder"
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        reason, advice = _BY_SQLITE.get(code, (str(error), advice))
    elif isinstance(error, OSError):
        reason, advice = _BY_ERRNO.get(error.errno or 0, (error.strerror or str(error), advice))
    elif isinstance(error, MemoryError):
        reason, advice = "there is not enough memory", "Close other programs, then try again"
    failure = WriteFailed(f"{doing}: {reason}", path, advice)
    failure.__cause__ = error
    return failure


def make_file(path: Path) -> None:
    """Make an empty file. Raises OSError that tells more than SQLite's "unable to open"."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))


def sync_file(path: Path) -> None:
    """Make a file's content last through a power cut. Raises OSError."""
    # Windows only flushes what may be written.
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make names in a folder last, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
