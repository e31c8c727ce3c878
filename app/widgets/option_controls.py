"""The controls of the options bar that are more than a slider or a button. Each shows what `BrushHand` holds.

`refresh` is called after every change of the hand. What does not live here: which of them a brush gets (`options_bar`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.sculpt.falloff import KINDS, Falloff
from app.sculpt.symmetry import AXES, MOST_RADIAL
from app.widgets import theme
from app.widgets.brush_hand import LARGEST_MM, LARGEST_PX, SMALLEST_MM, SMALLEST_PX, BrushHand
from app.widgets.falloff_editor import FalloffEditor, falloff_icon
from app.widgets.icons import icon
from app.widgets.overflow_bar import DropDown
from app.widgets.slider import Range, Slider

# Without their unit, which the button beside the slider says and switches.
_MM = Range(SMALLEST_MM, LARGEST_MM, "", 1, True)
_PX = Range(SMALLEST_PX, LARGEST_PX, "", 0, True)
ICON = QSize(20, 20)
_PLANE_MM = 1000.0


class RadiusGroup(QWidget):
    """The radius, and the unit it is held in."""

    def __init__(self, hand: BrushHand, unit: QAction) -> None:
        super().__init__()
        self._hand = hand
        self.slider = Slider(
            "Radius", _MM, hand.options.radius_mm, "Radius ([ and ], or F and move)\nReach of the brush"
        )
        self.slider.value_changed.connect(hand.set_radius)
        self.unit = QToolButton()
        self.unit.setCheckable(False)
        self.unit.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.unit.setToolTip("Unit of the radius\nmm keeps its size on the model, px keeps its size on the screen")
        self.unit.clicked.connect(unit.trigger)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.slider, 1)
        row.addWidget(self.unit)
        self.setSizePolicy(self.slider.sizePolicy())

    def refresh(self) -> None:
        pixels = self._hand.radius_in_pixels
        self.slider.set_range(_PX if pixels else _MM, self._hand.radius)
        self.unit.setText("px" if pixels else "mm")


class FalloffCombo(QComboBox):
    """The presets with their curves; "Custom" opens the editor."""

    def __init__(self, hand: BrushHand) -> None:
        super().__init__()
        self._hand = hand
        for kind in KINDS:
            self.addItem(kind.capitalize() + ("…" if kind == "custom" else ""), kind)
        self.setIconSize(ICON)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Falloff")
        self.setToolTip("Falloff\nHow the influence fades from the middle of the brush to its rim")
        self._panel = DropDown(self)
        self.editor = FalloffEditor()
        self._panel.column.addWidget(self.editor)
        self.editor.points_changed.connect(lambda points: hand.update(falloff=Falloff("custom", points)))
        self.activated.connect(self._chosen)
        theme.events.changed.connect(self._draw_icons)
        self._draw_icons()

    def _draw_icons(self) -> None:
        color = theme.theme().color("text")
        for row, kind in enumerate(KINDS):
            self.setItemIcon(row, falloff_icon(kind, color))

    def _chosen(self, row: int) -> None:
        kind = KINDS[row]
        if kind == "custom":
            self._hand.update(falloff=Falloff(kind, self.editor.curve.points))
            self._panel.open_below(self)
        else:
            self._hand.update(falloff=Falloff(kind))

    def refresh(self) -> None:
        falloff = self._hand.options.falloff
        self.setCurrentIndex(KINDS.index(falloff.kind))
        if falloff.kind == "custom" and falloff.points != self.editor.curve.points:
            self.editor.set_points(falloff.points)


class MirrorGroup(QWidget):
    """X, Y and Z, and where the planes are."""

    def __init__(self, hand: BrushHand, document: Document, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._hand, self._document = hand, document
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for axis in "xyz":
            action, button = actions[f"mirror-{axis}"], QToolButton()
            button.setText(axis.upper())
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.iconText())
            button.setCheckable(True)
            button.setChecked(action.isChecked())
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(action.trigger)
            action.toggled.connect(button.setChecked)
            row.addWidget(button)
        self.place = QToolButton()
        self.place.setArrowType(Qt.ArrowType.DownArrow)
        self.place.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.place.setAccessibleName("Mirror planes and radial symmetry")
        row.addWidget(self.place)
        self._panel = DropDown(self)
        self._panel.column.addLayout(self._planes())
        self.place.clicked.connect(self._open)
        self.refresh()

    def refresh(self) -> None:
        """Radial symmetry shows without opening anything: "6× Z" beside the arrow."""
        symmetry = self._hand.options.symmetry
        radial = f"{symmetry.radial}× {symmetry.radial_axis.upper()}" if symmetry.radial > 1 else ""
        beside, alone = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly
        self.place.setToolButtonStyle(beside if radial else alone)
        self.place.setText(radial)
        self.place.setToolTip(
            f"Mirror planes and radial symmetry{f', {radial}' if radial else ''}\n"
            "Where the mirrors stand, in mm, and how often dabs are repeated around an axis. "
            "Where a dab and its images overlap they share their strength, so nothing is done twice"
        )

    def _planes(self) -> QVBoxLayout:
        form = QFormLayout()
        self.fields: list[QDoubleSpinBox] = []
        for axis in range(3):
            field = QDoubleSpinBox()
            field.setRange(-_PLANE_MM, _PLANE_MM)
            field.setDecimals(2)
            field.setSuffix(" mm")
            field.setToolTip(f"Where the {'XYZ'[axis]} mirror stands; Alt+X puts it under the pointer")
            field.valueChanged.connect(partial(self._move, axis))
            form.addRow(f"{'XYZ'[axis]} mirror at", field)
            self.fields.append(field)
        self.radial = QSpinBox()
        self.radial.setRange(1, MOST_RADIAL)
        self.radial.setSpecialValueText("off")
        self.radial.setToolTip(
            "Radial symmetry\nRepeats each dab so many times around an axis through the mirror planes"
        )
        self.radial.valueChanged.connect(lambda count: self._radially(radial=count))
        self.radial_axis = QComboBox()
        self.radial_axis.addItems([axis.upper() for axis in AXES])
        self.radial_axis.setToolTip("Radial axis\nThe axis around which dabs are repeated")
        self.radial_axis.activated.connect(lambda row: self._radially(radial_axis=AXES[row]))
        form.addRow("Radial, times", self.radial)
        form.addRow("Around", self.radial_axis)
        middle = QPushButton("Middle of the Model")
        middle.setToolTip("Put all three mirrors, and the radial axis, through the middle of the model")
        middle.clicked.connect(self._to_middle)
        self.middle = middle
        column = QVBoxLayout()
        column.addLayout(form)
        column.addWidget(middle)
        return column

    def _open(self) -> None:
        self._show()
        self._panel.open_below(self.place)

    def _radially(self, **changes: Any) -> None:
        self._hand.update(symmetry=replace(self._hand.options.symmetry, **changes))

    def _show(self) -> None:
        symmetry = self._hand.options.symmetry
        self.radial.blockSignals(True)
        self.radial.setValue(symmetry.radial)
        self.radial.blockSignals(False)
        self.radial_axis.setCurrentIndex(AXES.index(symmetry.radial_axis))
        for field, value in zip(self.fields, self._hand.options.symmetry.origin, strict=True):
            field.blockSignals(True)
            field.setValue(value)
            field.blockSignals(False)

    def _move(self, axis: int, value: float) -> None:
        origin = list(self._hand.options.symmetry.origin)
        origin[axis] = value
        self._hand.set_mirror_origin((origin[0], origin[1], origin[2]))

    def _to_middle(self) -> None:
        mesh = self._document.mesh
        if mesh is not None:
            lower, upper = mesh.bounds()
            x, y, z = ((lower + upper) / 2).tolist()
            self._hand.set_mirror_origin((x, y, z))
            self._show()


class ColorButton(QToolButton):
    """What Paint paints; the dialog also picks a colour from anywhere on the screen, the photo included."""

    def __init__(self, hand: BrushHand) -> None:
        super().__init__()
        self._hand = hand
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Paint colour")
        self.setToolTip("Paint colour\nChoose it, or pick it from the model or the photo with Pick Screen Color")
        self.clicked.connect(self.choose)

    def sizeHint(self) -> QSize:
        return QSize(2 * ICON.width(), ICON.height() + 8)

    def refresh(self) -> None:
        self.update()

    def choose(self) -> QColorDialog:
        """Open the colour dialog beside the work; each change is painted with at once."""
        dialog = QColorDialog(QColor.fromRgbF(*self._hand.options.color), self.window())
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Paint Colour")
        dialog.currentColorChanged.connect(self._take)
        dialog.show()
        return dialog

    def _take(self, color: QColor) -> None:
        self._hand.update(color=(color.redF(), color.greenF(), color.blueF()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.palette().color(self.palette().ColorRole.Mid))
        painter.setBrush(QColor.fromRgbF(*self._hand.options.color))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 4, 4)


class ExportButton(QPushButton):
    """Says which printer it writes for."""

    def __init__(self, document: Document, action: QAction) -> None:
        super().__init__()
        self._document, self._action = document, action
        self.setProperty("primary", True)
        self.setIcon(icon("export"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.clicked.connect(action.trigger)
        action.changed.connect(self.refresh)
        document.profile_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        profile = self._document.profile
        self.setText(f"Export {profile.id.upper() if len(profile.id) <= 4 else profile.label}")
        self.setToolTip(f"{self._action.toolTip()}\nPrinter profile: {profile.label}")
        self.setEnabled(self._action.isEnabled())
