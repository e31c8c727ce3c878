"""Rows of a check: mark, name, number against limit, one sentence, and a button that mends it. A click shows the place.

What does not live here: what was found (`preflight`, `intake`), showing it (`place_view`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.widgets.icons import icon
from app.widgets.marks import mark, set_role

_GAP = 4
_MARK_WIDTH = 16
_EXACT = 100.0  # smaller measures are written with two decimals
_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


@dataclass(frozen=True, eq=False)
class Row:
    """What one row says.

    id: told back by the signals. status: "pass", "note" or "fail". number: for example "0.62 / 1 mm", may be empty.
    has_place: whether a click can show something. fix: text of the button, may be empty, and its tooltip.
    current: whether it is about the model as it is now.
    """

    id: str
    status: str
    label: str
    number: str = ""
    message: str = ""
    has_place: bool = False
    fix: str = ""
    fix_tooltip: str = ""
    current: bool = True


def measure(value: float | None, limit: float | None, unit: str) -> str:
    """A number against its limit: "28 / 0", "0.62 / 1 mm"; empty where there is no number."""
    if value is None:
        return ""
    numbers = " / ".join(_number(each) for each in (value, limit) if each is not None)
    return f"{numbers} {unit}".strip()


def _number(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) < _EXACT else f"{value:,.0f}"


class CheckRow(QFrame):
    """One row. chosen: clicked, or Enter was pressed on it. mended: its button was clicked."""

    chosen = Signal(str)
    mended = Signal(str)

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row
        self.setProperty("row", True)
        self.setAccessibleName(f"{mark(row.status)} {row.label} {row.number} {row.message}")
        sign, name, number = QLabel(mark(row.status)), QLabel(row.label), QLabel(row.number)
        sign.setFixedWidth(_MARK_WIDTH)
        name.setWordWrap(True)
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        set_role(sign, row.status if row.current else "")
        set_role(number, "")
        grid = QGridLayout(self)
        grid.setContentsMargins(_GAP, _GAP, _GAP, _GAP)
        grid.setHorizontalSpacing(_GAP)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(sign, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(name, 0, 1)
        grid.addWidget(number, 0, 2)
        number.setVisible(not _says(row.message, row.number))
        self.fix_button: QPushButton | None = None
        if row.fix:
            self.fix_button = QPushButton(row.fix)
            self.fix_button.setToolTip(row.fix_tooltip)
            self.fix_button.setAccessibleName(f"{row.fix}: {row.label}")
            self.fix_button.clicked.connect(lambda: self.mended.emit(row.id))
            grid.addWidget(self.fix_button, 0, 3)
        if row.message:
            message = QLabel(row.message)
            message.setWordWrap(True)
            set_role(message, "")
            grid.addWidget(message, 1, 1, 1, 3)
        if row.has_place:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setToolTip(_tooltip(row))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and inside and self.row.has_place:
            self.chosen.emit(self.row.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _KEYS and self.row.has_place:
            self.chosen.emit(self.row.id)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()  # otherwise the release goes elsewhere

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover(self.row.has_place)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(False)

    def _hover(self, on: bool) -> None:
        if self.property("hovered") != on:
            self.setProperty("hovered", on)
            self.style().unpolish(self)
            self.style().polish(self)


def _says(message: str, number: str) -> bool:
    """Whether the sentence already tells the number: one of them is enough."""
    return bool(number) and number.split(" ")[0] in message


def _tooltip(row: Row) -> str:
    text = f"{row.label}\n{row.message}" if row.message else row.label
    if not row.current:
        text += "\nOut of date: the model changed since. It is checked again when the hand rests"
    return f"{text}\nClick to go there" if row.has_place else text


class CheckList(QWidget):
    """A heading and rows; those that passed are folded away behind their number."""

    chosen = Signal(str)
    mended = Signal(str)
    folded = Signal(bool)

    def __init__(self, title: str, quiet: Callable[[int], str]) -> None:
        """quiet: what the line says behind which quiet rows are folded, for their number."""
        super().__init__()
        self._quiet_text = quiet
        self._shown: list[tuple[object, ...]] | None = None
        self.rows: list[CheckRow] = []
        heading = QLabel(title)
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        self.heading = heading
        self.summary = QLabel()
        set_role(self.summary, "")
        self.summary.setWordWrap(True)
        top = QHBoxLayout()
        top.setContentsMargins(_GAP, 0, _GAP, 0)
        top.addWidget(heading, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.summary, 1)
        self.loud, self.quiet = QVBoxLayout(), QWidget()
        self._quiet_rows = QVBoxLayout(self.quiet)
        self._quiet_rows.setContentsMargins(0, 0, 0, 0)
        self.fold = QToolButton()
        self.fold.setCheckable(False)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setToolTip("Show or hide what is in order")
        self.fold.clicked.connect(lambda: self.set_folded(not self.quiet.isHidden()))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_GAP)
        for layout in (self.loud, self._quiet_rows):
            layout.setSpacing(0)
        column.addLayout(top)
        column.addLayout(self.loud)
        column.addWidget(self.fold)
        column.addWidget(self.quiet)
        self.set_folded(True)

    def show_rows(self, loud: Sequence[Row], quiet: Sequence[Row], summary: str = "") -> None:
        """Show these; nothing flickers where they are the same as before."""
        self.summary.setText(summary)
        wanted: list[tuple[object, ...]] = [
            (is_loud, *vars(row).values()) for rows, is_loud in ((loud, True), (quiet, False)) for row in rows
        ]
        if wanted == self._shown:
            return
        self._shown = wanted
        for old in self.rows:
            # At once: while a dialog asks, nothing that waits to be deleted goes, and it would stay in sight.
            old.hide()
            old.setParent(None)
            old.deleteLater()
        self.rows = []
        for rows, layout in ((loud, self.loud), (quiet, self._quiet_rows)):
            for row in rows:
                widget = CheckRow(row)
                widget.chosen.connect(self.chosen)
                widget.mended.connect(self.mended)
                layout.addWidget(widget)
                widget.show()  # now, and not when events are handled: nothing flickers
                self.rows.append(widget)
        self.fold.setVisible(bool(quiet))
        self.fold.setText(self._quiet_text(len(quiet)))
        self.set_folded(self.quiet.isHidden())

    def set_folded(self, on: bool) -> None:
        """Hide the quiet rows, or show them."""
        changed = self.quiet.isHidden() != on
        self.quiet.setVisible(not on)
        self.fold.setIcon(icon("chevron-right" if on else "chevron-down"))
        if changed:
            self.folded.emit(on)

    def row(self, row_id: str) -> CheckRow | None:
        """The row with this id."""
        return next((row for row in self.rows if row.row.id == row_id), None)
