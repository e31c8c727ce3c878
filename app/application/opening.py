"""Opening base meshes: how tall the figure is, which side is up, and the photos that came along.

Projects are opened by `projects`. What does not live here: reading files (`app.formats`), the dialog (`height_dialog`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.application.desk import Desk
from app.application.keeping import Keeping
from app.application.modelling import Modelling, rotation_matrix
from app.application.projects import Projects
from app.application.saving import Saving
from app.document import Mark
from app.formats.opening import Opened, open_in_worker
from app.mesh.transform import placed_on_ground, rotated, scaled_to_height
from app.project.saving import BACKUP_SUFFIX, SUFFIX
from app.resources import resource
from app.settings import Settings
from app.widgets.height_dialog import Turn, ask_height, proposed_height, remembered_height

SAMPLE = "sample/bust.glb"
SAMPLE_HEIGHT_MM = 100.0
_TURNS = "turn/by_file"


class Opening:
    """See `app.widgets.commands.OpenCommands` for the verbs."""

    def __init__(self, desk: Desk, keeping: Keeping, projects: Projects, saving: Saving, modelling: Modelling) -> None:
        self._desk, self._keeping = desk, keeping
        self._projects, self._saving, self._modelling = projects, saving, modelling

    def open_file(self, path: Path, photos: Sequence[Path] = ()) -> None:
        path = Path(path).absolute()
        if path.name.lower().endswith((SUFFIX, BACKUP_SUFFIX)):
            self._projects.open_project(path, photos)
        elif self._desk.ready() and (self._only_photos or self._saving.settle(lambda: self.open_file(path, photos))):
            mark = self._desk.document.mark()
            self._desk.run(
                f"Opening {path.name}",
                lambda progress, cancelled: open_in_worker(path, progress, cancelled),
                lambda opened: self._opened(opened, mark, photos),
            )

    def open_sample(self) -> None:
        self.open_file(resource(SAMPLE))

    @property
    def _only_photos(self) -> bool:
        """Whether nothing has been done yet but to lay photos out, for the mesh that is to come."""
        document = self._desk.document
        return document.project_path is None and not document.history.steps

    def _opened(self, opened: Opened, mark: Mark, photos: Sequence[Path]) -> None:
        document, window, path = self._desk.document, self._desk.window, opened.path
        window.controller.cancel()
        # The hand may have gone on while the file was read.
        if document.mark() != mark and not self._saving.settle(lambda: self._opened(opened, document.mark(), photos)):
            return
        keep_photos = self._only_photos and bool(document.photos)
        height = remembered_height(self._desk.settings, path)
        if height is None and path == resource(SAMPLE):
            height = SAMPLE_HEIGHT_MM  # the first thing that anyone sees is the bust, not a question
        opened.mesh = rotated(opened.mesh, self._remembered_turn(path))
        self._keeping.let_go()
        try:
            self._begin(opened, height, keep_photos)
        finally:
            self._keeping.begin()
        if photos:
            window.photo_panel.add(photos)

    def _begin(self, opened: Opened, height: float | None, keep_photos: bool) -> None:
        known = opened.unit_known or height is not None
        if height is None and not known:
            height = proposed_height(self._desk.settings)
        self._show_mesh(opened, height, known=known, keep_photos=keep_photos)
        self._desk.window.opened(opened.path, opened.notes)
        self._say_more(opened.path, keep_photos)
        if known:
            return

        # Asked with the model in sight; Cancel leaves the question for the export.
        def turn(axis: str, degrees: float) -> list[float]:
            matrix = rotation_matrix(axis, degrees)
            opened.mesh = rotated(opened.mesh, matrix)
            self._remember_turn(opened.path, matrix @ self._remembered_turn(opened.path))
            self._show_mesh(opened, height, known=False, keep_photos=True)
            return opened.mesh.size().tolist()

        answer = self._ask(opened.mesh.size(), opened.path, turn)
        if answer is not None:
            self._show_mesh(opened, answer, known=True, keep_photos=True)

    def _say_more(self, path: Path, keep_photos: bool) -> None:
        project = path.with_suffix(SUFFIX)
        if project.is_file():
            self._desk.window.message_bar.note(
                f"This is the base mesh. There is a project of it too: {project.name}",
                "Open Project",
                lambda: self.open_file(project),
            )
        elif keep_photos:
            self._desk.say("The photos stay beside the new model; Del in the photo panel takes one away")

    def ask_height(self) -> float | None:
        """Ask how tall the present model is to be, and make it so; None when the user cancels."""
        document = self._desk.document
        if document.mesh is None:
            return None
        height = self._ask(document.mesh.size(), document.source_path)
        if height is not None:
            self._modelling.set_height(height)
        return height

    def _ask(self, size_mm: np.ndarray, path: Path | None, turn: Turn | None = None) -> float | None:
        desk = self._desk
        sold = desk.document.profile.products
        return ask_height(desk.window, desk.settings, size_mm, path, known=False, sold_mm=sold, turn=turn)

    def _show_mesh(self, opened: Opened, height: float | None, *, known: bool, keep_photos: bool) -> None:
        mesh = opened.mesh if height is None else scaled_to_height(opened.mesh, height)
        self._desk.document.open(placed_on_ground(mesh), opened.path, height_known=known, keep_photos=keep_photos)

    def _remembered_turn(self, path: Path) -> np.ndarray:
        """(3, 3): how this file was turned when it was opened before."""
        try:
            matrix = np.array(_turns(self._desk.settings)[str(path)], np.float64).reshape(3, 3)
        except (KeyError, TypeError, ValueError):
            return np.eye(3)
        return matrix if np.allclose(matrix @ matrix.T, np.eye(3)) else np.eye(3)

    def _remember_turn(self, path: Path, matrix: np.ndarray) -> None:
        others = {key: value for key, value in _turns(self._desk.settings).items() if key != str(path)}
        self._desk.settings.set(_TURNS, {**others, str(path): matrix.ravel().tolist()})


def _turns(settings: Settings) -> dict[str, Any]:
    nothing: dict[str, Any] = {}
    return settings.get(_TURNS, nothing)
