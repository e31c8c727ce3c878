"""What the entries of the mask and face set menus do: which change, where the pointer is, what to ask first.

What does not live here: the entries (`actions_mask`), computing the changes (`app.sculpt`), making them (`commands`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, Qt

from app.mesh.mesh import Mesh
from app.mesh.raycast import Hit, cast
from app.operations.operation import Choice, Number, Operation
from app.sculpt import face_sets, masking
from app.sculpt.masking import Change
from app.widgets.mask_outline import Outline, OutlineKind, selected
from app.widgets.operation_dialog import OperationDialog

if TYPE_CHECKING:
    from app.widgets.main_window import MainWindow

_NO_SHELLS = "every connected part already is a set"
CHANGES = {
    "grow-mask": Change("Grow Mask", "mask", masking.grown, "there is no edge to grow"),
    "shrink-mask": Change("Shrink Mask", "mask", masking.shrunk, "there is no edge to shrink"),
    "blur-mask": Change("Blur Mask", "mask", masking.blurred, "there is no edge to soften"),
    "sharpen-mask": Change("Sharpen Mask", "mask", masking.sharpened, "its edge is as hard as can be"),
    "mask-cavity": Change(
        "Mask Cavities",
        "mask",
        lambda mesh: masking.added(mesh, masking.by_cavity(mesh)),
        "all hollows are protected already",
    ),
    "mask-ridges": Change(
        "Mask Ridges",
        "mask",
        lambda mesh: masking.added(mesh, masking.by_cavity(mesh, ridges=True)),
        "all ridges are protected already",
    ),
    "sets-from-mask": Change("Face Set from Mask", "face_sets", face_sets.from_mask, "nothing is masked"),
    "sets-from-shells": Change("Face Sets from Shells", "face_sets", face_sets.from_shells, _NO_SHELLS),
    "sets-from-materials": Change(
        "Face Sets from Materials", "face_sets", face_sets.from_materials, "every material already is a set"
    ),
    "clear-sets": Change("Clear Face Sets", "face_sets", face_sets.cleared, "the model has no face sets"),
    "hide-masked": Change("Hide Masked", "hidden", face_sets.hide_masked, "nothing is masked by half or more"),
    "invert-visible": Change("Invert Visibility", "hidden", face_sets.invert_visibility, "nothing is hidden"),
    "show-all": Change("Show All", "hidden", face_sets.show_all, "nothing is hidden"),
}
# What happens at one vertex: vertex, its face set -> the change.
_AT: dict[str, Callable[[int, float], Change]] = {
    "mask-connected": lambda vertex, _: Change(
        "Mask Connected Part",
        "mask",
        lambda mesh: masking.added(mesh, masking.by_connection(mesh, vertex)),
        "the part is protected already",
    ),
    "grow-set": lambda _, number: Change(
        "Grow Face Set", "face_sets", lambda mesh: face_sets.grown(mesh, number), "there is no other set beside it"
    ),
    "shrink-set": lambda _, number: Change(
        "Shrink Face Set", "face_sets", lambda mesh: face_sets.shrunk(mesh, number), "there is no other set beside it"
    ),
    "hide-set": lambda _, number: Change(
        "Hide Face Set", "hidden", lambda mesh: face_sets.hide(mesh, number), "the set is hidden already"
    ),
    "isolate-set": lambda _, number: Change(
        "Isolate Face Set", "hidden", lambda mesh: face_sets.isolate(mesh, number), "only this set is visible already"
    ),
}
_WAYS = (("viewer", "Toward you"), ("up", "Up"), ("down", "Down"), ("front", "To the front"), ("back", "To the back"))
_DIRECTIONS = {"up": (0, 0, 1), "down": (0, 0, -1), "front": (0, -1, 0), "back": (0, 1, 0)}


def make(action_id: str, window: MainWindow) -> None:
    """One of CHANGES."""
    window.commands.model.make(CHANGES[action_id])


def at_pointer(window: MainWindow, action_id: str, place: QPointF | None = None) -> None:
    """A change about the part or set under the pointer. place: logical pixels of the viewport, in place of that."""
    hit = _hit(window, place)
    mesh = window.document.mesh
    if hit is None or mesh is None:
        window.show_message("Hold the pointer over the model and press the key, or right-click the place")
        return
    vertex = _nearest(mesh, hit)
    window.commands.model.make(_AT[action_id](vertex, float(mesh.face_sets[vertex])))


def ask_color(window: MainWindow) -> None:
    """Ask how far colours may differ, then mask those near the colour under the pointer, or near the brush's."""
    mesh, hit = window.document.mesh, _hit(window)
    color = np.asarray(window.hand.options.color, np.float64)
    if mesh is not None and mesh.colors is not None and hit is not None:
        color = hit.weights @ mesh.colors[mesh.triangles[hit.triangle]]
    tooltip = "2 is just visible; black to white is 100"
    tolerance = Number("tolerance", "Difference", "ΔE", 1.0, 60.0, 12.0, tooltip)
    form = _form("Mask by Colour", "Protects all that differs at most so much from the colour", tolerance)

    def run(values: dict[str, Any]) -> None:
        def changed(mesh: Mesh) -> np.ndarray:
            return masking.added(mesh, masking.by_color(mesh, color, values["tolerance"]))

        window.commands.model.make(Change("Mask by Colour", "mask", changed, "nothing more has that colour"))

    _ask(window, form, run)


def ask_normal(window: MainWindow) -> None:
    """Ask which way and how far off it, then mask what faces that way."""
    form = _form(
        "Mask by Direction",
        "Protects all that faces one way",
        Choice("way", "Facing", _WAYS, "viewer", "Which way the protected surface faces"),
        Number("angle", "Angle", "°", 0.0, 170.0, 45.0, "How far off that way it may face"),
    )

    def run(values: dict[str, Any]) -> None:
        viewer = -window.viewport.camera.axes()[2]
        direction = np.asarray(_DIRECTIONS.get(values["way"], viewer), np.float64)

        def changed(mesh: Mesh) -> np.ndarray:
            return masking.added(mesh, masking.by_normal(mesh, direction, values["angle"]))

        window.commands.model.make(Change("Mask by Direction", "mask", changed, "nothing more faces that way"))

    _ask(window, form, run)


def start_outline(window: MainWindow, kind: OutlineKind) -> None:
    """Let the user draw a box or lasso, then mask what lies in it."""
    window.mask_outline.start(kind, lambda outline: _mask_within(window, outline))
    shape = "Drag a box over" if kind == "box" else "Draw a line around"
    window.show_message(
        f"{shape} what to protect: what is in sight, or all the way through with Shift. Ctrl frees it, Esc ends"
    )


def _mask_within(window: MainWindow, outline: Outline) -> None:
    camera, size = window.viewport.camera, window.viewport.picture_size()

    def changed(mesh: Mesh) -> np.ndarray:
        combine = masking.removed if outline.frees else masking.added
        return combine(mesh, selected(mesh, camera, size, outline))

    label = "Unmask" if outline.frees else "Mask"
    shape = "Box" if outline.kind == "box" else "Lasso"
    nothing = "nothing in it is protected" if outline.frees else "it holds nothing that is free"
    window.commands.model.make(Change(f"{shape} {label}", "mask", changed, nothing))


def _hit(window: MainWindow, place: QPointF | None = None) -> Hit | None:
    hover, mesh = window.controller.last_hover, window.document.mesh
    if place is None and hover is not None:
        place = QPointF(hover.x, hover.y)
    if mesh is None or place is None:
        return None
    return cast(mesh, *window.viewport.ray(place.x(), place.y()))


def _nearest(mesh: Mesh, hit: Hit) -> int:
    return int(mesh.triangles[hit.triangle][int(np.argmax(hit.weights))])


def _form(label: str, tooltip: str, *parameters: Choice | Number) -> Operation:
    """A form as operations have it; it makes no new mesh."""
    return Operation(label, label, "", tooltip, lambda mesh, progress: mesh, tuple(parameters))


def _ask(window: MainWindow, form: Operation, run: Callable[[dict[str, Any]], None]) -> None:
    dialog = OperationDialog(form, form.defaults(), form.defaults(), run, window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()
