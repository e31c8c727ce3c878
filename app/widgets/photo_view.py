"""One photo, to be zoomed and panned. Draws only what is in view and tells of every change of the photo's view.

What does not live here: which photos there are and which of them are shown (`photo_panel`), where a photo lies
(`app.photos.placement`), and resampling (`app.photos.display`).
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QEnterEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from app.photos.display import DisplayCopy, tone_table
from app.photos.photo import Photo, PhotoView
from app.photos.placement import panned, to_photo, to_view, zoom_shown, zoomed
from app.widgets import theme
from app.widgets.photo_overlays import paint_badge, paint_grid, paint_swatch

_ZOOM_STEP = 1.2
_NOTCH = 120.0
_ARROW_STEP = 48
_CORNERS = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class PhotoCanvas(QWidget):
    """Shows one photo or none.

    Signals: view_changed() when the user moved or zoomed; activated() on a press or a key; color_picked(r, g, b) with
    sRGB 0 to 1 of the photo itself, whatever brightness it is shown with; menu_requested(global position).
    """

    view_changed = Signal()
    activated = Signal()
    color_picked = Signal(float, float, float)
    menu_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(80, 80)
        self._photo: Photo | None = None
        self._picking = False
        self._outlined = False
        self._ringed = False
        self._note = ""
        self._pan_from: QPointF | None = None
        self._pointer: QPointF | None = None
        self._frame: tuple[object, QImage, np.ndarray] | None = None
        theme.events.changed.connect(self.update)

    # What is shown

    @property
    def photo(self) -> Photo | None:
        return self._photo

    def set_photo(self, photo: Photo | None) -> None:
        """Show another photo, in the view it remembers."""
        self._photo = photo
        self._frame = None
        self.setAccessibleName(f"Photo {photo.name}" if photo else "No photo")
        self.update()

    def set_picking(self, on: bool) -> None:
        """Let a plain click pick a colour, as Alt-click always does."""
        self._picking = on
        self._update_cursor(QApplication.keyboardModifiers())

    def set_outlined(self, on: bool) -> None:
        """Mark this as the active one of several."""
        self._outlined = on
        self.update()

    def set_note(self, text: str) -> None:
        """What to say while there is no photo."""
        self._note = text
        self.update()

    @property
    def zoom(self) -> float:
        """Pixels of the screen per pixel of the photo; 1.0 is 100 %."""
        return self._zoom_shown() * self.devicePixelRatioF()

    def _zoom_shown(self) -> float:
        return zoom_shown(self._photo.view, self._photo_size(), self._room()) if self._photo else 1.0

    def _room(self) -> tuple[float, float]:
        return float(max(self.width(), 1)), float(max(self.height(), 1))

    def _photo_size(self) -> tuple[float, float]:
        assert self._photo is not None
        return float(self._photo.width), float(self._photo.height)

    # Changing the view

    def set_view(self, view: PhotoView) -> None:
        """Give the photo another view and tell of it."""
        if self._photo is not None and view != self._photo.view:
            self._photo.view = view
            self.update()
            self.view_changed.emit()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom about a point of the widget; about its middle without one."""
        if self._photo is not None:
            at = QPointF(self.width() / 2, self.height() / 2) if at is None else at
            zoom = self._zoom_shown() * factor
            self.set_view(zoomed(self._photo.view, self._photo_size(), self._room(), zoom, at.x(), at.y()))

    def zoom_to_actual(self) -> None:
        """One pixel of the photo on one pixel of the screen."""
        self.zoom_by(1.0 / self.zoom)

    def pan_by(self, dx: float, dy: float) -> None:
        """Move the photo by device-independent pixels."""
        if self._photo is not None:
            self.set_view(panned(self._photo.view, self._photo_size(), self._room(), dx, dy))

    def color_at(self, position: QPointF) -> tuple[float, float, float] | None:
        """The photo's own colour under a point, averaged over the photo pixels that one screen pixel covers."""
        if self._photo is None or self._photo.display is None:
            return None
        u, v = to_photo(self._photo.view, self._photo_size(), self._room(), position.x(), position.y())
        pixels_per_point = self._photo.display.pixels.shape[1] / (self._photo.width * self._zoom_shown())
        return self._photo.display.color_at(u, v, pixels_per_point / 2)

    # Events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.activated.emit()
        if event.button() == Qt.MouseButton.LeftButton and self._picks(event.modifiers()):
            self._pick(event.position())
        elif event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._pan_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        if self._pan_from is not None:
            moved = event.position() - self._pan_from
            self._pan_from = event.position()
            self.pan_by(moved.x(), moved.y())
            return
        self._update_cursor(event.modifiers())
        if self._picks(event.modifiers()):
            if event.buttons() & Qt.MouseButton.LeftButton:
                self._pick(event.position())
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pan_from = None
        self._update_cursor(event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not self._picks(event.modifiers()) and self._photo:
            self.set_view(PhotoView.from_dict({**self._photo.view.to_dict(), "zoom": 0.0, "center": [0.5, 0.5]}))

    def wheelEvent(self, event: QWheelEvent) -> None:
        # Alt turns the wheel sideways on some systems.
        notches = (event.angleDelta().y() or event.angleDelta().x()) / _NOTCH
        self.activated.emit()
        self.zoom_by(_ZOOM_STEP**notches, event.position())
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_by(1.0 + event.value(), event.position())
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._update_cursor(event.modifiers())
        step = {
            Qt.Key.Key_Left: (_ARROW_STEP, 0),
            Qt.Key.Key_Right: (-_ARROW_STEP, 0),
            Qt.Key.Key_Up: (0, _ARROW_STEP),
            Qt.Key.Key_Down: (0, -_ARROW_STEP),
        }.get(Qt.Key(event.key()))
        if step and event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier):
            self.pan_by(*step)
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self._update_cursor(event.modifiers())
        event.ignore()

    def enterEvent(self, event: QEnterEvent) -> None:
        # Keys act on what the pointer is over, as in the viewport; a number being typed elsewhere is left alone.
        if self.isActiveWindow() and not isinstance(QApplication.focusWidget(), QLineEdit):
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._update_cursor(QApplication.keyboardModifiers())

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.clearFocus()
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ringed = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if self._ringed:
            self.activated.emit()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._pan_from = None
        self._ringed = False
        self.update()

    def contextMenuEvent(self, event: object) -> None:
        self.activated.emit()
        self.menu_requested.emit(event.globalPos())  # type: ignore[attr-defined]

    def _picks(self, modifiers: Qt.KeyboardModifier) -> bool:
        return self._photo is not None and (self._picking or bool(modifiers & Qt.KeyboardModifier.AltModifier))

    def _pick(self, position: QPointF) -> None:
        color = self.color_at(position)
        if color is not None:
            self.color_picked.emit(*color)

    def _update_cursor(self, modifiers: Qt.KeyboardModifier) -> None:
        if self._pan_from is None:
            picks = self._picks(modifiers)
            self.setCursor(Qt.CursorShape.CrossCursor if picks else Qt.CursorShape.OpenHandCursor)
            self.update()

    # Painting

    def sizeHint(self) -> QSize:
        return QSize(320, 400)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.theme().color("photo"))
        if self._photo is None:
            painter.setPen(theme.theme().color("dim"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._note)
            return
        matrix = to_view(self._photo.view, self._photo_size(), self._room())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_photo(painter, matrix)
        paint_grid(painter, self._photo.view, matrix, QRectF(self.rect()))
        self._paint_badges(painter)
        self._paint_swatch(painter)
        if self._outlined or self._ringed:
            painter.setPen(QPen(theme.theme().color("focus" if self._ringed else "accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def _paint_photo(self, painter: QPainter, matrix: np.ndarray) -> None:
        photo, ratio = self._photo, self.devicePixelRatioF()
        assert photo is not None
        source = photo.display or (DisplayCopy(photo.thumbnail) if photo.thumbnail is not None else None)
        if source is None:
            return
        on_screen = matrix * ratio
        size = math.ceil(self.width() * ratio), math.ceil(self.height() * ratio)
        table = tone_table(photo.view.brightness, photo.view.contrast)
        key = (photo.display, on_screen.tobytes(), size, photo.view.brightness, photo.view.contrast)
        if self._frame is None or self._frame[0] != key:
            pixels = source.render(on_screen, size, table)
            image = QImage(pixels.data, size[0], size[1], pixels.strides[0], QImage.Format.Format_RGB888)
            self._frame = (key, image, pixels)  # the image does not own its pixels
        painter.save()
        painter.scale(1.0 / ratio, 1.0 / ratio)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(self._frame[1]))
        corners = on_screen @ np.array([(u, v, 1.0) for u, v in _CORNERS]).T
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners.T]))
        painter.restore()

    def _paint_badges(self, painter: QPainter) -> None:
        assert self._photo is not None
        zoom = self.zoom * 100.0
        percent = f"{zoom:.0f} %" if zoom >= 10 else f"{zoom:.1f} %"
        right = paint_badge(painter, self.rect(), percent, Qt.AlignmentFlag.AlignRight, 0)
        text = self._photo.name if self._photo.display is not None else f"Reading {self._photo.name}…"
        paint_badge(painter, self.rect(), text, Qt.AlignmentFlag.AlignLeft, right)

    def _paint_swatch(self, painter: QPainter) -> None:
        if self._pointer is not None and self._picks(QApplication.keyboardModifiers()):
            color = self.color_at(self._pointer)
            if color is not None:
                paint_swatch(painter, QColor.fromRgbF(*color), self._pointer, self.rect())
