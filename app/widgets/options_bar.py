"""The options of the brush in hand, made from its declaration, with the Export button at the right.

Every control shows a value of `BrushHand` and changes it there; none keeps a value of its own. What does not live
here: how controls find their place (`overflow_bar`), and what options do (`app.sculpt`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton, QWidget

from app.document import Document
from app.sculpt.brush import Parameter
from app.widgets.brush_hand import BrushHand
from app.widgets.icons import icon
from app.widgets.option_controls import ICON, ColorButton, ExportButton, FalloffCombo, MirrorGroup, RadiusGroup
from app.widgets.overflow_bar import OverflowBar
from app.widgets.slider import Range, Slider
from app.widgets.stroke_controls import AlphaButton, AutomaskButton, MethodCombo, SourceGroup

_UNIT = Range(0.0, 1.0)
_SPACING_PERCENT = Range(2.0, 200.0, "%", 0, True)
_PERCENT = 100.0
# Field of BrushSettings -> its name and what it does.
_SLIDERS = {
    "strength": ("Strength", "How much each dab does"),
    "hardness": ("Hardness", "How much of the dab's middle works with full influence"),
    "auto_smooth": ("Auto-smooth", "Smooths a little after each dab"),
    "stabiliser": ("Stabiliser", "The brush trails the pen on a rope, for steady lines"),
}


_Following = (
    RadiusGroup | FalloffCombo | MirrorGroup | ColorButton | MethodCombo | AlphaButton | AutomaskButton | SourceGroup
)


class OptionsBar(OverflowBar):
    """One row; rebuilt when another brush is taken in hand. `failed`: something chosen here could not be read."""

    failed = Signal(Exception)

    def __init__(
        self, hand: BrushHand, document: Document, actions: dict[str, QAction], parent: QWidget | None = None
    ) -> None:
        self.export_button = ExportButton(document, actions["export"])
        super().__init__([self.export_button], parent)
        self._hand, self._document, self._actions = hand, document, actions
        self._refreshers: list[Callable[[], None]] = []
        self.controls: dict[str, QWidget] = {}
        self._brush_id = ""
        hand.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what the hand holds."""
        if self._hand.brush.id != self._brush_id:
            self._brush_id = self._hand.brush.id
            self._build()
        for refresh in self._refreshers:
            refresh()

    def _build(self) -> None:
        brush, self._refreshers, self.controls = self._hand.brush, [], {}
        add = self.controls.__setitem__
        add("radius", self._following(RadiusGroup(self._hand, self._actions["radius-pixels"])))
        add("strength", self._slider("strength"))
        if brush.takes_source:
            add("source", self._following(SourceGroup(self._hand)))
        add("falloff", self._following(FalloffCombo(self._hand)))
        if brush.takes_color:
            add("color", self._following(ColorButton(self._hand)))
        for parameter in brush.parameters:
            add(parameter.id, self._parameter(parameter))
        if not brush.drags:
            add("method", self._following(MethodCombo(self._hand)))
        alpha = AlphaButton(self._hand)
        alpha.failed.connect(self.failed)
        add("alpha", self._following(alpha))
        add("automask", self._following(AutomaskButton(self._hand)))
        add("mirror", self._following(MirrorGroup(self._hand, self._document, self._actions)))
        add("pressure_size", self._toggle("pressure_size", "Pressure sets size", "Pen pressure scales the radius"))
        add(
            "pressure_strength",
            self._toggle("pressure_strength", "Pressure sets strength", "Pen pressure scales the strength"),
        )
        add("invert", self._action_button("invert"))
        add("front_faces_only", self._action_button("front-faces"))
        add("hardness", self._slider("hardness"))
        if brush.attribute == "positions":
            add("auto_smooth", self._slider("auto_smooth"))
        if not brush.drags:
            add("spacing", self._spacing())
        add("stabiliser", self._slider("stabiliser"))
        self.set_items(list(self.controls.values()))

    def _slider(self, name: str) -> Slider:
        label, sentence = _SLIDERS[name]
        slider = Slider(label, _UNIT, getattr(self._hand.options, name), f"{label}\n{sentence}")
        slider.value_changed.connect(lambda value: self._hand.update(**{name: value}))
        self._refreshers.append(lambda: slider.set_value(getattr(self._hand.options, name)))
        return slider

    def _spacing(self) -> Slider:
        tooltip = "Spacing\nDistance between dabs as a part of the radius"
        slider = Slider("Spacing", _SPACING_PERCENT, self._hand.options.spacing * _PERCENT, tooltip)
        slider.value_changed.connect(lambda value: self._hand.update(spacing=value / _PERCENT))
        self._refreshers.append(lambda: slider.set_value(self._hand.options.spacing * _PERCENT))
        return slider

    def _parameter(self, parameter: Parameter) -> Slider:
        span = parameter.maximum - parameter.minimum
        decimals = 0 if span >= _PERCENT else 1 if span > 1 else 2
        value_range = Range(parameter.minimum, parameter.maximum, parameter.unit, decimals)
        slider = Slider(parameter.label, value_range, parameter.default, f"{parameter.label}\n{parameter.tooltip}")
        slider.value_changed.connect(partial(self._hand.set_parameter, parameter.id))
        self._refreshers.append(
            lambda: slider.set_value(self._hand.options.parameters.get(parameter.id, parameter.default))
        )
        return slider

    def _following(self, control: _Following) -> QWidget:
        self._refreshers.append(control.refresh)
        return control

    def _toggle(self, name: str, label: str, sentence: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(name.replace("_", "-")))
        button.setIconSize(ICON)
        button.setText(label)
        button.setToolTip(f"{label}\n{sentence}")
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda on: self._hand.update(**{name: on}))
        self._refreshers.append(lambda: button.setChecked(getattr(self._hand.options, name)))
        return button

    def _action_button(self, action_id: str) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(self._actions[action_id])
        button.setIconSize(ICON)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return button
