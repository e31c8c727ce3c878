"""Two windows on one file: who opens a project file says so, and others are told who has it.

Two marks, because either may be impossible: a small file beside the project (`.~lock.NAME#`, the custom of office
programs), which other machines see too; and `claim.json` in the session's folder, for folders that cannot be written.
On this machine the lock of the session's folder decides whether a mark still means anything; a mark of another
machine counts until the user takes the file over.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import LikenessError
from app.project.locks import take
from app.project.sessions import Session, is_alive, sessions_folder
from app.settings import state_folder

_CLAIM_NAME, _GATE_NAME = "claim.json", "claiming.lock"
_ATTEMPTS, _PAUSE_SECONDS = 50, 0.01
_MAX_MARK_BYTES = 4096
_MAX_NAME = 64


class FileInUse(LikenessError):
    """Another window has the file open. since: seconds since 1970, 0 if not known. this_machine: it runs here."""

    def __init__(self, path: str | os.PathLike[str], host: str, user: str, since: float, this_machine: bool) -> None:
        self.host, self.user, self.since, self.this_machine = host, user, since, this_machine
        where = "on this computer" if this_machine else f"on {host or 'another computer'}"
        advice = "Go on there, or open a copy of it" if this_machine else "Close it there, or take it over"
        super().__init__(f"is open in another window {where}, by {user or 'someone'}", path, advice)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.where, self.host, self.user, self.since, self.this_machine)


@dataclass(frozen=True)
class _Mark:
    """What a mark says. folder: the session's."""

    host: str
    user: str
    pid: int
    folder: str
    since: float


class Claim:
    """The right to write a project file, until `release`."""

    def __init__(self, path: Path, sidecar: Path, record: Path, mark: _Mark) -> None:
        self.path = path
        self._sidecar, self._record, self._mark = sidecar, record, mark

    def release(self) -> None:
        """Say that the file is free again. Never raises."""
        if _read(self._sidecar) == self._mark:  # otherwise someone else has taken it over
            with contextlib.suppress(OSError):
                self._sidecar.unlink()
        if _read(self._record) == self._mark:
            with contextlib.suppress(OSError):
                self._record.unlink()


def claim(path: Path, session: Session, *, take_over: bool = False) -> Claim:
    """Say that this session has a project file open; a session has one at a time.

    take_over: whatever others say. Raises FileInUse where another living session, or another machine, has it.
    """
    path = Path(os.path.realpath(path))
    sidecar, record = sidecar_of(path), session.folder / _CLAIM_NAME
    with _alone():
        if not take_over:
            _refuse_if_taken(path, sidecar, session)
        mark = _Mark(platform.node(), _user(), os.getpid(), str(session.folder), time.time())
        _write(sidecar, vars(mark))
        _write(record, {"path": str(path), **vars(mark)})
    return Claim(path, sidecar, record, mark)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Of two programs that are started at once, one looks and says so before the other looks.

    Not for ever, and not where the state folder cannot be written: then it is as likely as two hands at one moment.
    """
    gate = None
    with contextlib.suppress(OSError):
        for _ in range(_ATTEMPTS):
            gate = take(state_folder() / _GATE_NAME, create=True)
            if gate is not None:
                break
            time.sleep(_PAUSE_SECONDS)
    try:
        yield
    finally:
        if gate is not None:
            gate.release()


def sidecar_of(path: Path) -> Path:
    """The file that tells others that `path` is open."""
    return path.with_name(f".~lock.{path.name}#")


def _refuse_if_taken(path: Path, sidecar: Path, session: Session) -> None:
    mark = _read(sidecar)
    if mark is not None and mark.folder != str(session.folder):
        here = mark.host == platform.node()
        if not here or _holder_lives(mark):
            raise FileInUse(path, mark.host, mark.user, mark.since, here)
    for record in _records():
        if record.parent != session.folder and _claimed_path(record) == path and is_alive(record.parent):
            other = _read(record)
            since = other.since if other else 0.0
            raise FileInUse(path, platform.node(), other.user if other else "", since, this_machine=True)


def _holder_lives(mark: _Mark) -> bool:
    folder = Path(mark.folder)
    if folder.parent == sessions_folder():
        return is_alive(folder)
    # Another user of this machine, or another home: its lock is not ours to open.
    if sys.platform == "win32":
        return True  # there, signal 0 is no question but Ctrl-C
    try:
        os.kill(mark.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _records() -> list[Path]:
    try:
        return sorted(sessions_folder().glob(f"*/{_CLAIM_NAME}"))
    except OSError:
        return []


def _claimed_path(record: Path) -> Path | None:
    values = _values(record)
    return Path(values["path"]) if isinstance(values.get("path"), str) else None


def _read(file: Path) -> _Mark | None:
    """A mark, or None where there is none that makes sense. The file may be anyone's: nothing in it is believed."""
    values = _values(file)
    try:
        return _Mark(
            str(values["host"])[:_MAX_NAME],
            str(values["user"])[:_MAX_NAME],
            max(0, int(values["pid"])) or os.getpid(),
            str(values["folder"]),
            float(values["since"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _values(file: Path) -> dict[str, Any]:
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            values = json.loads(stream.read(_MAX_MARK_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _write(file: Path, values: dict[str, Any]) -> None:
    """Write a mark. A folder that cannot be written has none: it could not be saved to either."""
    temporary = file.with_name(f"{file.name}{secrets.token_hex(4)}")
    try:
        temporary.write_text(json.dumps(values), "utf-8")
        temporary.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
