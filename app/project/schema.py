"""The tables of a project file, how an older file is brought up to date, and how a connection is made safe.

What the tables hold is told in `store`. A project file is one SQLite database: `application_id` says that it is ours,
`user_version` which tables it has. To change the tables: raise VERSION, and add to MIGRATIONS the function that turns
a database of the version before into one of the new version. The first statements stay as they are for ever.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

from app.errors import LimitExceeded, UnreadableFile

APPLICATION_ID = 0x4C494B45  # "LIKE"
VERSION = 2
MAX_FILE_BYTES = 8 << 30
MAX_VALUE_BYTES = 1_000_000_000  # SQLite's own limit for one value
DAMAGED_ADVICE = "Open the .bak file beside it, or a copy of yours"

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100

_FIRST = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE blobs (id TEXT PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE arrays (id INTEGER PRIMARY KEY, dtype TEXT NOT NULL, shape TEXT NOT NULL, data BLOB NOT NULL)",
    "CREATE TABLE meshes (id INTEGER PRIMARY KEY, record TEXT NOT NULL)",
    "CREATE TABLE pages (mesh INTEGER NOT NULL, attribute TEXT NOT NULL, page INTEGER NOT NULL, data BLOB NOT NULL,"
    " UNIQUE (mesh, attribute, page))",
    "CREATE TABLE steps (number INTEGER PRIMARY KEY, label TEXT NOT NULL, made_at REAL NOT NULL,"
    " vertices INTEGER NOT NULL, kind TEXT NOT NULL, mesh INTEGER)",
    "CREATE TABLE changes (step INTEGER NOT NULL, attribute TEXT NOT NULL, count INTEGER NOT NULL,"
    " vertices BLOB NOT NULL, differences BLOB NOT NULL, UNIQUE (step, attribute))",
    "CREATE TABLE photos (place INTEGER PRIMARY KEY, record TEXT NOT NULL, blob TEXT NOT NULL)",
)


def _face_sets(connection: sqlite3.Connection) -> None:
    """Face sets, hidden parts and original colours came with version 2, in the same tables. An older file has no rows
    of them, as a newer one of a mesh that has none; but a program of version 1 would take such rows for damage."""


# Version n to n + 1, by n. Each runs inside the transaction of `migrate`.
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _face_sets}


def create(connection: sqlite3.Connection, version: int | None = None) -> None:
    """Make the tables of a version (the newest) in an empty database."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _FIRST:
        connection.execute(statement)
    connection.execute("PRAGMA user_version = 1")
    migrate(connection, version)


def migrate(connection: sqlite3.Connection, version: int | None = None) -> None:
    """Bring a database up to a version (the newest), in one transaction: all or nothing."""
    wanted = VERSION if version is None else version
    (present,) = connection.execute("PRAGMA user_version").fetchone()
    if present == wanted:
        return
    connection.execute("SAVEPOINT migration")
    try:
        for step in range(present, wanted):
            MIGRATIONS[step](connection)
        connection.execute(f"PRAGMA user_version = {wanted}")
    except BaseException:
        connection.execute("ROLLBACK TO migration")
        raise
    finally:
        connection.execute("RELEASE migration")


def connect(path: Path | str) -> sqlite3.Connection:
    """A connection of our own to a working copy: nobody else gets in, and nothing in its schema is trusted."""
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=64)
    _harden(connection)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def connect_read_only(path: Path, *, log: bool = False) -> sqlite3.Connection:
    """A connection that reads a user's file as it is: no locks, no files beside it. Do not keep it.

    log: the newest transactions may be in a log beside it, as after the death of its program; it is read, and stays.
    """
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro" + ("" if log else "&immutable=1")
    connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)
    _harden(connection)
    return connection


def _harden(connection: sqlite3.Connection) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1)
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0", "secure_delete = OFF"):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says about a file that is being read into UnreadableFile."""
    try:
        yield
    except (sqlite3.Error, UnicodeError, OverflowError) as error:
        raise UnreadableFile(f"is damaged ({str(error)[:80]})", path, DAMAGED_ADVICE) from error


def check_header(path: Path) -> int:
    """Look at the first bytes, before SQLite does. Returns the file's version.

    Raises UnreadableFile for what is no project, or one of a newer program; LimitExceeded for one that is too large.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile("is not a regular file", path, "Choose a file, not a folder, a pipe or a device")
        with path.open("rb") as stream:
            header = stream.read(_HEADER_BYTES)
    except OSError as error:
        what = f"cannot be opened: {error.strerror or error}"
        raise UnreadableFile(what, path, "Check the name and your rights to it") from error
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise UnreadableFile("is not a Likeness project, or its beginning is lost", path, DAMAGED_ADVICE)
    version, application = struct.unpack(">I", header[60:64])[0], struct.unpack(">I", header[68:72])[0]
    if application != APPLICATION_ID or version < 1:
        raise UnreadableFile("is a database, but not a Likeness project", path, "Choose another file")
    if version > VERSION:
        what = f"was made by a newer version of Likeness (its format is {version}, this program reads up to {VERSION})"
        raise UnreadableFile(what, path, "Update Likeness, then open it again; the file is unchanged")
    if status.st_size > MAX_FILE_BYTES:
        what = f"is {status.st_size / (1 << 30):.1f} GB large; at most {MAX_FILE_BYTES >> 30} GB are read"
        raise LimitExceeded(what, path, "Open an older copy of it")
    return version


def has_log(path: Path) -> bool:
    """Whether the newest transactions may be in a log beside the file, as after the death of its program."""
    with path.open("rb") as stream:
        return stream.read(20)[18:] == b"\x02\x02"  # write and read version: write-ahead log


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raise UnreadableFile unless the tables are exactly ours: no foreign triggers, views or tables."""
    with explained(path):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        found = _schema_of(connection)
    if not 1 <= version <= VERSION or found != _expected(version):
        raise UnreadableFile("does not have the tables of a Likeness project", path, DAMAGED_ADVICE)


def _schema_of(connection: sqlite3.Connection) -> frozenset[tuple[str | None, ...]]:
    return frozenset(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


@cache
def _expected(version: int) -> frozenset[tuple[str | None, ...]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        create(connection, version)
        return _schema_of(connection)
