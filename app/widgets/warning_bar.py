"""A bar that stays until what it warns of is over, with what can be done about it. Work goes on below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.widgets import theme
from app.widgets.icons import icon

_ICON = 22
_EDGE = 4


@dataclass(frozen=True)
class Remedy:
    """One thing to do: text of its button, tooltip, and what it does."""

    text: str
    tooltip: str
    act: Callable[[], object]


class WarningBar(QFrame):
    """Hidden until `warn`. The title says what is wrong, the text where and why."""

    def __init__(self, name: str, remedies: Sequence[Remedy], *, closable: bool, parent: QWidget | None = None) -> None:
        """closable: the user may put it away before it is over."""
        super().__init__(parent)
        self.setObjectName(name)
        self._mark, self._title, self._text = QLabel(), QLabel(), QLabel()
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        for label in (self._title, self._text):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._text)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 4, 6)
        row.setSpacing(8)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        self.buttons: list[QPushButton] = []
        for remedy in remedies:
            button = QPushButton(remedy.text)
            button.setToolTip(remedy.tooltip)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, act=remedy.act: act())
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
            self.buttons.append(button)
        self.close_button = QToolButton()
        self.close_button.setIcon(icon("close"))
        self.close_button.setToolTip("Close this warning")
        self.close_button.setVisible(closable)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignVCenter)
        theme.events.changed.connect(self._color)
        self._color()
        self.hide()

    @property
    def text(self) -> str:
        """What is being said; empty while nothing is."""
        return "" if self.isHidden() else f"{self._title.text()} {self._text.text()}"

    def warn(self, title: str, text: str) -> None:
        """Say it, in place of what was said before."""
        self._title.setText(title)
        self._text.setText(text)
        self.setAccessibleName(f"{title} {text}")
        self.show()

    def _color(self) -> None:
        colors = theme.theme()
        self._mark.setPixmap(icon("warning").pixmap(QSize(_ICON, _ICON), self.devicePixelRatioF()))
        self.setStyleSheet(
            f"#{self.objectName()} {{ background: {colors.tooltip}; border: 1px solid {colors.line};"
            f" border-left: {_EDGE}px solid {colors.warning}; }}"
        )
