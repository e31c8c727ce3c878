"""The document: one figurine being made, with everything that belongs to it, and events when it changes.

No Qt here, no files and no dialogs: the application fills a document from files, widgets show it and listen, and the
working copy (`app.project`) follows it.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from app.errors import InvalidInput
from app.mesh.mesh import Mesh
from app.photos.photo import Photo, PhotoView
from app.preflight.profiles import PrinterProfile, profiles
from app.sculpt.history import History
from app.sculpt.symmetry import Symmetry

if TYPE_CHECKING:
    from app.project.content import ProjectContent


@dataclass(frozen=True)
class Mark:
    """A state of the work, to be compared with another one; made by `Document.mark`."""

    step: int
    photos: tuple[tuple[str, PhotoView], ...] = ()
    settings: str = ""


class Document:
    """Mesh, history, photos and job settings of one figurine.

    source_path: the file of the base mesh. project_path: the project file, None before the first Save.
    project_id: the same for as long as the project lives, whatever its file is called.
    Events: opened (another figurine; after all others), mesh_replaced (another Mesh object, or none), surface_changed
    (arrays of the mesh were written), photos_changed, profile_changed, job_changed (`job` is another), modified_changed
    (`modified` is another, or something was saved).
    """

    opened = Signal()
    mesh_replaced = Signal()
    surface_changed = Signal()
    photos_changed = Signal()
    profile_changed = Signal()
    job_changed = Signal()
    modified_changed = Signal()

    def __init__(self, profile: PrinterProfile, history_bytes: int) -> None:
        self._mesh: Mesh | None = None
        self._profile = profile
        self._height_known = False
        self._symmetry = Symmetry()
        self._view: dict[str, Any] = {}
        self._title = ""
        self._was_modified = False
        self.source_path: Path | None = None
        self.project_path: Path | None = None
        self.project_id = uuid.uuid4().hex
        self.photos: list[Photo] = []
        self.history = History(self, history_bytes)
        self._saved: Mark | None = self.mark()
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
        """What the figurine is called: its project file, or else its base mesh, without folder and suffix."""
        if self.project_path is not None:
            return self.project_path.stem
        return self._title or (self.source_path.stem if self.source_path else "figurine")

    # What belongs to the job beside mesh, history and photos

    @property
    def profile(self) -> PrinterProfile:
        """What the printer wants."""
        return self._profile

    @profile.setter
    def profile(self, profile: PrinterProfile) -> None:
        self._profile = profile
        self.profile_changed.emit()
        self._job_changed()

    @property
    def height_known(self) -> bool:
        """Whether the size in mm is what the print is to have."""
        return self._height_known

    @height_known.setter
    def height_known(self, known: bool) -> None:
        if known != self._height_known:
            self._height_known = known
            self._job_changed()

    @property
    def symmetry(self) -> Symmetry:
        """Which mirror planes this figurine is sculpted with, and where they are."""
        return self._symmetry

    @symmetry.setter
    def symmetry(self, symmetry: Symmetry) -> None:
        if symmetry != self._symmetry:
            self._symmetry = symmetry
            self._job_changed()

    @property
    def view(self) -> dict[str, Any]:
        """How the figurine is looked at (camera, shading, photos in front), as JSON values that the window knows.

        It is kept with the project, but looking at something is no work that could be lost.
        """
        return dict(self._view)

    @view.setter
    def view(self, view: Mapping[str, Any]) -> None:
        if dict(view) != self._view:
            self._view = dict(view)
            self._job_changed()

    @property
    def job(self) -> dict[str, Any]:
        """The job's settings as JSON values, for the project file."""
        return {**self._settings(), "view": self.view}

    def _settings(self) -> dict[str, Any]:
        return {
            "profile": self._profile.id,
            "height_known": self._height_known,
            "source": str(self.source_path) if self.source_path else None,
            "mirror": {
                "axes": list(self._symmetry.axes),
                "origin": list(self._symmetry.origin),
                "radial": self._symmetry.radial,
                "radial_axis": self._symmetry.radial_axis,
            },
        }

    def _take_job(self, job: Mapping[str, Any]) -> None:
        """Settings from a project file; what is missing or makes no sense stays as it is for a new figurine."""
        source, view = job.get("source"), job.get("view")
        self.source_path = Path(source) if isinstance(source, str) and source else None
        self._profile = profiles().get(str(job.get("profile")), self._profile)
        self._height_known = job.get("height_known") is True
        self._symmetry = _symmetry(job.get("mirror"))
        self._view = dict(view) if isinstance(view, Mapping) else {}

    # Opening

    def open(self, mesh: Mesh, path: Path, *, height_known: bool, keep_photos: bool = False) -> None:
        """Begin a new project from a base mesh: all starts over but the printer profile.

        keep_photos: those that are there were put there for this mesh; they count as work that is in no file.
        """
        self.source_path, self.project_path, self._title = path, None, ""
        self.project_id = uuid.uuid4().hex
        self._height_known, self._symmetry, self._view = height_known, Symmetry(), {}
        self.history.clear()
        if not keep_photos:
            self.photos = []
        self._saved = Mark(self.history.state, (), self.mark().settings)
        self._opened(mesh)

    def open_project(self, content: ProjectContent, path: Path | None, *, title: str = "") -> None:
        """Go on with a project. path: its file; None where Save has to ask for one, and then `title` is its name.

        content.unsaved: it holds work that its file does not, as after a recovery.
        """
        self._take_job(content.job)
        self.project_path, self.project_id, self._title = path, content.project_id, title
        self.photos = list(content.photos)
        self.history.restore(content.steps, content.position)
        self._saved = None if content.unsaved else self.mark()
        self._opened(content.mesh)

    def _opened(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.photos_changed.emit()
        self.profile_changed.emit()
        self._job_changed()
        self.opened.emit()

    # Saving

    def mark(self) -> Mark:
        """The work as it is now, for `saved` when it has been written."""
        photos = tuple((photo.id, photo.view) for photo in self.photos)
        return Mark(self.history.state, photos, json.dumps(self._settings(), sort_keys=True))

    def saved(self, mark: Mark, path: Path | None = None) -> None:
        """Say that the work of `mark` is in the project file; at `path` from now on, if that is given."""
        if path is not None:
            self.project_path = path
        self._saved = mark
        self._was_modified = self.modified
        self.modified_changed.emit()

    @property
    def modified(self) -> bool:
        """Whether there is work that no project file holds.

        Settings alone are no work before there is a project: who only checks a file is not asked whether to save.
        """
        if self._saved is None:
            return True
        now = self.mark()
        work = (now.step, now.photos) != (self._saved.step, self._saved.photos)
        return work or (self.project_path is not None and now.settings != self._saved.settings)

    # Changing

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
        """Replace the list of photos, or say that the view of one of them changed."""
        self.photos = list(photos)
        self.photos_changed.emit()
        self._check_modified()

    def _job_changed(self) -> None:
        self.job_changed.emit()
        self._check_modified()

    def _check_modified(self) -> None:
        if self.modified != self._was_modified:
            self._was_modified = self.modified
            self.modified_changed.emit()


def _symmetry(stored: Any) -> Symmetry:
    try:
        x, y, z = (axis is True for axis in stored["axes"])
        ox, oy, oz = (float(part) for part in stored["origin"])
        radial, radial_axis = int(stored.get("radial", 1)), str(stored.get("radial_axis", Symmetry.radial_axis))
        symmetry = Symmetry((x, y, z), (ox, oy, oz), radial, radial_axis)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, InvalidInput):
        return Symmetry()
    return symmetry if all(map(math.isfinite, symmetry.origin)) else Symmetry()
