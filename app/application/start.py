"""From the arguments to a running window: worker, kernels, splash; and the signals that end a program from outside."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QObject, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication

from app import worker
from app.application.composition import Application
from app.project.opening import prepare
from app.sculpt.warmup import warm_up
from app.settings import Settings
from app.viewport import render_copy
from app.viewport.viewport import prepare_surface_format
from app.widgets.faults import log, start_log
from app.widgets.splash import Splash
from app.widgets.theme import apply_theme

# Asked to end, by a log-out or a closed terminal for example; not every system has each of them.
_END_SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT", "SIGBREAK")
_SIGNAL_EXIT = 128


def run_window(file: Path | None) -> int:
    """Open the window on a file, or on the sample base mesh; returns when it is closed."""
    # The worker is spawned before Qt and OpenGL exist, so that it is warm when the first file is opened.
    worker.warm_up(prepare)
    prepare_surface_format()
    qt = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(qt, QApplication)
    qt.setApplicationName("Likeness")
    qt.setDesktopFileName("likeness")
    start_log()
    settings = Settings()
    apply_theme(qt, dark=settings.get("theme/dark", True))
    with Splash() as splash:
        _warm_up_kernels(splash.show_progress)
        application = Application(settings)
    application.window.show()
    # A log-out: what comes after this signal may be no more than the end of the process.
    qt.commitDataRequest.connect(lambda _: application.keep())
    signals = EndSignals(lambda number: qt.exit(_SIGNAL_EXIT + number))
    QTimer.singleShot(0, lambda: application.open_first(file))
    try:
        return qt.exec()
    finally:
        application.shut_down()
        signals.close()


class EndSignals(QObject):
    """Calls `end` with the number of a signal that asks the program to end, on the window's thread.

    Python handles signals only between two of its own instructions, and Qt's loop may not come back to Python for long:
    the byte that the system's handler writes into a socket wakes it up.
    """

    def __init__(self, end: Callable[[int], object]) -> None:
        super().__init__()
        self._end = end
        self._reading, self._writing = socket.socketpair()
        for end_of_pair in (self._reading, self._writing):
            end_of_pair.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        self._before = {
            number: signal.signal(number, lambda *_: None)
            for number in (getattr(signal, name, None) for name in _END_SIGNALS)
            if number is not None
        }
        self._notifier = QSocketNotifier(self._reading.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)

    def close(self) -> None:
        """Give the signals back to whoever had them."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._reading.close()
        self._writing.close()

    def _read(self) -> None:
        for number in self._reading.recv(64):
            if number in self._before:
                log.info("ended by signal %d", number)
                self._end(number)


def _warm_up_kernels(show: Callable[[float, str], None]) -> None:
    """Compile or load the kernels on another thread while the splash stays alive."""
    loop = QEventLoop()
    reports: list[tuple[float, str]] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            render_copy.warm_up()
            warm_up(lambda fraction, doing: reports.append((fraction, doing)))
        except Exception as error:  # noqa: BLE001 - raised again below, on the thread that can show it
            failure.append(error)

    thread = threading.Thread(target=work, name="warm-up")
    poll = QTimer()

    def look() -> None:
        if reports:
            show(*reports[-1])
        if not thread.is_alive():
            loop.quit()

    poll.timeout.connect(look)
    poll.start(30)
    thread.start()
    loop.exec()
    poll.stop()
    thread.join()
    if failure:
        raise failure[0]
