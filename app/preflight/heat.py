"""Walls as colours: where it breaks, where it changes colour, where it is well. For pictures, reports and the viewport.

Red up to the first limit, orange to yellow up to the second, then cool and ever paler: the limits are seen as edges in
hue and in lightness, so that nobody needs to tell red from green.
"""

from __future__ import annotations

import numpy as np

from app.preflight.profiles import PrinterProfile

# Where a profile names no limits, those of most colour resins.
_BREAKS_MM, _SHIFTS_MM = 1.0, 2.0
_BROKEN, _WEAK = (122, 4, 24), (222, 45, 38)
_SHIFTED, _SHIFTING = (242, 142, 43), (252, 219, 120)
_WELL, _SOLID = (86, 160, 172), (214, 221, 224)


def limits_mm(profile: PrinterProfile) -> tuple[float, float]:
    """Thicknesses under which walls break, and under which they change colour."""
    breaks = profile.wall_mm or _BREAKS_MM
    return breaks, max(profile.color_wall_mm or max(_SHIFTS_MM, breaks), breaks)


def stops(profile: PrinterProfile, up_to_mm: float) -> list[tuple[float, tuple[int, int, int]]]:
    """Thickness in mm and sRGB colour, ascending; two at a limit, where the colour jumps. For legends too."""
    breaks, shifts = limits_mm(profile)
    bands = [(0.0, _BROKEN), (breaks, _WEAK)]
    if shifts > breaks:
        bands += [(breaks, _SHIFTED), (shifts, _SHIFTING)]
    return [*bands, (shifts, _WELL), (max(up_to_mm, shifts), _SOLID)]


def heat_colors(walls: np.ndarray, profile: PrinterProfile, up_to_mm: float) -> np.ndarray:
    """(V,) mm to (V, 3) float32 sRGB 0 to 1."""
    table = stops(profile, up_to_mm)
    at = np.array([mm for mm, _ in table])
    colors = np.array([color for _, color in table], float) / 255
    # A limit itself is well: the step lies just below it.
    at[[k for k in range(len(at) - 1) if at[k] == at[k + 1]]] *= 1 - 1e-6
    return np.stack([np.interp(walls, at, colors[:, k]) for k in range(3)], axis=1).astype(np.float32)
