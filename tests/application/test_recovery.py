"""After an unclean end: what is offered, and that what is recovered is the work, to the bit."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.application import Application
from app.project.sessions import recoverable, sessions_folder
from app.widgets.recovery_dialog import RecoveryDialog
from tests.application.conftest import OPEN_MS, Press, Start, crash, end, open_mesh, rest, save, sculpt
from tests.test_job import state_of


def dialog_of(program: Application) -> RecoveryDialog:
    (dialog,) = program.window.findChildren(RecoveryDialog)
    assert dialog.isVisible()
    return dialog


@pytest.fixture
def crashed(start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot) -> list[bytes]:
    """A program that ended with two strokes after the last Save. Gives the state of its model."""
    program = start()
    open_mesh(program, qtbot, sphere)
    save(program, qtbot, tmp_path / "anna.likeness")
    sculpt(program, qtbot, "inflate", "crease")
    state = state_of(program)
    crash(program)
    return state


def test_the_next_start_offers_it_and_save_goes_to_its_file(
    crashed: list[bytes], start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    program = start()
    program.open_first(None)
    dialog = dialog_of(program)
    ((work, row),) = dialog.rows.items()
    told = row.told.text()
    assert work.name == "anna"
    assert "today" in told
    assert "2 steps" in told
    assert "20,480 triangles" in told
    assert str(tmp_path / "anna.likeness") in told
    row.recover.click()
    document = program.window.document
    qtbot.waitUntil(lambda: document.mesh is not None, timeout=OPEN_MS)
    rest(program, qtbot)
    assert state_of(program) == crashed
    assert [step.label for step in document.history.steps] == ["Inflate", "Crease"]
    assert document.modified
    assert document.project_path == tmp_path / "anna.likeness"
    assert "Recovered anna" in program.window.message_bar.text
    assert not work.folder.exists()
    assert recoverable() == []  # and the new working copy is this program's
    program.window.actions_by_id["save"].trigger()
    rest(program, qtbot)
    assert not document.modified
    end(program, qtbot)
    assert recoverable() == []


def test_later_keeps_it_and_opens_what_was_asked_for(
    crashed: list[bytes], start: Start, sphere: Path, qtbot: QtBot
) -> None:
    program = start()
    program.open_first(sphere)
    dialog_of(program).reject()
    qtbot.waitUntil(lambda: program.window.document.source_path == sphere, timeout=OPEN_MS)
    rest(program, qtbot)
    program.window.actions_by_id["recover"].trigger()
    assert len(dialog_of(program).rows) == 1


def test_started_with_a_file_that_is_offered_after_the_recovery(
    crashed: list[bytes], start: Start, sphere: Path, qtbot: QtBot
) -> None:
    program = start()
    program.open_first(sphere)
    next(iter(dialog_of(program).rows.values())).recover.click()
    document, bar = program.window.document, program.window.message_bar
    qtbot.waitUntil(lambda: document.modified, timeout=OPEN_MS)
    rest(program, qtbot)
    assert document.project_path is not None
    assert "ball.ply was not opened" in bar.text
    assert bar.action_button.text() == "Open ball.ply"


def test_discarding_asks_once(crashed: list[bytes], start: Start, press: Press, qtbot: QtBot) -> None:
    program = start()
    program.open_first(None)
    ((work, row),) = dialog_of(program).rows.items()
    press("Cancel")
    row.discard.click()
    assert work.folder.exists()
    press("Discard")
    row.discard.click()
    assert not work.folder.exists()
    # The last row is gone, so the program opens what it would have opened.
    qtbot.waitUntil(lambda: program.window.document.mesh is not None, timeout=OPEN_MS)
    assert program.window.findChildren(RecoveryDialog) == []


def test_a_copy_can_be_saved_without_opening(
    crashed: list[bytes], start: Start, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy.likeness"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(copy), ""))
    program = start()
    program.open_first(None)
    dialog = dialog_of(program)
    next(iter(dialog.rows.values())).save_copy.click()
    qtbot.waitUntil(copy.exists, timeout=OPEN_MS)
    rest(program, qtbot)
    assert len(dialog.rows) == 1
    dialog.reject()
    qtbot.waitUntil(lambda: program.window.document.mesh is not None, timeout=OPEN_MS)
    rest(program, qtbot)
    program.commands.opening.open_file(copy)
    qtbot.waitUntil(lambda: program.window.document.project_path == copy, timeout=OPEN_MS)
    assert state_of(program) == crashed


def test_a_file_that_was_saved_again_meanwhile_is_not_overwritten(
    crashed: list[bytes], start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    later = time.time() + 60
    os.utime(tmp_path / "anna.likeness", (later, later))
    program = start()
    program.open_first(None)
    next(iter(dialog_of(program).rows.values())).recover.click()
    document = program.window.document
    qtbot.waitUntil(lambda: document.mesh is not None, timeout=OPEN_MS)
    rest(program, qtbot)
    assert document.project_path is None
    assert document.name == "anna"
    assert "saved again after that" in program.window.message_bar.text


def test_damaged_work_is_said_to_be_and_kept(crashed: list[bytes], start: Start, qtbot: QtBot) -> None:
    (folder,) = (folder for folder in sessions_folder().iterdir() if folder.is_dir())
    (folder / "working.likeness").write_bytes(b"SQLite format 3\0" + bytes(4000))
    program = start()
    program.open_first(None)
    (row,) = dialog_of(program).rows.values()
    assert "cannot be read" in row.told.text()
    assert str(folder) in row.told.text()
    assert row.recover.isHidden()
    assert row.show_folder.isVisible()
    dialog_of(program).reject()
    qtbot.waitUntil(lambda: program.window.document.mesh is not None, timeout=OPEN_MS)
    assert folder.exists()


def test_several(start: Start, sphere: Path, qtbot: QtBot) -> None:
    for _ in range(2):
        program = start()
        open_mesh(program, qtbot, sphere)
        sculpt(program, qtbot, "inflate")
        crash(program)
    program = start()
    program.open_first(None)
    dialog = dialog_of(program)
    first, second = dialog.rows
    assert first.changed_at >= second.changed_at
    assert "Never saved" in dialog.rows[first].told.text()
    dialog.rows[first].recover.click()
    qtbot.waitUntil(lambda: program.window.document.mesh is not None, timeout=OPEN_MS)
    rest(program, qtbot)
    assert program.window.document.project_path is None
    assert [left.folder for left in recoverable()] == [second.folder]


def test_nothing_left_behind_is_no_question(start: Start, sphere: Path, qtbot: QtBot) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    crash(program)  # nothing was sculpted, so nothing is lost
    again = start()
    again.open_first(sphere)
    assert again.window.findChildren(RecoveryDialog) == []
    qtbot.waitUntil(lambda: again.window.document.mesh is not None, timeout=OPEN_MS)
    again.window.actions_by_id["recover"].trigger()
    assert "no unsaved work" in again.window.message_bar.text
