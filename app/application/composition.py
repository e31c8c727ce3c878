"""Makes the document, the window and the commands, and wires them in one visible list."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app import worker
from app.application.desk import Desk
from app.application.exporting import Exporting
from app.application.garbage import Garbage
from app.application.keeping import Keeping
from app.application.modelling import PROFILE, Modelling
from app.application.opening import Opening
from app.application.operating import Operating
from app.application.projects import Projects
from app.application.saving import Saving
from app.document import Document
from app.preflight.profiles import DEFAULT, PrinterProfile, mistakes, profile, profiles
from app.sculpt.history import DEFAULT_LIMIT_BYTES
from app.settings import Settings
from app.widgets import verbs
from app.widgets.commands import Commands
from app.widgets.fault_box import FaultBox
from app.widgets.faults import FaultHandler
from app.widgets.main_window import MainWindow
from app.widgets.safety import Safety
from app.widgets.theme import apply_theme

_MEGABYTE = 1 << 20
_LIMIT = "undo/limit_mb"
# A disk that hangs must not keep the user from what a fault, or the end of the computer's day, has to say.
_FLUSH_SECONDS = 3.0


def default_history_bytes() -> int:
    """1 GiB, or a tenth of the machine's memory where that is more."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return DEFAULT_LIMIT_BYTES
    return max(DEFAULT_LIMIT_BYTES, memory // 10)


class Application:
    """The program with its window. What each verb of `commands` does is told in `app.widgets.commands`."""

    def __init__(self, settings: Settings) -> None:
        limit = settings.get(_LIMIT, default_history_bytes() // _MEGABYTE) * _MEGABYTE
        self._document = Document(_profile(settings), limit)
        self._safety = Safety()
        self._desk = Desk(self._document, settings)
        self._keeping = Keeping(self._document, self._safety)
        self._let_go = False
        model = Modelling(self._desk)
        saving = Saving(self._desk, self._keeping)
        projects = Projects(self._desk, self._keeping, saving)
        opening = Opening(self._desk, self._keeping, projects, saving, model)
        exporting = Exporting(self._desk, opening.ask_height)
        self.commands = Commands(opening, saving, projects, exporting, model, Operating(self._desk))
        self.window = self._desk.window = MainWindow(self._document, settings, self.commands, self._safety)
        self._faults = FaultHandler(self._show_fault)
        self._garbage = Garbage(lambda: self.window.controller.busy)
        for signal, slot in (
            (settings.changed, self._setting_changed),
            (self.window.controller.failed, self._desk.show),
            (self.window.transform.failed, self._desk.show),
            (self.window.controller.refused, self._desk.say),
            (self.window.controller.hinted, self._desk.say),
            (self.window.options_bar.failed, self._desk.show),
            (self.window.controller.vertex_colors_wanted, model.offer_vertex_colors),
            (self.window.thumbnail_taken, self._keeping.set_thumbnail),
            (self.window.let_go, self._work_let_go),
        ):
            signal.connect(slot)
        for mistake in mistakes():
            self._desk.say(str(mistake))

    def open_first(self, file: Path | None) -> None:
        """What the program was started with, after work that was left behind has been offered."""

        def otherwise() -> None:
            if file is None:
                self.commands.opening.open_sample()
            else:
                self.commands.opening.open_file(file)

        left = self.commands.recovery.recoverable()
        if left:
            verbs.show_recovery(self.window, left, otherwise, file)
        else:
            otherwise()

    def keep(self) -> bool:
        """Bring the working copy up to date before the computer ends the program."""
        return self._keeping.flush(_FLUSH_SECONDS)

    def shut_down(self) -> None:
        """End workers and jobs; the window is closed, or the system ends the program. Unsaved work nobody has decided
        about stays for recovery.
        """
        self._faults.stop()
        if self._let_go or not self._document.modified:
            end = self._keeping.end
        else:
            self.keep()  # before anything else: it may not be given much time
            end = self._keeping.leave
        self.window.jobs.shut_down()
        end()
        worker.cool_down()
        self._garbage.stop()

    def _work_let_go(self) -> None:
        self._let_go = True

    def _show_fault(self, error: BaseException) -> None:
        kept = self.keep() if self._document.modified else None
        box = FaultBox(error, kept, self.window)
        box.exec()
        if box.answer == "save":
            verbs.save_as(self.window)
        elif box.answer == "quit":
            self.window.close_without_asking()

    def _setting_changed(self, key: str, value: object) -> None:
        qt = QApplication.instance()
        if key == "theme/dark" and isinstance(qt, QApplication):
            apply_theme(qt, dark=bool(value))
        elif key == _LIMIT and isinstance(value, int):
            self._document.history.limit_bytes = value * _MEGABYTE


def _profile(settings: Settings) -> PrinterProfile:
    """The profile used last; the default where it is gone."""
    return profiles().get(settings.get(PROFILE, DEFAULT)) or profile(DEFAULT)
