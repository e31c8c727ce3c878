"""What windows left behind that ended without closing: a row for each, with what can be done about it.

What does not live here: finding and reading them (`app.project.sessions`), and doing what is chosen (`commands`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.project.sessions import Recoverable
from app.widgets.moments import moment
from app.widgets.recent import counted
from app.widgets.thumbnails import from_png

_PICTURE = 96
_MARGIN, _GAP = 24, 16
_WIDTH, _MOST_ROWS = 640, 3


class RecoveryDialog(QDialog):
    """Signals carry a Recoverable. The dialog stays open for a copy and a discard; `remove` takes the row away."""

    recover = Signal(object)
    save_copy = Signal(object)
    discard = Signal(object)

    def __init__(self, sessions: Sequence[Recoverable], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Recover Unsaved Work")
        self.setMinimumWidth(_WIDTH)
        heading = QLabel("Likeness ended before this work was saved")
        font = heading.font()
        font.setPointSizeF(font.pointSizeF() * 1.4)
        font.setBold(True)
        heading.setFont(font)
        self._heading = heading
        more = QLabel(
            "Every finished stroke is here. Recovering opens it in this window; what you leave stays for later."
        )
        more.setWordWrap(True)
        more.setProperty("role", "dim")
        self.rows: dict[Recoverable, RecoveryRow] = {}
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(0)
        for session in sorted(sessions, key=lambda session: session.damaged):
            row = self.rows[session] = RecoveryRow(session, first=not self.rows)
            row.recover.clicked.connect(lambda _=False, session=session: self._chosen(session))
            row.save_copy.clicked.connect(lambda _=False, session=session: self.save_copy.emit(session))
            row.discard.clicked.connect(lambda _=False, session=session: self.discard.emit(session))
            self._list.addWidget(row)
        self._list.addStretch(1)
        content = QWidget()
        content.setLayout(self._list)
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(content)
        buttons = QDialogButtonBox()
        later = buttons.addButton("Later", QDialogButtonBox.ButtonRole.RejectRole)
        later.setToolTip("Keep all of this; File > Recover Unsaved Work, or the next start, offers it again")
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _GAP)
        column.setSpacing(_GAP)
        for widget in (heading, more):
            column.addWidget(widget)
        column.addWidget(self._area, 1)
        column.addWidget(buttons)
        if self.rows:
            next(iter(self.rows.values())).main_button.setFocus()
        self._fit()

    def remove(self, session: Recoverable) -> None:
        """The row is done with; the dialog closes with the last one."""
        row = self.rows.pop(session, None)
        if row is None:
            return
        row.hide()
        row.setParent(None)
        row.deleteLater()
        self._fit()
        if not self.rows:
            self.reject()

    def _chosen(self, session: Recoverable) -> None:
        self.accept()
        self.recover.emit(session)

    def _fit(self) -> None:
        heights = [row.heightForWidth(_WIDTH - 2 * _MARGIN) for row in self.rows.values()]
        self._area.setMinimumHeight(sum(heights[:_MOST_ROWS]))
        self.resize(max(self.width(), _WIDTH), self.minimumSizeHint().height())


class RecoveryRow(QFrame):
    """One session: its picture, what it is, and the buttons. A damaged one is said to be, and kept."""

    def __init__(self, session: Recoverable, *, first: bool) -> None:
        super().__init__()
        self.session = session
        picture = QLabel()
        picture.setFixedSize(_PICTURE, _PICTURE)
        picture.setPixmap(from_png(session.thumbnail, _PICTURE, self.devicePixelRatioF()))
        name = QLabel("Damaged working copy" if session.damaged else session.name)
        font = name.font()
        font.setBold(True)
        name.setFont(font)
        self.told = QLabel("\n".join(description(session)))
        self.told.setWordWrap(True)
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.told.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.told.setProperty("role", "dim")
        self.recover = _button("Recover", "Open it in this window, with all its steps")
        self.save_copy = _button("Save Copy…", "Write it into a project file without opening it")
        self.discard = _button("Discard…", "Delete it, after one more question")
        self.show_folder = _button("Show Folder", "Open the folder with the files, for whoever looks after Likeness")
        self.show_folder.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(session.working_path.parent)))
        )
        shown = (self.show_folder,) if session.damaged else (self.recover, self.save_copy)
        self.main_button = shown[0]
        self.main_button.setProperty("primary", first)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(name)
        column.addWidget(self.told)
        column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (*shown, self.discard):
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, _GAP // 2, 0, _GAP // 2)
        whole.setSpacing(_GAP)
        whole.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        whole.addLayout(column, 1)


def description(session: Recoverable) -> list[str]:
    """Lines below the name: when and how much, and where its project file is."""
    when = moment(session.changed_at, time.time()) if session.changed_at else ""
    if session.damaged:
        return [
            f"The working copy{f' of {when}' if when else ''} cannot be read, so it is kept as it is.",
            str(session.working_path),
        ]
    counts = [when, counted(session.strokes, "step")]
    if session.triangles:
        counts.append(f"{session.triangles:,} triangles")
    file = f"Project file: {session.project_path}" if session.project_path else "Never saved into a project file"
    return [" · ".join(part for part in counts if part), file]


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setAutoDefault(False)
    return button
