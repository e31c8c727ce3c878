"""The history as a list of named steps: the current one is marked, a click goes to any.

What does not live here: undoing (`app.sculpt.history`), and when it is allowed (the commands).
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QLabel, QListView, QVBoxLayout, QWidget

from app.document import Document
from app.widgets.commands import ModelCommands

Index = QModelIndex | QPersistentModelIndex
_MARGIN = 8
_ROW = 24
_MEGABYTE = 1 << 20


class HistoryModel(QAbstractListModel):
    """Row 0 is the state that was opened; row n is the state after n steps."""

    def __init__(self, document: Document, palette: QPalette, parent: QWidget) -> None:
        super().__init__(parent)
        self._document = document
        self._rows = self._count()
        self._dim = palette.placeholderText()

    def _count(self) -> int:
        return len(self._document.history.steps) + 1 if self._document.mesh is not None else 0

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._rows

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, history = index.row(), self._document.history
        if not 0 <= row < self._count():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            mark = "▸ " if row == history.position else "   "
            return mark + (self._opened() if row == 0 else history.steps[row - 1].label)
        if role == Qt.ItemDataRole.SizeHintRole:
            return QSize(0, _ROW)
        if role == Qt.ItemDataRole.ToolTipRole and row > 0:
            step = history.steps[row - 1]
            return f"{step.label}: {step.vertices:,} vertices, {step.bytes / _MEGABYTE:.1f} MB. Click to go here."
        if role == Qt.ItemDataRole.ToolTipRole:
            return "The model as it was before these steps. Click to go back to it."
        if role == Qt.ItemDataRole.FontRole and row == history.position:
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.ForegroundRole and row > history.position:
            return self._dim
        return None

    def _opened(self) -> str:
        path = self._document.source_path
        return f"Open {path.name}" if path else "Open"

    def refresh(self) -> None:
        """Follow the history: steps came, went, or the position moved."""
        rows = self._count()
        if rows > self._rows:
            self.beginInsertRows(QModelIndex(), self._rows, rows - 1)
            self._rows = rows
            self.endInsertRows()
        elif rows < self._rows:
            self.beginRemoveRows(QModelIndex(), rows, self._rows - 1)
            self._rows = rows
            self.endRemoveRows()
        if rows:
            self.dataChanged.emit(self.index(0), self.index(rows - 1))


class HistoryPanel(QWidget):
    """The list, and below it how much memory the steps take."""

    def __init__(self, document: Document, commands: ModelCommands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._commands = document, commands
        self.model = HistoryModel(document, self.palette(), self)
        self.view = QListView()
        self.view.setModel(self.model)
        self.view.setUniformItemSizes(True)
        self.view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.view.setSelectionMode(QListView.SelectionMode.NoSelection)
        self.view.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.view.setAccessibleName("History")
        self.view.setFrameShape(QListView.Shape.NoFrame)
        self._memory = QLabel()
        self._memory.setWordWrap(True)
        self._memory.setEnabled(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.view, 1)
        self._memory.setContentsMargins(_MARGIN, _MARGIN // 2, _MARGIN, _MARGIN // 2)
        layout.addWidget(self._memory)
        self.view.clicked.connect(lambda index: commands.go_to(index.row()))
        document.history.changed.connect(self.refresh)
        document.mesh_replaced.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the history as it stands and keep the current step in sight."""
        self.model.refresh()
        history = self._document.history
        used = sum(step.bytes for step in history.steps) / _MEGABYTE
        steps = len(history.steps)
        self._memory.setText(f"{steps} {'step' if steps == 1 else 'steps'}, {used:,.1f} MB")
        if self.model.rowCount():
            self.view.scrollTo(self.model.index(history.position))
