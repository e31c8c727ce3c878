"""Radius and strength by moving the pointer (F, Shift-F): a short mode with a ring that shows what is being set.

A click or Enter takes the value, Esc or the right button leaves it as it was. What does not live here: the ring that
lies on the surface while sculpting (`app.viewport`).
"""

from __future__ import annotations

import math
from typing import Literal

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QTabletEvent
from PySide6.QtWidgets import QWidget

from app.viewport.viewport import Viewport
from app.widgets.brush_hand import BrushHand

Kind = Literal["radius", "strength"]

# Pointer travel from strength 0 to 1, logical pixels; also the size of the ring that shows a strength.
_STRENGTH_PX = 200.0
_FINE = 0.1
_LABEL = QRectF(0, 0, 120, 24)
_DARK, _LIGHT = QColor(0, 0, 0, 160), QColor(255, 255, 255, 230)
_MOVES = (QEvent.Type.MouseMove, QEvent.Type.TabletMove)
_PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TabletPress)
_RELEASES = (QEvent.Type.MouseButtonRelease, QEvent.Type.TabletRelease)
_TAKE = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class ValueDrag(QObject):
    """The mode. While it is active every pointer and key event of the program comes here."""

    ended = Signal()

    def __init__(self, surface: Viewport, hand: BrushHand, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._surface, self._hand = surface, hand
        self._ring = _Ring(surface)
        self._kind: Kind | None = None
        self._start = 0.0
        self._mm_per_pixel = 1.0
        self._center = self._last = QPointF()
        self._strength = 0.0
        self._verdict: bool | None = None

    @property
    def active(self) -> bool:
        return self._kind is not None

    def start(self, kind: Kind, pointer: QPointF, mm_per_pixel: float) -> None:
        """Begin at a place of the surface, logical pixels; mm_per_pixel: what one pixel is on the model there."""
        if self._kind is not None:
            return
        self._kind, self._mm_per_pixel, self._verdict = kind, mm_per_pixel, None
        self._start = self._hand.radius if kind == "radius" else self._hand.options.strength
        self._strength = self._hand.options.strength
        # The pointer begins on the rim, so that the radius is simply its distance from the middle.
        self._center = pointer - QPointF(self._radius_px(), 0.0) if kind == "radius" else pointer
        self._last = pointer
        _application().installEventFilter(self)
        self._ring.setGeometry(self._surface.rect())
        self._ring.show()
        self._ring.raise_()
        self._draw()

    def end(self, take: bool) -> None:
        """Leave the mode; without `take` the value is again what it was."""
        kind, self._kind = self._kind, None
        if kind is None:
            return
        _application().removeEventFilter(self)
        self._ring.hide()
        if not take and kind == "radius":
            self._hand.set_radius(self._start)
        elif not take:
            self._hand.update(strength=self._start)
        self.ended.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in _MOVES and isinstance(event, QMouseEvent | QTabletEvent):
            self._move(event)
        elif kind in _PRESSES and isinstance(event, QMouseEvent | QTabletEvent):
            self._verdict = event.button() == Qt.MouseButton.LeftButton
        elif kind in _RELEASES:
            # Ends here and not at the press, so that nobody gets a release without its press.
            if self._verdict is not None:
                self.end(self._verdict)
        elif kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in _TAKE:
                self.end(True)
            elif event.key() == Qt.Key.Key_Escape:
                self.end(False)
        elif kind == QEvent.Type.ApplicationDeactivate:
            self.end(False)
            return False
        elif kind not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyRelease, QEvent.Type.Wheel):
            return False
        event.accept()
        return True

    def _move(self, event: QMouseEvent | QTabletEvent) -> None:
        position = self._surface.mapFromGlobal(event.globalPosition())
        moved, self._last = position - self._last, position
        if self._kind == "radius":
            offset = position - self._center
            pixels = math.hypot(offset.x(), offset.y())
            self._hand.set_radius(pixels if self._hand.radius_in_pixels else pixels * self._mm_per_pixel)
        else:
            fine = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            self._strength += moved.x() / _STRENGTH_PX * (_FINE if fine else 1.0)
            self._strength = min(max(self._strength, 0.0), 1.0)
            self._hand.update(strength=self._strength)
        self._draw()

    def _radius_px(self) -> float:
        return self._hand.radius if self._hand.radius_in_pixels else self._hand.radius / self._mm_per_pixel

    def _draw(self) -> None:
        self._surface.hide_cursor()  # which follows the hand, and would be a second ring
        options = self._hand.options
        if self._kind == "radius":
            radius, unit = self._hand.radius, "px" if self._hand.radius_in_pixels else "mm"
            text = f"{radius:.0f} px" if unit == "px" else f"{radius:.1f} mm"
            self._ring.draw(self._center, self._radius_px(), options.hardness, text)
        else:
            self._ring.draw(self._center, _STRENGTH_PX / 2, options.strength, f"{options.strength:.2f}")


def _application() -> QCoreApplication:
    application = QCoreApplication.instance()
    assert application is not None
    return application


class _Ring(QWidget):
    """Two circles and the value in their middle, readable on any model."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._center, self._radius, self._inner, self._text = QPointF(), 0.0, 0.0, ""
        self.hide()

    def draw(self, center: QPointF, radius: float, inner: float, text: str) -> None:
        """inner: the second circle as a part of the radius."""
        self._center, self._radius, self._inner, self._text = center, radius, inner, text
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for color, width in ((_DARK, 3.0), (_LIGHT, 1.25)):
            painter.setPen(QPen(color, width))
            for radius in (self._radius, self._radius * self._inner):
                painter.drawEllipse(self._center, radius, radius)
        label = QRectF(_LABEL)
        label.moveCenter(self._center)
        inside = QRectF(self.rect())
        label.moveLeft(min(max(label.left(), inside.left()), inside.right() - label.width()))
        label.moveTop(min(max(label.top(), inside.top()), inside.bottom() - label.height()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_DARK)
        width = painter.fontMetrics().horizontalAdvance(self._text) + _LABEL.height()
        painter.drawRoundedRect(label.adjusted((label.width() - width) / 2, 0, (width - label.width()) / 2, 0), 4, 4)
        painter.setPen(_LIGHT)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, self._text)
