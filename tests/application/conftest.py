"""The program as it is started, on files of its own: several starts in one test share settings and state folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trimesh
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app import worker
from app.application import Application
from app.project.opening import prepare
from app.settings import Settings
from app.widgets.height_dialog import remember_height
from tests.test_job import OPEN_MS, open_mesh, stroke, surface_pixel

Start = Callable[[], Application]
Press = Callable[..., list[QMessageBox]]


@pytest.fixture(scope="package", autouse=True)
def warm_worker() -> Iterator[None]:
    worker.warm_up(prepare)
    yield
    worker.cool_down()


@pytest.fixture
def start(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts the program with a window; each one that is still there at the end is ended without a question."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(worker, "cool_down", lambda: None)  # one spare worker serves all starts
    programs: list[Application] = []

    def make() -> Application:
        program = Application(Settings())
        for name in ("ball.ply", "other.ply"):  # so that their height is not asked for
            remember_height(program.window.settings, tmp_path / name, 150.0)
        program.window.resize(1280, 800)
        with qtbot.waitExposed(program.window):
            program.window.show()
        programs.append(program)
        return program

    yield make
    for program in programs:
        if isValid(program.window):
            program.window.close_without_asking()
            program.shut_down()


@pytest.fixture
def sphere(tmp_path: Path) -> Path:
    """A closed ball of 20,480 triangles, 150 mm high."""
    path = tmp_path / "ball.ply"
    trimesh.creation.icosphere(subdivisions=5, radius=75).export(path)
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "front.jpg"
    Image.new("RGB", (640, 480), "teal").save(path)
    return path


@pytest.fixture
def press() -> Iterator[Press]:
    """Answers message boxes as they come up, by the words on their buttons; gives those it saw, in a list."""
    timers: list[QTimer] = []

    def answer(*words: str) -> list[QMessageBox]:
        seen: list[QMessageBox] = []
        wanted = list(words)
        timer = QTimer(interval=20)
        timers.append(timer)

        def look() -> None:
            box = QApplication.activeModalWidget()
            if wanted and isinstance(box, QMessageBox) and box not in seen:
                seen.append(box)
                box.told = f"{box.text()} {box.informativeText()}"
                word = wanted.pop(0)
                next(button for button in box.buttons() if button.text().replace("&", "") == word).click()

        timer.timeout.connect(look)
        timer.start()
        return seen

    yield answer
    for timer in timers:
        timer.stop()


def sculpt(program: Application, qtbot: QtBot, *brushes: str) -> None:
    """One stroke with each of these brushes."""
    for brush in brushes:
        program.window.brush_actions[brush].trigger()
        stroke(program, qtbot, surface_pixel(program))


def rest(program: Application, qtbot: QtBot) -> None:
    """Wait until no job runs."""
    qtbot.waitUntil(lambda: not program.window.jobs.busy, timeout=OPEN_MS)


def save(program: Application, qtbot: QtBot, path: Path) -> None:
    program.commands.saving.save_as(path)
    qtbot.waitUntil(lambda: not program.window.jobs.busy and path.exists(), timeout=OPEN_MS)
    assert not program.window.document.modified


def end(program: Application, qtbot: QtBot) -> None:
    """Close the window as a user does, and end the program."""
    assert program.window.close()
    closed(program, qtbot)
    program.shut_down()


def closed(program: Application, qtbot: QtBot) -> None:
    """Wait until the window is gone."""
    qtbot.waitUntil(lambda: not isValid(program.window), timeout=OPEN_MS)


def crash(program: Application) -> None:
    """End as far as a test can what a crash ends: nothing is asked, nothing is tidied up, the locks are gone."""
    assert program._keeping.flush(10.0)
    copy, session = program._keeping._copy, program._keeping._session
    assert copy is not None
    assert session is not None
    copy.close()
    session.leave()
    program._keeping._copy = program._keeping._session = program._keeping._claim = None
    program.window.close_without_asking()


__all__ = ["OPEN_MS", "closed", "crash", "end", "open_mesh", "rest", "save", "sculpt"]
