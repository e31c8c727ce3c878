"""All checks on a model in hand, walls included, in a worker process: at once, or out of everybody's way.

What does not live here: the checks (`checks`), when they are run (the window's business).
"""

from __future__ import annotations

import copy
from collections.abc import Callable

from app import worker
from app.formats.registry import Progress
from app.mesh.mesh import Mesh
from app.preflight.checks.running import PreflightReport, run_checks
from app.preflight.profiles import PrinterProfile

_SECONDS = 180.0
_MEMORY_BYTES = 6 << 30


def check_all(
    mesh: Mesh,
    profile: PrinterProfile,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    *,
    unit_known: bool,
    quietly: bool = False,
) -> PreflightReport:
    """`run_checks` with everything. Give it a snapshot where strokes may go on.

    quietly: other processes go first, because nobody waits for it. Raises WorkerFailed, Cancelled.
    """
    sent = copy.copy(mesh)
    sent.scratch = {}  # others' buffers, such as the viewport's, stay at home
    limits = worker.WorkerLimits(2 * _SECONDS, _MEMORY_BYTES)
    return worker.run(_run, sent, profile, unit_known, quietly, progress=progress, cancelled=cancelled, limits=limits)


def _run(mesh: Mesh, profile: PrinterProfile, unit_known: bool, quietly: bool, progress: Progress) -> PreflightReport:
    if quietly:
        worker.step_back()
    return run_checks(mesh, profile, progress, unit_known=unit_known, with_walls=True, seconds=_SECONDS)
