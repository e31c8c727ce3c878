"""What the window may ask for: the one list of verbs between the widgets and the application.

What lives here: the protocols. What does not: how a verb is carried out (`app.application`), which key or menu asks
for it (`actions`). A command returns at once; what takes long runs as a job (`jobs.JobRunner`) and ends in an event of
the document, or in an error that the application shows. Commands raise nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from app.project.sessions import Recoverable
from app.sculpt.masking import Change

Then = Callable[[], object]


class OpenCommands(Protocol):
    """Meshes and projects."""

    def open_file(self, path: Path, photos: Sequence[Path] = ()) -> None:
        """Open a mesh or a project in place of the present one, after asking about unsaved work.

        photos: files that came along with a mesh, to stand beside it.
        """

    def open_sample(self) -> None:
        """Open the sample base mesh that ships with the program."""


class SaveCommands(Protocol):
    """The project file and the working copy."""

    def save(self) -> None:
        """Save into the project's file; ask for one where there is none."""

    def save_as(self, path: Path) -> None:
        """Save into another file, and go on with that."""

    def save_copy(self, path: Path) -> None:
        """Save into another file, and go on with the present one."""

    def proposed_path(self) -> Path:
        """Where the first Save goes: beside the source file, named after it."""

    def settle(self, then: Then) -> bool:
        """Whether the work in hand may go. Asks if it is in no file; after "Save" calls `then` when it is saved."""

    def keep_again(self) -> None:
        """Try again at once to write the working copy."""

    def keep_elsewhere(self, folder: Path) -> None:
        """Go on with the working copy in another folder."""


class RecoveryCommands(Protocol):
    """Work of windows that ended without closing."""

    def recoverable(self) -> Sequence[Recoverable]:
        """What there is, newest first."""

    def recover(self, left: Recoverable, file: Path | None = None) -> None:
        """Open it in place of the present work. file: what Likeness was started with; offered afterwards."""

    def copy_recoverable(self, left: Recoverable, path: Path) -> None:
        """Write it into a project file, and keep it."""

    def discard_recoverable(self, left: Recoverable) -> None:
        """Delete it."""


class ExportCommands(Protocol):
    """The file for the printer."""

    def export(self) -> None:
        """Export for the active printer profile beside the source file; the window shows the report."""

    def export_as(self, path: Path) -> None:
        """Export for the active printer profile to this file."""

    def proposed_export(self) -> Path:
        """Where `export` would write: beside the source file, named after it and its height."""


class ModelCommands(Protocol):
    """Steps of the history, and the printer they are for."""

    def undo(self) -> None:
        """Take back the last step; nothing where there is none, or while a stroke is in hand."""

    def redo(self) -> None:
        """Apply the next step again."""

    def go_to(self, position: int) -> None:
        """Undo or redo up to a position in the history; 0 is the state that was opened."""

    def set_height(self, height_mm: float) -> None:
        """Scale the model to this height along Z and remember it for the file."""

    def turn(self, axis: str, degrees: float) -> None:
        """Turn the model about "x", "y" or "z" (right-handed) and put it on the ground."""

    def place_on_ground(self) -> None:
        """Centre the model over the origin with its lowest point at z = 0."""

    def colors_from_texture(self) -> None:
        """Move the texture's colour onto the vertices, so that Paint can change it."""

    def clear_mask(self) -> None:
        """Unprotect everything."""

    def invert_mask(self) -> None:
        """Protect what is not protected and the other way round."""

    def make(self, change: Change) -> None:
        """Change mask, face sets or visibility all over the model, as one step; or say why there is nothing to do."""

    def set_profile(self, profile_id: str) -> None:
        """Make a printer profile the active one, and remember it for new figurines."""


class OperationCommands(Protocol):
    """Operations on the whole mesh."""

    def operate(self, operation_id: str, values: Mapping[str, Any] | None = None) -> None:
        """Run an operation of `app.operations` as a job; its result is one step of the history.

        values: by parameter; those not given are the declaration's.
        """


@dataclass(frozen=True)
class Commands:
    """All verbs; made by the application, called by widgets, which never hold the application itself."""

    opening: OpenCommands
    saving: SaveCommands
    recovery: RecoveryCommands
    exporting: ExportCommands
    model: ModelCommands
    operating: OperationCommands
