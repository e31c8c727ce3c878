"""Save: a project in memory to the user's file, such that whatever happens there is always a whole file.

memory ── pages ──> hidden name in the target's folder ── integrity check, fsync
   old file ── second name ──> .bak (if it is a good one)        hidden name ── replace ──> the name
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from app.errors import Cancelled, LikenessError, WriteFailed
from app.project import schema
from app.project.folders import make_file, sync_file, sync_folder, write_failure
from app.project.sessions import SIDECARS
from app.project.store import Store

SUFFIX = ".likeness"
BACKUP_SUFFIX = f"{SUFFIX}.bak"
_STEP_PAGES = 2048
_WRITTEN, _CHECKED = 0.7, 0.9  # shares of the whole at which a part ends
# A file may carry so much unused room before it is packed.
_MOST_UNUSED = 0.2
# A hidden file that nobody has written to for so long was left behind by a Save that was killed.
_LEFT_BEHIND_SECONDS = 600.0
_HIDDEN = re.compile(r"\.[0-9a-f]{8}\.(saving|bak)(-wal|-shm|-journal)?")


def save_project(
    memory: sqlite3.Connection, path: Path, progress: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> None:
    """Write the project; `memory` is changed a little for it.

    Raises WriteFailed that says what to do, and Cancelled; whatever stood at the name is still there then.
    """
    # A link to a file stays a link, and the file is what is replaced.
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.saving")
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "is a folder")
        _make_ready(memory)
        _write(memory, temporary, progress, cancelled)
        progress(_WRITTEN, "Checking what was written")
        _check(memory, temporary)
        progress(_CHECKED, "Putting it in place")
        if cancelled():
            raise Cancelled
        _put_in_place(temporary, path)
    except LikenessError:
        raise
    except (sqlite3.Error, OSError, MemoryError) as error:
        raise write_failure(error, path, "cannot be saved") from error
    finally:
        for suffix in ("", *SIDECARS):
            with contextlib.suppress(OSError):
                Path(f"{temporary}{suffix}").unlink(missing_ok=True)
    _tidy(path)
    progress(1.0, "Saved")


def save_left_behind(
    working_path: Path, path: Path, progress: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> None:
    """Write the working copy of a dead session into a user's file, and leave it as it is.

    Raises UnreadableFile where it is damaged, and what `save_project` raises.
    """
    progress(0.0, "Gathering the project")
    schema.check_header(working_path)
    with closing(schema.connect(working_path)) as connection, closing(schema.connect(":memory:")) as memory:
        schema.check_schema(connection, working_path)
        with schema.explained(working_path):
            connection.backup(memory)
        save_project(memory, path, progress, cancelled)


def _make_ready(memory: sqlite3.Connection) -> None:
    """What a file for others says of itself: saved, and nothing about the places on this machine."""
    Store(memory).set_meta({"unsaved": False, "saved_at": time.time(), "project_path": None})
    (unused,) = memory.execute("PRAGMA freelist_count").fetchone()
    (pages,) = memory.execute("PRAGMA page_count").fetchone()
    if unused > _MOST_UNUSED * pages:
        memory.execute("VACUUM")


def _write(
    memory: sqlite3.Connection, path: Path, progress: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> None:
    def report(status: int, remaining: int, total: int) -> None:
        if cancelled():
            raise Cancelled
        progress(_WRITTEN * (1 - remaining / max(total, 1)), "Writing")

    make_file(path)
    with closing(schema.connect(path)) as connection:
        # Nobody knows the name yet: a journal would protect nothing.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        memory.backup(connection, pages=_STEP_PAGES, progress=report)
        connection.execute("PRAGMA journal_mode = DELETE")
    sync_file(path)


def _check(memory: sqlite3.Connection, path: Path) -> None:
    """Read the file back as a stranger would. Raises WriteFailed, sqlite3.Error."""
    schema.check_header(path)
    with closing(schema.connect_read_only(path)) as connection:
        schema.check_schema(connection, path)
        (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        count = "SELECT (SELECT count(*) FROM pages), (SELECT count(*) FROM changes), (SELECT count(*) FROM blobs)"
        same = connection.execute(count).fetchone() == memory.execute(count).fetchone()
    if answer != "ok" or not same:
        advice = "Save it to another disk, and have this one looked at"
        raise WriteFailed("cannot be saved: what was written cannot be read back", path, advice)


def _put_in_place(temporary: Path, path: Path) -> None:
    if path.exists():
        with contextlib.suppress(OSError):
            shutil.copymode(path, temporary)
        if _is_good(path):
            _keep_as_backup(path)
    temporary.replace(path)
    sync_folder(path.parent)


def _tidy(path: Path) -> None:
    """Delete what Saves into this file left behind that were killed: each is as large as the project. Never raises."""
    prefix, latest = f".{path.name}", time.time() - _LEFT_BEHIND_SECONDS
    with contextlib.suppress(OSError):
        for other in path.parent.iterdir():
            hidden = other.name.startswith(prefix) and _HIDDEN.fullmatch(other.name, len(prefix))
            if hidden and other.lstat().st_mtime < latest:
                other.unlink()


def _is_good(path: Path) -> bool:
    """Whether a file is worth being kept as the last good one."""
    try:
        schema.check_header(path)
        with closing(schema.connect_read_only(path)) as connection:
            return connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except (LikenessError, sqlite3.Error):
        return False


def _keep_as_backup(path: Path) -> None:
    """Give the file a second name; it is copied where the disk knows no second names."""
    backup = path.with_name(f"{path.name}{BACKUP_SUFFIX.removeprefix(SUFFIX)}")
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.bak")
    try:
        try:
            os.link(path, new)
        except OSError:
            shutil.copy2(path, new)
            sync_file(new)
        new.replace(backup)
    finally:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
