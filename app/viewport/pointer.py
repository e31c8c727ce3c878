"""From mouse and pen events to samples: one sample for each movement of the hand, never two.

What lives here: the sample and the filter. What does not: what a sample does (the window), the camera (`navigation`).
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt


@dataclass(frozen=True)
class PointerSample:
    """One pointer event.

    x, y: logical pixels from the viewport's upper left corner. pressure: 0 to 1, always 1 for a mouse.
    tilt_x, tilt_y: degrees from upright, -60 to 60, 0 for a mouse. time: seconds, monotonic.
    modifiers: keys held. pen: came from a tablet. eraser: the pen's other end.
    """

    x: float
    y: float
    pressure: float
    tilt_x: float
    tilt_y: float
    time: float
    modifiers: Qt.KeyboardModifier
    pen: bool
    eraser: bool
