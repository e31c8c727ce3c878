"""Where Clone takes its colours from: the place that was picked on the model, and how far it lies from the hand. No Qt.

What does not live here: clicks and the mark in the picture (`sculpt_controller`), the controls (`stroke_controls`).
"""

from __future__ import annotations

import numpy as np
from psygnal import Signal

from app.settings import Settings

_ALIGNED = "brush/source_aligned"


class CloneSource:
    """`changed`: the place, whether the next click picks one, or whether strokes are aligned.

    aligned: every stroke keeps the distance that the first one after picking had; else each begins at the place again.
    picking: the next click on the model picks the place.
    """

    changed = Signal()

    def __init__(self, store: Settings) -> None:
        self._store = store
        self._point: np.ndarray | None = None
        self._shift: np.ndarray | None = None  # mm, from the hand, since the first stroke
        self.aligned: bool = bool(store.get(_ALIGNED, True))
        self.picking = False

    @property
    def point(self) -> np.ndarray | None:
        """The place that was picked, (3,) mm; None without one."""
        return self._point

    def place(self, point: np.ndarray) -> None:
        """Pick a place of the surface, (3,) mm."""
        self._point, self._shift, self.picking = np.array(point, np.float64), None, False
        self.changed.emit()

    def forget(self) -> None:
        """The model is another one."""
        if self._point is not None:
            self._point = self._shift = None
            self.changed.emit()

    def pick(self, on: bool) -> None:
        """Let the next click on the model pick the place, or not."""
        if on != self.picking:
            self.picking = on
            self.changed.emit()

    def set_aligned(self, on: bool) -> None:
        """Choose how the strokes after the first one begin; the next one counts as the first."""
        self.aligned, self._shift = on, None
        self._store.set(_ALIGNED, on)
        self.changed.emit()

    def begin(self, start: np.ndarray) -> tuple[float, float, float]:
        """A stroke begins at (3,) mm on the surface, with a place picked. Returns where its first dab takes from."""
        assert self._point is not None
        if self._shift is None or not self.aligned:
            self._shift = self._point - start
        x, y, z = (start + self._shift).tolist()
        return x, y, z

    def mark(self, hand: np.ndarray | None, in_stroke: bool) -> np.ndarray | None:
        """Where a dab at the hand's place, (3,) mm, takes from, or a stroke that begins there; (3,) mm, or None."""
        if self._point is None or hand is None or self._shift is None or not (in_stroke or self.aligned):
            return self._point
        return hand + self._shift
