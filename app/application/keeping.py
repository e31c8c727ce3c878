"""The working copy of the figurine in hand: which session it lies in, who follows whom, and what the window is told.

What does not live here: writing it (`app.project.working_copy`), saying how it is (`app.widgets.safety`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.document import Document
from app.errors import LikenessError, WriteFailed
from app.project.content import ProjectContent
from app.project.in_use import Claim, claim
from app.project.sessions import Session, sessions_folder
from app.project.working_copy import WorkingCopy
from app.widgets.jobs import Work
from app.widgets.safety import Safety

_END_SECONDS = 10.0
# A disk that has not taken a commit for so long is one that does not answer.
_PATIENCE_SECONDS, _LOOK_MS = 20.0, 5000


class Keeping(QObject):
    """One working copy at a time. What its writer says on its own thread arrives at `safety` on the window's."""

    _committed = Signal(object, object)
    _failed = Signal(object, object)
    _recovered = Signal(object)

    def __init__(self, document: Document, safety: Safety) -> None:
        super().__init__()
        self._document, self._safety = document, safety
        self._session: Session | None = None
        self._copy: WorkingCopy | None = None
        self._claim: Claim | None = None
        self._former: list[Callable[[], None]] = []
        self._committed.connect(self._on_committed)
        self._failed.connect(self._on_failed)
        self._recovered.connect(self._on_recovered)
        self._unanswered = False
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._look_at_disk)
        self._look.start()

    # From one figurine to the next

    def let_go(self) -> None:
        """Follow the present figurine no longer: its work is saved or given up. Its folder stays until the next is in
        a folder of its own.
        """
        copy, session, held = self._copy, self._session, self._claim
        self._copy = self._session = self._claim = None
        if copy is not None:
            copy.close()
        if held is not None:
            held.release()  # at once: the very same file may be the next to be opened
        if session is not None:
            self._former.append(session.end)

    def begin(self, folder: Path | None = None) -> None:
        """Follow what the document has begun with: all of it is written in the background.

        folder: where sessions are to be, in place of the usual one.
        """
        self._safety.begin(self._safety.saved_at if self._document.project_path else None)
        try:
            self._session = begin_session(folder)
        except LikenessError as error:
            self._safety.keeping_failed(error)
            return
        self._follow(WorkingCopy(self._document, self._session)).begin()

    def adopt(self, session: Session, content: ProjectContent, held: Claim | None, saved_at: float | None) -> None:
        """Follow a project that was opened into a session of its own."""
        self._safety.begin(saved_at)
        self._session, self._claim = session, held
        self._follow(WorkingCopy(self._document, session)).adopt(content)
        self._end_former()

    def _follow(self, copy: WorkingCopy) -> WorkingCopy:
        self._copy = copy
        # Lambdas, because these are called on the writer's thread: all they do is to send a signal to this one.
        copy.committed.connect(lambda state: self._committed.emit(copy, state.at))
        copy.failed.connect(lambda error: self._failed.emit(copy, error))
        copy.recovered.connect(lambda: self._recovered.emit(copy))
        self._safety.keeping_works()
        return copy

    def end(self) -> None:
        """The program ends, and the work is saved or given up: nothing stays behind."""
        self.let_go()
        self._end_former()

    def leave(self) -> None:
        """The program ends without having been asked about its work: it stays for recovery."""
        self.flush(_END_SECONDS)
        copy, session, held = self._copy, self._session, self._claim
        self._copy = self._session = self._claim = None
        if copy is not None:
            copy.close()
        if held is not None:
            held.release()
        if session is not None:
            session.leave()
        self._end_former()

    def _end_former(self) -> None:
        former, self._former = self._former, []
        for end in former:
            end()

    # The project file

    def claim(self, path: Path, *, take_over: bool = False) -> Claim | None:
        """Say that this window is about to write a project file. Raises FileInUse. None without a session."""
        return None if self._session is None else claim(path, self._session, take_over=take_over)

    def hold(self, held: Claim | None) -> None:
        """Keep a claim in place of the present one."""
        former, self._claim = self._claim, held
        if former is not None and former is not held:
            former.release()

    def saving(self, path: Path, *, as_copy: bool) -> Work:
        """The work of a job that writes the project file, with the figurine as it is now. It raises WriteFailed."""
        if self._copy is None:  # the usual folder cannot be written; where a project can be, a working copy can too
            self.begin(path.parent)
        present = self._copy
        if present is None:
            raise self._safety.kept_failure or WriteFailed("cannot be written", path, "Choose another folder")
        write = present.save_copy if as_copy else present.save
        return lambda progress, cancelled: write(path, progress, cancelled)

    # While the hand works

    def set_thumbnail(self, png: bytes) -> None:
        """What the figurine looks like."""
        if self._copy is not None:
            self._copy.set_thumbnail(png)

    def flush(self, seconds: float) -> bool:
        """Wait until the working copy holds every finished step; False when it does not within this time."""
        return self._copy is not None and self._copy.flush(seconds)

    def keep_again(self) -> None:
        """Try again at once to write the working copy."""
        if self._copy is None:
            self.begin()
        else:
            self._copy.retry_now()

    def keep_elsewhere(self, folder: Path) -> Work | None:
        """Go on with the working copy in another folder: the work of a job that moves it, None where there is none to
        move. It raises WriteFailed.
        """
        copy = self._copy
        if copy is None:
            self.begin(folder)
            return None
        return lambda _, cancelled: copy.move_to(folder, cancelled)

    @property
    def folder(self) -> Path:
        """Where the working copy is, or should be."""
        return sessions_folder() if self._session is None else self._session.working_path.parent

    def _look_at_disk(self) -> None:
        """A drive that went away may neither take what is written nor say that it does not."""
        copy, before = self._copy, self._unanswered
        self._unanswered = copy is not None and copy.waiting_s > _PATIENCE_SECONDS
        if copy is None or copy.failure is not None or self._unanswered == before:
            return
        if self._unanswered:
            # No place with the error: whoever shows it would ask that disk how much room it has.
            what = f"the disk of the working copy does not answer ({copy.path.parent})"
            self._safety.keeping_failed(WriteFailed(what, "", "Connect it again, or save the work to another disk"))
        else:
            self._safety.keeping_works()

    # What the writer says, on the window's thread

    def _on_committed(self, copy: WorkingCopy, at: float) -> None:
        if copy is self._copy:
            self._safety.kept(at)
            self._end_former()

    def _on_failed(self, copy: WorkingCopy, error: LikenessError) -> None:
        if copy is self._copy:
            self._safety.keeping_failed(error)

    def _on_recovered(self, copy: WorkingCopy) -> None:
        if copy is self._copy:
            self._safety.keeping_works()


def begin_session(folder: Path | None = None) -> Session:
    """A session of its own for a figurine. Raises WriteFailed where no folder can be made for it."""
    try:
        return Session.begin(folder)
    except OSError as error:
        what = f"the folder for working copies cannot be written: {error.strerror or error}"
        raise WriteFailed(
            what, folder or sessions_folder(), "Choose another folder for them, or save the work"
        ) from error
