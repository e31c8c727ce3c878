"""Asks before a model is exported that fails its checks: what fails, and whether it is to be exported all the same.

What does not live here: the checks, and what becomes of the answer (`app.application.exporting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.preflight.profiles import PrinterProfile
from app.preflight.verdict import FAIL, NOTE
from app.widgets.marks import mark, set_role

_MARGIN, _GAP, _WIDTH, _MOST_HEIGHT = 24, 8, 520, 280
_TITLE_SCALE = 1.5
_LONGEST_REASON = 500  # letters


class ExportVerdictDialog(QDialog):
    """`exported`: all the same, with the reason that was typed. Nothing is exported without one.

    failing, notes: what the checks say, one sentence each. reason: proposed, as it was typed the last time.
    """

    exported = Signal(str)

    def __init__(
        self,
        path: Path,
        printer: PrinterProfile,
        failing: Sequence[str],
        notes: Sequence[str],
        reason: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Export")
        count = "1 check fails" if len(failing) == 1 else f"{len(failing)} checks fail"
        title = QLabel(f"{mark(FAIL)} Not ready to print")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * _TITLE_SCALE)
        font.setBold(True)
        title.setFont(font)
        set_role(title, FAIL)
        self.box = QCheckBox("Export it all the same, because:")
        self.box.setToolTip(
            "Export all the same\nThe file is written as it is; a note beside it says what fails and why"
        )
        self.reason = QLineEdit(reason)
        self.reason.setPlaceholderText("Reason, for whoever prints or checks it")
        self.reason.setToolTip("Reason\nIs written into the report and into a text file beside the export")
        self.reason.setAccessibleName("Reason")
        self.reason.setMaxLength(_LONGEST_REASON)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.export_button = buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        self.export_button.setToolTip(f"Write {path.name} although it fails")
        self.export_button.setAutoDefault(False)
        self.cancel_button = buttons.button(QDialogButtonBox.StandardButton.Cancel)
        self.cancel_button.setToolTip("Export nothing, and mend it first")
        self.box.toggled.connect(self._override)
        self.reason.textChanged.connect(self._follow)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._follow()
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN // 2)
        column.setSpacing(_GAP)
        column.addWidget(title)
        column.addWidget(_text(f"{path.name}, for {printer.label}: {count}.", ""))
        column.addWidget(_rows(failing, notes), 1)
        column.addSpacing(_GAP)
        column.addWidget(self.box)
        column.addWidget(self.reason)
        column.addSpacing(_GAP)
        column.addWidget(buttons)
        self.resize(_WIDTH, column.totalHeightForWidth(_WIDTH))
        self.cancel_button.setFocus()

    def accept(self) -> None:
        reason = self.reason.text().strip()
        super().accept()
        self.exported.emit(reason)

    def _override(self, on: bool) -> None:
        self._follow()
        if on:
            self.reason.setFocus()
            self.reason.selectAll()

    def _follow(self) -> None:
        wanted = self.box.isChecked()
        self.reason.setEnabled(wanted)
        allowed = wanted and bool(self.reason.text().strip())
        self.export_button.setEnabled(allowed)
        (self.export_button if allowed else self.cancel_button).setDefault(True)  # Enter after the reason, too


def _rows(failing: Sequence[str], notes: Sequence[str]) -> QScrollArea:
    content = QWidget()
    column = QVBoxLayout(content)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(_GAP // 2)
    for texts, status in ((failing, FAIL), (notes, NOTE)):
        for text in texts:
            column.addWidget(_text(f"{mark(status)}  {text.rstrip('.')}", status))
    column.addStretch(1)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    area.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)  # its own hint is too tall
    area.setMinimumHeight(min(content.heightForWidth(_WIDTH - 2 * _MARGIN), _MOST_HEIGHT))
    return area


def _text(text: str, status: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    set_role(label, status)
    return label
