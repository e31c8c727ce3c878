"""Every entry of the action table: it says what it is, and it does something that can be seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QColor, QDesktopServices, QGuiApplication, QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QTabBar
from pytestqt.qtbot import QtBot

from app.sculpt.brush import brushes
from app.widgets import questions, verbs
from app.widgets.action_spec import ActionSpec
from app.widgets.actions import TABLE, specs
from app.widgets.brush_hand import BrushHand
from app.widgets.main_window import MainWindow
from tests.widgets.fakes import RecordedCommands

SPECS = {spec.id: spec for spec in specs()}


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """What leaves the window: system dialogs answer at once, opened folders are written down."""
    photo = tmp_path / "face.png"
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    image.save(str(photo))
    opened: list[Any] = []
    monkeypatch.setattr(questions, "ask_mesh", lambda *arguments: tmp_path / "other.glb")
    monkeypatch.setattr(questions, "ask_open", lambda *arguments: tmp_path / "other.likeness")
    monkeypatch.setattr(questions, "ask_project_path", lambda *arguments: arguments[-1])
    monkeypatch.setattr(questions, "ask_export_path", lambda parent, proposed: proposed)
    monkeypatch.setattr(verbs, "ask_height", lambda *arguments, **named: 120.0)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *arguments: ([str(photo)], ""))
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    QGuiApplication.clipboard().setImage(image)
    return opened


def observed(window: MainWindow, outside: list[Any], picture: bool) -> tuple[Any, ...]:
    """All that a user could notice, as one value to compare."""
    assert isinstance(window.commands, RecordedCommands)
    hand = window.hand
    return (
        len(window.commands.calls),
        len(outside),
        (hand.brush.id, hand.options, hand.radius, hand.radius_in_pixels),
        str(window.viewport.camera_state()),
        hashlib.sha256(window.viewport.image().tobytes()).hexdigest() if picture else "",
        [dock.isHidden() for dock in window.docks.values()],
        [bar.tabText(bar.currentIndex()) for bar in window.findChildren(QTabBar)],
        [bar.isHidden() for bar in window.bars],
        (window.photo_place.shown, window.photo_place.on_left, window.photo_place.detached),
        window.photo_panel.strip.count(),
        window.windowState(),
        [type(dialog) for dialog in window.findChildren(QDialog) if dialog.isVisible()],
        window.message_bar.text,
        window.value_drag.active,
        window.transform.active,
        window.hints.isHidden(),
        window.settings.get("theme/dark", True),
        window.isVisible(),
    )


def prepare(window: MainWindow, action_id: str) -> None:
    """Bring the window into a state in which the action can do something."""
    if action_id == "redo":
        window.document.undo()
    elif action_id == "hints":
        window.hints.done("sculpt", "camera", "files")
    elif action_id == "reset-brush":
        window.hand.update(strength=0.123)
    elif action_id == "check":
        window.docks["history"].raise_()
    elif action_id == "frame-all":
        window.viewport.zoom_at(200, 200, 3.0)
    elif action_id == "view-front":
        window.viewport.standard_view("top")
    elif action_id == "mask-visible":
        assert window.document.mesh is not None
        window.document.mesh.mask[:] = 1.0
        window.document.mesh.touched_all("mask")
        window.viewport.flush()
    elif action_id == "sets-visible":
        assert window.document.mesh is not None
        window.document.mesh.face_sets[:] = 1.0
        window.document.mesh.touched_all("face_sets")
        window.viewport.flush()
    elif action_id == "last-report":
        window.exported(report())
        for dialog in window.findChildren(QDialog):
            dialog.close()


def report() -> Any:
    from app.preflight.compare import Check
    from app.preflight.export import ExportReport

    checks = (Check("triangles", "960", "960", True), Check("size", "20.00 mm", "20.00 mm", True))
    path = Path("/models/sphere-20mm.3mf")
    return ExportReport(path, (path,), (20.0, 20.0, 20.0), 960, checks, 1.0, 1000, ())


PICTURES = ("wireframe", "flat", "mask-visible", "sets-visible", "walls")


@pytest.mark.parametrize("action_id", SPECS)
def test_it_does_something(action_id: str, window: MainWindow, outside: list[Any], qtbot: QtBot) -> None:
    prepare(window, action_id)
    qtbot.wait(20)
    action = window.actions_by_id[action_id]
    assert action.isEnabled()
    before = observed(window, outside, action_id in PICTURES)
    if action_id == "quit":
        with qtbot.waitSignal(window.destroyed, timeout=10_000):
            action.trigger()
        return
    action.trigger()
    qtbot.waitUntil(lambda: observed(window, outside, action_id in PICTURES) != before, timeout=5000)
    window.value_drag.end(False)
    window.mask_outline.end()
    qtbot.waitUntil(lambda: not window.photo_panel.busy, timeout=20_000)


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_it_says_what_it_is(spec: ActionSpec) -> None:
    assert spec.text.replace("&", "").strip()
    assert spec.tooltip[0].isupper()
    assert not spec.tooltip.endswith(".")
    assert len(spec.tooltip.split()) >= 3


def test_keys_are_given_once(window: MainWindow) -> None:
    keys: dict[str, str] = {}
    for action in [*window.actions_by_id.values(), *window.brush_actions.values()]:
        key = action.shortcut().toString()
        if key:
            assert key not in keys, f"{action.text()} and {keys[key]}"
            keys[key] = action.text()
    assert {"F", "Home", "Alt+M", "Ctrl+Shift+Z"} <= set(keys)
    letters = [title[title.index("&") + 1].upper() for title in TABLE]
    assert len(set(letters)) == len(letters)
    assert not {f"Alt+{letter}" for letter in letters} & set(keys)


def test_every_entry_of_every_menu_has_a_tooltip_and_is_connected(window: MainWindow) -> None:
    def entries(menu: QMenu) -> list[Any]:
        menu.aboutToShow.emit()
        found = []
        for action in menu.actions():
            submenu = action.menu()
            if isinstance(submenu, QMenu):
                found += entries(submenu)
            elif not action.isSeparator():
                found.append(action)
        return found

    menus = [action.menu() for action in window.menu_bar.actions()]
    assert [menu.title() for menu in menus] == list(TABLE)
    for menu in menus:
        for action in entries(menu):
            assert action.toolTip(), action.text()
            connected = action.receivers("2triggered(bool)") + action.receivers("2toggled(bool)")
            assert connected or not action.isEnabled(), action.text()


def test_the_right_button_opens_a_menu(window: MainWindow, qtbot: QtBot) -> None:
    window.viewport.customContextMenuRequested.emit(window.viewport.rect().center())
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert window.actions_by_id["undo"] in menu.actions()
    menu.close()


@pytest.mark.parametrize("brush_id", [brush.id for brush in brushes().values() if brush.shortcut])
def test_brush_keys(brush_id: str, window: MainWindow, qtbot: QtBot) -> None:
    other = next(other for other in brushes() if other != brush_id)
    window.hand.select(other)
    press(window, QKeySequence(brushes()[brush_id].shortcut))
    assert window.hand.brush.id == brush_id
    assert [button.text() for button in window.brush_palette.buttons if button.isChecked()] == [
        brushes()[brush_id].label
    ]


def press(window: MainWindow, keys: QKeySequence) -> None:
    QTest.keySequence(window.viewport, keys)


@pytest.mark.parametrize(
    ("keys", "call"),
    [
        ("Ctrl+E", ("export",)),
        ("Ctrl+S", ("save",)),
        ("Ctrl+Z", ("undo",)),
        ("Alt+M", ("clear_mask",)),
        ("Ctrl+I", ("invert_mask",)),
    ],
)
def test_keys_reach_the_commands(
    keys: str, call: tuple[str, ...], window: MainWindow, commands: RecordedCommands
) -> None:
    press(window, QKeySequence(keys))
    assert commands.calls == [call]


def test_redo_by_key(window: MainWindow, commands: RecordedCommands) -> None:
    window.document.undo()
    press(window, QKeySequence("Ctrl+Shift+Z"))
    assert commands.calls == [("redo",)]
    assert window.document.history.position == 3


def test_tab_hides_all_panels_and_brings_them_back(window: MainWindow) -> None:
    panels = [*window.bars, window.photo_panel, *window.docks.values()]
    before = [panel.isHidden() for panel in panels]
    wide = window.viewport.width()
    press(window, QKeySequence("Tab"))
    assert all(panel.isHidden() for panel in panels)
    QApplication.processEvents()
    assert window.viewport.width() > wide
    press(window, QKeySequence("Tab"))
    assert [panel.isHidden() for panel in panels] == before


@pytest.mark.parametrize("front", ["model", "history"])
def test_tab_brings_back_the_tab_that_was_in_front(front: str, window: MainWindow) -> None:
    window.docks[front].raise_()
    QApplication.processEvents()
    press(window, QKeySequence("Tab"))
    QApplication.processEvents()
    press(window, QKeySequence("Tab"))
    QApplication.processEvents()
    assert [bar.tabText(bar.currentIndex()) for bar in window.findChildren(QTabBar)] == [front.capitalize()]
    middle = window.docks[front].mapTo(window, window.docks[front].rect().center())
    at_middle = window.childAt(middle)
    assert at_middle is not None
    assert window.docks[front].isAncestorOf(at_middle)


def test_ctrl_tab_hides_only_the_photos(window: MainWindow) -> None:
    press(window, QKeySequence("Ctrl+Tab"))
    assert window.photo_panel.isHidden()
    assert not any(bar.isHidden() for bar in window.bars)
    press(window, QKeySequence("Ctrl+Tab"))
    assert not window.photo_panel.isHidden()


def test_brackets_change_the_radius(window: MainWindow) -> None:
    before = window.hand.radius
    press(window, QKeySequence("]"))
    assert window.hand.radius == pytest.approx(before * BrushHand.RADIUS_STEP)
    press(window, QKeySequence("["))
    assert window.hand.radius == pytest.approx(before)


def test_a_running_job_locks_what_changes_the_document(window: MainWindow, qtbot: QtBot) -> None:
    from threading import Event

    go = Event()
    assert window.jobs.start("Waiting", lambda progress, cancelled: go.wait(20), lambda result: None)
    locked = {action_id for action_id, action in window.actions_by_id.items() if not action.isEnabled()}
    assert {"open", "export", "undo", "clear-mask", "set-height"} <= locked
    assert "frame-all" not in locked
    go.set()
    qtbot.waitUntil(lambda: not window.jobs.busy)
    assert window.actions_by_id["undo"].isEnabled()


def test_nothing_open_disables_what_needs_a_model(make_window: Callable[[], MainWindow], document: Any) -> None:
    document.history.clear()
    document.mesh = None
    window = make_window()
    for spec in specs():
        if spec.needs:
            assert not window.actions_by_id[spec.id].isEnabled(), spec.id


def test_keys_help_names_every_key(window: MainWindow) -> None:
    window.actions_by_id["keys"].trigger()
    text = next(dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()).text
    for brush in brushes().values():
        assert brush.label in text
    for spec in specs():
        if spec.key:
            assert QKeySequence(spec.key).toString(QKeySequence.SequenceFormat.NativeText) in text
    assert "F1" in text
