"""Automask: protection that is computed, not painted, for the length of one stroke.

    connected     only what hangs together with where the stroke began
    face_set      only the face set where the stroke began
    borders       open borders stay as they are, and fade in over a few rings
    cavity        hollows only, up to 1, or ridges only, down to -1
    front_limit   what faces the viewer at less than so many degrees

Factors are multiplied; nothing is written. What the front-faces switch does lives in `region`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.errors import InvalidInput
from app.mesh.jit import kernel, prange, scaling_kernel
from app.mesh.mesh import Mesh

BORDER_RINGS = 3
# Deviation from the ring's mean, as a part of its mean edge, that counts as a hollow or ridge in full.
_CAVITY_DEPTH = 0.15
_FULL_TURN_LIMIT = 90.0
# Over so much of the cosine the front limit fades.
_FRONT_FADE = 0.1


@dataclass(frozen=True)
class Automask:
    """See the module's docstring. cavity: -1 to 1, 0 for none. front_limit: degrees, 0 for none.

    Raises InvalidInput for a number out of range.
    """

    connected: bool = False
    face_set: bool = False
    borders: bool = False
    cavity: float = 0.0
    front_limit: float = 0.0

    def __post_init__(self) -> None:
        if not (-1.0 <= self.cavity <= 1.0 and 0.0 <= self.front_limit <= _FULL_TURN_LIMIT):
            raise InvalidInput(
                "the automask is out of range", advice=f"Cavity is -1 to 1, the front limit 0 to {_FULL_TURN_LIMIT:g}°"
            )

    @property
    def active(self) -> bool:
        """Whether it protects anything."""
        return self != Automask()


class Protection:
    """The automask of one stroke."""

    def __init__(self, mesh: Mesh, automask: Automask) -> None:
        self._mesh, self._automask = mesh, automask
        self._seeds: list[int] = []
        self._sets: list[float] = []
        if automask.cavity:
            self._cavity = mesh.scratch.setdefault("cavity", _Kept(mesh.vertex_count))
            self._cavity.token += 1

    @property
    def active(self) -> bool:
        return self._automask.active

    @property
    def waits(self) -> bool:
        """Whether a mirrored dab of the stroke has not been on the surface yet, as at its start."""
        return not self._seeds or min(self._seeds) < 0

    def begin(self, seeds: list[int]) -> None:
        """Where the stroke is: the vertex nearest to each of its mirrored dabs, -1 where one reaches none.

        Of each of them the first vertex counts. Its face set is kept as it is now: the stroke may draw another.
        """
        self._seeds = self._seeds or [-1] * len(seeds)
        self._sets = self._sets or [0.0] * len(seeds)
        for image, seed in enumerate(seeds):
            if self._seeds[image] < 0 <= seed:
                self._seeds[image], self._sets[image] = seed, float(self._mesh.face_sets[seed])

    def apply(self, image: int, vertices: np.ndarray, factors: np.ndarray, view: np.ndarray) -> None:
        """Multiply the (k,) float32 factors of (k,) int32 vertices, those of a mirrored dab by its number.

        view: (3,) unit toward the viewer, or zeros.
        """
        mesh, automask = self._mesh, self._automask
        seed = self._seeds[image] if self._seeds else -1
        if automask.connected and seed >= 0:
            _same(vertices, factors, parts(mesh), parts(mesh)[seed])
        if automask.face_set and seed >= 0:
            _same(vertices, factors, mesh.face_sets, np.float32(self._sets[image]))
        if automask.borders:
            _multiply(vertices, factors, from_borders(mesh))
        if automask.cavity:
            kept = self._cavity
            topology = mesh.topology
            _keep_cavity(
                vertices,
                mesh.positions,
                mesh.normals,
                topology.ring_offsets,
                topology.ring,
                kept.token,
                kept.stamp,
                kept.values,
            )
            _by_cavity(vertices, factors, kept.values, np.float32(automask.cavity))
        if automask.front_limit and view.any():
            limit = math.cos(math.radians(automask.front_limit))
            _by_view(vertices, factors, mesh.normals, view, np.float32(limit))


class _Kept:
    """Values from the first touch within a stroke. stamp (V,) int32: equals `token` where kept. values (V,) float32."""

    def __init__(self, vertex_count: int) -> None:
        self.token = 0
        self.stamp = np.zeros(vertex_count, np.int32)
        self.values = np.empty(vertex_count, np.float32)


def parts(mesh: Mesh) -> np.ndarray:
    """(V,) int32: the number of the connected part that a vertex belongs to."""
    if "parts" not in mesh.scratch:
        mesh.scratch["parts"] = _parts(mesh.triangles, mesh.vertex_count)
    return mesh.scratch["parts"]


def from_borders(mesh: Mesh) -> np.ndarray:
    """(V,) float32: 0 on an open or non-manifold edge, 1 from BORDER_RINGS rings away."""
    if "from borders" not in mesh.scratch:
        topology = mesh.topology
        values = np.where(topology.boundary, np.float32(0), np.float32(1))
        for ring in range(1, BORDER_RINGS):
            _grow(values, topology.ring_offsets, topology.ring, np.float32(ring / BORDER_RINGS))
        mesh.scratch["from borders"] = values
    return mesh.scratch["from borders"]


def cavity(mesh: Mesh) -> np.ndarray:
    """(V,) float32, -1 to 1: how deep a vertex lies below its ring (negative: how far it stands out)."""
    mesh.refresh()
    kept = _Kept(mesh.vertex_count)
    topology = mesh.topology
    everything = np.arange(mesh.vertex_count, dtype=np.int32)
    _keep_cavity(
        everything,
        mesh.positions,
        mesh.normals,
        topology.ring_offsets,
        topology.ring,
        1,
        kept.stamp,
        kept.values,
    )
    return kept.values


@kernel
def _parts(triangles, vertex_count):
    """Union-find over the triangles' corners, then the smallest vertex of each part as its number."""
    parent = np.arange(vertex_count).astype(np.int32)
    for t in range(len(triangles)):
        for k in range(2):
            a, b = triangles[t, k], triangles[t, k + 1]
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            parent[max(a, b)] = min(a, b)
    for v in range(vertex_count):
        parent[v] = parent[parent[v]]  # the smaller number is always done
    return parent


@kernel
def _grow(values, ring_offsets, ring, value):
    """Everything at 1 that touches something below `value` becomes `value`."""
    for v in range(len(values)):
        if values[v] != 1:
            continue
        for k in range(ring_offsets[v], ring_offsets[v + 1]):
            if values[ring[k]] < value:
                values[v] = value
                break


@scaling_kernel
def _same(vertices, factors, labels, label):
    for i in prange(len(vertices)):
        if labels[np.uint32(vertices[i])] != label:
            factors[i] = 0


@scaling_kernel
def _multiply(vertices, factors, values):
    for i in prange(len(vertices)):
        factors[i] *= values[np.uint32(vertices[i])]


@scaling_kernel
def _keep_cavity(vertices, positions, normals, ring_offsets, ring, token, stamp, values):
    """Height of the ring's mean above the vertex, along its normal, as a part of the ring's mean edge length."""
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        if stamp[v] == token:
            continue
        stamp[v] = token
        height = np.float32(0)
        length = np.float32(0)
        for k in range(ring_offsets[v], ring_offsets[v + 1]):
            other = np.uint32(ring[k])
            dx = positions[other, 0] - positions[v, 0]
            dy = positions[other, 1] - positions[v, 1]
            dz = positions[other, 2] - positions[v, 2]
            height += dx * normals[v, 0] + dy * normals[v, 1] + dz * normals[v, 2]
            length += np.sqrt(dx * dx + dy * dy + dz * dz)
        part = height / (length * np.float32(_CAVITY_DEPTH)) if length > 0 else np.float32(0)
        values[v] = min(max(part, np.float32(-1)), np.float32(1))


@scaling_kernel
def _by_cavity(vertices, factors, values, wanted):
    """wanted > 0: a hollow keeps its factor, the rest fades by `wanted`; < 0: the same for ridges."""
    for i in prange(len(vertices)):
        depth = values[np.uint32(vertices[i])]
        share = max(depth, np.float32(0)) if wanted > 0 else max(-depth, np.float32(0))
        factors[i] *= np.float32(1) - abs(wanted) * (np.float32(1) - share)


@scaling_kernel
def _by_view(vertices, factors, normals, view, limit):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        facing = normals[v, 0] * view[0] + normals[v, 1] * view[1] + normals[v, 2] * view[2]
        factors[i] *= np.float32(min(max((facing - limit) / _FRONT_FADE + 1.0, 0.0), 1.0))
