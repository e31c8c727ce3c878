"""Which triangles of a soup have to be turned over so that neighbours face the same way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.mesh.edges import Edges
from app.mesh.jit import kernel


@dataclass(frozen=True, eq=False)
class Facing:
    """flip: (T,) bool, the triangles to turn over. sheet: (T,) int32, what hangs together over edges of two triangles.

    one_sided: (sheets,) bool, those that cannot face one way throughout, as a Möbius strip; they stay as they are.
    """

    flip: np.ndarray
    sheet: np.ndarray
    one_sided: np.ndarray


def facing(triangles: np.ndarray, edges: Edges, area: np.ndarray) -> Facing:
    """Make each sheet face one way, the way in which most of its area faces now.

    triangles: (T, 3) int32. area: (T,) of each triangle, any unit. Sheets are numbered by their first triangle.
    """
    flip, sheet, one_sided = _walk(triangles, edges.offsets, edges.halves, edges.of_half)
    total = np.bincount(sheet, weights=area, minlength=len(one_sided))
    turned = np.bincount(sheet, weights=area * flip, minlength=len(one_sided))
    flip ^= (turned > total / 2)[sheet]
    flip &= ~one_sided[sheet]
    return Facing(flip, sheet, one_sided)


@kernel
def _walk(triangles, offsets, halves, of_half):
    count = len(triangles)
    flip = np.zeros(count, np.bool_)
    sheet = np.full(count, -1, np.int32)
    one_sided = np.zeros(count, np.bool_)
    waiting = np.empty(count, np.int64)
    sheets = 0
    for seed in range(count):
        if sheet[seed] >= 0:
            continue
        sheet[seed] = sheets
        waiting[0] = seed
        size = 1
        while size > 0:
            size -= 1
            t = waiting[size]
            for k in range(3):
                half = 3 * t + k
                edge = of_half[half]
                if edge < 0 or offsets[edge + 1] - offsets[edge] != 2:
                    continue
                other = halves[offsets[edge]]
                if other == half:
                    other = halves[offsets[edge] + 1]
                near = other // 3
                wanted = flip[t] != (triangles[near, other % 3] == triangles[t, k])
                if sheet[near] < 0:
                    sheet[near] = sheets
                    flip[near] = wanted
                    waiting[size] = near
                    size += 1
                elif flip[near] != wanted:
                    one_sided[sheets] = True
        sheets += 1
    return flip, sheet, one_sided[:sheets].copy()
