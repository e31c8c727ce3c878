"""Does a printer take this file? Reading it in a worker process, checking it there, and what comes of it.

What a profile's limits mean is decided in `verdict` and `checks`, once, for the window and the command line.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import worker
from app.errors import Cancelled, LikenessError, WorkerFailed
from app.formats import opening
from app.formats.registry import Progress
from app.mesh.mesh import Mesh
from app.preflight.checks.check import CHEAP, DEAR, CheckResult
from app.preflight.checks.running import DEFAULT_SECONDS, PreflightReport, run_checks
from app.preflight.counts import Counts, inspect
from app.preflight.profiles import PrinterProfile
from app.preflight.verdict import FAIL, NOTE, PASS, Finding, Verdict, verdict

__all__ = [
    "FAIL",
    "NOTE",
    "PASS",
    "UNREADABLE",
    "Checked",
    "Counts",
    "Finding",
    "Verdict",
    "check_file",
    "read_and_judge",
    "reported",
    "unreadable",
    "verdict",
]

UNREADABLE = "unreadable"

# A hostile file is given up within ten seconds, start-up included; an honest big one gets time for its size.
_SECONDS = 8.0
_BYTES_PER_SECOND = 10e6
_MOST_PATIENCE = 8.0
_MEMORY_BYTES = 1536 << 20
_MEMORY_PER_FILE_BYTE = 12
# The checks know how large the mesh is that they were given, and stop by themselves; this is for one that does not.
_MARGIN_SECONDS = 60.0
_MB = 1e6
_READ_SHARE, _COUNTED_SHARE = 0.4, 0.45


@dataclass(frozen=True, eq=False)
class Checked:
    """A file that was read and judged.

    notes: what the reader mended or left out. report: of the checks. mesh: if it was asked for.
    """

    counts: Counts
    verdict: Verdict
    unit_known: bool
    notes: tuple[str, ...]
    report: PreflightReport
    mesh: Mesh | None = None


def check_file(
    path: Path,
    profile: PrinterProfile,
    seconds: float | None = None,
    *,
    quick: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Read a file in a worker process and judge it. Never raises for what is wrong with the file; raises Cancelled.

    seconds: time limit for reading; by default 8 s and 1 s more for every 10 MB. quick: leave out what takes long.
    Returns the JSON object of `likeness check --json`: see `reported`.
    """
    try:
        checked = read_and_judge(path, profile, seconds=seconds, quick=quick, progress=progress, cancelled=cancelled)
    except Cancelled:
        raise
    except LikenessError as error:
        return unreadable(path, profile, error)
    return reported(path, profile, checked)


def reported(path: Path, profile: PrinterProfile, checked: Checked) -> dict[str, Any]:
    """What was found, as the JSON object of `likeness check --json`.

    file, verdict ("pass", "fail" or "unreadable"), message, triangles, vertices (after welding), size_mm [x, y, z] with
    z up, shells, open_edges, non_manifold_edges, watertight, has_texture, has_vertex_colors; null from triangles on
    where unreadable; notes, a list of what the reader mended or left out, one sentence each; profile, its id; volume_ml
    (null where the surface is not closed); and checks, a list of objects with id, label, status ("pass", "warn" or
    "fail"), message, value, limit, unit, point_mm (null where it has no place), vertices and triangles (how many are
    concerned) and fix (id of an operation, or "").
    """
    counts = checked.counts
    answer: dict[str, Any] = {
        "file": str(path),
        "verdict": checked.verdict.status,
        "message": checked.verdict.message,
    }
    answer.update({name: getattr(counts, name) for name in _REPORTED})
    answer["size_mm"] = [round(extent, 3) for extent in counts.size_mm]
    answer["notes"] = list(checked.notes)
    answer["profile"] = profile.id
    answer["volume_ml"] = round(counts.volume_mm3 / 1000, 3) if counts.watertight else None
    answer["checks"] = [_row(result) for result in checked.report.results]
    return answer


def unreadable(path: Path, profile: PrinterProfile, error: LikenessError) -> dict[str, Any]:
    """The same for a file that could not be read."""
    if error.where in ("", str(path)):  # which the answer names already
        error = LikenessError(error.what[:1].upper() + error.what[1:], "", error.advice)
    answer: dict[str, Any] = {"file": str(path), "verdict": UNREADABLE, "message": " ".join(str(error).split())}
    answer.update(dict.fromkeys(_REPORTED))
    return answer | {"notes": [], "profile": profile.id, "volume_ml": None, "checks": []}


def read_and_judge(
    path: Path,
    profile: PrinterProfile,
    *,
    seconds: float | None = None,
    quick: bool = False,
    with_mesh: bool = False,
    at_once: int = 1,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Checked:
    """Read a file in a worker process and check it there. Raises UnreadableFile, WorkerFailed or Cancelled.

    seconds: time limit for reading. quick: only checks that take no time. with_mesh: bring mesh and walls along.
    at_once: how many files are read beside each other, this one included; they get more time by default.
    """
    path = Path(path)
    try:
        file_bytes = path.stat().st_size
    except OSError:
        file_bytes = 0  # the reader says what is wrong
    seconds = seconds or (_SECONDS + file_bytes / _BYTES_PER_SECOND) * _patience(at_once)
    reading = _ReadingTime(seconds, progress, cancelled)
    limits = worker.WorkerLimits(
        reading.seconds + DEFAULT_SECONDS + _MARGIN_SECONDS,
        max(_MEMORY_BYTES, _MEMORY_PER_FILE_BYTE * file_bytes),
    )
    try:
        opened, report = worker.run(
            _read_and_check,
            path,
            profile,
            quick,
            with_mesh,
            file_bytes if path.suffix.lower() == profile.suffix else 0,
            progress=reading.progress,
            cancelled=reading.cancelled,
            limits=limits,
        )
    except Cancelled:
        if not reading.is_over:
            raise
        what = f"took longer than {reading.seconds:.0f} s and was stopped while {reading.doing.lower()}"
        raise WorkerFailed(what, path, "Try a smaller or simpler file") from None
    except LikenessError as error:
        if not error.where:
            error.where = str(path)
        raise
    unit_known, notes, mesh = opened
    judged = _with_checks(verdict(report.counts, profile, unit_known=unit_known), report)
    too_big = _file_size(file_bytes, profile)
    if too_big and path.suffix.lower() != profile.suffix:
        judged = Verdict(judged.status, judged.message, (*judged.findings, Finding("file", NOTE, too_big)))
    return Checked(report.counts, judged, unit_known, tuple(notes), report, mesh)


_REPORTED = (
    "triangles",
    "vertices",
    "size_mm",
    "shells",
    "open_edges",
    "non_manifold_edges",
    "watertight",
    "has_texture",
    "has_vertex_colors",
)


def _patience(at_once: int) -> float:
    """How much longer than on an idle machine reading may take: an honest file is not at fault for other work."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return min(max(1.0, float(at_once), load / (os.cpu_count() or 1)), _MOST_PATIENCE)


class _ReadingTime:
    """Stops a worker that reads for too long; the checks after that have a time of their own.

    The time runs from the first sign of life, because before that a worker compiles kernels.
    """

    def __init__(self, seconds: float, progress: Progress | None, cancelled: Callable[[], bool] | None) -> None:
        self.seconds, self.doing, self.is_over = seconds, "reading", False
        self._progress, self._cancelled = progress, cancelled
        self._started = 0.0
        self._read = False

    def progress(self, fraction: float, doing: str) -> None:
        self._started = self._started or time.monotonic()
        self.doing = doing
        self._read |= fraction >= _READ_SHARE
        if self._progress is not None:
            self._progress(fraction, doing)

    def cancelled(self) -> bool:
        self.is_over = bool(self._started) and not self._read and time.monotonic() - self._started > self.seconds
        return self.is_over or (self._cancelled is not None and self._cancelled())


def _read_and_check(
    path: Path, profile: PrinterProfile, quick: bool, with_mesh: bool, file_bytes: int, progress: Progress
) -> tuple[tuple[bool, list[str], Mesh | None], PreflightReport]:
    progress(0.0, "Reading")
    # Just below the share: reaching it says that reading is over.
    opened = opening.open_mesh(path, progress=lambda part, doing: progress(0.99 * _READ_SHARE * part, doing))
    progress(_READ_SHARE, "Counting edges and shells")
    counts = inspect(opened.mesh)
    report = run_checks(
        opened.mesh,
        profile,
        lambda part, doing: progress(_COUNTED_SHARE + (1 - _COUNTED_SHARE) * part, doing),
        CHEAP if quick else DEAR,
        counts=counts,
        unit_known=opened.unit_known,
        file_bytes=file_bytes,
        with_walls=with_mesh,
    )
    return (opened.unit_known, opened.notes, opened.mesh if with_mesh else None), report


def _with_checks(judged: Verdict, report: PreflightReport) -> Verdict:
    """The quick verdict's rows with those of the checks that it does not know."""
    known = {"triangles", "size", "open_edges", "non_manifold_edges", "winding", "shells", "color"}
    more = [
        Finding(result.id, NOTE if result.status == "warn" else result.status, result.message)
        for result in report.results
        if result.id not in known and result.status != PASS
    ]
    return Verdict(report.status, report.message, (*judged.findings, *more))


def _row(result: CheckResult) -> dict[str, Any]:
    where = result.where
    return {
        "id": result.id,
        "label": result.label,
        "status": result.status,
        "message": result.message,
        "value": _rounded(result.value),
        "limit": _rounded(result.limit),
        "unit": result.unit,
        "point_mm": None if where is None else [round(value, 3) for value in where.point_mm],
        "vertices": 0 if where is None else len(where.vertices),
        "triangles": 0 if where is None else len(where.triangles),
        "fix": result.fix,
    }


def _rounded(value: float | None) -> float | int | None:
    if value is None or isinstance(value, int):
        return value
    return round(float(value), 4)


def _file_size(file_bytes: int, profile: PrinterProfile) -> str:
    if not profile.max_file_mb or file_bytes <= profile.max_file_mb * _MB:
        return ""
    return f"file of {file_bytes / _MB:,.0f} MB, at most {profile.max_file_mb:,.0f} MB are taken"
