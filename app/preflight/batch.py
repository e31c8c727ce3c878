"""Many files for QA: find them, check several at a time, and give each a sheet with numbers and pictures.

Pictures need a renderer, which is not known here: the caller hands in a function that draws them in a worker process,
so that a driver that crashes costs the pictures and nothing else.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from app import worker
from app.errors import Cancelled, InvalidInput, LikenessError
from app.formats.registry import Progress, formats, no_progress
from app.mesh.mesh import Mesh
from app.preflight.check import Checked, read_and_judge, reported, unreadable
from app.preflight.heat import heat_colors
from app.preflight.profiles import PrinterProfile

# Name of a picture -> an encoded JPEG. The colours are of walls, (V, 3) float32, or None.
Draw = Callable[[Mesh, np.ndarray | None], dict[str, bytes]]

T = TypeVar("T")

_CHECKED_SHARE = 0.85
_DRAWING = worker.WorkerLimits(180.0, 6 << 30)


@dataclass(frozen=True, eq=False)
class Sheet:
    """All that a report says about one file.

    answer: as `check.reported` gives it. sha256: of the file, "" where it cannot be read. pictures: name to JPEG;
    no_pictures: why there are none, "" where there are or none were asked for. walls_up_to_mm: end of the scale of
    walls. seconds: what it took.
    """

    answer: dict[str, Any]
    sha256: str = ""
    file_bytes: int = 0
    pictures: dict[str, bytes] = field(default_factory=dict)
    no_pictures: str = ""
    walls_up_to_mm: float = 0.0
    seconds: float = 0.0


def files_in(paths: list[Path], *, recursive: bool = False) -> list[Path]:
    """Files as they are, folders as the files in them that can be read, by name; recursive: in their folders too.

    Raises InvalidInput for a folder without any.
    """
    suffixes = {suffix for known in formats().values() if known.read for suffix in known.suffixes}
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = path.rglob("*") if recursive else path.glob("*")
        files = sorted(file for file in inside if file.suffix.lower() in suffixes and file.is_file())
        if not files:
            advice = "Name a folder with meshes" if recursive else "Use --recursive to look into its folders"
            raise InvalidInput("has no file that can be read", path, advice)
        found += files
    return found


def check_files(
    files: list[Path],
    profile: PrinterProfile,
    *,
    jobs: int = 1,
    seconds: float | None = None,
    quick: bool = False,
    draw: Draw | None = None,
    progress: Progress = no_progress,
) -> Iterator[Sheet]:
    """Check files as `one_by_one` does. seconds: limit for reading one. draw: makes the pictures, if any are wanted."""

    def one(file: Path, report: Progress, cancelled: Callable[[], bool]) -> Sheet:
        return _sheet(file, profile, seconds, quick, jobs, draw, report, cancelled)

    return one_by_one(files, one, jobs=jobs, progress=progress)


def one_by_one(
    files: list[Path],
    work: Callable[[Path, Progress, Callable[[], bool]], T],
    *,
    jobs: int = 1,
    progress: Progress = no_progress,
) -> Iterator[T]:
    """Work on files, `jobs` at a time; what comes of them comes in their order.

    work: takes a file, its progress, and what tells that the work is to stop, which it answers with Cancelled.
    Leaving the iteration early stops the work in hand.
    """
    shown = _Progress(files, progress)
    stopped = threading.Event()

    def one(place: int) -> T:
        made = work(files[place], shown.of(place), stopped.is_set)
        shown.of(place)(1.0, "Done")
        return made

    pool = ThreadPoolExecutor(jobs)
    try:
        yield from pool.map(one, range(len(files)))
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _sheet(
    path: Path,
    profile: PrinterProfile,
    seconds: float | None,
    quick: bool,
    jobs: int,
    draw: Draw | None,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> Sheet:
    started = time.monotonic()
    digest, size = ("", 0) if draw is None else _digest(path)
    try:
        checked = read_and_judge(
            path,
            profile,
            seconds=seconds,
            quick=quick,
            with_mesh=draw is not None,
            at_once=jobs,
            progress=lambda part, doing: progress(_CHECKED_SHARE * part, doing),
            cancelled=cancelled,
        )
    except Cancelled:
        raise
    except LikenessError as error:
        return Sheet(unreadable(path, profile, error), digest, size, seconds=time.monotonic() - started)
    pictures, reason = _pictures(checked, profile, draw, progress, cancelled)
    return Sheet(
        reported(path, profile, checked),
        digest,
        size,
        pictures,
        reason,
        checked.report.walls_up_to_mm,
        time.monotonic() - started,
    )


def _pictures(
    checked: Checked, profile: PrinterProfile, draw: Draw | None, progress: Progress, cancelled: Callable[[], bool]
) -> tuple[dict[str, bytes], str]:
    mesh, report = checked.mesh, checked.report
    if draw is None or mesh is None:
        return {}, ""
    if not mesh.triangle_count:
        return {}, "There is no surface to draw."
    progress(_CHECKED_SHARE, "Drawing pictures")
    heat = None if report.walls is None else heat_colors(report.walls, profile, report.walls_up_to_mm)
    try:
        return worker.run(draw, mesh, heat, cancelled=cancelled, limits=_DRAWING), ""
    except Cancelled:
        raise
    except LikenessError as error:
        return {}, f"No pictures: {error}"


def _digest(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file; empty where it cannot be read."""
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return digest, stream.tell()
    except OSError:
        return "", 0


class _Progress:
    """One line for several files at once."""

    def __init__(self, files: list[Path], progress: Progress) -> None:
        self._files, self._progress = files, progress
        self._parts = [0.0] * len(files)
        self._lock = threading.Lock()

    def of(self, place: int) -> Progress:
        def report(part: float, doing: str) -> None:
            with self._lock:
                self._parts[place] = part
                done = sum(part >= 1.0 for part in self._parts)
                several = f"{done} of {len(self._files)} files, " if len(self._files) > 1 else ""
                whole = sum(self._parts) / len(self._parts)
                self._progress(whole, f"{several}{self._files[place].name}: {doing}")

        return report
