"""The compact slider, driven by real events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.widgets.slider import Range, Slider

LEFT, NONE, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def slider(qtbot: QtBot) -> Slider:
    slider = Slider("Radius", Range(0.0, 10.0, "mm", 1), 5.0, "Radius\nReach of the brush")
    qtbot.addWidget(slider)
    slider.resize(200, 28)
    slider.show()
    qtbot.waitExposed(slider)
    return slider


def drag(slider: Slider, dx: int) -> None:
    start = QPoint(100, 14)
    QTest.mousePress(slider, LEFT, NONE, start)
    QTest.mouseMove(slider, start + QPoint(dx, 0))
    QTest.mouseRelease(slider, LEFT, NONE, start + QPoint(dx, 0))


def test_drag_moves_by_the_pointers_way(slider: Slider) -> None:
    told = []
    slider.value_changed.connect(told.append)
    drag(slider, 40)
    assert slider.value == pytest.approx(7.0)
    assert told[-1] == slider.value


def test_coming_back_from_beyond_the_end_starts_at_once(slider: Slider) -> None:
    QTest.mousePress(slider, LEFT, NONE, QPoint(100, 14))
    QTest.mouseMove(slider, QPoint(400, 14))
    assert slider.value == 10.0
    QTest.mouseMove(slider, QPoint(380, 14))
    QTest.mouseRelease(slider, LEFT, NONE, QPoint(380, 14))
    assert slider.value == pytest.approx(9.0)


def test_ctrl_is_ten_times_finer(slider: Slider) -> None:
    # QTest's moves carry no modifiers.
    for kind, x in ((QEvent.Type.MouseButtonPress, 100.0), (QEvent.Type.MouseMove, 140.0)):
        at = QPointF(x, 14)
        QApplication.sendEvent(slider, QMouseEvent(kind, at, slider.mapToGlobal(at), LEFT, LEFT, CTRL))
    assert slider.value == pytest.approx(5.2)


def test_wheel_steps_by_a_fiftieth(slider: Slider) -> None:
    at = QPointF(100, 14)
    wheel = QWheelEvent(
        at,
        slider.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(slider, wheel)
    assert slider.value == pytest.approx(5.2)


@pytest.mark.parametrize(("typed", "value"), [("7.5", 7.5), ("3,25", 3.25), ("2 mm", 2.0), ("99", 10.0), ("-4", 0.0)])
def test_double_click_lets_one_type(typed: str, value: float, slider: Slider) -> None:
    QTest.mouseDClick(slider, LEFT, NONE, QPoint(100, 14))
    editor = slider._editor
    assert editor is not None
    assert editor.selectedText() == "5.0"
    editor.setText(typed)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert slider.value == pytest.approx(value)
    assert slider._editor is None


@pytest.mark.parametrize("typed", ["", "five", "nan", "inf", "1e999"])
def test_nonsense_typed_changes_nothing(typed: str, slider: Slider) -> None:
    slider.edit()
    assert slider._editor is not None
    slider._editor.setText(typed)
    QTest.keyClick(slider._editor, Qt.Key.Key_Return)
    assert slider.value == 5.0


def test_escape_leaves_the_value(slider: Slider) -> None:
    slider.edit()
    editor = slider._editor
    assert editor is not None
    editor.setText("9")
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert slider.value == 5.0
    assert slider._editor is None


def test_set_value_tells_nobody(slider: Slider) -> None:
    told = []
    slider.value_changed.connect(told.append)
    slider.set_value(3.0)
    assert slider.value == 3.0
    assert slider.text == "3.0 mm"
    assert not told


def test_a_german_label_is_not_cut(qtbot: QtBot) -> None:
    slider = Slider("Oberflächenglättung", Range(0.0, 10000.0, "Pixel", 1), 5.0, "")
    qtbot.addWidget(slider)
    metrics = slider.fontMetrics()
    assert slider.minimumSizeHint().width() >= metrics.horizontalAdvance("Oberflächenglättung 10000.0 Pixel")


@given(
    minimum=st.floats(0.01, 10),
    factor=st.floats(1.5, 1e4),
    fraction=st.floats(0, 1),
    logarithmic=st.booleans(),
)
def test_range_there_and_back(minimum: float, factor: float, fraction: float, logarithmic: bool) -> None:
    value_range = Range(minimum, minimum * factor, logarithmic=logarithmic)
    value = value_range.at(fraction)
    assert minimum * 0.999999 <= value <= minimum * factor * 1.000001
    assert value_range.fraction(value) == pytest.approx(fraction, abs=1e-6)


def test_logarithmic_middle_is_the_geometric_mean() -> None:
    assert Range(0.1, 1000.0, logarithmic=True).at(0.5) == pytest.approx(10.0)
