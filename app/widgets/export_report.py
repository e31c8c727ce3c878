"""What was checked after an export: every check with its mark, where the file is, and the way to its folder."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.preflight.check import FAIL, PASS
from app.preflight.export import ExportReport
from app.widgets.marks import mark, set_role

_MARGIN = 24
_GAP = 8
_TITLE_SCALE = 1.5
_WIDTH = 560
_MB = 1e6


class ExportReportDialog(QDialog):
    """Opened beside the work: it blocks nothing."""

    def __init__(self, report: ExportReport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._report = report
        title = QLabel(f"✓ {report.path.name}")
        set_role(title, PASS)
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * _TITLE_SCALE)
        font.setBold(True)
        title.setFont(font)
        title.setWordWrap(True)
        self.path = QLineEdit(str(report.path))
        self.path.setReadOnly(True)
        self.path.setToolTip("Where the file is")
        self.path.setAccessibleName("Path of the exported file")
        checks = QGridLayout()
        checks.setHorizontalSpacing(2 * _GAP)
        checks.setColumnStretch(1, 1)
        for row, check in enumerate(report.checks):
            status = PASS if check.ok else FAIL
            text = check.found if check.ok else f"{check.found}, expected {check.expected}"
            for column, shown in enumerate((f"{mark(status)}  {check.name.capitalize()}", text)):
                label = QLabel(shown)
                label.setWordWrap(column > 0)
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                set_role(label, status if column == 0 else "")
                checks.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)
        self.rows = len(report.checks)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.folder = buttons.addButton("Open Folder", QDialogButtonBox.ButtonRole.ActionRole)
        self.folder.setToolTip("Show the file's folder")
        self.folder.clicked.connect(self._open_folder)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN // 2)
        layout.setSpacing(2 * _GAP)
        layout.addWidget(title)
        layout.addWidget(self.path)
        layout.addLayout(checks)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self.resize(_WIDTH, self.sizeHint().height())

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._report.path.parent)))
