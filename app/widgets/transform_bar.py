"""The numbers of a transform, in the place of the brush's options while the mode is on.

Every control shows a value of `TransformMode` and changes it there. What does not live here: what the values do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from app.sculpt.symmetry import AXES
from app.sculpt.transform import FARTHEST_MM, LARGEST_SCALE, SMALLEST_SCALE, Transform
from app.widgets.overflow_bar import OverflowBar
from app.widgets.transform_mode import BORDER, MIDDLE, PLACED, TransformMode

_PERCENT = 100.0
_MOST_DEGREES = 3600.0
_GAP = 4
_PIVOTS = {
    MIDDLE: ("Middle of the free part", "Turn and scale about the middle of what is not masked"),
    BORDER: ("Border of the mask", "Turn and scale about where the mask ends: the neck of a head, the root of an ear"),
    PLACED: ("Placed point", "Turn and scale about a point of the model: Shift-click it"),
}
_TABS = (Qt.Key.Key_Tab, Qt.Key.Key_Backtab)


class _Number(QDoubleSpinBox):
    """A field without arrows, which the wheel and the arrow keys step; Tab goes to the next one."""

    def __init__(
        self, name: str, unit: str, most: float, step: float, decimals: int, tooltip: str, prefix: str = ""
    ) -> None:
        super().__init__()
        self.setRange(-most, most)
        self.setDecimals(decimals)
        self.setSingleStep(step)
        self.setPrefix(prefix)
        self.setSuffix(unit)
        self.setProperty("plain", True)  # with NoButtons the stylesheet would leave no room for the number
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setAccessibleName(name)
        self.setToolTip(f"{name}\n{tooltip}")
        widest = self.fontMetrics().horizontalAdvance(f"{prefix}-000.{'0' * decimals}{unit}")
        self.setFixedWidth(widest + 4 * _GAP)

    def show_value(self, value: float) -> None:
        """Show a number without telling anyone; what is being typed stays."""
        if round(value, self.decimals()) != self.value():
            self.blockSignals(True)
            self.setValue(value)
            self.blockSignals(False)

    def event(self, event: QEvent) -> bool:
        # Tab is a key of the window, too.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _TABS:
            event.accept()
            return True
        return super().event(event)


class TransformBar(OverflowBar):
    """One row: move, turn, scale, pivot; Cancel and Apply at the right."""

    def __init__(self, mode: TransformMode, parent: QWidget | None = None) -> None:
        self.cancel_button, self.apply_button = QPushButton("Cancel"), QPushButton("Apply")
        self.cancel_button.setToolTip("Cancel (Esc)\nPut all back as it was; in mid-drag, only that drag")
        self.apply_button.setToolTip(
            "Apply (Enter)\nMake it one undo step. Taking a brush, saving, exporting and opening apply it as well"
        )
        self.apply_button.setProperty("primary", True)
        for button in (self.cancel_button, self.apply_button):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        super().__init__([self.cancel_button, self.apply_button], parent)
        self._mode = mode
        self.cancel_button.clicked.connect(mode.cancel)
        self.apply_button.clicked.connect(mode.finish)
        self.fields: dict[str, _Number] = {}
        self.pivot = QComboBox()
        for row, (choice, (label, sentence)) in enumerate(_PIVOTS.items()):
            self.pivot.addItem(label, choice)
            self.pivot.setItemData(row, sentence, Qt.ItemDataRole.ToolTipRole)
        self.pivot.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.pivot.setAccessibleName("Pivot")
        self.pivot.activated.connect(lambda row: mode.set_pivot(self.pivot.itemData(row)))
        self.reset_button = QToolButton()
        self.reset_button.setText("Reset")
        self.reset_button.setToolTip("Reset\nPut the part back where it was, and go on")
        self.reset_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.reset_button.clicked.connect(lambda: mode.set(Transform()))
        self.set_items([*self._groups(), _labelled("Pivot", self.pivot), self.reset_button])
        mode.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show the transform as it is."""
        transform = self._mode.transform
        for k, axis in enumerate(AXES):
            self.fields[f"move-{axis}"].show_value(transform.move[k])
            self.fields[f"turn-{axis}"].show_value(transform.turn[k])
        self.fields["scale"].show_value(_PERCENT * transform.size)
        choice = self._mode.pivot_choice
        self.pivot.setCurrentIndex(self.pivot.findData(choice))
        self.pivot.setToolTip(f"Pivot\n{_PIVOTS[choice][1]}")
        model = self.pivot.model()
        for row, there in ((1, self._mode.has_border), (2, self._mode.has_placed)):
            flag = Qt.ItemFlag.ItemIsEnabled
            item = model.item(row)  # type: ignore[attr-defined]
            item.setFlags(item.flags() | flag if there else item.flags() & ~flag)
        self.reset_button.setEnabled(not transform.identity)

    def _groups(self) -> list[QWidget]:
        move = "What is not masked goes along; what is half masked goes half the way. Ctrl in a drag: whole mm"
        turn = "In degrees: first about X, then Y, then Z. Ctrl in a drag: steps of 5°"
        scale = (
            "All three sides alike; sides that a box of the gizmo scaled keep their ratio. Ctrl in a drag: steps of 5 %"
        )
        lengths, angles = {}, {}
        for axis in AXES:
            name = axis.upper()
            lengths[f"move-{axis}"] = _Number(f"Move along {name}", " mm", FARTHEST_MM, 0.1, 2, move, f"{name} ")
            angles[f"turn-{axis}"] = _Number(f"Rotate about {name}", "°", _MOST_DEGREES, 1.0, 1, turn, f"{name} ")
        size = _Number("Scale", " %", _PERCENT * LARGEST_SCALE, 1.0, 1, scale)
        size.setMinimum(_PERCENT * SMALLEST_SCALE)
        self.fields = {**lengths, **angles, "scale": size}
        for k, axis in enumerate(AXES):
            self._connect(f"move-{axis}", partial(_moved, k))
            self._connect(f"turn-{axis}", partial(_turned, k))
        self._connect("scale", lambda now, value: now.resized(value / _PERCENT))
        return [
            _labelled("Move", *lengths.values()),
            _labelled("Rotate", *angles.values()),
            _labelled("Scale", size),
        ]

    def _connect(self, name: str, change: Callable[[Transform, float], Transform]) -> None:
        mode = self._mode
        self.fields[name].valueChanged.connect(lambda value: mode.set(change(mode.transform, value), name))


def _moved(axis: int, transform: Transform, value: float) -> Transform:
    return replace(transform, move=_with(transform.move, axis, value))


def _turned(axis: int, transform: Transform, value: float) -> Transform:
    return replace(transform, turn=_with(transform.turn, axis, value))


def _with(values: tuple[float, float, float], axis: int, value: float) -> tuple[float, float, float]:
    x, y, z = (value if k == axis else values[k] for k in range(3))
    return x, y, z


def _labelled(text: str, *widgets: QWidget) -> QWidget:
    """Controls in a row behind their name."""
    group, label = QWidget(), QLabel(text)
    label.setProperty("role", "dim")
    row = QHBoxLayout(group)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(_GAP)
    for widget in (label, *widgets):
        row.addWidget(widget)
    return group
