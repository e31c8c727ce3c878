"""A stroke in hand and a hand that goes astray: it ends or is taken back cleanly, whatever the method.

By real pen, mouse, focus and window events on a window that is shown. That the viewport makes one sample of each
movement is in `tests/viewport/test_pointer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.document import Document
from app.mesh.mesh import ATTRIBUTES
from app.sculpt.settings import METHODS
from app.widgets.main_window import MainWindow

LEFT, NONE, PLAIN = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
PRESS, MOVE, RELEASE = QEvent.Type.TabletPress, QEvent.Type.TabletMove, QEvent.Type.TabletRelease
PEN = QPointingDevice(
    "pen",
    7,
    QInputDevice.DeviceType.Stylus,
    QPointingDevice.PointerType.Pen,
    QInputDevice.Capability.Pressure,
    1,
    3,
)
# Each method by a brush that has it; then brushes that drag, which have none; then what is not the shape.
STROKES = [*(("draw", method) for method in METHODS), ("grab", "space"), ("snake_hook", "space")]
STROKES += [("mask", "space"), ("mask", "anchored"), ("mask", "curve"), ("face_set", "space"), ("face_set", "line")]
WHATEVER_THE_STRENGTH = ("face_set",)  # a vertex is in the set or it is not
STEPS = 3  # in the history of the document from the start


class Pen:
    """A pen over the viewport, places in pixels from its middle."""

    def __init__(self, window: MainWindow) -> None:
        self.target = window.viewport
        self.middle = QPointF(self.target.width() // 2, self.target.height() // 2)

    def send(self, kind: QEvent.Type, x: float, y: float, pressure: float = 0.7) -> None:
        place = self.middle + QPointF(x, y)
        button = LEFT if kind != MOVE else NONE
        buttons = NONE if kind == RELEASE else LEFT
        far = self.target.mapToGlobal(place)
        tilt = (0.0, 0.0, 0.0, 0.0, 0.0)
        event = QTabletEvent(kind, PEN, place, far, pressure, *tilt, PLAIN, button, buttons)
        QCoreApplication.sendEvent(self.target, event)
        assert event.isAccepted()

    def leave(self) -> None:
        """Out of the tablet's reach, which Qt tells the application alone."""
        kind, nowhere = QEvent.Type.TabletLeaveProximity, QPointF()
        event = QTabletEvent(kind, PEN, nowhere, nowhere, 0, 0, 0, 0, 0, 0, PLAIN, NONE, NONE)
        QCoreApplication.sendEvent(QCoreApplication.instance(), event)

    def drag(self, pressure: float = 0.7) -> None:
        """Press and move, without a release."""
        self.send(PRESS, -60, 0, pressure)
        for x in (-40, 0, 40):
            self.send(MOVE, x, 10, pressure)


@pytest.fixture
def pen(window: MainWindow) -> Pen:
    window.hand.set_radius(1.5)
    return Pen(window)


def take(window: MainWindow, brush: str, method: str) -> None:
    window.hand.select(brush)
    window.hand.set_radius(1.5)
    window.hand.update(method=method)


def state(document: Document) -> dict[str, bytes]:
    mesh = document.mesh
    assert mesh is not None
    return {name: mesh.attribute(name).tobytes() for name in ATTRIBUTES if getattr(mesh, name) is not None}


def must_be_over(window: MainWindow, before: dict[str, bytes], what: object, *, changed: bool = True) -> None:
    """No stroke is in hand and none goes on; it made one step, or none; undo and redo are exact to the bit.

    Leaves the model as it was before.
    """
    document = window.document
    assert not window.controller.busy, what
    assert not document.history.recording, what
    after = state(document)
    QTest.qWait(50)  # longer than an airbrush waits
    assert state(document) == after, what
    assert (after != before) == changed, what
    assert document.history.position == STEPS + changed, what
    if changed:
        document.undo()
        assert state(document) == before, what
        document.redo()
        assert state(document) == after, what
        document.undo()


def must_work_again(window: MainWindow) -> None:
    """The next stroke, by mouse, is as if nothing had happened."""
    take(window, "draw", "space")
    before = state(window.document)
    middle = window.viewport.rect().center()
    QTest.qWait(350)  # mouse events right after the pen's are its echo
    QTest.mousePress(window.viewport, LEFT, PLAIN, middle)
    QTest.mouseMove(window.viewport, middle + QPoint(30, 0))
    QTest.mouseRelease(window.viewport, LEFT, PLAIN, middle + QPoint(30, 0))
    must_be_over(window, before, "the next one")


def end_of_curve(window: MainWindow, method: str) -> None:
    """A curve goes on after the release, and also after the pen has gone."""
    if method == "curve":
        assert window.controller.busy
        QTest.keyClick(window.viewport, Qt.Key.Key_Return)


def test_a_pen_that_loses_proximity_ends_the_stroke(window: MainWindow, pen: Pen) -> None:
    before = state(window.document)
    for brush, method in STROKES:
        take(window, brush, method)
        pen.drag()
        assert window.controller.busy
        pen.leave()
        pen.leave()
        end_of_curve(window, method)
        must_be_over(window, before, (brush, method))
    must_work_again(window)


@pytest.mark.parametrize("scales", [True, False])
def test_a_pen_without_pressure(window: MainWindow, pen: Pen, scales: bool) -> None:
    """Where pressure scales the strength nothing happens, and makes no step; where it does not, all is as ever."""
    before = state(window.document)
    for brush, method in STROKES:
        take(window, brush, method)
        window.hand.update(pressure_strength=scales, pressure_size=scales)
        pen.drag(pressure=0.0)
        pen.send(RELEASE, 40, 10, 0.0)
        end_of_curve(window, method)
        must_be_over(window, before, (brush, method), changed=not scales or brush in WHATEVER_THE_STRENGTH)
    must_work_again(window)


def test_a_pen_that_goes_far_out_of_the_window(window: MainWindow, pen: Pen) -> None:
    before = state(window.document)
    for brush, method in STROKES:
        take(window, brush, method)
        pen.drag()
        for x, y in ((-5_000, 40), (20, 20), (-3_000, 3_000)):
            pen.send(MOVE, x, y)
        pen.send(RELEASE, -3_000, 3_000)
        end_of_curve(window, method)
        mesh = window.document.mesh
        assert mesh is not None
        assert np.isfinite(mesh.positions).all(), (brush, method)
        must_be_over(window, before, (brush, method))
    must_work_again(window)


@contextmanager
def other_window(window: MainWindow, qtbot: QtBot) -> Iterator[None]:
    other = QLineEdit()
    other.show()
    with qtbot.waitActive(other, timeout=30_000):
        other.activateWindow()
    yield
    other.close()
    with qtbot.waitActive(window, timeout=30_000):
        window.activateWindow()


@contextmanager
def hidden_window(window: MainWindow, qtbot: QtBot) -> Iterator[None]:
    window.hide()
    yield
    window.show()
    qtbot.waitExposed(window)


@contextmanager
def other_field(window: MainWindow, qtbot: QtBot) -> Iterator[None]:
    field = QLineEdit(window)
    field.show()
    field.setFocus(Qt.FocusReason.MouseFocusReason)
    assert field.hasFocus()
    yield


Switch = Callable[[MainWindow, QtBot], AbstractContextManager[None]]


@pytest.mark.parametrize("switch", [other_window, hidden_window])
def test_another_window_ends_the_stroke(window: MainWindow, pen: Pen, qtbot: QtBot, switch: Switch) -> None:
    before = state(window.document)
    for brush, method in STROKES:
        take(window, brush, method)
        window.viewport.setFocus()
        pen.drag()
        with switch(window, qtbot):
            pen.send(MOVE, 0, 30)  # the hand is still on the tablet
            pen.send(RELEASE, 0, 30)
            must_be_over(window, before, (brush, method))
    must_work_again(window)


@pytest.mark.parametrize("switch", [other_window, hidden_window, other_field])
def test_a_curve_between_two_clicks_ends_where_its_keys_would_go_elsewhere(
    window: MainWindow, pen: Pen, qtbot: QtBot, switch: Switch
) -> None:
    take(window, "draw", "curve")
    before = state(window.document)
    window.viewport.setFocus()
    for x in (-60, 0):
        pen.send(PRESS, x, 0)
        pen.send(RELEASE, x, 0)
    assert window.controller.busy
    with switch(window, qtbot):
        must_be_over(window, before, switch)


def test_an_airbrush_that_comes_back_to_the_model_has_nothing_to_make_up_for(
    window: MainWindow, pen: Pen, qtbot: QtBot, document: Document
) -> None:
    take(window, "draw", "airbrush")
    dabs: list[int] = []
    document.surface_changed.connect(lambda: dabs.append(1))
    mesh = document.mesh
    assert mesh is not None
    start = mesh.positions.copy()
    pen.send(PRESS, -60, 0)
    pen.send(MOVE, -60, -100_000)
    resting = mesh.positions.copy()
    qtbot.wait(600)
    assert np.array_equal(resting, mesh.positions)
    pen.send(MOVE, 60, 0)
    pen.send(RELEASE, 60, 0)
    one, rest = np.abs(resting - start).max(), np.abs(mesh.positions - resting).max()
    assert one > 0
    # Half a second would be 30 dabs, on the way through the air; two are due at the most, and the loop may have slept.
    assert rest < 8 * one


def test_escape_takes_every_method_back(window: MainWindow, pen: Pen) -> None:
    before = state(window.document)
    for brush, method in STROKES:
        take(window, brush, method)
        window.viewport.setFocus()
        pen.drag()
        assert state(window.document) != before, (brush, method)
        QTest.keyClick(window.viewport, Qt.Key.Key_Escape)
        pen.send(MOVE, 0, 30)
        pen.send(RELEASE, 0, 30)
        must_be_over(window, before, (brush, method), changed=False)
