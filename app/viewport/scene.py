"""What is in the picture: the mesh as layers of actors, its look, the background, and which part is drawn. No Qt.

Used by the viewport, by off-screen pictures and by the benchmarks alike. A frame is

    prepare (take over and upload what changed, set the camera, choose what to draw) -> VTK renders -> finished
"""

from __future__ import annotations

from typing import Any

import numpy as np
from vtkmodules.vtkRenderingCore import vtkLight, vtkRenderer

from app.mesh.mesh import Mesh
from app.viewport.camera import Camera
from app.viewport.highlight import Highlight
from app.viewport.layer import Layer, Points, Textures
from app.viewport.patch import Patch, PatchArea, show_chunks
from app.viewport.render_copy import ARRAYS, NO_SETS, SETS_ALONE, SETS_OVER, Group, RenderCopy
from app.viewport.shading import WALLS, SurfaceShader, shadings
from app.viewport.standin import StandIn
from app.viewport.textures import matcap_pixels

Color = tuple[float, float, float]
MID_GREY: Color = (0.36, 0.36, 0.36)
_UNMEASURED = 150  # grey of a wall whose thickness nobody knows


class Scene:
    """One mesh in one VTK window. whole: draw hidden parts as well."""

    def __init__(self, window: Any, renderer: vtkRenderer, *, whole: bool = False) -> None:
        self._window, self._renderer, self._whole = window, renderer, whole
        self._patch = Patch(vtkRenderer())
        window.AddRenderer(self._patch.renderer)
        for each in (renderer, self._patch.renderer):
            each.GetCullers().RemoveAllItems()  # they judge by stale bounds
            each.RemoveAllLights()
            each.AutomaticLightCreationOff()
            light = vtkLight()  # our shader has its own lamps; without any light VTK leaves out the normals
            light.SetLightTypeToHeadlight()
            each.AddLight(light)
        self._area = PatchArea()
        self._seen: tuple[Camera, tuple[int, int]] | None = None  # camera and size of the last frame
        self.copy: RenderCopy | None = None
        self._shader: SurfaceShader | None = None
        self._textures: Textures | None = None
        self._full: Layer | None = None
        self._part: Layer | None = None
        self._standin: StandIn | None = None
        self._light: Layer | None = None
        self._highlight: Highlight | None = None
        self._heat: np.ndarray | None = None
        self.shading = "clay"
        self._wireframe, self._line_width = False, 1.0
        self._flat, self._mask_visible, self._draft = False, True, False
        self._sets_visible = not whole
        self.set_background(MID_GREY)

    # ---- what is shown ---------------------------------------------------------------------------------------------

    def set_mesh(self, mesh: Mesh | None) -> None:
        """Show another mesh in the present look, or none. Sent at the next frame."""
        for layer, renderer in self._layers():
            layer.remove_from(renderer)
        self.highlight(None)
        if self.copy is None or mesh is not self.copy.mesh:
            self._heat = None
        self.copy = self._shader = self._textures = self._full = self._part = self._standin = self._light = None
        self._draft = False
        self._area.forget()
        if mesh is None:
            return
        self.copy = RenderCopy(mesh, whole=self._whole)
        points = Points(self.copy)
        self._shader = SurfaceShader(points.has_tcoords, self.copy.has_vertex_colors)
        self._shader.set_mask_visible(self._mask_visible)
        self._shader.set_flat(self._flat)
        self._shader.set_edges(self._wireframe)
        self._textures = Textures()
        self._full = self._layer(points, self.copy.groups, self._renderer)
        self._part = self._layer(
            points, [Group(g.material, g.triangles[:0]) for g in self.copy.groups], self._patch.renderer
        )
        if self.shading == WALLS:
            self._repaint()
        self._show_sets()

    def set_shading(self, shading_id: str) -> None:
        """Raises KeyError for an unknown shading, LikenessError where a matcap's image cannot be read."""
        shading = shadings()[shading_id]
        if shading.matcap is not None:
            matcap_pixels(shading.matcap)  # raises before anything has changed
        changes_paint = (self.shading == WALLS) != (shading_id == WALLS)
        self.shading = shading_id
        self._area.forget()
        if changes_paint:
            self._repaint()
        self._show_sets()
        if self._shader is not None and self._textures is not None:
            self._shader.show(shading)
            for layer, _ in self._layers():
                layer.set_matcap(self._textures.matcap(shading.matcap))

    def set_heat(self, heat: np.ndarray | None) -> None:
        """What the shading "walls" shows: (V, 3) uint8 sRGB for the mesh in sight, or None where it is not known."""
        self._heat = heat
        if self.shading == WALLS:
            self._repaint()

    def highlight(self, triangles: np.ndarray | None) -> None:
        """Tint these triangles of the mesh, (n,) int, wherever they are; None or none of them for nothing."""
        if self._highlight is not None:
            self._window.RemoveRenderer(self._highlight.renderer)
            self._highlight.close()
            self._highlight = None
        if self.copy is not None and self._full is not None and triangles is not None and len(triangles):
            self._highlight = Highlight(self._full.points, self.copy.triangles[triangles], self._renderer)
            self._window.SetNumberOfLayers(2)
            self._window.AddRenderer(self._highlight.renderer)
        self._area.forget()

    @property
    def highlighted(self) -> bool:
        return self._highlight is not None

    def set_wireframe(self, visible: bool, line_width: float = 1.0) -> None:
        """Edges over the surface, `line_width` device pixels wide."""
        self._wireframe, self._line_width = visible, line_width
        self._area.forget()
        if self._shader is not None:
            self._shader.set_edges(visible)
        for layer, _ in self._layers():
            layer.set_edges(visible, line_width)

    def set_mask_visible(self, visible: bool) -> None:
        self._mask_visible = visible
        self._area.forget()
        if self._shader is not None:
            self._shader.set_mask_visible(visible)

    def set_face_sets_visible(self, visible: bool) -> None:
        """Tint each face set in a pale colour of its own."""
        self._sets_visible = visible
        self._show_sets()

    def set_flat(self, flat: bool) -> None:
        """Shade each triangle by its own plane."""
        self._flat = flat
        self._area.forget()
        if self._shader is not None:
            self._shader.set_flat(flat)

    def set_background(self, color: Color) -> None:
        """color: sRGB 0 to 1."""
        self._area.forget()
        self._renderer.SetBackground(*color)

    @property
    def draft(self) -> bool:
        """Whether the stand-in is shown instead of the mesh."""
        return self._draft

    def set_draft(self, draft: bool) -> None:
        """Show the stand-in (made on first use), or the mesh."""
        if draft == self._draft or self.copy is None or self._full is None or self._shader is None:
            return
        self._draft = draft
        self._area.forget()
        if draft:
            self._renew_standin(self.copy)
        self._shader.set_draft(draft)
        self._full.set_visible(not draft)
        if self._light is not None:
            self._light.set_visible(draft)

    def groups(self) -> list[Group]:
        """The groups of triangles that are drawn."""
        return [] if self.copy is None else self.copy.groups

    def draw_only(self, groups: list[Group]) -> None:
        """Draw these triangles in place of each group's own."""
        if self._full is not None:
            for index, group in enumerate(groups):
                self._full.set_triangles(index, group.triangles)

    def rebuild(self, *names: str) -> None:
        """Have VTK send arrays (all by default) again at the next frame."""
        if self._full is not None:
            for name in names or ARRAYS:
                self._full.points.rebuild(name)

    # ---- a frame ---------------------------------------------------------------------------------------------------

    def prepare(self, camera: Camera, *, part: bool = False) -> bool:
        """Take over and upload what changed and choose what to draw. The window's context must be current.

        part: draw only the part of the picture that changed, where that gives the same picture.
        Returns whether the whole mesh will be drawn.
        """
        self.upload()
        size = tuple(self._window.GetSize())
        if self._seen is None or self._seen[0] is not camera or self._seen[1] != size:
            self._area.forget()
        self._seen = (camera, size)
        self._apply(camera)
        copy, layer = self.copy, self._part
        if part and copy is not None and layer is not None and not self._draft and self._highlight is None:
            found = self._area.changed(copy.mesh, copy.touched, camera, size)
            if found is not None:
                area, chunks = found
                show_chunks(layer, copy.groups, chunks)
                self._patch.begin(self._renderer, size, area)
                return False
        self._patch.end(self._renderer)
        return not self._draft

    def finished(self, *, part: bool) -> None:
        """The frame has been drawn. part: the next one may be a part of this one."""
        if part and self.copy is not None and not self._draft:
            self._area.drawn(self.copy.mesh)
        else:
            self._area.forget()

    def whole(self) -> None:
        """The next frame must be drawn as a whole."""
        self._area.forget()

    def upload(self) -> None:
        """Take over and upload what changed. The window's context must be current."""
        if self.copy is None or self._full is None:
            return
        if not self.copy.is_current():
            self.set_mesh(self.copy.mesh)
            self.set_shading(self.shading)
        else:
            self._full.points.upload(self._window, self.copy.update())
            if self.copy.regrouped:
                self._show_visible(self.copy)

    def _apply(self, camera: Camera) -> None:
        """Set VTK's camera, and the clipping range from the mesh's own bounds."""
        bounds = self.copy.mesh.bounds() if self.copy is not None else (np.full(3, -1.0), np.ones(3))
        near, far = camera.clipping_range(bounds)
        _, up, forward = camera.axes()
        position = camera.position
        if camera.parallel:
            # VTK wants positive distances; in a parallel projection the eye may stand anywhere along its axis.
            step = near - 1.0
            position, near, far = position + step * forward, 1.0, far - step
        view = self._renderer.GetActiveCamera()
        view.SetPosition(*position)
        view.SetFocalPoint(*(position + forward))
        view.SetViewUp(*up)
        view.SetViewAngle(camera.view_angle)
        view.SetParallelProjection(camera.parallel)
        view.SetParallelScale(camera.half_height)
        view.SetClippingRange(near, far)

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _layers(self) -> list[tuple[Layer, vtkRenderer]]:
        found = ((self._full, self._renderer), (self._light, self._renderer), (self._part, self._patch.renderer))
        return [(layer, renderer) for layer, renderer in found if layer is not None]

    def _layer(self, points: Points, groups: list[Group], renderer: vtkRenderer) -> Layer:
        """A new layer in the present look."""
        assert self._shader is not None
        assert self._textures is not None
        layer = Layer(points, groups, self._shader, self._textures)
        layer.set_edges(self._wireframe, self._line_width)
        layer.add_to(renderer)
        return layer

    def _show_sets(self) -> None:
        """Bring the paint in line with how face sets show in this shading."""
        if self.copy is None or self._shader is None:
            return
        how = NO_SETS
        if self._sets_visible and self.shading != WALLS:
            how = SETS_OVER if self._shader.shows_paint(shadings()[self.shading]) else SETS_ALONE
        self._shader.set_tinted(how == SETS_ALONE)
        self._area.forget()
        if self.copy.show_sets(how):
            self._send_paint(self.copy)

    def _send_paint(self, copy: RenderCopy) -> None:
        self.rebuild("paint")
        if self._draft:
            self._renew_standin(copy)

    def _show_visible(self, copy: RenderCopy) -> None:
        """Other triangles are visible: draw those. The stand-in is made anew when it is wanted."""
        self.draw_only(copy.groups)
        self._area.forget()
        if self._light is not None:
            self._light.remove_from(self._renderer)
        self._light = self._standin = None
        if self._draft:
            self._renew_standin(copy)

    def _repaint(self) -> None:
        """Bring the paint in line with the shading: the model's colours, or the heat map."""
        if self.copy is None:
            return
        heat = self._heat
        if heat is None or len(heat) != self.copy.mesh.vertex_count:
            heat = np.full((self.copy.mesh.vertex_count, 3), _UNMEASURED, np.uint8)
        self.copy.show_heat(heat if self.shading == WALLS else None)
        self._area.forget()
        self._send_paint(self.copy)

    def _renew_standin(self, copy: RenderCopy) -> None:
        if self._standin is not None and self._light is not None:
            self._standin.gather()
            for name in ARRAYS:
                self._light.points.rebuild(name)
        else:
            self._standin = StandIn(copy)
            self._light = self._layer(Points(self._standin), self._standin.groups, self._renderer)
            self.set_shading(self.shading)
