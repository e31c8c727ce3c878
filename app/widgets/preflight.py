"""All checks of the printer profile, kept up to date while somebody sculpts.

    stroke or step -> counted (`model_check`) -> quick checks at once, on a thread
                   -> the hand rests for some seconds -> all checks, in a worker process in the background

What does not live here: the checks (`app.preflight.checks`), how they are shown (`check_list`, `wall_view`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from app.document import Document
from app.mesh.mesh import Mesh
from app.preflight.all_checks import check_all
from app.preflight.checks.case import Case
from app.preflight.checks.check import CHEAP, WARN, CheckResult, declared, result
from app.preflight.checks.running import PreflightReport, run_checks
from app.preflight.verdict import FAIL, NOTE, PASS
from app.widgets.background import Background
from app.widgets.jobs import JobRunner
from app.widgets.model_check import ModelCheck

NAME = "checks"
# The hand rests for this long before the machine is kept busy for its sake.
_REST_MS = 2500
# Of the quick checks those whose answer a stroke can change.
_OF_THE_SHAPE = ("size", "material")


class Preflight(QObject):
    """`changed`: results, or whether they are up to date. `progressed`: part of all checks that is done, 0 to 1."""

    changed = Signal()
    progressed = Signal(float)

    def __init__(
        self, document: Document, check: ModelCheck, background: Background, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._check, self._background = document, check, background
        self._quick: tuple[CheckResult, ...] = ()
        self._quick_of: tuple[Any, ...] = ()
        self._report: PreflightReport | None = None
        self._report_of: tuple[Any, ...] = ()
        self.failure: BaseException | None = None  # of the last try to run all checks
        self._was_current = False
        self._quick_jobs = JobRunner(self)
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self.check_now)
        background.progressed.connect(self._progress)
        check.changed.connect(self._counted)
        for signal in (document.mesh_replaced, document.surface_changed, document.profile_changed):
            signal.connect(self._touched)
        document.job_changed.connect(self._follow_height)
        self._known = document.height_known
        self._touched()

    # What is known

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """What is known of every check, in the order of their declaration: quick ones fresh, the others as of `report`.

        What counting says while those have not been run. Empty while nothing is known.
        """
        if self._quick_of != self._kind():
            return self._counted_only()
        quick = {each.id: each for each in self._quick}
        dear = {each.id: each for each in self._report.results} if self._report is not None else {}
        known = {**dear, **quick}
        return tuple(known[check.id] for check in declared() if check.id in known)

    def _counted_only(self) -> tuple[CheckResult, ...]:
        """What counting alone says, for the moment until the quick checks are done."""
        judged = self._check.verdict
        rows = () if judged is None else judged.findings
        return tuple(
            result(row.status, row.text, id=row.subject, label=row.subject[:1].upper() + row.subject[1:])
            for row in rows
        )

    @property
    def report(self) -> PreflightReport | None:
        """The last report of all checks on this mesh and for this printer; None while there is none."""
        return self._report

    @property
    def current(self) -> bool:
        """Whether `report` is about the model as it is now."""
        recording = self._document.history.recording  # a stroke in hand has no name in the history yet
        return self._report is not None and self._report_of == self.key and not recording

    def is_current(self, known: CheckResult) -> bool:
        """Whether a result is about the model as it is now."""
        return self.current or known.cost == CHEAP

    @property
    def busy(self) -> bool:
        """Whether all checks are being run, or will be as soon as other work is done."""
        return self._background.busy(NAME)

    @property
    def status(self) -> str:
        """FAIL, NOTE or PASS of all results; empty while it is not known, because checks have not been run yet."""
        results = self.results
        if any(each.status == FAIL for each in results):
            return FAIL
        if self._report is None or not results:
            return ""
        return NOTE if any(each.status == WARN for each in results) else PASS

    # Keeping it up to date

    def check_now(self) -> None:
        """Run all checks in the background without waiting for the hand to rest any longer."""
        self._rest.stop()
        mesh = self._document.mesh
        if mesh is None or self.current:
            return
        if self._document.history.recording:
            self._rest.start()
            return
        snapshot, profile, key = mesh.snapshot(), self._document.profile, self.key
        known = self._document.height_known

        def done(report: PreflightReport) -> None:
            if key == self.key:
                self.take(report)

        def failed(error: BaseException) -> None:
            self.failure = error
            self.changed.emit()

        self.failure = None
        self._background.start(
            NAME,
            lambda progress, cancelled: check_all(
                snapshot, profile, progress, cancelled, unit_known=known, quietly=True
            ),
            done,
            failed,
        )
        self.changed.emit()

    def take(self, report: PreflightReport) -> None:
        """A report of all checks on the model as it is now."""
        self._background.cancel(NAME)
        self._rest.stop()
        self._report, self._report_of = report, self.key
        self._quick = tuple(each for each in report.results if each.cost == CHEAP)
        self._quick_of = self._kind()
        self._was_current = True
        self.changed.emit()

    def shut_down(self) -> None:
        """End what runs, for the end of the window."""
        self._rest.stop()
        self._quick_jobs.shut_down()

    @property
    def key(self) -> tuple[Any, ...]:
        """Another one whenever the model or what is wanted of it changes; undo brings it back."""
        return (*self._kind(), self._document.history.state)

    def _kind(self) -> tuple[Any, ...]:
        """Another one when quick checks have to be run anew: strokes leave it."""
        document = self._document
        return document.mesh, document.history.epoch, document.profile, document.height_known

    def _touched(self) -> None:
        if self._report is not None and self._report_of[: len(self._kind())] != self._kind():
            self._report, self._report_of = None, ()  # of another mesh, or judged for another printer
        if self.current:
            self._rest.stop()
        elif self._document.mesh is not None:
            self._background.cancel(NAME)  # the hand comes first
            self._rest.start()
        if self.current != self._was_current:
            self._was_current = self.current
            self.changed.emit()

    def _follow_height(self) -> None:
        if self._document.height_known != self._known:
            self._known = self._document.height_known
            self._check.count_now()
            self._touched()

    def _counted(self) -> None:
        mesh, counts = self._document.mesh, self._check.counts
        self.changed.emit()
        if mesh is None or counts is None:
            return
        if self._quick_of == self._kind():
            case = Case(mesh, counts, self._document.profile, self._document.height_known)
            fresh = {each.id: each.examine(case) for each in declared() if each.id in _OF_THE_SHAPE}
            self._quick = tuple(fresh.get(each.id) or each for each in self._quick)
            self.changed.emit()
        else:
            self._start_quick(mesh)

    def _start_quick(self, mesh: Mesh) -> None:
        snapshot, counts, kind = mesh.snapshot(), self._check.counts, self._kind()
        profile, known = self._document.profile, self._document.height_known

        def done(report: PreflightReport) -> None:
            if kind == self._kind():
                self._quick, self._quick_of = report.results, kind
                self.changed.emit()
            else:
                self._counted()

        self._quick_jobs.start(
            "Quick checks",
            lambda progress, _: run_checks(snapshot, profile, progress, CHEAP, counts=counts, unit_known=known),
            done,
        )

    def _progress(self, name: str, part: float) -> None:
        if name == NAME:
            self.progressed.emit(part)


def touching(mesh: Mesh, vertices: np.ndarray) -> np.ndarray:
    """(n,) int64: triangles with a corner among these vertices."""
    chosen = np.zeros(mesh.vertex_count, bool)
    chosen[vertices] = True
    return np.flatnonzero(chosen[mesh.triangles].any(axis=1))
