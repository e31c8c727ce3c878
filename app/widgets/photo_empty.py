"""What the photo panel shows while there are no photos: what to do, and a button that does it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from app.widgets import theme
from app.widgets.icons import icon

EMPTY_TEXT = "Drop photos here, or press Ctrl-P"
_ICON = QSize(48, 48)


class EmptyPage(QWidget):
    """choose: asks for photo files."""

    def __init__(self, choose: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture, text, button = QLabel(), QLabel(EMPTY_TEXT), QPushButton("Add Photos…")
        text.setProperty("role", "dim")
        text.setWordWrap(True)
        button.setToolTip("Add Photos (Ctrl+P)\nJPEG, PNG, WebP, TIFF, HEIC; pasting with Ctrl+V works too")
        button.clicked.connect(choose)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        column.addStretch(1)
        for label in (self._picture, text):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(label)
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(1)
        theme.events.changed.connect(self._draw)
        self._draw()

    def _draw(self) -> None:
        self._picture.setPixmap(icon("photo").pixmap(_ICON, self.devicePixelRatioF(), QIcon.Mode.Disabled))
