"""The working copy holds, step by step, exactly what is in memory; it grows no more than it must; nothing is silent."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from app.errors import LikenessError
from app.mesh.colors import with_vertex_colors
from app.mesh.transform import rotated
from app.project import writer
from app.project.changes import Changes, CommittedState
from app.project.database import Database
from app.project.sessions import Session, recoverable
from app.project.working_copy import WorkingCopy
from tests.meshes import sphere
from tests.project.projects import (
    TURN,
    all_states,
    busy,
    change,
    colored_mesh,
    facts,
    kept,
    mesh_bits,
    new_document,
    opened,
    photo,
    png,
    read_copy,
    reopened,
    until,
)


class Model(RuleBasedStateMachine):
    """Whatever the hand does, the working copy is what a copy of everything in memory would be."""

    @initialize()
    def start(self) -> None:
        self.document = new_document(sphere(3, colored=True), 60_000)
        self.session = Session.begin()
        self.copy = WorkingCopy(self.document, self.session)
        self.copy.begin()
        self.seed = 0

    @property
    def history(self) -> Any:
        return self.document.history

    @rule(count=st.integers(1, 600), attributes=st.sets(st.sampled_from(["positions", "colors", "mask"]), min_size=1))
    def stroke(self, count: int, attributes: set[str]) -> None:
        self.seed += 1
        change(self.history, self.document.mesh, self.seed, count, tuple(sorted(attributes)))

    @rule(share=st.booleans())
    def replace(self, share: bool) -> None:
        mesh = rotated(self.document.mesh, TURN) if share else sphere(2, colored=True)
        self.history.limit_bytes += 200_000
        self.history.replace_mesh("Replace", mesh)

    @rule()
    def undo(self) -> None:
        self.document.undo()

    @rule()
    def redo(self) -> None:
        self.document.redo()

    @precondition(lambda self: self.history.steps)
    @rule(data=st.data())
    def jump(self, data: Any) -> None:
        self.document.go_to(data.draw(st.integers(0, len(self.history.steps))))

    @rule(names=st.lists(st.integers(0, 3), max_size=3, unique=True))
    def photos(self, names: list[int]) -> None:
        self.document.set_photos([photo(f"{name}.png", name) for name in names])

    @rule(limit=st.integers(1, 100_000))
    def limit(self, limit: int) -> None:
        self.history.limit_bytes = limit

    @rule()
    def wait(self) -> None:
        assert self.copy.flush(20)

    @rule()
    def reopen(self) -> None:
        told, states = facts(self.document), all_states(self.document)
        other = reopened(read_copy(self.copy))
        assert facts(other) == told
        assert all_states(other) == states

    def teardown(self) -> None:
        if hasattr(self, "copy"):
            self.reopen()
            self.copy.close()
            with closing(sqlite3.connect(self.session.working_path)) as connection:
                stored = {row[0] for row in connection.execute("SELECT mesh FROM pages UNION SELECT id FROM meshes")}
                kept = {row[0] for row in connection.execute("SELECT mesh FROM steps WHERE mesh IS NOT NULL")}
                assert len(stored) == len(kept) + 1  # nothing of meshes that were dropped
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            self.session.end()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=12, stateful_step_count=14)


def table(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_a_mesh_that_a_step_keeps_stays_as_it_was_however_the_history_is_walked() -> None:
    document = new_document()
    with kept(document) as copy:
        change(document.history, document.mesh, 1, 5000)
        document.history.replace_mesh("Colour onto Vertices", with_vertex_colors(document.mesh))
        change(document.history, document.mesh, 2, 5000)
        document.go_to(0)
        document.go_to(3)
        assert all_states(reopened(read_copy(copy))) == all_states(document)


def test_each_finished_step_is_told_of_once_it_is_on_disk() -> None:
    document, heard = new_document(), []
    with kept(document) as copy:
        copy.committed.connect(lambda state: heard.append((threading.current_thread().name, state)))
        change(document.history, document.mesh, 1)
        assert copy.flush(20)
        document.undo()
        assert copy.flush(20)
        assert not copy.pending
        assert {name for name, _ in heard} == {"working-copy"}
        states = [(state.step_number, state.steps, state.position) for _, state in heard]
        assert states[-2:] == [(1, 1, 1), (None, 1, 0)]


def test_what_is_dropped_leaves_and_its_room_is_used_again() -> None:
    document = new_document(colored_mesh(120, 100), 400_000)
    with kept(document) as copy:
        sizes = []
        for seed in range(120):
            change(document.history, document.mesh, seed, 5000)
            assert copy.flush(20)
            sizes.append(copy.path.stat().st_size)
        document.history.go_to(1)
        change(document.history, document.mesh, 99, 10)  # the redo tail goes
        numbers = [step.number for step in document.history.steps]
        path = copy.path
        copy.close()
        assert [row[0] for row in table(path, "SELECT number FROM steps ORDER BY number")] == numbers
        assert [row[0] for row in table(path, "SELECT DISTINCT step FROM changes ORDER BY step")] == numbers
        assert sizes[-1] < 1.2 * sizes[50]


def test_meshes_arrays_and_photos_that_nothing_needs_leave() -> None:
    document = new_document()
    with kept(document) as copy:
        document.history.replace_mesh("Turn", rotated(document.mesh, TURN))
        document.history.replace_mesh("Other", colored_mesh(20, 20))
        document.set_photos([photo(shade=1), photo(shade=2)])
        copy.set_thumbnail(png(shade=9))
        assert copy.flush(20)
        document.set_photos([photo(shade=2)])
        copy.set_thumbnail(png(shade=8))
        document.history.go_to(0)
        change(document.history, document.mesh, 1)
        assert copy.flush(20)
        path = copy.path
        copy.close()
        assert table(path, "SELECT count(*) FROM meshes") == [(1,)]
        assert table(path, "SELECT count(*) FROM arrays") == [(8,)]  # the original colours among them
        assert table(path, "SELECT count(*) FROM blobs") == [(3,)]  # texture, photo, thumbnail


def test_the_log_does_not_grow_without_end() -> None:
    document = new_document(colored_mesh(200, 160))
    with kept(document) as copy:
        for seed in range(150):
            change(document.history, document.mesh, seed, 20_000)
        assert copy.flush(60)
        assert Path(f"{copy.path}-wal").stat().st_size < 12 << 20


def test_a_stroke_in_hand_is_never_half_in_it() -> None:
    document = new_document()
    with kept(document) as copy:
        before = mesh_bits(document.mesh)
        with document.history.record("Long") as recorder:
            every = np.arange(document.mesh.vertex_count, dtype=np.int32)
            recorder.capture("positions", every)
            document.mesh.positions += 1
            document.mesh.touched("positions", every)
            document.set_photos([photo()])
            assert mesh_bits(read_copy(copy).mesh) == before
        assert mesh_bits(read_copy(copy).mesh) == mesh_bits(document.mesh) != before


def test_opening_another_figurine_leaves_the_working_copy_alone() -> None:
    document = busy(new_document())
    with kept(document) as copy:
        told, states = facts(document), all_states(document)
        assert copy.flush(20)
        document.open(sphere(2), Path("/meshes/other.stl"), height_known=False)
        other = reopened(read_copy(copy))
        assert facts(other) == told
        assert all_states(other) == states
        copy.begin()
        assert mesh_bits(read_copy(copy).mesh) == mesh_bits(document.mesh)


def test_what_came_before_the_beginning_is_written_as_well() -> None:
    document = busy(new_document())
    told, states = facts(document), all_states(document)
    with kept(document) as copy:
        other = reopened(read_copy(copy))
        assert facts(other) == told
        assert all_states(other) == states


# Failures


class Disk:
    """Lets commits fail as long as `error` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        self.tried = 0
        apply = Database.apply

        def failing(database: Database, changes: Changes) -> None:
            self.tried += 1
            if self.error is not None:
                raise self.error
            apply(database, changes)

        monkeypatch.setattr(Database, "apply", failing)
        monkeypatch.setattr(writer, "FIRST_RETRY_SECONDS", 0.05)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


class Ear:
    """Hears the events of a working copy."""

    def __init__(self, copy: WorkingCopy) -> None:
        self.failed: list[LikenessError] = []
        self.recovered = 0
        copy.failed.connect(self.failed.append)
        copy.recovered.connect(self._on_recovered)

    def _on_recovered(self) -> None:
        self.recovered += 1


def full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


ERRORS = [full(), PermissionError(13, "Permission denied"), sqlite3.DatabaseError("malformed"), TypeError("a fault")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_failure_is_told_once_and_everything_is_kept_and_written_later(disk: Disk, error: Exception) -> None:
    document = busy(new_document())
    with kept(document) as copy:
        ear = Ear(copy)
        assert copy.flush(20)
        disk.error = error
        change(document.history, document.mesh, 1)
        until(lambda: ear.failed)
        document.undo()
        document.history.redo()
        change(document.history, document.mesh, 2)
        before = disk.tried
        until(lambda: disk.tried > before + 2)
        assert not copy.flush(0.05)
        assert copy.pending
        assert copy.failure is ear.failed[0] or str(copy.failure) == str(ear.failed[0])
        assert ear.failed[0].advice
        assert ear.recovered == 0
        disk.error = None
        copy.retry_now()
        until(lambda: ear.recovered)
        assert copy.failure is None
        assert (len(ear.failed), ear.recovered) == (1, 1)
        told, states = facts(document), all_states(document)
        other = reopened(read_copy(copy))
        assert facts(other) == told
        assert all_states(other) == states


def test_save_works_while_the_working_copy_cannot_be_written(disk: Disk, tmp_path: Path) -> None:
    document = busy(new_document())
    with kept(document) as copy:
        assert copy.flush(20)
        disk.error = full()
        change(document.history, document.mesh, 1)
        told, states = facts(document), all_states(document)
        copy.save(tmp_path / "elsewhere.likeness")
        other = reopened(opened(tmp_path / "elsewhere.likeness"))
        assert facts(other) == told
        assert all_states(other) == states
        disk.error = None


@pytest.mark.parametrize("harm", ["folder", "file", "garbage"])
def test_a_working_copy_that_is_lost_is_made_again(harm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "FIRST_RETRY_SECONDS", 0.05)
    document, session = busy(new_document()), Session.begin()
    with kept(document, session) as copy:
        ear = Ear(copy)
        assert copy.flush(20)
        if harm == "folder":
            shutil.rmtree(session.folder)
        elif harm == "file":
            copy.path.unlink()
        else:
            with copy.path.open("r+b") as stream:
                stream.write(b"\0" * 200_000)
            Path(f"{copy.path}-wal").write_bytes(b"")
        for seed in range(5):
            change(document.history, document.mesh, seed, 400, ("positions", "colors", "mask"))
            copy.flush(0.2)
        until(lambda: not copy.pending)
        assert copy.failure is None
        assert len(ear.failed) == ear.recovered
        if harm != "garbage":
            assert len(ear.failed) == 1
        states = all_states(document)
        assert all_states(reopened(read_copy(copy))) == states
    session.end()


def test_moving_to_another_disk(disk: Disk, tmp_path: Path) -> None:
    document, session = busy(new_document()), Session.begin()
    with kept(document, session) as copy:
        ear = Ear(copy)
        assert copy.flush(20)
        old = copy.path
        disk.error = full()
        change(document.history, document.mesh, 1)
        until(lambda: ear.failed)
        copy.move_to(tmp_path)
        assert copy.path.parent == tmp_path
        assert not old.exists()
        disk.error = None
        change(document.history, document.mesh, 2)
        assert copy.flush(20)
        until(lambda: ear.recovered)
        states = all_states(document)
        assert all_states(reopened(read_copy(copy))) == states
    session.leave()
    (left,) = [work for work in recoverable() if work.folder == session.folder]
    assert left.working_path.parent == tmp_path
    assert all_states(reopened(opened(left.working_path))) == states
    left.discard()
    assert list(tmp_path.iterdir()) == []


def test_whoever_dies_while_it_moves_finds_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    document, session = busy(new_document()), Session.begin()
    moved, safe_before_noted, dead = Session.moved, [], []

    def dying(self: Session, path: Path) -> None:
        dead.append(shutil.copytree(self.folder, self.folder.with_name("dead")))
        safe_before_noted.extend(safe)
        moved(self, path)

    monkeypatch.setattr(Session, "moved", dying)
    with kept(document, session) as copy:
        assert copy.flush(20)
        safe: list[CommittedState] = []
        copy.committed.connect(safe.append)
        copy.move_to(tmp_path)
        (left,) = [work for work in recoverable() if work.folder == dead[0]]
        assert all_states(reopened(opened(left.working_path))) == all_states(document)
        left.discard()
    assert not safe_before_noted
    session.end()


def test_moving_to_where_nothing_can_be_written_changes_nothing(tmp_path: Path) -> None:
    document = busy(new_document())
    with kept(document) as copy:
        assert copy.flush(20)
        old = copy.path
        with pytest.raises(LikenessError, match=r"Choose|Connect"):
            copy.move_to(tmp_path / "not there")
        assert copy.path == old
        change(document.history, document.mesh, 2)
        assert all_states(reopened(read_copy(copy))) == all_states(document)


def test_a_fault_while_gathering_is_told_and_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "FIRST_RETRY_SECONDS", 0.05)
    document = busy(new_document())
    with kept(document) as copy:
        ear = Ear(copy)
        with monkeypatch.context() as patch:
            patch.setattr("app.project.following._compared", lambda *_: 1 / 0)
            change(document.history, document.mesh, 1)
        until(lambda: ear.failed)
        until(lambda: ear.recovered)
        assert all_states(reopened(read_copy(copy))) == all_states(document)


def test_a_listener_that_fails_does_not_stop_it() -> None:
    document = new_document()
    with kept(document) as copy:
        copy.committed.connect(lambda state: 1 / 0)
        for seed in range(3):
            change(document.history, document.mesh, seed)
            assert copy.flush(20)


def test_closing_says_whether_everything_is_on_disk(disk: Disk) -> None:
    document, session = new_document(), Session.begin()
    copy = WorkingCopy(document, session)
    copy.begin()
    change(document.history, document.mesh, 1)
    assert copy.close()
    assert not Path(f"{session.working_path}-wal").exists()
    other = Session.begin()
    copy = WorkingCopy(document, other)
    disk.error = full()
    copy.begin()
    assert not copy.close()
    session.end()
    other.end()


def test_how_it_is_looked_at_is_written_a_little_later() -> None:
    document = new_document()
    with kept(document) as copy:
        assert copy.flush(20)
        document.set_photos([photo()])
        until(lambda: not copy.pending)
        copy.set_job({"view": 1})
        until(lambda: not copy.pending)
        assert opened(copy.path).job == {"view": 1}


def test_save_does_not_wait_for_a_disk_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a network drive that went away in the middle of a write."""
    answers = threading.Event()
    monkeypatch.setattr("app.project.working_copy._PATIENCE_SECONDS", 0.1)
    document = busy(new_document())
    with kept(document) as copy:
        assert copy.flush(20)
        apply = Database.apply
        monkeypatch.setattr(Database, "apply", lambda *values: (answers.wait(60), apply(*values))[1])
        change(document.history, document.mesh, 1)
        change(document.history, document.mesh, 2)
        copy.save(tmp_path / "a.likeness")
        told, states = facts(document), all_states(document)
        other = reopened(opened(tmp_path / "a.likeness"))
        assert facts(other) == told
        assert all_states(other) == states
        answers.set()
        assert all_states(reopened(read_copy(copy))) == states
