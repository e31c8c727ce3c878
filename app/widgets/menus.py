"""The menu bar: the table of `actions`, and the entries that depend on files, brushes, shadings and printers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from app.preflight.profiles import profiles
from app.sculpt.brush import brushes, grouped
from app.widgets import backgrounds, mask_verbs, verbs
from app.widgets.action_spec import ActionSpec
from app.widgets.actions import TABLE, make_action
from app.widgets.operation_menu import OperationMenu
from app.widgets.preferences import choose_background
from app.widgets.recent_menu import RecentMenu

if TYPE_CHECKING:
    from app.widgets.main_window import MainWindow


def make_brush_actions(window: MainWindow) -> dict[str, QAction]:
    """One action per brush, of which one is checked; palette, menu and keys share them."""
    group = QActionGroup(window)
    actions = {}
    for brush in brushes().values():
        action = make_action(window, brush.label, brush.tooltip, brush.shortcut, brush.icon)
        action.setObjectName(f"brush-{brush.id}")
        action.setCheckable(True)
        action.triggered.connect(partial(_take, window, brush.id))
        group.addAction(action)
        actions[brush.id] = action
    return actions


def _take(window: MainWindow, brush_id: str, _checked: bool = False) -> None:
    window.transform.finish()
    window.hand.select(brush_id)


def fill_menu_bar(window: MainWindow) -> None:
    """Make every menu of the table."""
    for title, entries in TABLE.items():
        menu = window.menu_bar.addMenu(title)
        menu.setToolTipsVisible(True)
        for entry in entries:
            if isinstance(entry, ActionSpec):
                menu.addAction(window.actions_by_id[entry.id])
            elif entry == "-":
                menu.addSeparator()
            elif entry.startswith("+"):
                menu.addAction(window.actions_by_id[entry[1:]])
            else:
                _GENERATED[entry](window, menu)


def _recent(window: MainWindow, menu: QMenu) -> None:
    menu.addMenu(RecentMenu(window.settings, window.commands.opening.open_file, menu))


def _brushes(window: MainWindow, menu: QMenu) -> None:
    for name, group in grouped().items():
        submenu = menu.addMenu(name)
        submenu.setToolTipsVisible(True)
        submenu.addActions([window.brush_actions[brush.id] for brush in group])


def _mask_brushes(window: MainWindow, menu: QMenu) -> None:
    for brush in brushes().values():
        if brush.attribute == "mask":
            menu.addAction(window.brush_actions[brush.id])


def _operations(window: MainWindow, menu: QMenu) -> None:
    OperationMenu(window, menu)


def _shadings(window: MainWindow, menu: QMenu) -> None:
    shadings = menu.addMenu("&Shading")
    shadings.setToolTipsVisible(True)
    group = QActionGroup(shadings)

    def fill() -> None:
        shadings.clear()
        for shading in window.viewport.shadings():
            action = shadings.addAction(window.viewport.shading_label(shading))
            action.setToolTip("How the model's surface is shown; the model itself stays as it is")
            action.setCheckable(True)
            action.setChecked(shading == window.viewport.shading)
            action.triggered.connect(partial(_shade, window, shading))
            group.addAction(action)

    shadings.aboutToShow.connect(fill)
    fill()


def _shade(window: MainWindow, shading: str, _checked: bool = False) -> None:
    window.viewport.set_shading(shading)


def _backgrounds(window: MainWindow, menu: QMenu) -> None:
    submenu = menu.addMenu("&Background")
    submenu.setToolTipsVisible(True)
    group = QActionGroup(submenu)
    for name, color in backgrounds.BACKGROUNDS.items():
        action = submenu.addAction(name)
        action.setToolTip("The colour behind the model")
        action.setCheckable(True)
        action.triggered.connect(partial(_set_background, window, color))
        group.addAction(action)
    other = submenu.addAction("Other…")
    other.setToolTip("Choose any colour for what is behind the model")
    other.triggered.connect(lambda: choose_background(window.settings, window))

    def mark() -> None:
        present = backgrounds.background(window.settings)
        for action, color in zip(group.actions(), backgrounds.BACKGROUNDS.values(), strict=True):
            action.setChecked(color == present)

    submenu.aboutToShow.connect(mark)


def _set_background(window: MainWindow, color: backgrounds.Color, _checked: bool = False) -> None:
    backgrounds.set_background(window.settings, color)


def _docks(window: MainWindow, menu: QMenu) -> None:
    for dock in window.docks.values():
        action = dock.toggleViewAction()
        action.setToolTip(f"Show or hide the panel {dock.windowTitle()}")
        menu.addAction(action)


def _profiles(window: MainWindow, menu: QMenu) -> None:
    group = QActionGroup(menu)
    for profile in profiles().values():
        action = menu.addAction(profile.label.replace("&", "&&"))
        action.setToolTip(profile.notes or "Check and export for this printer")
        action.setCheckable(True)
        action.setData(profile.id)
        action.triggered.connect(partial(_set_profile, window, profile.id))
        group.addAction(action)

    def mark() -> None:
        for action in group.actions():
            action.setChecked(action.data() == window.document.profile.id)

    menu.aboutToShow.connect(mark)
    mark()


def _set_profile(window: MainWindow, profile_id: str, _checked: bool = False) -> None:
    window.commands.model.set_profile(profile_id)


_GENERATED = {
    "@recent": _recent,
    "@brushes": _brushes,
    "@mask-brush": _mask_brushes,
    "@operations": _operations,
    "@shadings": _shadings,
    "@backgrounds": _backgrounds,
    "@docks": _docks,
    "@profiles": _profiles,
}


def _at(window: MainWindow, action_id: str, place: QPointF, _checked: bool = False) -> None:
    mask_verbs.at_pointer(window, action_id, place)


def context_menu(window: MainWindow, at: QPointF) -> QMenu:
    """What the right button shows over the model: the hand first, then the view. at: the place, logical pixels."""
    menu = QMenu(window)
    menu.setToolTipsVisible(True)
    hand = ("invert", "front-faces", "mirror-x", "transform")
    ids = ("undo", "redo", "-", *hand, "-", "frame-all", "wireframe", "orthographic", "-")
    for name in ids:
        if name == "-":
            menu.addSeparator()
        else:
            menu.addAction(window.actions_by_id[name])
    here = menu.addMenu("This Place")
    here.setToolTipsVisible(True)
    for action_id in ("mask-connected", "grow-set", "shrink-set", "hide-set", "isolate-set"):
        original = window.actions_by_id[action_id]
        action = here.addAction(original.text())
        action.setToolTip(original.toolTip())
        action.setEnabled(original.isEnabled())
        action.triggered.connect(partial(_at, window, action_id, at))
    here.addAction(window.actions_by_id["show-all"])
    mirror = here.addAction(window.actions_by_id["mirror-here"].text())
    mirror.setToolTip(window.actions_by_id["mirror-here"].toolTip())
    mirror.triggered.connect(lambda _checked=False: verbs.mirror_here(window, at))
    brush_menu = menu.addMenu("Brush")
    _brushes(window, brush_menu)
    _shadings(window, menu)
    return menu
