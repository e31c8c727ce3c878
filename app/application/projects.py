"""Opening projects: the user's files, and what windows left behind that ended without closing.

What does not live here: reading the file (`app.project`), base meshes (`opening`), the dialog (`recovery_dialog`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from app.application.desk import Desk
from app.application.keeping import Keeping, begin_session
from app.application.saving import Saving
from app.errors import LikenessError
from app.project.content import ProjectContent
from app.project.in_use import Claim, FileInUse, claim
from app.project.opening import open_project_in_worker
from app.project.saving import BACKUP_SUFFIX, save_left_behind
from app.project.sessions import Recoverable, Session, recoverable
from app.widgets import questions

_FLUSH_SECONDS = 10.0


class Projects:
    """See `app.widgets.commands.RecoveryCommands` for the verbs."""

    def __init__(self, desk: Desk, keeping: Keeping, saving: Saving) -> None:
        self._desk, self._keeping, self._saving = desk, keeping, saving

    def open_project(self, path: Path, photos: Sequence[Path] = ()) -> None:
        """Open a user's file. photos: files that came along with it, to stand beside the figurine.

        What Save kept of the one before (.bak) is opened as a copy: it is not to be written to.
        """
        desk, present = self._desk, self._desk.document.project_path
        if present is not None and os.path.realpath(path) == os.path.realpath(present):
            desk.say(f"{path.name} is open already")
            return
        if not desk.ready() or not self._saving.settle(lambda: self.open_project(path, photos)):
            return
        session = self._begin_session(path.parent)
        if session is None:
            return
        backup = path.name.lower().endswith(BACKUP_SUFFIX)
        try:
            held: Claim | None = None if backup else claim(path, session)
        except FileInUse as error:
            answer = questions.ask_in_use(desk.window, path, error, saving=False)
            if answer == "no":
                session.end()
                return
            held = claim(path, session, take_over=True) if answer == "take over" else None
        title = f"{Path(path.stem).stem} backup" if backup else "" if held is not None else f"{path.stem} copy"

        def show(content: ProjectContent) -> None:
            self._show(session, content, held, path, title)
            desk.window.photo_panel.add(photos)

        self._read(session, path, f"Opening {path.name}", show, held)

    def _begin_session(self, near: Path) -> Session | None:
        """A session of its own, in the folder `near` where the usual one cannot be written."""
        try:
            return begin_session()
        except LikenessError:
            try:
                return begin_session(near)
            except LikenessError as error:
                self._desk.show(error)
                return None

    def _read(
        self,
        session: Session,
        path: Path,
        label: str,
        done: Callable[[ProjectContent], None],
        held: Claim | None = None,
    ) -> None:
        """Read a project file, or another working copy, into a session that `done` goes on with."""

        def drop() -> None:
            if held is not None:
                held.release()
            session.end()

        def failed(error: BaseException) -> None:
            drop()
            self._desk.show(error)

        mark = self._desk.document.mark()

        def opened(content: ProjectContent) -> None:
            self._desk.window.controller.cancel()
            # The hand may have gone on while the file was read.
            if self._desk.document.mark() == mark or self._saving.settle(lambda: done(content)):
                done(content)
            elif not self._saving.busy:
                drop()

        started = self._desk.run(
            label,
            lambda progress, cancelled: open_project_in_worker(path, session.working_path, progress, cancelled),
            opened,
            failed,
        )
        if not started:
            drop()

    def _show(
        self, session: Session, content: ProjectContent, held: Claim | None, path: Path | None, title: str
    ) -> None:
        """Go on with what was read. held: the right to save to `path`; without it Save asks for a file."""
        own = path if held is not None else None
        self._keeping.let_go()
        self._desk.document.open_project(content, own, title=title)
        self._keeping.adopt(session, content, held, _written_at(own) if own else None)
        self._desk.window.opened(own, content.notes)

    # What windows left behind

    def recoverable(self) -> Sequence[Recoverable]:
        return recoverable()

    def recover(self, left: Recoverable, file: Path | None = None) -> None:
        if not self._desk.ready() or not self._saving.settle(lambda: self.recover(left, file)):
            return
        session = self._begin_session((left.project_path or left.folder).parent)
        if session is not None:
            self._read(
                session,
                left.working_path,
                f"Recovering {left.name}",
                lambda content: self._recovered(session, content, left, file),
            )

    def _recovered(self, session: Session, content: ProjectContent, left: Recoverable, file: Path | None) -> None:
        held, why = self._claim_again(session, left)
        self._show(session, content, held, left.project_path, left.name)
        # The folder goes only when the new working copy has all of it.
        if self._keeping.flush(_FLUSH_SECONDS):
            left.discard()
        bar = self._desk.window.message_bar
        if file is None:
            bar.note(f"Recovered {left.name}. {why}")
        else:
            opening = self._desk.window.commands.opening
            bar.note(
                f"Recovered {left.name}. {why}. {file.name} was not opened",
                f"Open {file.name}",
                lambda: opening.open_file(file),
            )

    def _claim_again(self, session: Session, left: Recoverable) -> tuple[Claim | None, str]:
        """The right to save recovered work to its file, or why there is none."""
        path = left.project_path
        if path is None:
            return None, "It was never saved before: Save asks for a file"
        if _written_at(path) > left.changed_at:
            return None, f"{path.name} was saved again after that: Save asks for another file"
        try:
            return claim(path, session), f"Save writes it to {path}"
        except FileInUse:
            return None, f"{path.name} is open in another window: Save asks for another file"

    def copy_recoverable(self, left: Recoverable, path: Path) -> None:
        self._desk.run(
            f"Saving {path.name}",
            lambda progress, cancelled: save_left_behind(left.working_path, path, progress, cancelled),
            lambda _: self._desk.say(f"A copy was saved: {path}"),
            blocking=False,
        )

    def discard_recoverable(self, left: Recoverable) -> None:
        left.discard()


def _written_at(path: Path) -> float:
    """Seconds since the epoch; 0 where there is no such file."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
