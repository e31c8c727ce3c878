"""What the hand does with buttons: camera gestures, or samples of a stroke. Ends cleanly whatever becomes of the hand.

What does not live here: which event is an echo of another (`pointer`), how a gesture moves the camera (`navigation`),
what a sample does to the mesh (the window).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent, QTabletEvent

from app.viewport.camera import Camera, Size
from app.viewport.navigation import Drag, gesture_of
from app.viewport.pointer import PointerEvent, PointerFilter, PointerSample


class View(Protocol):
    """What the hand needs of the viewport."""

    @property
    def camera(self) -> Camera: ...

    def set_camera(self, camera: Camera) -> None: ...

    def picture_size(self) -> Size: ...

    def anchor(self, x: float, y: float, *, middle: bool = False) -> np.ndarray: ...


class Hand(QObject):
    """Turns pointer events into camera moves and stroke signals."""

    pressed = Signal(PointerSample)
    dragged = Signal(PointerSample)
    released = Signal(PointerSample)
    hovered = Signal(PointerSample)
    cancelled = Signal()

    def __init__(self, view: View, parent: QObject) -> None:
        super().__init__(parent)
        self._view = view
        self._filter = PointerFilter()
        self._drag: Drag | None = None
        self._stroke: PointerSample | None = None  # the last sample of the stroke in hand

    @property
    def in_stroke(self) -> bool:
        return self._stroke is not None

    @property
    def moves_camera(self) -> bool:
        return self._drag is not None

    def mouse(self, event: QMouseEvent) -> None:
        """Take a mouse event; accepted where it was used."""
        self._take(self._filter.mouse(event), event)

    def tablet(self, event: QTabletEvent) -> None:
        """Take a pen event; what is not accepted Qt sends again as a mouse event."""
        self._take(self._filter.tablet(event), event)

    def let_go(self) -> None:
        """The hand is gone without a release: what was done so far stands."""
        self._drag = None
        self._filter.pen_lost()
        if self._stroke is not None:
            self._end_stroke(self._stroke)

    def cancel(self) -> None:
        """The ground of the stroke in hand is gone: it must be rolled back."""
        if self._stroke is not None:
            self._forget_stroke()
            self.cancelled.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Watches the application while a pen stroke is in hand: Qt tells only the application when the pen leaves.
        if event.type() == QEvent.Type.TabletLeaveProximity:
            self.let_go()
        return False

    def _take(self, pointer: PointerEvent | None, event: QMouseEvent | QTabletEvent) -> None:
        event.setAccepted(pointer is not None)
        if pointer is None:
            return
        handler = {"press": self._press, "move": self._move, "release": self._release}[pointer.kind]
        event.setAccepted(handler(pointer))

    def _press(self, pointer: PointerEvent) -> bool:
        sample = pointer.sample
        if self._drag is not None or self._stroke is not None:
            return True
        gesture = gesture_of(pointer.button, sample.modifiers)
        if gesture is not None:
            anchor = self._view.anchor(sample.x, sample.y, middle=gesture == "orbit")
            self._drag = Drag(gesture, pointer.button, sample.x, sample.y, anchor)
        elif pointer.button == Qt.MouseButton.LeftButton:
            self._begin_stroke(sample)
        else:
            return False
        return True

    def _move(self, pointer: PointerEvent) -> bool:
        sample, view = pointer.sample, self._view
        if self._drag is not None:
            if pointer.buttons & self._drag.button:
                view.set_camera(self._drag.moved(view.camera, sample.x, sample.y, view.picture_size()))
                self.hovered.emit(sample)
                return True
            self._drag = None
        if self._stroke is not None:
            if pointer.buttons & Qt.MouseButton.LeftButton:
                self._stroke = sample
                self.dragged.emit(sample)
                return True
            self.let_go()  # the release went astray
        self.hovered.emit(sample)
        return True

    def _release(self, pointer: PointerEvent) -> bool:
        if self._drag is not None and pointer.button == self._drag.button:
            self._drag = None
        elif self._stroke is not None and pointer.button == Qt.MouseButton.LeftButton:
            self._end_stroke(pointer.sample)
        return True

    def _begin_stroke(self, sample: PointerSample) -> None:
        self._stroke = sample
        application = QCoreApplication.instance()
        if sample.pen and application is not None:
            application.installEventFilter(self)
        self.pressed.emit(sample)

    def _end_stroke(self, sample: PointerSample) -> None:
        self._forget_stroke()
        self.released.emit(sample)

    def _forget_stroke(self) -> None:
        self._stroke = None
        application = QCoreApplication.instance()
        if application is not None:
            application.removeEventFilter(self)
