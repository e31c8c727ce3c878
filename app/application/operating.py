"""Operations on the whole mesh: each runs as a job in a worker process and becomes one step of the history.

What does not live here: the operations (`app.operations`), their menus and forms (`app.widgets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.application.desk import Desk
from app.errors import LikenessError
from app.mesh.mesh import ATTRIBUTES, Mesh
from app.operations.operation import Operation
from app.operations.running import Outcome, apply_in_worker, find
from app.sculpt.history import History
from app.widgets.height_dialog import remember_height

_STRUCTURE = ("triangles", "uv", "corner_uv", "triangle_material", "file_vertex", "file_triangle")
_ARRAYS = (*ATTRIBUTES, "triangles", "uv", "corner_uv", "triangle_material")
# Of the model's longest side: what its box may change without its having been moved.
_IN_PLACE = 0.05
# Makes the model as tall as was asked for, so its height is known afterwards.
_SCALES = "scale_to_height"


class Operating:
    """See `app.widgets.commands.OperationCommands` for the verbs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operate(self, operation_id: str, values: Mapping[str, Any] | None = None) -> None:
        desk, mesh = self._desk, self._desk.document.mesh
        if mesh is None:
            return
        if not desk.ready():
            desk.say("Wait for the running job, or cancel it, then try again")
            return
        try:
            operation = find(operation_id)
            checked = operation.check(values or {}, mesh)
        except LikenessError as error:
            desk.show(error)
            return
        reason = operation.reason_against(mesh)
        if reason is not None:
            desk.say(f"{operation.label}: {reason}")
            return
        self._start(operation, checked, mesh)

    def _start(self, operation: Operation, values: dict[str, Any], mesh: Mesh) -> None:
        desk, snapshot, before = self._desk, mesh.snapshot(), self._state()
        resting = desk.window.controller.rest

        def done(outcome: Outcome) -> None:
            resting("")
            if self._state() != before:
                desk.say(f"The model changed while {operation.label} ran, so its result was not taken; run it again")
                return
            self._take(operation, outcome, mesh)

        def failed(error: BaseException) -> None:
            resting("")
            desk.show(error)

        # A stroke would be lost under the result, so the hand waits; it can still turn the model.
        resting(f"{operation.label} is running. The model can be looked at; sculpting goes on when it is done.")
        if not desk.run(
            operation.label,
            lambda progress, cancelled: apply_in_worker(snapshot, operation.id, values, progress, cancelled),
            done,
            failed,
        ):
            resting("")

    def _take(self, operation: Operation, outcome: Outcome, before: Mesh) -> None:
        window = self._desk.window
        if unchanged(before, outcome.mesh):
            self._desk.say(" ".join([f"{operation.label}:", *(outcome.notes or ["Nothing had to be changed."])]))
            return
        document = self._desk.document
        if stays_in_place(before, outcome.mesh):
            write_onto(document.history, step_label(outcome), before, outcome.mesh)
            document.surface_changed.emit()
        else:
            document.history.replace_mesh(step_label(outcome), outcome.mesh)
        if operation.id == _SCALES:
            document.height_known = True
            remember_height(self._desk.settings, document.source_path, float(outcome.values["height"]))
        window.message_bar.note(result_line(outcome), "Undo", window.commands.model.undo, stays=bool(outcome.notes))

    def _state(self) -> tuple[object, ...]:
        """Another one after every change of the mesh."""
        history = self._desk.document.history
        return self._desk.document.mesh, history.epoch, history.state


def step_label(outcome: Outcome) -> str:
    """What the history calls it; the number is what one looks for among several of the same kind."""
    return f"{outcome.label} to {outcome.triangles_after:,}" if "triangles" in outcome.values else outcome.label


def result_line(outcome: Outcome) -> str:
    """For example "Retarget: 9,904 → 1,600,000 triangles; colour change 0.3 ΔE on average, 1.1 at 95 %.", and notes."""
    before, after = outcome.triangles_before, outcome.triangles_after
    parts = [f"{before:,} → {after:,} triangles" if before != after else f"{after:,} triangles"]
    if outcome.color_change is not None:
        change = outcome.color_change
        parts.append(f"colour change {change.mean:.1f} ΔE on average, {change.p95:.1f} at 95 %")
    return " ".join([f"{outcome.label}: {'; '.join(parts)}.", *outcome.notes])


def unchanged(before: Mesh, after: Mesh) -> bool:
    """Whether two meshes are the same to the bit, but for their normals."""
    return before.materials == after.materials and all(_same(before, after, name) for name in _ARRAYS)


def stays_in_place(before: Mesh, after: Mesh) -> bool:
    """Whether only values of vertices differ, and the model was neither scaled nor moved as a whole: then the step
    keeps those values and not two meshes, and the camera stays.
    """
    if before.materials != after.materials or not all(_same(before, after, name) for name in _STRUCTURE):
        return False
    if (before.colors is None) != (after.colors is None):
        return False
    allowed = _IN_PLACE * float(before.size().max())
    return bool(np.allclose(before.bounds(), after.bounds(), rtol=0, atol=allowed))


def write_onto(history: History, label: str, mesh: Mesh, made: Mesh) -> None:
    """Give a mesh all values that strokes write of another one of the same structure, as one undo step."""
    with history.record(label) as recorder:
        for name in ATTRIBUTES:
            present, wanted = getattr(mesh, name), getattr(made, name)
            if present is None:
                continue
            differs = (present != wanted).reshape(len(present), -1).any(axis=1)
            changed = np.flatnonzero(differs).astype(np.int32)
            recorder.capture(name, changed)
            present[changed] = wanted[changed]
            mesh.touched(name, changed)


def _same(before: Mesh, after: Mesh, name: str) -> bool:
    one, other = getattr(before, name), getattr(after, name)
    return one is other or (one is not None and other is not None and np.array_equal(one, other))
