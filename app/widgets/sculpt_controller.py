"""From pointer samples in the viewport to strokes on the mesh: the one place where the hand meets the engine.

    viewport.pressed  -> pick the surface, freeze the settings, start a stroke
    viewport.dragged  -> pick again (or follow a plane parallel to the screen, for Grab), feed the stroke
    viewport.released -> finish: one undo step        Esc -> cancel: nothing happened
    a lost pen or another window -> finish: the viewport lets go, and what was done so far stands
    a line is drawn anew from its start with every movement, a curve with every point, until Enter ends it
    while a tool has the pointer (`lend`) it gets all of this in place of the brush
    a brush that takes from another place has that picked first, with Ctrl and a click; a mark shows it
    viewport.hovered  -> the ring on the surface shows where and how large the next dab will be

What does not live here: dabs and undo (`app.sculpt`), uploads and drawing (`app.viewport`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent

from app.document import Document
from app.errors import LikenessError
from app.mesh.raycast import Hit, cast
from app.sculpt.brush import Brush, brushes
from app.sculpt.settings import BrushSettings
from app.sculpt.stroke import Sample, StrokeInHand
from app.viewport.pointer import PointerSample
from app.viewport.viewport import Viewport
from app.widgets.brush_hand import BrushHand
from app.widgets.stroke_path import PATHS, StrokePath, pointers_between

_SMOOTH_KEY = Qt.KeyboardModifier.ShiftModifier
_INVERT_KEY = Qt.KeyboardModifier.ControlModifier
_AIRBRUSH_MS = 30
# A quick hand leaves gaps between events; the surface is looked at again every so many radii along the way.
_STEP = 0.5
_MOST_STEPS = 64
_NO_SOURCE = "{} needs a source: hold Ctrl and click where the colours are to come from, then paint"
_LEAVING = (QEvent.Type.FocusOut, QEvent.Type.WindowDeactivate, QEvent.Type.Hide)


@dataclass
class _Drag:
    """A stroke in hand.

    plane: a point and the unit vector toward the viewer, for brushes that drag what they hold.
    path: of a line or curve.
    pointer: where the stroke is. step_px: longest way in logical pixels without a new look at the surface.
    off_since: when the pointer left the model, None while it is over it. off_for: s, how long it was beside it before.
    """

    stroke: StrokeInHand
    brush: Brush
    settings: BrushSettings
    pointer: PointerSample
    step_px: float
    plane: tuple[np.ndarray, np.ndarray]
    path: StrokePath | None = None
    off_since: float | None = None
    off_for: float = 0.0


class PointerTool(Protocol):
    """What has the left button and the pen in place of the brush for a while, see `SculptController.lend`.

    holds: whether it is in the middle of a drag. press: whether it takes the press; one that it leaves turns the model.
    hover: None where the pointer has left. drop: end the drag as if it had not begun.
    """

    @property
    def holds(self) -> bool: ...

    def press(self, pointer: PointerSample) -> bool: ...

    def move(self, pointer: PointerSample) -> None: ...

    def release(self) -> None: ...

    def hover(self, pointer: PointerSample | None) -> None: ...

    def drop(self) -> None: ...


class SculptController(QObject):
    """Connects one viewport with one document and the brush in hand."""

    stroke_started = Signal()
    stroke_ended = Signal()
    failed = Signal(Exception)
    vertex_colors_wanted = Signal(str)  # a brush, by its label, met a model whose colour is not on its vertices
    hinted = Signal(str)  # what to do next, for a stroke that goes on after the release
    refused = Signal(str)  # a stroke was wanted and cannot be made; with the reason

    def __init__(self, document: Document, viewport: Viewport, hand: BrushHand, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._viewport, self._hand = document, viewport, hand
        self._drag: _Drag | None = None
        self._orbit_from: PointerSample | None = None
        self._last_hover: PointerSample | None = None
        self._resting = ""
        self._tool: PointerTool | None = None
        self._spray = QTimer(self)
        self._spray.setInterval(_AIRBRUSH_MS)
        self._spray.timeout.connect(self._spray_on)
        viewport.pressed.connect(self._press)
        viewport.dragged.connect(self._move)
        viewport.released.connect(self._release)
        viewport.cancelled.connect(self.cancel)
        viewport.hovered.connect(self._hover)
        viewport.left.connect(self._leave)
        viewport.camera_changed.connect(self.show_cursor)
        hand.changed.connect(self.show_cursor)
        viewport.installEventFilter(self)

    @property
    def busy(self) -> bool:
        """Whether a stroke is in hand, or a tool holds something; undo, opening and operations wait for its end."""
        return self._drag is not None or (self._tool is not None and self._tool.holds)

    @property
    def last_hover(self) -> PointerSample | None:
        """Where the pointer was seen last inside the viewport."""
        return self._last_hover

    def rest(self, reason: str) -> None:
        """Make no strokes for a while, and say why; with an empty reason they are made again."""
        self._resting = reason

    def lend(self, tool: PointerTool | None) -> None:
        """Give the pointer to a tool, or take it back with None. Not in mid-stroke."""
        self._tool = tool
        if tool is None:
            self.show_cursor()
        else:
            self._viewport.hide_cursor()

    def cancel(self) -> bool:
        """Take back the stroke in hand, or what a tool holds. Returns whether there was one."""
        if self._tool is not None and self._tool.holds:
            self._tool.drop()
            return True
        drag, self._drag, self._orbit_from = self._drag, None, None
        self._spray.stop()
        if drag is None:
            return False
        drag.stroke.cancel()
        self._ended()
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _LEAVING:
            # Its keys would go elsewhere, and everything that waits for its end would wait without a word.
            popup = isinstance(event, QFocusEvent) and event.reason() == Qt.FocusReason.PopupFocusReason
            if self._drag is not None and self._waits_for_enter(self._drag) and not popup:
                self._finish()
            return False
        if not isinstance(event, QKeyEvent):
            return False
        if self._hand.source.picking and not self.busy and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self._hand.source.pick(False)
            event.accept()
            return True
        if not self.busy:
            return False
        act = self._key_act(self._drag, Qt.Key(event.key()))
        if act is None:
            return False
        # Accepting the override keeps the key from anything else that it would do.
        if event.type() == QEvent.Type.KeyPress:
            act()
        event.accept()
        return True

    def _key_act(self, drag: _Drag | None, key: Qt.Key) -> Callable[[], object] | None:
        """What a key means to a stroke in hand."""
        if key == Qt.Key.Key_Escape:
            return self.cancel
        if drag is not None and self._waits_for_enter(drag):
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                return self._finish
            if key == Qt.Key.Key_Backspace:
                return self._one_point_less
        return None

    def show_cursor(self) -> None:
        """Lay the ring on the surface under the pointer, as the brush in hand is now."""
        pointer, mesh = self._last_hover, self._document.mesh
        if self._drag is not None:
            return
        if pointer is None or mesh is None or self._tool is not None:
            self._mark_source(None)
            return
        hit = self._pick(pointer)
        self._mark_source(None if hit is None else hit.point)
        if self._hand.source.picking:
            self._viewport.hide_cursor()
            self._viewport.setCursor(Qt.CursorShape.CrossCursor)
        elif hit is None:
            self._viewport.hide_cursor()
        else:
            self._ring(hit.point, hit.normal, self._settings_at(hit.point, pointer))

    def _press(self, pointer: PointerSample) -> None:
        mesh = self._document.mesh
        if self._tool is not None:
            if not self._tool.press(pointer):
                self._orbit_from = pointer
            return
        if mesh is not None and self._drag is not None and self._drag.path is not None:
            self._drag.path.add(pointer)
            self._draw_path(self._drag, self._drag.path)
            return
        if mesh is None or self._drag is not None:
            return
        hit = self._pick(pointer)
        if hit is None:
            self._orbit_from = pointer  # nothing there to sculpt: turn the model, as ZBrush and Nomad do
            return
        if self._resting:
            self._orbit_from = pointer
            self.refused.emit(self._resting)
            return
        brush, source = self._brush(pointer), self._hand.source
        if brush.takes_source and (source.picking or pointer.modifiers & _INVERT_KEY):
            source.place(hit.point)
            return
        if brush.takes_source and source.point is None:
            self.refused.emit(_NO_SOURCE.format(brush.label))
            return
        if brush.attribute == "colors" and (mesh.colors is None or mesh.has_texture):
            self.vertex_colors_wanted.emit(brush.label)
            return
        if brush.attribute == "colors" and not self._viewport.shading.startswith("color"):
            self._viewport.set_shading("color")  # a sculptor who paints wants to see paint
        settings = self._settings_at(hit.point, pointer)
        if brush.takes_source:
            settings = replace(settings, source=source.begin(hit.point))
        try:
            stroke = StrokeInHand(mesh, self._document.history, brush, settings)
        except LikenessError as error:
            self.failed.emit(error)
            return
        step_px = max(_STEP * settings.radius_mm / self._viewport.mm_per_pixel(hit.point), 1.0)
        plane = hit.point, self._viewport.view_direction(hit.point)
        self._drag = _Drag(stroke, brush, settings, pointer, step_px, plane)
        if not brush.drags and settings.method in PATHS:
            self._drag.path = StrokePath(pointer, step_px)
            if settings.method == "curve":
                self.hinted.emit("Click to add points, Enter to end the curve, Esc to take it back")
        elif not brush.drags and settings.method == "airbrush":
            self._spray.start()
        self.stroke_started.emit()
        self._feed(pointer, hit.point, hit.normal)

    def _move(self, pointer: PointerSample) -> None:
        self._last_hover = pointer
        if self._orbit_from is not None:
            self._viewport.orbit(pointer.x - self._orbit_from.x, pointer.y - self._orbit_from.y)
            self._orbit_from = pointer
            return
        if self._tool is not None:
            self._tool.move(pointer)
        if self._drag is None:
            return
        if self._drag.path is not None:
            self._drag.path.move(pointer)
            self._draw_path(self._drag, self._drag.path)
            return
        if self._drag.brush.drags or self._drag.settings.method == "anchored":
            point = self._on_plane(pointer, *self._drag.plane)
            if point is not None:
                self._feed(pointer, point, self._drag.plane[1])
            return
        for place in pointers_between(self._drag.pointer, pointer, self._drag.step_px, _MOST_STEPS):
            if self._drag is None:
                return  # a dab failed, and the stroke was taken back
            self._drag.pointer = place
            self._touch(self._drag, place)

    def _release(self, pointer: PointerSample) -> None:
        self._orbit_from = None
        if self._tool is not None:
            self._tool.release()
        if self._drag is None or not self._waits_for_enter(self._drag):
            self._finish()

    @staticmethod
    def _waits_for_enter(drag: _Drag) -> bool:
        """Whether the stroke goes on after the release: a curve."""
        return drag.path is not None and drag.settings.method == "curve"

    def _finish(self) -> None:
        drag, self._drag = self._drag, None
        self._spray.stop()
        if drag is None:
            return
        try:
            drag.stroke.finish()
        except Exception as error:  # noqa: BLE001 - the stroke has rolled itself back; the session goes on
            self.failed.emit(error)
        self._ended()

    def _one_point_less(self) -> None:
        drag = self._drag
        if drag is None or drag.path is None:
            return
        if drag.path.remove_last():
            self._draw_path(drag, drag.path)
        else:
            self.cancel()

    def _draw_path(self, drag: _Drag, path: StrokePath) -> None:
        """The whole line or curve again, from the surface as it was before."""
        drag.stroke.again()
        for place in path.pointers():
            if self._drag is not drag:
                return  # a dab failed, and the stroke was taken back
            if (hit := self._pick(place)) is not None:
                self._feed(place, hit.point, hit.normal)
        self._document.surface_changed.emit()

    def _spray_on(self) -> None:
        """The airbrush goes on where the pen rests."""
        if self._drag is not None:
            self._touch(self._drag, replace(self._drag.pointer, time=time.monotonic()))

    def _touch(self, drag: _Drag, pointer: PointerSample) -> None:
        """Feed the stroke what is under the pointer. Beside the model it pauses, and its time stands still: an airbrush
        that comes back has nothing to make up for."""
        hit = self._pick(pointer)
        if hit is None:
            drag.off_since = pointer.time if drag.off_since is None else drag.off_since
            return
        if drag.off_since is not None:
            drag.off_for += pointer.time - drag.off_since
            drag.off_since = None
        self._feed(replace(pointer, time=pointer.time - drag.off_for), hit.point, hit.normal)

    def _hover(self, pointer: PointerSample) -> None:
        self._last_hover = pointer
        if self._tool is not None:
            self._tool.hover(pointer)
        self.show_cursor()

    def _leave(self) -> None:
        self._last_hover = None
        if self._tool is not None:
            self._tool.hover(None)
        self._viewport.hide_cursor()
        self._mark_source(None)

    def _feed(self, pointer: PointerSample, point: np.ndarray, normal: np.ndarray) -> None:
        drag = self._drag
        if drag is None:
            return
        view = self._viewport.view_direction(point)
        sample = Sample(point, view, pointer.pressure, pointer.tilt_x, pointer.tilt_y, pointer.time)
        try:
            drag.stroke.add(sample)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the mesh must be as it was before the stroke
            self.cancel()
            self.failed.emit(error)
            return
        self._document.surface_changed.emit()
        self._ring(point, normal, drag.settings)
        self._mark_source(point)

    def _ended(self) -> None:
        self._document.surface_changed.emit()
        self.stroke_ended.emit()
        self.show_cursor()

    def _pick(self, pointer: PointerSample) -> Hit | None:
        mesh = self._document.mesh
        return None if mesh is None else cast(mesh, *self._viewport.ray(pointer.x, pointer.y))

    def _on_plane(self, pointer: PointerSample, anchor: np.ndarray, normal: np.ndarray) -> np.ndarray | None:
        origin, direction = self._viewport.ray(pointer.x, pointer.y)
        slope = float(direction @ normal)
        if math.isclose(slope, 0.0, abs_tol=1e-12):
            return None
        return origin + direction * (float((anchor - origin) @ normal) / slope)

    def _brush(self, pointer: PointerSample) -> Brush:
        return brushes()["smooth"] if pointer.modifiers & _SMOOTH_KEY else self._hand.brush

    def _settings_at(self, point: np.ndarray, pointer: PointerSample) -> BrushSettings:
        brush = self._brush(pointer)
        settings = self._hand.settings(self._viewport.mm_per_pixel(point), brush.id)
        if bool(pointer.modifiers & _INVERT_KEY) != pointer.eraser:
            settings = replace(settings, invert=not settings.invert)
        return settings

    def _mark_source(self, point: np.ndarray | None) -> None:
        """Show where a dab at a place, (3,) mm, would take from, if the brush in hand takes from anywhere."""
        mark = self._hand.source.mark(point, self._drag is not None) if self._hand.brush.takes_source else None
        self._viewport.show_source(mark)

    def _ring(self, point: np.ndarray, normal: np.ndarray, settings: BrushSettings) -> None:
        points, normals = settings.symmetry.points(point)[1:], settings.symmetry.vectors(normal)[1:]
        mirrored = list(zip(points, normals, strict=True))
        self._viewport.show_cursor(point, normal, settings.radius_mm, settings.hardness, mirrored)
