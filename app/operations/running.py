"""Running an operation: check the values, run it here or in a worker process, measure what became of the colour.

What does not live here: the operations, and making the result one undo step (the window's business).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app import worker
from app.errors import InvalidInput
from app.mesh.mesh import Mesh
from app.mesh.soup import Material
from app.operations.color_change import ColorChange, color_change
from app.operations.operation import Operation, Progress, Result, no_progress, operations, part_of
from app.sculpt.face_sets import shows_anything

_OPERATION_SHARE = 0.93
_SECONDS = 1800.0
_MEMORY_BYTES = 8 << 30


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an operation did.

    mesh: the result; its textures are the very objects of the source. notes: one sentence each, for the user.
    color_change: None where the source has no colour. values: those it ran with, defaults included.
    """

    mesh: Mesh
    label: str
    notes: list[str] = field(default_factory=list)
    color_change: ColorChange | None = None
    triangles_before: int = 0
    triangles_after: int = 0
    values: dict[str, Any] = field(default_factory=dict)


def find(operation_id: str) -> Operation:
    """The operation with this id. Raises InvalidInput when there is none."""
    known = operations()
    if operation_id not in known:
        raise InvalidInput(f'there is no operation "{operation_id}"', "", f"Choose one of {', '.join(known)}")
    return known[operation_id]


def apply(
    mesh: Mesh, operation_id: str, values: Mapping[str, Any] | None = None, progress: Progress = no_progress
) -> Outcome:
    """Run an operation in this process. The mesh stays as it is.

    Raises InvalidInput for a wrong value, or where the operation cannot run on this mesh; Cancelled when `progress`
    raises it.
    """
    operation = find(operation_id)
    checked = operation.check(values or {}, mesh)
    reason = operation.reason_against(mesh)
    if reason is not None:
        what, _, advice = reason.rstrip(".").partition(". ")
        raise InvalidInput(f"{operation.label}: {what}", "", advice)
    progress(0.0, operation.label)
    made = operation.function(mesh, part_of(progress, 0.0, _OPERATION_SHARE), **checked)
    result = made if isinstance(made, Result) else Result(made)
    if not shows_anything(result.mesh, result.mesh.hidden):
        result.mesh.hidden[:] = 0  # all that was in sight is gone
    change = color_change(mesh, result.mesh, part_of(progress, _OPERATION_SHARE, 1.0))
    progress(1.0, "Done")
    return Outcome(
        result.mesh,
        operation.label,
        list(result.notes),
        change,
        mesh.triangle_count,
        result.mesh.triangle_count,
        checked,
    )


def apply_in_worker(
    mesh: Mesh,
    operation_id: str,
    values: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Outcome:
    """`apply` in a worker process. Raises the same, and WorkerFailed. Give it a snapshot where strokes may go on."""
    find(operation_id).check(values or {})
    sent = copy.copy(mesh)
    sent.scratch = {}  # others' buffers, such as the viewport's, stay at home
    limits = worker.WorkerLimits(_SECONDS, _MEMORY_BYTES)
    outcome = worker.run(
        _apply, sent, operation_id, dict(values or {}), progress=progress, cancelled=cancelled, limits=limits
    )
    outcome.mesh.materials = _with_own_textures(outcome.mesh.materials, mesh.materials)
    return outcome


def _apply(mesh: Mesh, operation_id: str, values: dict[str, Any], progress: Progress) -> Outcome:
    return apply(mesh, operation_id, values, progress)


def _with_own_textures(materials: list[Material], own: list[Material]) -> list[Material]:
    """The very objects of `own` where they are equal: textures are uploaded once, and sameness is seen."""
    textures = {material.texture.encoded: material.texture for material in own if material.texture is not None}
    known = {_look(material): material for material in own}

    def same(material: Material) -> Material:
        texture = material.texture
        if _look(material) in known or texture is None or texture.encoded not in textures:
            return known.get(_look(material), material)
        return replace(material, texture=textures[texture.encoded])

    return [same(material) for material in materials]


def _look(material: Material) -> tuple[object, ...]:
    texture = material.texture
    return material.name, material.base_color, material.wrap, None if texture is None else texture.encoded
