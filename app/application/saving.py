"""Saving into the project file, and what becomes of unsaved work when it is to go.

What does not live here: writing the file (`app.project`), the working copy (`keeping`), opening (`projects`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer

from app.application.desk import Desk
from app.application.exporting import job_folder, unused
from app.application.keeping import Keeping
from app.document import Mark
from app.errors import Cancelled, LikenessError
from app.project.in_use import Claim, FileInUse
from app.project.saving import SUFFIX
from app.widgets import questions
from app.widgets.commands import Then
from app.widgets.faults import log


class Saving:
    """See `app.widgets.commands.SaveCommands` for the verbs."""

    def __init__(self, desk: Desk, keeping: Keeping) -> None:
        self._desk, self._keeping = desk, keeping
        self._saving = False
        self._then: Then | None = None  # to be done when the work has been saved
        self._waiting: Callable[[], None] | None = None  # a Save that waits for another job

    def save(self) -> None:
        self._save(None)

    def save_as(self, path: Path) -> None:
        self._save_to(Path(path).absolute(), None)

    def proposed_path(self) -> Path:
        document = self._desk.document
        if document.project_path is not None:
            return document.project_path
        return unused(job_folder(document.source_path), document.name, SUFFIX)

    def settle(self, then: Then) -> bool:
        self._desk.window.transform.apply()
        if self._saving:
            self._then = then
            return False
        if not self._desk.document.modified:
            return True
        answer = questions.ask_unsaved(self._desk.window, self._desk.document.name)
        if answer == "save":
            self._save(then)
        return answer == "discard"

    def _save(self, then: Then | None) -> None:
        path = self._desk.document.project_path or self._ask_where()
        if path is not None:
            self._save_to(path, then)

    def _ask_where(self) -> Path | None:
        desk = self._desk
        return questions.ask_project_path(desk.window, desk.settings, "Save Project", self.proposed_path())

    def _save_to(self, path: Path, then: Then | None, *, take_over: bool = False) -> None:
        desk = self._desk
        desk.window.transform.apply()
        if desk.document.mesh is None or self._wait_for_jobs(lambda: self._save_to(path, then, take_over=take_over)):
            return
        try:
            held = self._keeping.claim(path, take_over=take_over)
        except FileInUse as error:
            self._save_elsewhere(path, error, then)
            return
        desk.window.job_view.note()
        mark = desk.document.mark()
        if png := desk.window.thumbnailer.take():
            self._keeping.set_thumbnail(png)
        self._start_saving(path, held, mark, then)

    def _start_saving(self, path: Path, held: Claim | None, mark: Mark, then: Then | None) -> None:
        def failed(error: BaseException) -> None:
            self._saving = False
            self._then = None
            self._release(held, path)
            self._not_saved(error)

        def done(_: object) -> None:
            self._saving = False
            self._keeping.hold(held)
            self._saved(path, mark)
            after, self._then = (self._then or then), None
            if after is not None:
                after()

        try:
            work = self._keeping.saving(path, as_copy=False)
        except LikenessError as error:
            failed(error)
            return
        self._saving = self._desk.run(f"Saving {path.name}", work, done, failed, blocking=False)

    def _saved(self, path: Path, mark: Mark) -> None:
        window = self._desk.window
        self._desk.document.saved(mark, path)
        window.safety.saved(time.time())
        window.remember(path)

    def _not_saved(self, error: BaseException) -> None:
        if isinstance(error, LikenessError) and not isinstance(error, Cancelled):
            log.warning("%s", error)
            self._desk.window.safety.save_failed(error)
        else:
            self._desk.show(error)

    def _release(self, held: Claim | None, path: Path) -> None:
        """Give back a claim that was made for a file that is not the project's after all."""
        present = self._desk.document.project_path
        if held is None:
            return
        if path == present:
            self._keeping.hold(held)
            return
        held.release()
        if present is not None:
            self._keeping.hold(self._keeping.claim(present, take_over=True))

    def _save_elsewhere(self, path: Path, error: FileInUse, then: Then | None) -> None:
        answer = questions.ask_in_use(self._desk.window, path, error, saving=True)
        if answer == "take over":
            self._save_to(path, then, take_over=True)
        elif answer == "other" and (other := self._ask_where()) is not None:
            self._save_to(other, then)

    def save_copy(self, path: Path) -> None:
        path = Path(path).absolute()
        if path == self._desk.document.project_path:
            self.save()
            return
        self._desk.window.transform.apply()
        if self._desk.document.mesh is None or self._wait_for_jobs(lambda: self.save_copy(path)):
            return
        try:
            self._release(self._keeping.claim(path), path)  # only to see that no other window has it open
            work = self._keeping.saving(path, as_copy=True)
        except LikenessError as error:
            self._desk.show(error)
            return
        self._desk.run(
            f"Saving {path.name}", work, lambda _: self._desk.say(f"A copy was saved: {path}"), blocking=False
        )

    def keep_again(self) -> None:
        self._desk.window.transform.apply()
        self._keeping.keep_again()

    def keep_elsewhere(self, folder: Path) -> None:
        if self._wait_for_jobs(lambda: self.keep_elsewhere(folder)):
            return
        self._desk.window.transform.apply()
        work = self._keeping.keep_elsewhere(folder)
        if work is not None:
            done = f"The working copy is in {folder} now"
            self._desk.run("Moving the working copy", work, lambda _: self._desk.say(done), blocking=False)

    @property
    def busy(self) -> bool:
        """Whether the project file is being written."""
        return self._saving

    def _wait_for_jobs(self, go_on: Callable[[], None]) -> bool:
        """Whether another job runs; then `go_on` is called after it. A Save is never refused."""
        jobs = self._desk.window.jobs
        if not jobs.busy:
            return False
        if self._waiting is None:
            jobs.finished.connect(self._go_on)
        self._waiting = go_on
        self._desk.say("It will be saved as soon as the running job is done")
        return True

    def _go_on(self) -> None:
        jobs, waiting = self._desk.window.jobs, self._waiting
        jobs.finished.disconnect(self._go_on)
        self._waiting = None
        if waiting is not None:
            QTimer.singleShot(0, self._desk.window, waiting)  # after the job's own end
