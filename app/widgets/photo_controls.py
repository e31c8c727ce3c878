"""What one can do with the active photo: one table of actions with their keys, and the bar made from it.

What does not live here: how the photo's view changes (`app.photos.placement`) and who owns the photos (`photo_panel`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from app.photos.photo import PhotoView
from app.photos.placement import flipped, turned
from app.widgets.actions import tooltip_text
from app.widgets.icons import icon
from app.widgets.slider import Range, Slider

if TYPE_CHECKING:
    from app.widgets.photo_panel import PhotoPanel

_ICON, _ARROW = 20, 10
_TONE_STEP, _ANGLE_STEP = 0.1, 1.0
_THIRDS = 3
_GRIDS = ((0, "None"), (2, "Halves"), (_THIRDS, "Thirds"), (4, "4 × 4"), (6, "6 × 6"), (8, "8 × 8"), (12, "12 × 12"))
_GAP = 4


@dataclass(frozen=True)
class _Spec:
    """`change` turns the active photo's view into another one; `run` is called with the panel instead."""

    id: str
    text: str
    tooltip: str
    key: str = ""
    icon: str = ""
    change: Callable[[PhotoView], PhotoView] | None = None
    run: Callable[[PhotoPanel], Any] | None = None
    checkable: bool = False


def _toned(name: str, step: float) -> Callable[[PhotoView], PhotoView]:
    def change(view: PhotoView) -> PhotoView:
        return replace(view, **{name: round(min(max(getattr(view, name) + step, -1.0), 1.0), 3)})

    return change


def _with_grid_switched(view: PhotoView) -> PhotoView:
    return replace(view, grid=0 if view.grid else _THIRDS)


def _as_it_came(view: PhotoView) -> PhotoView:
    return PhotoView(grid=view.grid, grid_on_photo=view.grid_on_photo)


_SPECS = (
    _Spec("fit", "Fit", "Show the whole photo; so does a double-click on it", "Home", "fit",
          change=lambda view: replace(view, zoom=0.0, center=(0.5, 0.5))),
    _Spec("actual-size", "100 %", "One pixel of the photo on one pixel of the screen", "Shift+Home", "actual-size",
          run=lambda panel: panel.canvas.zoom_to_actual()),
    _Spec("zoom-in", "Zoom In", "Closer; so does the wheel, at the pointer", "+", "zoom-in",
          run=lambda panel: panel.canvas.zoom_by(1.25)),
    _Spec("zoom-out", "Zoom Out", "Further away; so does the wheel, at the pointer", "-", "zoom-out",
          run=lambda panel: panel.canvas.zoom_by(0.8)),
    _Spec("flip", "Flip", "Exchange left and right", "H", "photo-flip", change=flipped),
    _Spec("rotate-left", "Rotate Left", "Turn by 90° counter-clockwise", "Shift+R", "photo-rotate-left",
          change=lambda view: turned(view, -90.0)),
    _Spec("rotate-right", "Rotate Right", "Turn by 90° clockwise", "R", "photo-rotate",
          change=lambda view: turned(view, 90.0)),
    _Spec("turn-left", "Turn by 1° Left", "Level a photo that hangs", "Ctrl+Left",
          change=lambda view: turned(view, -_ANGLE_STEP)),
    _Spec("turn-right", "Turn by 1° Right", "Level a photo that hangs", "Ctrl+Right",
          change=lambda view: turned(view, _ANGLE_STEP)),
    _Spec("brighter", "Brighter", "Open the shadows", "Ctrl+Up", change=_toned("brightness", _TONE_STEP)),
    _Spec("darker", "Darker", "Deepen the shadows", "Ctrl+Down", change=_toned("brightness", -_TONE_STEP)),
    _Spec("more-contrast", "More Contrast", "Tell light from dark more clearly", "Ctrl+Shift+Up",
          change=_toned("contrast", _TONE_STEP)),
    _Spec("less-contrast", "Less Contrast", "Soften light and dark", "Ctrl+Shift+Down",
          change=_toned("contrast", -_TONE_STEP)),
    _Spec("grid", "Grid", "Show or hide the grid; the arrow beside it chooses the lines", "T", "grid",
          change=_with_grid_switched, checkable=True),
    _Spec("pick-color", "Pick Colour", "Take a colour from the photo for Paint; Alt-click does so at any time", "E",
          "eyedropper", run=lambda panel: panel.update_picking(), checkable=True),
    _Spec("several", "Side by Side", "Show up to four photos at once; Ctrl-click a thumbnail chooses which", "Return",
          "photo-grid", run=lambda panel: panel.toggle_several(), checkable=True),
    _Spec("adjust", "Adjust", "Show or hide brightness, contrast and angle", "A", "sliders",
          run=lambda panel: panel.update_adjust(), checkable=True),
    _Spec("reset", "Reset View", "Show the photo as it came", "Backspace", "undo", change=_as_it_came),
    _Spec("previous", "Previous Photo", "Show the photo to the left", "PgUp", run=lambda panel: panel.step(-1)),
    _Spec("next", "Next Photo", "Show the photo to the right", "PgDown", run=lambda panel: panel.step(1)),
    _Spec("remove", "Remove Photo", "Take the photo out; its file stays where it is", "Del", "trash",
          run=lambda panel: panel.remove_current()),
)  # fmt: skip
_BAR = (
    *("several", "fit", "actual-size", "", "flip", "rotate-left", "rotate-right", ""),
    *("grid", "pick-color", "adjust", "more"),
)
_MENU = (
    *("fit", "actual-size", "zoom-in", "zoom-out", "-", "flip", "rotate-left", "rotate-right", "-"),
    *("grid", "grid-menu", "pick-color", "adjust", "reset", "-", "several", "previous", "next", "-", "remove"),
)


class PhotoControls(QWidget):
    """The bar below the photo. Signal: view_edited(PhotoView), for the active photo."""

    view_edited = Signal(object)

    def __init__(self, panel: PhotoPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        self._view = PhotoView()
        self.actions_by_id = {spec.id: self._make_action(spec) for spec in _SPECS}
        self.actions_by_id["adjust"].setChecked(True)
        self._grid_menu = self._make_grid_menu()
        self.menu = self._make_menu()
        self.brightness = Slider("Brightness", Range(-100, 100, "%", 0), 0, _tip("brightness", "Ctrl+Up", "Ctrl+Down"))
        self.contrast = Slider(
            "Contrast", Range(-100, 100, "%", 0), 0, _tip("contrast", "Ctrl+Shift+Up", "Ctrl+Shift+Down")
        )
        self.angle = Slider("Angle", Range(-180, 180, "°", 1), 0, _tip("angle", "Ctrl+Left", "Ctrl+Right"))
        self.brightness.value_changed.connect(lambda value: self._edit(brightness=value / 100))
        self.contrast.value_changed.connect(lambda value: self._edit(contrast=value / 100))
        self.angle.value_changed.connect(lambda value: self._edit(rotation=value))
        self._sliders = QWidget()
        self._grid = QGridLayout(self._sliders)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        column = QVBoxLayout(self)
        column.setContentsMargins(_GAP, _GAP, _GAP, _GAP)
        column.setSpacing(_GAP)
        self._bar = self._make_bar()
        column.addLayout(self._bar)
        column.addWidget(self._sliders)
        self._reflow()

    def show_view(self, view: PhotoView, enabled: bool) -> None:
        """Let buttons and sliders say what the active photo's view is."""
        self._view = view
        self.brightness.set_value(view.brightness * 100)
        self.contrast.set_value(view.contrast * 100)
        self.angle.set_value(view.rotation)
        self.actions_by_id["grid"].setChecked(view.grid > 1)
        for action in self._grid_menu.actions():
            value = action.data()
            action.setChecked(view.grid_on_photo if value == "on-photo" else value == view.grid)
        self.setEnabled(enabled)

    def action_for(self, keys: QKeySequence) -> QAction | None:
        """The action that a key stands for while the panel has the focus."""
        return next((action for action in self.actions_by_id.values() if action.shortcut() == keys), None)

    def show_sliders(self, on: bool) -> None:
        """Brightness, contrast and angle."""
        self._sliders.setVisible(on)

    def _edit(self, **changes: Any) -> None:
        self.view_edited.emit(replace(self._view, **changes))

    def _make_action(self, spec: _Spec) -> QAction:
        action = QAction(spec.text, self)
        if spec.icon:
            action.setIcon(icon(spec.icon))
        # The panel looks keys up itself while it has the focus, so that the window's keys do not get in the way.
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.setShortcut(QKeySequence(spec.key))
        action.setToolTip(tooltip_text(spec.text, action.shortcut(), spec.tooltip))
        action.setCheckable(spec.checkable)
        change, run = spec.change, spec.run
        if change is not None:
            action.triggered.connect(lambda: self.view_edited.emit(change(self._view)))
        elif run is not None:
            action.triggered.connect(lambda: run(self._panel))
        return action

    def _make_grid_menu(self) -> QMenu:
        menu = QMenu("Grid Lines", self)
        menu.setToolTipsVisible(True)
        group = QActionGroup(menu)
        for lines, text in _GRIDS:
            action = menu.addAction(text)
            action.setData(lines)
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(lambda _checked=False, lines=lines: self._edit(grid=lines))
        menu.addSeparator()
        on_photo = menu.addAction("Grid Moves with the Photo")
        on_photo.setToolTip("Off: the grid stays upright on the screen")
        on_photo.setData("on-photo")
        on_photo.setCheckable(True)
        on_photo.triggered.connect(lambda on: self._edit(grid_on_photo=on, grid=self._view.grid or _THIRDS))
        return menu

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        for name in _MENU:
            if name == "-":
                menu.addSeparator()
            elif name == "grid-menu":
                menu.addMenu(self._grid_menu)
            else:
                menu.addAction(self.actions_by_id[name])
        return menu

    def _make_bar(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(1)
        for name in _BAR:
            if not name:
                row.addStretch(1)
                continue
            button = QToolButton()
            button.setIconSize(QSize(_ICON, _ICON))
            button.setAutoRaise(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            if name == "more":
                button.setIcon(icon("more"))
                button.setToolTip("More\nEverything that can be done with this photo")
                button.setMenu(self.menu)
                button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            else:
                button.setDefaultAction(self.actions_by_id[name])
            button.setAccessibleName(button.defaultAction().text() if button.defaultAction() else "More")
            row.addWidget(button)
            if name == "grid":
                row.addWidget(self._grid_arrow())
        return row

    def _grid_arrow(self) -> QToolButton:
        arrow = QToolButton()
        arrow.setIcon(icon("chevron-down"))
        arrow.setIconSize(QSize(_ARROW, _ARROW))
        arrow.setStyleSheet("QToolButton { min-width: 10px; padding: 2px 0; }")
        arrow.setAutoRaise(True)
        arrow.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        arrow.setToolTip("Grid Lines\nHow many, and whether they move with the photo")
        arrow.setAccessibleName("Grid Lines")
        arrow.setMenu(self._grid_menu)
        arrow.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return arrow

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._reflow()

    def _reflow(self) -> None:
        """The sliders in one row where there is room for them, else below each other."""
        sliders = (self.brightness, self.contrast, self.angle)
        needed = max(slider.sizeHint().width() for slider in sliders) * len(sliders) + 4 * _GAP
        in_row = self.width() >= needed
        for index, slider in enumerate(sliders):
            self._grid.addWidget(slider, 0 if in_row else index, index if in_row else 0)

    def minimumSizeHint(self) -> QSize:
        # Whether the sliders lie in a row follows from the width; it must not decide it.
        bar = self._bar.minimumSize().width()
        return QSize(max(bar, self.brightness.sizeHint().width()) + 2 * _GAP, super().minimumSizeHint().height())


def _tip(what: str, more: str, less: str) -> str:
    keys = [QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in (less, more)]
    return f"{what.capitalize()} ({keys[0]}, {keys[1]})\nDrag, with Ctrl in fine steps; double-click to type"
