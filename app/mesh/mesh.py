"""The sculptable mesh: a structure of arrays, millimetres, Z up.

What lives here: the arrays, what changed since the last frame, and how arrays are replaced. What does not: how a mesh
is built from a file (`build`), adjacency (`topology`), spatial lookup (`chunks`, `raycast`), shading (`normals`).

    positions          (V, 3) float32   mm
    triangles          (T, 3) int32     counter-clockwise seen from outside; sorted by their smallest vertex
    normals            (V, 3) float32   unit; derived
    colors             (V, 3) float32   sRGB 0 to 1 (float, so that a soft paint stroke does not round away), or None
    original_colors    (V, 3) float32   what `colors` were when the vertices first had any; never written; None without
    mask               (V,)   float32   1 protects
    face_sets          (V,)   float32   whole numbers that name sets, 0 for none (float, as all that strokes write)
    hidden             (V,)   float32   1 where neither drawn nor sculpted; a triangle hides with any of its corners
    uv                 (U, 2) float32   origin lower left, or None. One entry per *wedge*: a vertex with one texture
                                        coordinate. Entries are sorted by vertex, so a chunk's wedges are one range.
    uv_vertex          (U,)   int32     the vertex a wedge belongs to
    corner_uv          (T, 3) int32     into uv; also the triangles of the render copy
    triangle_material  (T,)   int16     into materials
    file_vertex        (V,)   int32     position in the file's vertex order after welding (a permutation)
    file_triangle      (T,)   int32     position in the file's triangle order (a permutation)

Topology changes make a new Mesh; arrays are never resized in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from app.mesh.chunks import Chunks
from app.mesh.jit import kernel
from app.mesh.normals import refresh_normals, vertex_normals
from app.mesh.soup import Material
from app.mesh.topology import Topology

# What a brush or an undo step can change without changing topology.
ATTRIBUTES = ("positions", "colors", "mask", "face_sets", "hidden")


class Mesh:
    """See the module's docstring for the arrays. Made by `app.mesh.build.build_mesh`."""

    def __init__(
        self,
        positions: np.ndarray,
        triangles: np.ndarray,
        *,
        colors: np.ndarray | None = None,
        original_colors: np.ndarray | None = None,
        mask: np.ndarray | None = None,
        face_sets: np.ndarray | None = None,
        hidden: np.ndarray | None = None,
        uv: np.ndarray | None = None,
        uv_vertex: np.ndarray | None = None,
        corner_uv: np.ndarray | None = None,
        triangle_material: np.ndarray | None = None,
        materials: list[Material] | None = None,
        file_vertex: np.ndarray | None = None,
        file_triangle: np.ndarray | None = None,
        topology: Topology | None = None,
        chunks: Chunks | None = None,
        normals: np.ndarray | None = None,
    ) -> None:
        vertex_count, triangle_count = len(positions), len(triangles)
        self.positions = positions
        self.triangles = triangles
        self.colors = colors
        self.original_colors = colors.copy() if original_colors is None and colors is not None else original_colors
        self.mask = np.zeros(vertex_count, np.float32) if mask is None else mask
        self.face_sets = np.zeros(vertex_count, np.float32) if face_sets is None else face_sets
        self.hidden = np.zeros(vertex_count, np.float32) if hidden is None else hidden
        self.uv, self.uv_vertex, self.corner_uv = uv, uv_vertex, corner_uv
        self.triangle_material = np.zeros(triangle_count, np.int16) if triangle_material is None else triangle_material
        self.materials = materials or [Material()]
        self.file_vertex = np.arange(vertex_count, dtype=np.int32) if file_vertex is None else file_vertex
        self.file_triangle = np.arange(triangle_count, dtype=np.int32) if file_triangle is None else file_triangle
        self.topology = topology or Topology.of(triangles, vertex_count)
        self.chunks = chunks or Chunks.of(positions, triangles)
        self.normals = vertex_normals(positions, triangles, self.topology) if normals is None else normals
        # 1 where a position changed since the last refresh; the one ring around it gets new normals.
        self.moved = np.zeros(vertex_count, np.uint8)
        self.dirty = {name: np.zeros(self.chunks.count, np.uint8) for name in (*ATTRIBUTES, "normals")}
        # The same for the working copy, which takes them when a step is finished and not once per frame.
        self.unsaved = {name: np.zeros(self.chunks.count, np.uint8) for name in ATTRIBUTES}
        # Buffers that others keep with the mesh, by name, so that they live as long as it does.
        self.scratch: dict[str, Any] = {}

    @property
    def vertex_count(self) -> int:
        return len(self.positions)

    @property
    def triangle_count(self) -> int:
        return len(self.triangles)

    @property
    def has_texture(self) -> bool:
        return self.uv is not None and any(material.texture is not None for material in self.materials)

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of the bounding box, two (3,) float64 arrays in mm; zeros for a mesh without vertices."""
        if not len(self.positions):
            return np.zeros(3), np.zeros(3)
        return self.chunks.lower.min(axis=0).astype(float), self.chunks.upper.max(axis=0).astype(float)

    def visible_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """As `bounds`, around what is not hidden; around everything where all of it is."""
        visible = self.positions[self.hidden == 0] if self.hidden.any() else self.positions[:0]
        if not len(visible):
            return self.bounds()
        return visible.min(axis=0).astype(float), visible.max(axis=0).astype(float)

    def size(self) -> np.ndarray:
        """(3,) float64, mm: extent along x, y and z."""
        lower, upper = self.bounds()
        return upper - lower

    def snapshot(self) -> Mesh:
        """A mesh with copies of all that strokes write; for work that goes on while the hand does."""
        return Mesh(
            self.positions.copy(),
            self.triangles,
            colors=None if self.colors is None else self.colors.copy(),
            original_colors=self.original_colors,
            mask=self.mask.copy(),
            face_sets=self.face_sets.copy(),
            hidden=self.hidden.copy(),
            uv=self.uv,
            uv_vertex=self.uv_vertex,
            corner_uv=self.corner_uv,
            triangle_material=self.triangle_material,
            materials=list(self.materials),
            file_vertex=self.file_vertex,
            file_triangle=self.file_triangle,
            topology=self.topology,
            normals=self.normals.copy(),
        )

    def attribute(self, name: str) -> np.ndarray:
        """The array behind a name of ATTRIBUTES."""
        array = getattr(self, name) if name in ATTRIBUTES else None
        if array is None:
            raise KeyError(name)
        return array

    def touched(self, name: str, vertices: np.ndarray) -> None:
        """Say that these vertices of an attribute were written. `vertices`: (k,) int32, ascending.

        Positions also update the chunk boxes; normals follow in `refresh`.
        """
        if not len(vertices):
            return
        chunks = self.chunks.of_vertices(vertices)
        self.dirty[name][chunks] = 1
        self.unsaved[name][chunks] = 1
        if name == "positions":
            _mark(vertices, self.moved)
            self.chunks.refresh(self.positions, chunks)

    def touched_all(self, name: str) -> None:
        """Say that a whole attribute was written."""
        self.dirty[name][:] = 1
        self.unsaved[name][:] = 1
        if name == "positions":
            self.moved[:] = 1
            self.chunks.refresh(self.positions, np.arange(self.chunks.count))

    def refresh(self) -> None:
        """Bring normals up to date over all that moved and its one ring. Once per frame, not per dab."""
        refresh_normals(self)

    def take_dirty(self, name: str) -> np.ndarray:
        """Vertex ranges of an attribute (or "normals") changed since the last call. (n, 2) int64: start, stop."""
        flags = self.dirty[name]
        chunks = np.flatnonzero(flags)
        if not len(chunks):
            return np.empty((0, 2), np.int64)
        flags[chunks] = 0
        breaks = np.flatnonzero(np.diff(chunks) > 1)
        first = chunks[np.concatenate(([0], breaks + 1))]
        last = chunks[np.concatenate((breaks, [len(chunks) - 1]))]
        offsets = self.chunks.vertex_offsets
        return np.stack((offsets[first], offsets[last + 1]), axis=1).astype(np.int64)

    def take_unsaved(self, name: str) -> np.ndarray:
        """Chunks of an attribute written since the last call. (n,) int64, ascending."""
        flags = self.unsaved[name]
        chunks = np.flatnonzero(flags)
        flags[chunks] = 0
        return chunks


@kernel
def _mark(vertices, flags):
    # Twice as fast as flags[vertices] = 1, which converts the indices first.
    for i in range(len(vertices)):
        flags[vertices[i]] = 1
