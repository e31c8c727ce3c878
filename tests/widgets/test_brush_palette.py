"""The palette shows every brush by group, however low the window is; the finder finds them by typing."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.sculpt.brush import brushes, grouped
from app.widgets.brush_finder import BrushFinder, found
from app.widgets.brush_palette import BrushPalette
from app.widgets.main_window import MainWindow


@pytest.fixture
def palette(qtbot: QtBot) -> BrushPalette:
    actions = {}
    for brush in brushes().values():
        action = actions[brush.id] = QAction(brush.label)
        action.setCheckable(True)
    made = BrushPalette(actions, QAction("Find Brush"))
    made.actions_kept = (actions, made._find._action)  # type: ignore[attr-defined]
    qtbot.addWidget(made)
    return made


def test_the_groups_hold_every_brush_in_order():
    assert [brush for group in grouped().values() for brush in group] == list(brushes().values())
    assert {brush.id: brush.group for brush in brushes().values()}["smooth"] == "Smooth"
    assert next(iter(grouped())) == "Shape"
    assert len(grouped()) > 5


@pytest.mark.parametrize(("height", "columns"), [(1080, 0), (700, 2), (505, 3), (300, 3)])
def test_as_few_columns_as_will_do(palette: BrushPalette, height: int, columns: int):
    palette.resize(palette.sizeHint().width(), height)
    palette.show()
    QApplication.processEvents()
    palette.resize(palette.sizeHint().width(), height)
    QApplication.processEvents()
    assert palette.columns == columns
    scrolls = palette.verticalScrollBar().maximum() > 0
    assert scrolls == (height == 300)
    for button in palette.buttons:
        assert button.width() >= button.sizeHint().width()
        assert button.height() >= button.sizeHint().height()
    places = {(button.x(), button.y()) for button in palette.buttons}
    assert len(places) == len(palette.buttons)
    last = palette.buttons[-1]
    last._action.setChecked(True)
    QApplication.processEvents()
    assert not last.visibleRegion().isEmpty()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("cl", "clay"),
        ("clay st", "clay_strips"),
        ("CS", "clay_strips"),
        ("polish", "crease_polish"),
        ("grab el", "elastic_grab"),
        ("rubber", "elastic_grab"),
        ("hollow", "blob"),
        ("kelvin", None),
    ],
)
def test_a_brush_is_found_by_name_initials_or_what_it_does(text: str, first: str | None):
    result = [brush.id for brush in found(text)]
    assert (result[0] if result else None) == first


def test_every_brush_is_found_by_its_own_name():
    assert [brush.id for brush in found("")] == list(brushes())
    for brush in brushes().values():
        assert found(brush.label)[0] == brush


def test_typing_and_enter_take_a_brush_in_hand(window: MainWindow, qtbot: QtBot):
    QTest.keyClick(window.viewport, Qt.Key.Key_Q)
    finder = window.findChild(BrushFinder)
    assert finder is not None
    QTest.keyClicks(finder.text, "smo")
    assert [finder.list.topLevelItem(row).text(0) for row in range(2)] == ["Smooth", "Surface Smooth"]
    assert finder.told.text() == brushes()["smooth"].tooltip
    QTest.keyClick(finder.text, Qt.Key.Key_Down)
    QTest.keyClick(finder.text, Qt.Key.Key_Return)
    assert window.hand.brush.id == "surface_smooth"
    qtbot.waitUntil(lambda: window.findChild(BrushFinder) is None)
    QTest.keyClick(window.viewport, Qt.Key.Key_Q)
    finder = window.findChild(BrushFinder)
    assert finder is not None
    QTest.keyClicks(finder.text, "no such")
    assert "No brush" in finder.told.text()
    QTest.keyClick(finder.text, Qt.Key.Key_Return)
    QTest.keyClick(finder.text, Qt.Key.Key_Escape)
    assert not finder.isVisible()
    assert window.hand.brush.id == "surface_smooth"
