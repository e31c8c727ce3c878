"""The line at the bottom: the numbers a sculptor keeps an eye on, where the work is, and the running job.

1,599,904 of 1,600,000 triangles ✓   150.0 × 62.3 × 48.9 mm   closed ✓   1 shell   Clay 4.2 mm   saved 3 s ago
"""

from __future__ import annotations

import time

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from app.document import Document
from app.preflight.check import FAIL, NOTE, PASS, Finding
from app.sculpt.face_sets import hidden_part
from app.widgets.brush_hand import BrushHand
from app.widgets.jobs import JobBar, JobRunner
from app.widgets.marks import mark, set_role
from app.widgets.model_check import ModelCheck
from app.widgets.safety import Safety, explanation, sentence

_TRIANGLES, _SIZE = "triangles", "size"
_TICK_MS = 1000
# What gives way to the bar of a running job; the rest is what one waits for, or what a job may change.
_GIVE_WAY = ("shells", "brush", "safety")


class StatusBar(QStatusBar):
    """Follows the model's check, the brush in hand, and where the work is."""

    def __init__(
        self,
        document: Document,
        check: ModelCheck,
        hand: BrushHand,
        jobs: JobRunner,
        safety: Safety,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._check, self._hand, self._safety = document, check, hand, safety
        self._jobs = jobs
        self.setSizeGripEnabled(False)
        tooltips = {
            "triangles": "Triangles\nHow many the model has, and how many the printer profile wants",
            "size": "Size\nWidth × depth × height of the print",
            "closed": "Closed\nA print needs a surface without open edges",
            "manifold": "Non-manifold edges\nEdges that more than two triangles share",
            "shells": "Shells\nSeparate pieces of surface",
            "hidden": "Hidden\nNeither drawn nor sculpted, but counted, checked, saved and exported with the rest",
            "brush": "Brush\nThe brush in hand and its radius",
            "safety": "",
        }
        self.labels: dict[str, QLabel] = {}
        for name, tooltip in tooltips.items():
            label = self.labels[name] = QLabel()
            label.setToolTip(tooltip)
            self.addWidget(label)
        self.job_bar = JobBar(jobs)
        self.addPermanentWidget(self.job_bar)
        check.changed.connect(self.refresh)
        hand.changed.connect(self._show_brush)
        for signal in (safety.changed, document.modified_changed, document.mesh_replaced):
            signal.connect(self._show_safety)
        jobs.started.connect(self._make_room)
        jobs.finished.connect(self._make_room)
        self._tick = QTimer(self, interval=_TICK_MS)
        self._tick.timeout.connect(self._show_safety)
        self._tick.start()
        self.refresh()
        self._show_brush()
        self._show_safety()

    def refresh(self) -> None:
        """Show the latest counts."""
        counts, verdict = self._check.counts, self._check.verdict
        self._show_hidden()
        for name in ("size", "closed", "manifold", "shells"):
            self.labels[name].setVisible(counts is not None and not (name in _GIVE_WAY and self._jobs.busy))
        if counts is None or verdict is None:
            self._show("triangles", "Open a mesh, or drop one here" if self._document.mesh is None else "Counting…", "")
            return
        rows = {finding.subject: finding for finding in verdict.findings}
        triangles, size = rows.get(_TRIANGLES), rows.get(_SIZE)
        self._finding("triangles", triangles, f"{counts.triangles:,} triangles")
        x, y, z = counts.size_mm
        self._finding("size", size, f"{x:.1f} × {y:.1f} × {z:.1f} mm", keep_text=True)
        bad = FAIL if self._document.profile.watertight_required else NOTE
        if counts.open_edges:
            edges = "edge" if counts.open_edges == 1 else "edges"
            self._show("closed", f"{counts.open_edges:,} open {edges}", bad)
        else:
            self._show("closed", "closed", PASS)
        self._show("manifold", f"{counts.non_manifold_edges:,} non-manifold", bad if counts.non_manifold_edges else "")
        self.labels["manifold"].setVisible(counts.non_manifold_edges > 0)
        self._show("shells", "1 shell" if counts.shells == 1 else f"{counts.shells:,} shells", "")

    def _show_hidden(self) -> None:
        part = hidden_part(self._document.mesh)
        self._show("hidden", f"{part} hidden", NOTE)
        self.labels["hidden"].setVisible(bool(part))

    def _finding(self, name: str, finding: Finding | None, text: str, keep_text: bool = False) -> None:
        if finding is None:
            self._show(name, text, "")
        else:
            self._show(name, text if keep_text else finding.text, finding.status)
            if keep_text and finding.status != PASS:
                self.labels[name].setToolTip(finding.text)

    def _show(self, name: str, text: str, status: str) -> None:
        label = self.labels[name]
        label.setText(f"{text} {mark(status)}".rstrip())
        set_role(label, status)

    def _show_brush(self) -> None:
        radius = f"{self._hand.radius:.0f} px" if self._hand.radius_in_pixels else f"{self._hand.radius:.1f} mm"
        self._show("brush", f"{self._hand.brush.label} {radius}", "")

    def _show_safety(self) -> None:
        text, status = sentence(self._document, self._safety, time.time())
        self._show("safety", text, status)
        self.labels["safety"].setToolTip(explanation(self._document))
        self.labels["safety"].setVisible(bool(text) and not self._jobs.busy)

    def minimumSizeHint(self) -> QSize:
        # What it says must not keep a window from being made small.
        return QSize(0, super().minimumSizeHint().height())

    def _make_room(self) -> None:
        for name in _GIVE_WAY:
            self.labels[name].setVisible(not self._jobs.busy)
        if not self._jobs.busy:
            self.refresh()
            self._show_safety()
