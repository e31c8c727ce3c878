"""What of the window belongs to the job: camera, shading, the photos in front, the mirror planes.

They go into the document while the window is used, and come back with the figurine when its project is opened. What
does not live here: where the document keeps them (`app.document`), what belongs to the user (`app.settings`).
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer

from app.document import Document
from app.viewport.viewport import Viewport
from app.widgets.brush_hand import BrushHand
from app.widgets.photo_panel import PhotoPanel

# After the last movement of the camera.
_REST_MS = 400


class JobView(QObject):
    """Keeps the document and the window in step; see the module's docstring."""

    def __init__(
        self, document: Document, viewport: Viewport, photos: PhotoPanel, hand: BrushHand, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document, self._viewport, self._photos, self._hand = document, viewport, photos, hand
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self.note)
        for signal in (viewport.camera_changed, viewport.shading_changed, photos.strip.chosen):
            signal.connect(self._rest.start)
        hand.changed.connect(self._note_mirror)
        document.opened.connect(self._show)
        self._show()

    def note(self) -> None:
        """Tell the document how it is looked at now."""
        self._rest.stop()
        if self._document.mesh is not None:
            shown, current = self._photos.in_front()
            self._document.view = {
                "camera": self._viewport.camera_state(),
                "shading": self._viewport.shading,
                "photos": shown,
                "photo": current,
            }

    def _note_mirror(self) -> None:
        self._document.symmetry = self._hand.options.symmetry

    def _show(self) -> None:
        """Look at the figurine as its project says; a file may say anything."""
        self._hand.set_symmetry(self._document.symmetry)
        view = self._document.view
        camera, shading, photos, photo = (view.get(name) for name in ("camera", "shading", "photos", "photo"))
        if isinstance(shading, str) and shading in self._viewport.shadings():
            self._viewport.set_shading(shading)
        if isinstance(camera, dict):
            self._viewport.set_camera_state(_numbers(camera))
        if isinstance(photos, list):
            shown = [photo_id for photo_id in photos if isinstance(photo_id, str)]
            self._photos.put_in_front(shown, photo if isinstance(photo, str) else None)


def _numbers(camera: dict[str, Any]) -> dict[str, Any]:
    """A camera's state without values that are no numbers; they take their defaults."""
    focus = camera.get("focus")
    plain: dict[str, Any] = {name: value for name, value in camera.items() if isinstance(value, int | float)}
    if isinstance(focus, list) and all(isinstance(part, int | float) for part in focus):
        plain["focus"] = focus
    return plain
