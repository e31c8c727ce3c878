"""Steps of the history, steps that replace the whole mesh, and the printer profile.

What does not live here: strokes (`app.widgets.sculpt_controller`), undo itself (`app.sculpt.history`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtWidgets import QMessageBox

from app.application.desk import Desk
from app.errors import LikenessError
from app.mesh.colors import colors_from_texture, with_vertex_colors
from app.mesh.mesh import Mesh
from app.mesh.transform import placed_on_ground, rotated, scaled_to_height
from app.preflight.profiles import profile
from app.sculpt import masking
from app.sculpt.face_sets import shows_anything
from app.sculpt.masking import Change
from app.widgets.height_dialog import remember_height

PROFILE = "printer/profile"
_SAME_MM = 1e-3
_SMALL = 0.01


class Modelling:
    """See `app.widgets.commands.ModelCommands` for the verbs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def undo(self) -> None:
        if self._desk.idle and not self._desk.window.transform.undo() and self._desk.ready():
            self._move(self._desk.document.undo)

    def redo(self) -> None:
        if self._desk.idle and not self._desk.window.transform.redo() and self._desk.ready():
            self._move(self._desk.document.redo)

    def go_to(self, position: int) -> None:
        # A transform that is applied takes the place of the steps that were undone.
        if self._desk.ready() and position <= len(self._desk.document.history.steps):
            self._move(lambda: self._desk.document.go_to(position))

    def _move(self, move: Callable[[], None]) -> None:
        try:
            move()
        except LikenessError as error:  # a step of a damaged project file
            self._desk.document.surface_changed.emit()
            self._desk.show(error)

    def set_height(self, height_mm: float) -> None:
        document = self._desk.document

        def scale(mesh: Mesh) -> Mesh:
            return placed_on_ground(scaled_to_height(mesh, height_mm))

        has_it = document.mesh is not None and abs(float(document.mesh.size()[2]) - height_mm) < _SAME_MM
        if has_it or self._replace(f"Height {height_mm:.1f} mm", scale):
            document.height_known = True
            remember_height(self._desk.settings, document.source_path, height_mm)

    def turn(self, axis: str, degrees: float) -> None:
        self._replace(
            f"Turn {degrees:+.0f}° about {axis.upper()}",
            lambda mesh: placed_on_ground(rotated(mesh, rotation_matrix(axis, degrees))),
        )

    def place_on_ground(self) -> None:
        self._replace("Place on Ground", placed_on_ground)

    def colors_from_texture(self) -> None:
        if self._replace("Colour onto Vertices", lambda mesh: with_vertex_colors(mesh, colors_from_texture(mesh))):
            self._desk.window.viewport.set_shading("color")

    def clear_mask(self) -> None:
        self.make(Change("Clear Mask", "mask", masking.cleared, "Nothing is masked"))

    def invert_mask(self) -> None:
        self.make(Change("Invert Mask", "mask", masking.inverted, "All that is not hidden is half masked"))

    def make(self, change: Change) -> None:
        document = self._desk.document
        mesh = document.mesh
        if mesh is None or not self._desk.ready():
            return
        try:
            values = change.values(mesh)
        except LikenessError as error:
            self._desk.show(error)
            return
        if change.attribute == "hidden" and not shows_anything(mesh, values):
            self._desk.say(f"{change.label} would hide the whole model, so nothing was hidden")
        elif masking.write(document.history, mesh, change.label, change.attribute, values):
            document.surface_changed.emit()
            self._desk.say(f"{change.label}: {_state(mesh, change.attribute)}")
        else:
            self._desk.say(f"{change.label}: {change.nothing}")

    def _replace(self, label: str, change: Callable[[Mesh], Mesh]) -> bool:
        mesh = self._desk.document.mesh
        if mesh is None or not self._desk.ready():
            return False
        try:
            self._desk.document.history.replace_mesh(label, change(mesh))
        except LikenessError as error:
            self._desk.show(error)
            return False
        return True

    def offer_vertex_colors(self, brush_label: str) -> None:
        """A brush met a model whose colour is not on its vertices: ask whether it may be moved there."""
        mesh = self._desk.document.mesh
        if mesh is None:
            return
        text = (
            f"This model keeps its colour in a texture, and {brush_label} works on vertices. Move the texture's colour "
            "onto the vertices? Detail finer than the mesh is lost; Undo brings the texture back."
            if mesh.has_texture
            else f"This model has no colours yet, and {brush_label} works on those of vertices. Give it some?"
        )
        box = QMessageBox(QMessageBox.Icon.Question, brush_label, text, parent=self._desk.window)
        verb = "Move Colour" if mesh.has_texture else "Add Colours"
        move = box.addButton(verb, QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is move:
            self.colors_from_texture()

    def set_profile(self, profile_id: str) -> None:
        try:
            self._desk.document.profile = profile(profile_id)
        except LikenessError as error:
            self._desk.show(error)
            return
        self._desk.settings.set(PROFILE, profile_id)


def _state(mesh: Mesh, attribute: str) -> str:
    """What the model is like after a change of mask, face sets or visibility, in a few words."""
    if attribute == "face_sets":
        count = len(np.unique(mesh.face_sets[mesh.face_sets > 0]))
        return f"the model has {count:,} face set{'' if count == 1 else 's'}"
    share = float(mesh.attribute(attribute).mean())
    if attribute == "hidden":
        return f"{_percent(share)} of the model is hidden" if share else "all of the model is visible"
    return f"{_percent(share)} of the model is protected" if share else "nothing is protected any more"


def _percent(share: float) -> str:
    return "less than 1 %" if share < _SMALL else f"{100 * share:.0f} %"


def rotation_matrix(axis: str, degrees: float) -> np.ndarray:
    """(3, 3) float64, right-handed about "x", "y" or "z"; exact for multiples of 90 degrees."""
    a, b = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    quarter = degrees / 90.0
    if quarter == round(quarter):
        cos, sin = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)][round(quarter) % 4]
    else:
        cos, sin = float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = cos
    matrix[a, b], matrix[b, a] = -sin, sin
    return matrix
