"""Where the work is: in its project file, in the working copy, or, when a disk fails, only in memory.

The application tells a `Safety` what happened; the status bar and the warning bars say it. What does not live here:
writing (`app.project`), and what to do when it fails (`warning_bar`).
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.document import Document
from app.errors import LikenessError
from app.preflight.check import FAIL
from app.widgets.moments import ago

WORKING_COPY = """\
Each stroke goes into a working copy on this computer as soon as it is made.
If Likeness or the computer stops, the next start offers it again.
Save (Ctrl+S) writes the work into your project file."""


class Safety(QObject):
    """`changed`: one of the fields is another.

    saved_at, kept_at: seconds since the epoch of the last Save and of the last write to the working copy, or None.
    kept_failure, save_failure: why the working copy, the project file could not be written last; None when they were.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.saved_at: float | None = None
        self.kept_at: float | None = None
        self.kept_failure: LikenessError | None = None
        self.save_failure: LikenessError | None = None

    def begin(self, saved_at: float | None = None) -> None:
        """Another figurine. saved_at: when its project file was written."""
        self.saved_at, self.kept_at, self.save_failure = saved_at, None, None
        self.changed.emit()

    def saved(self, at: float) -> None:
        """The project file holds the work."""
        self.saved_at, self.save_failure = at, None
        self.changed.emit()

    def save_failed(self, error: LikenessError | None) -> None:
        """The project file could not be written; None: that is known, and need not be said any longer."""
        self.save_failure = error
        self.changed.emit()

    def kept(self, at: float) -> None:
        """The working copy holds the work."""
        self.kept_at = at
        self.changed.emit()

    def keeping_failed(self, error: LikenessError) -> None:
        """The working copy cannot be written."""
        self.kept_failure = error
        self.changed.emit()

    def keeping_works(self) -> None:
        """The working copy can be written again."""
        self.kept_failure = None
        self.changed.emit()


def sentence(document: Document, safety: Safety, now: float) -> tuple[str, str]:
    """What the status bar says, and FAIL or "" for its colour. now: seconds since the epoch."""
    if document.mesh is None:
        return "", ""
    if not document.modified:
        return (f"saved {ago(safety.saved_at, now)}" if safety.saved_at is not None else ""), ""
    if safety.kept_failure is not None:
        return "not saved and not kept safe", FAIL
    state = "not saved yet" if document.project_path is None else "changes not saved"
    kept = "keeping it safe" if safety.kept_at is None else f"kept safe {ago(safety.kept_at, now)}"
    return f"{state}, {kept}", ""


def explanation(document: Document) -> str:
    """The tooltip of `sentence`: the file, and what the working copy is."""
    file = f"Project file: {document.project_path}" if document.project_path else "No project file yet"
    return f"{file}\n{WORKING_COPY}"
