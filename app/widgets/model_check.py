"""The model's counts and what the printer says to them, kept up to date for the status bar and the model panel.

Counting happens when the hand rests, never during a stroke. What does not live here: the rules (`app.preflight`).
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.document import Document
from app.preflight.check import Verdict, verdict
from app.preflight.counts import Counts, inspect

# After the last dab; long enough that a stroke is not interrupted by counting.
_REST_MS = 300


class ModelCheck(QObject):
    """`changed`: counts or verdict are new. Both are None while nothing is open or nothing has been counted."""

    changed = Signal()

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.counts: Counts | None = None
        self.verdict: Verdict | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self.count_now)
        document.mesh_replaced.connect(self._mesh_replaced)
        document.surface_changed.connect(self._surface_changed)
        document.profile_changed.connect(self._judge)
        self._mesh_replaced()

    def count_now(self) -> None:
        """Count and judge at once; about 0.2 s for 1.6 million triangles the first time, 10 ms after that."""
        self._rest.stop()
        if self._document.history.recording:
            self._rest.start(_REST_MS)
            return
        mesh = self._document.mesh
        self.counts = None if mesh is None else inspect(mesh)
        self._judge()

    def _mesh_replaced(self) -> None:
        self.counts = self.verdict = None
        self.changed.emit()
        self._rest.start(0)

    def _surface_changed(self) -> None:
        self._rest.start(_REST_MS)

    def _judge(self) -> None:
        known = self._document.height_known
        self.verdict = None if self.counts is None else verdict(self.counts, self._document.profile, unit_known=known)
        self.changed.emit()
