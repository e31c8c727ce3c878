"""Damage to project files: bytes of the database, or rows of it by way of SQL, which are then still read."""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing
from random import Random
from typing import Any

import zstandard

from tests.fuzzing.blind import WHOLE_NUMBERS, damaged
from tests.fuzzing.texts import damaged_json

_HEADER_BYTES = 100
_SCHEMES = (
    "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM steps; END",
    "CREATE VIEW v AS SELECT * FROM meta",
    "CREATE TABLE other (a)",
    "CREATE INDEX i ON steps (label)",
    "DROP TABLE changes",
    "ALTER TABLE steps RENAME COLUMN label TO other",
    "ALTER TABLE blobs ADD COLUMN other",
    "PRAGMA user_version = 0",
    "PRAGMA user_version = 2147483647",
    "PRAGMA application_id = 1",
    "PRAGMA journal_mode = WAL",
    "DELETE FROM meshes",
    "DELETE FROM meta",
    "UPDATE steps SET number = -number",
    "UPDATE steps SET kind = 'mesh', mesh = 1",
    "UPDATE pages SET page = page + 1",
    "UPDATE changes SET count = count + 1",
    "INSERT INTO changes SELECT step + 1, attribute, count, vertices, differences FROM changes",
)


def damaged_database(content: bytes, rng: Random) -> bytes:
    """A damaged copy of a project file."""
    if rng.random() < 0.3:
        return damaged(content, rng)
    if rng.random() < 0.1:
        header = bytearray(damaged(content[:_HEADER_BYTES], rng).ljust(_HEADER_BYTES, b"\0"))
        return bytes(header[:_HEADER_BYTES]) + content[_HEADER_BYTES:]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        try:
            connection.deserialize(content)
            for _ in range(rng.choice((1, 1, 2, 3))):
                with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeError):
                    _change(connection, rng)
            return connection.serialize()
        except sqlite3.Error:
            return damaged(content, rng)


def _change(connection: sqlite3.Connection, rng: Random) -> None:
    if rng.random() < 0.15:
        connection.execute(rng.choice(_SCHEMES))
        return
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    table = rng.choice(tables)
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    rows = connection.execute(f"SELECT * FROM {table}").fetchall()
    if not rows:
        return
    row, place = rng.choice(rows), rng.randrange(len(columns))
    where = " AND ".join(f"{column} IS ?" for column in columns)
    match rng.randrange(12):
        case 0:
            connection.execute(f"DELETE FROM {table} WHERE {where}", row)
        case 1:
            values = [*row]
            values[0] = _other(values[0], rng)
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", values)
        case 2:  # another row's value: an array, a page, a difference of something else
            value = rng.choice(rows)[place]
            connection.execute(f"UPDATE {table} SET {columns[place]} = ? WHERE {where}", (value, *row))
        case _:
            value = _other(row[place], rng)
            connection.execute(f"UPDATE {table} SET {columns[place]} = ? WHERE {where}", (value, *row))


def _other(value: Any, rng: Random) -> Any:
    if rng.random() < 0.08:
        return rng.choice((None, -1, 0, 1, 1 << 62, 1e300, "", "x" * 10_000, b"", bytes(1000), float("nan")))
    if isinstance(value, bytes):
        return _other_blob(value, rng)
    if isinstance(value, str):
        return damaged_json(value.encode(), rng).decode("utf-8", "replace") if value[:1] in '{["0123456789nt' else "x"
    if isinstance(value, int):
        return rng.choice((value + 1, value - 1, value * 2, -value, min(rng.choice(WHOLE_NUMBERS), (1 << 63) - 1)))
    return rng.choice((0.0, -1.0, 1e308, float("inf")))


def _other_blob(value: bytes, rng: Random) -> bytes:
    """Damaged inside its compression, whose checksum is right again; or as bytes."""
    if rng.random() < 0.3:
        return damaged(value, rng)
    try:
        plain = zstandard.ZstdDecompressor().decompress(value, max_output_size=1 << 20)
    except zstandard.ZstdError:
        return damaged(value, rng)
    changed = damaged(plain, rng)
    if rng.random() < 0.7:  # as long as it was
        changed = changed[: len(plain)].ljust(len(plain), b"\0")
    return zstandard.ZstdCompressor(write_checksum=True, write_content_size=True).compress(changed)
