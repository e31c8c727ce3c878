"""The box that tells a sculptor what went wrong: what happened, where, what to do next, and details to copy."""

from __future__ import annotations

import traceback

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QMessageBox, QPushButton, QWidget

from app.errors import LikenessError


class ErrorBox(QMessageBox):
    """Built from an exception; a LikenessError speaks for itself, anything else is called a fault of the program."""

    def __init__(self, error: BaseException, doing: str = "", parent: QWidget | None = None) -> None:
        """doing: what the user had asked for ("Opening bust.glb"), shown where the error does not say it."""
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.Warning)
        self.setWindowTitle("Likeness")
        self.setTextFormat(Qt.TextFormat.PlainText)
        what, where, advice = _parts(error, doing)
        self.setText(what[:1].upper() + what[1:] + ".")
        self.setInformativeText("\n\n".join(part for part in (where, f"{advice}." if advice else "") if part))
        self.details = "".join(traceback.format_exception(error))
        self.addButton(QMessageBox.StandardButton.Close)
        self.setDefaultButton(QMessageBox.StandardButton.Close)
        copy = QPushButton("Copy Details")
        copy.setToolTip("Put the technical details on the clipboard, to send them to whoever looks after Likeness")
        self.addButton(copy, QMessageBox.ButtonRole.ActionRole)
        # QMessageBox closes on any of its buttons; this one only copies.
        copy.clicked.disconnect()
        copy.clicked.connect(self._copy)
        self.copy_button = copy
        for box in self.findChildren(QDialogButtonBox):
            box.setCenterButtons(False)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.text()}\n{self.informativeText()}\n\n{self.details}")
        self.copy_button.setText("Copied")


def _parts(error: BaseException, doing: str) -> tuple[str, str, str]:
    """What, where and advice of an error, without full stops at their ends."""
    if isinstance(error, LikenessError):
        what = error.what.rstrip(".")
        # Reader messages are predicates of the file ("is empty"); alone in a box they need their subject.
        if error.where and what[:1].islower():
            what = f"The file {what}"
        return what, error.where, error.advice.rstrip(".")
    what = f"{doing} failed because of a fault in Likeness" if doing else "Likeness met a fault"
    advice = "The session goes on; copy the details and send them to whoever looks after Likeness"
    return what, f"{type(error).__name__}: {error}", advice


def show_error(parent: QWidget | None, error: BaseException, doing: str = "") -> ErrorBox:
    """Show an error without stopping the event loop; returns the open box."""
    box = ErrorBox(error, doing, parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box
