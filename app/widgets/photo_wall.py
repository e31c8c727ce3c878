"""One to four photos beside each other, each with its own zoom. Decides only how they share the room."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.photos.photo import Photo
from app.widgets.photo_view import PhotoCanvas

MOST = 4
_GAP = 2


class PhotoWall(QWidget):
    """The canvases are made once; those without a photo are hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvases = [PhotoCanvas(self) for _ in range(MOST)]
        self._shown = 1
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        self._reflow()

    def show_photos(self, photos: list[Photo], active: Photo | None) -> None:
        """Show up to MOST photos; with several, the active one is outlined."""
        for index, canvas in enumerate(self.canvases):
            photo = photos[index] if index < len(photos) else None
            if canvas.photo is not photo:
                canvas.set_photo(photo)
            canvas.set_outlined(len(photos) > 1 and photo is not None and photo is active)
        if max(len(photos), 1) != self._shown:
            self._shown = max(len(photos), 1)
            self._reflow()

    def canvas_of(self, photo: Photo | None) -> PhotoCanvas | None:
        """Where a photo is shown."""
        return next((canvas for canvas in self.canvases if photo is not None and canvas.photo is photo), None)

    def refresh(self, photo: Photo) -> None:
        """Draw a photo again whose pixels have arrived."""
        canvas = self.canvas_of(photo)
        if canvas is not None:
            canvas.set_photo(photo)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._reflow()

    def _reflow(self) -> None:
        """Two photos share the longer side; three and four make a square, the third of three as wide as it."""
        across = self.width() >= self.height()
        for index, canvas in enumerate(self.canvases):
            canvas.setVisible(index < self._shown)
            if self._shown <= 2:
                row, column = (0, index) if across else (index, 0)
            else:
                row, column = divmod(index, 2)
            span = 2 if self._shown == 3 and index == 2 else 1
            self._grid.addWidget(canvas, row, column, 1, span)
        for line in range(MOST):
            rows, columns = (1, 2) if across else (2, 1)
            if self._shown != 2:
                rows = columns = 1 if self._shown == 1 else 2
            self._grid.setRowStretch(line, 1 if line < rows else 0)
            self._grid.setColumnStretch(line, 1 if line < columns else 0)
