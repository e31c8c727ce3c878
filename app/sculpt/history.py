"""Undo: per attribute the touched vertices and their old values. Undo swaps, so a record becomes its own redo.

A recorder keeps, beside the mesh, one stamp per vertex ("already saved in this stroke?" is one compare) and the values
from before the first touch. These start values serve three masters: rollback, brushes that work from the start of the
stroke, and, packed at its end, the undo step. Limited by bytes, oldest first. Exact to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from psygnal import Signal

from app.mesh.jit import kernel, prange, scaling_kernel
from app.mesh.mesh import Mesh

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
        _swap(self._indices, _columns(mesh, self._attribute), self._values)
        mesh.touched(self._attribute, self._indices)
        return Change(frozenset({self._attribute}), self.vertices, False)


class _StepGroup(Step):
    """Several attributes changed in one go."""

    def __init__(self, label: str, steps: list[Step]) -> None:
        self.label = label
        self._steps = steps
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


class Recorder:
    """Saves old values on first touch, for one step of the history."""

    def __init__(self, mesh: Mesh, label: str) -> None:
        self._mesh, self._label = mesh, label
        self._originals: dict[str, _Originals] = {}
        self.changed = False

    def capture(self, attribute: str, vertices: np.ndarray) -> None:
        """Save the values of (k,) int32 vertices, unless this recorder has them. To be called before they change."""
        originals = self._originals_of(attribute)
        _capture(vertices, originals.token, originals.stamp, _columns(self._mesh, attribute), originals.values)

    def start(self, attribute: str) -> np.ndarray:
        """(V, 3) or (V, 1) float32: values from before the record began, valid where captured."""
        return self._originals_of(attribute).values

    def restore(self, attribute: str, vertices: np.ndarray) -> None:
        """Put captured vertices back to their start values, without saying that they were touched."""
        _restore(vertices, _columns(self._mesh, attribute), self.start(attribute))

    def _originals_of(self, attribute: str) -> _Originals:
        if attribute not in self._originals:
            self._originals[attribute] = _Originals.of(self._mesh, attribute)
            self._originals[attribute].token += 1
        return self._originals[attribute]

    def roll_back(self) -> None:
        """Undo all that happened since the start."""
        for attribute, originals in self._originals.items():
            vertices = _stamped(originals.stamp, originals.token)
            self.restore(attribute, vertices)
            self._mesh.touched(attribute, vertices)

    def step(self) -> Step | None:
        """The finished step; None if no bit of any value changed."""
        steps: list[Step] = []
        for attribute, originals in self._originals.items():
            values = _columns(self._mesh, attribute)
            vertices = _changed(originals.stamp, originals.token, _bits(values), _bits(originals.values))
            if len(vertices):
                steps.append(_AttributeStep(self._label, attribute, vertices, originals.values[vertices]))
        if len(steps) > 1:
            return _StepGroup(self._label, steps)
        return steps[0] if steps else None


class _Originals:
    """Start values of one attribute. stamp (V,) int32: equals `token` where saved. values (V, columns) float32."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.token = 0
        self.stamp = np.zeros(shape[0], np.int32)
        self.values = np.empty(shape, np.float32)

    @classmethod
    def of(cls, mesh: Mesh, attribute: str) -> _Originals:
        key = f"originals of {attribute}"
        if key not in mesh.scratch:
            mesh.scratch[key] = cls(_columns(mesh, attribute).shape)
        return mesh.scratch[key]


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
        recorder = Recorder(mesh, label)
        self._recording = True
        try:
            yield recorder
            step = recorder.step()
        except BaseException:
            recorder.roll_back()
            raise
        finally:
            self._recording = False
        if step is not None:
            recorder.changed = True
            self._push(step)

    def replace_mesh(self, label: str, mesh: Mesh) -> None:
        """Give the owner another mesh, as one step."""
        self._must_be_idle()
        present, self._owner.mesh = self._owner.mesh, mesh
        if present is None:
            raise RuntimeError("there is no mesh to replace")
        self._push(_MeshStep(label, present, mesh))
        self.mesh_replaced.emit()

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
        self.changed.emit()

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


def _columns(mesh: Mesh, attribute: str) -> np.ndarray:
    """An attribute as (V, columns)."""
    values = mesh.attribute(attribute)
    return values if values.ndim == 2 else values.reshape(-1, 1)


def _bits(values: np.ndarray) -> np.ndarray:
    # -0.0 equals 0.0 and NaN differs from itself; bits do neither.
    return values.view(np.uint32)


@scaling_kernel
def _capture(vertices, token, stamp, values, start):
    for i in prange(len(vertices)):
        v = vertices[i]
        if stamp[v] != token:
            stamp[v] = token
            for k in range(values.shape[1]):
                start[v, k] = values[v, k]


@scaling_kernel
def _restore(vertices, values, start):
    for i in prange(len(vertices)):
        v = vertices[i]
        for k in range(values.shape[1]):
            values[v, k] = start[v, k]


@scaling_kernel
def _swap(vertices, values, kept):
    for i in prange(len(vertices)):
        v = vertices[i]
        for k in range(values.shape[1]):
            value = values[v, k]
            values[v, k] = kept[i, k]
            kept[i, k] = value


@kernel
def _stamped(stamp, token):
    count = 0
    for v in range(len(stamp)):
        count += stamp[v] == token
    out = np.empty(count, np.int32)
    count = 0
    for v in range(len(stamp)):
        if stamp[v] == token:
            out[count] = v
            count += 1
    return out


@kernel
def _changed(stamp, token, values, start):
    """Stamped vertices whose bits differ from the start, ascending."""
    stamped = _stamped(stamp, token)
    count = 0
    for i in range(len(stamped)):
        v = stamped[i]
        for k in range(values.shape[1]):
            if values[v, k] != start[v, k]:
                stamped[count] = v
                count += 1
                break
    return stamped[:count].copy()
