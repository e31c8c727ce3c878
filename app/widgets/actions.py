"""Every action of the window in one table: id, menu, text, key, tooltip, and what it does.

Menus, shortcuts, the key help and the tests are made from this table, in its order. What does not live here: the
entries that depend on files, brushes, shadings or printers (`menus`), and how things are done (`commands`, the window).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QAction, QKeySequence

from app.widgets import verbs
from app.widgets.icons import icon

if TYPE_CHECKING:
    from app.widgets.main_window import MainWindow


@dataclass(frozen=True)
class ActionSpec:
    """One entry.

    run: called with the window, and with the new state where the entry is checkable.
    needs: "mesh", "undo", "redo", "texture", "photo", "report": what must be there for the entry to be enabled.
    changes: it changes the document, so it waits while a job runs. repeats: holding the key repeats it.
    """

    id: str
    text: str
    tooltip: str
    run: Callable[..., Any]
    key: str = ""
    icon: str = ""
    checkable: bool = False
    needs: str = ""
    changes: bool = False
    repeats: bool = False


# Menus by title; the letter after & opens one together with Alt, so M stays free for Alt+M.
# "-" is a line, "+id" shows an entry of another menu again, "@name" stands for entries that `menus` generates.
Entry = ActionSpec | str

TABLE: dict[str, tuple[Entry, ...]] = {
    "&File": (
        ActionSpec(
            "open",
            "&Open…",
            "Open a mesh: GLB, OBJ, PLY, STL or 3MF",
            verbs.open_mesh,
            key="Ctrl+O",
            icon="open",
            changes=True,
        ),
        "@recent",
        ActionSpec(
            "open-sample",
            "Open &Sample",
            "Open the sample base mesh that comes with Likeness",
            lambda w: w.commands.open_sample(),
            changes=True,
        ),
        "-",
        ActionSpec(
            "export",
            "&Export",
            "Write the file for the printer, read it back and check it",
            lambda w: w.commands.export(),
            key="Ctrl+E",
            icon="export",
            needs="mesh",
            changes=True,
        ),
        ActionSpec(
            "export-as",
            "Export &As…",
            "Export for the printer to a place and name of your choice",
            verbs.export_as,
            key="Ctrl+Shift+E",
            needs="mesh",
            changes=True,
        ),
        "-",
        ActionSpec("quit", "&Quit", "Close the window and end Likeness", lambda w: w.close(), key="Ctrl+Q"),
    ),
    "&Edit": (
        ActionSpec(
            "undo",
            "&Undo",
            "Take the last step back",
            lambda w: w.commands.undo(),
            key="Ctrl+Z",
            icon="undo",
            needs="undo",
            changes=True,
            repeats=True,
        ),
        ActionSpec(
            "redo",
            "&Redo",
            "Do the step that was taken back again",
            lambda w: w.commands.redo(),
            key="Ctrl+Shift+Z",
            icon="redo",
            needs="redo",
            changes=True,
            repeats=True,
        ),
        "-",
        ActionSpec(
            "preferences",
            "&Preferences…",
            "Undo memory, tablet, appearance",
            verbs.show_preferences,
            key="Ctrl+,",
            icon="settings",
        ),
    ),
    "&Brush": (
        "@brushes",
        "-",
        ActionSpec(
            "radius-drag",
            "Set &Radius by Dragging",
            "Move the pointer to change the radius; click takes it, Esc leaves it",
            lambda w: verbs.start_drag(w, "radius"),
            key="F",
            needs="mesh",
        ),
        ActionSpec(
            "strength-drag",
            "Set &Strength by Dragging",
            "Move the pointer to change the strength; click takes it, Esc leaves it",
            lambda w: verbs.start_drag(w, "strength"),
            key="Shift+F",
            needs="mesh",
        ),
        ActionSpec(
            "radius-smaller",
            "S&maller Radius",
            "Make the brush a tenth smaller",
            lambda w: w.hand.scale_radius(1 / w.hand.RADIUS_STEP),
            key="[",
            repeats=True,
        ),
        ActionSpec(
            "radius-larger",
            "&Larger Radius",
            "Make the brush a tenth larger",
            lambda w: w.hand.scale_radius(w.hand.RADIUS_STEP),
            key="]",
            repeats=True,
        ),
        ActionSpec(
            "radius-pixels",
            "Radius in &Pixels",
            "Keep the brush the same size on the screen instead of on the model",
            lambda w, on: w.hand.set_radius_in_pixels(on, verbs.mm_per_pixel(w)),
            checkable=True,
        ),
        "-",
        ActionSpec(
            "invert",
            "&Invert",
            "Turn the brush's effect round; Ctrl does so for one stroke",
            lambda w, on: w.hand.update(invert=on),
            icon="invert",
            checkable=True,
        ),
        ActionSpec(
            "front-faces",
            "&Front Faces Only",
            "Leave alone what faces away from you",
            lambda w, on: w.hand.update(front_faces_only=on),
            icon="front-faces",
            checkable=True,
        ),
        ActionSpec(
            "mirror-x",
            "Mirror &X",
            "Do the same on the other side, left and right",
            lambda w, on: w.hand.set_mirror(0, on),
            key="X",
            checkable=True,
        ),
        ActionSpec(
            "mirror-y",
            "Mirror &Y",
            "Do the same on the other side, front and back",
            lambda w, on: w.hand.set_mirror(1, on),
            key="Y",
            checkable=True,
        ),
        ActionSpec(
            "mirror-z",
            "Mirror &Z",
            "Do the same on the other side, top and bottom",
            lambda w, on: w.hand.set_mirror(2, on),
            key="Z",
            checkable=True,
        ),
        "-",
        ActionSpec(
            "reset-brush",
            "Reset &This Brush",
            "Give the brush in hand the settings it came with",
            lambda w: w.hand.reset(),
        ),
    ),
    "Mas&k": (
        "@mask-brush",
        "-",
        ActionSpec(
            "clear-mask",
            "&Clear Mask",
            "Protect nothing any more",
            lambda w: w.commands.clear_mask(),
            key="Alt+M",
            needs="mesh",
            changes=True,
        ),
        ActionSpec(
            "invert-mask",
            "&Invert Mask",
            "Protect what is free and free what is protected",
            lambda w: w.commands.invert_mask(),
            key="Ctrl+I",
            needs="mesh",
            changes=True,
        ),
        "-",
        ActionSpec(
            "mask-visible",
            "&Show Mask",
            "Darken what the mask protects",
            lambda w, on: w.viewport.set_mask_visible(on),
            icon="mask",
            checkable=True,
        ),
    ),
    "Me&sh": (
        ActionSpec(
            "set-height",
            "Set &Height…",
            "Scale the model evenly to its printed height in mm",
            verbs.set_height,
            key="Ctrl+H",
            icon="height",
            needs="mesh",
            changes=True,
        ),
        "-",
        *(
            ActionSpec(
                f"turn-{axis}{'-back' if degrees < 0 else ''}",
                f"Turn {degrees:+.0f}° about {axis.upper()}".replace("-", "−"),
                f"{sentence} and stand it on the ground",
                lambda w, axis=axis, degrees=degrees: w.commands.turn(axis, degrees),
                needs="mesh",
                changes=True,
            )
            for axis, degrees, sentence in (
                ("x", 90.0, "Tip the model forward by a quarter"),
                ("x", -90.0, "Tip the model back by a quarter"),
                ("y", 90.0, "Tip the model to its left by a quarter"),
                ("y", -90.0, "Tip the model to its right by a quarter"),
                ("z", 90.0, "Turn the model by a quarter, counter-clockwise from above"),
                ("z", -90.0, "Turn the model by a quarter, clockwise from above"),
            )
        ),
        ActionSpec(
            "place-on-ground",
            "Place on &Ground",
            "Centre the model with its lowest point at height 0",
            lambda w: w.commands.place_on_ground(),
            needs="mesh",
            changes=True,
        ),
        "-",
        ActionSpec(
            "colors-from-texture",
            "&Colours from Texture onto Vertices",
            "Move the texture's colour onto the vertices, so that Paint can change it",
            lambda w: w.commands.colors_from_texture(),
            needs="texture",
            changes=True,
        ),
    ),
    "&Photo": (
        ActionSpec(
            "add-photos",
            "&Add Photos…",
            "Put photos of the customer beside the model",
            lambda w: w.photo_panel.choose_files(),
            key="Ctrl+P",
            icon="photo-add",
        ),
        ActionSpec(
            "paste-photo",
            "&Paste Photo",
            "Add the image on the clipboard as a photo",
            lambda w: w.photo_panel.paste(),
            key="Ctrl+V",
        ),
        "-",
        ActionSpec(
            "photo-panel",
            "&Show Photos",
            "Show or hide the photos",
            lambda w, on: w.photo_place.set_shown(on),
            key="Ctrl+Tab",
            icon="photo",
            checkable=True,
        ),
        ActionSpec(
            "photo-left",
            "Photos on the &Left",
            "Put the photos on the left of the model instead of the right",
            lambda w, on: w.photo_place.set_on_left(on),
            checkable=True,
        ),
        ActionSpec(
            "photo-window",
            "Photos in Their Own &Window",
            "Move the photos to a window for a second screen",
            lambda w, on: w.photo_place.set_detached(on),
            key="Ctrl+Shift+P",
            icon="detach",
            checkable=True,
        ),
    ),
    "&View": (
        ActionSpec(
            "frame-all",
            "Frame &All",
            "Bring the whole model into sight",
            lambda w: w.viewport.frame_all(),
            key="Home",
            icon="frame",
            needs="mesh",
        ),
        *(
            ActionSpec(
                f"view-{name}",
                name.capitalize(),
                f"Look at the model from {where}",
                lambda w, name=name: w.viewport.standard_view(name),
                key=key,
                needs="mesh",
            )
            for name, where, key in (
                ("front", "the front", "1"),
                ("back", "behind", "Ctrl+1"),
                ("right", "its right side on the screen", "3"),
                ("left", "its left side on the screen", "Ctrl+3"),
                ("top", "above", "7"),
                ("bottom", "below", "Ctrl+7"),
            )
        ),
        ActionSpec(
            "orthographic",
            "&Orthographic",
            "Look without perspective, for comparing lengths",
            lambda w, on: w.viewport.set_parallel(on),
            key="5",
            checkable=True,
        ),
        "-",
        "@shadings",
        ActionSpec(
            "wireframe",
            "&Wireframe",
            "Draw the triangles' edges over the surface",
            lambda w, on: w.viewport.set_wireframe(on),
            key="Shift+W",
            icon="wireframe",
            checkable=True,
        ),
        ActionSpec(
            "flat",
            "&Flat Triangles",
            "Shade each triangle evenly, to judge the mesh itself",
            lambda w, on: w.viewport.set_flat(on),
            checkable=True,
        ),
        "@backgrounds",
        "-",
        ActionSpec(
            "panels",
            "&Panels",
            "Show or hide everything around the model",
            lambda w, on: w.set_panels_shown(on),
            key="Tab",
            checkable=True,
        ),
        "@docks",
        ActionSpec(
            "light-theme",
            "&Light Window",
            "Light grey panels instead of dark ones",
            lambda w, on: w.settings.set("theme/dark", not on),
            checkable=True,
        ),
        ActionSpec(
            "full-screen",
            "F&ull Screen",
            "Give the window the whole screen",
            verbs.set_full_screen,
            key="F11",
            checkable=True,
        ),
    ),
    "P&rint": (
        "@profiles",
        "-",
        ActionSpec(
            "check",
            "&Check Model",
            "Compare the model with what the printer wants",
            verbs.show_check,
            key="Ctrl+K",
            icon="check",
            needs="mesh",
        ),
        "+export",
        "+export-as",
        ActionSpec(
            "last-report",
            "Last Export &Report",
            "Show again what was checked at the last export",
            verbs.show_last_report,
            needs="report",
        ),
    ),
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
