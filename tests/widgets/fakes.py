"""A window on a small model, and commands that write down what they were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.document import Document
from app.project.sessions import Recoverable
from app.sculpt.masking import Change
from app.widgets.commands import Then


class RecordedCommands:
    """Stands in for the application: every verb of `Commands` is recorded; undo, redo and go_to are carried out.

    may_go: what `settle` answers. left: what there is to recover.
    """

    def __init__(self, document: Document, folder: Path) -> None:
        self.document, self.folder = document, folder
        self.calls: list[tuple[Any, ...]] = []
        self.may_go = True
        self.left: list[Recoverable] = []
        self.opening = self.saving = self.recovery = self.exporting = self.model = self.operating = self

    def _record(self, *call: Any) -> None:
        self.calls.append(call)

    def open_file(self, path: Path, photos: Sequence[Path] = ()) -> None:
        self._record("open_file", path, *photos)

    def open_sample(self) -> None:
        self._record("open_sample")

    def save(self) -> None:
        self._record("save")

    def save_as(self, path: Path) -> None:
        self._record("save_as", path)

    def save_copy(self, path: Path) -> None:
        self._record("save_copy", path)

    def proposed_path(self) -> Path:
        return self.folder / "figurine.likeness"

    def settle(self, then: Then) -> bool:
        self._record("settle", then)
        return self.may_go

    def keep_again(self) -> None:
        self._record("keep_again")

    def keep_elsewhere(self, folder: Path) -> None:
        self._record("keep_elsewhere", folder)

    def recoverable(self) -> list[Recoverable]:
        return self.left

    def recover(self, left: Recoverable, file: Path | None = None) -> None:
        self._record("recover", left, file)

    def copy_recoverable(self, left: Recoverable, path: Path) -> None:
        self._record("copy_recoverable", left, path)

    def discard_recoverable(self, left: Recoverable) -> None:
        self._record("discard_recoverable", left)

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

    def make(self, change: Change) -> None:
        self._record("make", change.label)

    def invert_mask(self) -> None:
        self._record("invert_mask")

    def set_profile(self, profile_id: str) -> None:
        self._record("set_profile", profile_id)

    def operate(self, operation_id: str, values: Mapping[str, Any] | None = None) -> None:
        self._record("operate", operation_id, dict(values or {}))
