"""The scale bar's arithmetic: which round length fits, and what to call it."""

from __future__ import annotations

import math

_STEPS = (1, 2, 5)


def nice_length(longest_mm: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is at most `longest_mm`; 0 where nothing fits."""
    if not (math.isfinite(longest_mm) and longest_mm > 0):
        return 0.0
    power = 10.0 ** math.floor(math.log10(longest_mm))
    fitting = [step * power for step in _STEPS if step * power <= longest_mm * (1 + 1e-9)]
    return fitting[-1] if fitting else power / 2


def length_label(length_mm: float) -> str:
    """ "10 mm", "0.5 mm": as many decimals as the length needs and no more."""
    decimals = max(0, -math.floor(math.log10(length_mm))) if length_mm > 0 else 0
    return f"{length_mm:.{decimals}f} mm"
