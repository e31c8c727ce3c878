"""What was checked after an export: every check with its mark, where the file is, and the way to its folder."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.preflight.check import FAIL, NOTE, PASS
from app.preflight.export import ExportReport
from app.widgets.marks import mark, set_role

_MARGIN = 24
_GAP = 8
_TITLE_SCALE = 1.5
_WIDTH = 560
_MB = 1e6
_LONG = 40  # letters: longer texts are sentences


class ExportReportDialog(QDialog):
    """Opened beside the work: it blocks nothing."""

    def __init__(self, report: ExportReport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._report = report
        self.path = QLineEdit(str(report.path))
        self.path.setReadOnly(True)
        self.path.setToolTip("Where the file is")
        self.path.setAccessibleName("Path of the exported file")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.folder = buttons.addButton("Open Folder", QDialogButtonBox.ButtonRole.ActionRole)
        self.folder.setToolTip("Show the file's folder")
        self.folder.clicked.connect(self._open_folder)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN // 2)
        layout.setSpacing(_GAP)
        layout.addWidget(_title(report))
        layout.addWidget(self.path)
        layout.addWidget(_text(_summary(report), ""))
        layout.addSpacing(_GAP)
        if report.override:
            layout.addWidget(_text(f"{mark(FAIL)}  {report.override}", FAIL))
        for warning in report.warnings:
            layout.addWidget(_text(f"{mark(NOTE)}  {warning}", NOTE))
        layout.addWidget(_text("Read back from the file by another reader and compared:", ""))
        layout.addLayout(_checks(report))
        layout.addStretch(1)
        layout.addSpacing(_GAP)
        layout.addWidget(buttons)
        self.resize(_WIDTH, layout.totalHeightForWidth(_WIDTH))

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._report.path.parent)))


def _title(report: ExportReport) -> QLabel:
    # A comparison that fails leaves no file, and so no report.
    status = FAIL if report.override else NOTE if report.warnings else PASS
    title = QLabel(f"{mark(status)} {report.path.name}")
    font = title.font()
    font.setPointSizeF(font.pointSizeF() * _TITLE_SCALE)
    font.setBold(True)
    title.setFont(font)
    title.setWordWrap(True)
    set_role(title, status)
    return title


def _summary(report: ExportReport) -> str:
    x, y, z = report.size_mm
    files = f" in {len(report.files)} files" if len(report.files) > 1 else ""
    size = f"{x:.1f} × {y:.1f} × {z:.1f} mm, {report.triangles:,} triangles"
    return f"{size}, {report.bytes / _MB:.1f} MB{files}, written and checked in {report.seconds:.1f} s"


def _checks(report: ExportReport) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(2 * _GAP)
    grid.setVerticalSpacing(_GAP // 2)
    grid.setColumnStretch(1, 1)
    for row, check in enumerate(report.checks):
        status = PASS if check.ok else FAIL
        found = check.found if check.ok else f"{check.found}, expected {check.expected}"
        grid.addWidget(_text(f"{mark(status)}  {check.name.capitalize()}", status), row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(_text(found, ""), row, 1)
    return grid


def _text(text: str, status: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(status in ("", NOTE) or len(text) > _LONG)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    set_role(label, status)
    return label
