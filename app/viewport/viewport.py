"""The viewport widget: shows a mesh, moves the camera, hands pointer samples to whoever sculpts."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.mesh.mesh import Mesh
from app.viewport.pointer import PointerSample

Color = tuple[float, float, float]


def prepare_surface_format() -> None:
    """Set the process-wide OpenGL surface format. Call before the QApplication and the first window exist."""


class Viewport(QWidget):
    """Signals carry samples of the left button or the pen; camera gestures are handled inside."""

    pressed = Signal(PointerSample)
    dragged = Signal(PointerSample)
    released = Signal(PointerSample)
    hovered = Signal(PointerSample)
    left = Signal()
    cancelled = Signal()
    camera_changed = Signal()
    frame_rendered = Signal(float)  # milliseconds

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mesh: Mesh | None = None

    def set_mesh(self, mesh: Mesh | None, *, keep_camera: bool = False) -> None:
        """Show another mesh, or none."""
        raise NotImplementedError

    def flush(self) -> None:
        """Refresh normals, upload what changed, and draw one frame soon."""
        raise NotImplementedError

    def shadings(self) -> list[str]:
        """Ids for `set_shading`: "texture", "texture:unlit", "color", "clay", "matcap:<name>" ..."""
        raise NotImplementedError

    def shading_label(self, shading: str) -> str:
        """A shading's name for menus."""
        raise NotImplementedError

    @property
    def shading(self) -> str:
        raise NotImplementedError

    def set_shading(self, shading: str) -> None: ...

    def set_wireframe(self, visible: bool) -> None: ...

    def set_flat(self, flat: bool) -> None: ...

    def set_mask_visible(self, visible: bool) -> None: ...

    def set_background(self, color: Color) -> None: ...

    def frame_all(self) -> None: ...

    def frame_point(self, point: np.ndarray, radius_mm: float) -> None: ...

    def standard_view(self, name: str) -> None:
        """name: "front", "back", "left", "right", "top" or "bottom"."""

    @property
    def parallel(self) -> bool:
        raise NotImplementedError

    def set_parallel(self, parallel: bool) -> None: ...

    def camera_state(self) -> dict[str, Any]:
        """JSON-ready; for `set_camera_state`."""
        raise NotImplementedError

    def set_camera_state(self, state: dict[str, Any]) -> None: ...

    def orbit(self, dx: float, dy: float) -> None: ...

    def pan(self, dx: float, dy: float) -> None: ...

    def zoom_at(self, x: float, y: float, factor: float) -> None: ...

    def ray(self, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError

    def project(self, point: np.ndarray) -> tuple[float, float]:
        raise NotImplementedError

    def mm_per_pixel(self, point: np.ndarray) -> float:
        raise NotImplementedError

    def view_direction(self, point: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def show_cursor(
        self,
        point: np.ndarray,
        normal: np.ndarray,
        radius_mm: float,
        hardness: float = 0.0,
        mirrored: list[tuple[np.ndarray, np.ndarray]] | None = None,
        color: Color | None = None,
    ) -> None: ...

    def hide_cursor(self) -> None: ...

    def image(self) -> np.ndarray:
        """(H, W, 3) uint8."""
        raise NotImplementedError
