"""Actors over render arrays: how numpy arrays become something that VTK draws, without a copy.

`Points` are the vertices of a `RenderCopy` or `StandIn`; a `Layer` is a set of triangles over them. Layers that share
points share their buffers on the graphics card.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  the factory behind vtkPolyDataMapper and vtkTexture
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkDataArray, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkTexture

from app.mesh.soup import Material
from app.viewport.render_copy import ARRAYS, Group, RenderCopy
from app.viewport.shading import ALBEDO, MATCAP, SurfaceShader
from app.viewport.standin import StandIn
from app.viewport.textures import color_texture, matcap_texture, white_texture
from app.viewport.upload import upload_ranges

_EDGE_OPACITY = 0.6
DISABLE_SHIFT_SCALE = 0


class Points:
    """Vertices as VTK arrays over the same memory."""

    def __init__(self, arrays: RenderCopy | StandIn) -> None:
        self._arrays = arrays  # numpy_to_vtk does not keep them alive
        self._vtk: dict[str, vtkDataArray] = {name: numpy_to_vtk(getattr(arrays, name), deep=0) for name in ARRAYS}
        for name, array in self._vtk.items():
            array.SetName(name)
        self._points = vtkPoints()
        self._points.SetData(self._vtk["positions"])
        self._tcoords = None if arrays.tcoords is None else numpy_to_vtk(arrays.tcoords, deep=0)
        self._data: list[vtkPolyData] = []

    @property
    def has_tcoords(self) -> bool:
        return self._tcoords is not None

    def poly_data(self) -> vtkPolyData:
        """A data set over these points, still without triangles."""
        data = vtkPolyData()
        data.SetPoints(self._points)
        data.GetPointData().SetNormals(self._vtk["normals"])
        data.GetPointData().SetScalars(self._vtk["paint"])
        if self._tcoords is not None:
            data.GetPointData().SetTCoords(self._tcoords)
        self._data.append(data)
        return data

    def forget(self, data: vtkPolyData) -> None:
        """Look after a data set no longer."""
        self._data.remove(data)

    def upload(self, window: Any, changed: dict[str, np.ndarray]) -> None:
        """Send ranges of the arrays; where a buffer is not there (yet), have VTK rebuild it."""
        for name, ranges in changed.items():
            if not upload_ranges(window, self._vtk[name], getattr(self._arrays, name), ranges):
                self.rebuild(name)

    def rebuild(self, name: str) -> None:
        """Have VTK send a whole array again at the next frame."""
        self._vtk[name].Modified()
        if name == "positions":
            self._points.Modified()
        for data in self._data:
            data.Modified()


class Textures:
    """The textures of one mesh, each made once."""

    def __init__(self) -> None:
        self.white = white_texture()
        self._matcap: tuple[Path, vtkTexture] | None = None
        self._made: dict[tuple[int, str], vtkTexture] = {}

    def matcap(self, path: Path | None) -> vtkTexture:
        """Raises LikenessError where the file is no image."""
        if path is None:
            return self.white
        if self._matcap is None or self._matcap[0] != path:
            self._matcap = (path, matcap_texture(path))
        return self._matcap[1]

    def of(self, material: Material) -> vtkTexture:
        if material.texture is None:
            return self.white
        key = (id(material.texture), material.wrap)
        if key not in self._made:
            self._made[key] = color_texture(material.texture, material.wrap)
        return self._made[key]


class Layer:
    """One actor for each group of triangles."""

    def __init__(self, points: Points, groups: list[Group], shader: SurfaceShader, textures: Textures) -> None:
        self.points, self.groups = points, groups
        self._cells: list[vtkCellArray] = []
        self._triangles: list[np.ndarray] = []  # numpy_to_vtk does not keep them alive
        self.actors = [self._actor(group, shader, textures) for group in groups]

    def set_triangles(self, index: int, triangles: np.ndarray) -> None:
        """Draw other triangles, (t, 3) int32, for a group. Only their indices are sent."""
        self._triangles[index] = triangles
        # Three corners each, 32 bit: VTK neither needs offsets nor makes a copy.
        self._cells[index].SetData(3, numpy_to_vtk(triangles.reshape(-1), deep=0))
        self._cells[index].Modified()

    def set_visible(self, visible: bool) -> None:
        for actor in self.actors:
            actor.SetVisibility(visible)

    def set_matcap(self, texture: vtkTexture) -> None:
        for actor in self.actors:
            actor.GetProperty().RemoveTexture(MATCAP)
            actor.GetProperty().SetTexture(MATCAP, texture)

    def set_edges(self, visible: bool, line_width: float) -> None:
        for actor in self.actors:
            actor.GetProperty().SetEdgeVisibility(visible)
            actor.GetProperty().SetLineWidth(line_width)

    def add_to(self, renderer: vtkRenderer) -> None:
        for actor in self.actors:
            renderer.AddActor(actor)

    def remove_from(self, renderer: vtkRenderer) -> None:
        for actor in self.actors:
            renderer.RemoveActor(actor)

    def _actor(self, group: Group, shader: SurfaceShader, textures: Textures) -> vtkActor:
        data, cells = self.points.poly_data(), vtkCellArray()
        self._cells.append(cells)
        self._triangles.append(group.triangles)
        self.set_triangles(len(self._cells) - 1, group.triangles)
        data.SetPolys(cells)
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(data)
        mapper.SetVBOShiftScaleMethod(DISABLE_SHIFT_SCALE)
        mapper.SetColorModeToDirectScalars()
        actor = vtkActor()
        actor.SetMapper(mapper)
        actor.SetShaderProperty(shader.property)
        actor.ForceOpaqueOn()  # the fourth component of the paint is the mask, not an opacity
        actor.UseBoundsOff()  # VTK does not notice that a stroke moved them
        look = actor.GetProperty()
        look.SetColor(*_linear(group.material.base_color))
        look.SetEdgeOpacity(_EDGE_OPACITY)
        look.SetTexture(ALBEDO, textures.of(group.material) if self.points.has_tcoords else textures.white)
        look.SetTexture(MATCAP, textures.white)
        return actor


def _linear(color: tuple[float, float, float]) -> np.ndarray:
    """sRGB to linear light, IEC 61966-2-1."""
    c = np.asarray(color, np.float64)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
