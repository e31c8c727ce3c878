"""A commit that fails is tried again when someone asks, also when that comes in the middle of the attempt."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import Any

import pytest

import app.project.writer
from app.project.changes import Changes
from app.project.database import Database
from app.project.writer import Writer

_WAIT_SECONDS = 60.0


class _Disk(Database):
    """A database whose first attempt to write waits for `go`, and fails; the others go well."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.attempts: list[Changes] = []
        self.trying, self.go = threading.Event(), threading.Event()

    def apply(self, changes: Changes) -> None:
        self.attempts.append(changes)
        if len(self.attempts) == 1:
            self.trying.set()
            self.go.wait(_WAIT_SECONDS)
            raise OSError(errno.ENOSPC, "No space left on device")


def _ignore(*values: Any) -> None:
    pass


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Disk:
    monkeypatch.setattr(app.project.writer, "FIRST_RETRY_SECONDS", 1e6)  # nothing is tried again by itself
    return _Disk(tmp_path / "working.likeness")


def _in_the_first_attempt(disk: _Disk) -> Writer:
    writer = Writer(disk, _ignore, _ignore, _ignore, _ignore, _ignore)
    writer.post(Changes(whole=True, meta={"position": 1}))
    assert disk.trying.wait(_WAIT_SECONDS)
    return writer


def test_try_again_in_the_middle_of_an_attempt_brings_another_one(disk: _Disk) -> None:
    writer = _in_the_first_attempt(disk)
    writer.retry()
    disk.go.set()
    assert writer.flush(_WAIT_SECONDS)
    assert len(disk.attempts) == 2
    assert writer.close(_WAIT_SECONDS)


def test_the_end_in_the_middle_of_an_attempt_brings_another_one(disk: _Disk) -> None:
    writer = _in_the_first_attempt(disk)
    assert not writer.close(0.0)
    disk.go.set()
    assert writer.close(_WAIT_SECONDS)
    assert len(disk.attempts) == 2
    assert not writer.pending
