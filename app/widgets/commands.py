"""What the window may ask for: the one list of verbs between the widgets and the application.

What lives here: the protocol. What does not: how a verb is carried out (`app.application`), which key or menu asks
for it (`actions`). A command returns at once; what takes long runs as a job (`jobs.JobRunner`) and ends in an event of
the document, or in an error that the application shows. Commands raise nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Commands(Protocol):
    """Implemented by the application; widgets call it and never hold the application itself."""

    # Files
    def open_file(self, path: Path) -> None:
        """Open a mesh in place of the present one, after asking about changes that were not exported."""

    def open_sample(self) -> None:
        """Open the sample base mesh that ships with the program."""

    def export(self) -> None:
        """Export for the active printer profile beside the source file; the window shows the report."""

    def export_as(self, path: Path) -> None:
        """Export for the active printer profile to this file."""

    def proposed_export(self) -> Path:
        """Where `export` would write: beside the source file, named after it and its height."""

    # History
    def undo(self) -> None:
        """Take back the last step; nothing where there is none, or while a stroke is in hand."""

    def redo(self) -> None:
        """Apply the next step again."""

    def go_to(self, position: int) -> None:
        """Undo or redo up to a position in the history; 0 is the state that was opened."""

    # Whole-mesh steps, each one undoable
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

    # Printer
    def set_profile(self, profile_id: str) -> None:
        """Make a printer profile the active one, and remember it."""
