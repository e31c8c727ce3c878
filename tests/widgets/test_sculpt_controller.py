"""Lines, curves, stamps and the airbrush by mouse and key."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.document import Document
from app.widgets.main_window import MainWindow

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Hand:
    """Mouse and keys over the viewport, places in pixels from its middle."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.target = window.viewport
        self.middle = QPoint(self.target.width() // 2, self.target.height() // 2)

    def at(self, x: int, y: int) -> QPoint:
        return self.middle + QPoint(x, y)

    def press(self, x: int, y: int) -> None:
        QTest.mousePress(self.target, LEFT, NONE, self.at(x, y))

    def move(self, x: int, y: int) -> None:
        QTest.mouseMove(self.target, self.at(x, y))

    def release(self, x: int, y: int) -> None:
        QTest.mouseRelease(self.target, LEFT, NONE, self.at(x, y))

    def key(self, key: Qt.Key) -> None:
        QTest.keyClick(self.target, key)


@pytest.fixture
def hand(window: MainWindow) -> Hand:
    window.hand.select("draw")
    window.hand.set_radius(1.5)
    return Hand(window)


def moved(document: Document, before: np.ndarray) -> np.ndarray:
    assert document.mesh is not None
    return (document.mesh.positions != before).any(axis=1)


def positions(document: Document) -> np.ndarray:
    assert document.mesh is not None
    return document.mesh.positions.copy()


def test_a_line_is_straight_whatever_way_the_hand_went(hand: Hand, document: Document, window: MainWindow) -> None:
    window.hand.update(method="line")
    before, steps = positions(document), len(document.history.steps)
    hand.press(-60, 0)
    for x, y in ((-30, 90), (20, -80), (60, 0)):
        hand.move(x, y)
    detour = positions(document)
    hand.release(60, 0)
    assert len(document.history.steps) == steps + 1
    assert np.array_equal(detour, positions(document))
    first = moved(document, before)
    document.undo()
    assert np.array_equal(before, positions(document))
    hand.press(-60, 0)
    hand.move(60, 0)
    hand.release(60, 0)
    assert np.array_equal(first, moved(document, before))


def test_a_curve_goes_through_its_points_until_enter(hand: Hand, document: Document, window: MainWindow) -> None:
    window.hand.update(method="curve")
    hints: list[str] = []
    window.controller.hinted.connect(hints.append)
    before, steps = positions(document), len(document.history.steps)
    for x, y in ((-60, 0), (0, -50), (60, 0)):
        hand.press(x, y)
        hand.release(x, y)
    assert len(hints) == 1
    assert window.controller.busy
    assert len(document.history.steps) == steps
    hand.key(Qt.Key.Key_Return)
    assert not window.controller.busy
    assert len(document.history.steps) == steps + 1
    touched = moved(document, before)
    mesh = document.mesh
    assert mesh is not None
    for x, y in ((-60, 0), (0, -50), (60, 0)):
        origin, direction = window.viewport.ray(hand.at(x, y).x(), hand.at(x, y).y())
        way = before - origin
        off = np.linalg.norm(way - np.outer(way @ direction, direction), axis=1)
        near = (off < 1.0) & (mesh.normals @ direction < 0)
        assert touched[near].mean() > 0.8


def test_backspace_takes_points_back_and_escape_all(hand: Hand, document: Document, window: MainWindow) -> None:
    window.hand.update(method="curve")
    before, steps = positions(document), len(document.history.steps)
    hand.press(-60, 0)
    hand.release(-60, 0)
    one = positions(document)
    hand.press(60, 0)
    hand.release(60, 0)
    assert not np.array_equal(one, positions(document))
    hand.key(Qt.Key.Key_Backspace)
    assert np.array_equal(one, positions(document))
    hand.key(Qt.Key.Key_Backspace)
    assert not window.controller.busy
    assert np.array_equal(before, positions(document))
    hand.press(-60, 0)
    hand.release(-60, 0)
    hand.press(60, 0)
    hand.release(60, 0)
    hand.key(Qt.Key.Key_Escape)
    assert np.array_equal(before, positions(document))
    assert len(document.history.steps) == steps


def test_a_stamp_is_dragged_out(hand: Hand, document: Document, window: MainWindow) -> None:
    window.hand.update(method="anchored")
    before = positions(document)
    hand.press(0, 0)
    hand.move(60, 0)
    small = moved(document, before).sum()
    hand.move(220, 0)
    large = moved(document, before).sum()
    hand.move(130, 0)
    assert small < moved(document, before).sum() < large
    hand.release(130, 0)
    document.undo()
    assert np.array_equal(before, positions(document))


def test_the_airbrush_goes_on_while_the_pen_rests(
    hand: Hand, document: Document, window: MainWindow, qtbot: QtBot
) -> None:
    window.hand.update(method="airbrush")
    hand.press(0, 0)
    heights: list[float] = []
    before = positions(document)

    def grown(least: float) -> Callable[[], bool]:
        return lambda: float(np.abs(positions(document) - before).max()) > least

    qtbot.waitUntil(grown(0.0), timeout=10_000)
    heights.append(float(np.abs(positions(document) - before).max()))
    qtbot.waitUntil(grown(heights[0] * 1.5), timeout=10_000)
    hand.release(0, 0)
    after = positions(document)
    qtbot.wait(150)
    assert np.array_equal(after, positions(document))


def test_another_window_ends_a_curve_cleanly(hand: Hand, document: Document, window: MainWindow) -> None:
    window.hand.update(method="curve")
    before = positions(document)
    hand.press(-60, 0)
    hand.release(-60, 0)
    window.viewport.cancelled.emit()
    assert not window.controller.busy
    assert np.array_equal(before, positions(document))
