"""Readers that misbehave, each in a way that the watch must see. For `test_fuzzing` alone."""

from __future__ import annotations

import ctypes
import os
import socket
import tempfile
from pathlib import Path

from tests.fuzzing.case import Case
from tests.fuzzing.subjects import Subject

CONTENT = b"1 2 3\n"


def _well_behaved(path: Path) -> None:
    path.read_bytes()


def _is_whole(path: Path) -> bool:
    """Whole files are read once before anything is watched; what crashes then is a fault of the test."""
    return path.read_bytes() == CONTENT


def _crash(path: Path) -> None:
    if not _is_whole(path):
        os.abort()


def _hang(path: Path) -> None:
    while not _is_whole(path):
        pass


def _fail(path: Path) -> None:
    raise KeyError("nobody thought of this")


def _read_outside(path: Path) -> None:
    (path.parent.parent / "secret.png").read_bytes()


def _follow_a_link(path: Path) -> None:
    (path.parent / "link-secret.txt").read_bytes()


def _read_in_c(path: Path) -> None:
    """As a library does: no event of Python's."""
    library = ctypes.CDLL(None)
    library.fopen.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(library.fopen(os.fsencode(path.parent.parent / "secret.bin"), b"rb"))
    library.fgetc(stream)
    library.fclose(stream)


def _eat(path: Path) -> None:
    bytearray(4 << 30)


def _leave_behind(path: Path) -> None:
    tempfile.mkdtemp()


def _write_beside(path: Path) -> None:
    path.with_suffix(".cache").write_bytes(b"x")


def _write_elsewhere(path: Path) -> None:
    Path("leftover").write_bytes(b"x")


def _call_home(path: Path) -> None:
    with socket.socket() as connection:
        connection.connect_ex(("127.0.0.1", 9))


def _start_something(path: Path) -> None:
    os.system("true")


# name -> reader, and the kind of finding that it is
READERS = {
    "well behaved": (_well_behaved, ""),
    "crash": (_crash, "crash"),
    "hang": (_hang, "hang"),
    "fail": (_fail, "fault"),
    "read outside": (_read_outside, "escape"),
    "follow a link": (_follow_a_link, "escape"),
    "read in C": (_read_in_c, "escape"),
    "write beside": (_write_beside, "escape"),
    "write elsewhere": (_write_elsewhere, "escape"),
    "leave behind": (_leave_behind, "escape"),
    "call home": (_call_home, "escape"),
    "start something": (_start_something, "escape"),
    "eat": (_eat, "memory"),
}


def subjects() -> dict[str, Subject]:
    """As `tests.fuzzing.subjects` has them. The first input of each is a whole file, which they were warmed up with."""
    case = Case("a.txt", {"a.txt": CONTENT})
    return {name: Subject(name, read, lambda: [case]) for name, (read, _) in READERS.items()}
