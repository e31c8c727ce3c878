"""The working copy's file: opened, replaced as a whole, copied out, moved. Belongs to one thread, the writer's.

Write-ahead log and one connection that keeps everyone else out, so no shared-memory file is needed; a transaction is on
disk when it returns. The log is copied into the database by SQLite itself every few megabytes and then used again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from app.project import schema
from app.project.changes import Changes
from app.project.folders import make_file, sync_file, sync_folder
from app.project.sessions import SIDECARS
from app.project.store import Store

# A dead program's log is read at the next start, before anything else: it is kept small.
_LOG_PAGES = 1000
_LOG_BYTES = 4 << 20
_CACHE_KIB = 16 << 10


class Gone(OSError):
    """The file is not at its place any more: its folder was deleted, or the disk is away."""


class Database:
    """See the module's docstring. path: where it is; there may be nothing yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._store: Store | None = None
        self._identity: os.stat_result | None = None

    def apply(self, changes: Changes) -> None:
        """Commit packed changes; `whole` ones make a new file. Raises sqlite3.Error and OSError."""
        if changes.whole:
            self._replace(changes)
        else:
            store = self._open()
            self._must_be_in_place()
            store.apply(changes)
        self._must_be_in_place()

    def copy(self, changes: Changes) -> sqlite3.Connection:
        """The project in memory, with changes that have not been committed. Raises sqlite3.Error and OSError."""
        return copied(None if changes.whole else self._open().connection, changes)

    def move(self, path: Path, changes: Changes) -> None:
        """Go on in another place; the old file is left there. Raises sqlite3.Error and OSError."""
        with closing(self.copy(changes)) as memory:
            write_file(memory, path)
        self.close()
        self.path = path
        self._open()

    def close(self) -> None:
        """Put all into the one file and let go of it. Never raises."""
        store, self._store = self._store, None
        if store is not None:
            with contextlib.suppress(sqlite3.Error):
                store.connection.close()

    def _open(self) -> Store:
        if self._store is None:
            if not self.path.exists():
                raise Gone(errno.ENOENT, "the working copy is gone", str(self.path))
            connection = schema.connect(self.path)
            try:
                for pragma in (
                    "journal_mode = WAL",
                    "synchronous = FULL",
                    f"wal_autocheckpoint = {_LOG_PAGES}",
                    f"journal_size_limit = {_LOG_BYTES}",
                    f"cache_size = -{_CACHE_KIB}",
                ):
                    connection.execute(f"PRAGMA {pragma}")
            except BaseException:
                connection.close()
                raise
            self._store, self._identity = Store(connection), self.path.stat()
        return self._store

    def _must_be_in_place(self) -> None:
        # On Linux a deleted file goes on to take what is written, and all of it is lost in the end.
        try:
            in_place = self._identity is not None and os.path.samestat(self.path.stat(), self._identity)
        except (FileNotFoundError, NotADirectoryError):
            in_place = False
        if not in_place:
            raise Gone(errno.ENOENT, "the working copy is gone", str(self.path))

    def _replace(self, changes: Changes) -> None:
        """Make a new file beside the old one, then put it in its place: the old one is whole until then."""
        temporary = self.path.with_name(f"{self.path.name}.new")
        _delete(temporary)
        make_file(temporary)
        with closing(schema.connect(temporary)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            schema.create(connection)
            Store(connection).apply(changes)
        sync_file(temporary)
        self.close()
        for suffix in SIDECARS:
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        temporary.replace(self.path)
        sync_folder(self.path.parent)
        self._open()


def copied(source: sqlite3.Connection | None, changes: Changes) -> sqlite3.Connection:
    """A database (None: an empty project) and packed changes, together in memory. For any one thread at a time."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        if source is None:
            schema.create(memory)
        else:
            source.backup(memory)
        if not changes.empty:
            Store(memory).apply(changes)
    except BaseException:
        memory.close()
        raise
    return memory


def write_file(memory: sqlite3.Connection, path: Path) -> None:
    """Write a project in memory to a new file and make it last. Raises sqlite3.Error and OSError."""
    make_file(path)
    try:
        with closing(schema.connect(path)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            memory.backup(connection)
            connection.execute("PRAGMA journal_mode = DELETE")
        sync_file(path)
    except BaseException:
        _delete(path)
        raise
    sync_folder(path.parent)


def _delete(path: Path) -> None:
    for suffix in ("", *SIDECARS):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
