"""The mode in which the free part of the model is moved, turned and scaled with a gizmo, until it is applied.

    a handle is dragged, a number typed -> another transform, from where the part was when the mode began
    Enter, a brush, T again -> applied: one undo step    Esc -> cancelled: as it was, to the bit
    whatever else wants the model (undo, masks, Save, Export, opening) -> applied first, see `app.application.desk`

What does not live here: the mathematics (`app.sculpt.transform`), the gizmo (`app.viewport.gizmo`), the numbers
(`transform_bar`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.document import Document
from app.mesh.raycast import cast
from app.sculpt.transform import FreePart, Transform, TransformInHand
from app.settings import Settings
from app.viewport.gizmo import Gizmo, GizmoLook, Handle
from app.viewport.gizmo_drag import GizmoDrag
from app.viewport.pointer import PointerSample
from app.viewport.viewport import Viewport
from app.widgets.sculpt_controller import SculptController

MIDDLE, BORDER, PLACED = "middle", "border", "placed"
_PIVOT = "transform/pivot"
# How near to a handle the pointer has to be, logical pixels.
_REACH, _PEN_REACH = 8.0, 14.0


@dataclass(frozen=True, eq=False)
class _State:
    """What can be gone back to within the mode. pivot: (3,) mm, before the transform. choice: one of the pivots."""

    transform: Transform
    pivot: np.ndarray
    choice: str


class TransformMode(QObject):
    """`changed`: the mode began or ended, or the transform is another one. `said`: words for the user."""

    changed = Signal()
    said = Signal(str)
    failed = Signal(Exception)

    def __init__(
        self,
        document: Document,
        viewport: Viewport,
        controller: SculptController,
        settings: Settings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._viewport, self._controller, self._settings = document, viewport, controller, settings
        self._in_hand: TransformInHand | None = None
        self._choice = MIDDLE
        self._pivots: dict[str, np.ndarray] = {}  # mm, before the transform
        self._states = [_State(Transform(), np.zeros(3), MIDDLE)]
        self._at = 0
        self._source = ""
        self._drag: GizmoDrag | None = None
        self._live: Transform | None = None  # while a handle is held
        self._hovered: Handle | None = None
        self._pointer = (0.0, 0.0)
        # However fast the pointer's events come, the surface follows once per frame.
        self._frame = QTimer(self, singleShot=True, interval=0)
        self._frame.timeout.connect(self._show)
        document.history.changed.connect(self._history_changed)
        document.mesh_replaced.connect(self._mesh_replaced)

    # ---- what there is ---------------------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        return self._in_hand is not None

    @property
    def transform(self) -> Transform:
        """As it is in sight."""
        return self._state.transform if self._live is None else self._live

    @property
    def pivot_choice(self) -> str:
        """MIDDLE, BORDER or PLACED."""
        return self._state.choice

    @property
    def has_border(self) -> bool:
        """Whether anything visible lies between protected and free."""
        return BORDER in self._pivots

    @property
    def has_placed(self) -> bool:
        """Whether a pivot was put somewhere by hand."""
        return PLACED in self._pivots

    @property
    def can_undo(self) -> bool:
        return self.active and self._at > 0

    @property
    def can_redo(self) -> bool:
        return self.active and self._at < len(self._states) - 1

    @property
    def gizmo(self) -> Gizmo:
        """As it lies over the picture."""
        transform = self.transform
        center = self._state.pivot + np.array(transform.move)
        return Gizmo(center, transform.turn_axes(), transform.rotation().T)

    @property
    def _state(self) -> _State:
        return self._states[self._at]

    # ---- beginning and ending --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin with what is free now; or say why there is nothing to transform."""
        mesh = self._document.mesh
        if self.active or mesh is None or self._controller.busy:
            return
        part, self._choice = FreePart(mesh), self._settings.get(_PIVOT, MIDDLE)
        self._begin(part)
        if not self.active:
            self.said.emit("All of the model is masked or hidden, so there is nothing to transform")
        elif part.whole:
            self.said.emit("Nothing is masked, so the whole model goes along; mask what is to stay where it is")

    def apply(self) -> bool:
        """Make what was done so far one undo step, and go on from there. False while a handle is held."""
        if self.holds:
            return False
        if self._in_hand is not None and self._in_hand.open:
            if PLACED in self._pivots:
                self._pivots[PLACED] = self.gizmo.center
            self._make_step(self._in_hand)  # from the history's event on, another one is in hand
        return True

    def finish(self) -> None:
        """Apply and end the mode."""
        self.release()
        in_hand = self._in_hand
        if in_hand is not None:
            self._end()
            self._make_step(in_hand)

    def cancel(self) -> None:
        """Put all back to the bit and end the mode; in mid-drag, only end the drag."""
        if self.holds:
            self.drop()
        elif self._in_hand is not None:
            self._in_hand.cancel()
            self._document.surface_changed.emit()
            self._end()

    def _make_step(self, in_hand: TransformInHand) -> None:
        try:
            in_hand.finish()
        except Exception as error:  # noqa: BLE001 - the surface has rolled itself back; the session goes on
            self._document.surface_changed.emit()
            self.failed.emit(error)

    def _begin(self, part: FreePart) -> None:
        """Take what is free in hand, where it is now; end the mode where nothing is."""
        mesh = self._document.mesh
        self._drag = self._live = None
        if mesh is None or not len(part.vertices):
            self._end()
            return
        self._in_hand = TransformInHand(mesh, self._document.history, part)
        border, placed = part.border(), self._pivots.get(PLACED)
        self._pivots = {MIDDLE: part.middle()}
        if border is not None:
            self._pivots[BORDER] = border
        if placed is not None:
            self._pivots[PLACED] = placed
        choice = self._choice if self._choice in self._pivots else MIDDLE
        self._states, self._at, self._source = [_State(Transform(), self._pivots[choice], choice)], 0, ""
        self._controller.lend(self)
        self._show()

    def _end(self) -> None:
        self._frame.stop()
        self._in_hand = self._drag = self._live = self._hovered = None
        self._pivots = {}
        self._viewport.show_gizmo(None)
        self._controller.lend(None)
        self.changed.emit()

    def _history_changed(self) -> None:
        """Something else changed the model, or this was applied: go on from what it is now."""
        mesh = self._document.mesh
        if self.active and mesh is not None:
            self._begin(FreePart(mesh))

    def _mesh_replaced(self) -> None:
        if self._in_hand is not None:
            self._in_hand.cancel()
            self._end()

    # ---- changing --------------------------------------------------------------------------------------------------

    def set(self, transform: Transform, source: str = "") -> None:
        """Another transform. source: several from the same one, such as keys in a field, count as one change."""
        if self.active and not self.holds and transform != self.transform:
            self._push(replace(self._state, transform=transform), source)

    def set_pivot(self, choice: str, point: np.ndarray | None = None) -> None:
        """Turn and scale about another point from now on; what is wholly free stays where it is.

        point: for PLACED, (3,) mm, on the model as it is in sight.
        """
        state = self._state
        if not self.active or self.holds or (point is None and choice not in self._pivots):
            return
        if point is not None:
            self._pivots[choice] = state.transform.origin_of(point, state.pivot)
        else:
            self._settings.set(_PIVOT, choice)
        pivot, self._choice = self._pivots[choice], choice
        self._push(_State(state.transform.about(state.pivot, pivot), pivot, choice), "")

    def undo(self) -> bool:
        """Take back the last drag or number. Returns whether there was one."""
        return self._go_to(self._at - 1)

    def redo(self) -> bool:
        """Do it again. Returns whether there was one."""
        return self._go_to(self._at + 1)

    def _go_to(self, at: int) -> bool:
        if not self.active or self.holds or not 0 <= at < len(self._states):
            return False
        self._at, self._source = at, ""
        self._show()
        return True

    def _push(self, state: _State, source: str) -> None:
        del self._states[self._at + 1 :]
        if source and source == self._source and self._at > 0:
            self._states[self._at] = state
        else:
            self._states.append(state)
            self._at += 1
        self._source = source
        self._show()

    def _show(self) -> None:
        """Bring surface, gizmo and numbers in line with the transform."""
        self._frame.stop()
        if self._in_hand is None:
            return
        failure: Exception | None = None
        try:
            self._in_hand.set(self.transform, self._state.pivot)
        except Exception as error:  # noqa: BLE001 - the surface has rolled itself back; the session goes on
            failure = error
            self._end()
        self._document.surface_changed.emit()
        self._show_gizmo()
        self.changed.emit()
        if failure is not None:
            self.failed.emit(failure)

    def _show_gizmo(self) -> None:
        drag = self._drag
        if drag is None:
            look = GizmoLook(self.gizmo, self._hovered)
        else:
            words, sweep = drag.reading(self.transform), drag.sweep(self.transform)
            look = GizmoLook(self.gizmo, None, drag.handle, sweep, words, self._pointer)
        self._viewport.show_gizmo(look if self.active else None)

    # ---- the pointer, see `sculpt_controller.PointerTool` ----------------------------------------------------------

    @property
    def holds(self) -> bool:
        return self._drag is not None

    def press(self, pointer: PointerSample) -> bool:
        handle = self._handle_at(pointer)
        if handle is not None:
            view, state = self._viewport, self._state
            place = pointer.x, pointer.y
            self._drag = GizmoDrag(handle, self.gizmo, state.transform, view.camera, view.picture_size(), *place)
            self._live, self._pointer = state.transform, place
            self._show_gizmo()
            return True
        return bool(pointer.modifiers & Qt.KeyboardModifier.ShiftModifier) and self._place_pivot(pointer)

    def move(self, pointer: PointerSample) -> None:
        if self._drag is not None:
            snap = bool(pointer.modifiers & Qt.KeyboardModifier.ControlModifier)
            self._live, self._pointer = self._drag.to(pointer.x, pointer.y, snap=snap), (pointer.x, pointer.y)
            self._frame.start()

    def release(self) -> None:
        if self._drag is None or self._live is None:
            return
        live, self._drag, self._live = self._live, None, None
        if live == self._state.transform:
            self._show()
        else:
            self._push(replace(self._state, transform=live), "")

    def hover(self, pointer: PointerSample | None) -> None:
        before, self._hovered = self._hovered, None if pointer is None else self._handle_at(pointer)
        if self._hovered != before:
            self._show_gizmo()

    def drop(self) -> None:
        self._drag = self._live = None
        self._show()

    def _handle_at(self, pointer: PointerSample) -> Handle | None:
        view, reach = self._viewport, _PEN_REACH if pointer.pen else _REACH
        return self.gizmo.handle_at(pointer.x, pointer.y, view.camera, view.picture_size(), reach)

    def _place_pivot(self, pointer: PointerSample) -> bool:
        mesh = self._document.mesh
        hit = None if mesh is None else cast(mesh, *self._viewport.ray(pointer.x, pointer.y))
        if hit is not None:
            self.set_pivot(PLACED, hit.point)
        return hit is not None
