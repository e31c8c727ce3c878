"""The form of an operation, made from its declaration: a slider, a list or a check box for each parameter.

What does not live here: the operations (`app.operations`), which values it begins with (`operation_values`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from app.operations.operation import Choice, Integer, Number, Operation, Parameter, Toggle
from app.widgets.slider import Range, Slider

_MARGIN, _GAP = 24, 8
_WIDTH = 420
# A range that spans so many times its least value is easier to drag by proportions than by differences.
_WIDE = 50.0
_COARSE_MM = 10.0


class OperationDialog(QDialog):
    """Stays open beside the work until it is run or cancelled.

    values: to begin with. defaults: for "Reset". run: called with the values when the user is content.
    """

    def __init__(
        self,
        operation: Operation,
        values: dict[str, Any],
        defaults: dict[str, Any],
        run: Callable[[dict[str, Any]], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(operation.label)
        self._operation, self._defaults, self._run = operation, defaults, run
        self.fields: dict[str, QWidget] = {}
        heading = QLabel(f"{operation.tooltip}.")
        heading.setWordWrap(True)
        heading.setProperty("role", "dim")
        form = QFormLayout()
        form.setVerticalSpacing(_GAP)
        form.setHorizontalSpacing(2 * _GAP)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for parameter in operation.parameters:
            field = self.fields[parameter.id] = _field(parameter)
            if isinstance(parameter, Choice):
                form.addRow(parameter.label, field)
            else:
                form.addRow(field)  # sliders and boxes carry their own labels
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel | kinds.Reset)
        self.ok = self.buttons.button(kinds.Ok)
        self.ok.setText(operation.label)
        self.ok.setProperty("primary", True)
        self.ok.setToolTip("Run it; the result is one step that Undo takes back")
        reset = self.buttons.button(kinds.Reset)
        reset.setToolTip("Put back what suits this model and printer")
        reset.clicked.connect(lambda: self.show_values(self._defaults))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN // 2)
        column.setSpacing(2 * _GAP)
        column.addWidget(heading)
        column.addLayout(form)
        column.addStretch(1)
        column.addWidget(self.buttons)
        self.show_values(values)
        self.resize(_WIDTH, column.totalHeightForWidth(_WIDTH))
        self.ok.setFocus(Qt.FocusReason.OtherFocusReason)

    def values(self) -> dict[str, Any]:
        """What the form says now."""
        return {parameter.id: _value(parameter, self.fields[parameter.id]) for parameter in self._operation.parameters}

    def show_values(self, values: dict[str, Any]) -> None:
        """Put these into the form."""
        for parameter in self._operation.parameters:
            field, value = self.fields[parameter.id], values[parameter.id]
            if isinstance(field, Slider):
                field.set_value(float(value))
            elif isinstance(field, QComboBox):
                field.setCurrentIndex(field.findData(value))
            elif isinstance(field, QCheckBox):
                field.setChecked(bool(value))

    def accept(self) -> None:
        values = self.values()
        super().accept()
        self._run(values)


def slider_range(parameter: Number | Integer) -> Range:
    """How a number is dragged and written: decimals by its unit and size, proportions where the range is wide."""
    whole = isinstance(parameter, Integer)
    logarithmic = parameter.minimum > 0 and parameter.maximum / parameter.minimum >= _WIDE
    decimals = 0 if whole else _decimals(parameter.minimum, parameter.maximum)
    low, high = float(parameter.minimum), float(parameter.maximum)
    return Range(low, high, parameter.unit, decimals, logarithmic, grouped=whole)


def _decimals(minimum: float, maximum: float) -> int:
    if 0 < minimum < 0.01:
        return 4
    return 2 if maximum <= _COARSE_MM or 0 < minimum < 1 else 1


def _field(parameter: Parameter) -> QWidget:
    field: QWidget
    if isinstance(parameter, Number | Integer):
        tooltip = f"{parameter.label}\n{parameter.tooltip}\nDouble-click to type a value"
        field = Slider(parameter.label, slider_range(parameter), float(parameter.default), tooltip)
    elif isinstance(parameter, Toggle):
        field = QCheckBox(parameter.label)
        field.setToolTip(parameter.tooltip)
    else:
        field = QComboBox()
        field.setToolTip(parameter.tooltip)
        field.setAccessibleName(parameter.label)
        for value, label in parameter.choices:
            field.addItem(label, value)
    return field


def _value(parameter: Parameter, field: QWidget) -> Any:
    if isinstance(field, Slider):
        return round(field.value) if isinstance(parameter, Integer) else field.value
    return field.currentData() if isinstance(field, QComboBox) else field.isChecked()  # type: ignore[attr-defined]
