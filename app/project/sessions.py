"""Sessions: one folder for each running program, with its working copy and a lock that dies with the program.

    state folder / sessions / 20261122-181657-4f1c...
        lock                held while the program lives
        working.likeness    the working copy
        moved.json          where the working copy is instead, when the user moved it to another disk
        claim.json          the user's file that is open (see `in_use`)

A folder whose lock can be taken belongs to a dead program; what it holds is offered for recovery.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from app.project.folders import sync_file, sync_folder
from app.project.locks import Lock, take
from app.project.preview import Preview, preview_of_working_copy
from app.settings import config_folder, state_folder

WORKING_NAME = "working.likeness"
_LOCK_NAME, _MOVED_NAME = "lock", "moved.json"
_ATTEMPTS = 20
# Sessions elsewhere: a hidden folder each, in places that are noted in a file beside the settings.
_ELSEWHERE, _PLACES_NAME, _MOST_PLACES = ".likeness-", "working-copies.json", 20
# A folder without a lock may be one that is being made right now.
_YOUNG_SECONDS = 60.0
# Written by SQLite beside a database.
SIDECARS = ("-wal", "-shm", "-journal")

_log = logging.getLogger(__name__)
# Dead sessions that this program is offering: their locks are ours, so no other program offers them too.
_claimed: dict[Path, Lock] = {}


def sessions_folder() -> Path:
    """Where all sessions have their folders; may not exist yet."""
    return state_folder() / "sessions"


class Session:
    """The folder of this program's run; see `begin`."""

    def __init__(self, folder: Path, lock: Lock) -> None:
        self.folder, self._lock = folder, lock
        self.working_path = folder / WORKING_NAME

    @classmethod
    def begin(cls, parent: Path | None = None) -> Session:
        """Make a folder and lock it. Raises OSError where that is not possible.

        parent: where, if the state folder cannot be written; it is noted beside the settings, to be found again.
        """
        prefix = "" if parent is None else _ELSEWHERE
        if parent is not None:
            _note_place(parent)
        parent = parent or sessions_folder()
        parent.mkdir(parents=True, exist_ok=True)
        for _ in range(_ATTEMPTS):
            folder = parent / f"{prefix}{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                folder.mkdir()
                lock = take(folder / _LOCK_NAME, create=True)
                # Another program that tidies up may have been faster.
                if lock is not None and lock.holds(folder / _LOCK_NAME):
                    return cls(folder, lock)
                if lock is not None:
                    lock.release()
        raise OSError(f"no session folder can be made in {parent}")

    def restore(self) -> None:
        """Make folder and lock again after someone deleted them. Raises OSError."""
        lock_path = self.folder / _LOCK_NAME
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._lock.holds(lock_path):
            lock = take(lock_path, create=True)
            if lock is not None:
                self._lock.release()
                self._lock = lock

    def moved(self, working_path: Path) -> None:
        """Remember that the working copy is elsewhere now. Raises OSError."""
        self.working_path = working_path
        pointer = self.folder / _MOVED_NAME
        temporary = pointer.with_suffix(".tmp")
        temporary.write_text(json.dumps({"working": str(working_path)}), "utf-8")
        sync_file(temporary)
        temporary.replace(pointer)
        sync_folder(self.folder)

    def end(self) -> None:
        """All is saved, or given up: delete the folder and let go of the lock."""
        _delete(self.folder, self.working_path)
        self._lock.release()

    def leave(self) -> None:
        """Let go of the lock and keep the folder, for recovery at the next start."""
        self._lock.release()


@dataclass(eq=False)
class Recoverable:
    """Work of a dead session. No other program is offered it while this one runs.

    project_path: the file it belongs to, None if it was never saved. source_path: the base mesh it began with.
    changed_at: seconds since 1970. strokes: steps that are done. triangles: of the mesh in hand. thumbnail: PNG.
    damaged: it cannot be read as it is.
    """

    folder: Path
    working_path: Path
    name: str
    project_path: Path | None = None
    source_path: Path | None = None
    changed_at: float = 0.0
    strokes: int = 0
    triangles: int = 0
    thumbnail: bytes | None = field(default=None, repr=False)
    damaged: bool = False

    def discard(self) -> None:
        """Delete it: it has been recovered, or the user does not want it."""
        _delete(self.folder, self.working_path)
        lock = _claimed.pop(self.folder, None)
        if lock is not None:
            lock.release()


def recoverable() -> list[Recoverable]:
    """Dead sessions that hold unsaved work, newest first. Never raises.

    Those without unsaved work are deleted. What cannot be read is reported as damaged and never deleted.
    """
    found = []
    for folder in _folders():
        try:
            work = _work_of(folder)
        except Exception:  # noqa: BLE001 - one folder must not hide the others, nor keep the program from starting
            _log.exception("the session in %s cannot be looked at", folder)
            work = None
        if work is not None:
            found.append(work)
    return sorted(found, key=lambda work: work.changed_at, reverse=True)


def is_alive(folder: Path) -> bool:
    """Whether the program of a session's folder still runs. A folder that is gone has no program."""
    if folder in _claimed:
        return False
    try:
        lock = take(folder / _LOCK_NAME)
    except (FileNotFoundError, ValueError):  # a name that cannot be has no program either
        return False
    except OSError:
        return folder.is_dir()
    if lock is None:
        return True
    lock.release()
    return False


def _folders() -> list[Path]:
    found: list[Path] = []
    for parent, pattern in ((sessions_folder(), "*"), *((place, f"{_ELSEWHERE}*") for place in _noted_places())):
        with contextlib.suppress(OSError):
            found += sorted(folder for folder in parent.glob(pattern) if folder.is_dir())
    return found


def _noted_places() -> list[Path]:
    """Folders outside the state folder in which sessions have been."""
    try:
        places = json.loads((config_folder() / _PLACES_NAME).read_text("utf-8"))
        return [Path(place) for place in places if isinstance(place, str)]
    except (OSError, ValueError, TypeError):
        return []


def _note_place(place: Path) -> None:
    places = [place, *(other for other in _noted_places() if other != place)][:_MOST_PLACES]
    with contextlib.suppress(OSError):
        config_folder().mkdir(parents=True, exist_ok=True)
        (config_folder() / _PLACES_NAME).write_text(json.dumps([str(other) for other in places]), "utf-8")


def _work_of(folder: Path) -> Recoverable | None:
    if not _claim(folder):
        return None
    working_path = _working_path(folder)
    if not working_path.exists() and not (folder / _MOVED_NAME).exists():
        _forget(folder, working_path)
        return None
    changed_at = _changed_at(working_path)
    try:
        preview = preview_of_working_copy(working_path)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it may be someone's work
        _log.exception("the working copy %s cannot be read", working_path)
        return Recoverable(folder, working_path, folder.name, changed_at=changed_at, damaged=True)
    if not preview.unsaved:
        _forget(folder, working_path)
        return None
    return _recoverable(folder, working_path, preview, changed_at)


def _recoverable(folder: Path, working_path: Path, preview: Preview, changed_at: float) -> Recoverable:
    return Recoverable(
        folder,
        working_path,
        preview.name,
        preview.project_path,
        preview.source_path,
        preview.changed_at or changed_at,
        preview.strokes,
        preview.triangles,
        preview.thumbnail,
    )


def _claim(folder: Path) -> bool:
    """Take a dead session's lock, and keep it. False where its program lives, or another one is looking at it."""
    held = _claimed.get(folder)
    if held is not None and held.holds(folder / _LOCK_NAME):
        return True
    _claimed.pop(folder, None)
    try:
        lock = take(folder / _LOCK_NAME)
    except FileNotFoundError:
        if time.time() - folder.stat().st_mtime < _YOUNG_SECONDS:
            return False
        lock = take(folder / _LOCK_NAME, create=True)
    if lock is None:
        return False
    if not lock.holds(folder / _LOCK_NAME):
        lock.release()
        return False
    _claimed[folder] = lock
    return True


def _forget(folder: Path, working_path: Path) -> None:
    _delete(folder, working_path)
    _claimed.pop(folder).release()


def _working_path(folder: Path) -> Path:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return Path(json.loads((folder / _MOVED_NAME).read_text("utf-8"))["working"])
    return folder / WORKING_NAME


def _changed_at(working_path: Path) -> float:
    times = [0.0]
    for suffix in ("", *SIDECARS):
        with contextlib.suppress(OSError):
            times.append(Path(f"{working_path}{suffix}").stat().st_mtime)
    return max(times)


def _delete(folder: Path, working_path: Path) -> None:
    if working_path.parent != folder:
        for suffix in ("", *SIDECARS):
            with contextlib.suppress(OSError):
                Path(f"{working_path}{suffix}").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
