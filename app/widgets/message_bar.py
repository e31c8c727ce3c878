"""A line inside a panel that says what happened, with at most one thing to do about it. Never a modal box."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from app.widgets import theme
from app.widgets.icons import icon

_SECONDS = 8
_ICON = 18


class MessageBar(QFrame):
    """Hidden until there is something to say. Warnings stay until closed, notes go by themselves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageBar")
        self._mark, self._text = QLabel(), QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.action_button = QPushButton()
        self.action_button.clicked.connect(self._act)
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("close"))
        self.close_button.setToolTip("Close this message")
        self.close_button.clicked.connect(self.clear)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 4, 4)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        row.addWidget(self.action_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self._action: Callable[[], None] | None = None
        self._timer = QTimer(self, singleShot=True, interval=_SECONDS * 1000)
        self._timer.timeout.connect(self.clear)
        theme.events.changed.connect(self._color)
        self._color()
        self.hide()

    @property
    def text(self) -> str:
        """What is being said; empty while nothing is."""
        return self._text.text() if not self.isHidden() else ""

    def warn(self, text: str) -> None:
        """Something went wrong."""
        self._show(text, "warning", "", None)

    def note(
        self, text: str, button: str = "", action: Callable[[], None] | None = None, *, stays: bool = False
    ) -> None:
        """Something was done; `action` belongs to the button. stays: until it is closed, or something else is said."""
        self._show(text, "info", button, action)
        if not stays:
            self._timer.start()

    def clear(self) -> None:
        """Say nothing any more."""
        self._timer.stop()
        self._action = None
        self.hide()

    def _show(self, text: str, mark: str, button: str, action: Callable[[], None] | None) -> None:
        self._timer.stop()
        self._action = action
        self._mark.setPixmap(icon(mark).pixmap(QSize(_ICON, _ICON), self.devicePixelRatioF()))
        self._text.setText(text)
        self.action_button.setText(button)
        self.action_button.setVisible(action is not None)
        self.setAccessibleName(text)
        self.show()

    def _act(self) -> None:
        action = self._action
        self.clear()
        if action is not None:
            action()

    def _color(self) -> None:
        colors = theme.theme()
        self.setStyleSheet(f"#messageBar {{ background: {colors.tooltip}; border: 1px solid {colors.line}; }}")
