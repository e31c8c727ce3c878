"""Files opened last: the list, what is seen of each, and the menu with their pictures."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.project.preview import Preview
from app.settings import Settings
from app.widgets import recent, recent_menu
from app.widgets.main_window import MainWindow
from app.widgets.moments import ago, moment
from app.widgets.recent import Recent, clear_recent, look, recent_files, remember_file, remember_thumbnail
from app.widgets.recent_menu import RecentMenu
from app.widgets.thumbnails import to_png
from tests.widgets.fakes import RecordedCommands


def picture(red: int) -> bytes:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[..., 0] = red
    return to_png(pixels)


def menu_of(window: MainWindow) -> RecentMenu:
    file_menu = window.menu_bar.actions()[0].menu()
    assert isinstance(file_menu, QMenu)
    menu = next(action.menu() for action in file_menu.actions() if "Recent" in action.text())
    assert isinstance(menu, RecentMenu)
    return menu


def test_the_list(settings: Settings, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.glb" for name in "abc"]
    for path in paths:
        remember_file(settings, path)
    remember_file(settings, paths[0])
    assert recent_files(settings) == [paths[0], paths[2], paths[1]]
    clear_recent(settings)
    assert recent_files(settings) == []


def test_a_mesh_shows_the_picture_that_was_taken_of_it(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "bust.glb"
    path.touch()
    remember_file(settings, path)
    remember_thumbnail(path, picture(200))
    seen = look(path)
    assert (seen.there, seen.thumbnail) == (True, picture(200))
    assert seen.changed_at == pytest.approx(path.stat().st_mtime)
    path.unlink()
    assert look(path) == Recent(path, there=False, thumbnail=picture(200))
    clear_recent(settings)
    assert look(path).thumbnail is None


def test_any_name_and_any_time(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.glb")
    remember_file(settings, path)
    remember_thumbnail(path, picture(200))
    assert look(path).thumbnail == picture(200)
    for time in (1e300, math.nan, -1e18, 1e12):
        assert moment(time, 1e9) == "an unknown time"


def test_a_project_shows_what_it_says_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "anna.likeness"
    path.touch()
    monkeypatch.setattr(recent, "read_preview", lambda path: Preview(picture(99), "anna", 1_599_904, 12, 5000.0))
    assert look(path) == Recent(path, True, 5000.0, "1,599,904 triangles, 12 steps", picture(99))


def test_a_file_that_is_no_project_is_shown_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "other.likeness"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE x (y)")
    assert look(path).there
    assert look(path).details == ""


def test_the_menu_shows_and_opens_them(
    window: MainWindow, commands: RecordedCommands, tmp_path: Path, qtbot: QtBot
) -> None:
    there, gone = tmp_path / "bust & hat.glb", tmp_path / "gone.glb"
    there.touch()
    for path in (gone, there):
        window.opened(path, ["The colour was taken from the emissive texture"])
        remember_thumbnail(path, picture(200))
    assert "emissive" in window.message_bar.text
    menu = menu_of(window)
    menu.popup(QPoint(100, 100))
    qtbot.waitUntil(lambda: not menu.rows[gone].recent.there)
    row = menu.rows[there]
    assert row.lines[:2] == ("bust & hat.glb", str(tmp_path))
    assert row.lines[2].startswith("today ")
    assert menu.rows[gone].lines[2] == "not there any more"
    assert not menu.rows[gone].action.isEnabled()
    assert row.grab().toImage().pixelColor(QPoint(30, 25)).red() == 200
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=row.geometry().center())
    assert commands.calls == [("open_file", there)]


def test_keys_choose_a_file(window: MainWindow, commands: RecordedCommands, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.glb").touch()
        window.remember(tmp_path / f"{name}.glb")
    menu = menu_of(window)
    menu.popup(QPoint(100, 100))
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(menu, key)
    assert commands.calls == [("open_file", tmp_path / "a.glb")]


def test_a_drive_that_does_not_answer_holds_nothing_up(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    answer = threading.Event()

    def slow(path: Path) -> Recent:
        answer.wait(20)
        return Recent(path, changed_at=0.0)

    monkeypatch.setattr(recent_menu, "look", slow)
    window.remember(tmp_path / "far.glb")
    menu = menu_of(window)
    menu.fill()
    assert menu.rows[tmp_path / "far.glb"].action.isEnabled()
    answer.set()
    qtbot.waitUntil(lambda: menu.rows[tmp_path / "far.glb"].recent.changed_at == 0.0)


def test_clearing(window: MainWindow, tmp_path: Path) -> None:
    window.remember(tmp_path / "a.glb")
    menu = menu_of(window)
    menu.fill()
    menu.actions()[-1].trigger()
    menu.fill()
    assert [action.text() for action in menu.actions()] == ["Nothing opened yet"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s ago"), (59, "59 s ago"), (61, "1 min ago"), (7200, "2 h ago"), (-5, "0 s ago")]
)
def test_ago(seconds: float, text: str) -> None:
    now = 1_750_000_000.0
    assert ago(now - seconds, now) == text


def test_moments() -> None:
    import time

    noon = time.mktime((2026, 11, 18, 12, 0, 0, 0, 0, -1))  # a Wednesday
    hour, day = 3600.0, 86400.0
    assert moment(noon - 2 * hour, noon) == "today 10:00"
    assert moment(noon - 13 * hour, noon) == "yesterday 23:00"
    assert moment(noon - 2 * day, noon) == "Monday 12:00"
    assert moment(noon - 40 * day, noon) == "9 October, 12:00"
    assert moment(noon - 400 * day, noon) == "14 October 2025, 12:00"
    assert ago(noon - 2 * day, noon) == "Monday 12:00"
