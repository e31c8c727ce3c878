"""Running the checks, here or in a worker process, and what comes of all of them.

mesh, profile -> Case -> every declared check -> CheckResult ... -> PreflightReport
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from app import worker
from app.errors import LimitExceeded
from app.formats.registry import Progress, no_progress
from app.mesh.mesh import Mesh

# Importing a module declares its checks; this is the order in which they are shown.
from app.preflight.checks import general, topology, walls, appearance  # isort: skip
from app.preflight.checks.case import Case
from app.preflight.checks.check import CHEAP, DEAR, WARN, Check, CheckResult, declared
from app.preflight.counts import Counts, inspect
from app.preflight.profiles import PrinterProfile
from app.preflight.verdict import FAIL, verdict

__all__ = ["PreflightReport", "appearance", "general", "run_checks", "run_checks_in_worker", "topology", "walls"]

# The checks may take so long together; what is not done then is said not to be done.
DEFAULT_SECONDS = 120.0
_WORKER_MARGIN_SECONDS = 60.0
_WORKER_BYTES = 6 << 30
_CHEAP_SHARE = 0.1
_NOT_CHECKED = "not checked"


@dataclass(frozen=True, eq=False)
class PreflightReport:
    """What all checks found.

    profile: its id. status: "pass" or "fail"; warnings do not fail. message: one line: what fails, or what the mesh is
    like. results: one per check that has something to say. walls: (V,) float32, mm, at most `walls_up_to_mm`, or None
    where walls were not measured. seconds: what it took.
    """

    profile: str
    status: str
    message: str
    results: tuple[CheckResult, ...]
    counts: Counts
    walls: np.ndarray | None
    walls_up_to_mm: float
    seconds: float

    def result(self, check_id: str) -> CheckResult | None:
        """What a check found; None where it said nothing."""
        return next((result for result in self.results if result.id == check_id), None)

    def of_status(self, status: str) -> list[CheckResult]:
        """The results that are "pass", "warn" or "fail"."""
        return [result for result in self.results if result.status == status]


def run_checks(
    mesh: Mesh,
    profile: PrinterProfile,
    progress: Progress = no_progress,
    only: str = DEAR,
    *,
    counts: Counts | None = None,
    unit_known: bool = True,
    file_bytes: int = 0,
    with_walls: bool = False,
    seconds: float = DEFAULT_SECONDS,
) -> PreflightReport:
    """Run the checks in this process. only: CHEAP for those that take no time, DEAR for all.

    counts: of the mesh, if they are known. unit_known: whether its size in mm can be trusted. file_bytes: size of the
    file that it is in, if that is one for this printer. with_walls: measure walls even where the profile names no
    limits. seconds: checks that would take longer than this in all are given up: with a warning, or with a failure
    where they might have failed.
    """
    started = time.monotonic()
    counts = counts or inspect(mesh)
    case = Case(mesh, counts, profile, unit_known, file_bytes)
    checks = [each for each in declared() if only == DEAR or each.cost == CHEAP]
    dear = sum(each.cost == DEAR for each in checks)
    results, done = [], 0.0
    for each in checks:
        share = _CHEAP_SHARE / (len(checks) - dear) if each.cost == CHEAP else (1 - _CHEAP_SHARE) / dear
        # What takes no time is always done, however long the others took.
        case.progress = _timed(progress, done, share, started + seconds if each.cost == DEAR else np.inf)
        results.append(_examined(each, case))
        done += share
    if with_walls and only == DEAR and case.size_is_plausible:
        case.progress = _timed(progress, done, 0.0, started + seconds)
        with suppress(_OutOfTime):
            _ = case.walls
    progress(1.0, "Checked")
    kept = tuple(result for result in results if result is not None)
    failing = [_said_alone(result) for result in kept if result.status == FAIL]
    quick = verdict(counts, profile, unit_known=unit_known)
    return PreflightReport(
        profile=profile.id,
        status=FAIL if failing else quick.status,
        message="; ".join(failing) or quick.message,
        results=kept,
        counts=counts,
        walls=case.__dict__.get("walls"),
        walls_up_to_mm=case.walls_up_to_mm,
        seconds=time.monotonic() - started,
    )


def run_checks_in_worker(
    mesh: Mesh,
    profile: PrinterProfile,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    only: str = DEAR,
    *,
    unit_known: bool = True,
    seconds: float = DEFAULT_SECONDS,
) -> PreflightReport:
    """`run_checks` in a worker process. Give it a snapshot where strokes may go on. Raises WorkerFailed, Cancelled."""
    sent = copy.copy(mesh)
    sent.scratch = {}  # others' buffers, such as the viewport's, stay at home
    limits = worker.WorkerLimits(seconds + _WORKER_MARGIN_SECONDS, _WORKER_BYTES)
    args = (sent, profile, only, unit_known, seconds)
    return worker.run(_run, *args, progress=progress, cancelled=cancelled, limits=limits)


def _run(
    mesh: Mesh, profile: PrinterProfile, only: str, unit_known: bool, seconds: float, progress: Progress
) -> PreflightReport:
    return run_checks(mesh, profile, progress, only, unit_known=unit_known, seconds=seconds)


class _OutOfTime(Exception):
    """The time for all checks is over."""


def _examined(each: Check, case: Case) -> CheckResult | None:
    try:
        case.progress(0.0, each.label)
        return each.examine(case)
    except _OutOfTime:
        reason = "there was no time left"
    except LimitExceeded as error:
        reason = error.what
    except MemoryError:
        reason = "there was not enough memory"
    # What might fail and has not been looked at has not passed.
    status = FAIL if each.needed(case.profile) else WARN
    return CheckResult(status, f"{_NOT_CHECKED}: {reason}", id=each.id, label=each.label, cost=each.cost)


def _said_alone(result: CheckResult) -> str:
    """A result's message where its label does not stand beside it."""
    return f"{result.label}: {result.message}" if result.message.startswith(_NOT_CHECKED) else result.message


def _timed(progress: Progress, done: float, share: float, deadline: float) -> Progress:
    """Progress of one check as a part of all, and the end of its time."""

    def report(fraction: float, doing: str) -> None:
        if time.monotonic() > deadline:
            raise _OutOfTime
        progress(done + share * fraction, doing)

    return report
