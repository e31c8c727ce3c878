"""Which files in a folder a piece of work opens, whoever does it: Python, or a library written in C++."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_IN_ACCESS, _IN_OPEN, _IN_NONBLOCK = 0x1, 0x20, 0o4000
_EVENT = struct.Struct("iIII")


@contextmanager
def opened_in(*folders: Path) -> Iterator[list[str]]:
    """The names of what is opened or read in these folders meanwhile, by Linux's own account; else an empty list."""
    names: list[str] = []
    if sys.platform != "linux":
        yield names
        return
    library = ctypes.CDLL(None, use_errno=True)
    watch = library.inotify_init1(_IN_NONBLOCK)
    for folder in folders:
        assert library.inotify_add_watch(watch, os.fsencode(folder), _IN_OPEN | _IN_ACCESS) >= 0
    try:
        yield names
        while True:
            try:
                data = os.read(watch, 1 << 16)
            except BlockingIOError:
                break
            at = 0
            while at < len(data):
                length = _EVENT.unpack_from(data, at)[3]
                name = data[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0")
                names.append(os.fsdecode(name) if name else ".")
                at += _EVENT.size + length
    finally:
        os.close(watch)
