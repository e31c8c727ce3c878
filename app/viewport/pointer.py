"""From mouse and pen events to samples: one sample for each movement of the hand, never two.

What lives here: the sample and the filter. What does not: what a sample does (the window), the camera (`navigation`).

A pen reaches a widget as tablet events. Where one is not accepted Qt makes a mouse event of it, and some systems send
mouse events of their own beside the tablet events: both would give a second dab and are dropped here.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QInputDevice, QMouseEvent, QPointingDevice, QTabletEvent

Kind = Literal["press", "move", "release"]

# After a pen event, mouse events that a system made from it arrive within this time.
_PEN_ECHO_SECONDS = 0.3
_PEN_DEVICES = (QInputDevice.DeviceType.Stylus, QInputDevice.DeviceType.Airbrush, QInputDevice.DeviceType.Puck)
_TABLET_KINDS: dict[QEvent.Type, Kind] = {
    QEvent.Type.TabletPress: "press",
    QEvent.Type.TabletMove: "move",
    QEvent.Type.TabletRelease: "release",
}
_MOUSE_KINDS: dict[QEvent.Type, Kind] = {
    QEvent.Type.MouseButtonPress: "press",
    QEvent.Type.MouseButtonDblClick: "press",  # the second of two quick dabs
    QEvent.Type.MouseMove: "move",
    QEvent.Type.MouseButtonRelease: "release",
}


@dataclass(frozen=True)
class PointerSample:
    """One pointer event.

    x, y: logical pixels from the viewport's upper left corner. pressure: 0 to 1, always 1 for a mouse.
    tilt_x, tilt_y: degrees from upright, -60 to 60, 0 for a mouse. time: seconds, monotonic.
    modifiers: keys held. pen: came from a tablet. eraser: the pen's other end.
    """

    x: float
    y: float
    pressure: float
    tilt_x: float
    tilt_y: float
    time: float
    modifiers: Qt.KeyboardModifier
    pen: bool
    eraser: bool


@dataclass(frozen=True)
class PointerEvent:
    """A sample with what happened. button: the one that went down or up. buttons: those held now."""

    kind: Kind
    button: Qt.MouseButton
    buttons: Qt.MouseButton
    sample: PointerSample


class PointerFilter:
    """Translates events and drops the echoes."""

    def __init__(self) -> None:
        self._pen_down = False
        self._last_pen = float("-inf")

    def tablet(self, event: QTabletEvent) -> PointerEvent | None:
        """A pen event; None where it is better left to Qt (a right click becomes the mouse's, for the menu).

        The caller accepts the event exactly when it gets an answer.
        """
        kind = _TABLET_KINDS.get(event.type())
        if kind is None or Qt.MouseButton.RightButton in (event.button(), event.buttons()):
            return None
        self._last_pen = time.monotonic()
        if kind != "move":
            self._pen_down = kind == "press"
        place = event.position()
        sample = PointerSample(
            x=place.x(),
            y=place.y(),
            pressure=min(1.0, max(0.0, event.pressure())),
            tilt_x=float(event.xTilt()),
            tilt_y=float(event.yTilt()),
            time=self._last_pen,
            modifiers=event.modifiers(),
            pen=True,
            eraser=event.pointerType() == QPointingDevice.PointerType.Eraser,
        )
        return PointerEvent(kind, event.button(), event.buttons(), sample)

    def mouse(self, event: QMouseEvent) -> PointerEvent | None:
        """A mouse event; None for the echo of a pen."""
        kind = _MOUSE_KINDS.get(event.type())
        if kind is None or self._is_echo(event):
            return None
        place = event.position()
        sample = PointerSample(
            place.x(), place.y(), 1.0, 0.0, 0.0, time.monotonic(), event.modifiers(), pen=False, eraser=False
        )
        return PointerEvent(kind, event.button(), event.buttons(), sample)

    def pen_lost(self) -> None:
        """The pen left without a release."""
        self._pen_down = False

    def _is_echo(self, event: QMouseEvent) -> bool:
        if self._pen_down or event.deviceType() in _PEN_DEVICES:
            return True
        made_up = event.source() != Qt.MouseEventSource.MouseEventNotSynthesized
        return made_up and time.monotonic() - self._last_pen < _PEN_ECHO_SECONDS
