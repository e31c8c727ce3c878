"""One-click export: the verdict first, then where to, and what was written.

    Export -> checked already? else checks, as a job -> nothing fails -> written
                                                     -> something fails -> asked; an override is kept in the report

What does not live here: checking and writing (`app.preflight`), asking (`app.widgets.export_verdict`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs
from PySide6.QtCore import Qt

from app.application.desk import Desk
from app.errors import Cancelled
from app.mesh.mesh import Mesh
from app.preflight.all_checks import check_all
from app.preflight.checks.running import PreflightReport
from app.preflight.export import ExportReport, export_in_worker
from app.preflight.override import Override, failing_of, notes_of
from app.preflight.profiles import PrinterProfile
from app.resources import resource
from app.sculpt.face_sets import hidden_part
from app.widgets.export_verdict import ExportVerdictDialog


@dataclass(frozen=True, eq=False)
class _Wish:
    """What is to be exported: the model as it was when Export was clicked. The hand may go on meanwhile."""

    mesh: Mesh
    path: Path
    printer: PrinterProfile


class Exporting:
    """See `app.widgets.commands.ExportCommands` for the verbs. ask_height: the height in mm, or None; it is set."""

    def __init__(self, desk: Desk, ask_height: Callable[[], float | None]) -> None:
        self._desk, self._ask_height = desk, ask_height
        self._written: set[Path] = set()  # by this run, so that it may replace them
        self._reason = ""  # of the last override: for the next one it is mostly the same

    def export(self) -> None:
        document = self._desk.document
        if document.mesh is None or not self._desk.ready():
            return
        if document.height_known or self._ask_height() is not None:
            self.export_as(self.proposed_export())

    def export_as(self, path: Path) -> None:
        document, preflight = self._desk.document, self._desk.window.preflight
        if document.mesh is None or not self._desk.ready():
            return
        wish = _Wish(document.mesh.snapshot(), path, document.profile)
        if preflight.current and preflight.report is not None:
            self._decide(wish, preflight.report)
            return
        key, known = preflight.key, document.height_known

        def checked(report: PreflightReport) -> None:
            if preflight.key == key:
                preflight.take(report)
            self._decide(wish, report)

        def failed(error: BaseException) -> None:
            if isinstance(error, Cancelled):
                self._desk.say("Cancelled; nothing was exported")
            else:
                self._ask(wish, (f"The checks could not be run: {str(error).rstrip('.')}",), ())

        self._desk.run(
            f"Checking {path.name}",
            lambda progress, cancelled: check_all(wish.mesh, wish.printer, progress, cancelled, unit_known=known),
            checked,
            failed,
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

    def _decide(self, wish: _Wish, report: PreflightReport) -> None:
        """Go on, unless something fails: then the user decides."""
        failing, notes = failing_of(report), notes_of(report)
        if failing:
            self._ask(wish, failing, notes)
        else:
            self._write(wish, notes, None)

    def _ask(self, wish: _Wish, failing: tuple[str, ...], notes: tuple[str, ...]) -> None:
        def wanted(reason: str) -> None:
            self._reason = reason
            self._write(wish, notes, Override(failing, reason))

        def ask() -> None:
            dialog = ExportVerdictDialog(wish.path, wish.printer, failing, notes, self._reason, self._desk.window)
            dialog.exported.connect(wanted)
            dialog.open()

        self._between_strokes(ask)

    def _write(self, wish: _Wish, notes: tuple[str, ...], override: Override | None) -> None:
        hidden = hidden_part(wish.mesh)
        whole = (f"Hidden while sculpting: {hidden} of the model. The file has all of it.",) if hidden else ()

        def done(report: ExportReport) -> None:
            self._written.update(report.files)
            shown = replace(report, warnings=(*report.warnings, *notes, *whole))
            self._between_strokes(lambda: self._desk.window.exported(shown))

        self._desk.run(
            f"Exporting {wish.path.name}",
            lambda progress, cancelled: export_in_worker(
                wish.mesh, wish.path, wish.printer, progress, cancelled, override=override
            ),
            done,
        )

    def _between_strokes(self, open_dialog: Callable[[], object]) -> None:
        """Now, or as soon as the stroke in hand is done: a dialog that comes up would cut it short."""
        controller = self._desk.window.controller
        if controller.busy:
            controller.stroke_ended.connect(open_dialog, Qt.ConnectionType.SingleShotConnection)
        else:
            open_dialog()


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
