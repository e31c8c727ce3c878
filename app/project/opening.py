"""Open a project: copy it to be the working copy, check it, bring it up to date, read it. The file stays as it is.

In a worker process: whatever a damaged or hostile file does there, the session is untouched.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from app import worker
from app.errors import LikenessError, LimitExceeded, UnreadableFile, WorkerFailed
from app.formats.opening import prepare as prepare_meshes
from app.formats.registry import Limits, Progress, no_progress
from app.mesh.build import build_mesh
from app.mesh.soup import Soup
from app.project import schema
from app.project.changes import Changes, StepRecord
from app.project.content import ProjectContent
from app.project.folders import write_failure
from app.project.preview import Preview, read_preview
from app.project.reading import read_content
from app.project.sessions import SIDECARS, WORKING_NAME, sessions_folder
from app.project.store import Store
from app.project.whole import Numbers
from app.sculpt.packed import Differences
from app.sculpt.packing import Damaged

__all__ = ["Preview", "open_project", "open_project_in_worker", "prepare", "read_preview"]

_COPIED, _CHECKED = 0.1, 0.25  # shares of the whole at which a part ends
_OPEN_SECONDS = 300.0
_OPEN_BYTES = 2 << 30
_BYTES_PER_FILE_BYTE = 16


def open_project(
    path: Path, working_path: Path, progress: Progress = no_progress, limits: Limits | None = None
) -> ProjectContent:
    """Open a project file, or the working copy of a dead session, in this process. `working_path` becomes a copy of it.

    Raises UnreadableFile for any content that is no intact project, LimitExceeded for one that asks for too much, and
    WriteFailed where the copy cannot be written.
    """
    path, working_path = Path(path), Path(working_path)
    _must_be_free(working_path)
    version = schema.check_header(path)
    progress(0.0, "Copying")
    try:
        _copy(path, working_path)
        progress(_COPIED, "Checking the file")
        content = _read(path, working_path, version, limits or Limits(), progress)
    except BaseException:
        _delete(working_path)
        raise
    if not _is_of_a_session(path):
        content.project_path = None
    progress(1.0, "Opened")
    return content


def open_project_in_worker(
    path: Path,
    working_path: Path,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ProjectContent:
    """`open_project` in a worker process. Raises the same, and WorkerFailed or Cancelled."""
    path, working_path = Path(path), Path(working_path)
    _must_be_free(working_path)
    try:
        file_bytes = path.stat().st_size
    except OSError:
        file_bytes = 0
    limits = worker.WorkerLimits(_OPEN_SECONDS, max(_OPEN_BYTES, _BYTES_PER_FILE_BYTE * file_bytes))
    try:
        return worker.run(_open, path, working_path, progress=progress, cancelled=cancelled, limits=limits)
    except WorkerFailed as error:
        _delete(working_path)
        failure = WorkerFailed(error.what, error.where or path, error.advice)
        for note in getattr(error, "__notes__", []):
            failure.add_note(note)
        raise failure from error


def prepare() -> None:
    """Load what opening meshes and projects needs, for `worker.warm_up`: write and read a little."""
    prepare_meshes()
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    triangles = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    uv = np.zeros((4, 2), np.float32)
    mesh = build_mesh(Soup(corners, triangles, uv=uv, corner_uv=triangles, colors=corners.copy()))
    changes = Changes(whole=True, meta={"position": 1})
    changes.meta["mesh"] = Numbers().add(mesh, changes)
    moved = Differences("positions", np.arange(4, dtype=np.int32), np.ones((4, 3), np.uint32))
    changes.steps[1] = StepRecord(1, "Draw", 0.0, 4, None, [moved])
    changes.pack()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.create(connection)
        Store(connection).apply(changes)
        read_content(Store(connection), schema.VERSION, Limits(), no_progress)


def _open(path: Path, working_path: Path, progress: Progress) -> ProjectContent:
    return open_project(path, working_path, progress)


def _must_be_free(working_path: Path) -> None:
    if working_path.exists():
        raise ValueError(f"{working_path} is somebody's working copy; begin another session")


def _copy(path: Path, working_path: Path) -> None:
    try:
        shutil.copyfile(path, working_path)
        log = Path(f"{path}-wal")
        if schema.has_log(path) and log.exists():
            shutil.copyfile(log, f"{working_path}-wal")
    except OSError as error:
        raise write_failure(error, working_path, "the working copy cannot be written") from error


def _read(path: Path, working_path: Path, version: int, limits: Limits, progress: Progress) -> ProjectContent:
    try:
        with closing(schema.connect(working_path)) as connection:
            schema.check_schema(connection, path)
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if answer != "ok":
                raise Damaged(str(answer)[:80])
            schema.migrate(connection)
            progress(_CHECKED, "Reading the mesh")
            share = 1.0 - _CHECKED
            return read_content(
                Store(connection), version, limits, lambda part, doing: progress(_CHECKED + share * part, doing)
            )
    except LimitExceeded as error:
        raise LimitExceeded(error.what, path, error.advice) from error
    except UnreadableFile as error:
        raise UnreadableFile(error.what, path, schema.DAMAGED_ADVICE) from error
    except (LikenessError, ConnectionError):
        raise
    except MemoryError as error:
        raise LimitExceeded("needs more memory than it may use", path, "Open an older copy of it") from error
    except Exception as error:  # a blind spot of ours must not look like a fault of the session
        what = f"is damaged ({type(error).__name__}: {str(error)[:80]})"
        raise UnreadableFile(what, path, schema.DAMAGED_ADVICE) from error


def _is_of_a_session(path: Path) -> bool:
    """Whether a file is a working copy: what it says about places on this machine was written by us."""
    return path.name == WORKING_NAME and path.parent.parent == sessions_folder()


def _delete(path: Path) -> None:
    for suffix in ("", *SIDECARS):
        with contextlib.suppress(OSError):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
