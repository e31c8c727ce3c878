"""One USD mesh as a part: points, faces, texture coordinates and colours with USD's ways of spreading values."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.errors import UnreadableFile
from app.formats.assembly import Assembly, Part
from app.formats.images import linear_to_srgb
from app.formats.polygons import triangulate
from app.formats.reading import check_counts, to_float32
from app.formats.usd_materials import Look, Materials

_ADVICE = "The file is damaged; export it again"
_SRGB_SPACES = ("srgb", "sRGB")


class Meshes:
    """Reads meshes. time: the `Usd.TimeCode` at which values are taken."""

    def __init__(self, assembly: Assembly, materials: Materials, time: Any) -> None:
        self._assembly, self._materials, self._time = assembly, materials, time

    def read(self, mesh: Any) -> Part:
        """A `UsdGeom.Mesh` in its own coordinates. Raises UnreadableFile for indices out of range."""
        from pxr import UsdGeom

        where = f"{self._assembly.path}, {mesh.GetPath()}"
        points = self._array(mesh.GetPointsAttr(), np.float32, (0, 3))
        counts = self._array(mesh.GetFaceVertexCountsAttr(), np.int32, (0,))
        corner_vertex = self._array(mesh.GetFaceVertexIndicesAttr(), np.int32, (0,))
        starts = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        if (counts < 0).any() or starts[-1] != len(corner_vertex):
            raise UnreadableFile("has faces that do not fit its list of corners", where, _ADVICE)
        if len(corner_vertex) and not 0 <= corner_vertex.min() <= corner_vertex.max() < len(points):
            raise UnreadableFile("has a face that names a point that does not exist", where, _ADVICE)
        check_counts(self._assembly.path, self._assembly.limits, len(points), int(np.maximum(counts - 2, 0).sum()))
        corners, polygon, notes = triangulate(points, corner_vertex, starts)
        for note in notes:
            self._assembly.note(note)
        holes = self._array(mesh.GetHoleIndicesAttr(), np.int32, (0,))
        if len(holes):
            keep = ~np.isin(polygon, holes)
            corners, polygon = corners[keep], polygon[keep]
        if mesh.GetOrientationAttr().Get(self._time) == UsdGeom.Tokens.leftHanded:
            corners = corners[:, ::-1]
        self._note_subdivision(mesh)
        looks, chosen = self._looks(mesh, len(counts))
        chosen = chosen[polygon]
        reach = _Reach(corner_vertex[corners], corners, polygon)
        uv, corner_uv = self._coordinates(mesh, looks, chosen, reach)
        colors = self._colors(mesh, looks, chosen, reach)
        materials = np.array([look.index for look in looks], np.int16)[chosen]
        return Part(points, reach.vertex, materials, uv, corner_uv, colors)

    def _array(self, attribute: Any, kind: type, empty: tuple[int, ...]) -> np.ndarray:
        value = attribute.Get(self._time)
        return np.empty(empty, kind) if value is None or not len(value) else np.asarray(value, kind)

    def _note_subdivision(self, mesh: Any) -> None:
        scheme = mesh.GetSubdivisionSchemeAttr()
        if scheme.HasAuthoredValue() and scheme.Get() != "none":
            self._assembly.note("The file asks for a smoothed surface; the mesh was read as it is, without smoothing.")

    def _looks(self, mesh: Any, faces: int) -> tuple[list[Look], np.ndarray]:
        """The looks that a mesh uses, and for each of its faces which: the mesh's own or a subset's."""
        from pxr import UsdShade

        binding = UsdShade.MaterialBindingAPI(mesh.GetPrim())
        looks = [self._materials.look(_bound(mesh.GetPrim()))]
        chosen = np.zeros(faces, np.int64)
        for subset in binding.GetMaterialBindSubsets():
            members = self._array(subset.GetIndicesAttr(), np.int32, (0,))
            members = members[(members >= 0) & (members < faces)]
            looks.append(self._materials.look(_bound(subset.GetPrim())))
            chosen[members] = len(looks) - 1
        return looks, chosen

    def _coordinates(
        self, mesh: Any, looks: list[Look], chosen: np.ndarray, reach: _Reach
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """(u, 2) texture coordinates and (t, 3) int32 into them: for each look from the primvar that it names."""
        tables: list[np.ndarray] = []
        corner_uv, length = np.zeros(reach.vertex.shape, np.int32), 0
        for number in np.unique(chosen):
            look, rows = looks[number], chosen == number
            found = self._primvar(mesh, look.uv_name, 2, reach) or self._any_coordinates(mesh, reach)
            if found is None:
                continue
            values, index = found
            if look.uv_matrix is not None:
                values = values @ look.uv_matrix[:, :2].T + look.uv_matrix[:, 2]
            corner_uv[rows] = index[rows] + length
            tables.append(to_float32(values))
            length += len(values)
        return (np.concatenate(tables), corner_uv) if tables else (None, None)

    def _any_coordinates(self, mesh: Any, reach: _Reach) -> tuple[np.ndarray, np.ndarray] | None:
        """The first primvar that is texture coordinates by its type, for materials that name none that exists."""
        from pxr import UsdGeom

        for primvar in UsdGeom.PrimvarsAPI(mesh.GetPrim()).FindPrimvarsWithInheritance():
            if str(primvar.GetTypeName()).startswith("texCoord2"):
                return self._primvar(mesh, primvar.GetPrimvarName(), 2, reach)
        return None

    def _colors(self, mesh: Any, looks: list[Look], chosen: np.ndarray, reach: _Reach) -> np.ndarray | None:
        """(t, 3, 3) float32 sRGB where displayColor shows: on faces without a material or with one that asks for it."""
        shown = np.array([look.colored for look in looks])[chosen]
        found = self._primvar(mesh, "displayColor", 3, reach) if shown.any() else None
        if found is None:
            return None
        values, index = found
        values = np.nan_to_num(to_float32(values), nan=1.0).clip(0.0, 1.0)
        if not str(mesh.GetDisplayColorAttr().GetColorSpace()).startswith(_SRGB_SPACES):
            values = linear_to_srgb(values)
        plain = np.array([self._assembly.materials[look.index].base_color for look in looks], np.float32)
        return np.where(shown[:, None, None], values[index], plain[chosen][:, None])

    def _primvar(self, mesh: Any, name: str, width: int, reach: _Reach) -> tuple[np.ndarray, np.ndarray] | None:
        """(n, width) values of a primvar and (t, 3) indices into them; None where there is none that fits."""
        from pxr import UsdGeom

        primvar = UsdGeom.PrimvarsAPI(mesh.GetPrim()).FindPrimvarWithInheritance(name)
        value = primvar.Get(self._time) if primvar and primvar.HasValue() else None
        try:
            with np.errstate(invalid="ignore"):
                values = np.asarray(value, np.float64)
        except (TypeError, ValueError):
            return None
        if values.ndim == 1 and len(values) == width:
            values = values[None]
        if values.ndim != 2 or values.shape[1] != width or not len(values) or primvar.GetElementSize() != 1:
            return None
        index = reach.index(str(primvar.GetInterpolation()))
        if primvar.IsIndexed():
            entries = np.asarray(primvar.GetIndices(self._time), np.int64)
            index = entries[index] if index.max(initial=0) < len(entries) else np.full_like(index, -1)
        if index.min(initial=0) < 0 or index.max(initial=0) >= len(values):
            self._assembly.note(f"The values of {name[:40]} do not fit the faces and were left out.")
            return None
        return values, index.astype(np.int32)


class _Reach:
    """Which value of a primvar each corner of a triangle takes. vertex, corner: (t, 3), polygon: (t,)."""

    def __init__(self, vertex: np.ndarray, corner: np.ndarray, polygon: np.ndarray) -> None:
        self.vertex, self._corner, self._polygon = vertex, corner, polygon

    def index(self, interpolation: str) -> np.ndarray:
        """(t, 3) int64 for one of USD's interpolations. https://openusd.org/release/api/class_usd_geom_primvar.html"""
        if interpolation in ("vertex", "varying"):
            return self.vertex.astype(np.int64)
        if interpolation == "faceVarying":
            return self._corner.astype(np.int64)
        if interpolation == "uniform":
            return np.repeat(self._polygon.astype(np.int64)[:, None], 3, axis=1)
        return np.zeros(self.vertex.shape, np.int64)


def _bound(prim: Any) -> Any | None:
    """The `UsdShade.Material` of a prim or its ancestors, the one for previews first."""
    from pxr import UsdShade

    material = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial(UsdShade.Tokens.preview)[0]
    return material or None
