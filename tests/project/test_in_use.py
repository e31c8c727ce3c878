"""Two windows on one file: refused kindly while the other lives, free as soon as it is gone."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.project import in_use
from app.project.in_use import FileInUse, claim, sidecar_of
from app.project.sessions import Session, sessions_folder
from tests.conftest import REPOSITORY


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session.begin()
    yield session
    session.end()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Anna.likeness"


PROGRAM = """
import sys, time
from pathlib import Path
from app.project.in_use import claim
from app.project.sessions import Session
claim(Path(sys.argv[1]), Session.begin())
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(path: Path) -> Iterator[subprocess.Popen]:
    """Another program that has the file open."""
    command = [sys.executable, "-c", PROGRAM, str(path)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_refused_while_the_other_lives_and_free_when_it_was_killed(
    other: subprocess.Popen, session: Session, path: Path
) -> None:
    with pytest.raises(FileInUse) as caught:
        claim(path, session)
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - as a job hands it over
    assert error.this_machine
    assert error.host == os.uname().nodename
    assert error.since > 1e9
    assert "another window" in str(error)
    assert error.advice
    other.kill()
    other.wait()
    claim(path, session).release()


def test_noticed_without_a_mark_beside_the_file(other: subprocess.Popen, session: Session, path: Path) -> None:
    sidecar_of(path).unlink()  # as in a folder that cannot be written
    with pytest.raises(FileInUse):
        claim(path, session)


def test_taken_over(other: subprocess.Popen, session: Session, path: Path) -> None:
    held = claim(path, session, take_over=True)
    assert json.loads(sidecar_of(path).read_text())["folder"] == str(session.folder)
    held.release()
    assert not sidecar_of(path).exists()


def test_another_computer_has_it_until_it_is_taken_over(session: Session, path: Path) -> None:
    mark = {"host": "studio-2", "user": "eva", "pid": 1, "folder": "/home/eva/x", "since": 1.7e9}
    sidecar_of(path).write_text(json.dumps(mark))
    with pytest.raises(FileInUse) as caught:
        claim(path, session)
    assert (caught.value.host, caught.value.user, caught.value.since) == ("studio-2", "eva", 1.7e9)
    assert not caught.value.this_machine
    assert "studio-2" in str(caught.value)
    held = claim(path, session, take_over=True)
    sidecar_of(path).write_text(json.dumps(mark))  # and she takes it back
    held.release()
    assert json.loads(sidecar_of(path).read_text()) == mark


def test_the_same_session_may_claim_again_and_move_on(session: Session, path: Path) -> None:
    first = claim(path, session)
    second = claim(path, session)
    second.release()
    first.release()
    assert not sidecar_of(path).exists()
    claim(path, session)
    elsewhere = claim(path.with_name("Copy.likeness"), session)
    stranger = Session.begin()
    elsewhere.release()
    stranger.end()


RACER = """
import sys, time
from pathlib import Path
from app.project.in_use import FileInUse, claim
from app.project.sessions import Session
session, held = Session.begin(), []
for line in sys.stdin:
    for number in range(60):
        while time.time() < float(line) + 0.02 * number:
            pass
        try:
            claim(Path(sys.argv[1]) / f"{number}.likeness", session)
        except FileInUse:
            continue
        held.append(number)
    print(held, flush=True)
    time.sleep(60)
"""


def test_of_two_programs_that_claim_at_the_same_moment_one_gets_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACER, str(tmp_path)]
    pipe = subprocess.PIPE
    racers = [subprocess.Popen(command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    try:
        held: list[int] = []
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write(f"{time.time() + 5}\n")
            racer.stdin.flush()
        for racer in racers:
            assert racer.stdout is not None
            held += json.loads(racer.stdout.readline())
    finally:
        for racer in racers:
            racer.kill()
            racer.communicate()
    assert sorted(held) == list(range(60))


def test_a_claim_that_another_of_the_same_session_replaced_takes_nothing_away(session: Session, path: Path) -> None:
    """As each Save makes one more."""
    first, second = claim(path, session), claim(path, session)
    first.release()
    sidecar_of(path).unlink()  # as in a folder that cannot be written
    stranger = Session.begin()
    with pytest.raises(FileInUse):
        claim(path, stranger)
    second.release()
    claim(path, stranger).release()
    stranger.end()


def test_a_mark_that_cannot_be_is_nobodys(session: Session, path: Path) -> None:
    for pid, folder in ((1 << 70, "/home/max/x"), (1, str(sessions_folder() / "a\0b"))):
        mark = {"host": os.uname().nodename, "user": "max", "pid": pid, "folder": folder, "since": 1.0}
        sidecar_of(path).write_text(json.dumps(mark))
        claim(path, session).release()


def test_another_user_of_this_computer(session: Session, path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mark = {"host": os.uname().nodename, "user": "max", "pid": os.getpid(), "folder": "/home/max/x", "since": 1.0}
    sidecar_of(path).write_text(json.dumps(mark))
    with pytest.raises(FileInUse, match="max"):
        claim(path, session)
    sidecar_of(path).write_text(json.dumps({**mark, "pid": ended.pid}))
    claim(path, session).release()


@pytest.mark.parametrize(
    "content", [b"", b"not JSON", b"[]", b"{}", b'{"host": 1, "since": "x"}', b"[" * 3000, b"\xff" * 9000]
)
def test_a_mark_that_makes_no_sense_is_none(session: Session, path: Path, content: bytes) -> None:
    sidecar_of(path).write_bytes(content)
    claim(path, session).release()


def test_a_pipe_in_the_place_of_the_mark_keeps_nobody_waiting(session: Session, path: Path) -> None:
    os.mkfifo(sidecar_of(path))
    claim(path, session).release()


def _nobody() -> str:
    raise OSError("no name for this user id")


def test_a_folder_that_cannot_be_written(session: Session, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = claim(Path("/proc/Anna.likeness"), session)
    held.release()
    monkeypatch.setattr(in_use.getpass, "getuser", _nobody)
    assert claim(path, session)
