"""Faults, and ends that nobody chose: signals, a log-out. The work is kept, and the user is told so honestly."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from app.application import Application
from app.application.start import EndSignals
from app.project.sessions import recoverable
from app.widgets.fault_box import FaultBox
from app.widgets.faults import log_path
from tests.application.conftest import OPEN_MS, Start, closed, open_mesh, rest, sculpt


@pytest.fixture
def program(start: Start, sphere: Path, qtbot: QtBot) -> Application:
    """A window with one stroke that is in no project file."""
    program = start()
    open_mesh(program, qtbot, sphere)
    sculpt(program, qtbot, "inflate")
    return program


def fail() -> None:
    """A fault of the program, as from any slot of Qt."""

    def slot() -> None:
        raise ZeroDivisionError("division by zero")

    QTimer.singleShot(0, slot)


def answer(qtbot: QtBot, *words: str) -> list[str]:
    """Let a fault happen, click these buttons of its box, and give what the box said."""
    told: list[str] = []

    def look() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, FaultBox):
            QTimer.singleShot(20, look)
            return
        told.append(f"{box.text()} {box.informativeText()}")
        fail()  # another one while the first is being shown does not stack
        for word in words:
            QApplication.processEvents()
            next(button for button in box.buttons() if button.text().replace("&", "") == word).click()

    QTimer.singleShot(0, look)
    fail()
    qtbot.waitUntil(lambda: bool(told), timeout=OPEN_MS)
    return told


def test_a_fault_is_shown_once_and_the_session_goes_on(
    program: Application, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    (told,) = answer(qtbot, "Show Log", "Copy Details", "Continue")
    assert "fault of its own" in told
    assert "Your work is safe" in told
    assert "ZeroDivisionError: division by zero" in told
    assert str(log_path()) in told
    assert opened == [str(log_path().parent)]
    assert "Traceback" in QGuiApplication.clipboard().text()
    qtbot.wait(100)
    assert QApplication.activeModalWidget() is None
    sculpt(program, qtbot, "draw")
    assert program.window.document.history.position == 2


def test_a_fault_on_another_thread_is_shown_too(program: Application, qtbot: QtBot) -> None:
    shown: list[FaultBox] = []

    def look() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, FaultBox):
            shown.append(box)
            box.close()
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(0, look)
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(shown), timeout=OPEN_MS)


def test_save_as_from_the_box(
    program: Application, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "anna.likeness"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
    answer(qtbot, "Save As…")
    qtbot.waitUntil(path.exists, timeout=OPEN_MS)
    rest(program, qtbot)


def test_quit_leaves_the_work_for_the_next_start(program: Application, qtbot: QtBot) -> None:
    answer(qtbot, "Quit")
    closed(program, qtbot)
    program.shut_down()
    (left,) = recoverable()
    assert left.strokes == 1


def test_it_says_so_when_the_work_is_not_safe(
    program: Application, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program._keeping, "flush", lambda seconds: False)
    (told,) = answer(qtbot, "Continue")
    assert "only in memory" in told
    assert "is safe" not in told


def test_a_box_that_fails_itself_does_not_come_back_for_ever(
    program: Application, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[BaseException] = []

    def broken(error: BaseException) -> None:
        tried.append(error)
        raise RuntimeError("no box")

    monkeypatch.setattr(program._faults, "_show", broken)
    fail()
    qtbot.waitUntil(lambda: bool(tried))
    qtbot.wait(100)
    assert len(tried) == 1


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_wakes_the_window(name: str, qtbot: QtBot) -> None:
    number = getattr(signal, name)
    before = signal.getsignal(number)
    ended: list[int] = []
    signals = EndSignals(ended.append)
    QTimer.singleShot(10, lambda: os.kill(os.getpid(), number))
    qtbot.waitUntil(lambda: ended == [number])
    signals.close()
    assert signal.getsignal(number) is before


def test_an_end_from_outside_keeps_unsaved_work_and_saved_work_leaves_nothing(
    program: Application, start: Start, qtbot: QtBot
) -> None:
    program.shut_down()  # the event loop has ended, and nobody was asked
    (left,) = recoverable()
    assert (left.strokes, left.damaged) == (1, False)
    left.discard()
    other = start()
    other.commands.opening.open_sample()
    rest(other, qtbot)
    other.shut_down()
    assert recoverable() == []
