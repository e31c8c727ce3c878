"""Paints the gizmo over the picture. What does not live here: where its parts lie (`gizmo`)."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF

from app.viewport.camera import Camera, Size
from app.viewport.gizmo import (
    ALL,
    ARROW_FROM,
    ARROW_TO,
    BOX,
    BOX_SIDE,
    CENTRE,
    CENTRE_HANDLE,
    CIRCLE,
    CIRCLE_HANDLE,
    HANDLES,
    Gizmo,
    GizmoLook,
    Handle,
    room,
)

AXIS_COLORS = (QColor(214, 84, 84), QColor(110, 176, 84), QColor(88, 138, 220))
_DARK, _LIGHT, _HOVERED = QColor(0, 0, 0, 150), QColor(236, 236, 236), QColor(255, 214, 92)
_LINE, _BOLD, _EDGE = 2.0, 3.0, 1.7  # logical pixels; of the dark edge, on both sides together
_HEAD, _HEAD_WIDTH = 17.0, 6.5
_BACK_ALPHA, _STANDING_BACK = 70, 60  # of 255
_GUIDE = 4000.0
_LABEL = (18.0, -30.0, 24.0)  # right of and above the pointer, and its height


class GizmoPainter:
    """Paints one look of the gizmo for one camera."""

    def __init__(self, painter: QPainter, look: GizmoLook, camera: Camera, size: Size) -> None:
        self._painter, self._look, self._camera, self._size = painter, look, camera, size
        self._middle = camera.project(look.gizmo.center, size)

    def paint(self) -> None:
        """All of it, what is to lie on top last; nothing where its centre is behind the eye."""
        if not np.isfinite(self._middle).all():
            return
        look, held = self._look, self._look.held
        if look.sweep is not None:
            self._paint_sweep(look.sweep, self._color(held))
        if held is not None and held.axis != ALL and held.kind != "turn":
            self._paint_guide(held)
        # Far arrows and boxes lie under the rings, near ones over them.
        toward = self._camera.toward_viewer(look.gizmo.center)
        behind = [h for h in HANDLES if h.axis != ALL and h.kind != "turn" and look.gizmo.axis(h) @ toward < 0]
        rest = [h for h in reversed(HANDLES) if h not in behind]
        for handle in (*behind, *rest):
            if look.gizmo.shown(handle, self._camera):
                self._paint_handle(handle)
        if look.reading:
            self._paint_reading()

    def _paint_handle(self, handle: Handle) -> None:
        gizmo: Gizmo = self._look.gizmo
        if handle == CENTRE_HANDLE:
            self._circle(handle, CENTRE, self._color(handle, 60))
        elif handle == CIRCLE_HANDLE:
            self._circle(handle, CIRCLE * room(self._size), None)
        elif handle.kind == "turn":
            pixels, front = gizmo.ring(handle, self._camera, self._size)
            if np.isfinite(pixels).all():
                self._ring(handle, pixels, front)
        elif handle.kind == "scale":
            self._box(handle, gizmo.along(handle, BOX, self._camera, self._size))
        else:
            ends = [gizmo.along(handle, reach, self._camera, self._size) for reach in (CENTRE, ARROW_FROM, ARROW_TO)]
            self._arrow(handle, *ends)

    def _color(self, handle: Handle | None, alpha: int = 255) -> QColor:
        look = self._look
        lit = handle == (look.held or look.hovered)
        if lit:
            color = QColor(_HOVERED)
        elif handle is None or handle.axis == ALL:
            color = QColor(_LIGHT)
        else:
            color = QColor(AXIS_COLORS[handle.axis])
        color.setAlpha(alpha if lit or look.held is None else min(alpha, _STANDING_BACK))
        return color

    def _stroke(self, handle: Handle, points: QPolygonF, alpha: int = 255, width: float = _LINE) -> None:
        """A line with a dark edge, legible on any model."""
        color, dark = self._color(handle, alpha), QColor(_DARK)
        if color == self._color(handle) and handle == (self._look.held or self._look.hovered):
            width = _BOLD
        dark.setAlpha(dark.alpha() * color.alpha() // 255)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        for paint, thickness in ((dark, width + _EDGE), (color, width)):
            pen = QPen(paint, thickness)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            self._painter.setPen(pen)
            self._painter.drawPolyline(points)

    def _fill(self, handle: Handle, points: QPolygonF) -> None:
        color, dark = self._color(handle), QColor(_DARK)
        dark.setAlpha(dark.alpha() * color.alpha() // 255)
        self._painter.setPen(QPen(dark, _EDGE))
        self._painter.setBrush(color)
        self._painter.drawPolygon(points)

    def _arrow(self, handle: Handle, root: np.ndarray, start: np.ndarray, tip: np.ndarray) -> None:
        if not np.isfinite((root, start, tip)).all():
            return
        length = float(np.linalg.norm(tip - self._middle))
        along = (tip - self._middle) / max(length, 1e-9)
        neck = tip - along * min(_HEAD, 0.5 * float(np.linalg.norm(tip - start)))
        side = np.array((-along[1], along[0])) * _HEAD_WIDTH
        self._stroke(handle, _polygon(root, neck))
        self._fill(handle, _polygon(neck + side, tip, neck - side))

    def _box(self, handle: Handle, place: np.ndarray) -> None:
        if np.isfinite(place).all():
            out = place - self._middle
            along = out / max(float(np.linalg.norm(out)), 1e-9)
            self._stroke(handle, _polygon(self._middle + along * CENTRE, place), alpha=150, width=1.2)
            x, y, half = float(place[0]), float(place[1]), BOX_SIDE / 2
            square = [(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)]
            self._fill(handle, _polygon(*square))

    def _ring(self, handle: Handle, pixels: np.ndarray, front: np.ndarray) -> None:
        for part, alpha in ((~front, _BACK_ALPHA), (front, 255)):
            for run in _runs(part):
                self._stroke(handle, _polygon(*pixels[run.start : min(run.stop + 1, len(pixels))]), alpha)

    def _circle(self, handle: Handle, radius: float, fill: QColor | None) -> None:
        color, dark = self._color(handle, 255 if fill is not None else 190), QColor(_DARK)
        dark.setAlpha(dark.alpha() * color.alpha() // 255)
        width = _BOLD if handle == (self._look.held or self._look.hovered) else 1.4
        middle = QPointF(*self._middle.tolist())
        for paint, thickness in ((dark, width + _EDGE), (color, width)):
            self._painter.setPen(QPen(paint, thickness))
            self._painter.setBrush(QBrush(fill) if fill is not None else QBrush(Qt.BrushStyle.NoBrush))
            self._painter.drawEllipse(middle, radius, radius)

    def _paint_sweep(self, arc: np.ndarray, color: QColor) -> None:
        pixels = self._camera.project(arc, self._size)
        if np.isfinite(pixels).all():
            color.setAlpha(56)
            self._painter.setBrush(color)
            self._painter.setPen(Qt.PenStyle.NoPen)
            self._painter.drawPolygon(_polygon(self._middle, *pixels))
            color.setAlpha(200)
            self._painter.setPen(QPen(color, 1.2))
            for end in (pixels[0], pixels[-1]):
                self._painter.drawPolyline(_polygon(self._middle, end))

    def _paint_guide(self, held: Handle) -> None:
        """A thin line along the axis, through the whole picture."""
        tip = self._look.gizmo.along(held, ARROW_TO, self._camera, self._size)
        out = tip - self._middle
        if np.isfinite(out).all() and np.linalg.norm(out) > 1:
            along = out / np.linalg.norm(out) * _GUIDE
            self._painter.setPen(QPen(self._color(held, 110), 1.0))
            self._painter.drawPolyline(_polygon(self._middle - along, self._middle + along))

    def _paint_reading(self) -> None:
        painter, (x, y), (right, above, height) = self._painter, self._look.place, _LABEL
        width = painter.fontMetrics().horizontalAdvance(self._look.reading) + height
        x = min(x + right, self._size[0] - width - 4)
        label = QRectF(x, max(4.0, y + above), width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 190))
        painter.drawRoundedRect(label, 4, 4)
        painter.setPen(_LIGHT)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, self._look.reading)


def _polygon(*points: np.ndarray | tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(float(x), float(y)) for x, y in points])


def _runs(flags: np.ndarray) -> list[range]:
    """Stretches of True in a closed row, none of them split at its end; stops may reach past the end by one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [range(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
