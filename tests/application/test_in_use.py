"""One file in two windows, and a disk that does not take what is written."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.application import Application
from app.project.database import Database
from app.project.in_use import sidecar_of
from app.widgets.safety_bars import free_space
from tests.application.conftest import OPEN_MS, Press, Start, end, open_mesh, rest, save, sculpt
from tests.test_job import state_of


@pytest.fixture
def owner(start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot) -> Application:
    """A window that has anna.likeness open."""
    program = start()
    open_mesh(program, qtbot, sphere)
    sculpt(program, qtbot, "inflate")
    save(program, qtbot, tmp_path / "anna.likeness")
    return program


def test_a_file_that_another_window_has_open_is_opened_as_a_copy(
    owner: Application, start: Start, tmp_path: Path, press: Press, qtbot: QtBot
) -> None:
    path = tmp_path / "anna.likeness"
    other = start()
    seen = press("Cancel", "Open a Copy")
    other.commands.opening.open_file(path)
    assert "in another window on this computer" in seen[0].told
    assert other.window.document.mesh is None
    other.commands.opening.open_file(path)
    document = other.window.document
    qtbot.waitUntil(lambda: document.mesh is not None, timeout=OPEN_MS)
    rest(other, qtbot)
    assert state_of(other) == state_of(owner)
    assert document.project_path is None
    assert document.name == "anna copy"
    assert not document.modified
    # The first window still has it, and can save.
    sculpt(owner, qtbot, "inflate")
    save(owner, qtbot, path)


def test_saving_over_it_is_refused_and_another_name_is_offered(
    owner: Application,
    start: Start,
    sphere: Path,
    tmp_path: Path,
    press: Press,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "anna.likeness"
    before = path.read_bytes()
    other = start()
    open_mesh(other, qtbot, sphere)
    sculpt(other, qtbot, "draw")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(tmp_path / "berta.likeness"), ""))
    seen = press("Save As…")
    other.commands.saving.save_as(path)
    rest(other, qtbot)
    assert "overwrite each other" in seen[0].told
    assert path.read_bytes() == before
    assert other.window.document.project_path == tmp_path / "berta.likeness"


def test_it_is_free_again_when_the_window_is_closed(
    owner: Application, start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "anna.likeness"
    assert sidecar_of(path).exists()
    end(owner, qtbot)
    assert not sidecar_of(path).exists()
    other = start()
    other.commands.opening.open_file(path)
    qtbot.waitUntil(lambda: other.window.document.project_path == path, timeout=OPEN_MS)


def test_save_as_lets_go_of_the_file_before(owner: Application, tmp_path: Path, qtbot: QtBot) -> None:
    save(owner, qtbot, tmp_path / "berta.likeness")
    assert not sidecar_of(tmp_path / "anna.likeness").exists()
    assert sidecar_of(tmp_path / "berta.likeness").exists()
    owner.commands.saving.save_copy(tmp_path / "carla.likeness")
    rest(owner, qtbot)
    assert not sidecar_of(tmp_path / "carla.likeness").exists()
    assert sidecar_of(tmp_path / "berta.likeness").exists()


def test_a_save_that_failed_leaves_no_mark_behind(
    owner: Application, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    sculpt(owner, qtbot, "inflate")
    with monkeypatch.context() as patch:
        patch.setattr("app.project.saving._check", lambda *_: (_ for _ in ()).throw(OSError(28, "No space")))
        owner.commands.saving.save()
        rest(owner, qtbot)
    assert owner.window.safety.save_failure is not None
    owner.window.document.history.go_to(1)
    end(owner, qtbot)
    assert not sidecar_of(tmp_path / "anna.likeness").exists()


def test_a_lock_of_another_computer_can_be_taken_over(
    owner: Application, start: Start, tmp_path: Path, press: Press, qtbot: QtBot
) -> None:
    path = tmp_path / "anna.likeness"
    end(owner, qtbot)
    mark = {"host": "studio-3", "user": "maria", "pid": 7, "folder": "/elsewhere/1", "since": 1.0e9}
    sidecar_of(path).write_text(json.dumps(mark))
    program = start()
    seen = press("Take Over")
    program.commands.opening.open_file(path)
    assert "maria" in seen[0].told
    assert "studio-3" in seen[0].told
    qtbot.waitUntil(lambda: program.window.document.project_path == path, timeout=OPEN_MS)
    assert json.loads(sidecar_of(path).read_text())["user"] != "maria"


def test_the_file_that_is_open_is_not_opened_again(owner: Application, tmp_path: Path) -> None:
    link = tmp_path / "link.likeness"
    link.symlink_to(tmp_path / "anna.likeness")
    for path in (tmp_path / "anna.likeness", link):
        owner.commands.opening.open_file(path)
        assert not owner.window.jobs.busy
        assert f"{path.name} is open already" in owner.window.message_bar.text


def test_what_save_kept_of_the_file_before_opens_as_a_copy(owner: Application, tmp_path: Path, qtbot: QtBot) -> None:
    """It is what a damaged project's error advises."""
    sculpt(owner, qtbot, "draw")
    save(owner, qtbot, tmp_path / "anna.likeness")
    owner.commands.opening.open_file(tmp_path / "anna.likeness.bak")
    rest(owner, qtbot)
    document = owner.window.document
    assert [step.label for step in document.history.steps] == ["Inflate"]
    assert (document.project_path, document.name) == (None, "anna backup")
    assert owner.commands.saving.proposed_path() == tmp_path / "anna backup.likeness"


class TestWorkingCopyFails:
    """The folder of working copies turns into a file: nothing can be written there, whoever is asking."""

    @pytest.fixture
    def broken(self, start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot) -> Application:
        state = tmp_path / "home" / "state"
        state.mkdir(parents=True)
        (state / "sessions").write_text("in the way")
        program = start()
        open_mesh(program, qtbot, sphere)
        return program

    def test_it_is_said_as_long_as_it_lasts_and_work_goes_on(
        self, broken: Application, tmp_path: Path, qtbot: QtBot
    ) -> None:
        bar = broken.window.safety_bars.keeping
        assert bar.isVisible()
        assert "not being kept safe" in bar.text
        assert "free)." in bar.text
        assert str(tmp_path / "home" / "state") in bar.text
        sculpt(broken, qtbot, "inflate")
        assert broken.window.document.history.position == 1
        assert broken.window.status.labels["safety"].text() == "not saved and not kept safe ✗"
        bar.buttons[0].click()  # Try Again
        assert bar.isVisible()
        (tmp_path / "home" / "state" / "sessions").unlink()
        bar.buttons[0].click()
        qtbot.waitUntil(lambda: not bar.isVisible(), timeout=OPEN_MS)
        assert "kept safe again" in broken.window.message_bar.text
        assert broken._keeping.flush(10.0)
        qtbot.waitUntil(lambda: "kept safe" in broken.window.status.labels["safety"].text())

    def test_keep_safe_elsewhere(
        self, broken: Application, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        elsewhere = tmp_path / "stick"
        elsewhere.mkdir()
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(elsewhere))
        bar = broken.window.safety_bars.keeping
        bar.buttons[1].click()
        qtbot.waitUntil(lambda: not bar.isVisible(), timeout=OPEN_MS)
        sculpt(broken, qtbot, "inflate")
        assert broken._keeping.flush(10.0)
        assert list(elsewhere.rglob("working.likeness"))

    def test_a_project_can_be_saved_all_the_same(
        self, broken: Application, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sculpt(broken, qtbot, "inflate")
        path = tmp_path / "anna.likeness"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
        broken.window.safety_bars.keeping.buttons[2].click()  # Save As…
        rest(broken, qtbot)
        assert path.exists()
        assert not broken.window.document.modified


def test_a_disk_that_fills_up_later_is_said_and_retried(
    start: Start, sphere: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    assert program._keeping.flush(10.0)
    apply = Database.apply

    def full(self: Database, *arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Database, "apply", full)
    sculpt(program, qtbot, "inflate")
    bar = program.window.safety_bars.keeping
    qtbot.waitUntil(bar.isVisible, timeout=OPEN_MS)
    assert "The disk is full" in bar.text or "the disk is full" in bar.text
    sculpt(program, qtbot, "inflate")
    monkeypatch.setattr(Database, "apply", apply)
    bar.buttons[0].click()
    qtbot.waitUntil(lambda: not bar.isVisible(), timeout=OPEN_MS)
    assert program._keeping.flush(10.0)
    assert program.window.document.history.position == 2


def test_a_disk_that_does_not_answer_is_said_and_holds_nothing_up(
    start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a network drive that went away in the middle of a write."""
    monkeypatch.setattr("app.application.keeping._PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr("app.application.keeping._LOOK_MS", 20)
    program = start()
    open_mesh(program, qtbot, sphere)
    assert program._keeping.flush(10.0)
    answers, apply = threading.Event(), Database.apply
    monkeypatch.setattr(Database, "apply", lambda *values: (answers.wait(60), apply(*values))[1])
    sculpt(program, qtbot, "inflate")
    bar, jobs = program.window.safety_bars.keeping, program.window.jobs
    qtbot.waitUntil(bar.isVisible, timeout=OPEN_MS)
    assert "does not answer" in bar.text
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    bar.buttons[1].click()  # Keep Safe Elsewhere: it waits, and the window does not
    assert jobs.busy
    sculpt(program, qtbot, "inflate")
    jobs.cancel()
    rest(program, qtbot)
    answers.set()
    qtbot.waitUntil(lambda: not bar.isVisible(), timeout=OPEN_MS)
    bar.buttons[1].click()
    rest(program, qtbot)
    assert program._keeping.folder == tmp_path
    assert program._keeping.flush(10.0)


def test_free_space_is_told_of_the_nearest_folder_there_is(tmp_path: Path) -> None:
    assert free_space(tmp_path / "not" / "there" / "x").endswith("B free")


def test_it_is_free_again_as_soon_as_another_figurine_is_open(
    owner: Application, sphere: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """Or else the same window could not open it again at once: it would be in use, by itself."""
    in_use: list[bool] = []
    owner.window.document.opened.connect(lambda: in_use.append(sidecar_of(tmp_path / "anna.likeness").exists()))
    owner.commands.opening.open_file(sphere)
    rest(owner, qtbot)
    assert in_use == [False]
