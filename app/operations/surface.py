"""A mesh taken apart for work on its triangles, and put together again with its colour.

Operations that add, drop or cut triangles all do the same: they say where the new triangles are and which old triangle
each of them lies on (its *origin*), or that it lies on none. What a corner looks like follows from that:

- a corner at a corner of its origin keeps texture coordinate, colour, mask and face set to the bit, and stays hidden;
- a corner anywhere else on its origin gets them interpolated there, so texture coordinates never leave their chart; its
  face set, and whether it is hidden, are those of the nearest corner;
- a triangle without an origin (a filled hole, a cap) gets its colour from what it is joined to, or the one it is given.

What does not live here: colour for a wholly new surface, by closest points (`carry`); painting triangles (`painting`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.mesh.build import build_mesh, to_soup
from app.mesh.bvh import closest_on_triangle
from app.mesh.colors import colors_at
from app.mesh.jit import kernel
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Soup


@dataclass(eq=False)
class Surface:
    """Plain arrays in the order of the mesh's file.

    positions: (N, 3) float32, mm. triangles: (T, 3) int32. mask, face_sets, hidden: (N,) float32.
    colors: (N, 3) float32 sRGB, or None.
    uv: (T, 3, 2) float32, a coordinate for each corner, or None. material: (T,) int16 into materials.
    """

    positions: np.ndarray
    triangles: np.ndarray
    mask: np.ndarray
    face_sets: np.ndarray
    hidden: np.ndarray
    colors: np.ndarray | None
    uv: np.ndarray | None
    material: np.ndarray
    materials: list[Material]

    @classmethod
    def of(cls, mesh: Mesh) -> Surface:
        """Take a mesh apart; all arrays are copies."""
        soup = to_soup(mesh)
        assert soup.triangle_material is not None
        mask, face_sets, hidden = (np.empty_like(mesh.mask) for _ in range(3))
        for kept, values in ((mask, mesh.mask), (face_sets, mesh.face_sets), (hidden, mesh.hidden)):
            kept[mesh.file_vertex] = values
        uv = None if soup.uv is None or soup.corner_uv is None else soup.uv[soup.corner_uv]
        material, materials = soup.triangle_material, list(soup.materials)
        return cls(soup.positions, soup.triangles, mask, face_sets, hidden, soup.colors, uv, material, materials)

    @classmethod
    def bare(cls, positions: np.ndarray, triangles: np.ndarray) -> Surface:
        """Without any colour. positions: (N, 3), mm; triangles: (T, 3) int."""
        none, material = np.zeros(len(positions), np.float32), np.zeros(len(triangles), np.int16)
        positions = np.ascontiguousarray(positions, np.float32)
        return cls(
            positions, np.ascontiguousarray(triangles, np.int32), none, none, none, None, None, material, [Material()]
        )

    @property
    def textured(self) -> bool:
        """Whether any material has an image."""
        return self.uv is not None and any(material.texture is not None for material in self.materials)

    def mesh(self) -> Mesh:
        """Weld equal positions, drop unused vertices, put in order. Keeps the order of the file in what is left."""
        used, triangles = np.unique(self.triangles, return_inverse=True)
        positions = self.positions[used] + np.float32(0)
        materials, material = _materials_in_use(self.materials, self.material)
        soup = Soup(
            positions,
            triangles.reshape(-1, 3).astype(np.int32),
            colors=None if self.colors is None else self.colors[used],
            uv=None if self.uv is None else self.uv.reshape(-1, 2),
            corner_uv=None if self.uv is None else np.arange(3 * len(self.triangles), dtype=np.int32).reshape(-1, 3),
            triangle_material=material,
            materials=materials,
        )
        mesh = build_mesh(soup, face_sets=self.face_sets[used], hidden=self.hidden[used])
        mask = self.mask[used]
        if mesh.vertex_count != len(positions):
            # build_mesh numbers what it welds by the first vertex of each position.
            rows = np.ascontiguousarray(positions).view("V12").ravel()
            mask = mask[np.sort(np.unique(rows, return_index=True)[1])]
        mesh.mask[:] = mask[mesh.file_vertex]
        return mesh

    def kept(self, rows: np.ndarray) -> Surface:
        """Only these triangles; rows: (n,) int, or (T,) bool."""
        uv = None if self.uv is None else self.uv[rows]
        return replace(self, triangles=self.triangles[rows], uv=uv, material=self.material[rows])

    def flipped(self, rows: np.ndarray) -> Surface:
        """These triangles turned over; rows: (T,) bool."""
        order = np.where(rows[:, None], [0, 2, 1], [0, 1, 2])
        triangles = np.take_along_axis(self.triangles, order, axis=1)
        uv = None if self.uv is None else np.take_along_axis(self.uv, order[:, :, None], axis=1)
        return replace(self, triangles=triangles, uv=uv)

    def rebuilt(self, positions: np.ndarray, triangles: np.ndarray, origin: np.ndarray) -> Surface:
        """A surface of other triangles, each lying on one of this one's. origin: (n,) int, see the module's docstring.

        positions: (M, 3) mm, rounded to float32. Triangles with origin -1 get texture coordinate 0, material 0,
        white, no mask and no face set, and are visible; `painting` gives them a colour.
        """
        positions, triangles = np.ascontiguousarray(positions, np.float32), np.ascontiguousarray(triangles, np.int32)
        rows = np.flatnonzero(origin >= 0)
        old = self.triangles[origin[rows]]
        weights = _weights(self.positions[old], positions[triangles[rows]])
        uv = None
        if self.uv is not None:
            uv = np.zeros((len(triangles), 3, 2), np.float32)
            uv[rows] = _mixed(weights, self.uv[origin[rows]][:, None])
        material = np.zeros(len(triangles), np.int16)
        material[rows] = self.material[origin[rows]]
        # A vertex takes its colour, mask and face set from the first of its corners that has an origin.
        vertices, corner = np.unique(triangles[rows], return_index=True)
        weights, old = weights.reshape(-1, 3)[corner], old[corner // 3]
        mask = np.zeros(len(positions), np.float32)
        mask[vertices] = _mixed(weights, self.mask[old][..., None])[..., 0]
        face_sets, hidden = np.zeros(len(positions), np.float32), np.zeros(len(positions), np.float32)
        nearest = old[np.arange(len(old)), weights.argmax(axis=1)]
        face_sets[vertices], hidden[vertices] = self.face_sets[nearest], self.hidden[nearest]
        colors = None
        if self.colors is not None:
            colors = np.ones((len(positions), 3), np.float32)
            colors[vertices] = _mixed(weights, self.colors[old])
        return Surface(positions, triangles, mask, face_sets, hidden, colors, uv, material, list(self.materials))

    def looks(self, rows: np.ndarray) -> np.ndarray:
        """(n, 3, 3) float32 sRGB: what the corners of these triangles look like. A texture wins over vertex colours."""
        material = np.repeat(self.material[rows].astype(np.int64), 3)
        if self.colors is not None and not self.textured:
            return self.colors[self.triangles[rows]]
        uv = np.zeros((len(material), 2), np.float32) if self.uv is None else self.uv[rows].reshape(-1, 2)
        return colors_at(self.materials, material, uv).reshape(-1, 3, 3)


def joined(first: Surface, second: Surface) -> Surface:
    """Both in one, not welded. What only one of them has is filled in: white, no mask, texture coordinate 0.

    A part without an image keeps its look beside one with an image: its colour is its material's.
    """
    offset = len(first.positions)
    colors, uv = None, None
    if first.colors is not None or second.colors is not None:
        colors = np.concatenate(
            [np.ones((len(p.positions), 3), np.float32) if p.colors is None else p.colors for p in (first, second)]
        )
    if first.uv is not None or second.uv is not None:
        uv = np.concatenate(
            [np.zeros((len(p.triangles), 3, 2), np.float32) if p.uv is None else p.uv for p in (first, second)]
        )
    return Surface(
        np.concatenate((first.positions, second.positions)),
        np.concatenate((first.triangles, second.triangles + np.int32(offset))),
        np.concatenate((first.mask, second.mask)),
        np.concatenate((first.face_sets, second.face_sets)),
        np.concatenate((first.hidden, second.hidden)),
        colors,
        uv,
        np.concatenate((first.material, second.material + np.int16(len(first.materials)))),
        [*first.materials, *second.materials],
    )


def _materials_in_use(materials: list[Material], material: np.ndarray) -> tuple[list[Material], np.ndarray]:
    """Without those that no triangle has and without doubles, as operations on operations would collect them."""
    used = np.unique(material)
    place: dict[tuple[object, ...], int] = {}
    kept: list[Material] = []
    renumbered = np.zeros(len(materials), np.int16)
    for index in used:
        entry = materials[index]
        key = (entry.name, entry.base_color, id(entry.texture), entry.wrap)
        if key not in place:
            place[key] = len(kept)
            kept.append(entry)
        renumbered[index] = place[key]
    return (kept, renumbered[material]) if kept else ([Material()], material)


def _mixed(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Weighted sum over three corners: (..., 3) and (..., 3, k) give (..., k) float32, to the bit where one has all."""
    return np.einsum("...k,...kc->...c", weights, values).astype(np.float32)


@kernel
def _weights(old, new):
    """(n, 3, 3) float64: barycentric weights in triangle old[i] of each corner of new[i]; both (n, 3, 3) float32."""
    out = np.zeros((len(old), 3, 3))
    for i in range(len(old)):
        for corner in range(3):
            x, y, z = new[i, corner, 0], new[i, corner, 1], new[i, corner, 2]
            same = -1
            for k in range(3):
                if old[i, k, 0] == x and old[i, k, 1] == y and old[i, k, 2] == z:
                    same = k
            if same >= 0:
                out[i, corner, same] = 1.0
                continue
            v, w, _ = closest_on_triangle(old, i, np.float64(x), np.float64(y), np.float64(z))
            out[i, corner, 0], out[i, corner, 1], out[i, corner, 2] = 1.0 - v - w, v, w
    return out
