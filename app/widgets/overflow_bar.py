"""A row of controls that never cuts one off: what does not fit moves, in order, to a drop-down panel.

What does not live here: which controls there are (`options_bar`).
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.widgets.icons import icon

_SPACING = 8
_MARGIN = 8
_HEIGHT = 28
# A slider that has room to spare grows to this and no further.
_WIDEST = 200


class DropDown(QFrame):
    """A panel that opens below a button and closes on a click elsewhere."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        self.column.setSpacing(_SPACING)

    def open_below(self, anchor: QWidget) -> None:
        """Show the panel under a widget, moved so that it stays on the screen."""
        self.adjustSize()
        corner = anchor.mapToGlobal(QPoint(0, anchor.height() + 2))
        screen = anchor.screen().availableGeometry()
        corner.setX(max(screen.left(), min(corner.x(), screen.right() - self.width())))
        corner.setY(max(screen.top(), min(corner.y(), screen.bottom() - self.height())))
        self.move(corner)
        self.show()


class OverflowBar(QWidget):
    """Controls from the left, in order of importance; trailing ones at the right always stay."""

    def __init__(self, trailing: list[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._items: list[QWidget] = []
        self._trailing = trailing
        for widget in trailing:
            widget.setParent(self)
            widget.installEventFilter(self)
        self.more = QToolButton(self)
        self.more.setIcon(icon("more"))
        self.more.setToolTip("More options\nThe options that do not fit beside these")
        self.more.setAccessibleName("More options")
        self.more.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.panel = DropDown(self)
        self.more.clicked.connect(lambda: self.panel.open_below(self.more))

    @property
    def items(self) -> list[QWidget]:
        return list(self._items)

    def set_items(self, items: list[QWidget]) -> None:
        """Replace the controls; the former ones are deleted."""
        for widget in self._items:
            widget.setParent(None)
            widget.deleteLater()
        self._items = list(items)
        for widget in items:
            widget.setParent(self)
            widget.installEventFilter(self)
        self._arrange()

    def sizeHint(self) -> QSize:
        wanted = sum(widget.sizeHint().width() + _SPACING for widget in (*self._items, *self._trailing))
        return QSize(wanted + 2 * _MARGIN, _HEIGHT + 2 * _MARGIN)

    def minimumSizeHint(self) -> QSize:
        kept = (*self._items[:1], self.more, *self._trailing)
        return QSize(sum(w.sizeHint().width() + _SPACING for w in kept) + 2 * _MARGIN, _HEIGHT + 2 * _MARGIN)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def eventFilter(self, watched: QWidget, event: QEvent) -> bool:  # type: ignore[override]
        if event.type() == QEvent.Type.LayoutRequest and watched.parentWidget() is self:
            self._arrange()
        return False

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def _fitting(self, room: int) -> int:
        """How many controls fit side by side, leaving place for the button of the panel when not all do."""
        widths = [widget.sizeHint().width() + _SPACING for widget in self._items]
        if sum(widths) <= room:
            return len(widths)
        room -= self.more.sizeHint().width() + _SPACING
        count = 0
        while count < len(widths) and widths[count] <= room:
            room -= widths[count]
            count += 1
        return count

    def _arrange(self) -> None:
        right = self.width() - _MARGIN
        for widget in reversed(self._trailing):
            width = widget.sizeHint().width()
            right -= width
            self._put(widget, right, width)
            right -= _SPACING
        count = self._fitting(right - _MARGIN)
        shown, hidden = self._items[:count], self._items[count:]
        widths = [widget.sizeHint().width() for widget in shown]
        more_width = self.more.sizeHint().width() + _SPACING if hidden else 0
        spare = right - _MARGIN - more_width - sum(widths) - _SPACING * len(widths)
        for index, widget in enumerate(shown):
            if widget.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.MinimumExpanding and spare > 0:
                extra = min(spare, max(_WIDEST - widths[index], 0))
                widths[index] += extra
                spare -= extra
        x = _MARGIN
        for widget, width in zip(shown, widths, strict=True):
            if widget.parentWidget() is not self:
                self.panel.column.removeWidget(widget)
                widget.setParent(self)
                _show_text(widget, False)
            self._put(widget, x, width)
            widget.show()
            x += width + _SPACING
        for widget in hidden:
            if widget.parentWidget() is not self.panel:
                _show_text(widget, True)
            self.panel.column.addWidget(widget)  # again for all, so that their order stays
            widget.show()
        self.more.setVisible(bool(hidden))
        if hidden:
            self._put(self.more, x, self.more.sizeHint().width())
        else:
            self.panel.hide()

    def _put(self, widget: QWidget, x: int, width: int) -> None:
        height = min(max(widget.sizeHint().height(), _HEIGHT), self.height())
        widget.setGeometry(QRect(x, (self.height() - height) // 2, width, height))


def _show_text(widget: QWidget, text: bool) -> None:
    """A button's name is written out in the panel, where there is room for it."""
    if isinstance(widget, QToolButton) and not widget.icon().isNull():
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly
        widget.setToolButtonStyle(style)
