"""What is seen while kernels are compiled or loaded: the name, a bar, and what is going on."""

from __future__ import annotations

from types import TracebackType

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from app import __version__
from app.widgets.icons import icon

_WIDTH = 360
_MARGIN = 24
_ICON = 64
_PER_MILLE = 1000


class Splash(QWidget):
    """Shown for as long as the `with` block runs."""

    def __init__(self) -> None:
        super().__init__(None, Qt.WindowType.SplashScreen | Qt.WindowType.FramelessWindowHint)
        picture, title, self._doing, self._bar = QLabel(), QLabel(f"Likeness {__version__}"), QLabel(), QProgressBar()
        picture.setPixmap(icon("app").pixmap(_ICON, _ICON))
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        title.setFont(font)
        self._doing.setProperty("role", "dim")
        self._doing.setText("Starting")
        self._bar.setRange(0, _PER_MILLE)
        self._bar.setTextVisible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        for widget in (picture, title, self._doing, self._bar):
            layout.addWidget(widget)
        self.setFixedWidth(_WIDTH)

    def show_progress(self, fraction: float, doing: str) -> None:
        """fraction: 0 to 1."""
        self._bar.setValue(round(fraction * _PER_MILLE))
        self._doing.setText(doing)

    def __enter__(self) -> Splash:
        self.adjustSize()
        screen = QGuiApplication.primaryScreen()
        if screen is not None:
            self.move(screen.availableGeometry().center() - self.rect().center())
        self.show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self.deleteLater()
