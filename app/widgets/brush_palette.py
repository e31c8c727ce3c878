"""The brushes at the left edge, by group, made from the brushes' own declarations.

Icon, name and key of each where the window is high enough for all of them; else icons in columns, as few as will do.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics, QKeySequence, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QGridLayout, QScrollArea, QSizePolicy, QWidget

from app.sculpt.brush import grouped

_ICON = 20
_MARGIN = 4
_PADDING = 6
_GAP = 8
_ROW = 24
_CELL = 32
_HEADING = 17
_LINE = 6
_SPACING = 0
_RADIUS = 4
# Columns of icons, where names do not fit.
_COLUMNS = (2, 3)


class BrushButton(QAbstractButton):
    """One brush; follows a checkable action, so that menu, key and palette are always of one mind."""

    def __init__(self, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action = action
        self._named = True
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

    def set_named(self, on: bool) -> None:
        """Show name and key beside the icon, or only the icon."""
        self._named = on
        self.updateGeometry()

    def nextCheckState(self) -> None:
        """The action decides; a click on the brush in hand leaves it in hand."""

    @property
    def key(self) -> str:
        """The key as short as it can be said; the tooltip says it in full."""
        return self._action.shortcut().toString(QKeySequence.SequenceFormat.NativeText).replace("Shift+", "⇧")

    def sizeHint(self) -> QSize:
        if not self._named:
            return QSize(_CELL, _CELL)
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
        left = _PADDING if self._named else (self.width() - _ICON) // 2
        icon = QRect(left, (self.height() - _ICON) // 2, _ICON, _ICON)
        self._action.icon().paint(painter, icon, Qt.AlignmentFlag.AlignCenter, mode)
        if not self._named:
            return
        inner = self.rect().adjusted(_PADDING + _ICON + _GAP, 0, -_PADDING, 0)
        painter.setPen(palette.color(group, text))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())
        if not self.isChecked():
            painter.setPen(palette.color(group, palette.ColorRole.PlaceholderText))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), self.key)


class _Heading(QWidget):
    """The name of a group over its brushes, or a thin line between groups."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._named = True
        self.setToolTip(text)
        self.setAccessibleName(text)

    def set_named(self, on: bool) -> None:
        self._named = on
        self.setFixedHeight(_HEADING if on else _LINE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        palette = self.palette()
        if self._named:
            painter.setPen(palette.color(palette.ColorRole.PlaceholderText))
            bottom = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
            painter.drawText(self.rect().adjusted(_PADDING, 0, 0, -2), bottom, self._text)
        else:
            middle = self.height() // 2
            painter.fillRect(QRect(_PADDING, middle, self.width() - 2 * _PADDING, 1), palette.mid())


class BrushPalette(QScrollArea):
    """All brushes; scrolls only where not even icons in columns fit. find: opens the search for a brush."""

    def __init__(self, actions: Mapping[str, QAction], find: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.viewport().setAutoFillBackground(False)
        self._column = QWidget()
        self._grid = QGridLayout(self._column)
        self._grid.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        self._grid.setSpacing(_SPACING)
        self._find = BrushButton(find)
        self._groups = {
            _Heading(name): [BrushButton(actions[brush.id]) for brush in group] for name, group in grouped().items()
        }
        self.buttons = [button for group in self._groups.values() for button in group]
        for button in self.buttons:
            button.toggled.connect(self._show_active)
        self._columns = -1
        self.setWidget(self._column)
        self._column.setAutoFillBackground(False)  # which setWidget switched on
        self._arrange(0)

    @property
    def columns(self) -> int:
        """Columns of icons; 0 where names are shown."""
        return self._columns

    def sizeHint(self) -> QSize:
        content = self._column.sizeHint()
        # By the height: whether the bar is visible is known only after the first layout, which would then move again.
        bar = self.verticalScrollBar().sizeHint().width() if content.height() > self.height() else 0
        return QSize(content.width() + bar, content.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        fitting = [columns for columns in (0, *_COLUMNS) if self._height_with(columns) <= self.height()]
        self._arrange(fitting[0] if fitting else _COLUMNS[-1])
        self.updateGeometry()  # the scroll bar may come or go
        self._show_active(True)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.sizeHint().width(), 4 * _CELL)

    def _show_active(self, on: bool) -> None:
        """Scroll so far that the brush in hand is in sight."""
        active = next((button for button in self.buttons if button.isChecked()), None)
        if on and active is not None:
            self._grid.activate()
            self.ensureWidgetVisible(active, 0, _CELL)

    def _height_with(self, columns: int) -> int:
        rows = 1 + sum(-(-len(group) // max(columns, 1)) for group in self._groups.values())
        row, heading = (_CELL, _LINE) if columns else (_ROW, _HEADING)
        count = rows + len(self._groups)
        return rows * row + len(self._groups) * heading + (count - 1) * _SPACING + 2 * _MARGIN

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns, named = columns, columns == 0
        across = max(columns, 1)
        while self._grid.takeAt(0) is not None:
            pass
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        self._grid.addWidget(self._find, 0, 0, 1, across)
        row = 1
        for heading, group in self._groups.items():
            heading.set_named(named)
            self._grid.addWidget(heading, row, 0, 1, across)
            for index, button in enumerate(group):
                self._grid.addWidget(button, row + 1 + index // across, index % across)
            row += 1 + -(-len(group) // across)
        for button in (self._find, *self.buttons):
            button.set_named(named)
        self._grid.setRowStretch(row, 1)
