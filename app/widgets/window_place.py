"""Where the window and its panels were: kept in the settings, found again at the next start."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

from app.settings import Settings

_FIRST_SIZE = QSize(1440, 900)
_GEOMETRY, _STATE, _STATE_VERSION = "window/geometry", "window/state", 1


def restore(window: QMainWindow, settings: Settings) -> None:
    """Put a window where it was; a new one has a good size that fits the screen."""
    geometry, state = settings.get(_GEOMETRY, ""), settings.get(_STATE, "")
    if not (geometry and window.restoreGeometry(QByteArray.fromBase64(geometry.encode()))):
        screen = QGuiApplication.primaryScreen()
        window.resize(_FIRST_SIZE.boundedTo(screen.availableSize()) if screen else _FIRST_SIZE)
    if state:
        window.restoreState(QByteArray.fromBase64(state.encode()), _STATE_VERSION)


def remember(window: QMainWindow, settings: Settings) -> None:
    """Keep where a window is."""
    settings.set(_GEOMETRY, _text(window.saveGeometry()))
    settings.set(_STATE, _text(window.saveState(_STATE_VERSION)))


def _text(state: QByteArray) -> str:
    return bytes(state.toBase64().data()).decode()
