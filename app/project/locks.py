"""A lock that dies with its process: the operating system lets go of it, however the process ends.

What the lock means (a session that is alive) is told in `sessions`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

_OPENING = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


class Lock:
    """A held lock; see `take`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let others take it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holds(self, path: Path) -> bool:
        """Whether this is still the file at `path`, and not one that was deleted meanwhile."""
        try:
            return self._descriptor is not None and os.path.samestat(os.fstat(self._descriptor), path.stat())
        except OSError:
            return False


def take(path: Path, *, create: bool = False) -> Lock | None:
    """The lock of a file; None where someone holds it. Never waits. Raises OSError where the file cannot be opened."""
    descriptor = os.open(path, os.O_RDWR | _OPENING | (os.O_CREAT if create else 0), 0o600)
    try:
        if not _lock(descriptor):
            os.close(descriptor)
            return None
    except BaseException:
        os.close(descriptor)
        raise
    return Lock(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        system: Any = msvcrt
        try:
            system.locking(descriptor, system.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        # flock belongs to this open file; a POSIX record lock would be lost with any other handle of the same file.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
