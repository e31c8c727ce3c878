"""The background thread that commits changes to the working copy.

    sculpting thread                    writer
    post(changes) ── merged ──────────> packs, commits at once, batches what has queued up meanwhile
                                        a commit that fails: says so once, keeps everything, tries again
    flush, copy, move  <─ waited for ── done between two commits, on the same connection

What was posted is never dropped before it is committed. What to post is the business of `working_copy`.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from app.errors import LikenessError
from app.project.changes import Changes, CommittedState
from app.project.database import Database, Gone
from app.project.folders import write_failure

T = TypeVar("T")

FIRST_RETRY_SECONDS, MOST_RETRY_SECONDS = 2.0, 30.0
# How something is looked at may wait for more of its kind; a stroke may not.
_LAZY_SECONDS = 0.5
# The hand has the end of its stroke to draw first; and undo, undo, undo makes one transaction.
_BREATH_SECONDS = 0.008
# Failures after which the file is as good as before.
_HARMLESS = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

_log = logging.getLogger(__name__)


class Writer:
    """See the module's docstring. The callables are called on the writer's thread.

    rebuild: post everything there is, as whole changes. restore: make the folder again where it is gone. committed,
    failed and recovered tell of events.
    """

    def __init__(
        self,
        database: Database,
        rebuild: Callable[[], None],
        restore: Callable[[], None],
        committed: Callable[[CommittedState], None],
        failed: Callable[[LikenessError], None],
        recovered: Callable[[], None],
    ) -> None:
        self.failure: LikenessError | None = None
        self._database, self._rebuild, self._restore = database, rebuild, restore
        self._committed, self._failed, self._recovered = committed, failed, recovered
        self._condition = threading.Condition()
        self._incoming = Changes()
        self._pending = Changes()  # the thread's own: packed, not committed yet
        self._tasks: list[tuple[Callable[[], Any], Future[Any]]] = []
        self._posted = self._taken = self._done = 0
        self._posted_at = 0.0
        self._writing_since: float | None = None
        self._hurry = self._closing = self._lost = self._retry_now = False
        self._distrusted: Exception | None = None
        self._retry_at: float | None = None
        self._retry_seconds = FIRST_RETRY_SECONDS
        self._thread = threading.Thread(target=self._run, name="working-copy", daemon=True)
        self._thread.start()

    @property
    def path(self) -> Path:
        """Where the working copy is."""
        return self._database.path

    @property
    def pending(self) -> bool:
        """Whether something posted is not on disk yet."""
        return self._done != self._posted

    @property
    def waiting_s(self) -> float:
        """Seconds since the commit began that is going on; 0 where there is none."""
        since = self._writing_since
        return 0.0 if since is None else time.monotonic() - since

    def post(self, changes: Changes) -> None:
        """Have changes written. Returns at once; the caller does not touch them any more."""
        if changes.empty:
            return
        with self._condition:
            if self._incoming.empty:
                self._posted_at = time.monotonic()
            self._incoming.merge(changes)
            self._posted += 1
            self._condition.notify_all()

    def flush(self, timeout: float) -> bool:
        """Wait until all that has been posted is committed. Returns whether it is."""
        with self._condition:
            wanted = self._posted
            self._hurry = True
            self._condition.notify_all()
            return self._condition.wait_for(lambda: self._done >= wanted, timeout)

    def retry(self) -> None:
        """Try a commit that failed again, now."""
        with self._condition:
            self._retry_now = True  # an attempt may be going on that is about to fail: then there is one more
            self._condition.notify_all()

    def distrust(self, error: Exception) -> None:
        """The changes could not be gathered: say so, and make everything again from what is in memory."""
        with self._condition:
            self._distrusted = error
            self._posted += 1
            self._condition.notify_all()

    def copy(self) -> Future[sqlite3.Connection]:
        """The project in memory, with all that has been posted, even where it cannot be committed."""
        return self._call(lambda: self._with_rebuilding(lambda: self._database.copy(self._pending)))

    def move(self, path: Path, note: Callable[[], None]) -> Future[None]:
        """Go on at another place. note: have the next start look there; called before anything counts as safe there."""

        def move() -> None:
            self._with_rebuilding(lambda: self._database.move(path, self._pending))
            note()
            self._finish_commit()

        return self._call(move)

    def close(self, timeout: float) -> bool:
        """Commit what is pending and end the thread. Returns whether everything is on disk."""
        with self._condition:
            self._closing = self._hurry = True
            self._condition.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive() and not self.pending

    # The thread

    def _call(self, function: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        with self._condition:
            if self._closing:
                raise RuntimeError("the working copy is closed")
            self._tasks.append((function, future))
            self._condition.notify_all()
        return future

    def _run(self) -> None:
        while True:
            try:
                if not self._turn():
                    break
            except BaseException as error:  # noqa: BLE001 - nothing that happens here may end the thread unheard
                self._lost = True
                self._fail(error)
        self._database.close()

    def _turn(self) -> bool:
        """One round: wait, take what has come, commit it, run tasks. Returns False when it is time to end."""
        with self._condition:
            while not self._has_work():
                self._condition.wait(self._patience())
            hurried = self._closing or self._hurry or self._retry_now or self._tasks
        if not hurried:
            time.sleep(_BREATH_SECONDS)
        with self._condition:
            tasks, self._tasks = self._tasks, []
            closing = self._closing
            at_once, self._retry_now, self._hurry = closing or self._retry_now, False, False
            distrusted, self._distrusted = self._distrusted, None
        self._take()
        if distrusted is not None:
            self._lost = True
            self._fail(distrusted)
        if at_once:
            self._retry_at = None
        if self._due():
            self._commit()
        for function, future in tasks:
            self._serve(function, future)
        return not closing

    def _has_work(self) -> bool:
        if self._tasks or self._closing or self._distrusted is not None or self._due():
            return True
        if self._incoming.empty:
            return False
        return self._incoming.urgent or self._hurry or time.monotonic() >= self._posted_at + _LAZY_SECONDS

    def _patience(self) -> float | None:
        """Seconds to wait for more, None for no limit."""
        lazy = None if self._incoming.empty else self._posted_at + _LAZY_SECONDS
        until = [moment for moment in (self._retry_at, lazy) if moment is not None]
        return max(0.0, min(until) - time.monotonic()) if until else None

    def _due(self) -> bool:
        if self._pending.empty and not self._lost:
            return False
        return self._retry_at is None or self._retry_now or time.monotonic() >= self._retry_at

    def _serve(self, function: Callable[[], Any], future: Future[Any]) -> None:
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
                future.set_exception(error)

    def _commit(self) -> None:
        self._writing_since = time.monotonic()
        try:
            if self._lost:
                self._restore()
                self._take_whole()
            self._database.apply(self._pending)
        except Exception as error:  # noqa: BLE001 - whatever it is, the user hears of it and nothing is dropped
            self._fail(error)
        else:
            self._finish_commit()
        finally:
            self._writing_since = None

    def _finish_commit(self) -> None:
        state, had_failed = self._pending.state, self.failure is not None
        self._pending = Changes()
        self._lost, self.failure, self._retry_at = False, None, None
        self._retry_seconds = FIRST_RETRY_SECONDS
        with self._condition:
            self._done = self._taken
            self._condition.notify_all()
        if had_failed:
            self._tell(self._recovered)
        if state is not None:
            self._tell(self._committed, state)

    def _fail(self, error: BaseException) -> None:
        _log.warning("the working copy cannot be written: %r", error)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _HARMLESS:
            self._database.close()
        # Otherwise the file is not to be relied upon any more, and is made again from what is in memory.
        passing = isinstance(error, OSError) or code in (*_HARMLESS, sqlite3.SQLITE_IOERR)
        self._lost = self._lost or not passing or isinstance(error, Gone)
        first = self.failure is None
        self.failure = write_failure(error, self._database.path, "the working copy cannot be written")
        self._retry_at = time.monotonic() + self._retry_seconds
        self._retry_seconds = min(2 * self._retry_seconds, MOST_RETRY_SECONDS)
        if first:
            self._tell(self._failed, self.failure)

    def _with_rebuilding(self, act: Callable[[], T]) -> T:
        """Do something that reads the database; where that is not possible, from what is in memory."""
        try:
            if not self._lost:
                return act()
        except (sqlite3.Error, OSError) as error:
            _log.warning("the working copy cannot be read: %r", error)
        self._take_whole()
        return act()

    def _take(self) -> None:
        with self._condition:
            incoming, self._incoming = self._incoming, Changes()
            self._taken = self._posted
        self._pending.merge(incoming)
        self._pending.pack()

    def _take_whole(self) -> None:
        self._rebuild()
        self._take()

    def _tell(self, event: Callable[..., None], *values: Any) -> None:
        try:
            event(*values)
        except Exception:  # noqa: BLE001 - a listener's fault is not the working copy's
            _log.exception("an event of the working copy met an error")
