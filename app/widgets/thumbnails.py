"""Small pictures of figurines: taken from the viewport when the hand rests, and shown in menus and dialogs.

What does not live here: drawing the model (`app.viewport`), keeping the pictures (`app.project`, `recent`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice, QObject, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPixmap

from app.document import Document
from app.viewport.viewport import Viewport
from app.widgets.icons import icon

SIDE_PX = 256
# After the last stroke; long enough that a stroke is not interrupted.
_REST_MS = 1500
_CORNER = 4.0


def to_png(pixels: np.ndarray) -> bytes:
    """The middle square of a picture, (H, W, 3) uint8 sRGB, as a PNG of at most 256 x 256 pixels."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    # Every second or third pixel is plenty for a picture this small, and a third of the time.
    step = max(1, side // (2 * SIDE_PX))
    square = np.ascontiguousarray(pixels[top : top + side : step, left : left + side : step])
    side = len(square)
    image = QImage(square.data, side, side, 3 * side, QImage.Format.Format_RGB888)
    if side > SIDE_PX:
        smooth = Qt.TransformationMode.SmoothTransformation
        image = image.scaled(SIDE_PX, SIDE_PX, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def from_png(png: bytes | None, side: int, ratio: float) -> QPixmap:
    """A square thumbnail of `side` logical pixels with round corners; a plain figure where there is no picture."""
    pixmap = QPixmap(QSize(side, side) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    image = QImage.fromData(png or b"")
    painter = QPainter(pixmap)
    painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
    if image.isNull():
        icon("model").paint(painter, QRect(side // 4, side // 4, side // 2, side // 2))
    else:
        clip = QPainterPath()
        clip.addRoundedRect(0, 0, side, side, _CORNER, _CORNER)
        painter.setClipPath(clip)
        painter.drawImage(QRect(0, 0, side, side), image)
    painter.end()
    return pixmap


class Thumbnailer(QObject):
    """`taken`: PNG bytes of the model as it is seen, some time after it changed and while no stroke is in hand."""

    taken = Signal(bytes)

    def __init__(self, document: Document, viewport: Viewport, busy: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._viewport, self._busy = document, viewport, busy
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._take_at_rest)
        document.surface_changed.connect(self.take_soon)
        document.mesh_replaced.connect(self.take_soon)
        viewport.shading_changed.connect(self._rest.start)

    def take(self) -> bytes | None:
        """The present picture as a PNG, from the last frame: nothing is drawn for it. None before the first frame."""
        self._rest.stop()
        pixels = None if self._document.mesh is None else self._viewport.last_frame()
        return None if pixels is None else to_png(pixels)

    def take_soon(self) -> None:
        """Take one although nothing changed: for a file that has none yet."""
        self._rest.start()

    def _take_at_rest(self) -> None:
        if self._busy():
            self._rest.start()
        elif png := self.take():
            self.taken.emit(png)
