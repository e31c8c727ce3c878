"""The look of every widget: two palettes of neutral grey, one accent, one stylesheet. Widgets set no colours.

Colour is judged in this program, so no surface carries a tint; the accent marks only what is active or has the
focus. Red, amber and green are verdicts and always come with a word or a mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import Template

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from app.resources import resource


@dataclass(frozen=True)
class Theme:
    """Colours as #rrggbb. `window` lies behind panels, `raised` is a button, `base` the inside of a list or field."""

    dark: bool
    window: str
    panel: str
    raised: str
    hover: str
    base: str
    border: str
    line: str
    text: str
    dim: str
    disabled: str
    accent: str
    accent_text: str
    focus: str
    tooltip: str
    tooltip_text: str
    photo: str
    passed: str
    warning: str
    failed: str

    def color(self, name: str) -> QColor:
        """One of the colours above, for a painter."""
        return QColor(getattr(self, name))


DARK = Theme(
    dark=True,
    window="#2b2b2b",
    panel="#333333",
    raised="#404040",
    hover="#494949",
    base="#262626",
    border="#1f1f1f",
    line="#505050",
    text="#e6e6e6",
    dim="#b0b0b0",
    disabled="#858585",
    accent="#3b76b3",
    accent_text="#ffffff",
    focus="#6cb0f4",
    tooltip="#454545",
    tooltip_text="#f0f0f0",
    photo="#242424",
    passed="#6cc36c",
    warning="#e5b34a",
    failed="#f07167",
)

LIGHT = Theme(
    dark=False,
    window="#d9d9d9",
    panel="#e9e9e9",
    raised="#f7f7f7",
    hover="#ffffff",
    base="#fbfbfb",
    border="#b4b4b4",
    line="#bdbdbd",
    text="#1f1f1f",
    dim="#525252",
    disabled="#8a8a8a",
    accent="#2d6cae",
    accent_text="#ffffff",
    focus="#1f78d6",
    tooltip="#fdfdfd",
    tooltip_text="#1f1f1f",
    photo="#c6c6c6",
    passed="#2c7d32",
    warning="#8f5c00",
    failed="#b3261e",
)


class _Events(QObject):
    changed = Signal()


events = _Events()  # `events.changed` tells the widgets that paint for themselves
_current = DARK


def theme() -> Theme:
    """The theme in use."""
    return _current


def apply_theme(app: QApplication, dark: bool = True) -> None:
    """Set style, palette and stylesheet of the whole program; may be called again to switch."""
    global _current
    _current = DARK if dark else LIGHT
    app.setStyle("Fusion")
    app.styleHints().setColorScheme(Qt.ColorScheme.Dark if dark else Qt.ColorScheme.Light)
    app.setPalette(palette(_current))
    app.setStyleSheet(stylesheet(_current))
    events.changed.emit()


def palette(theme: Theme) -> QPalette:
    """What Fusion and the icons draw with."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    colors = {
        role.Window: theme.panel,
        role.WindowText: theme.text,
        role.Base: theme.base,
        role.AlternateBase: theme.window,
        role.Text: theme.text,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.accent_text,
        role.PlaceholderText: theme.disabled,
        role.ToolTipBase: theme.tooltip,
        role.ToolTipText: theme.tooltip_text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.accent_text,
        role.Accent: theme.accent,
        role.Link: theme.focus,
        role.LinkVisited: theme.focus,
        role.Light: theme.hover,
        role.Midlight: theme.raised,
        role.Mid: theme.line,
        role.Dark: theme.border,
        role.Shadow: "#000000" if theme.dark else "#808080",
    }
    result = QPalette()
    for which, value in colors.items():
        result.setColor(which, QColor(value))
    for which in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        result.setColor(group.Disabled, which, QColor(theme.disabled))
    result.setColor(group.Disabled, role.Highlight, QColor(theme.line))
    result.setColor(group.Disabled, role.Accent, QColor(theme.line))
    return result


def stylesheet(theme: Theme) -> str:
    """The shapes that a palette cannot say, on a rhythm of 8 px; controls are 24 to 28 px high."""
    # Stylesheets take pictures only from files; theirs are of greys that show on both themes.
    return Template(_SHEET).substitute(theme.__dict__, pictures=resource("theme").as_posix())


_SHEET = """
QToolTip { background: $tooltip; color: $tooltip_text; border: 1px solid $line; padding: 4px 6px; }
QMainWindow, QMainWindow::separator { background: $window; }
QMainWindow::separator { width: 4px; height: 4px; }
QMainWindow::separator:hover, QSplitter::handle:hover { background: $focus; }
QSplitter::handle { background: $window; }
QSplitter::handle:horizontal { width: 4px; }
QSplitter::handle:vertical { height: 4px; }

QDockWidget { color: $dim; font-weight: 600; }
QDockWidget::title { background: $window; padding: 5px 8px; text-align: left; }
QTabWidget::pane { border: 0; border-top: 1px solid $border; }
QTabBar { background: $window; }
QTabBar::tab { background: $window; color: $dim; padding: 5px 12px; border: 0; border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { background: $panel; color: $text; border-bottom-color: $accent; }
QTabBar::tab:focus { color: $focus; }

QMenuBar { background: $window; padding: 1px 4px; }
QMenuBar::item { padding: 4px 8px; background: transparent; border-radius: 3px; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $panel; border: 1px solid $border; padding: 4px 0; }
QMenu::item { padding: 5px 24px 5px 28px; }
QMenu::item:selected { background: $accent; color: $accent_text; }
QMenu::item:disabled { color: $disabled; background: transparent; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QMenu::icon { position: absolute; left: 5px; }
QMenu::indicator { width: 14px; height: 14px; left: 7px; }
QMenu::indicator:non-exclusive:checked, QMenu::indicator:exclusive:checked {
    background: $accent; border-radius: 3px; image: url("$pictures/check.svg"); }
QMenu::icon:checked { background: $accent; border-radius: 3px; }

QToolBar { background: $window; border: 0; padding: 2px 4px; spacing: 2px; }
QToolBar::separator { background: $line; width: 1px; height: 1px; margin: 4px; }
QToolButton { border: 1px solid transparent; border-radius: 4px; padding: 2px; min-height: 20px; min-width: 20px; }
QToolButton:hover { background: $hover; }
QToolButton:pressed { background: $base; }
QToolButton:checked { background: $accent; color: $accent_text; }
QToolButton:checked:disabled { background: $line; }
QToolButton:focus { border-color: $focus; }
QToolButton[popupMode="1"] { padding-right: 16px; }
QToolButton::menu-button { border: 0; width: 14px; }
QToolButton::menu-arrow { image: url("$pictures/down.svg"); width: 8px; height: 8px; }
QToolButton::menu-indicator { image: none; }

QPushButton { background: $raised; border: 1px solid $line; border-radius: 4px; padding: 3px 12px; min-height: 18px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $base; }
QPushButton:checked, QPushButton[primary="true"] { background: $accent; color: $accent_text; border-color: $accent; }
QPushButton[primary="true"]:hover { border-color: $focus; }
QPushButton:disabled { background: $panel; color: $disabled; border-color: $line; }
QPushButton:focus, QPushButton[primary="true"]:focus { border-color: $focus; }

QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit {
    background: $base; border: 1px solid $line; border-radius: 4px; padding: 2px 6px;
    selection-background-color: $accent; selection-color: $accent_text; }
QLineEdit, QAbstractSpinBox { min-height: 18px; }
QLineEdit:focus, QAbstractSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus { border-color: $focus; }
QLineEdit:disabled, QAbstractSpinBox:disabled { color: $disabled; background: $panel; }
QAbstractSpinBox { padding: 2px 18px 2px 6px; }
QAbstractSpinBox QLineEdit { background: transparent; border: 0; padding: 0 4px; }
QComboBox QLineEdit { background: transparent; border: 0; padding: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: 0; width: 18px; subcontrol-origin: border; }
QAbstractSpinBox::up-button { subcontrol-position: top right; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hover; }
QAbstractSpinBox::up-arrow { image: url("$pictures/up.svg"); width: 8px; height: 8px; }
QAbstractSpinBox[plain="true"] { padding: 2px 0; }
QAbstractSpinBox[plain="true"]::up-button, QAbstractSpinBox[plain="true"]::down-button { width: 0; }
QAbstractSpinBox[plain="true"]::up-arrow, QAbstractSpinBox[plain="true"]::down-arrow { image: none; width: 0; }
QAbstractSpinBox::down-arrow { image: url("$pictures/down.svg"); width: 8px; height: 8px; }
QDialogButtonBox, QMessageBox { dialogbuttonbox-buttons-have-icons: 0; }

QComboBox { background: $raised; border: 1px solid $line; border-radius: 4px; padding: 2px 4px 2px 8px;
    min-height: 18px; }
QComboBox:hover { background: $hover; }
QComboBox:editable { background: $base; }
QComboBox:focus { border-color: $focus; }
QComboBox:disabled { background: $panel; color: $disabled; }
QComboBox::drop-down { border: 0; width: 20px; }
QComboBox::down-arrow { image: url("$pictures/down.svg"); width: 10px; height: 10px; }
QComboBox QAbstractItemView { background: $panel; border: 1px solid $border; padding: 2px; }

QCheckBox, QRadioButton { spacing: 6px; }
QCheckBox:focus, QRadioButton:focus { color: $focus; }
QCheckBox::indicator, QRadioButton::indicator, QAbstractItemView::indicator {
    width: 14px; height: 14px; background: $base; border: 1px solid $disabled; border-radius: 3px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: $text; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border-color: $focus; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {
    background: $accent; border-color: $accent; image: url("$pictures/check.svg"); }
QRadioButton::indicator { border-radius: 8px; }
QRadioButton::indicator:checked { background: $accent_text; border: 4px solid $accent; width: 8px; height: 8px; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { background: $panel; border-color: $line; }
QCheckBox::indicator:checked:disabled { background: $line; }

QSlider { min-height: 20px; }
QSlider:vertical { min-height: 0; min-width: 20px; }
QSlider::groove:horizontal { height: 4px; background: $base; border: 1px solid $line; border-radius: 3px; }
QSlider::groove:vertical { width: 4px; background: $base; border: 1px solid $line; border-radius: 3px; }
QSlider::handle { background: $text; border: 1px solid $border; border-radius: 6px; }
QSlider::handle:horizontal { width: 10px; margin: -5px 0; }
QSlider::handle:vertical { height: 10px; margin: 0 -5px; }
QSlider::handle:hover { background: $focus; }
QSlider::handle:focus { background: $text; border: 2px solid $focus; }
QSlider::handle:disabled { background: $line; }

QAbstractItemView { background: $base; border: 1px solid $border; outline: 0;
    selection-background-color: $accent; selection-color: $accent_text; alternate-background-color: $window; }
QAbstractItemView:focus { border-color: $focus; }
QHeaderView::section { background: $panel; color: $dim; border: 0; border-bottom: 1px solid $line; padding: 4px 8px; }
QGroupBox { border: 1px solid $line; border-radius: 4px; margin-top: 10px; padding-top: 6px; }
QGroupBox::title { subcontrol-origin: margin; left: 8px; padding: 0 4px; color: $dim; }

QProgressBar { background: $base; border: 1px solid $line; border-radius: 4px; text-align: center; min-height: 14px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QStatusBar { background: $window; color: $dim; }
QStatusBar::item { border: 0; }
QStatusBar QLabel { color: $dim; padding: 0 6px; }

QScrollBar { background: transparent; border: 0; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $line; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 24px; }
QScrollBar::handle:horizontal { min-width: 24px; }
QScrollBar::handle:hover { background: $dim; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QFrame[row="true"] { border: 0; border-radius: 4px; }
QFrame[row="true"][hovered="true"] { background: $hover; }
QFrame[row="true"]:focus { border: 1px solid $focus; }
QFrame[row="true"] QPushButton { padding: 1px 8px; min-height: 16px; }
QLabel[role="dim"] { color: $dim; }
QLabel[role="pass"] { color: $passed; }
QLabel[role="warning"] { color: $warning; }
QLabel[role="fail"] { color: $failed; }
"""
