"""Steps of the history as they are in a project file: few bytes, unpacked when undone or redone.

What is kept of a changed value is the difference of its bits, new minus old as 32-bit words that wrap around. Added it
redoes, subtracted it undoes, both exact to the bit, with -0.0 and every NaN; so one record serves both directions, and
what is in the file need not change when a step is undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.errors import UnreadableFile
from app.mesh.jit import kernel
from app.mesh.mesh import Mesh
from app.sculpt.history import AttributeStep, Change, MeshOwner, Part, Step
from app.sculpt.packing import Damaged, pack_words, unpack_words
from app.sculpt.recorder import columns_of

COLUMNS = {"positions": 3, "colors": 3, "mask": 1, "face_sets": 1, "hidden": 1}


@dataclass(frozen=True, eq=False)
class Differences:
    """Of one attribute: (k,) int32 ascending vertices, (k, columns) uint32 new bits minus old bits."""

    attribute: str
    vertices: np.ndarray
    words: np.ndarray

    def pack(self) -> PackedPart:
        """Both arrays compressed."""
        vertices = pack_words(self.vertices.reshape(-1, 1))
        return PackedPart(self.attribute, len(self.vertices), vertices, pack_words(self.words))


@dataclass(frozen=True, eq=False)
class PackedPart:
    """`Differences` of `count` vertices, packed."""

    attribute: str
    count: int
    vertices: bytes
    differences: bytes

    def unpack(self, vertex_count: int) -> Differences:
        """For a mesh of so many vertices. Raises Damaged for anything that cannot be of such a mesh."""
        if self.attribute not in COLUMNS or not 0 < self.count <= vertex_count:
            raise Damaged(f"{self.count} vertices of {self.attribute}")
        vertices = unpack_words(self.vertices, self.count, 1).view(np.int32).ravel()
        if not _ascends(vertices, vertex_count):
            raise Damaged("vertices out of order or out of range")
        return Differences(
            self.attribute, vertices, unpack_words(self.differences, self.count, COLUMNS[self.attribute])
        )


class PackedStep(Step):
    """A step of changed vertices that came from a project file."""

    def __init__(self, label: str, parts: Sequence[PackedPart], *, done: bool) -> None:
        self.label, self.done = label, done
        self.parts = tuple(parts)
        self.vertices = sum(part.count for part in parts)
        self.bytes = sum(len(part.vertices) + len(part.differences) for part in parts)

    def unpack(self, mesh: Mesh) -> list[Differences]:
        """Raises UnreadableFile where the step cannot be of this mesh."""
        try:
            for part in self.parts:
                if part.attribute in COLUMNS and getattr(mesh, part.attribute) is None:
                    raise Damaged(f"no {part.attribute} to change")
            return [part.unpack(mesh.vertex_count) for part in self.parts]
        except Damaged as error:
            what = f"the step cannot be undone or redone: its record is damaged ({error})"
            raise UnreadableFile(what, self.label, "Go on from here, or open an older copy of the project") from error

    def swap(self, owner: MeshOwner) -> Change:
        mesh = owner.mesh
        assert mesh is not None
        unpacked = self.unpack(mesh)  # all of it, before anything is written
        for part in unpacked:
            apply(part, columns_of(mesh, part.attribute), forward=not self.done)
            mesh.touched(part.attribute, part.vertices)
        self.done = not self.done
        return Change(frozenset(part.attribute for part in unpacked), self.vertices, False)


def differences(part: Part, values: np.ndarray, *, done: bool) -> Differences:
    """What a part of a step changes. values: (V, columns) float32, the attribute as it is on this side of the step."""
    words = _subtract(part.vertices, values.view(np.uint32), part.values.view(np.uint32), done)
    return Differences(part.attribute, part.vertices, words)


def apply(part: Differences, values: np.ndarray, *, forward: bool) -> None:
    """Redo (forward) or undo a part in (V, columns) float32 values."""
    _apply(part.vertices, values.view(np.uint32), part.words, forward)


def step_differences(step: AttributeStep, mesh: Mesh) -> list[Differences]:
    """What the newest done step changed, with the mesh as it left it."""
    return [differences(part, columns_of(mesh, part.attribute), done=step.done) for part in step.parts]


@kernel
def _ascends(vertices, vertex_count):
    last = np.int32(-1)
    for vertex in vertices:
        if vertex <= last or vertex >= vertex_count:
            return False
        last = vertex
    return True


@kernel
def _subtract(vertices, values, kept, done):
    out = np.empty(kept.shape, np.uint32)
    for i in range(len(vertices)):
        v = vertices[i]
        for k in range(kept.shape[1]):
            change = np.uint32(values[v, k] - kept[i, k])
            out[i, k] = change if done else np.uint32(np.uint32(0) - change)
    return out


@kernel
def _apply(vertices, values, words, forward):
    for i in range(len(vertices)):
        v = vertices[i]
        for k in range(words.shape[1]):
            if forward:
                values[v, k] = np.uint32(values[v, k] + words[i, k])
            else:
                values[v, k] = np.uint32(values[v, k] - words[i, k])
