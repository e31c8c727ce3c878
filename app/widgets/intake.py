"""What is wrong or doubtful about the model as it came: looked for in the background whenever the mesh is another one.

What does not live here: what is looked for (`app.operations.triage`), how it is shown (`model_panel`).
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QTimer, Signal

from app.document import Document
from app.mesh.mesh import Mesh
from app.operations.triage import NOTE, Finding
from app.operations.triage_running import triage_in_worker
from app.widgets.background import Background

NAME = "intake"
# A file that was just opened may be turned and scaled first, by its dialog.
_REST_MS = 700


class Intake(QObject):
    """`changed`: findings are there, or not any more."""

    changed = Signal()

    def __init__(self, document: Document, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._background = document, background
        self._notes: tuple[str, ...] = ()
        # Undo brings a mesh back, and with it what was found; strokes change next to nothing of it.
        self._known: WeakKeyDictionary[Mesh, list[Finding]] = WeakKeyDictionary()
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._look)
        document.mesh_replaced.connect(self._mesh_replaced)
        self._mesh_replaced()

    @property
    def findings(self) -> list[Finding] | None:
        """All findings, problems first; None while they are not known."""
        mesh = self._document.mesh
        return None if mesh is None else self._known.get(mesh)

    @property
    def problems(self) -> list[Finding]:
        """Findings that somebody should do or decide something about."""
        return [finding for finding in self.findings or () if finding.severity != NOTE]

    @property
    def busy(self) -> bool:
        return self._rest.isActive() or self._background.busy(NAME)

    def set_notes(self, notes: Sequence[str]) -> None:
        """What the reader of the file mended or left out."""
        self._notes = tuple(notes)

    def shut_down(self) -> None:
        """Look no more, for the end of the window."""
        self._rest.stop()

    def _mesh_replaced(self) -> None:
        self._background.cancel(NAME)
        if self._document.mesh is not None and self.findings is None:
            self._rest.start()
        else:
            self._rest.stop()
        self.changed.emit()

    def _look(self) -> None:
        document = self._document
        mesh = document.mesh
        if mesh is None:
            return
        if document.history.recording:
            self._rest.start()
            return
        snapshot, source, notes, known = mesh.snapshot(), document.source_path, self._notes, document.height_known

        def done(found: list[Finding]) -> None:
            self._known[mesh] = found
            self.changed.emit()

        self._background.start(
            NAME,
            lambda progress, cancelled: triage_in_worker(
                snapshot, source, notes, progress, cancelled, unit_known=known
            ),
            done,
            lambda _: self.changed.emit(),
        )
        self.changed.emit()
