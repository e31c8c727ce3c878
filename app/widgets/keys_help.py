"""What the keys and buttons do: made from the actions and the brushes, so that it cannot be out of date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QTextBrowser, QVBoxLayout, QWidget

from app.sculpt.brush import Brush

_SIZE = (880, 640)
_MARGIN = 16
# Widths of the column of keys, logical pixels.
_BRUSH_KEY, _POINTER_KEY, _MENU_KEY = 76, 168, 112

# Keys and buttons that belong to the hand on the viewport and are no menu entries.
POINTER = (
    ("Left button or pen", "Use the brush"),
    ("Shift + drag", "Smooth, whatever brush is in hand"),
    ("Ctrl + drag", "Invert the brush"),
    ("Pen's eraser", "Invert the brush"),
    ("Esc", "Cancel the stroke in hand"),
    ("Drag beside the model", "Turn the model"),
    ("Middle button, or Alt + left", "Turn the model"),
    ("Shift with either", "Move the model"),
    ("Ctrl + middle", "Zoom"),
    ("Wheel", "Zoom to the pointer"),
)
TRANSFORM = (
    ("Drag a handle", "Arrow: move, ring: rotate, box: scale one side; centre: move freely, circle: scale all"),
    ("Ctrl + drag", "Whole mm, steps of 5°, steps of 5 %"),
    ("Shift + click", "Put the pivot there"),
    ("Drag beside it", "Turn the model"),
    ("Enter, T or a brush", "Apply it as one step"),
    ("Esc", "Cancel the drag in hand, or all of it"),
)
SLIDERS = (
    ("Drag", "Change the value"),
    ("Ctrl + drag", "Fine steps"),
    ("Wheel", "Step"),
    ("Double-click", "Type a value"),
)
DRAGGING = (
    ("Move", "Change the value"),
    ("Click or Enter", "Take it"),
    ("Esc or right button", "Leave it as it was"),
)


class KeysHelp(QDialog):
    """Stays open beside the work."""

    def __init__(
        self,
        table: Mapping[str, Sequence[object]],
        actions: Mapping[str, QAction],
        brush_actions: Mapping[str, QAction],
        brushes: Mapping[str, Brush],
        in_hand: Brush,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        left = _browser(_brush_html(brush_actions, brushes, in_hand) + _pointer_html(in_hand))
        right = _browser(_menu_html(table, actions))
        self.text = left.toPlainText() + "\n" + right.toPlainText()
        columns = QHBoxLayout()
        columns.setSpacing(_MARGIN)
        columns.addWidget(left)
        columns.addWidget(right)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.addLayout(columns)
        layout.addWidget(buttons)
        self.resize(*_SIZE)


def _browser(html: str) -> QTextBrowser:
    browser = QTextBrowser()
    browser.setFrameShape(QTextBrowser.Shape.NoFrame)
    browser.setHtml(html)
    return browser


def _brush_html(actions: Mapping[str, QAction], brushes: Mapping[str, Brush], in_hand: Brush) -> str:
    groups: dict[str, list[tuple[str, str]]] = {}
    for brush in brushes.values():
        name = f"{brush.label} (in hand)" if brush.id == in_hand.id else brush.label
        told = f"<b>{escape(name)}</b>  {escape(brush.tooltip)}"
        groups.setdefault(brush.group, []).append((_native(actions[brush.id]), told))
    return "".join(_table(f"Brushes: {group}", rows, _BRUSH_KEY, marked_up=True) for group, rows in groups.items())


def _pointer_html(in_hand: Brush) -> str:
    ctrl = in_hand.with_ctrl or f"{in_hand.label} has no opposite"
    meaning = {"Use the brush": in_hand.label, "Invert the brush": ctrl}
    rows = [(key, f"{text}: {meaning[text]}" if text in meaning else text) for key, text in POINTER]
    return (
        _table("On the model, now", rows, _POINTER_KEY)
        + _table("While setting a value with F or Shift+F", DRAGGING, _POINTER_KEY)
        + _table("While transforming, T", TRANSFORM, _POINTER_KEY)
        + _table("Sliders", SLIDERS, _POINTER_KEY)
    )


def _menu_html(table: Mapping[str, Sequence[object]], actions: Mapping[str, QAction]) -> str:
    parts = []
    for menu, entries in table.items():
        listed = [actions[entry_id] for entry_id in (getattr(entry, "id", "") for entry in entries) if entry_id]
        rows = [(_native(action), action.whatsThis()) for action in listed if not action.shortcut().isEmpty()]
        if rows:
            parts.append(_table(menu.replace("&", ""), rows, _MENU_KEY))
    return "".join(parts)


def _native(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)


def _table(title: str, rows: Sequence[tuple[str, str]], width: int, marked_up: bool = False) -> str:
    body = "".join(
        f"<tr><td style='padding: 2px 16px 2px 0' width='{width}'><b>{escape(key)}</b></td>"
        f"<td style='padding: 2px 0'>{text if marked_up else escape(text)}</td></tr>"
        for key, text in rows
    )
    return f"<h3>{escape(title)}</h3><table cellspacing='0'>{body}</table>"
