"""The working copy: follows a document, so that no finished stroke is ever lost.

    history.changed, photos_changed, job_changed, modified_changed
      -> what changed since the last event, with copies of the pages touched (well below a millisecond)
        -> the writer's thread packs and commits it

No stroke is in hand when the history says that it changed, so the pages copied then are exactly the state of that step.
How a transaction is made is told in `store`, what happens when it fails in `writer`, Save in `saving`.
"""

from __future__ import annotations

import contextlib
import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from psygnal import Signal

from app.errors import Cancelled, LikenessError
from app.project.changes import Changes, CommittedState, PhotoRecord
from app.project.content import ProjectContent
from app.project.database import Database, copied
from app.project.folders import write_failure
from app.project.following import EventsMissed, Follower, project_meta
from app.project.saving import save_project
from app.project.sessions import SIDECARS, Session
from app.project.writer import Writer

if TYPE_CHECKING:
    from app.document import Document

T = TypeVar("T")
Progress = Callable[[float, str], None]
_POLL_SECONDS = 0.05
_CLOSE_SECONDS = 20.0
# A disk that takes longer than this is one that does not answer.
_PATIENCE_SECONDS = 10.0
_REBUILD_POLL_SECONDS = 0.02

_log = logging.getLogger(__name__)


def _no_progress(fraction: float, doing: str) -> None:
    pass


class WorkingCopy:
    """See the module's docstring. Made and fed on the thread of the document; its events come on the writer's thread.

    committed: CommittedState, something is safe on disk now. failed: LikenessError, once, when it cannot be written;
    everything is kept and tried again. recovered: it can be written again.
    """

    committed = Signal(CommittedState)
    failed = Signal(LikenessError)
    recovered = Signal()

    def __init__(self, document: Document, session: Session) -> None:
        self._document, self._session = document, session
        # Held while what is known is compared with the document, on whichever thread.
        self._lock = threading.RLock()
        self._follower = Follower(document)
        self._following = False
        self._revision = 0
        self._thumbnail: bytes | None = None
        self._writer = Writer(
            Database(session.working_path),
            self._post_whole,
            session.restore,
            self.committed.emit,
            self.failed.emit,
            self.recovered.emit,
        )
        self._connect()

    # What to follow

    def begin(self) -> None:
        """Write everything of a document that was just opened from a base mesh, in the background."""
        self._following, self._thumbnail = True, None
        self._guarded(self._post_whole)

    def adopt(self, content: ProjectContent) -> None:
        """Go on with a project that was opened into the session's working copy, and given to the document."""

        self._following, self._thumbnail = True, content.thumbnail

        def follow_on() -> None:
            self._follower.adopt(content)
            self._post(self._follower.changes() or Changes(), project_meta(self._document))

        self._guarded(follow_on)

    def set_thumbnail(self, png: bytes) -> None:
        """Keep a picture of the model (PNG) with the project."""
        self._thumbnail = png
        self._post_aside(Changes(thumbnail=png))

    def set_job(self, job: dict[str, Any]) -> None:
        """Keep the job's settings (JSON values) with the project."""
        self._post_aside(Changes(meta={"job": job}))

    # How far it is

    @property
    def path(self) -> Path:
        """Where the working copy is."""
        return self._writer.path

    @property
    def pending(self) -> bool:
        """Whether something is not on disk yet."""
        return self._writer.pending

    @property
    def failure(self) -> LikenessError | None:
        """Why it cannot be written at present; None where all is well."""
        return self._writer.failure

    @property
    def waiting_s(self) -> float:
        """Seconds since the disk was given something to write that it has not taken yet."""
        return self._writer.waiting_s

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything so far is on disk. Returns whether it is."""
        return self._writer.flush(timeout_s)

    def retry_now(self) -> None:
        """After a failure: try again at once."""
        self._writer.retry()

    # Saving

    def save(
        self, path: Path, progress: Progress = _no_progress, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        """Write the user's file, as it is at this moment. For a job's thread: it may take seconds.

        Works even where the working copy cannot be written. Raises WriteFailed, with whatever stood at the name
        untouched, or Cancelled.
        """
        revision = self._revision
        self.save_copy(path, progress, cancelled)
        with self._lock:
            meta: dict[str, Any] = {"project_path": str(path), "saved_at": time.time()}
            if revision == self._revision:
                meta["unsaved"] = False
            self._writer.post(Changes(meta=meta))

    def save_copy(
        self, path: Path, progress: Progress = _no_progress, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        """The same, and go on with the file from before."""
        progress(0.0, "Gathering the project")
        try:
            memory = self._in_memory(cancelled)
        except (sqlite3.Error, OSError, RuntimeError, MemoryError) as error:
            raise write_failure(error, path, "cannot be saved") from error
        with contextlib.closing(memory):
            save_project(memory, path, progress, cancelled)

    def _in_memory(self, cancelled: Callable[[], bool]) -> sqlite3.Connection:
        """The project as it is now; without the writer where that one waits for a disk that does not answer."""
        try:
            return _wait(self._writer.copy(), cancelled, _PATIENCE_SECONDS)
        except NotYet:
            _log.warning("the disk of the working copy does not answer")
        other = Follower(self._document, takes=False)
        while (changes := other.whole()) is None:
            if cancelled():
                raise Cancelled
            time.sleep(_REBUILD_POLL_SECONDS)
        changes.meta.update(project_meta(self._document))
        changes.thumbnail = self._thumbnail
        changes.pack()
        return copied(None, changes)

    def move_to(self, folder: Path, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Go on with the working copy in another folder, on another disk. For a job's thread: it may take seconds.

        Raises WriteFailed, or Cancelled; then it stays where it is.
        """
        old = self._writer.path
        new = Path(folder) / f"{self._session.folder.name}.likeness"

        def forget_old() -> None:
            for suffix in ("", *SIDECARS):
                with contextlib.suppress(OSError):
                    Path(f"{old}{suffix}").unlink(missing_ok=True)

        def note() -> None:
            # First the note, then the old file goes: whoever dies between the two is found.
            try:
                self._session.moved(new)
            except OSError:
                forget_old()  # a full disk has room for the note then
                try:
                    self._session.moved(new)
                except OSError as error:
                    # Its own disk is the broken one. The file is there to be opened like any project.
                    _log.warning("the place of the working copy cannot be noted: %s", error)
            forget_old()

        try:
            _wait(self._writer.move(new, note), cancelled)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            raise write_failure(error, new, "the working copy cannot be written") from error

    def close(self, timeout_s: float = _CLOSE_SECONDS) -> bool:
        """Stop following, and let go of the file. Returns whether everything is on disk."""
        self._following = False
        self._disconnect()
        return self._writer.close(timeout_s)

    # Following

    def _connect(self) -> None:
        document = self._document
        self._links = (
            (document.history.changed, self._history_changed),
            (document.photos_changed, self._photos_changed),
            (document.job_changed, self._job_changed),
            (document.modified_changed, self._job_changed),
        )
        for signal, slot in self._links:
            signal.connect(slot)

    def _disconnect(self) -> None:
        for signal, slot in self._links:
            signal.disconnect(slot, missing_ok=True)

    def _history_changed(self) -> None:
        if self._following:
            self._guarded(self._follow)

    def _photos_changed(self) -> None:
        photos = [PhotoRecord.of(photo) for photo in self._document.photos]
        self._post_aside(Changes(photos=photos, meta=project_meta(self._document)))

    def _job_changed(self) -> None:
        self._post_aside(Changes(meta=project_meta(self._document)))

    def _follow(self) -> None:
        try:
            changes = self._follower.changes()
        except EventsMissed:
            self._post_whole()
            return
        if changes is not None:
            self._post(changes, {"unsaved": self._document.modified})

    def _post(self, changes: Changes, meta: dict[str, Any]) -> None:
        changes.meta.update(meta)
        self._revision += 1
        self._writer.post(changes)

    def _post_aside(self, changes: Changes) -> None:
        """Something that is no step. Not while another figurine is being opened: then all of it will follow."""

        def post() -> None:
            if not self._follower.is_opening():
                self._post(changes, {})

        if self._following:
            self._guarded(post)

    def _post_whole(self) -> None:
        """Post everything there is. Also called by the writer, whose thread waits for the stroke in hand to end."""
        while True:
            with self._lock:
                changes = self._follower.whole()
                if changes is not None:
                    if self._thumbnail is not None:
                        changes.thumbnail = self._thumbnail
                    self._post(changes, project_meta(self._document))
                    return
            time.sleep(_REBUILD_POLL_SECONDS)

    def _guarded(self, act: Callable[[], None]) -> None:
        """What goes wrong here must not reach the stroke that has just ended, and must not be silent either."""
        try:
            with self._lock:
                act()
        except Exception as error:  # noqa: BLE001
            self._writer.distrust(error)


def _wait(future: Future[T], cancelled: Callable[[], bool], seconds: float = math.inf) -> T:
    """The future's result. Raises TimeoutError where it has none after so long, and Cancelled."""
    end = time.monotonic() + seconds
    while True:
        try:
            return future.result(_POLL_SECONDS)
        except NotYet:
            if future.done():
                raise
            if cancelled():
                future.cancel()
                raise Cancelled from None
            if time.monotonic() > end:
                future.cancel()
                raise
