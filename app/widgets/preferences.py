"""Preferences: few, and each takes effect at once. Stored in `app.settings`; whoever is concerned listens there."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.settings import Settings
from app.widgets.backgrounds import BACKGROUNDS, background, set_background, to_color
from app.widgets.brush_hand import BrushHand
from app.widgets.photo_place import PhotoPlace

UNDO_LIMIT = "undo/limit_mb"
DARK = "theme/dark"
_MARGIN = 24
_MEGABYTE = 1 << 20
_LEAST_MB, _MOST_MB, _STEP_MB = 64, 65536, 256


class PreferencesDialog(QDialog):
    """Changes apply as they are made; there is nothing to confirm."""

    def __init__(
        self, settings: Settings, hand: BrushHand, photos: PhotoPlace, undo_bytes: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self._settings, self._hand, self._photos = settings, hand, photos
        form = QFormLayout()
        form.setHorizontalSpacing(_MARGIN)
        form.setVerticalSpacing(_MARGIN // 2)
        form.addRow("Window", self._theme())
        form.addRow("Viewport background", self._background())
        form.addRow("Photos", self._photo_side())
        form.addRow("Brush radius", self._radius_unit())
        form.addRow("Undo memory", self._undo(undo_bytes))
        form.addRow("Pen", self._pen())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN // 2)
        layout.setSpacing(_MARGIN)
        layout.addLayout(form)
        layout.addWidget(buttons)

    def _theme(self) -> QComboBox:
        self.theme = _choice("Dark or light grey panels", ("Dark", True), ("Light", False))
        self.theme.setCurrentIndex(self.theme.findData(self._settings.get(DARK, True)))
        self.theme.activated.connect(lambda _: self._settings.set(DARK, self.theme.currentData()))
        return self.theme

    def _background(self) -> QComboBox:
        self.background = _choice("What lies behind the model", *BACKGROUNDS.items(), ("Other…", None))
        present = background(self._settings)
        self.background.setCurrentIndex(
            next((i for i, color in enumerate(BACKGROUNDS.values()) if color == present), len(BACKGROUNDS))
        )
        self.background.activated.connect(self._background_chosen)
        return self.background

    def _background_chosen(self, row: int) -> None:
        color = self.background.itemData(row)
        if color is not None:
            set_background(self._settings, tuple(color))
        else:
            choose_background(self._settings, self)

    def _photo_side(self) -> QComboBox:
        self.photo_side = _choice("Which side of the model the photos are on", ("Right", False), ("Left", True))
        self.photo_side.setCurrentIndex(int(self._photos.on_left))
        self.photo_side.activated.connect(lambda row: self._photos.set_on_left(bool(row)))
        return self.photo_side

    def _radius_unit(self) -> QComboBox:
        self.radius_unit = _choice(
            "Whether a brush keeps its size on the model or on the screen",
            ("Millimetres on the model", False),
            ("Pixels on the screen", True),
        )
        self.radius_unit.setCurrentIndex(int(self._hand.radius_in_pixels))
        self.radius_unit.activated.connect(lambda row: self._hand.set_radius_in_pixels(bool(row)))
        return self.radius_unit

    def _undo(self, undo_bytes: int) -> QSpinBox:
        self.undo = QSpinBox()
        self.undo.setRange(_LEAST_MB, _MOST_MB)
        self.undo.setSingleStep(_STEP_MB)
        self.undo.setSuffix(" MB")
        self.undo.setGroupSeparatorShown(True)
        self.undo.setToolTip("How much memory the history may take; the oldest steps go first")
        self.undo.setValue(undo_bytes // _MEGABYTE)
        self.undo.valueChanged.connect(lambda value: self._settings.set(UNDO_LIMIT, value))
        return self.undo

    def _pen(self) -> QWidget:
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        self.pressure_size = QCheckBox("Pressure sets the size of the brush in hand")
        self.pressure_strength = QCheckBox("Pressure sets its strength")
        options = self._hand.options
        self.pressure_size.setChecked(options.pressure_size)
        self.pressure_strength.setChecked(options.pressure_strength)
        self.pressure_size.clicked.connect(lambda on: self._hand.update(pressure_size=on))
        self.pressure_strength.clicked.connect(lambda on: self._hand.update(pressure_strength=on))
        note = QLabel("Each brush remembers this for itself.")
        note.setProperty("role", "dim")
        for widget in (self.pressure_size, self.pressure_strength, note):
            widget.setToolTip("What pressing harder does")
            layout.addWidget(widget)
        return column


def choose_background(settings: Settings, parent: QWidget) -> QColorDialog:
    """Open a colour dialog; the viewport follows while a colour is sought, and keeps the first one on Cancel."""
    before = background(settings)
    dialog = QColorDialog(to_color(before), parent)
    dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Viewport Background")
    dialog.currentColorChanged.connect(lambda c: set_background(settings, (c.redF(), c.greenF(), c.blueF())))
    dialog.rejected.connect(lambda: set_background(settings, before))
    dialog.open()
    return dialog


def _choice(tooltip: str, *items: tuple[str, object]) -> QComboBox:
    box = QComboBox()
    box.setToolTip(tooltip)
    for text, data in items:
        box.addItem(text, data)
    return box
