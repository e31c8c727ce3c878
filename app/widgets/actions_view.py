"""The menus about what is around the model: photos, camera, panels, the printer.

What does not live here: what changes the model (`actions_model`), how the entries become menus (`actions`, `menus`).
"""

from __future__ import annotations

from app.widgets import verbs
from app.widgets.action_spec import ActionSpec, Entry

VIEW: dict[str, tuple[Entry, ...]] = {
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
            "Bring all that is not hidden into sight, as large as fits",
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
        ActionSpec(
            "sets-visible",
            "Face &Sets",
            "Tint each face set in a pale colour of its own",
            lambda w, on: w.viewport.set_face_sets_visible(on),
            checkable=True,
        ),
        ActionSpec(
            "walls",
            "Wall &Thickness",
            "Colour the model by how thick it is: where it breaks, and where colours shift",
            lambda w, on: w.wall_view.set_shown(on),
            key="Ctrl+Shift+T",
            checkable=True,
            needs="mesh",
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
}
