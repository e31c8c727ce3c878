"""Long work beside a living window: one job at a time, with what it does, how far it is, and Cancel.

A job's `work` runs on its own thread and usually only waits for a worker process (`app.worker`); `done` and `failed`
run on the window's thread. What does not live here: what a job does, and how an error is shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from app.errors import Cancelled

Progress = Callable[[float, str], None]
Work = Callable[[Progress, Callable[[], bool]], Any]

_PER_MILLE = 1000
_BAR_WIDTH = 160
_STOP_MS = 5000
_never_ending: list[QThread] = []


class JobRunner(QObject):
    """Runs one job at a time. Signals: started and finished, for whoever must not change the document meanwhile."""

    started = Signal(str)
    progressed = Signal(float, str)
    finished = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: _Job | None = None
        self._blocking = False
        self._done: Callable[[Any], None] | None = None
        self._failed: Callable[[BaseException], object] | None = None

    @property
    def busy(self) -> bool:
        return self._job is not None

    @property
    def blocking(self) -> bool:
        """Whether a job runs that replaces the document, or needs it to stay what it is but for strokes."""
        return self._job is not None and self._blocking

    def start(
        self,
        label: str,
        work: Work,
        done: Callable[[Any], None],
        failed: Callable[[BaseException], object] | None = None,
        *,
        blocking: bool = True,
    ) -> bool:
        """Start `work(progress, cancelled)`; False, and nothing happens, while another job runs.

        `failed` gets the exception, Cancelled among them. blocking: see the property.
        """
        if self._job is not None:
            return False
        self._blocking = blocking
        self._done, self._failed = done, failed
        job = self._job = _Job(work, self)
        # Queued connections: these slots run on this object's thread, whichever thread the job reports from.
        job.progressed.connect(self.progressed, Qt.ConnectionType.QueuedConnection)
        job.finished.connect(self._end, Qt.ConnectionType.QueuedConnection)
        self.started.emit(label)
        self.progressed.emit(0.0, label)
        job.start()
        return True

    def cancel(self) -> None:
        """Ask the running job to stop; it ends by calling `failed` with Cancelled."""
        if self._job is not None:
            self._job.stop.set()

    def shut_down(self) -> None:
        """Cancel and wait, for the end of the program; neither `done` nor `failed` is called."""
        job, self._job = self._job, None
        self._done = self._failed = None
        if job is None:
            return
        job.stop.set()
        if not job.wait(_STOP_MS):
            # It compiles something, say. A thread that is destroyed while it runs would end the program.
            job.setParent(None)
            _never_ending.append(job)

    @Slot()
    def _end(self) -> None:
        job, self._job = self._job, None
        done, failed = self._done, self._failed
        self._done = self._failed = None
        if job is None:
            return
        job.wait()
        job.deleteLater()
        self.finished.emit()
        if job.error is None:
            if done is not None:
                done(job.result)
        elif failed is not None:
            failed(job.error)


class _Job(QThread):
    progressed = Signal(float, str)

    def __init__(self, work: Work, parent: QObject) -> None:
        super().__init__(parent)
        self._work = work
        self.stop = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._work(self._progress, self.stop.is_set)
        except Exception as error:  # noqa: BLE001  handed to `failed`, which shows it
            self.error = error

    def _progress(self, fraction: float, doing: str) -> None:
        self.progressed.emit(fraction, doing)
        if self.stop.is_set():
            raise Cancelled


class JobBar(QWidget):
    """The status bar's part for the running job; hidden while there is none."""

    def __init__(self, jobs: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._label = QLabel()
        self._bar = QProgressBar()
        self._bar.setRange(0, _PER_MILLE)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(_BAR_WIDTH)
        self._cancel = QToolButton()
        self._cancel.setText("Cancel")
        self._cancel.setToolTip("Stop this job; the model stays as it is")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self._label, self._bar, self._cancel):
            row.addWidget(widget)
        self._cancel.clicked.connect(self._stop)
        jobs.started.connect(self._begin)
        jobs.progressed.connect(self._show_progress)
        jobs.finished.connect(self.hide)
        self.hide()

    @property
    def cancel_button(self) -> QToolButton:
        return self._cancel

    def _begin(self, label: str) -> None:
        self._cancel.setEnabled(True)
        self._bar.setValue(0)
        self._label.setText(label)
        self.show()

    def _show_progress(self, fraction: float, doing: str) -> None:
        self._bar.setValue(round(min(max(fraction, 0.0), 1.0) * _PER_MILLE))
        if doing and self._cancel.isEnabled():
            self._label.setText(doing)

    def _stop(self) -> None:
        self._cancel.setEnabled(False)
        self._label.setText("Cancelling")
        self._jobs.cancel()
