"""The box for a fault of the program itself: what happened, what is safe, and how to go on.

What does not live here: catching faults and the log (`faults`), errors that were foreseen (`error_box`).
"""

from __future__ import annotations

import traceback
from typing import Literal

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QMessageBox, QPushButton, QWidget

from app.widgets.faults import log_path

Answer = Literal["continue", "save", "quit"]


class FaultBox(QMessageBox):
    """`answer` after it was closed. Esc continues."""

    def __init__(self, error: BaseException, kept: bool | None, parent: QWidget | None = None) -> None:
        """kept: whether the working copy holds every finished step; None where there is nothing to keep."""
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.Warning)
        self.setWindowTitle("Likeness")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText("Likeness met a fault of its own.")
        what = f"{type(error).__name__}: {error}".strip().rstrip(":")
        self.setInformativeText(f"{_safety(kept)}\n\n{what}\nThe log is in {log_path()}")
        self.details = "".join(traceback.format_exception(error))
        roles = QMessageBox.ButtonRole
        self._continue = self.addButton("Continue", roles.AcceptRole)
        self._save = self.addButton("Save As…", roles.ActionRole)
        self._quit = self.addButton("Quit", roles.DestructiveRole)
        self._save.setToolTip("Write the work into a project file now")
        self._quit.setToolTip("End Likeness now; the next start offers this work again" if kept else "End Likeness now")
        self.folder_button = self._extra("Show Log", "Open the folder with the log", self._show_folder)
        self.copy_button = self._extra(
            "Copy Details", "Put them on the clipboard, to send them to whoever looks after Likeness", self._copy
        )
        self._save.setVisible(kept is not None)
        self.setDefaultButton(self._continue)
        self.setEscapeButton(self._continue)
        for box in self.findChildren(QDialogButtonBox):
            box.setCenterButtons(False)

    @property
    def answer(self) -> Answer:
        """What the user chose."""
        clicked = self.clickedButton()
        return "save" if clicked is self._save else "quit" if clicked is self._quit else "continue"

    def _extra(self, text: str, tooltip: str, act: object) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        self.addButton(button, QMessageBox.ButtonRole.HelpRole)
        # QMessageBox closes on any of its buttons; this one leaves it open.
        button.clicked.disconnect()
        button.clicked.connect(act)
        return button

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_path().parent)))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.text()}\n{self.informativeText()}\n\n{self.details}")
        self.copy_button.setText("Copied")


def _safety(kept: bool | None) -> str:
    if kept is None:
        return "No work is open that could be lost."
    if kept:
        return "Your work is safe: every finished stroke is in the working copy. You can go on, or save it now."
    return (
        "The working copy could not be brought up to date, so the last strokes are only in memory. "
        "Save the work into a project file before you do anything else."
    )
