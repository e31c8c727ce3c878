"""The VTK side of the picture: actors for a mesh, their textures and shader, the background. No Qt.

One actor per texture or base colour, all over the same point arrays, so that VTK's buffer cache holds each array once.
Used by the viewport, by off-screen pictures and by the benchmarks alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  the factory behind vtkPolyDataMapper and vtkTexture
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkDataArray, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkRenderingCore import vtkActor, vtkLight, vtkPolyDataMapper, vtkRenderer

from app.mesh.mesh import Mesh
from app.viewport.camera import Camera
from app.viewport.render_copy import ARRAYS, Group, RenderCopy
from app.viewport.shading import ALBEDO, MATCAP, SurfaceShader, shadings
from app.viewport.standin import StandIn
from app.viewport.textures import color_texture, matcap_texture, white_texture
from app.viewport.upload import upload_ranges

Color = tuple[float, float, float]
MID_GREY: Color = (0.36, 0.36, 0.36)
_EDGE_OPACITY = 0.6
_DISABLE_SHIFT_SCALE = 0


class Layer:
    """Actors over one set of render arrays (`RenderCopy` or `StandIn`)."""

    def __init__(self, arrays: RenderCopy | StandIn, shader: SurfaceShader, textures: dict[int, Any]) -> None:
        self.arrays = arrays
        self._vtk: dict[str, vtkDataArray] = {name: numpy_to_vtk(getattr(arrays, name), deep=0) for name in ARRAYS}
        for name, array in self._vtk.items():
            array.SetName(name)
        self._points = vtkPoints()
        self._points.SetData(self._vtk["positions"])
        self._tcoords = None if arrays.tcoords is None else numpy_to_vtk(arrays.tcoords, deep=0)
        self._data: list[vtkPolyData] = []
        self.actors = [self._actor(group, shader, textures) for group in arrays.groups if len(group.triangles)]

    def _actor(self, group: Group, shader: SurfaceShader, textures: dict[int, Any]) -> vtkActor:
        cells = vtkCellArray()
        # Three corners each, 32 bit: VTK neither needs offsets nor makes a copy.
        cells.SetData(3, numpy_to_vtk(group.triangles.reshape(-1), deep=0))
        data = vtkPolyData()
        data.SetPoints(self._points)
        data.SetPolys(cells)
        data.GetPointData().SetNormals(self._vtk["normals"])
        data.GetPointData().SetScalars(self._vtk["paint"])
        if self._tcoords is not None:
            data.GetPointData().SetTCoords(self._tcoords)
        self._data.append(data)
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(data)
        mapper.SetVBOShiftScaleMethod(_DISABLE_SHIFT_SCALE)
        mapper.SetColorModeToDirectScalars()
        actor = vtkActor()
        actor.SetMapper(mapper)
        actor.SetShaderProperty(shader.property)
        actor.ForceOpaqueOn()  # the fourth component of the paint is the mask, not an opacity
        actor.UseBoundsOff()  # VTK does not notice that a stroke moved them
        look = actor.GetProperty()
        look.SetColor(*_linear(group.material.base_color))
        look.SetEdgeOpacity(_EDGE_OPACITY)
        texture = group.material.texture
        key = 0 if texture is None or self._tcoords is None else id(texture)
        if texture is not None and key not in textures:
            textures[key] = color_texture(texture, group.material.wrap)
        look.SetTexture(ALBEDO, textures[key])
        look.SetTexture(MATCAP, textures[0])
        return actor

    def upload(self, window: Any, changed: dict[str, np.ndarray]) -> None:
        """Send ranges of the arrays; where a buffer is not there (yet), have VTK rebuild it."""
        for name, ranges in changed.items():
            if not upload_ranges(window, self._vtk[name], getattr(self.arrays, name), ranges):
                self.rebuild(name)

    def rebuild(self, name: str) -> None:
        """Have VTK send a whole array again at the next frame."""
        self._vtk[name].Modified()
        if name == "positions":
            self._points.Modified()
        for data in self._data:
            data.Modified()

    def each_look(self) -> list[Any]:
        return [actor.GetProperty() for actor in self.actors]


class Scene:
    """What a renderer shows. Every method that talks to OpenGL says so."""

    def __init__(self, renderer: vtkRenderer) -> None:
        self.renderer = renderer
        renderer.GetCullers().RemoveAllItems()  # they judge by stale bounds
        renderer.RemoveAllLights()
        renderer.AutomaticLightCreationOff()
        light = vtkLight()  # our shader has its own lamps; without any light VTK leaves out the normals
        light.SetLightTypeToHeadlight()
        renderer.AddLight(light)
        self.set_background(MID_GREY)
        self.copy: RenderCopy | None = None
        self._full: Layer | None = None
        self._standin: Layer | None = None
        self._shader: SurfaceShader | None = None
        self._textures: dict[int, Any] = {}
        self.shading = "clay"
        self._wireframe, self._flat, self._mask_visible, self._draft = False, False, True, False
        self._line_width = 1.0

    def set_mesh(self, mesh: Mesh | None) -> None:
        """Show another mesh in the present shading, or none. Uploaded at the next frame."""
        self._drop(self._full)
        self._drop(self._standin)
        self._full = self._standin = self._shader = self.copy = None
        self._draft = False
        self._textures = {0: white_texture()}
        if mesh is None:
            return
        self.copy = RenderCopy(mesh)
        self._shader = SurfaceShader(self.copy.tcoords is not None, self.copy.has_vertex_colors)
        self._full = Layer(self.copy, self._shader, self._textures)
        self._add(self._full)
        self.set_shading(self.shading)
        self._shader.set_mask_visible(self._mask_visible)
        self._shader.set_flat(self._flat)
        self._shader.set_edges(self._wireframe)

    def update(self, window: Any) -> bool:
        """Take over and upload what changed in the mesh. Its context must be current. True if anything changed."""
        if self.copy is None or self._full is None:
            return False
        if not self.copy.is_current():
            self.set_mesh(self.copy.mesh)
            return True
        changed = self.copy.update()
        self._full.upload(window, changed)
        return bool(changed)

    def set_shading(self, shading_id: str) -> None:
        """Raises KeyError for an unknown shading."""
        shading = shadings()[shading_id]
        self.shading = shading_id
        if self._shader is None:
            return
        self._shader.show(shading)
        texture = self._textures[0] if shading.matcap is None else matcap_texture(shading.matcap)
        for layer in self._layers():
            for look in layer.each_look():
                look.SetTexture(MATCAP, texture)

    def set_wireframe(self, visible: bool, line_width: float = 1.0) -> None:
        """Edges over the surface, `line_width` device pixels wide."""
        self._wireframe, self._line_width = visible, line_width
        if self._shader is not None:
            self._shader.set_edges(visible)
        for layer in self._layers():
            self._set_edges(layer)

    def set_mask_visible(self, visible: bool) -> None:
        self._mask_visible = visible
        if self._shader is not None:
            self._shader.set_mask_visible(visible)

    def set_flat(self, flat: bool) -> None:
        """Shade each triangle by its own plane."""
        self._flat = flat
        if self._shader is not None:
            self._shader.set_flat(flat)

    def set_background(self, color: Color) -> None:
        """color: sRGB 0 to 1."""
        self.renderer.SetBackground(*color)

    def set_draft(self, draft: bool) -> None:
        """Show the stand-in (made on first use) instead of the mesh."""
        if draft == self._draft or self.copy is None or self._full is None or self._shader is None:
            return
        self._draft = draft
        self._shader.set_draft(draft)
        if draft:
            if self._standin is None:
                self._standin = Layer(StandIn(self.copy), self._shader, self._textures)
                self._add(self._standin)
                self.set_shading(self.shading)
            elif isinstance(self._standin.arrays, StandIn):
                self._standin.arrays.gather()
                for name in ARRAYS:
                    self._standin.rebuild(name)
        for layer, visible in ((self._full, not draft), (self._standin, draft)):
            for actor in layer.actors if layer is not None else ():
                actor.SetVisibility(visible)

    @property
    def draft(self) -> bool:
        return self._draft

    def apply_camera(self, camera: Camera) -> None:
        """Set VTK's camera, and the clipping range from the mesh's own bounds."""
        bounds = self.copy.mesh.bounds() if self.copy is not None else (np.full(3, -1.0), np.ones(3))
        near, far = camera.clipping_range(bounds)
        _, up, forward = camera.axes()
        position = camera.position
        if camera.parallel:
            # VTK wants positive distances; in a parallel projection the eye may stand anywhere along its axis.
            step = near - 1.0
            position, near, far = position + step * forward, 1.0, far - step
        view = self.renderer.GetActiveCamera()
        view.SetPosition(*position)
        view.SetFocalPoint(*(position + forward))
        view.SetViewUp(*up)
        view.SetViewAngle(camera.view_angle)
        view.SetParallelProjection(camera.parallel)
        view.SetParallelScale(camera.half_height)
        view.SetClippingRange(near, far)

    def _layers(self) -> list[Layer]:
        return [layer for layer in (self._full, self._standin) if layer is not None]

    def _add(self, layer: Layer) -> None:
        for actor in layer.actors:
            self.renderer.AddActor(actor)
        self._set_edges(layer)

    def _set_edges(self, layer: Layer) -> None:
        for look in layer.each_look():
            look.SetEdgeVisibility(self._wireframe)
            look.SetLineWidth(self._line_width)

    def _drop(self, layer: Layer | None) -> None:
        for actor in layer.actors if layer is not None else ():
            self.renderer.RemoveActor(actor)


def _linear(color: Color) -> np.ndarray:
    """sRGB to linear light, IEC 61966-2-1."""
    c = np.asarray(color, np.float64)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
