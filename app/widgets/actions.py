"""Every action of the window in one table, and the QActions made from it.

Menus, shortcuts, the key help and the tests are made from this table, in its order. What does not live here: the
entries but those of Help (`actions_model`, `actions_mask`, `actions_view`), those that depend on files, brushes,
shadings or printers (`menus`), and how things are done (`commands`, the window).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence

from app.widgets import verbs
from app.widgets.action_spec import ActionSpec, Entry
from app.widgets.actions_model import MODEL
from app.widgets.actions_view import VIEW
from app.widgets.icons import icon

if TYPE_CHECKING:
    from app.widgets.main_window import MainWindow

TABLE: dict[str, tuple[Entry, ...]] = {
    **MODEL,
    **VIEW,
    "&Help": (
        ActionSpec(
            "keys",
            "&Keys",
            "Show what the keys and buttons do now",
            lambda w: verbs.show_keys(w, TABLE),
            key="F1",
            icon="keyboard",
        ),
        ActionSpec(
            "hints",
            "Show the &Hints Again",
            "Bring back the three hints of the first start",
            lambda w: w.hints.start_over(),
        ),
        ActionSpec(
            "folder",
            "Open &Settings Folder",
            "Open the folder with your settings and your own printer profiles",
            lambda w: verbs.open_settings_folder(),
        ),
        "-",
        ActionSpec("about", "&About Likeness", "Version and licence", verbs.show_about),
    ),
}


def specs() -> list[ActionSpec]:
    """The table without its lines and places for generated entries."""
    return [entry for entries in TABLE.values() for entry in entries if isinstance(entry, ActionSpec)]


def make_actions(window: MainWindow) -> dict[str, QAction]:
    """One QAction for each entry of the table, added to the window so that its key works while menus are hidden."""
    actions = {}
    for spec in specs():
        action = make_action(window, spec.text, spec.tooltip, spec.key, spec.icon, spec.repeats)
        action.setObjectName(spec.id)
        action.setCheckable(spec.checkable)
        action.triggered.connect(_slot(window, spec))
        actions[spec.id] = action
    return actions


def _slot(window: MainWindow, spec: ActionSpec) -> Callable[..., None]:
    # A plain function: PySide asks a partial for nothing and would leave the new state out.
    def run(on: bool = False) -> None:
        spec.run(window, *((on,) if spec.checkable else ()))

    return run


def make_action(
    window: MainWindow, text: str, tooltip: str, key: str = "", icon_name: str = "", repeats: bool = False
) -> QAction:
    """An action whose tooltip says name, key and sentence, as every tooltip of the program does."""
    action = QAction(text, window)
    action.setAutoRepeat(repeats)
    if icon_name:
        action.setIcon(icon(icon_name))
    if key:
        action.setShortcut(QKeySequence(key))
    action.setToolTip(tooltip_text(action.iconText(), action.shortcut(), tooltip))
    action.setStatusTip("")
    action.setWhatsThis(tooltip)
    window.addAction(action)
    return action


def tooltip_text(name: str, key: QKeySequence, sentence: str) -> str:
    """For example "Inflate (I): Push the surface outward"."""
    native = key.toString(QKeySequence.SequenceFormat.NativeText)
    return f"{name} ({native})\n{sentence}" if native else f"{name}\n{sentence}"
