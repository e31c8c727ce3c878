"""Three hints for the first start, on a card over the viewport. What was done or dismissed does not come back."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QToolButton, QWidget

from app.settings import Settings
from app.widgets.icons import icon

_DONE = "hints/done"
_MARGIN = 16
_WIDTH = 360
HINTS = {
    "sculpt": "<b>Drag on the model</b> to sculpt. Shift smooths, Ctrl turns the brush round, F changes its radius.",
    "camera": "<b>Middle button</b> turns the model, with Shift it moves, the wheel zooms. With a pen hold Alt.",
    "files": "<b>Drop</b> the customer's photos and your base mesh on this window. F1 shows all keys.",
}


class Hints(QFrame):
    """The card; hidden when every hint is done."""

    def __init__(self, surface: QWidget, settings: Settings) -> None:
        super().__init__(surface)
        self._surface, self._settings = surface, settings
        self.setObjectName("hints")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setFixedWidth(_WIDTH)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        self._grid.setSpacing(_MARGIN // 2)
        self._grid.setColumnStretch(0, 1)
        self._rows: dict[str, tuple[QLabel, QToolButton]] = {}
        for row, (name, text) in enumerate(HINTS.items()):
            label = QLabel(text)
            label.setWordWrap(True)
            close = QToolButton()
            close.setIcon(icon("check"))
            close.setIconSize(QSize(16, 16))
            close.setToolTip("Understood: do not show this hint again")
            close.clicked.connect(lambda _=False, name=name: self.done(name))
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(close, row, 1, Qt.AlignmentFlag.AlignTop)
            self._rows[name] = (label, close)
        self.all_done = QPushButton("Got It")
        self.all_done.setToolTip("Put all hints away for good; Help brings them back")
        self.all_done.clicked.connect(lambda: self.done(*HINTS))
        self._grid.addWidget(self.all_done, len(HINTS), 0, 1, 2, Qt.AlignmentFlag.AlignRight)
        surface.installEventFilter(self)
        self._show()

    def done(self, *names: str) -> None:
        """The user knows these now."""
        known = self._known()
        new = [name for name in names if name not in known]
        if new:
            self._settings.set(_DONE, [*known, *new])
            self._show()

    def start_over(self) -> None:
        """Show all three again."""
        self._settings.set(_DONE, [])
        self._show()

    def _known(self) -> list[str]:
        return self._settings.get(_DONE, [])

    def _show(self) -> None:
        known = self._known()
        for name, row in self._rows.items():
            for widget in row:
                widget.setVisible(name not in known)
        wanted = any(name not in known for name in HINTS)
        self.setVisible(wanted)
        if wanted:
            self._place()

    def _place(self) -> None:
        self.setFixedHeight(self._grid.heightForWidth(_WIDTH))
        # Lower left, above where the scale bar lies.
        self.move(_MARGIN, max(_MARGIN, self._surface.height() - self.height() - 4 * _MARGIN))
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return False
