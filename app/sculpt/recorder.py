"""Saving old values on first touch, for one step of the history.

A recorder keeps, beside the mesh, one stamp per vertex ("already saved in this stroke?" is one compare) and the values
from before the first touch. These start values serve three masters: rollback, brushes that work from the start of the
stroke, and, packed at its end, the undo step (`history`).
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import kernel, prange, scaling_kernel
from app.mesh.mesh import Mesh


class Recorder:
    """Saves old values on first touch.

    label: what the step will be called. touched: whether any vertex was within reach. changed: whether the finished
    record made a step.
    """

    def __init__(self, mesh: Mesh, label: str = "") -> None:
        self._mesh, self.label = mesh, label
        self._originals: dict[str, _Originals] = {}
        self._normals: _Originals | None = None
        self.touched = self.changed = False

    def capture(self, attribute: str, vertices: np.ndarray) -> None:
        """Save the values of (k,) ascending int32 vertices, unless this recorder has them. Before they change."""
        self.touched = self.touched or len(vertices) > 0
        originals = self._originals_of(attribute)
        originals.chunks[self._mesh.chunks.of_vertices(vertices)] = 1
        _capture(vertices, originals.token, originals.stamp, columns_of(self._mesh, attribute), originals.values)

    def start(self, attribute: str) -> np.ndarray:
        """(V, 3) or (V, 1) float32: values from before the record began, valid where captured."""
        return self._originals_of(attribute).values

    def saved(self, attribute: str) -> tuple[np.ndarray, int]:
        """(V,) int32 and a number: a vertex has a start value where they are equal, else it is as at the start."""
        originals = self._originals_of(attribute)
        return originals.stamp, originals.token

    def start_normals(self, vertices: np.ndarray) -> np.ndarray:
        """(V, 3) float32: normals from the first time they were asked for, valid at these (k,) and earlier vertices."""
        if self._normals is None:
            self._normals = self._mesh.scratch.setdefault("start normals", _Originals(self._mesh.normals.shape, 0))
            self._normals.token += 1
        _capture(vertices, self._normals.token, self._normals.stamp, self._mesh.normals, self._normals.values)
        return self._normals.values

    def restore(self, attribute: str, vertices: np.ndarray) -> None:
        """Put captured vertices back to their start values, without saying that they were touched."""
        _restore(vertices, columns_of(self._mesh, attribute), self.start(attribute))

    def _originals_of(self, attribute: str) -> _Originals:
        if attribute not in self._originals:
            self._originals[attribute] = originals = _Originals.of(self._mesh, attribute)
            originals.token += 1
            originals.chunks[:] = 0
        return self._originals[attribute]

    def roll_back(self) -> None:
        """Undo all that happened since the start."""
        for attribute, originals in self._originals.items():
            vertices = originals.vertices(self._mesh)
            self.restore(attribute, vertices)
            self._mesh.touched(attribute, vertices)

    def changes(self) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Per attribute that changed: its name, (k,) int32 vertices whose bits differ, and their start values."""
        changes = []
        for attribute, originals in self._originals.items():
            values = columns_of(self._mesh, attribute)
            vertices = _changed(originals.vertices(self._mesh), _bits(values), _bits(originals.values))
            if len(vertices):
                changes.append((attribute, vertices, originals.values[vertices]))
        return changes


class _Originals:
    """Start values of one attribute.

    stamp (V,) int32: equals `token` where saved. values (V, columns) float32. chunks (C,) uint8: 1 where any was saved.
    """

    def __init__(self, shape: tuple[int, ...], chunk_count: int) -> None:
        self.token = 0
        self.chunks = np.zeros(chunk_count, np.uint8)
        self.stamp = np.zeros(shape[0], np.int32)
        self.values = np.empty(shape, np.float32)

    @classmethod
    def of(cls, mesh: Mesh, attribute: str) -> _Originals:
        key = f"originals of {attribute}"
        if key not in mesh.scratch:
            mesh.scratch[key] = cls(columns_of(mesh, attribute).shape, mesh.chunks.count)
        return mesh.scratch[key]

    def vertices(self, mesh: Mesh) -> np.ndarray:
        """(k,) int32, ascending: those saved. Looks only into chunks that were touched."""
        return _stamped(np.flatnonzero(self.chunks), mesh.chunks.vertex_offsets, self.stamp, self.token)


def columns_of(mesh: Mesh, attribute: str) -> np.ndarray:
    """An attribute as (V, columns)."""
    values = mesh.attribute(attribute)
    return values if values.ndim == 2 else values.reshape(-1, 1)


def _bits(values: np.ndarray) -> np.ndarray:
    # -0.0 equals 0.0 and NaN differs from itself; bits do neither.
    return values.view(np.uint32)


@scaling_kernel
def _capture(vertices, token, stamp, values, start):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        if stamp[v] != token:
            stamp[v] = token
            for k in range(values.shape[1]):
                start[v, k] = values[v, k]


@scaling_kernel
def _restore(vertices, values, start):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        for k in range(values.shape[1]):
            values[v, k] = start[v, k]


@kernel
def _stamped(chunks, vertex_offsets, stamp, token):
    most = 0
    for chunk in chunks:
        most += vertex_offsets[chunk + 1] - vertex_offsets[chunk]
    out = np.empty(most, np.int32)
    count = 0
    for chunk in chunks:
        for v in range(vertex_offsets[chunk], vertex_offsets[chunk + 1]):
            if stamp[v] == token:
                out[count] = v
                count += 1
    return out[:count]


@kernel
def _changed(vertices, values, start):
    """Those of the ascending vertices whose bits differ from the start."""
    out = np.empty(len(vertices), np.int32)
    count = 0
    for v in vertices:
        for k in range(values.shape[1]):
            if values[v, k] != start[v, k]:
                out[count] = v
                count += 1
                break
    return out[:count].copy()
