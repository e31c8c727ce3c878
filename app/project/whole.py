"""Everything of a document as `Changes`: for a new project, and when a working copy is lost and has to be made again.

The steps in memory keep one side of each change; their differences come from walking over copies of the arrays, back to
the oldest step and forward to the newest. What changes from one event to the next is gathered in `following`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.mesh.mesh import ATTRIBUTES, Mesh
from app.project.changes import SPARSE, STATIC, Changes, MeshRecord, StepRecord
from app.project.content import Stored
from app.sculpt.history import AttributeStep, MeshStep, Step
from app.sculpt.packed import PackedStep, apply, differences
from app.sculpt.recorder import columns_of


class Numbers:
    """The ids of meshes and static arrays in the database, by object. Holds them, so that no id() is used again."""

    def __init__(self, stored: Stored | None = None) -> None:
        self.meshes: dict[int, tuple[int, Mesh]] = {}
        self._arrays: dict[int, tuple[int, np.ndarray]] = {}
        if stored is not None:
            self.meshes = {id(mesh): (number, mesh) for number, mesh in stored.meshes.items()}
            self._arrays = {id(array): (number, array) for number, array in stored.arrays.items()}
        used = [0, *(entry[0] for entry in (*self.meshes.values(), *self._arrays.values()))]
        self._next = max(used) + 1

    def of(self, mesh: Mesh) -> int | None:
        """The id of a mesh; None if it is not in the database yet."""
        known = self.meshes.get(id(mesh))
        return known[0] if known else None

    def add(self, mesh: Mesh, changes: Changes) -> int:
        """Put a mesh into the changes, with copies of all that strokes write. Returns its id.

        Its marks of what is unsaved are not touched: whoever relies on them takes them before.
        """
        number = self._new()
        self.meshes[id(mesh)] = number, mesh
        names = {}
        for name in STATIC:
            array = getattr(mesh, name)
            if array is not None:
                names[name] = self._array(array, changes)
        changes.meshes[number] = MeshRecord.of(mesh, names)
        for attribute in changes.meshes[number].attributes:
            values, offsets = columns_of(mesh, attribute).copy(), mesh.chunks.vertex_offsets.tolist()
            for page in range(mesh.chunks.count):
                rows = values[offsets[page] : offsets[page + 1]]
                if attribute not in SPARSE or rows.any():
                    changes.pages[number, attribute, page] = rows
        return number

    def keep_only(self, meshes: Sequence[Mesh], changes: Changes) -> None:
        """Drop all other meshes."""
        wanted = {id(mesh) for mesh in meshes}
        for key in [key for key in self.meshes if key not in wanted]:
            changes.dropped_meshes.add(self.meshes.pop(key)[0])
        if changes.dropped_meshes:
            held = {id(getattr(mesh, name)) for _, mesh in self.meshes.values() for name in STATIC}
            self._arrays = {key: value for key, value in self._arrays.items() if key in held}

    def _array(self, array: np.ndarray, changes: Changes) -> int:
        if id(array) not in self._arrays:
            self._arrays[id(array)] = self._new(), array
            changes.arrays[self._arrays[id(array)][0]] = array
        return self._arrays[id(array)][0]

    def _new(self) -> int:
        self._next += 1
        return self._next - 1


def add_steps(steps: Sequence[Step], position: int, mesh: Mesh, numbers: Numbers, changes: Changes) -> None:
    """Put a whole history into the changes; `position` steps are done, which led to `mesh`."""
    for part in (list(reversed(steps[:position])), steps[position:]):
        if not part:
            continue
        walk = _Walk(mesh)
        for step in part:
            changes.steps[step.number] = record = walk.over(step)
            if isinstance(step, MeshStep):
                number = numbers.of(step.kept)
                record.mesh = numbers.add(step.kept, changes) if number is None else number


def record_of(step: Step) -> StepRecord:
    """A step's row, still without its changes."""
    return StepRecord(step.number, step.label, step.made_at, step.vertices)


class _Walk:
    """Copies of the arrays of one mesh after the other, on the way through the steps."""

    def __init__(self, mesh: Mesh) -> None:
        self._enter(mesh)

    def _enter(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._values = {name: columns_of(mesh, name).copy() for name in ATTRIBUTES if getattr(mesh, name) is not None}

    def over(self, step: Step) -> StepRecord:
        """A step's record, and on to its other side."""
        record = record_of(step)
        if isinstance(step, MeshStep):
            self._enter(step.kept)
        elif isinstance(step, PackedStep):
            record.parts = list(step.parts)
            for part in step.unpack(self._mesh):
                apply(part, self._values[part.attribute], forward=not step.done)
        elif isinstance(step, AttributeStep):
            for kept in step.parts:
                values = self._values[kept.attribute]
                changed = differences(kept, values, done=step.done)
                record.parts.append(changed)
                apply(changed, values, forward=not step.done)
        return record
