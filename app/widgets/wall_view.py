"""Wall thickness over the model: the shading "walls" with the colours of the last measurement, and its legend.

What does not live here: measuring (`preflight`), which colours mean what (`app.preflight.heat`).
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.document import Document
from app.preflight.heat import heat_colors, limits_mm, stops
from app.preflight.profiles import PrinterProfile
from app.viewport.shading import WALLS, default_shading
from app.viewport.viewport import Viewport
from app.widgets.icons import icon
from app.widgets.marks import set_role
from app.widgets.preflight import Preflight

_MARGIN, _GAP = 16, 8
_WIDTH, _BAR, _BAND = 216, 14, 34
_UP_TO_MM = 10.0  # before anything is measured


class WallView(QObject):
    """Puts measured walls into the viewport; `changed`: whether they are shown."""

    changed = Signal()

    def __init__(
        self, document: Document, viewport: Viewport, preflight: Preflight, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._viewport, self._preflight = document, viewport, preflight
        self._before = ""
        self._walls: np.ndarray | None = None
        self.legend = WallLegend(viewport)
        self.legend.close_button.clicked.connect(lambda: self.set_shown(False))
        viewport.shading_changed.connect(self._shading_changed)
        preflight.changed.connect(self._follow)
        preflight.progressed.connect(self._progress)
        document.profile_changed.connect(self._follow)
        self._shading_changed(viewport.shading)

    @property
    def shown(self) -> bool:
        return self._viewport.shading == WALLS

    def set_shown(self, on: bool) -> None:
        """Show the walls, or what was shown before."""
        if on and not self.shown:
            self._before = self._viewport.shading
            self._viewport.set_shading(WALLS)
        elif self.shown and not on:
            mesh = self._document.mesh
            self._viewport.set_shading(self._before or (default_shading(mesh) if mesh is not None else "clay"))

    def _shading_changed(self, _shading: str) -> None:
        self.legend.setVisible(self.shown)
        self._follow()
        if self.shown and not self._preflight.current:
            self._preflight.check_now()
        self.changed.emit()

    def _follow(self) -> None:
        report, profile = self._preflight.report, self._document.profile
        walls = None if report is None else report.walls
        if walls is None or not self.shown:
            self._walls = None
            self._viewport.set_heat(None)
        elif walls is not self._walls and report is not None:
            self._walls = walls
            colors = heat_colors(walls, profile, report.walls_up_to_mm)
            self._viewport.set_heat(np.round(255 * colors).astype(np.uint8))
        if self.shown:
            self.legend.show_scale(profile, _UP_TO_MM if report is None else report.walls_up_to_mm)
            self.legend.say(self._state())

    def _state(self) -> str:
        if self._preflight.current:
            report = self._preflight.report
            return "" if report is not None and report.walls is not None else "Not measured: the size is not known yet"
        if self._preflight.failure is not None:
            return "Could not be measured"
        if self._preflight.report is not None:
            return "Out of date: the model changed"
        return "Measuring…" if self._preflight.busy else "Measured when the hand rests"

    def _progress(self, part: float) -> None:
        if self.shown and not self._preflight.current:
            self.legend.say(f"Measuring… {100 * part:.0f} %")


class WallLegend(QFrame):
    """The scale of thicknesses on a card in the viewport's upper left corner."""

    def __init__(self, surface: QWidget) -> None:
        super().__init__(surface)
        self._surface = surface
        self.setObjectName("hints")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setFixedWidth(_WIDTH)
        title = QLabel("Wall thickness")
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("close"))
        self.close_button.setToolTip("Show the model's own colours again")
        self.close_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        top = QHBoxLayout()
        top.addWidget(title, 1)
        top.addWidget(self.close_button)
        self.scale = _Scale()
        self._state = QLabel()
        self._state.setWordWrap(True)
        set_role(self._state, "")
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN // 2 + 4, _GAP, _GAP, _GAP)
        column.setSpacing(_GAP // 2)
        column.addLayout(top)
        column.addWidget(self.scale)
        column.addWidget(self._state)
        self.move(_MARGIN, _MARGIN)
        surface.installEventFilter(self)
        self.hide()

    @property
    def state(self) -> str:
        return self._state.text()

    def show_scale(self, profile: PrinterProfile, up_to_mm: float) -> None:
        """Draw the colours and limits of this printer."""
        self.scale.set_profile(profile, up_to_mm)
        self.adjustSize()

    def say(self, text: str) -> None:
        """How much the colours can be trusted now; nothing where they are up to date."""
        self._state.setText(text)
        self._state.setVisible(bool(text))
        self.adjustSize()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self.raise_()
        return False


class _Scale(QWidget):
    """Bands from thick to thin. Limits lie close to the thin end, so bands get equal shares, not millimetres."""

    def __init__(self) -> None:
        super().__init__()
        self._bands: list[tuple[str, str, tuple[int, int, int], tuple[int, int, int]]] = []

    def set_profile(self, profile: PrinterProfile, up_to_mm: float) -> None:
        breaks, shifts = limits_mm(profile)
        table = stops(profile, up_to_mm)
        words = {breaks: "breaks", shifts: "colour shifts"}
        self._bands = []
        for (low, first), (high, last) in zip(table[::2], table[1::2], strict=True):
            below = high in words and high < up_to_mm
            limit = f"under {high:g} mm" if below else f"{low:g} mm and more"
            self._bands.insert(0, (limit, words[high] if below else "good", last, first))
        self.setFixedHeight(_BAND * len(self._bands))
        self.setAccessibleName("; ".join(f"{limit}: {word}" for limit, word, _, _ in self._bands))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        for number, (limit, word, top, bottom) in enumerate(self._bands):
            area = QRectF(0.5, number * _BAND + 1, _BAR, _BAND - 2)
            fill = QLinearGradient(QPointF(0, area.top()), QPointF(0, area.bottom()))
            fill.setColorAt(0.0, QColor(*top))
            fill.setColorAt(1.0, QColor(*bottom))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawRoundedRect(area, 2, 2)
            text = QRectF(_BAR + _GAP, number * _BAND, self.width() - _BAR - _GAP, _BAND)
            painter.setPen(palette.color(QPalette.ColorRole.Text))
            painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), f"{limit}: {word}")
