"""Camera gestures: which buttons and keys move the camera, and how a drag does it. No widget, no VTK."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from PySide6.QtCore import Qt

from app.viewport.camera import Camera, Size

Gesture = Literal["orbit", "pan", "dolly"]

_DOLLY_PER_PIXEL = 0.008
_ZOOM_PER_WHEEL_UNIT = 0.0015  # a notch has 120 units
_WHEEL_UNITS_PER_PIXEL = 4.0  # a touch pad scrolls in pixels


def gesture_of(button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> Gesture | None:
    """The camera gesture that a press begins, or None where the press belongs to the brush.

    Middle orbits, with Shift pans, with Ctrl dollies; Alt-left does the same, for pens.
    """
    alt = bool(modifiers & Qt.KeyboardModifier.AltModifier)
    if button != Qt.MouseButton.MiddleButton and not (button == Qt.MouseButton.LeftButton and alt):
        return None
    if modifiers & Qt.KeyboardModifier.ShiftModifier:
        return "pan"
    if modifiers & Qt.KeyboardModifier.ControlModifier:
        return "dolly"
    return "orbit"


def wheel_factor(angle_units: float, pixels: float) -> float:
    """Magnification for a turn of the wheel: eighths of a degree, or pixels where a touch pad gives them."""
    units = pixels * _WHEEL_UNITS_PER_PIXEL if pixels else angle_units
    return math.exp(units * _ZOOM_PER_WHEEL_UNIT)


class Drag:
    """A gesture in hand. anchor: (3,) mm, the point that is turned about, held, or moved toward."""

    def __init__(self, gesture: Gesture, button: Qt.MouseButton, x: float, y: float, anchor: np.ndarray) -> None:
        self.gesture, self.button = gesture, button
        self._x, self._y, self._anchor = x, y, anchor

    def moved(self, camera: Camera, x: float, y: float, size: Size) -> Camera:
        """The camera after the hand went to (x, y)."""
        dx, dy = x - self._x, y - self._y
        self._x, self._y = x, y
        if self.gesture == "orbit":
            return camera.orbited(dx, dy, self._anchor)
        if self.gesture == "pan":
            return camera.panned(dx, dy, size, self._anchor)
        return camera.zoomed(math.exp(-dy * _DOLLY_PER_PIXEL), self._anchor)
