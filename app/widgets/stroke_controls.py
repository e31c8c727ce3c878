"""The controls of the options bar for how a stroke makes its dabs: method, alpha, automask, Clone's source.

Each shows what `BrushHand` holds; `refresh` is called after every change of the hand. What does not live here: what
methods, alphas and automasks do (`app.sculpt`).
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QWidget,
)

from app.errors import LikenessError
from app.sculpt.alpha import Alpha
from app.sculpt.alphas import alpha_files, load_alpha, read_alpha, user_folder
from app.widgets.brush_hand import BrushHand
from app.widgets.icons import icon
from app.widgets.option_controls import ICON
from app.widgets.overflow_bar import DropDown
from app.widgets.slider import Range, Slider

METHODS = {
    "space": ("Space", "Dabs at even distances along the stroke"),
    "dots": ("Dots", "One dab wherever the pen is seen"),
    "airbrush": ("Airbrush", "Dabs go on while the pen is down, also where it rests"),
    "anchored": ("Anchored", "Drag one stamp out from where the pen goes down: to its size and turn"),
    "line": ("Line", "A straight line from press to release"),
    "curve": ("Curve", "Click points of a curve; Enter ends it, Backspace takes the last point back, Esc all"),
}
_THUMBNAIL = QSize(56, 56)
_CELL = QSize(84, 84)
_LIST = QSize(4 * _CELL.width() + 24, 3 * _CELL.height() + 8)
_PERCENT = Range(0.0, 100.0, "%", 0)
_DEGREES = Range(-180.0, 180.0, "°", 0)
_FRONT = Range(0.0, 90.0, "°", 0)
_CAVITY = Range(-100.0, 100.0, "%", 0)
_HUNDRED = 100.0
_CTRL_CLICK = "Ctrl+click"


class MethodCombo(QComboBox):
    """How the stroke makes its dabs."""

    def __init__(self, hand: BrushHand) -> None:
        super().__init__()
        self._hand = hand
        for row, (method, (label, sentence)) in enumerate(METHODS.items()):
            self.addItem(label, method)
            self.setItemData(row, sentence, Qt.ItemDataRole.ToolTipRole)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Stroke method")
        self.activated.connect(lambda row: hand.update(method=self.itemData(row)))

    def refresh(self) -> None:
        method = self._hand.options.method
        self.setCurrentIndex(list(METHODS).index(method))
        self.setToolTip(f"Stroke method\n{METHODS[method][1]}")


class AlphaButton(QToolButton):
    """The stamp of the brush in hand, and how it lies. `failed`: a file that is no alpha."""

    failed = Signal(Exception)

    def __init__(self, hand: BrushHand) -> None:
        super().__init__()
        self._hand = hand
        self.setIconSize(ICON)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Alpha")
        self._panel = DropDown(self)
        self.list = QListWidget()
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setIconSize(_THUMBNAIL)
        self.list.setGridSize(_CELL)
        self.list.setFixedSize(_LIST)
        self.list.setAccessibleName("Alphas")
        self.list.itemClicked.connect(lambda item: self.choose(item.data(Qt.ItemDataRole.UserRole)))
        self.angle = _slider("Angle", _DEGREES, "Turns the stamp, counter-clockwise")
        self.angle.value_changed.connect(lambda value: hand.update(alpha_angle=value))
        self.random = _slider("Random turn", _PERCENT, "Turns each stamp by chance, up to so much of a full turn")
        self.random.value_changed.connect(lambda value: hand.update(alpha_random=value / _HUNDRED))
        self.jitter = _slider("Jitter", _PERCENT, "How far dabs stray from the stroke, as a part of the radius")
        self.jitter.value_changed.connect(lambda value: hand.update(jitter=value / _HUNDRED))
        self.rake = QCheckBox("Follows the stroke")
        self.rake.setToolTip("Rake\nThe top of the stamp points where the stroke goes")
        self.rake.clicked.connect(lambda on: hand.update(alpha_rake=on))
        self.add = QPushButton("Add PNG…")
        self.add.setToolTip("Add an image of your own: white works in full, black not at all")
        self.add.clicked.connect(self._ask)
        for widget in (self.list, self.angle, self.random, self.jitter, self.rake, self.add):
            self._panel.column.addWidget(widget)
        self.clicked.connect(self._open)

    def choose(self, alpha_id: str) -> None:
        """Take an alpha by its id; an empty one for none."""
        try:
            self._hand.update(alpha=load_alpha(alpha_id) if alpha_id else None)
        except LikenessError as error:
            self.failed.emit(error)

    def add_file(self, path: Path) -> None:
        """Copy an image to the user's alphas and take it."""
        try:
            read_alpha(path)
            folder = user_folder()
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / path.with_suffix(".png").name
            if target != path:
                shutil.copyfile(path, target)
        except (LikenessError, OSError) as error:
            self.failed.emit(error)
            return
        self.choose(target.stem)
        self._fill()

    def refresh(self) -> None:
        options = self._hand.options
        name = options.alpha.id if options.alpha else "None"
        self.setIcon(_picture(options.alpha) if options.alpha else icon("alpha"))
        self.setText(f"Alpha: {name}")
        self.setToolTip(f"Alpha: {name}\nA greyscale stamp in the shape of the brush")
        self.angle.set_value(options.alpha_angle)
        self.random.set_value(options.alpha_random * _HUNDRED)
        self.jitter.set_value(options.jitter * _HUNDRED)
        self.rake.setChecked(options.alpha_rake)

    def _open(self) -> None:
        self._fill()
        self._panel.open_below(self)

    def _fill(self) -> None:
        self.list.clear()
        chosen = self._hand.options.alpha
        for alpha_id in ("", *alpha_files()):
            try:
                picture = _picture(load_alpha(alpha_id)) if alpha_id else icon("close")
            except LikenessError:  # a file of the user's that is no image: nothing to choose
                continue
            item = QListWidgetItem(picture, alpha_id.replace("-", " ").capitalize() or "None", self.list)
            item.setData(Qt.ItemDataRole.UserRole, alpha_id)
            item.setToolTip(item.text())
            if alpha_id == (chosen.id if chosen else ""):
                self.list.setCurrentItem(item)

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self.window(), "Add Alpha", "", "PNG images (*.png)")
        if path:
            self.add_file(Path(path))


class AutomaskButton(QToolButton):
    """What protects itself during a stroke."""

    def __init__(self, hand: BrushHand) -> None:
        super().__init__()
        self._hand = hand
        self.setIcon(icon("automask"))
        self.setIconSize(ICON)
        self.setText("Automask")
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Automask")
        self._panel = DropDown(self)
        self.boxes: dict[str, QCheckBox] = {}
        for name, label, sentence in (
            ("connected", "Connected part only", "Only what hangs together with where the stroke begins"),
            ("face_set", "Face set only", "Only the face set in which the stroke begins"),
            ("borders", "Keep open borders", "Open borders stay as they are"),
        ):
            box = QCheckBox(label)
            box.setToolTip(f"{label}\n{sentence}")
            box.clicked.connect(lambda on, name=name: self._set(**{name: on}))
            self._panel.column.addWidget(box)
            self.boxes[name] = box
        self.cavity = _slider("Hollows or ridges", _CAVITY, "Above 0 only hollows, below 0 only ridges")
        self.cavity.value_changed.connect(lambda value: self._set(cavity=value / _HUNDRED))
        self.front = _slider("Front limit", _FRONT, "Spares what faces away by more than this; 0 for no limit")
        self.front.value_changed.connect(lambda value: self._set(front_limit=value))
        self._panel.column.addWidget(self.cavity)
        self._panel.column.addWidget(self.front)
        self.clicked.connect(self._open)

    def refresh(self) -> None:
        automask = self._hand.options.automask
        for name, box in self.boxes.items():
            box.setChecked(getattr(automask, name))
        self.cavity.set_value(automask.cavity * _HUNDRED)
        self.front.set_value(automask.front_limit)
        self.setChecked(automask.active)
        self.setToolTip(f"Automask, {'on' if automask.active else 'off'}\nWhat is protected without being painted")

    def _open(self) -> None:
        self.refresh()  # the click has toggled it
        self._panel.open_below(self)

    def _set(self, **changes: Any) -> None:
        self._hand.update(automask=replace(self._hand.options.automask, **changes))


class SourceGroup(QWidget):
    """The place that a brush takes from: the click that picks it, and how strokes after the first begin."""

    def __init__(self, hand: BrushHand) -> None:
        super().__init__()
        self._source = hand.source
        self.pick, self.aligned = QToolButton(), QToolButton()
        self.pick.setText("Pick Source")
        self.pick.setIcon(icon("source"))
        self.pick.setIconSize(ICON)
        self.pick.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.pick.clicked.connect(self._source.pick)
        self.aligned.setText("Aligned")
        self.aligned.setToolTip(
            "Aligned\nStrokes go on taking from the same distance; else each one begins at the source again"
        )
        self.aligned.clicked.connect(self._source.set_aligned)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for button in (self.pick, self.aligned):
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setAccessibleName(button.text())
            row.addWidget(button)

    def refresh(self) -> None:
        picked = "Picked" if self._source.point is not None else "None yet"
        self.pick.setToolTip(
            f"Pick Source ({_CTRL_CLICK})\nThe next click on the model says where the colours come from. {picked}"
        )
        self.pick.setChecked(self._source.picking)
        self.aligned.setChecked(self._source.aligned)


def _slider(label: str, value_range: Range, sentence: str, parent: QWidget | None = None) -> Slider:
    return Slider(label, value_range, 0.0, f"{label}\n{sentence}", parent)


def _picture(alpha: Alpha) -> QIcon:
    pixels = np.ascontiguousarray((alpha.image * 255).astype(np.uint8))
    image = QImage(pixels.data, pixels.shape[1], pixels.shape[0], pixels.shape[1], QImage.Format.Format_Grayscale8)
    return QIcon(QPixmap.fromImage(image.copy()))
