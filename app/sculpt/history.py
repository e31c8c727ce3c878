"""Undo: per attribute the touched vertices and their old values. Undo swaps, so a step becomes its own redo.

Limited by bytes, oldest first. Exact to the bit. How old values are saved while a stroke runs is in `recorder`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from psygnal import Signal

from app.mesh.jit import prange, scaling_kernel
from app.mesh.mesh import ATTRIBUTES, Mesh
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
    """One entry of the history.

    label: what the user did. bytes: memory held. vertices: how many it changes. done: whether it is done or undone.
    number: given by the history, rising, never used twice in it. made_at: seconds since 1970, UTC.
    """

    label: str
    bytes: int
    vertices: int
    done = True
    number = 0
    made_at = 0.0

    def swap(self, owner: MeshOwner) -> Change:
        """Exchange the kept state with the present one: undo if it was done, redo if it was undone."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Part:
    """What a step changes of one attribute: (k,) int32 ascending vertices, (k, columns) float32 kept values."""

    attribute: str
    vertices: np.ndarray
    values: np.ndarray


class AttributeStep(Step):
    """Changed vertices of one or more attributes; keeps their old values while done, their new ones while undone."""

    def __init__(self, label: str, parts: Sequence[Part]) -> None:
        self.label = label
        self.parts = tuple(parts)
        self.vertices = sum(len(part.vertices) for part in parts)
        self.bytes = sum(part.vertices.nbytes + part.values.nbytes for part in parts)

    def swap(self, owner: MeshOwner) -> Change:
        mesh = owner.mesh
        assert mesh is not None
        for part in self.parts:
            _swap(part.vertices, columns_of(mesh, part.attribute), part.values)
            mesh.touched(part.attribute, part.vertices)
        self.done = not self.done
        return Change(frozenset(part.attribute for part in self.parts), self.vertices, False)


class MeshStep(Step):
    """The whole mesh, as it is on the other side of the step.

    present: the mesh on this side; only used to tell which arrays the kept one shares with it.
    """

    def __init__(self, label: str, kept: Mesh, present: Mesh) -> None:
        self.label = label
        self._keep(kept, present)

    def _keep(self, kept: Mesh, present: Mesh) -> None:
        kept.scratch.clear()
        self.kept = kept
        self.vertices = kept.vertex_count
        shared = {id(array) for array in _arrays(present)}
        self.bytes = sum(array.nbytes for array in _arrays(kept) if id(array) not in shared)

    def swap(self, owner: MeshOwner) -> Change:
        present, owner.mesh = owner.mesh, self.kept
        assert present is not None
        change = Change(frozenset(), self.vertices, True)
        self._keep(present, self.kept)
        self.done = not self.done
        return change


def _written(mesh: Mesh) -> list[np.ndarray]:
    """What strokes write."""
    return [array for name in ATTRIBUTES if (array := getattr(mesh, name)) is not None]


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
        self._changing = False
        self._stamp = 0
        self._epoch = 0
        self._next_number = 1
        self._dropped = 0

    @property
    def steps(self) -> list[Step]:
        """All steps, oldest first; those from `position` on are undone."""
        return list(self._steps)

    @property
    def position(self) -> int:
        """How many steps are done: 0 to len(steps)."""
        return self._position

    @property
    def state(self) -> int:
        """Names the state of the mesh: the number of the last done step, also of one dropped; 0 as it was opened."""
        return self._steps[self._position - 1].number if self._position else self._dropped

    @property
    def bytes(self) -> int:
        """Memory that the steps hold."""
        return sum(step.bytes for step in self._steps)

    @property
    def recording(self) -> bool:
        """Whether a step is being made, a stroke for example; undo and redo must wait for its end."""
        return self._recording

    @property
    def stamp(self) -> int | None:
        """Another number after every change, None in the middle of one.

        The same number before and after reading the mesh and the steps from another thread: they belong together.
        """
        return None if self._changing else self._stamp

    @property
    def epoch(self) -> int:
        """Another number whenever all steps were replaced at once: another figurine is being opened."""
        return self._epoch

    @property
    def next_number(self) -> int:
        """The number that the next new step will get."""
        return self._next_number

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
        """Make one step of all that is captured inside. Any exception rolls the mesh back to the bit.

        label: unless the recorder is given another one before the end.
        """
        self._must_be_idle()
        mesh = self._owner.mesh
        if mesh is None:
            raise RuntimeError("there is no mesh to record")
        recorder = Recorder(mesh, label)
        with self._change():
            self._recording = True
            try:
                yield recorder
                step = _step(recorder)
            except BaseException:
                recorder.roll_back()
                raise
            finally:
                self._recording = False
            if step is not None:
                recorder.changed = True
                self._push(step)
        if step is not None:
            self.changed.emit()

    def replace_mesh(self, label: str, mesh: Mesh) -> None:
        """Give the owner another mesh, as one step. It shares no array that strokes write with the present one."""
        self._must_be_idle()
        present = self._owner.mesh
        if present is None:
            raise RuntimeError("there is no mesh to replace")
        if any(np.may_share_memory(array, kept) for array in _written(mesh) for kept in _written(present)):
            raise ValueError("a stroke on the new mesh would change the one that the step keeps")
        with self._change():
            self._owner.mesh = mesh
            self._push(MeshStep(label, present, mesh))
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
        try:
            with self._change():
                while self._position > position:
                    change |= self._steps[self._position - 1].swap(self._owner)
                    self._position -= 1
                while self._position < position:
                    change |= self._steps[self._position].swap(self._owner)
                    self._position += 1
        finally:  # a step from a damaged file stops here; those before it have been done
            if change.mesh_replaced:
                self.mesh_replaced.emit()
            self.changed.emit()
        return change

    def clear(self) -> None:
        """Forget all steps. Their numbers are not used again."""
        self.restore([], 0)

    def restore(self, steps: Sequence[Step], position: int) -> None:
        """Take over steps from a project file, `position` of them done. They keep their numbers, which must rise."""
        self._must_be_idle()
        if not 0 <= position <= len(steps):
            raise IndexError(position)
        with self._change():
            self._epoch += 1
            self._steps = list(steps)
            self._position = position
            self._next_number = max([self._next_number, *(step.number + 1 for step in steps)])
            self._dropped = 0
            self._drop_oldest()
        self.changed.emit()

    @contextmanager
    def _change(self) -> Iterator[None]:
        self._changing = True
        try:
            yield
        finally:
            self._stamp += 1
            self._changing = False

    def _must_be_idle(self) -> None:
        if self._recording:
            raise RuntimeError("a step is being recorded")

    def _push(self, step: Step) -> None:
        step.number, step.made_at = self._next_number, time.time()
        self._next_number += 1
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
        if dropped:
            self._dropped = self._steps[dropped - 1].number
        del self._steps[:dropped]
        self._position -= dropped
        return dropped > 0


def _step(recorder: Recorder) -> Step | None:
    """What was recorded as a step; None if no bit of any value changed."""
    parts = [Part(*change) for change in recorder.changes()]
    return AttributeStep(recorder.label, parts) if parts else None


@scaling_kernel
def _swap(vertices, values, kept):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        for k in range(values.shape[1]):
            value = values[v, k]
            values[v, k] = kept[i, k]
            kept[i, k] = value
