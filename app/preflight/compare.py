"""Is what was read back from an exported file the model that was to be exported? One `Check` per property.

No reading and no writing here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.preflight.counts import volume_of
from app.preflight.model import Model

SIZE_TOLERANCE_MM = 0.01
VOLUME_TOLERANCE = 1e-4
COLOR_TOLERANCE = 2.0 / 255.0
# A texture that had to change (made smaller, tinted, packed, put onto vertices, JPEG) is compared on the average.
CHANGED_COLOR_TOLERANCE = 12.0 / 255.0
SAMPLES = 1000

# Fixed, so that an export that fails fails again.
_SEED = 20240601
_CANDIDATES = 64


@dataclass(frozen=True)
class Check:
    """One property of an exported file. expected, found: as a user reads them, with units."""

    name: str
    expected: str
    found: str
    ok: bool


def compare(expected: Model, found: Model, *, colors_changed: bool, on_vertices: bool = False) -> list[Check]:
    """All checks of a file against the model.

    colors_changed: whether the export had to alter the colours. on_vertices: whether it moved them there; then they
    are compared there, because what a texture shows between vertices is lost, and meant to be.
    """
    checks = [_count(expected, found), *_bounds(expected, found), _volume(expected, found)]
    if not len(expected.triangles) or not len(found.triangles):
        return checks
    random = np.random.default_rng(_SEED)
    rows = random.integers(0, len(expected.triangles), SAMPLES)
    weights = np.eye(3)[random.integers(0, 3, SAMPLES)] if on_vertices else random.dirichlet((2.0,) * 3, SAMPLES)
    candidates, turned = _same_triangles(expected, found, rows, weights)
    matched = int((candidates[:, 0] >= 0).sum())
    surface = f"{matched:,} of {SAMPLES:,} sampled points within {SIZE_TOLERANCE_MM:g} mm"
    checks.append(Check("surface", f"{SAMPLES:,} sampled points", surface, matched == SAMPLES))
    if expected.colored and matched:
        corners = expected.triangles[rows, weights.argmax(axis=1)]
        wanted = _vertex_colors(expected, corners) if on_vertices else expected.colors_at(rows, weights)
        checks.append(_colors(wanted, found, candidates, turned, colors_changed))
    return checks


def _count(expected: Model, found: Model) -> Check:
    wanted, got = len(expected.triangles), len(found.triangles)
    return Check("triangles", f"{wanted:,}", f"{got:,}", wanted == got)


def _bounds(expected: Model, found: Model) -> list[Check]:
    wanted, got = _box(expected), _box(found)
    checks = []
    for index, name in enumerate(("lower corner", "upper corner")):
        ok = bool(np.all(np.abs(wanted[index] - got[index]) <= SIZE_TOLERANCE_MM))
        checks.append(Check(name, _point(wanted[index]), _point(got[index]), ok))
    return checks


def _box(model: Model) -> np.ndarray:
    if not len(model.triangles):
        return np.zeros((2, 3))
    used = np.zeros(len(model.positions), bool)
    used[model.triangles] = True
    points = model.positions if used.all() else model.positions[used]
    return np.stack((points.min(axis=0), points.max(axis=0))).astype(np.float64)


def _point(point: np.ndarray) -> str:
    return ", ".join(f"{value:.2f}" for value in point) + " mm"


def _volume(expected: Model, found: Model) -> Check:
    wanted = volume_of(expected.positions, expected.triangles)
    got = volume_of(found.positions, found.triangles)
    # An open or flat surface encloses next to nothing; then the box gives the measure.
    room = float(np.prod(np.diff(_box(expected), axis=0)))
    tolerance = VOLUME_TOLERANCE * max(abs(wanted), VOLUME_TOLERANCE * room)
    return Check("volume", f"{wanted / 1000:,.3f} cm³", f"{got / 1000:,.3f} cm³", abs(wanted - got) <= tolerance)


def _same_triangles(
    expected: Model, found: Model, rows: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The triangles of `found` that lie where triangles `rows` of `expected` do, whatever their order in the file.

    Returns (n, _CANDIDATES) int64, -1 where there are no more (several lie in one place in double skins), and
    (n, _CANDIDATES, 3) float64: `weights` in the order of their corners.
    """
    corners = expected.positions[expected.triangles[rows]].astype(np.float64)
    centres = found.positions[found.triangles].mean(axis=1, dtype=np.float64)
    axis = int(np.argmax(np.ptp(centres, axis=0)))
    order = np.argsort(centres[:, axis], kind="stable")
    along = centres[order, axis]
    wanted = corners.mean(axis=1)
    first = np.searchsorted(along, wanted[:, axis] - SIZE_TOLERANCE_MM, "left")
    last = np.searchsorted(along, wanted[:, axis] + SIZE_TOLERANCE_MM, "right")
    candidates = np.full((len(rows), _CANDIDATES), -1, np.int64)
    turned = np.zeros((len(rows), _CANDIDATES, 3))
    for i in range(len(rows)):
        near = order[first[i] : last[i]]
        apart = np.abs(centres[near] - wanted[i]).max(axis=1)
        nearest = near[np.argsort(apart, kind="stable")][: np.count_nonzero(apart <= SIZE_TOLERANCE_MM)]
        count = 0
        for triangle in nearest[:_CANDIDATES]:
            turn = _turn(corners[i], found.positions[found.triangles[triangle]])
            if turn is not None:
                candidates[i, count], turned[i, count] = triangle, np.roll(weights[i], turn)
                count += 1
    return candidates, turned


def _turn(wanted: np.ndarray, got: np.ndarray) -> int | None:
    """By how many corners a triangle is turned in the file; None where it is another one, or faces the other way."""
    apart = [float(np.abs(np.roll(wanted, turn, axis=0) - got).max()) for turn in range(3)]
    turn = int(np.argmin(apart))
    return turn if apart[turn] <= SIZE_TOLERANCE_MM else None


def _vertex_colors(model: Model, vertices: np.ndarray) -> np.ndarray:
    """(n, 3) mean colour over all corners at each of these vertices."""
    unique, place = np.unique(vertices, return_inverse=True)
    number = np.full(len(model.positions), -1, np.int64)
    number[unique] = np.arange(len(unique))
    rows, corner = np.nonzero(number[model.triangles] >= 0)
    at = number[model.triangles[rows, corner]]
    sums = np.zeros((len(unique), 3))
    np.add.at(sums, at, model.colors_at(rows, np.eye(3)[corner]))
    return (sums / np.bincount(at, minlength=len(unique))[:, None])[place]


def _colors(wanted: np.ndarray, found: Model, candidates: np.ndarray, turned: np.ndarray, changed: bool) -> Check:
    """wanted: (n, 3) sRGB, to be found at any of the candidates: in a double skin it cannot be known which is which."""
    best = np.full(len(wanted), np.inf)
    for place in range(_CANDIDATES):
        present = np.flatnonzero(candidates[:, place] >= 0)
        if not len(present):
            break
        got = found.colors_at(candidates[present, place], turned[present, place])
        difference = np.abs(got - wanted[present])
        best[present] = np.minimum(best[present], difference.mean(axis=1) if changed else difference.max(axis=1))
    seen = best[np.isfinite(best)]
    off = float(seen.mean() if changed else seen.max())
    tolerance = CHANGED_COLOR_TOLERANCE if changed else COLOR_TOLERANCE
    kind = "on average" if changed else "at most"
    text = f"{kind} {off * 255:.1f} of 255 apart" if found.colored else "no colour"
    return Check("colour", f"{kind} {tolerance * 255:.0f} of 255 apart", text, found.colored and off <= tolerance)
