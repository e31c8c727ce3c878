"""The viewport widget: shows a mesh, moves the camera, hands pointer samples to whoever sculpts.

What lives here: the widget's interface and the way of events. What does not: which button does what (`hand`), how
the mesh is drawn (`scene`), when (`canvas`), from where (`camera`), and what lies over the picture (`overlay`).

    pointer event -> hand -> camera gesture                      -> set_camera -> one frame
                          -> pressed, dragged, released, hovered -> (the window sculpts) -> flush -> one frame
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHideEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QResizeEvent,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.mesh.mesh import Mesh
from app.mesh.raycast import cast
from app.viewport import shading as shading_list
from app.viewport.camera import STANDARD_VIEWS, Camera
from app.viewport.canvas import Canvas, prepare_surface_format
from app.viewport.cursor import BrushCursor
from app.viewport.flight import Flight, looking_at
from app.viewport.gizmo import GizmoLook
from app.viewport.hand import Hand
from app.viewport.navigation import wheel_factor
from app.viewport.overlay import Overlay, dot_cursor
from app.viewport.pointer import PointerSample
from app.viewport.scene import MID_GREY, Color, Scene

__all__ = ["Viewport", "prepare_surface_format"]

# The full mesh comes back this long after the camera stopped, where frames are slow.
_REST_MS = 160


class Viewport(QWidget):
    """Signals carry samples of the left button or the pen; camera gestures are handled inside."""

    pressed = Signal(PointerSample)
    dragged = Signal(PointerSample)
    released = Signal(PointerSample)
    hovered = Signal(PointerSample)  # no button, or one that moves the camera
    left = Signal()
    cancelled = Signal()  # the stroke in hand must be rolled back: its mesh is gone
    camera_changed = Signal()
    shading_changed = Signal(str)
    frame_rendered = Signal(float)  # milliseconds

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 120)
        self._camera = Camera()
        self._canvas = Canvas(self, self._prepare, self._finished)
        self._scene = Scene(self._canvas.window, self._canvas.renderer)
        self._overlay = Overlay(self, lambda: self._camera)
        self._overlay.raise_()
        self._dot = dot_cursor(self.devicePixelRatioF())
        self._framed: Camera | None = None  # the camera that `frame_all` chose
        self._hand = Hand(self, self)
        for name in ("pressed", "dragged", "released", "hovered", "cancelled"):
            getattr(self._hand, name).connect(getattr(self, name))
        self._flight = Flight(lambda: self._camera, self.set_camera, self)
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._camera_rests)

    # ---- the mesh --------------------------------------------------------------------------------------------------

    @property
    def mesh(self) -> Mesh | None:
        return None if self._scene.copy is None else self._scene.copy.mesh

    def set_mesh(self, mesh: Mesh | None, *, keep_camera: bool = False) -> None:
        """Show another mesh, or none.

        keep_camera: it is the same model after an operation: camera and shading stay. Otherwise the model is framed,
        and shown as it was delivered: with its texture, its colours, or as clay.
        """
        self._hand.cancel()
        self._canvas.probe()
        self._overlay.set_marker(None)
        self._scene.set_mesh(mesh)
        self.hide_cursor()
        if mesh is not None:
            # Colours moved onto the vertices, or back by undo: the shading goes where the colour went.
            lost = mesh.colors is None and mesh.has_texture if self.shading == "color" else not mesh.has_texture
            colored = self.shading == "color" or self.shading.startswith("texture")
            if not keep_camera or (colored and lost):
                self.set_shading(shading_list.default_shading(mesh))
            else:
                self._scene.set_shading(self.shading)
            if not keep_camera:
                self._camera = self._camera.viewed("front")
                self.frame_all()
        self._canvas.request()

    def flush(self) -> None:
        """Refresh the normals of what moved and show all changes in one frame soon."""
        if self.mesh is not None:
            self.mesh.refresh()
            self._canvas.request()

    # ---- the look --------------------------------------------------------------------------------------------------

    def shadings(self) -> list[str]:
        """Ids for `set_shading`, in menu order: "texture", "color", "clay", "matcap:..." and more."""
        return list(shading_list.shadings())

    def shading_label(self, shading: str) -> str:
        """A shading's name for menus."""
        return shading_list.shadings()[shading].label

    @property
    def shading(self) -> str:
        return self._scene.shading

    def set_shading(self, shading: str) -> None:
        """Choose a shading at once, without rebuilding anything. Raises KeyError for an unknown id."""
        changed = shading != self.shading
        self._scene.set_shading(shading)
        self._canvas.request()
        if changed:
            self.shading_changed.emit(shading)

    def set_heat(self, heat: np.ndarray | None) -> None:
        """What the shading "walls" shows: (V, 3) uint8 sRGB, or None where nothing has been measured."""
        self._scene.set_heat(heat)
        self._canvas.request()

    def highlight(self, triangles: np.ndarray | None, point: np.ndarray | None = None) -> None:
        """Tint triangles of the mesh, (n,) int, and draw a ring around a place, (3,) mm; None for neither."""
        self._scene.highlight(triangles)
        self._overlay.set_marker(point)
        self._canvas.request()

    @property
    def highlighted(self) -> bool:
        """Whether anything is pointed out."""
        return self._scene.highlighted or self._overlay.marker is not None

    def set_wireframe(self, visible: bool) -> None:
        """Edges over the surface."""
        self._scene.set_wireframe(visible, self.devicePixelRatioF())
        self._canvas.probe()
        self._canvas.request()

    def set_flat(self, flat: bool) -> None:
        """Shade each triangle by its own plane instead of smoothly."""
        self._scene.set_flat(flat)
        self._canvas.request()

    def set_mask_visible(self, visible: bool) -> None:
        """Show the mask as a darkening."""
        self._scene.set_mask_visible(visible)
        self._canvas.request()

    def set_face_sets_visible(self, visible: bool) -> None:
        """Show face sets as pale tints."""
        self._scene.set_face_sets_visible(visible)
        self._canvas.request()

    def set_background(self, color: Color = MID_GREY) -> None:
        """color: sRGB 0 to 1; neutral mid grey by default."""
        self._scene.set_background(color)
        self._canvas.request()

    def image(self) -> np.ndarray:
        """Picture of the mesh as shown now. Returns (H, W, 3) uint8 in device pixels, without cursor and scale bar."""
        self._scene.set_draft(False)
        self._scene.whole()
        return self._canvas.image()

    def last_frame(self) -> np.ndarray | None:
        """As `image`, but of the frame that is shown, without drawing the mesh; None while there is none."""
        pixels = self._canvas.last_image() if self.isVisible() else np.empty((0, 0, 3), np.uint8)
        return pixels if pixels.size else None

    # ---- the camera ------------------------------------------------------------------------------------------------

    @property
    def camera(self) -> Camera:
        return self._camera

    def set_camera(self, camera: Camera) -> None:
        """Look from somewhere else."""
        self._camera = camera
        if self._canvas.slow and self.isVisible():
            self._scene.set_draft(True)
            self._rest.start()
        self._overlay.camera_moved()
        self._canvas.request()
        self.camera_changed.emit()

    def camera_state(self) -> dict[str, Any]:
        """JSON-ready; for `set_camera_state`."""
        return self._camera.state()

    def set_camera_state(self, state: dict[str, Any]) -> None:
        """Go back to a `camera_state`; senseless values take their defaults."""
        self.set_camera(Camera.from_state(state))

    @property
    def parallel(self) -> bool:
        return self._camera.parallel

    def set_parallel(self, parallel: bool) -> None:
        """Orthographic projection, or perspective; what lies at the focus keeps its size."""
        self.set_camera(Camera.from_state({**self._camera.state(), "parallel": parallel}))

    def frame_all(self) -> None:
        """All that is visible of the model, as large as fits."""
        if self.mesh is not None:
            self._framed = self._camera.framing(*self.mesh.visible_bounds(), self.picture_size())
            self.set_camera(self._framed)

    def frame_point(self, point: np.ndarray, radius_mm: float) -> None:
        """The surroundings of a point, as large as fits."""
        middle, reach = np.asarray(point, np.float64), np.full(3, radius_mm)
        self.set_camera(self._camera.framing(middle - reach, middle + reach, self.picture_size()))

    def fly_to(self, point: np.ndarray, radius_mm: float) -> None:
        """Bring a place, (3,) mm, into the middle, seen from outside; with what lies within `radius_mm` of it."""
        if self.mesh is not None:
            target = looking_at(self._camera, self.mesh, point, radius_mm, self.picture_size())
            self._flight.to(target, at_once=self._canvas.slow or not self.isVisible())

    @property
    def flying(self) -> bool:
        return self._flight.flying

    def standard_view(self, name: str) -> None:
        """Look from the "front", "back", "left", "right", "top" or "bottom", at the same scale."""
        if name not in STANDARD_VIEWS:
            raise KeyError(name)
        self.set_camera(self._camera.viewed(name))

    def orbit(self, dx: float, dy: float) -> None:
        """Turn as a drag of (dx, dy) logical pixels would, about the middle of the picture."""
        self.set_camera(self._camera.orbited(dx, dy))

    def pan(self, dx: float, dy: float) -> None:
        """Shift the picture by (dx, dy) logical pixels."""
        self.set_camera(self._camera.panned(dx, dy, self.picture_size()))

    def zoom_at(self, x: float, y: float, factor: float) -> None:
        """Magnify by `factor`; what is at pixel (x, y) stays there."""
        self.set_camera(self._camera.zoomed(factor, self.anchor(x, y)))

    # ---- pixels and millimetres ------------------------------------------------------------------------------------

    def ray(self, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
        """Line of sight through a logical pixel: origin (3,) mm before the model, unit direction (3,); float64."""
        if self.mesh is None:
            return self._camera.ray(x, y, self.picture_size())
        return self._camera.ray_before(x, y, self.picture_size(), self.mesh.bounds())

    def project(self, point: np.ndarray) -> tuple[float, float]:
        """Logical pixel of a point, (3,) mm; NaN behind the eye."""
        x, y = self._camera.project(point, self.picture_size())
        return float(x), float(y)

    def mm_per_pixel(self, point: np.ndarray) -> float:
        """Width of one logical pixel at a point, mm."""
        return self._camera.mm_per_pixel(point, self.picture_size())

    def view_direction(self, point: np.ndarray) -> np.ndarray:
        """(3,) float64, unit: from a point toward the viewer."""
        return self._camera.toward_viewer(point)

    def picture_size(self) -> tuple[float, float]:
        """Width and height, logical pixels."""
        return float(self.width()), float(self.height())

    def anchor(self, x: float, y: float, *, middle: bool = False) -> np.ndarray:
        """The surface under a pixel; beside the model, its middle or what lies at the focus's depth. (3,) mm."""
        origin, direction = self.ray(x, y)
        mesh = self.mesh
        hit = cast(mesh, origin, direction) if mesh is not None else None
        if hit is not None:
            return hit.point
        if middle and mesh is not None:
            lower, upper = mesh.visible_bounds()
            return (lower + upper) / 2
        forward = self._camera.axes()[2]
        return origin + direction * ((self._camera.focus - origin) @ forward / (direction @ forward))

    # ---- the brush cursor ------------------------------------------------------------------------------------------

    def show_cursor(
        self,
        point: np.ndarray,
        normal: np.ndarray,
        radius_mm: float,
        hardness: float = 0.0,
        mirrored: list[tuple[np.ndarray, np.ndarray]] | None = None,
        color: Color | None = None,
    ) -> None:
        """Lay the brush's ring on the surface; see `BrushCursor`. Does not draw the mesh anew."""
        self._overlay.set_cursor(BrushCursor(point, normal, radius_mm, hardness, tuple(mirrored or ()), color))
        self.setCursor(self._dot)

    def hide_cursor(self) -> None:
        """Show the ordinary pointer again."""
        self._overlay.set_cursor(None)
        self.unsetCursor()

    def show_source(self, point: np.ndarray | None) -> None:
        """Mark the place, (3,) mm, that a brush takes from, or none; over whatever lies before it."""
        self._overlay.set_source(point)

    def show_gizmo(self, look: GizmoLook | None) -> None:
        """Lay the gizmo over the picture, or take it away. Does not draw the mesh anew."""
        self._overlay.set_gizmo(look)

    # ---- events ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._hand.mouse(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._hand.mouse(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hand.mouse(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._hand.mouse(event)

    def tabletEvent(self, event: QTabletEvent) -> None:
        self._hand.tablet(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        place = event.position()
        factor = wheel_factor(event.angleDelta().y(), event.pixelDelta().y())
        if not self._hand.in_stroke and factor != 1:
            self.zoom_at(place.x(), place.y(), factor)
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            place = event.position()
            self.zoom_at(place.x(), place.y(), max(0.1, 1 + event.value()))
            return True
        if event.type() == QEvent.Type.ContextMenu and self._hand.in_stroke:
            return True  # no menu in mid-stroke
        if event.type() in (QEvent.Type.WindowDeactivate, QEvent.Type.UngrabMouse):
            self._hand.let_go()
        return super().event(event)

    def leaveEvent(self, event: QEvent) -> None:
        if not self._hand.in_stroke:
            self.hide_cursor()
            self.left.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._hand.let_go()
        super().focusOutEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._hand.let_go()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._canvas.widget.setGeometry(self.rect())
        self._overlay.setGeometry(self.rect())
        if self._camera is self._framed:
            self.frame_all()  # nobody has looked closer since
        else:
            self.set_camera(self._camera)

    def close_graphics(self) -> None:
        """Free what OpenGL holds; for the window's end. The viewport is dead afterwards."""
        self._rest.stop()
        self._canvas.close()

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _prepare(self) -> bool:
        return self._scene.prepare(self._camera, part=self._canvas.slow)

    def _finished(self, milliseconds: float) -> None:
        self._scene.finished(part=self._canvas.slow)
        self.frame_rendered.emit(milliseconds)

    def _camera_rests(self) -> None:
        if self._hand.moves_camera:
            self._rest.start()
            return
        self._scene.set_draft(False)
        self._canvas.request()
