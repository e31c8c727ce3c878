"""Sessions: the lock dies with the program, only one recovers, nothing that holds work is deleted."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.project import sessions
from app.project.sessions import Recoverable, Session, is_alive, recoverable, sessions_folder
from tests.conftest import REPOSITORY
from tests.project.projects import (
    all_states,
    busy,
    change,
    colored_mesh,
    facts,
    kept,
    new_document,
    opened,
    photo,
    png,
    reopened,
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))


# Begins a session, makes steps, says what is committed, and goes on until it is killed.
PROGRAM = """
import sys, time
import numpy as np
from app.project.sessions import Session
from app.project.working_copy import WorkingCopy
from tests.project.projects import busy, change, new_document
document, session = busy(new_document()), Session.begin()
copy = WorkingCopy(document, session)
copy.committed.connect(lambda state: print(state.step_number, state.position, flush=True))
copy.begin()
seed = 100
while True:
    change(document.history, document.mesh, seed, 300, ("positions", "mask"))
    seed += 1
    time.sleep(0.001)
"""


@pytest.fixture
def other() -> Iterator[subprocess.Popen]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def test_after_sigkill_everything_that_was_reported_is_there(other: subprocess.Popen) -> None:
    assert other.stdout is not None
    lines = [other.stdout.readline() for _ in range(25)]
    (folder,) = sessions_folder().iterdir()
    assert is_alive(folder)
    assert recoverable() == []
    other.send_signal(signal.SIGKILL)
    lines += other.stdout.readlines()
    other.wait()
    number, position = map(int, [line for line in lines if line.endswith("\n")][-1].split())
    assert not is_alive(folder)
    (left,) = recoverable()
    assert (left.folder, left.damaged, left.name) == (folder, False, "ball")
    content = opened(left.working_path)
    assert content.unsaved
    assert content.position >= position
    document = reopened(content)
    assert document.history.state >= number
    # The same again, in this process: every state must be equal.
    model = busy(new_document())
    seed = 100
    while model.history.position < content.position:
        change(model.history, model.mesh, seed, 300, ("positions", "mask"))
        seed += 1
    assert all_states(document) == all_states(model)
    left.discard()
    assert not folder.exists()


def test_only_one_of_two_programs_is_offered_dead_work() -> None:
    document, session = busy(new_document()), Session.begin()
    with kept(document, session) as copy:
        assert copy.flush(20)
    session.leave()
    look = "import time, app.project.sessions as s; print(len(s.recoverable()), flush=True); time.sleep(60)"
    command = [sys.executable, "-c", look]
    racers = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    counts = sorted(int(racer.stdout.readline()) for racer in racers if racer.stdout)
    assert counts == [0, 1]
    assert recoverable() == []
    for racer in racers:
        racer.kill()
        racer.communicate()
    assert len(recoverable()) == len(recoverable()) == 1  # free again, and ours as often as we ask


def left_behind(document=None, **changes: object) -> Session:
    session = Session.begin()
    with kept(document or busy(new_document()), session) as copy:
        assert copy.flush(20)
    session.leave()
    return session


def test_what_is_told_of_recoverable_work() -> None:
    document, session = new_document(), Session.begin()
    document.project_path = Path("/projects/Anna.likeness")
    with kept(document, session) as copy:
        change(document.history, document.mesh, 1)
        change(document.history, document.mesh, 2)
        copy.set_thumbnail(png())
        document.undo()
        assert copy.flush(20)
    session.leave()
    (left,) = recoverable()
    assert isinstance(left, Recoverable)
    assert (left.name, left.project_path, left.source_path) == (
        "Anna",
        Path("/projects/Anna.likeness"),
        Path("/meshes/ball.glb"),
    )
    assert (left.strokes, left.thumbnail, left.damaged) == (1, png(), False)
    assert abs(left.changed_at - time.time()) < 60
    assert opened(left.working_path).project_path == Path("/projects/Anna.likeness")


def test_the_newest_comes_first_and_saved_work_is_tidied_away() -> None:
    first = left_behind()
    time.sleep(0.02)
    second = left_behind()
    untouched = left_behind(new_document())  # nothing was done in it
    assert [left.folder for left in recoverable()] == [second.folder, first.folder]
    assert not untouched.folder.exists()
    photos_only = new_document()
    with kept(photos_only, Session.begin()) as copy:
        photos_only.set_photos([photo()])
        assert copy.flush(20)
        copy._session.leave()
    assert len(recoverable()) == 3


def test_damaged_work_is_reported_and_never_deleted() -> None:
    session = left_behind()
    session.working_path.write_bytes(b"not a database at all" * 50)
    empty = left_behind()
    empty.working_path.write_bytes(b"")
    found = recoverable()
    assert {left.folder for left in found if left.damaged} == {session.folder, empty.folder}
    assert session.working_path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no limit for file sizes")
def test_work_on_a_disk_that_is_full_is_not_called_damaged() -> None:
    """Looking at it then fails for want of room, and who reads "damaged" may discard it."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(10):
        position = int(process.stdout.readline().split()[1])
    process.kill()
    process.communicate()
    look = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); from app.project.sessions import *;"
        "print([(left.damaged, left.strokes) for left in recoverable()])"
    )
    told = subprocess.run(
        [sys.executable, "-B", "-c", look], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    ((damaged, strokes),) = ast.literal_eval(told.stdout)
    assert not damaged
    assert strokes >= position


def test_rubbish_in_the_folder_harms_nothing() -> None:
    session = left_behind()
    (sessions_folder() / "a file").write_text("x")
    (sessions_folder() / "young").mkdir()
    (sessions_folder() / "empty").mkdir()
    (sessions_folder() / "empty" / "lock").touch()
    (sessions_folder() / "strange").mkdir()
    (sessions_folder() / "strange" / "lock").mkdir()
    (sessions_folder() / "pointer").mkdir()
    (sessions_folder() / "pointer" / "lock").touch()
    (sessions_folder() / "pointer" / "moved.json").write_text('{"working": "/not/there"}')
    found = recoverable()
    assert [left.folder.name for left in found if not left.damaged] == [session.folder.name]
    assert (sessions_folder() / "young").exists()
    assert not (sessions_folder() / "empty").exists()


def test_it_is_quick_for_large_work() -> None:
    """Not a timing: of hundreds of megabytes only a few pages may be read."""
    document = new_document(colored_mesh(300, 240))
    session = left_behind(document)
    assert session.working_path.stat().st_size > 500_000
    change(document.history, document.mesh, 1)
    session = left_behind(document)
    before = os.times()
    (left,) = recoverable()
    after = os.times()
    assert left.strokes == 1
    assert after.user + after.system - before.user - before.system < 1.0


def test_a_session_ends_without_a_trace_and_can_be_left() -> None:
    session = Session.begin()
    assert session.folder.parent == sessions_folder()
    assert is_alive(session.folder)
    session.leave()
    assert not is_alive(session.folder)
    other = Session.begin()
    other.end()
    assert not other.folder.exists()


def test_a_lock_file_that_was_deleted_and_made_again_is_not_held() -> None:
    session = Session.begin()
    (session.folder / "lock").unlink()
    assert not is_alive(session.folder)
    session.restore()
    assert is_alive(session.folder)
    session.end()


def test_sessions_elsewhere_are_found_again(tmp_path: Path) -> None:
    place = tmp_path / "other disk"
    place.mkdir()
    document, session = busy(new_document()), Session.begin(place)
    assert session.folder.parent == place
    with kept(document, session) as copy:
        assert copy.flush(20)
    session.leave()
    (left,) = recoverable()
    assert facts(reopened(opened(left.working_path))) == facts(document)
    left.discard()
    assert list(place.iterdir()) == []


def test_a_state_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    with pytest.raises(OSError, match=r"."):
        Session.begin()
    assert recoverable() == []
    monkeypatch.setattr(sessions, "_folders", lambda: [tmp_path / "gone"])
    assert recoverable() == []
