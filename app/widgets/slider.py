"""A compact slider: label, value and unit inside one bar, as sculptors know it.

Drag changes the value by how far the pointer moved (Ctrl for fine steps), the wheel steps it, a double-click or Enter
lets one type. What does not live here: which options a brush has (`options_bar`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QWidget

_HEIGHT = 28
_PADDING = 8
_GAP = 12
_RADIUS = 4.0
_FINE = 0.1
_FILLED = 0.17
# Part of the range that one wheel notch or arrow key moves.
_STEP = 0.02
_NOTCH = 120
_ENDS = (Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Return, Qt.Key.Key_Enter)


@dataclass(frozen=True)
class Range:
    """What a slider's value can be, and how it is written.

    logarithmic needs a minimum above 0. grouped: thousands are set apart, as in 1,600,000.
    """

    minimum: float
    maximum: float
    unit: str = ""
    decimals: int = 2
    logarithmic: bool = False
    grouped: bool = False

    def fraction(self, value: float) -> float:
        """Where a value lies along the bar, 0 to 1."""
        value = self.clamped(value)
        if self.logarithmic:
            return math.log(value / self.minimum) / math.log(self.maximum / self.minimum)
        return (value - self.minimum) / (self.maximum - self.minimum)

    def at(self, fraction: float) -> float:
        """The value at a place along the bar."""
        fraction = min(max(fraction, 0.0), 1.0)
        if self.logarithmic:
            return self.minimum * (self.maximum / self.minimum) ** fraction
        return self.minimum + fraction * (self.maximum - self.minimum)

    def clamped(self, value: float) -> float:
        return min(max(value, self.minimum), self.maximum)

    def text(self, value: float) -> str:
        """For example "4.2 mm"."""
        number = f"{value:,.{self.decimals}f}" if self.grouped else f"{value:.{self.decimals}f}"
        return f"{number} {self.unit}" if self.unit else number

    def number(self, typed: str) -> float:
        """What a user typed, with or without the unit. Raises ValueError."""
        plain = typed.removesuffix(self.unit).strip()
        return float(plain.replace(",", "").replace(" ", "") if self.grouped else plain.replace(",", "."))


class Slider(QWidget):
    """Shows and changes one number; `value_changed` tells of changes by the user only."""

    value_changed = Signal(float)

    def __init__(
        self, label: str, value_range: Range, value: float, tooltip: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._label, self._range = label, value_range
        self._value = value_range.clamped(value)
        self._drag_x: float | None = None
        self._drag_fraction = 0.0
        self._editor: QLineEdit | None = None
        self._wheel = 0
        self.setAccessibleName(label)
        self.setToolTip(tooltip)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.MinimumExpanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    @property
    def value(self) -> float:
        return self._value

    @property
    def text(self) -> str:
        """Value and unit as shown."""
        return self._range.text(self._value)

    def set_value(self, value: float) -> None:
        """Show another value without telling anyone."""
        self._value = self._range.clamped(value)
        self.update()

    def set_range(self, value_range: Range, value: float) -> None:
        """Another unit or range, without telling anyone."""
        self._range = value_range
        self.set_value(value)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        widest = max(metrics.horizontalAdvance(self._range.text(v)) for v in (self._range.minimum, self._range.maximum))
        return QSize(metrics.horizontalAdvance(self._label) + widest + _GAP + 2 * _PADDING, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    # Changing the value

    def _change(self, value: float) -> None:
        value = self._range.clamped(value)
        if value != self._value:
            self._value = value
            self.update()
            self.value_changed.emit(value)

    def _step(self, steps: float, fine: bool) -> None:
        self._change(self._range.at(self._range.fraction(self._value) + steps * _STEP * (_FINE if fine else 1.0)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag_x = event.position().x()
            self._drag_fraction = self._range.fraction(self._value)
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag_x is None:
            return
        fine = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        moved = (event.position().x() - self._drag_x) / max(self.width(), 1)
        self._drag_x = event.position().x()
        self._drag_fraction = min(max(self._drag_fraction + moved * (_FINE if fine else 1.0), 0.0), 1.0)
        self._change(self._range.at(self._drag_fraction))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag_x = None
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.edit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._wheel += event.angleDelta().y() or event.angleDelta().x()
        notches = int(self._wheel / _NOTCH)
        self._wheel -= notches * _NOTCH
        if notches:
            self._step(notches, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}.get(
            Qt.Key(event.key())
        )
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.edit()
        elif steps is not None:
            self._step(steps, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        else:
            super().keyPressEvent(event)

    # Typing a value

    def edit(self) -> None:
        """Let the user type; Enter takes the number, Esc or a click elsewhere leaves it."""
        if self._editor is not None:
            return
        editor = _Editor(self._range.text(self._value).removesuffix(self._range.unit).strip(), self)
        editor.setAccessibleName(f"{self._label}, {self._range.unit}" if self._range.unit else self._label)
        editor.setGeometry(self.rect())
        editor.selectAll()
        editor.returnPressed.connect(self._take_typed)
        editor.left.connect(self._close_editor)
        self._editor = editor
        editor.show()
        editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _take_typed(self) -> None:
        if self._editor is None:
            return
        typed = self._editor.text()
        self._close_editor()
        try:
            number = self._range.number(typed)
        except ValueError:
            return
        if math.isfinite(number):
            self._change(number)

    def _close_editor(self) -> None:
        editor, self._editor = self._editor, None
        if editor is not None:
            editor.hide()
            editor.deleteLater()
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, enabled = self.palette(), self.isEnabled()
        bar = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.base())
        painter.drawRoundedRect(bar, _RADIUS, _RADIUS)
        filled = QRectF(bar)
        filled.setWidth(bar.width() * self._range.fraction(self._value))
        painter.save()
        painter.setClipRect(filled)
        painter.setBrush(_between(palette.color(palette.ColorRole.Base), palette.color(palette.ColorRole.Text)))
        painter.drawRoundedRect(bar, _RADIUS, _RADIUS)
        painter.restore()
        active = enabled and (self._drag_x is not None or self.underMouse())
        if active:
            painter.setBrush(palette.highlight())
            painter.drawRect(QRectF(max(filled.right() - 2, bar.left()), bar.top() + 1, 2, bar.height() - 2))
        group = palette.ColorGroup.Normal if enabled else palette.ColorGroup.Disabled
        painter.setPen(palette.color(group, palette.ColorRole.Text))
        inner = self.rect().adjusted(_PADDING, 0, -_PADDING, 0)
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self._label)
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), self.text)


def _between(base: QColor, text: QColor) -> QColor:
    """The filled part of the bar: a little of the text's colour in the base's, on dark and on light."""
    pairs = ((base.redF(), text.redF()), (base.greenF(), text.greenF()), (base.blueF(), text.blueF()))
    red, green, blue = (a + (b - a) * _FILLED for a, b in pairs)
    return QColor.fromRgbF(red, green, blue)


class _Editor(QLineEdit):
    """The field that lies over the bar while a value is typed."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        # Tab and Esc are keys of the window, and Enter would go on to the bar; while typing they belong to the field.
        if isinstance(event, QKeyEvent) and event.key() in _ENDS:
            if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
                self.left.emit()
            elif event.type() == QEvent.Type.KeyPress:
                self.returnPressed.emit()
            event.accept()
            return True
        if event.type() == QEvent.Type.FocusOut:
            self.left.emit()
        return super().event(event)
