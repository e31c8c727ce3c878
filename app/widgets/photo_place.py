"""Where the photos are: left or right of the viewport, hidden, or in a window of their own on a second screen.

What does not live here: the photos themselves (`photo_panel`).
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from app.settings import Settings

_LEFT, _DETACHED, _SHOWN = "photo/left", "photo/detached", "photo/shown"
_GEOMETRY, _SPLIT = "photo/window", "photo/split"
# First start, logical pixels; when the window grows, the viewport gets the room.
_PHOTO_WIDTH = 300
_VIEW_WIDTH = 700


class PhotoPlace(QObject):
    """Moves the photo panel about; `changed` after each move."""

    changed = Signal()

    def __init__(self, splitter: QSplitter, viewport: QWidget, panel: QWidget, settings: Settings) -> None:
        super().__init__(splitter)
        self._splitter, self._viewport, self._panel, self._settings = splitter, viewport, panel, settings
        self._window: _PhotoWindow | None = None
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(viewport)
        splitter.addWidget(panel)
        self._arrange()
        splitter.resize(_PHOTO_WIDTH + _VIEW_WIDTH, _PHOTO_WIDTH)
        splitter.setSizes([_PHOTO_WIDTH, _VIEW_WIDTH] if self.on_left else [_VIEW_WIDTH, _PHOTO_WIDTH])
        stored = settings.get(_SPLIT, "")
        if stored:
            splitter.restoreState(QByteArray.fromBase64(stored.encode()))
        panel.setVisible(settings.get(_SHOWN, True))

    @property
    def on_left(self) -> bool:
        return self._settings.get(_LEFT, False)

    @property
    def detached(self) -> bool:
        return self._window is not None

    @property
    def shown(self) -> bool:
        return not self._panel.isHidden() if self._window is None else self._window.isVisible()

    @property
    def window(self) -> QWidget | None:
        """The photos' own window, while they have one."""
        return self._window

    def restore_window(self) -> None:
        """Detach again if the photos were detached when the program ended; for after the main window is shown."""
        if self._settings.get(_DETACHED, False):
            self.set_detached(True)

    def set_shown(self, on: bool) -> None:
        """Show or hide the photos, wherever they are."""
        (self._panel if self._window is None else self._window).setVisible(on)
        self._settings.set(_SHOWN, on)
        self.changed.emit()

    def set_on_left(self, on: bool) -> None:
        """Put the photos on the other side of the viewport, keeping their width."""
        if on == self.on_left:
            return
        sizes = self._splitter.sizes()
        self._settings.set(_LEFT, on)
        self._arrange()
        if len(sizes) == self._splitter.count():
            self._splitter.setSizes(sizes[::-1])
        self.changed.emit()

    def set_detached(self, on: bool) -> None:
        """Give the photos a window of their own, or take them back beside the viewport."""
        if on == self.detached:
            return
        if on:
            self._window = _PhotoWindow(self._panel, self._splitter.window())
            self._window.closed.connect(lambda: self.set_detached(False))
            stored = self._settings.get(_GEOMETRY, "")
            if stored:
                self._window.restoreGeometry(QByteArray.fromBase64(stored.encode()))
            self._panel.show()
            self._window.show()
        else:
            self._keep_window_place()
            window, self._window = self._window, None
            self._splitter.insertWidget(0 if self.on_left else 1, self._panel)
            self._arrange()
            self._panel.show()
            if window is not None:
                window.hide()
                window.deleteLater()
        self._settings.set(_SHOWN, True)
        self._settings.set(_DETACHED, on)
        self.changed.emit()

    def hide_with_panels(self, hide: bool) -> None:
        """Hide beside the viewport while all panels are hidden; the remembered choice stays."""
        if self._window is None:
            self._panel.setVisible(not hide and self._settings.get(_SHOWN, True))
            self.changed.emit()

    def remember(self) -> None:
        """Keep the places for the next start."""
        self._settings.set(_SPLIT, _text(self._splitter.saveState()))
        self._keep_window_place()

    def close(self) -> None:
        """Close the photos' own window at the end of the program, without calling it a choice."""
        if self._window is not None:
            self._window.closing_with_program = True
            self._window.close()

    def _keep_window_place(self) -> None:
        if self._window is not None:
            self._settings.set(_GEOMETRY, _text(self._window.saveGeometry()))

    def _arrange(self) -> None:
        if self._window is None:
            self._splitter.insertWidget(0 if self.on_left else 1, self._panel)
        for widget, stretch in ((self._viewport, 1), (self._panel, 0)):
            index = self._splitter.indexOf(widget)
            if index >= 0:
                self._splitter.setStretchFactor(index, stretch)


class _PhotoWindow(QWidget):
    closed = Signal()

    def __init__(self, panel: QWidget, main_window: QWidget) -> None:
        super().__init__(main_window, Qt.WindowType.Window)
        self.setWindowTitle("Photos · Likeness")
        self.closing_with_program = False
        # The keys of the main window work here too.
        self.addActions(main_window.actions())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(panel)
        self.resize(panel.size().expandedTo(panel.sizeHint()))

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        if not self.closing_with_program:
            self.closed.emit()


def _text(state: QByteArray) -> str:
    return bytes(state.toBase64().data()).decode()
