"""What the printer would say: the verdict in large type, every finding, and the model's numbers.

What does not live here: counting and judging (`model_check`, `app.preflight`).
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.preflight.check import FAIL, NOTE, PASS, Verdict
from app.preflight.counts import Counts
from app.preflight.profiles import profiles
from app.widgets.commands import ModelCommands
from app.widgets.marks import mark, set_role
from app.widgets.model_check import ModelCheck

_MARGIN = 8
_VERDICT_SCALE = 1.7
_CUBIC_MM_PER_CM = 1000.0


class ModelPanel(QScrollArea):
    """Follows a ModelCheck."""

    def __init__(
        self,
        document: Document,
        check: ModelCheck,
        commands: ModelCommands,
        actions: dict[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._check = document, check
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.profile = QComboBox()
        self.profile.setToolTip("Printer profile\nWhat the model is checked and exported for")
        self.profile.setAccessibleName("Printer profile")
        self.profile.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.profile.activated.connect(lambda row: commands.set_profile(self.profile.itemData(row)))
        self.verdict = QLabel()
        font = self.verdict.font()
        font.setPointSizeF(font.pointSizeF() * _VERDICT_SCALE)
        font.setBold(True)
        self.verdict.setFont(font)
        self.verdict.setWordWrap(True)
        self._findings = QVBoxLayout()
        self._findings.setSpacing(_MARGIN // 2)
        self._numbers = QFormLayout()
        self._numbers.setHorizontalSpacing(2 * _MARGIN)
        self._numbers.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        height = QPushButton("Set Height…")
        height.setToolTip(actions["set-height"].toolTip())
        height.clicked.connect(actions["set-height"].trigger)
        self.height_button = height
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(_MARGIN)
        column.addWidget(self.profile)
        column.addSpacing(_MARGIN)
        column.addWidget(self.verdict)
        column.addLayout(self._findings)
        column.addSpacing(_MARGIN)
        column.addLayout(self._numbers)
        row = QHBoxLayout()
        row.addWidget(height)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)
        self.setWidget(content)
        check.changed.connect(self.refresh)
        document.profile_changed.connect(self._show_profile)
        self._show_profile()
        self.refresh()

    def refresh(self) -> None:
        """Show the latest counts and verdict."""
        verdict, counts = self._check.verdict, self._check.counts
        self.height_button.setEnabled(counts is not None)
        status, text = headline(verdict) if verdict else ("", self._waiting())
        self.verdict.setText(text)
        set_role(self.verdict, status)
        _clear(self._findings)
        for finding in sorted(verdict.findings, key=lambda f: f.status == PASS) if verdict else ():
            label = QLabel(f"{mark(finding.status)}  {finding.text}")
            label.setWordWrap(True)
            set_role(label, finding.status)
            self._findings.addWidget(label)
        while self._numbers.rowCount():
            self._numbers.removeRow(0)
        for name, value in _numbers(counts) if counts else ():
            label = QLabel(value)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setWordWrap(True)
            quiet = QLabel(name)
            quiet.setProperty("role", "dim")
            self._numbers.addRow(quiet, label)

    def _waiting(self) -> str:
        return "Nothing open" if self._document.mesh is None else "Counting…"

    def _show_profile(self) -> None:
        known = profiles()
        self.profile.clear()
        for profile in known.values():
            self.profile.addItem(profile.label, profile.id)
        self.profile.setCurrentIndex(self.profile.findData(self._document.profile.id))


def headline(verdict: Verdict) -> tuple[str, str]:
    """PASS, NOTE or FAIL for its colour, and the verdict in a few words."""
    count = {status: sum(f.status == status for f in verdict.findings) for status in (NOTE, FAIL)}
    if verdict.status == FAIL:
        status, text = FAIL, "1 thing to mend" if count[FAIL] == 1 else f"{count[FAIL]} things to mend"
    elif count[NOTE]:
        status, text = NOTE, "Ready, with 1 note" if count[NOTE] == 1 else f"Ready, with {count[NOTE]} notes"
    else:
        status, text = PASS, "Ready to print"
    return status, f"{mark(status)} {text}"


def _numbers(counts: Counts) -> list[tuple[str, str]]:
    x, y, z = counts.size_mm
    rows = [
        ("Height", f"{z:.1f} mm"),
        ("Width × depth", f"{x:.1f} × {y:.1f} mm"),
        ("Triangles", f"{counts.triangles:,}"),
        ("Vertices", f"{counts.vertices:,}"),
        ("Shells", f"{counts.shells:,}"),
        ("Open edges", f"{counts.open_edges:,}"),
        ("Non-manifold", f"{counts.non_manifold_edges:,}"),
    ]
    if counts.watertight:
        rows.append(("Volume", f"{abs(counts.volume_mm3) / _CUBIC_MM_PER_CM:.1f} cm³"))
    return rows


def _clear(layout: QVBoxLayout) -> None:
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            # At once: while a dialog asks, nothing that waits to be deleted goes, and it would stay in sight.
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
