"""What happens when the program meets a fault of its own: it is logged and shown, and the session goes on.

An exception in a Qt slot or virtual method would otherwise be printed and lost. What does not live here: errors that
were foreseen (`app.errors`), which whoever called handles.
"""

from __future__ import annotations

import faulthandler
import logging
import logging.handlers
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, Qt, QtMsgType, Signal, qInstallMessageHandler

from app.settings import state_folder

_LOG_BYTES = 1 << 20
_LOG_FILES = 3
log = logging.getLogger("likeness")


def log_path() -> Path:
    """Where the log is."""
    return state_folder() / "likeness.log"


def start_log() -> None:
    """Log to files in the state folder, a crash of native code included."""
    path = log_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        for logger in (log, logging.getLogger("app")):
            logger.addHandler(handler)
        faulthandler.enable((path.parent / "crash.log").open("a"))
    except OSError:
        log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)


class FaultHandler(QObject):
    """Catches what nobody else caught, on any thread, and hands it to `show` on the GUI thread, until `stop`."""

    _caught = Signal(object)

    def __init__(self, show: Callable[[BaseException], None]) -> None:
        super().__init__()
        self._showing = self._stopped = False
        self._show = show
        # Queued: not from within a paint event, nor from within whatever it was that failed.
        self._caught.connect(self._show_once, Qt.ConnectionType.QueuedConnection)
        sys.excepthook = self._from_main
        threading.excepthook = self._from_thread
        qInstallMessageHandler(_qt_message)

    def stop(self) -> None:
        """There is no window any more to show anything in: from now on faults are only logged."""
        self._stopped = True

    def _from_main(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.error("unexpected", exc_info=(kind, error, trace))
        # A fault in painting comes back with every frame: one box at a time.
        if not self._stopped and not self._showing:
            self._caught.emit(error)

    def _from_thread(self, caught: threading.ExceptHookArgs) -> None:
        if caught.exc_value is not None:
            self._from_main(caught.exc_type, caught.exc_value, caught.exc_traceback)

    def _show_once(self, error: BaseException) -> None:
        if self._showing or self._stopped:
            return
        self._showing = True
        try:
            self._show(error)
        except Exception:  # it would come back here, for ever
            log.exception("a fault could not be shown")
        finally:
            self._showing = False


def _qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    level = logging.INFO if kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) else logging.WARNING
    log.log(level, "Qt: %s", message)
