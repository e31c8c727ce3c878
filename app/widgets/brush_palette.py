"""The brushes at the left edge: icon, name and key of each, made from the brushes' own declarations."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics, QKeySequence, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

_ICON = 20
_MARGIN = 4
_PADDING = 6
_GAP = 8
_ROW = 32
_RADIUS = 4


class BrushButton(QAbstractButton):
    """One brush; follows a checkable action, so that menu, key and palette are always of one mind."""

    def __init__(self, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action = action
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(action.trigger)
        action.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        self.setText(self._action.iconText())
        self.setToolTip(self._action.toolTip())
        self.setAccessibleName(self._action.iconText())
        self.setChecked(self._action.isChecked())
        self.setEnabled(self._action.isEnabled())
        self.update()

    def nextCheckState(self) -> None:
        """The action decides; a click on the brush in hand leaves it in hand."""

    @property
    def key(self) -> str:
        """The key as short as it can be said; the tooltip says it in full."""
        return self._action.shortcut().toString(QKeySequence.SequenceFormat.NativeText).replace("Shift+", "⇧")

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        width = 2 * _PADDING + _ICON + 2 * _GAP + metrics.horizontalAdvance(self.text())
        return QSize(width + metrics.horizontalAdvance(self.key), _ROW)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        background = None
        if self.isChecked():
            background = palette.highlight()
        elif self.isEnabled() and self.underMouse():
            background = palette.midlight()
        if background is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(background)
            painter.drawRoundedRect(self.rect(), _RADIUS, _RADIUS)
        group = palette.ColorGroup.Normal if self.isEnabled() else palette.ColorGroup.Disabled
        text = palette.ColorRole.HighlightedText if self.isChecked() else palette.ColorRole.ButtonText
        mode = self._action.icon().Mode.Selected if self.isChecked() else self._action.icon().Mode.Normal
        icon = QRect(_PADDING, (self.height() - _ICON) // 2, _ICON, _ICON)
        self._action.icon().paint(painter, icon, Qt.AlignmentFlag.AlignCenter, mode)
        inner = self.rect().adjusted(_PADDING + _ICON + _GAP, 0, -_PADDING, 0)
        painter.setPen(palette.color(group, text))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())
        if not self.isChecked():
            painter.setPen(palette.color(group, palette.ColorRole.PlaceholderText))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), self.key)


class BrushPalette(QScrollArea):
    """All brushes in a column; scrolls where the window is too low for them."""

    def __init__(self, actions: list[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        column = QWidget()
        self.viewport().setAutoFillBackground(False)
        self._column = column
        layout = QVBoxLayout(column)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(2)
        self.buttons = [BrushButton(action) for action in actions]
        for button in self.buttons:
            layout.addWidget(button)
        layout.addStretch(1)
        self.setWidget(column)
        column.setAutoFillBackground(False)  # which setWidget switched on

    def sizeHint(self) -> QSize:
        content = self._column.sizeHint()
        # By the height: whether the bar is visible is known only after the first layout, which would then move again.
        bar = self.verticalScrollBar().sizeHint().width() if content.height() > self.height() else 0
        return QSize(content.width() + bar, content.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()  # the scroll bar may come or go

    def minimumSizeHint(self) -> QSize:
        return QSize(self.sizeHint().width(), 4 * _ROW)
