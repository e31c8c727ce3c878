"""The colour behind the model: a few neutral greys, or the user's own; kept in the settings."""

from __future__ import annotations

from PySide6.QtGui import QColor

from app.settings import Settings

Color = tuple[float, float, float]
KEY = "view/background"
BACKGROUNDS: dict[str, Color] = {
    "Black": (0.0, 0.0, 0.0),
    "Dark grey": (0.2, 0.2, 0.2),
    "Mid grey": (0.42, 0.42, 0.42),
    "Light grey": (0.72, 0.72, 0.72),
    "White": (1.0, 1.0, 1.0),
}
DEFAULT = BACKGROUNDS["Mid grey"]


def background(settings: Settings) -> Color:
    """sRGB, 0 to 1; the default where the stored value is damaged."""
    stored = settings.get(KEY, list(DEFAULT))
    if len(stored) == 3 and all(isinstance(part, int | float) and 0 <= part <= 1 for part in stored):
        red, green, blue = stored
        return float(red), float(green), float(blue)
    return DEFAULT


def set_background(settings: Settings, color: Color) -> None:
    """Store a colour; the window listens to the settings."""
    settings.set(KEY, [round(float(part), 4) for part in color])


def to_color(color: Color) -> QColor:
    """For Qt's colour dialog."""
    return QColor.fromRgbF(*color)
