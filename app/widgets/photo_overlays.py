"""What is drawn over a photo: the grid, name and zoom, and the colour under the pointer. All legible on any photo."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.photos.photo import PhotoView

_SWATCH, _SWATCH_DISTANCE = 36, 14
_BADGE_MARGIN, _BADGE_PADDING = 6, 5


def paint_badge(painter: QPainter, area: QRect, text: str, side: Qt.AlignmentFlag, taken: int) -> int:
    """A line of text on a dark plate in a lower corner, where `taken` px are in use; returns the width in use then."""
    metrics, room = painter.fontMetrics(), area.width() - taken - 2 * _BADGE_MARGIN
    text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room - 2 * _BADGE_PADDING)
    width, height = metrics.horizontalAdvance(text) + 2 * _BADGE_PADDING, metrics.height() + 2
    if not text.strip("…") or width > room:
        return taken
    left = _BADGE_MARGIN if side == Qt.AlignmentFlag.AlignLeft else area.width() - width - _BADGE_MARGIN
    plate = QRectF(left, area.height() - height - _BADGE_MARGIN, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(24, 24, 24, 170))
    painter.drawRoundedRect(plate, 3, 3)
    painter.setPen(QColor(235, 235, 235))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)
    return taken + width + _BADGE_MARGIN


def paint_grid(painter: QPainter, view: PhotoView, matrix: np.ndarray, area: QRectF) -> None:
    """Lines that can be seen on any photo: light ones, each on a darker and wider one."""
    if view.grid < 2:
        return
    if not view.grid_on_photo:
        matrix = np.array([[area.width(), 0.0, 0.0], [0.0, area.height(), 0.0]])
    lines = []
    for step in range(1, view.grid):
        part = step / view.grid
        for start, end in (((part, 0.0), (part, 1.0)), ((0.0, part), (1.0, part))):
            (x1, x2), (y1, y2) = matrix @ np.array([(*start, 1.0), (*end, 1.0)]).T
            lines.append((QPointF(x1, y1), QPointF(x2, y2)))
    for color, width in ((QColor(0, 0, 0, 90), 3.0), (QColor(255, 255, 255, 150), 1.0)):
        painter.setPen(QPen(color, width))
        for first, second in lines:
            painter.drawLine(first, second)


def paint_swatch(painter: QPainter, color: QColor, pointer: QPointF, area: QRect) -> None:
    """A patch of a colour beside the pointer, inside the area."""
    left = min(pointer.x() + _SWATCH_DISTANCE, area.width() - _SWATCH - 2.0)
    top = min(pointer.y() + _SWATCH_DISTANCE, area.height() - _SWATCH - 2.0)
    box = QRectF(left, top, _SWATCH, _SWATCH)
    painter.setBrush(color)
    painter.setPen(QPen(QColor(0, 0, 0, 160), 3))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(QPen(QColor(255, 255, 255, 230), 1.5))
    painter.drawRoundedRect(box, 4, 4)
