"""The main window on a small textured sphere, without an application behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.document import Document
from app.mesh.build import build_mesh
from app.preflight.profiles import profile
from app.settings import Settings
from app.viewport.viewport import prepare_surface_format
from app.widgets.main_window import MainWindow
from app.widgets.safety import Safety
from tests.meshes import textured_soup
from tests.widgets.fakes import RecordedCommands

prepare_surface_format()  # at import: before any test makes the QApplication


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.json")


@pytest.fixture
def document() -> Document:
    """A sphere of 20 mm with a texture, and three steps in its history."""
    document = Document(profile(), 1 << 28)
    document.open(build_mesh(textured_soup()), Path("/models/sphere.glb"), height_known=True)
    for label in ("Inflate", "Smooth", "Draw"):
        step(document, label)
    return document


def step(document: Document, label: str) -> None:
    """One undo step that moves one vertex."""
    mesh = document.mesh
    assert mesh is not None
    vertices = np.array([7], np.int32)
    with document.history.record(label) as recorder:
        recorder.capture("positions", vertices)
        mesh.positions[vertices] += np.float32(0.25)
        mesh.touched("positions", vertices)
    document.surface_changed.emit()


@pytest.fixture
def make_window(
    qtbot: QtBot, document: Document, settings: Settings, tmp_path: Path
) -> Iterator[Callable[[], MainWindow]]:
    """Makes a shown window of 1280 x 800; every one is closed at the end."""
    windows: list[MainWindow] = []

    def make() -> MainWindow:
        window = MainWindow(document, settings, recorded(document, tmp_path), Safety())
        window.resize(1280, 800)
        window.show()
        windows.append(window)
        with qtbot.waitActive(window, timeout=30_000):
            window.activateWindow()
        return window

    yield make
    for window in windows:
        close(window, qtbot)


def recorded(document: Document, folder: Path) -> Any:
    """A `Commands` that records what it is asked for, see RecordedCommands."""
    return RecordedCommands(document, folder)


def close(window: MainWindow, qtbot: QtBot) -> None:
    """Close a window and wait until it is gone, as at the end of the program."""
    if isValid(window):
        recorded_commands = window.commands
        assert isinstance(recorded_commands, RecordedCommands)
        recorded_commands.may_go = True
        window.close()
        qtbot.waitUntil(lambda: not isValid(window), timeout=10_000)


@pytest.fixture
def window(make_window: Callable[[], MainWindow]) -> MainWindow:
    return make_window()


@pytest.fixture
def commands(window: MainWindow) -> RecordedCommands:
    assert isinstance(window.commands, RecordedCommands)
    return window.commands
