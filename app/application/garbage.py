"""Python's garbage is collected on the window's thread only.

Python collects cycles on whichever thread happens to allocate: a job, or the writer of the working copy. Where a widget
or a timer is in such a cycle it is destroyed there, its timers go on in the window's thread, and the next of them ends
the process. So automatic collection is off while there is a window, and a timer of the window's thread does it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 500


class Garbage(QObject):
    """Collects from now on until `stop`. busy: whether a stroke is in hand, which a long collection would hold up."""

    def __init__(self, busy: Callable[[], bool]) -> None:
        super().__init__()
        self._busy = busy
        self._before = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Collect the generations that are due by Python's own thresholds."""
        due = [generation for generation in range(3) if gc.get_count()[generation] > gc.get_threshold()[generation]]
        if due and not self._busy():
            gc.collect(due[-1])

    def stop(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        if self._before:
            gc.enable()
