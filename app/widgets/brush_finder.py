"""Find a brush by typing: a small sheet over the model that lists what matches, and takes it in hand with Enter.

What does not live here: which brushes there are (`app.sculpt.brush`), and what taking one does (their actions).
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.sculpt.brush import Brush, brushes

_SIZE = QSize(420, 420)
_MARGIN = 8
_ICON = QSize(20, 20)
_ID = Qt.ItemDataRole.UserRole
_LIST_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


def found(text: str) -> list[Brush]:
    """Brushes that a text means, the likeliest first; all of them for an empty one.

    By the start of the name, initials, the start of a word, any part of the name, and last what the brush does.
    """
    words = text.lower().split()
    ranked = [(_rank(words, brush), number, brush) for number, brush in enumerate(brushes().values())]
    return [brush for rank, _, brush in sorted(ranked, key=lambda entry: entry[:2]) if rank < _NO_MATCH]


_NO_MATCH = 5


def _rank(words: list[str], brush: Brush) -> int:
    label, text = brush.label.lower(), " ".join(words)
    parts = label.split()
    told = f"{label} {brush.group} {brush.tooltip} {brush.invert_label}".lower()
    if label.startswith(text):
        return 0
    if "".join(part[0] for part in parts).startswith(text):
        return 1
    if all(any(part.startswith(word) for part in parts) for word in words):
        return 2
    if text in label:
        return 3
    return _NO_MATCH - 1 if all(word in told for word in words) else _NO_MATCH


class BrushFinder(QDialog):
    """Closes with a choice, with Esc, and with a click elsewhere."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._actions = actions
        self.text = QLineEdit()
        self.text.setPlaceholderText("Name of a brush, or what it does")
        self.text.setClearButtonEnabled(True)
        self.text.setToolTip("Find Brush\nType a part of the name, initials, or what the brush does")
        self.text.textChanged.connect(self._fill)
        self.text.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setColumnCount(3)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setIconSize(_ICON)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setAccessibleName("Brushes")
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            self.list.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.list.header().setStretchLastSection(False)
        self.list.itemClicked.connect(self._take)
        self.list.currentItemChanged.connect(self._tell)
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.told.setFixedHeight(2 * self.told.fontMetrics().lineSpacing())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        for widget in (self.text, self.list, self.told):
            layout.addWidget(widget)
        self.resize(_SIZE)
        self._fill("")

    def open_over(self, surface: QWidget) -> None:
        """Show it over the upper middle of a widget."""
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        left = (surface.width() - self.width()) // 2
        self.move(surface.mapToGlobal(QPoint(left, (surface.height() - self.height()) // 4)))
        self.show()
        self.text.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        if event.key() in _LIST_KEYS:
            self.list.keyPressEvent(event)
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take(self.list.currentItem())
            return True
        return False

    def _fill(self, text: str) -> None:
        self.list.clear()
        for brush in found(text):
            action = self._actions[brush.id]
            key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            item = QTreeWidgetItem(self.list, [brush.label, brush.group, key])
            item.setIcon(0, action.icon())
            item.setData(0, _ID, brush.id)
            for column in range(3):
                item.setToolTip(column, action.toolTip())
        first = self.list.topLevelItem(0)
        if first is not None:
            self.list.setCurrentItem(first)
        else:
            self.told.setText("No brush is called that or does that")

    def _tell(self, item: QTreeWidgetItem | None) -> None:
        self.told.setText(brushes()[item.data(0, _ID)].tooltip if item is not None else "")

    def _take(self, item: QTreeWidgetItem | None) -> None:
        if item is None:
            return
        action = self._actions[item.data(0, _ID)]
        self.close()
        action.trigger()
