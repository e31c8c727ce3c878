"""Undo: per attribute the touched vertices and their old values. Undo swaps, so a step becomes its own redo.

Limited by bytes, oldest first. Exact to the bit. How old values are saved while a stroke runs is in `recorder`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from psygnal import Signal

from app.mesh.jit import prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.recorder import Recorder, columns_of

DEFAULT_LIMIT_BYTES = 1 << 30


class MeshOwner(Protocol):
    """Whoever shows or saves the mesh; a step that replaces the whole mesh sets `mesh`."""

    mesh: Mesh | None


@dataclass(frozen=True)
class Change:
    """What an undo, a redo or a jump did. attributes: those written. vertices: how many, summed over the steps."""

    attributes: frozenset[str]
    vertices: int
    mesh_replaced: bool

    def __or__(self, other: Change) -> Change:
        return Change(
            self.attributes | other.attributes,
            self.vertices + other.vertices,
            self.mesh_replaced or other.mesh_replaced,
        )


class Step:
    """One entry of the history. label: what the user did. bytes: memory held. vertices: how many it changes."""

    label: str
    bytes: int
    vertices: int

    def swap(self, owner: MeshOwner) -> Change:
        """Exchange the kept state with the present one: undo if it was done, redo if it was undone."""
        raise NotImplementedError


class _AttributeStep(Step):
    """Changed vertices of one attribute: `vertices` (k,) int32 ascending, `values` (k, columns) float32."""

    def __init__(self, label: str, attribute: str, indices: np.ndarray, values: np.ndarray) -> None:
        self.label = label
        self._attribute, self._indices, self._values = attribute, indices, values
        self.vertices = len(indices)
        self.bytes = indices.nbytes + values.nbytes

    def swap(self, owner: MeshOwner) -> Change:
        mesh = owner.mesh
        assert mesh is not None
        _swap(self._indices, columns_of(mesh, self._attribute), self._values)
        mesh.touched(self._attribute, self._indices)
        return Change(frozenset({self._attribute}), self.vertices, False)


class _StepGroup(Step):
    """Several attributes changed in one go."""

    def __init__(self, label: str, steps: Sequence[Step]) -> None:
        self.label = label
        self._steps = list(steps)
        self.vertices = sum(step.vertices for step in steps)
        self.bytes = sum(step.bytes for step in steps)

    def swap(self, owner: MeshOwner) -> Change:
        change = Change(frozenset(), 0, False)
        for step in self._steps:
            change |= step.swap(owner)
        return change


class _MeshStep(Step):
    """The whole mesh, as it was before."""

    def __init__(self, label: str, kept: Mesh, present: Mesh) -> None:
        self.label = label
        self._keep(kept, present)

    def _keep(self, kept: Mesh, present: Mesh) -> None:
        kept.scratch.clear()
        self._kept = kept
        self.vertices = kept.vertex_count
        shared = {id(array) for array in _arrays(present)}
        self.bytes = sum(array.nbytes for array in _arrays(kept) if id(array) not in shared)

    def swap(self, owner: MeshOwner) -> Change:
        present, owner.mesh = owner.mesh, self._kept
        assert present is not None
        change = Change(frozenset(), self.vertices, True)
        self._keep(present, self._kept)
        return change


def _arrays(mesh: Mesh) -> list[np.ndarray]:
    parts = (mesh, mesh.topology, mesh.chunks)
    return [value for part in parts for value in vars(part).values() if isinstance(value, np.ndarray)]


class History:
    """The undo stack of one document."""

    changed = Signal()
    mesh_replaced = Signal()

    def __init__(self, owner: MeshOwner, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._owner = owner
        self._limit_bytes = limit_bytes
        self._steps: list[Step] = []
        self._position = 0
        self._recording = False

    @property
    def steps(self) -> list[Step]:
        """All steps, oldest first; those from `position` on are undone."""
        return list(self._steps)

    @property
    def position(self) -> int:
        """How many steps are done: 0 to len(steps)."""
        return self._position

    @property
    def bytes(self) -> int:
        """Memory that the steps hold."""
        return sum(step.bytes for step in self._steps)

    @property
    def recording(self) -> bool:
        """Whether a step is being made, a stroke for example; undo and redo must wait for its end."""
        return self._recording

    @property
    def limit_bytes(self) -> int:
        """Most memory that the steps may hold; the newest step always stays."""
        return self._limit_bytes

    @limit_bytes.setter
    def limit_bytes(self, limit: int) -> None:
        self._limit_bytes = limit
        if self._drop_oldest():
            self.changed.emit()

    @contextmanager
    def record(self, label: str) -> Iterator[Recorder]:
        """Make one step of all that is captured inside. Any exception rolls the mesh back to the bit."""
        self._must_be_idle()
        mesh = self._owner.mesh
        if mesh is None:
            raise RuntimeError("there is no mesh to record")
        recorder = Recorder(mesh)
        self._recording = True
        try:
            yield recorder
            step = _step(label, recorder)
        except BaseException:
            recorder.roll_back()
            raise
        finally:
            self._recording = False
        if step is not None:
            recorder.changed = True
            self._push(step)
            self.changed.emit()

    def replace_mesh(self, label: str, mesh: Mesh) -> None:
        """Give the owner another mesh, as one step."""
        self._must_be_idle()
        present = self._owner.mesh
        if present is None:
            raise RuntimeError("there is no mesh to replace")
        self._owner.mesh = mesh
        self._push(_MeshStep(label, present, mesh))
        self.mesh_replaced.emit()
        self.changed.emit()

    def undo(self) -> Change | None:
        """Take the last done step back; None if there is none."""
        return self.go_to(self._position - 1) if self._position > 0 else None

    def redo(self) -> Change | None:
        """Do the next undone step again; None if there is none."""
        return self.go_to(self._position + 1) if self._position < len(self._steps) else None

    def go_to(self, position: int) -> Change | None:
        """Undo or redo until `position` steps are done; None if nothing had to be done. Raises IndexError."""
        self._must_be_idle()
        if not 0 <= position <= len(self._steps):
            raise IndexError(position)
        if position == self._position:
            return None
        change = Change(frozenset(), 0, False)
        while self._position > position:
            change |= self._steps[self._position - 1].swap(self._owner)
            self._position -= 1
        while self._position < position:
            change |= self._steps[self._position].swap(self._owner)
            self._position += 1
        if change.mesh_replaced:
            self.mesh_replaced.emit()
        self.changed.emit()
        return change

    def clear(self) -> None:
        """Forget all steps."""
        self._must_be_idle()
        self._steps.clear()
        self._position = 0
        self.changed.emit()

    def _must_be_idle(self) -> None:
        if self._recording:
            raise RuntimeError("a step is being recorded")

    def _push(self, step: Step) -> None:
        del self._steps[self._position :]
        self._steps.append(step)
        self._position += 1
        self._drop_oldest()

    def _drop_oldest(self) -> bool:
        """Drop steps until the rest fits; never the newest done step nor an undone one."""
        held = self.bytes
        dropped = 0
        while held > self._limit_bytes and dropped < self._position - 1:
            held -= self._steps[dropped].bytes
            dropped += 1
        del self._steps[:dropped]
        self._position -= dropped
        return dropped > 0


def _step(label: str, recorder: Recorder) -> Step | None:
    """What was recorded as a step; None if no bit of any value changed."""
    steps = [_AttributeStep(label, *change) for change in recorder.changes()]
    return _StepGroup(label, steps) if len(steps) > 1 else steps[0] if steps else None


@scaling_kernel
def _swap(vertices, values, kept):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        for k in range(values.shape[1]):
            value = values[v, k]
            values[v, k] = kept[i, k]
            kept[i, k] = value
