"""The curve of a custom falloff, drawn by hand: drag a point, double-click to add or remove one.

Left is the middle of the dab, right its rim; up is full influence. What does not live here: how a brush uses it.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.sculpt.falloff import Falloff

Points = tuple[tuple[float, float], ...]

_SIZE = QSize(240, 160)
_MARGIN = 8
_GRAB = 10.0
_DOT = 4.0
_SAMPLES = 97
_GRID_CELLS = 4
# Points keep this distance, so that their order never changes while one is dragged.
_CLEARANCE = 0.01
_MOST_POINTS = 12


def curve(falloff: Falloff, box: QRectF) -> QPolygonF:
    """The falloff as a line within a box."""
    distance = np.linspace(0.0, 1.0, _SAMPLES)
    values = falloff.values(distance)
    return QPolygonF(
        [
            QPointF(box.left() + x * box.width(), box.bottom() - y * box.height())
            for x, y in zip(distance.tolist(), values.tolist(), strict=True)
        ]
    )


def falloff_icon(kind: str, color: QColor, side: int = 20, ratio: float = 2.0) -> QIcon:
    """A small picture of a preset's curve."""
    pixmap = QPixmap(QSize(side, side) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, 1.5))
    painter.drawPolyline(curve(Falloff(kind, _FIRST_CUSTOM), QRectF(2, 3, side - 4, side - 6)))
    painter.end()
    return QIcon(pixmap)


_FIRST_CUSTOM: Points = ((0.0, 1.0), (0.35, 0.8), (0.65, 0.25), (1.0, 0.0))


class CurveEditor(QWidget):
    """`points_changed` tells of changes by the user only."""

    points_changed = Signal(object)

    def __init__(self, points: Points = _FIRST_CUSTOM, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points = [*points]
        self._held: int | None = None
        self.setFixedSize(_SIZE)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("Falloff curve")
        self.setToolTip("Drag a point; double-click adds or removes one")

    @property
    def points(self) -> Points:
        return tuple(self._points)

    def set_points(self, points: Points) -> None:
        """Show another curve without telling anyone."""
        self._points = [*points]
        self._held = None
        self.update()

    def box(self) -> QRectF:
        """Where the curve lies within the widget."""
        return QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)

    def place(self, point: tuple[float, float]) -> QPointF:
        """Widget position of a point of the curve."""
        box = self.box()
        return QPointF(box.left() + point[0] * box.width(), box.bottom() - point[1] * box.height())

    def _at(self, position: QPointF) -> tuple[float, float]:
        box = self.box()
        x = (position.x() - box.left()) / box.width()
        y = (box.bottom() - position.y()) / box.height()
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)

    def _near(self, position: QPointF) -> int | None:
        def distance(index: int) -> float:
            offset = self.place(self._points[index]) - position
            return float(np.hypot(offset.x(), offset.y()))

        nearest = min(range(len(self._points)), key=distance)
        return nearest if distance(nearest) <= _GRAB else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._held = self._near(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is None:
            return
        x, y = self._at(event.position())
        last = len(self._points) - 1
        if self._held == 0:
            x = 0.0
        elif self._held == last:
            x = 1.0
        else:
            x = min(max(x, self._points[self._held - 1][0] + _CLEARANCE), self._points[self._held + 1][0] - _CLEARANCE)
        self._points[self._held] = (x, y)
        self._tell()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        near = self._near(event.position())
        if near is not None:
            if 0 < near < len(self._points) - 1:
                del self._points[near]
                self._held = None
                self._tell()
            return
        x, y = self._at(event.position())
        if len(self._points) < _MOST_POINTS and all(abs(x - other) > _CLEARANCE for other, _ in self._points):
            self._points = sorted([*self._points, (x, y)])
            self._tell()

    def _tell(self) -> None:
        self.update()
        self.points_changed.emit(self.points)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, role, box = self.palette(), QPalette.ColorRole, self.box()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.base())
        painter.drawRoundedRect(self.rect(), _MARGIN / 2, _MARGIN / 2)
        painter.setPen(QPen(palette.color(role.Mid), 1))
        for i in range(_GRID_CELLS + 1):
            x, y = box.left() + box.width() * i / _GRID_CELLS, box.top() + box.height() * i / _GRID_CELLS
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        painter.setPen(QPen(palette.color(role.Text), 2))
        painter.drawPolyline(curve(Falloff("custom", self.points), box))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(role.Highlight))
        for point in self._points:
            painter.drawEllipse(self.place(point), _DOT, _DOT)


class FalloffEditor(QWidget):
    """The curve with its axes named, and buttons to begin from a preset."""

    points_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curve = CurveEditor()
        self.curve.points_changed.connect(self.points_changed)
        axis = QHBoxLayout()
        axis.addWidget(_dim("middle of the dab"))
        axis.addStretch(1)
        axis.addWidget(_dim("rim"))
        starts = QHBoxLayout()
        for kind in ("smooth", "sphere", "sharp", "linear"):
            button = QPushButton(kind.capitalize())
            button.setToolTip(f"Begin from the {kind} falloff")
            button.clicked.connect(lambda _=False, kind=kind: self._begin_from(kind))
            starts.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.addWidget(self.curve, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addLayout(axis)
        layout.addLayout(starts)

    def set_points(self, points: Points) -> None:
        """Show another curve without telling anyone."""
        self.curve.set_points(points)

    def _begin_from(self, kind: str) -> None:
        distance = np.linspace(0.0, 1.0, _GRID_CELLS + 1)
        values = Falloff(kind).values(distance)
        self.curve.set_points(tuple(zip(distance.tolist(), values.tolist(), strict=True)))
        self.points_changed.emit(self.curve.points)


def _dim(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "dim")
    return label
