"""What lies over the picture: brush cursor, gizmo, scale bar, axes.

Painted by Qt: hovering never draws the mesh anew.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QCursor, QFont, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

from app.viewport.camera import Camera
from app.viewport.cursor import BrushCursor, ring
from app.viewport.gizmo import GizmoLook
from app.viewport.gizmo_painter import AXIS_COLORS, GizmoPainter
from app.viewport.scale_bar import length_label, nice_length

_MARGIN = 16  # logical pixels, all lengths here
_LONGEST_BAR = 140
_TICK = 4
_AXIS_LENGTH = 24
_FONT_PIXELS = 12
_DOT_RADIUS = 2
_MARKER_RADIUS = 22
_SOURCE_RADIUS, _SOURCE_GAP, _SOURCE_ARM = 7, 3, 12
_DARK, _LIGHT = QColor(0, 0, 0, 150), QColor(255, 255, 255, 230)
_MIRROR_ALPHA = 120
_AXES = tuple(zip("XYZ", AXIS_COLORS, strict=True))


class Overlay(QWidget):
    """A transparent sheet over the picture; the pointer goes through it to the viewport."""

    def __init__(self, parent: QWidget, camera: Callable[[], Camera]) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._camera = camera
        self._cursor: BrushCursor | None = None
        self._cursor_area = QRect()
        self._marker: np.ndarray | None = None
        self._source: np.ndarray | None = None
        self._gizmo: GizmoLook | None = None

    def set_cursor(self, cursor: BrushCursor | None) -> None:
        """Show a brush cursor or none; repaints only where it was and where it will be."""
        self._cursor = cursor
        before, self._cursor_area = self._cursor_area, self._area_of_cursor()
        self.update(before)
        self.update(self._cursor_area)

    def set_marker(self, point: np.ndarray | None) -> None:
        """Draw a ring around a place, (3,) mm, or none."""
        self._marker = point
        self.update()

    def set_source(self, point: np.ndarray | None) -> None:
        """Mark the place, (3,) mm, that a brush takes from, or none."""
        if point is not None or self._source is not None:
            self._source = point
            self.update()

    @property
    def source(self) -> np.ndarray | None:
        return self._source

    def set_gizmo(self, look: GizmoLook | None) -> None:
        """Show the gizmo or none."""
        if look is not None or self._gizmo is not None:
            self._gizmo = look
            self.update()

    @property
    def marker(self) -> np.ndarray | None:
        return self._marker

    @property
    def brush_cursor(self) -> BrushCursor | None:
        return self._cursor

    def camera_moved(self) -> None:
        self._cursor_area = self._area_of_cursor()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._cursor is not None:
            self._paint_cursor(painter, self._cursor)
        if self._marker is not None:
            self._paint_marker(painter, self._marker)
        font = QFont(self.font())
        font.setPixelSize(_FONT_PIXELS)
        painter.setFont(font)
        self._paint_scale_bar(painter)
        self._paint_axes(painter)
        if self._source is not None:
            self._paint_source(painter, self._source)
        if self._gizmo is not None:
            GizmoPainter(painter, self._gizmo, self._camera(), self._size()).paint()

    def rings(self, cursor: BrushCursor) -> list[list[np.ndarray]]:
        """Per dab, per ring, (n, 2) float64 logical pixels; a ring that reaches behind the eye is left out."""
        size, camera = self._size(), self._camera()
        found = []
        for point, normal in cursor.places():
            outlines = [camera.project(ring(point, normal, radius), size) for radius in cursor.radii()]
            found.append([outline for outline in outlines if np.isfinite(outline).all()])
        return found

    def _size(self) -> tuple[float, float]:
        return float(self.width()), float(self.height())

    def _area_of_cursor(self) -> QRect:
        if self._cursor is None:
            return QRect()
        outlines = [outline for place in self.rings(self._cursor) for outline in place]
        if not outlines:
            return QRect()
        points = np.concatenate(outlines)
        (left, top), (right, bottom) = points.min(axis=0) - 4, points.max(axis=0) + 4
        area = QRectF(left, top, right - left, bottom - top)
        return area.intersected(QRectF(self.rect())).toAlignedRect()

    def _paint_cursor(self, painter: QPainter, cursor: BrushCursor) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for index, outlines in enumerate(self.rings(cursor)):
            for number, outline in enumerate(outlines):
                dark, light = QColor(_DARK), QColor(_LIGHT)
                if cursor.color is not None:
                    light = QColor.fromRgbF(*cursor.color)
                if index or number:
                    dark.setAlpha(_MIRROR_ALPHA // 2)
                    light.setAlpha(_MIRROR_ALPHA)
                polygon = QPolygonF([QPointF(x, y) for x, y in outline.tolist()])
                for color, width in ((dark, 3.2), (light, 1.4)):
                    painter.setPen(QPen(color, width))
                    painter.drawPolyline(polygon)
            if index:  # the first dab's middle is the pointer itself
                self._paint_dot(painter, cursor.places()[index][0])

    def _paint_marker(self, painter: QPainter, point: np.ndarray) -> None:
        x, y = self._camera().project(point, self._size())
        if np.isfinite((x, y)).all():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for color, width in ((_DARK, 4.0), (_LIGHT, 1.8)):
                painter.setPen(QPen(color, width))
                painter.drawEllipse(QPointF(x, y), _MARKER_RADIUS, _MARKER_RADIUS)

    def _paint_source(self, painter: QPainter, point: np.ndarray) -> None:
        x, y = self._camera().project(point, self._size())
        if not np.isfinite((x, y)).all():
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, width in ((_DARK, 4.0), (_LIGHT, 1.6)):
            painter.setPen(QPen(color, width))
            painter.drawEllipse(QPointF(x, y), _SOURCE_RADIUS, _SOURCE_RADIUS)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                way = QPointF(dx, dy)
                painter.drawLine(QPointF(x, y) + way * _SOURCE_GAP, QPointF(x, y) + way * _SOURCE_ARM)

    def _paint_dot(self, painter: QPainter, point: np.ndarray) -> None:
        x, y = self._camera().project(point, self._size())
        if np.isfinite((x, y)).all():
            _paint_spot(painter, QPointF(x, y))

    def _paint_scale_bar(self, painter: QPainter) -> None:
        camera = self._camera()
        scale = camera.mm_per_pixel(camera.focus, self._size())
        length = nice_length(min(_LONGEST_BAR, self.width() / 3) * scale)
        if length <= 0:
            return
        x, y, pixels = float(_MARGIN), float(self.height() - _MARGIN), length / scale
        bar = QPolygonF([QPointF(x, y - _TICK), QPointF(x, y), QPointF(x + pixels, y), QPointF(x + pixels, y - _TICK)])
        for color, width in ((_DARK, 3.4), (_LIGHT, 1.4)):
            painter.setPen(QPen(color, width))
            painter.drawPolyline(bar)
        _paint_text(painter, QPointF(x, y - _TICK - 5), length_label(length))

    def _paint_axes(self, painter: QPainter) -> None:
        """The model's axes as the camera sees them, those that point away first."""
        centre = QPointF(self.width() - _MARGIN - _AXIS_LENGTH - 6, self.height() - _MARGIN - _AXIS_LENGTH)
        right, up, forward = self._camera().axes()
        for axis in np.argsort(-forward):
            name, color = _AXES[axis]
            tip = centre + QPointF(right[axis], -up[axis]) * _AXIS_LENGTH
            faded = QColor(color)
            faded.setAlpha(255 if forward[axis] <= 0.1 else 120)
            painter.setPen(QPen(_DARK, 3.6))
            painter.drawLine(centre, tip)
            painter.setPen(QPen(faded, 2.0))
            painter.drawLine(centre, tip)
            offset = QPointF(right[axis], -up[axis]) * 9
            _paint_text(painter, tip + offset + QPointF(-4, 4), name)


def dot_cursor(pixel_ratio: float) -> QCursor:
    """A pointer that marks one spot and hides nothing; the system moves it, however busy the program is."""
    side = 2 * _DOT_RADIUS + 5
    picture = QPixmap(round(side * pixel_ratio), round(side * pixel_ratio))
    picture.setDevicePixelRatio(pixel_ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_spot(painter, QPointF(side / 2, side / 2))
    painter.end()
    return QCursor(picture, side // 2, side // 2)


def _paint_spot(painter: QPainter, place: QPointF) -> None:
    painter.setPen(QPen(_DARK, 1.0))
    painter.setBrush(_LIGHT)
    painter.drawEllipse(place, _DOT_RADIUS, _DOT_RADIUS)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_text(painter: QPainter, place: QPointF, text: str) -> None:
    """Light text with a dark edge: legible on any background."""
    painter.setPen(_DARK)
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(place + QPointF(dx, dy), text)
    painter.setPen(_LIGHT)
    painter.drawText(place, text)
