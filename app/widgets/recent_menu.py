"""The menu of files opened last: a picture, the name, the folder and when, for each. Files that are gone are greyed.

Looking at files happens on a thread beside the window: a network drive that sleeps must not hold up a menu.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFont, QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QMenu, QWidget, QWidgetAction

from app.settings import Settings
from app.widgets.moments import moment
from app.widgets.recent import Recent, clear_recent, look, recent_files
from app.widgets.theme import theme
from app.widgets.thumbnails import from_png

_PICTURE, _GAP, _PAD = 48, 10, 4
_WIDTH = 440
_GONE_OPACITY = 0.5


class RecentMenu(QMenu):
    """Filled whenever it opens."""

    def __init__(self, settings: Settings, open_file: Callable[[Path], None], parent: QWidget) -> None:
        super().__init__("Open &Recent", parent)
        self._settings, self._open = settings, open_file
        self._looker = _Looker()
        self._looker.seen.connect(self._show)
        self.rows: dict[Path, RecentRow] = {}
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)
        self.hovered.connect(self._highlight)
        self.fill()

    def fill(self) -> None:
        """Make the entries anew; what the files look like follows as soon as it is known."""
        self.clear()
        self.rows = {}
        paths = recent_files(self._settings)
        for path in paths:
            action = QWidgetAction(self)
            action.setText(path.name)
            action.setToolTip(str(path))
            row = self.rows[path] = RecentRow(Recent(path), self)
            action.setDefaultWidget(row)
            action.triggered.connect(lambda _=False, path=path: self._open(path))
            self.addAction(action)
            row.action = action
        if not paths:
            self.addAction("Nothing opened yet").setEnabled(False)
            return
        self.addSeparator()
        clear = self.addAction("Clear This List")
        clear.setToolTip("Forget which files were opened; the files stay")
        clear.triggered.connect(lambda: clear_recent(self._settings))
        self._looker.look_at(paths)

    def _show(self, recent: Recent) -> None:
        if recent.path in self.rows:
            self.rows[recent.path].show_file(recent)

    def _highlight(self, _action: QAction) -> None:
        for row in self.rows.values():
            row.update()


class RecentRow(QWidget):
    """One file. The mouse goes through it to the menu, which highlights and triggers as it does for any entry."""

    def __init__(self, recent: Recent, menu: QMenu) -> None:
        super().__init__(menu)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._menu, self.recent = menu, recent
        self.action: QAction | None = None
        self._picture = from_png(recent.thumbnail, _PICTURE, self.devicePixelRatioF())

    def show_file(self, recent: Recent) -> None:
        """What is known of the file now."""
        self.recent = recent
        self._picture = from_png(recent.thumbnail, _PICTURE, self.devicePixelRatioF())
        if self.action is not None:
            self.action.setEnabled(recent.there)
            self.action.setToolTip(f"{recent.path}\n{recent.details}".rstrip() if recent.there else self._gone())
        self.update()

    @property
    def lines(self) -> tuple[str, str, str]:
        """Name, folder, and when it was saved or what is wrong."""
        path, at = self.recent.path, self.recent.changed_at
        when = moment(at, time.time()) if at is not None else ""
        return path.name, str(path.parent), when if self.recent.there else "not there any more"

    def _gone(self) -> str:
        return f"{self.recent.path}\nThe file was moved or deleted, or its disk is not connected"

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, _PICTURE + 2 * _PAD)

    def paintEvent(self, event: QPaintEvent) -> None:
        active = self._menu.activeAction() is self.action and self.recent.there
        roles, palette = QPalette.ColorRole, self.palette()
        painter = QPainter(self)
        if active:
            painter.fillRect(self.rect(), palette.color(roles.Highlight))
        name, folder, when = self.lines
        painter.setOpacity(1.0 if self.recent.there else _GONE_OPACITY)
        painter.drawPixmap(_PAD + _GAP, _PAD, self._picture)
        painter.setOpacity(1.0)
        left = _PICTURE + _PAD + 2 * _GAP
        middle, width = self.height() // 2, self.width() - left - _GAP
        strong = QFont(self.font())
        strong.setBold(True)
        group = palette.ColorGroup.Active if self.recent.there else palette.ColorGroup.Disabled
        painter.setPen(palette.color(group, roles.HighlightedText if active else roles.Text))
        plain = QFontMetrics(self.font())
        above = Qt.AlignmentFlag.AlignBottom
        painter.drawText(QRect(left, 0, width, middle - 1), Qt.AlignmentFlag.AlignRight | above, when)
        painter.setFont(strong)
        room = width - plain.horizontalAdvance(when) - _GAP
        name = QFontMetrics(strong).elidedText(name, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(QRect(left, 0, room, middle - 1), above, name)
        painter.setFont(self.font())
        if self.recent.there and not active:
            painter.setPen(theme().color("dim"))
        folder = plain.elidedText(folder, Qt.TextElideMode.ElideMiddle, width)
        painter.drawText(QRect(left, middle + 1, width, middle - 1), Qt.AlignmentFlag.AlignTop, folder)
        painter.end()


class _Looker(QObject):
    """`seen`: what a file looks like, on the window's thread."""

    seen = Signal(object)

    def __init__(self) -> None:
        # No parent: running looks hold this object, so that its signal exists for as long as they do.
        super().__init__()
        self._round = 0
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.stop)

    def look_at(self, paths: list[Path]) -> None:
        """Look at each of them; those asked for before and not looked at yet are left out."""
        self._round += 1
        # A daemon: a drive that does not answer must not keep the program from ending.
        threading.Thread(target=self._look, args=(paths, self._round), name="recent files", daemon=True).start()

    def stop(self) -> None:
        """Say nothing any more."""
        self._round += 1

    def _look(self, paths: list[Path], this_round: int) -> None:
        for path in paths:
            recent = look(path)
            if this_round != self._round:
                return
            self.seen.emit(recent)
