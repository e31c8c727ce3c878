"""Shows a place of the model: the camera flies there, and what was found is tinted until something else is done.

What does not live here: what was found (`preflight`, `intake`), flying and tinting (`app.viewport`).
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.document import Document
from app.viewport.viewport import Viewport
from app.widgets.sculpt_controller import SculptController


class PlaceView(QObject):
    """`changed`: another place is shown, or none any more."""

    changed = Signal()

    def __init__(
        self, document: Document, viewport: Viewport, controller: SculptController, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._viewport = document, viewport
        self.shown = ""  # what was asked for
        controller.stroke_started.connect(self.clear)
        document.mesh_replaced.connect(self.clear)

    def show(self, name: str, point: np.ndarray, radius_mm: float, triangles: np.ndarray | None) -> None:
        """Fly to a point, (3,) mm, and tint (n,) triangles. name: for `shown`."""
        self._viewport.highlight(triangles, np.asarray(point, np.float64))
        self._viewport.fly_to(np.asarray(point, np.float64), radius_mm)
        self.shown = name
        self.changed.emit()

    def clear(self) -> bool:
        """Tint nothing any more. Returns whether anything was."""
        if not self.shown:
            return False
        self.shown = ""
        self._viewport.highlight(None)
        self.changed.emit()
        return True
