"""Asks how tall the figure is to be, in mm: when a file does not say, and for "Set Height".

Heights that were given are remembered by file, so that the same file is not asked about twice. While the question
stands, the model behind it can be turned upright; what does not live here is the turning itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.settings import Settings

# What the service sells; for printer profiles that do not say.
SOLD_HEIGHTS_MM: Mapping[str, tuple[float, ...]] = {
    "figures": (100.0, 150.0, 200.0),
    "pets": (100.0, 120.0, 150.0),
    "busts": (60.0, 80.0, 100.0),
}
DEFAULT_MM = 150.0
_LARGEST_MM = 1000.0
_SMALLEST_MM = 1.0
_FILES_REMEMBERED = 200
_QUARTER_DEGREES = 90.0
_EDGE_PX = 24  # between the dialog and the right edge of the window
_LAST = "height/last_mm"
_BY_FILE = "height/by_file"

# Turns the model about "x" or "y" by degrees; gives its new (3,) size in mm, or None where it did not turn.
Turn = Callable[[str, float], ArrayLike | None]


def remembered_height(settings: Settings, path: Path) -> float | None:
    """The height in mm that was given for this file before, or None."""
    height = _by_file(settings).get(str(path))
    return float(height) if isinstance(height, int | float) else None


def proposed_height(settings: Settings) -> float:
    """The height in mm to try for a file that does not say: the one given last."""
    return settings.get(_LAST, DEFAULT_MM)


def remember_height(settings: Settings, path: Path | None, height_mm: float) -> None:
    """Remember a height in mm for a file, and as the proposal for the next unknown one."""
    settings.set(_LAST, float(height_mm))
    if path is not None:
        by_file = _by_file(settings)
        by_file.pop(str(path), None)  # so that it comes last, and the oldest go first
        by_file[str(path)] = float(height_mm)
        settings.set(_BY_FILE, dict(list(by_file.items())[-_FILES_REMEMBERED:]))


def _by_file(settings: Settings) -> dict[str, object]:
    return dict(settings.get(_BY_FILE, {}))


class HeightDialog(QDialog):
    """`height_mm` holds the answer after it was accepted."""

    def __init__(
        self,
        size_mm: ArrayLike,
        proposed_mm: float,
        question: str,
        sold_mm: Mapping[str, tuple[float, ...]],
        parent: QWidget | None = None,
        turn: Turn | None = None,
    ) -> None:
        """size_mm: (3,) extent of the model as it is; its proportions show what the new size will be.

        sold_mm: kind of figure -> heights to choose with one click. turn: turns the model that is in sight; None
        offers no turning.
        """
        super().__init__(parent)
        self.setWindowTitle("Height of the Figure")
        self._size = np.asarray(size_mm, float)
        self._turn = turn
        self._field = QDoubleSpinBox()
        self._field.setRange(_SMALLEST_MM, _LARGEST_MM)
        self._field.setDecimals(1)
        self._field.setSuffix(" mm")
        self._field.setValue(proposed_mm)
        self._field.setToolTip("Height of the printed figure from the ground to its highest point")
        self._field.setAccessibleName("Height, mm")
        font = self._field.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        self._field.setFont(font)
        self._field.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._result = QLabel()
        self._result.setProperty("role", "dim")
        self._result.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        heading = QLabel(question)
        heading.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setText("Set Height")
        ok.setProperty("primary", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(16)
        layout.addWidget(heading)
        layout.addWidget(self._field)
        layout.addWidget(self._result)
        layout.addLayout(self._presets(sold_mm))
        self.turns: list[QPushButton] = []
        if turn is not None:
            layout.addLayout(self._turning())
        layout.addWidget(buttons)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._field.valueChanged.connect(self._show_result)
        self._show_result()
        self._field.selectAll()
        self._field.setFocus()
        self._move_aside()

    @property
    def height_mm(self) -> float:
        return self._field.value()

    def _presets(self, sold_mm: Mapping[str, tuple[float, ...]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(8)
        self.presets: list[QPushButton] = []
        for row, (kind, heights) in enumerate(sold_mm.items()):
            grid.addWidget(QLabel(kind.capitalize()), row, 0)
            for column, height in enumerate(heights, start=1):
                button = QPushButton(f"{height:g} mm")
                button.setAutoDefault(False)
                button.setToolTip(f"{kind.capitalize()} are sold at {height:g} mm")
                button.clicked.connect(lambda _=False, value=height: self._field.setValue(value))
                grid.addWidget(button, row, column)
                self.presets.append(button)
        return grid

    def _turning(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        question = QLabel("Lies on its side?")
        question.setProperty("role", "dim")
        row.addWidget(question)
        row.addStretch(1)
        for text, axis in (("Turn forward", "x"), ("Turn sideways", "y")):
            button = QPushButton(text)
            button.setFlat(True)
            button.setAutoDefault(False)
            button.setToolTip(f"Turn the model by a quarter about {axis.upper()}, at once; again until it stands")
            button.clicked.connect(lambda _=False, axis=axis: self._turn_model(axis))
            row.addWidget(button)
            self.turns.append(button)
        return row

    def _turn_model(self, axis: str) -> None:
        size = self._turn(axis, _QUARTER_DEGREES) if self._turn is not None else None
        if size is not None:
            self._size = np.asarray(size, float)
            self._show_result()

    def _move_aside(self) -> None:
        """To the right part of the window, so that the model in its middle stays in sight."""
        parent = self.parentWidget()
        if parent is None:
            return
        self.adjustSize()
        window = parent.window().frameGeometry()
        left = max(window.left(), window.right() - self.width() - _EDGE_PX)
        self.move(left, max(window.top(), window.center().y() - self.height() // 2))

    def _show_result(self) -> None:
        if self._size[2] <= 0:
            self._result.setText("")
            return
        x, y, z = self._size * (self.height_mm / self._size[2])
        self._result.setText(f"{x:.1f} × {y:.1f} × {z:.1f} mm (width × depth × height)")


def ask_height(
    parent: QWidget | None,
    settings: Settings,
    size_mm: ArrayLike,
    path: Path | None,
    *,
    known: bool,
    sold_mm: Mapping[str, tuple[float, ...]] | None = None,
    turn: Turn | None = None,
) -> float | None:
    """Ask for the height in mm; None when the user cancels. The answer is remembered.

    known: the present size is true, so it is what the dialog proposes. sold_mm: the printer profile's products.
    turn: turns the model in sight, for one that may lie on its side; what it turned stays turned after Cancel.
    """
    name = path.name if path else "the model"
    if known:
        question, proposed = f"How tall is {name} to be? It is scaled evenly.", float(np.asarray(size_mm)[2])
    else:
        question = f"{name} does not say how large it is. How tall is the figure to be?"
        proposed = proposed_height(settings)
    dialog = HeightDialog(size_mm, proposed, question, sold_mm or SOLD_HEIGHTS_MM, parent, turn)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return None
    remember_height(settings, path, dialog.height_mm)
    return dialog.height_mm
