"""What the window shows of the transform's mode: its numbers in the place of the brush's options, its keys, its entry.

What does not live here: the mode (`transform_mode`), the rows themselves (`options_bar`, `transform_bar`).
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QAction, QActionGroup, QShortcut
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.widgets.brush_hand import BrushHand
from app.widgets.options_bar import OptionsBar
from app.widgets.transform_bar import TransformBar
from app.widgets.transform_mode import TransformMode

_KEYS = {"Return": TransformMode.finish, "Enter": TransformMode.finish, "Esc": TransformMode.cancel}


class OptionRows(QStackedWidget):
    """window: where the keys of the mode count, also while this row is hidden. entry: of the menu."""

    def __init__(
        self,
        window: QWidget,
        options: OptionsBar,
        mode: TransformMode,
        hand: BrushHand,
        brush_actions: Mapping[str, QAction],
        entry: QAction,
    ) -> None:
        super().__init__()
        self._options, self._mode, self._hand = options, mode, hand
        self._brush_actions, self._entry = brush_actions, entry
        self.transform_bar = TransformBar(mode)
        self.setSizePolicy(options.sizePolicy())
        for row in (options, self.transform_bar):
            self.addWidget(row)
        self._keys = [QShortcut(key, window, lambda act=act: act(mode)) for key, act in _KEYS.items()]
        mode.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        on = self._mode.active
        self.setCurrentWidget(self.transform_bar if on else self._options)
        self._entry.setChecked(on)
        for key in self._keys:
            key.setEnabled(on)
        # No brush is in hand meanwhile, so none looks as if it were.
        policy, brush = QActionGroup.ExclusionPolicy, self._brush_actions[self._hand.brush.id]
        brush.actionGroup().setExclusionPolicy(policy.ExclusiveOptional if on else policy.Exclusive)
        brush.setChecked(not on)
