"""Long work in stretches, so that progress is told and a wish to stop is heard several times a second.

On an honest mesh a stretch grows to tens of thousands of vertices; on a crumpled one, in which everything lies near
everything, it stays small.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

_MOST = 65_536
_SHORT_SECONDS, _LONG_SECONDS = 0.1, 0.4


def stretches(total: int, progress: Callable[[float, str], None], doing: str, least: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of consecutive stretches up to `total`. progress: may raise to end the work.

    least: length of the first and of the shortest; all begin at multiples of it, which kernels may rely on.
    """
    start, size = 0, least
    while start < total:
        progress(start / total, doing)
        stop = min(total, start + size)
        began = time.monotonic()
        yield start, stop
        took = time.monotonic() - began
        if took < _SHORT_SECONDS:
            size = min(_MOST, 2 * size)
        elif took > _LONG_SECONDS:
            size = max(least, size // 4 // least * least)
        start = stop
    progress(1.0, doing)
