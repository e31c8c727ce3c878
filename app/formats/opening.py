"""Open a file as a sculptable mesh: read, turn upright, weld, convert to millimetres. Here or in a worker process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from app import worker
from app.errors import LikenessError, LimitExceeded, UnreadableFile, WorkerFailed, readable
from app.formats.registry import Limits, Progress, format_of, formats, no_progress
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.mesh.transform import scaled

# Figurines are sold from 60 to 200 mm; a file outside this range was not made to size.
PLAUSIBLE_HEIGHT_MM = (20.0, 400.0)

_READ_SHARE = 0.6
_MOST_NOTES = 100
_OPEN_SECONDS = 300.0
# A damaged or hostile file may cost this much; an honest big one, a multiple of its size.
_OPEN_BYTES = 1792 << 20
_BYTES_PER_FILE_BYTE = 12


@dataclass(eq=False)
class Opened:
    """A mesh that came from a file.

    unit_known: whether the size in mm can be trusted; if not, the user is asked for the height.
    notes: what was mended or left out, one sentence each. file_triangles: as many as the file has.
    """

    mesh: Mesh
    path: Path
    format_id: str
    unit_known: bool
    notes: list[str] = field(default_factory=list)
    file_triangles: int = 0


def open_mesh(path: Path, limits: Limits | None = None, progress: Progress = no_progress) -> Opened:
    """Read a file into a mesh in millimetres, Z up.

    Raises UnreadableFile, or LimitExceeded where it asks for more than `limits`; nothing else for any content.
    """
    path, limits = Path(path), limits or Limits()
    file_format = format_of(path)
    assert file_format.read is not None
    _check_size(path, limits)
    try:
        soup = file_format.read(path, limits, lambda fraction, doing: progress(_READ_SHARE * fraction, doing))
        progress(_READ_SHARE, "Joining seams")
        stand_upright(soup)
        soup.materials = [replace(material, name=readable(material.name)) for material in soup.materials]
        mesh = build_mesh(soup)
    except (LikenessError, ConnectionError):
        raise
    except MemoryError as error:
        raise LimitExceeded("needs more memory than it may use", path, "Reduce it before opening it here") from error
    except Exception as error:  # a reader's blind spot must not look like a fault of the session
        what = f"cannot be understood ({type(error).__name__}: {str(error)[:80]})"
        raise UnreadableFile(what, path, "Export it again from the program that made it") from error
    if soup.unit_mm not in (None, 1.0):
        mesh = scaled(mesh, soup.unit_mm)
    progress(1.0, "Opened")
    lowest, highest = PLAUSIBLE_HEIGHT_MM
    unit_known = soup.unit_mm is not None and lowest <= float(mesh.size()[2]) <= highest
    return Opened(mesh, path, file_format.id, unit_known, _told(soup.notes), len(soup.triangles))


def _told(notes: list[str]) -> list[str]:
    """As many notes as anybody reads, each of a readable length."""
    more = [f"{len(notes) - _MOST_NOTES:,} more notes like these."] if len(notes) > _MOST_NOTES else []
    return [*map(readable, notes[:_MOST_NOTES]), *more]


def open_in_worker(path: Path, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None) -> Opened:
    """`open_mesh` in a worker process. Raises the same, and WorkerFailed or Cancelled."""
    try:
        file_bytes = Path(path).stat().st_size
    except OSError:
        file_bytes = 0
    limits = worker.WorkerLimits(_OPEN_SECONDS, max(_OPEN_BYTES, _BYTES_PER_FILE_BYTE * file_bytes))
    try:
        return worker.run(_open, Path(path), progress=progress, cancelled=cancelled, limits=limits)
    except WorkerFailed as error:
        failure = WorkerFailed(error.what, error.where or path, error.advice)
        for note in getattr(error, "__notes__", []):
            failure.add_note(note)
        raise failure from error


def prepare() -> None:
    """Import the readers and load the compiled kernels, for `worker.warm_up`."""
    formats()
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    triangles = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    uv = np.zeros((4, 2), np.float32)
    build_mesh(Soup(corners, triangles, uv=uv, corner_uv=triangles))


def _open(path: Path, progress: Progress) -> Opened:
    return open_mesh(path, progress=progress)


def stand_upright(soup: Soup) -> None:
    """Turn a Y-up soup to Z up, in place: (x, y, z) becomes (x, -z, y)."""
    if soup.up == "y":
        x, y, z = soup.positions.T
        soup.positions = np.stack((x, -z, y), axis=1)
        soup.up = "z"


def _check_size(path: Path, limits: Limits) -> None:
    try:
        file_bytes = path.stat().st_size
    except OSError as error:
        raise UnreadableFile(f"cannot be opened: {error.strerror or error}", path, "Check the file") from error
    if file_bytes > limits.file_bytes:
        what = f"is {file_bytes / (1 << 20):,.0f} MB large; at most {limits.file_bytes / (1 << 20):,.0f} MB are read"
        raise LimitExceeded(what, path, "Reduce it before opening it here")
