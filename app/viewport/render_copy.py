"""What the graphics card is given: the mesh's arrays, split along texture seams where there are any.

Without seams positions and normals *are* the mesh's arrays. With seams there is one render vertex per wedge; wedges are
sorted by vertex, so a dirty range of vertices is one range of render vertices. Nothing here knows VTK.

    positions, normals (N, 3) float32   mm; unit
    paint              (N, 4) uint8     sRGB colour (white without colours), mask in the fourth component; the colour
                                        may be tinted by face set, or be the tint alone
    tcoords            (N, 2) float32   origin lower left, or None
    groups                              visible triangles by texture and base colour
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from app.mesh.build import build_mesh
from app.mesh.jit import parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Soup

ARRAYS = ("positions", "normals", "paint")
# Where each attribute of the mesh goes.
_ARRAY_OF = {"positions": "positions", "normals": "normals", "colors": "paint", "face_sets": "paint", "mask": "paint"}
# How face sets show in the colour of the paint: not at all, as a tint over the colours, in place of them.
NO_SETS, SETS_OVER, SETS_ALONE = range(3)
# Neighbouring numbers get hues far from each other; pale, so that form and colour stay to be judged.
_HUE_STEP, _SATURATION = 0.618034, 0.22
_BLOCK = 2048
# More groups of triangles than this without a texture become one group with colours per vertex.
_MOST_PLAIN_GROUPS = 6
# The same beside a texture, whose shading shows no colours per vertex; each group costs 0.2 ms a frame.
_MOST_PLAIN_GROUPS_BESIDE_TEXTURE = 64


@dataclass(frozen=True, eq=False)
class Group:
    """Triangles that look alike.

    triangles: (t, 3) int32 into the render arrays, in the mesh's order.
    chunk_offsets: (C + 1,) int64, where the triangles of each chunk start; empty where nobody asks.
    rows: (t,) int32, which of the mesh's triangles they are; None for all of them.
    """

    material: Material
    triangles: np.ndarray
    chunk_offsets: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    rows: np.ndarray | None = None

    def only(self, visible: np.ndarray) -> Group:
        """The group without the rest of its triangles. visible: (T,) bool, of the mesh's triangles."""
        kept = np.flatnonzero(visible if self.rows is None else visible[self.rows])
        return Group(self.material, self.triangles[kept], np.searchsorted(kept, self.chunk_offsets))


class RenderCopy:
    """Render arrays of one mesh, brought up to date by `update`.

    whole: show hidden parts as well. regrouped: whether the last `update` found other triangles visible.
    """

    def __init__(self, mesh: Mesh, *, whole: bool = False) -> None:
        self.mesh, self._whole = mesh, whole
        self._positions_source, self._colors_source = mesh.positions, mesh.colors
        seams = mesh.uv is not None and len(mesh.uv) != mesh.vertex_count
        self.tcoords = mesh.uv
        # Empty means that render vertex i is mesh vertex i.
        self.source = mesh.uv_vertex if seams and mesh.uv_vertex is not None else np.empty(0, np.int32)
        self.triangles = mesh.corner_uv if seams and mesh.corner_uv is not None else mesh.triangles
        count = len(self.source) if seams else mesh.vertex_count
        self.positions = np.empty((count, 3), np.float32) if seams else mesh.positions
        self.normals = np.empty((count, 3), np.float32) if seams else mesh.normals
        self.paint = np.full((count, 4), 255, np.uint8)
        self._heat: np.ndarray | None = None
        self._sets = NO_SETS
        self._base: np.ndarray | None = None
        self._all_groups, self.has_vertex_colors = self._grouped()
        self.groups, self.regrouped = self._visible_groups(), False
        # Chunks with vertices that the last `update` found changed; (C,) bool.
        self.touched = np.zeros(mesh.chunks.count, bool)
        mesh.take_dirty("hidden")
        mesh.take_dirty("face_sets")
        for name in ("positions", "normals", "colors", "mask"):
            mesh.take_dirty(name)
            self._copy(name, 0, mesh.vertex_count)

    def is_current(self) -> bool:
        """Whether the mesh still has the arrays that were copied: none was exchanged for another."""
        return self.mesh.positions is self._positions_source and self.mesh.colors is self._colors_source

    def update(self) -> dict[str, np.ndarray]:
        """Take over what the mesh says is dirty. Returns, per changed array, (n, 2) int64 render vertex ranges."""
        changed: dict[str, np.ndarray] = {}
        self.touched[:] = False
        self.regrouped = len(self.mesh.take_dirty("hidden")) > 0 and not self._whole
        if self.regrouped:
            self.groups = self._visible_groups()
        for name, array in _ARRAY_OF.items():
            ranges = self.mesh.take_dirty(name)
            unseen = (name == "colors" and self.mesh.colors is None) or (name == "face_sets" and self._sets == NO_SETS)
            if not len(ranges) or unseen:
                continue
            for start, stop in ranges.tolist():
                self.touched[start // self.mesh.chunks.size : -(-stop // self.mesh.chunks.size)] = True
            rows = np.array([self._copy(name, int(start), int(stop)) for start, stop in ranges], np.int64)
            changed[array] = np.concatenate((changed[array], rows)) if array in changed else rows
        return changed

    def show_heat(self, heat: np.ndarray | None) -> None:
        """Paint these, (V, 3) uint8 sRGB, in place of the model's colours; None brings those back."""
        self._heat = heat
        self._copy("colors", 0, self.mesh.vertex_count)

    def show_sets(self, how: int) -> bool:
        """How face sets show: one of NO_SETS, SETS_OVER, SETS_ALONE. Returns whether the paint was written anew."""
        if how == self._sets:
            return False
        self._sets = how
        self._copy("colors", 0, self.mesh.vertex_count)
        return True

    def _copy(self, name: str, start: int, stop: int) -> tuple[int, int]:
        """Copy a range of mesh vertices; returns the range of render vertices."""
        mesh, source = self.mesh, self.source
        if len(source):
            start, stop = (int(i) for i in np.searchsorted(source, (start, stop)))
        if name in ("colors", "face_sets"):
            if self._heat is not None:
                self.paint[start:stop, :3] = self._heat[source[start:stop] if len(source) else slice(start, stop)]
            elif mesh.colors is not None and self._sets != SETS_ALONE:
                _paint_colors(mesh.colors, source, start, stop, self.paint)
            elif self._base is not None and self._sets != SETS_ALONE:
                self.paint[start:stop, :3] = self._base[start:stop]
            else:
                self.paint[start:stop, :3] = 255
            if self._heat is None and self._sets != NO_SETS:
                _tint(mesh.face_sets, source, start, stop, self.paint)
        elif name == "mask":
            _paint_mask(mesh.mask, source, start, stop, self.paint)
        elif len(source):
            _gather(getattr(mesh, name), source, start, stop, getattr(self, name))
        return start, stop

    def _visible_groups(self) -> list[Group]:
        if self._whole or not self.mesh.hidden.any():
            return self._all_groups
        visible = _visible(self.mesh.triangles, self.mesh.hidden)
        return [group.only(visible) for group in self._all_groups]

    def _grouped(self) -> tuple[list[Group], bool]:
        """Groups of triangles, and whether the paint holds colours."""
        mesh = self.mesh
        used = np.unique(mesh.triangle_material) if mesh.triangle_count else np.empty(0, np.int16)
        keys: dict[tuple[object, ...], int] = {}
        members: list[list[int]] = []
        for index in used:
            material = mesh.materials[index]
            key = (id(material.texture), material.base_color, material.wrap)
            if keys.setdefault(key, len(members)) == len(members):
                members.append([])
            members[keys[key]].append(int(index))
        plain = [group for group in members if mesh.materials[group[0]].texture is None]
        colored = mesh.colors is not None
        groups = [group for group in members if group not in plain]
        most = _MOST_PLAIN_GROUPS_BESIDE_TEXTURE if groups else _MOST_PLAIN_GROUPS
        if len(plain) > most and not colored:
            self._base = self._base_colors()
            merged = self._group(Material("merged"), [index for group in plain for index in group])
            return [merged, *(self._group(mesh.materials[group[0]], group) for group in groups)], True
        if len(members) <= 1:
            material = mesh.materials[members[0][0]] if members else Material()
            return [Group(material, self.triangles, mesh.chunks.triangle_offsets)], colored
        return [self._group(mesh.materials[group[0]], group) for group in members], colored

    def _group(self, material: Material, members: list[int]) -> Group:
        rows = np.flatnonzero(np.isin(self.mesh.triangle_material, members)).astype(np.int32)
        offsets = np.searchsorted(rows, self.mesh.chunks.triangle_offsets)
        return Group(material, np.ascontiguousarray(self.triangles[rows]), offsets, rows)

    def _base_colors(self) -> np.ndarray:
        """(N, 3) uint8: the materials' colours on the vertices, for groups that were merged."""
        colors = np.array([material.base_color for material in self.mesh.materials], np.float32)
        of_triangle = np.clip(colors * 255 + 0.5, 0, 255).astype(np.uint8)[self.mesh.triangle_material]
        base = np.full((len(self.paint), 3), 255, np.uint8)
        for corner in range(3):
            base[self.triangles[:, corner]] = of_triangle
        return base


def warm_up() -> None:
    """Compile, or load from the cache on disk, what is first needed in the middle of work: hidden parts, face sets."""
    mesh = build_mesh(Soup(np.eye(3, dtype=np.float32), np.arange(3, dtype=np.int32)[None]))
    mesh.hidden[:] = 1
    RenderCopy(mesh).show_sets(SETS_OVER)


@parallel_kernel
def _visible(triangles, hidden):
    out = np.empty(len(triangles), np.bool_)
    for block in prange((len(triangles) + _BLOCK - 1) // _BLOCK):
        for t in range(block * _BLOCK, min(len(triangles), (block + 1) * _BLOCK)):
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            out[t] = hidden[a] == 0 and hidden[b] == 0 and hidden[c] == 0
    return out


@parallel_kernel
def _gather(values, source, start, stop, out):
    for block in prange((stop - start + _BLOCK - 1) // _BLOCK):
        first = start + block * _BLOCK
        for i in range(first, min(stop, first + _BLOCK)):
            v = source[i]
            for k in range(3):
                out[i, k] = values[v, k]


@parallel_kernel
def _paint_colors(colors, source, start, stop, paint):
    plain = len(source) == 0
    for block in prange((stop - start + _BLOCK - 1) // _BLOCK):
        first = start + block * _BLOCK
        for i in range(first, min(stop, first + _BLOCK)):
            v = i if plain else source[i]
            for k in range(3):
                value = min(max(colors[v, k], np.float32(0)), np.float32(1))
                paint[i, k] = np.uint8(value * np.float32(255) + np.float32(0.5))


@parallel_kernel
def _tint(sets, source, start, stop, paint):
    """Multiply by a pale colour of the set's own: HSV of full value (A. R. Smith 1978). 0 stays as it is."""
    plain = len(source) == 0
    for block in prange((stop - start + _BLOCK - 1) // _BLOCK):
        first = start + block * _BLOCK
        for i in range(first, min(stop, first + _BLOCK)):
            number = sets[i if plain else source[i]]
            if number == 0:
                continue
            hue = 6.0 * ((np.float64(number) * _HUE_STEP) % 1.0)
            for k in range(3):
                place = (5.0 - 2.0 * k + hue) % 6.0
                part = 1.0 - _SATURATION * max(0.0, min(place, 4.0 - place, 1.0))
                paint[i, k] = np.uint8(paint[i, k] * part + 0.5)


@parallel_kernel
def _paint_mask(mask, source, start, stop, paint):
    plain = len(source) == 0
    for block in prange((stop - start + _BLOCK - 1) // _BLOCK):
        first = start + block * _BLOCK
        for i in range(first, min(stop, first + _BLOCK)):
            value = min(max(mask[i if plain else source[i]], np.float32(0)), np.float32(1))
            paint[i, 3] = np.uint8(value * np.float32(255) + np.float32(0.5))
