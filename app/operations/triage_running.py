"""Triage in a worker process that lets others go first: nobody waits for it.

What does not live here: what is looked for (`triage`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

from app import worker
from app.formats.opening import Opened
from app.formats.registry import formats
from app.mesh.mesh import Mesh
from app.operations.operation import Progress
from app.operations.triage import Finding, triage

_SECONDS = 300.0
_MEMORY_BYTES = 6 << 30


def triage_in_worker(
    mesh: Mesh,
    source: Path | None,
    notes: tuple[str, ...],
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    *,
    unit_known: bool,
) -> list[Finding]:
    """`triage` in a worker process. Give it a snapshot where strokes may go on. Raises WorkerFailed, Cancelled.

    source: the file that the mesh was opened from, if it was. notes: what its reader said. unit_known: whether its size
    in mm can be trusted.
    """
    sent = copy.copy(mesh)
    sent.scratch = {}  # others' buffers, such as the viewport's, stay at home
    limits = worker.WorkerLimits(_SECONDS, _MEMORY_BYTES)
    return worker.run(_run, sent, source, notes, unit_known, progress=progress, cancelled=cancelled, limits=limits)


def _run(
    mesh: Mesh, source: Path | None, notes: tuple[str, ...], unit_known: bool, progress: Progress
) -> list[Finding]:
    worker.step_back()
    opened = None if source is None else Opened(mesh, source, _format_id(source), unit_known, list(notes))
    return triage(mesh, opened, progress)


def _format_id(source: Path) -> str:
    """By its name: the file itself may be gone by now."""
    suffix = source.suffix.lower()
    return next((known.id for known in formats().values() if suffix in known.suffixes), "")
