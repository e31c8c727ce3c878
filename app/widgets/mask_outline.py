"""Box and lasso (Ctrl-B, Ctrl-L): a short mode in which one drag over the picture draws an outline.

Esc, the right button or another window end it without one. What does not live here: what is done with the outline
(`mask_verbs`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QTabletEvent
from PySide6.QtWidgets import QWidget

from app.mesh.mesh import Mesh
from app.mesh.sight import in_sight
from app.sculpt.masking import by_outline
from app.viewport.camera import Camera
from app.viewport.viewport import Viewport

OutlineKind = Literal["box", "lasso"]

# What counts as the surface in sight, as a part of the model's longest side; and the least depth, mm.
_SAME_DEPTH, _LEAST_DEPTH = 0.003, 1e-6
_LEAST_STEP = 2.0  # logical pixels between points of a lasso
_DARK, _LIGHT, _INSIDE = QColor(0, 0, 0, 160), QColor(255, 255, 255, 230), QColor(255, 255, 255, 28)
_MOVES = (QEvent.Type.MouseMove, QEvent.Type.TabletMove)
_PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TabletPress)
_RELEASES = (QEvent.Type.MouseButtonRelease, QEvent.Type.TabletRelease)


@dataclass(frozen=True, eq=False)
class Outline:
    """What was drawn. points: (n, 2) float64, logical pixels of the viewport.

    frees: Ctrl was held. through: Shift was held; what faces away or lies behind other parts counts, too.
    """

    kind: OutlineKind
    points: np.ndarray
    frees: bool
    through: bool


def selected(mesh: Mesh, camera: Camera, size: tuple[float, float], outline: Outline) -> np.ndarray:
    """(V,) float32: 1 for vertices within an outline that are in sight, or for all of them. size: of the picture.

    In sight is what faces the viewer and is not behind another visible part.
    """
    mesh.refresh()
    places = camera.project(mesh.positions, size)
    inside = by_outline(places, outline.points)
    if outline.through:
        return inside
    rows = np.flatnonzero(inside)
    toward = -camera.axes()[2] if camera.parallel else camera.position - mesh.positions[rows]
    faces = np.einsum("ij,ij->i", mesh.normals[rows], np.broadcast_to(toward, (len(rows), 3))) > 0
    inside[rows[~faces]] = 0
    rows = rows[faces]
    depth = (mesh.positions - camera.position) @ camera.axes()[2]
    # Nearer than this to the surface in sight is part of it.
    level = depth[rows] - _SAME_DEPTH * float(mesh.size().max())
    if camera.parallel:
        nearness, limit = -depth, -level
    else:  # the inverse of the depth is what is linear over a picture in perspective
        nearness, limit = 1 / np.maximum(depth, _LEAST_DEPTH), 1 / np.maximum(level, _LEAST_DEPTH)
    inside[rows] = in_sight(places, nearness, mesh.triangles, mesh.hidden, rows, limit)
    return inside


class MaskOutline(QObject):
    """The mode. While it is active every pointer and key event of the program comes here."""

    ended = Signal()

    def __init__(self, surface: Viewport, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._surface = surface
        self._band = _Band(surface)
        self._kind: OutlineKind | None = None
        self._done: Callable[[Outline], object] | None = None
        self._points: list[QPointF] = []
        self._dropped = False

    @property
    def active(self) -> bool:
        return self._kind is not None

    def start(self, kind: OutlineKind, done: Callable[[Outline], object]) -> None:
        """Wait for a drag. done: called with the outline, unless the user backs out."""
        if self._kind is not None:
            return
        self._kind, self._done, self._points, self._dropped = kind, done, [], False
        _application().installEventFilter(self)
        self._surface.hide_cursor()
        self._surface.setCursor(Qt.CursorShape.CrossCursor)
        self._band.draw(QPolygonF())
        self._band.show()
        self._band.raise_()

    def end(self) -> None:
        """Leave the mode without an outline."""
        if self._kind is None:
            return
        self._kind = None
        _application().removeEventFilter(self)
        self._band.hide()
        self._surface.unsetCursor()
        self.ended.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in _PRESSES and isinstance(event, QMouseEvent | QTabletEvent):
            place = self._place(event)
            left = event.button() == Qt.MouseButton.LeftButton
            self._dropped = not left or not self._surface.rect().contains(place.toPoint())
            self._points = [place]
        elif kind in _MOVES and isinstance(event, QMouseEvent | QTabletEvent):
            self._move(self._place(event))
        elif kind in _RELEASES and isinstance(event, QMouseEvent | QTabletEvent):
            # Ends here and not at the press, so that nobody gets a release without its press.
            if self._points:
                self._finish(event.modifiers())
        elif kind == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                self.end()
        elif kind == QEvent.Type.ApplicationDeactivate:
            self.end()
            return False
        elif kind not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyRelease, QEvent.Type.Wheel):
            return False
        event.accept()
        return True

    def _place(self, event: QMouseEvent | QTabletEvent) -> QPointF:
        return self._surface.mapFromGlobal(event.globalPosition())

    def _move(self, place: QPointF) -> None:
        if not self._points:
            return
        if self._kind == "box":
            self._points[1:] = [place]
        else:
            moved = place - self._points[-1]
            if math.hypot(moved.x(), moved.y()) >= _LEAST_STEP:
                self._points.append(place)
        self._band.draw(self._polygon())

    def _polygon(self) -> QPolygonF:
        if self._kind == "box" and len(self._points) == 2:
            (a, b) = self._points
            return QPolygonF([a, QPointF(b.x(), a.y()), b, QPointF(a.x(), b.y())])
        return QPolygonF(self._points)

    def _finish(self, modifiers: Qt.KeyboardModifier) -> None:
        kind, done, polygon = self._kind, self._done, self._polygon()
        dropped = self._dropped or polygon.count() < 3
        self.end()
        if kind is None or done is None or dropped:
            return
        points = np.array([(point.x(), point.y()) for point in polygon.toList()], np.float64)
        frees = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        done(Outline(kind, points, frees, bool(modifiers & Qt.KeyboardModifier.ShiftModifier)))


def _application() -> QCoreApplication:
    application = QCoreApplication.instance()
    assert application is not None
    return application


class _Band(QWidget):
    """The outline over the picture, readable on any model."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._polygon = QPolygonF()
        self.hide()

    def draw(self, polygon: QPolygonF) -> None:
        self.setGeometry(self._over.rect())  # which a message above it may have made smaller
        self._polygon = polygon
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(_INSIDE)
        for color, width in ((_DARK, 3.0), (_LIGHT, 1.25)):
            painter.setPen(QPen(color, width))
            painter.drawPolygon(self._polygon)
            painter.setBrush(Qt.BrushStyle.NoBrush)
