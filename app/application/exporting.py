"""One-click export: where to, and what was written.

What does not live here: writing and checking (`app.preflight.export`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import platformdirs

from app.application.desk import Desk
from app.preflight.export import ExportReport, export_in_worker
from app.resources import resource


class Exporting:
    """See `app.widgets.commands.ExportCommands` for the verbs. ask_height: the height in mm, or None; it is set."""

    def __init__(self, desk: Desk, ask_height: Callable[[], float | None]) -> None:
        self._desk, self._ask_height = desk, ask_height
        self._written: set[Path] = set()  # by this run, so that it may replace them

    def export(self) -> None:
        document = self._desk.document
        if document.mesh is None or not self._desk.idle:
            return
        if document.height_known or self._ask_height() is not None:
            self.export_as(self.proposed_export())

    def export_as(self, path: Path) -> None:
        document = self._desk.document
        if document.mesh is None or not self._desk.idle:
            return
        # The hand may go on meanwhile: what is written is the model as it was when Export was clicked.
        mesh, printer = document.mesh.snapshot(), document.profile
        self._desk.run(
            f"Exporting {path.name}",
            lambda progress, cancelled: export_in_worker(mesh, path, printer, progress, cancelled),
            self._exported,
        )

    def proposed_export(self) -> Path:
        """Beside the source file, or among the user's documents where that folder is the program's own.

        A file that this session did not write is never in the way: it may be what a customer has approved.
        """
        document = self._desk.document
        assert document.mesh is not None
        name = re.sub(r"-\d+mm(-\d+)?$", "", document.name)
        stem, suffix = f"{name}-{document.mesh.size()[2]:.0f}mm", document.profile.suffix
        return unused(job_folder(document.project_path or document.source_path), stem, suffix, self._written)

    def _exported(self, report: ExportReport) -> None:
        self._written.update(report.files)
        self._desk.window.exported(report)


def job_folder(file: Path | None) -> Path:
    """The folder of a job's file; the user's documents where there is none, or where it is the program's own."""
    if file is not None and resource("") not in file.parents and file.parent.is_dir():
        return file.parent
    folder = Path(platformdirs.user_documents_dir())
    return folder if folder.is_dir() else Path.home()


def unused(folder: Path, stem: str, suffix: str, ours: set[Path] | None = None) -> Path:
    """A name in a folder, with a number where there is such a file already that is not one of ours."""
    path, count = folder / f"{stem}{suffix}", 1
    while path.exists() and path not in (ours or ()):
        count += 1
        path = folder / f"{stem}-{count}{suffix}"
    return path
