"""Work that nobody waits for: one piece after another, out of the way of jobs the user asked for.

What does not live here: jobs with a bar and Cancel (`jobs`), and what the work is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import Cancelled
from app.widgets.faults import log
from app.widgets.jobs import JobRunner, Work

# A worker process that was told to stop is gone after this, mostly.
_AGAIN_MS = 60


@dataclass(frozen=True, eq=False)
class _Piece:
    name: str
    work: Work
    done: Callable[[Any], None]
    failed: Callable[[BaseException], object]


class Background(QObject):
    """Runs pieces of work by name; a new one replaces an older one of the same name. Stops while a job of `jobs` runs.

    progressed: name and part done, 0 to 1.
    """

    progressed = Signal(str, float)

    def __init__(self, jobs: JobRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._runner = jobs, JobRunner(self)
        self._waiting: dict[str, _Piece] = {}
        self._running: _Piece | None = None
        self._closed = False
        self._again = QTimer(self, singleShot=True, interval=_AGAIN_MS)
        self._again.timeout.connect(self._next)
        jobs.started.connect(self._make_way)
        jobs.finished.connect(self._again.start)
        self._runner.finished.connect(self._again.start)
        self._runner.progressed.connect(self._progress)

    def start(
        self,
        name: str,
        work: Work,
        done: Callable[[Any], None],
        failed: Callable[[BaseException], object] = lambda _: None,
    ) -> None:
        """Do this when it is its turn. What is cancelled or replaced calls neither `done` nor `failed`."""
        self.cancel(name)
        self._waiting[name] = _Piece(name, work, done, failed)
        self._again.start()

    def cancel(self, name: str) -> None:
        """Not wanted any more."""
        self._waiting.pop(name, None)
        if self._running is not None and self._running.name == name:
            self._running = None
            self._runner.cancel()

    def busy(self, name: str) -> bool:
        """Whether this is running or waiting for its turn."""
        return name in self._waiting or (self._running is not None and self._running.name == name)

    def shut_down(self) -> None:
        """Stop everything, for the end of the window."""
        self._closed = True
        self._again.stop()
        self._waiting.clear()
        self._running = None
        self._runner.shut_down()

    def _make_way(self) -> None:
        piece, self._running = self._running, None
        if piece is not None:
            self._waiting = {piece.name: piece, **self._waiting}
            self._runner.cancel()

    def _next(self) -> None:
        if self._closed or self._jobs.busy or not self._waiting:
            return
        if self._runner.busy:
            self._again.start()
            return
        piece = self._waiting.pop(next(iter(self._waiting)))
        self._running = piece
        self._runner.start(piece.name, piece.work, lambda result: self._end(piece, result), self._failed_of(piece))

    def _end(self, piece: _Piece, result: Any) -> None:
        if self._running is piece:
            self._running = None
            piece.done(result)

    def _failed_of(self, piece: _Piece) -> Callable[[BaseException], object]:
        def failed(error: BaseException) -> None:
            if self._running is not piece:
                return
            self._running = None
            if not isinstance(error, Cancelled):
                log.warning("in the background, %s: %s", piece.name, error)
            piece.failed(error)

        return failed

    def _progress(self, part: float, _doing: str) -> None:
        if self._running is not None:
            self.progressed.emit(self._running.name, part)
