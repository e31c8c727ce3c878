"""The document: one figurine being made, with everything that belongs to it, and events when it changes.

No Qt here, no files and no dialogs: the application fills a document from files, widgets show it and listen.
"""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal

from app.mesh.mesh import Mesh
from app.photos.photo import Photo
from app.preflight.profiles import PrinterProfile
from app.sculpt.history import History, Step


class Document:
    """Mesh, history, photos and printer profile of one figurine.

    Events: mesh_replaced (another Mesh object, or none), surface_changed (arrays of the mesh were written),
    photos_changed, profile_changed, modified_changed.
    """

    mesh_replaced = Signal()
    surface_changed = Signal()
    photos_changed = Signal()
    profile_changed = Signal()
    modified_changed = Signal()

    def __init__(self, profile: PrinterProfile, history_bytes: int) -> None:
        self._mesh: Mesh | None = None
        self._profile = profile
        self._exported_step: Step | None = None
        self._was_modified = False
        self.path: Path | None = None
        self.height_known = False
        self.photos: list[Photo] = []
        self.history = History(self, history_bytes)
        self.history.changed.connect(self._check_modified)

    @property
    def mesh(self) -> Mesh | None:
        """The mesh in hand; None before anything is open."""
        return self._mesh

    @mesh.setter
    def mesh(self, mesh: Mesh | None) -> None:
        self._mesh = mesh
        self.mesh_replaced.emit()

    @property
    def name(self) -> str:
        """The file's name without folder and suffix, for titles and proposed export names."""
        return self.path.stem if self.path else "figurine"

    @property
    def profile(self) -> PrinterProfile:
        """What the printer wants."""
        return self._profile

    @profile.setter
    def profile(self, profile: PrinterProfile) -> None:
        self._profile = profile
        self.profile_changed.emit()

    @property
    def last_step(self) -> Step | None:
        """The last step that is done; None at the state that was opened."""
        position = self.history.position
        return self.history.steps[position - 1] if position else None

    @property
    def modified(self) -> bool:
        """Whether there is work that no export holds."""
        return self.last_step is not self._exported_step

    def open(self, mesh: Mesh, path: Path, *, height_known: bool) -> None:
        """Begin with a new mesh: the history starts over, photos and profile stay."""
        self.path, self.height_known = path, height_known
        self.history.clear()
        self._exported_step = None
        self.mesh = mesh
        self._check_modified()

    def exported(self, step: Step | None) -> None:
        """Say that the model as it was after `step` (None: as it was opened) is safely in a file."""
        self._exported_step = step
        self._check_modified()

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        if self.history.undo() is not None:
            self.surface_changed.emit()

    def redo(self) -> None:
        """Do the next step again, if there is one."""
        if self.history.redo() is not None:
            self.surface_changed.emit()

    def go_to(self, position: int) -> None:
        """Undo or redo until `position` steps are done."""
        self.history.go_to(position)
        self.surface_changed.emit()

    def set_photos(self, photos: list[Photo]) -> None:
        """Replace the list of photos."""
        self.photos = list(photos)
        self.photos_changed.emit()

    def _check_modified(self) -> None:
        if self.modified != self._was_modified:
            self._was_modified = self.modified
            self.modified_changed.emit()
