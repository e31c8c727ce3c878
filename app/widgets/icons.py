"""Icons from `resources/icons/*.svg`, drawn in the colours of the palette at the resolution of the screen.

The files draw with `currentColor`; the colour is put in when an icon is painted, so a change of theme or of screen
needs nothing from those who hold an icon.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from app.resources import resource

FALLBACK = "brush"  # for a brush whose author drew no icon


def icon_names() -> list[str]:
    """All icons there are."""
    return sorted(path.stem for path in resource("icons").glob("*.svg"))


def icon_source(name: str) -> str:
    """The SVG text of an icon; one that does not exist is a plain brush, so that a new brush works without one."""
    path = resource("icons") / f"{name}.svg"
    return (path if path.is_file() else resource("icons") / f"{FALLBACK}.svg").read_text("utf-8")


@cache
def icon(name: str) -> QIcon:
    """The icon of that name; see `icon_source`."""
    return QIcon(_SvgEngine(icon_source(name)))


_engines: list[QIconEngine] = []  # QIcon owns an engine in C++; the Python half must live as long


class _SvgEngine(QIconEngine):
    def __init__(self, source: str) -> None:
        super().__init__()
        self._source = source
        self._pixmaps: dict[tuple[int, int, str], QPixmap] = {}
        _engines.append(self)

    def clone(self) -> QIconEngine:
        return _SvgEngine(self._source)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        ratio = painter.device().devicePixelRatio()
        pixmap = self._rendered(rect.size() * ratio, mode, state)
        pixmap.setDevicePixelRatio(ratio)
        painter.drawPixmap(rect, pixmap)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self._rendered(size, mode, state)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        pixmap = self._rendered(size * scale, mode, state)
        pixmap.setDevicePixelRatio(scale)
        return pixmap

    def _rendered(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        color = _color(mode, state).name()
        key = (size.width(), size.height(), color)
        if key not in self._pixmaps:
            self._pixmaps[key] = render_svg(self._source, size, color)
        return QPixmap(self._pixmaps[key])


def _color(mode: QIcon.Mode, state: QIcon.State) -> QColor:
    palette, role = QApplication.palette(), QPalette.ColorRole
    if mode == QIcon.Mode.Disabled:
        return palette.color(QPalette.ColorGroup.Disabled, role.ButtonText)
    active = state == QIcon.State.On or mode == QIcon.Mode.Selected
    return palette.color(QPalette.ColorGroup.Active, role.HighlightedText if active else role.ButtonText)


def render_svg(source: str, size: QSize, color: str) -> QPixmap:
    """The SVG text drawn in one colour, centred in `size` device pixels with its proportions kept."""
    pixmap = QPixmap(size)
    pixmap.fill(Qt.GlobalColor.transparent)
    side = min(size.width(), size.height())
    corner = QPoint((size.width() - side) // 2, (size.height() - side) // 2)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(source.replace("currentColor", color).encode())).render(
        painter, QRectF(corner, QSize(side, side))
    )
    painter.end()
    return pixmap
