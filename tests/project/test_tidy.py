"""Hidden files that a Save left behind because it was killed go at a later Save; nobody else's do."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from app.project import schema
from app.project.saving import save_project


def _save(path: Path) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        schema.create(memory)
        save_project(memory, path, lambda fraction, doing: None, lambda: False)


def test_what_a_killed_save_left_behind_goes_at_a_later_save(tmp_path: Path) -> None:
    target = tmp_path / "bust [1].likeness"
    dead = [
        ".bust [1].likeness.0123abcd.saving",
        ".bust [1].likeness.0123abcd.saving-journal",
        ".bust [1].likeness.ffffffff.bak",
    ]
    foreign = [".bust [1].likeness.0123abcd.saving.txt", ".bust 1.likeness.0123abcd.saving", "0123abcd.saving", ".bust"]
    for name in (*dead, *foreign):
        (tmp_path / name).write_bytes(b"half of a project")
        os.utime(tmp_path / name, (0, 0))
    _save(target)
    assert {path.name for path in tmp_path.iterdir()} == {target.name, *foreign}


def test_a_save_that_may_be_going_on_elsewhere_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "bust.likeness"
    other = tmp_path / ".bust.likeness.0123abcd.saving"
    other.write_bytes(b"half of a project")
    _save(target)
    assert other.exists()
