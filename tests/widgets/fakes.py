"""A window on a small model, and commands that write down what they were asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.document import Document


class RecordedCommands:
    """Stands in for the application: every verb of `Commands` is recorded; undo, redo and go_to are carried out."""

    def __init__(self, document: Document, folder: Path) -> None:
        self.document, self.folder = document, folder
        self.calls: list[tuple[Any, ...]] = []

    def _record(self, *call: Any) -> None:
        self.calls.append(call)

    def open_file(self, path: Path) -> None:
        self._record("open_file", path)

    def open_sample(self) -> None:
        self._record("open_sample")

    def export(self) -> None:
        self._record("export")

    def export_as(self, path: Path) -> None:
        self._record("export_as", path)

    def proposed_export(self) -> Path:
        return self.folder / "figurine-150mm.3mf"

    def undo(self) -> None:
        self._record("undo")
        self.document.undo()

    def redo(self) -> None:
        self._record("redo")
        self.document.redo()

    def go_to(self, position: int) -> None:
        self._record("go_to", position)
        self.document.go_to(position)

    def set_height(self, height_mm: float) -> None:
        self._record("set_height", height_mm)

    def turn(self, axis: str, degrees: float) -> None:
        self._record("turn", axis, degrees)

    def place_on_ground(self) -> None:
        self._record("place_on_ground")

    def colors_from_texture(self) -> None:
        self._record("colors_from_texture")

    def clear_mask(self) -> None:
        self._record("clear_mask")

    def invert_mask(self) -> None:
        self._record("invert_mask")

    def set_profile(self, profile_id: str) -> None:
        self._record("set_profile", profile_id)
