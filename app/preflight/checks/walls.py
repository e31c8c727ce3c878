"""Is it strong enough, and does its colour hold? Walls, pins and double skins, judged by patches of surface.

A patch counts from 1 mm² on: a wall is not thin because of one vertex, and what is smaller nobody sees break.

Two skins exactly on each other are no wall here: a sheet without any thickness looks there as two bodies do that stand
on each other, which is nothing bad. Non-manifold edges, duplicates and self-intersections tell of both.
"""

from __future__ import annotations

import numpy as np

from app.preflight.checks.case import Case
from app.preflight.checks.check import DEAR, CheckResult, Where, at_vertices, check, passed, result, warned
from app.preflight.features import near_skins, widths
from app.preflight.regions import Patch, patches
from app.preflight.verdict import FAIL, NOTE, counted

_LEAST_PATCH_MM2 = 1.0
# The printer's own accuracy: skins nearer to each other are one skin in print.
_ONE_SKIN_MM = 0.1
# A double skin is a sheet, not a crease: this part of the surface at least.
_LEAST_PART_DOUBLE = 0.002
# Of a patch, thinner than this part of it: one vertex of a fold does not speak for a wall.
_THINNEST_PART = 0.1


@check("walls", "Walls that hold", DEAR, needed=lambda profile: bool(profile.wall_mm))
def walls(case: Case) -> CheckResult | None:
    limit = case.profile.wall_mm
    return _judged(case, limit, FAIL, "thinner than {limit:g} mm, which breaks") if limit else None


@check("color_walls", "Walls that keep their colour", DEAR)
def color_walls(case: Case) -> CheckResult | None:
    limit = case.profile.color_wall_mm
    return _judged(case, limit, NOTE, "thinner than {limit:g} mm, where colours shift") if limit else None


@check("pins", "Pins and spikes that hold", DEAR)
def pins(case: Case) -> CheckResult | None:
    limit = case.profile.pin_mm
    if not limit:
        return None
    unjudged = _unjudged(case)
    if unjudged:
        return unjudged
    across = widths(case.mesh, case.walls, limit, case.progress, tree=case.tree)
    thin = _patches(case, across < limit)
    if not thin:
        return passed(f"nothing that is thin on all sides is under {limit:g} mm", limit=limit, unit="mm")
    least = min(_thinnest(across, patch) for patch in thin)
    text = f"{_places(thin)} thin on all sides and under {limit:g} mm, the thinnest {least:.2f} mm"
    return warned(text, value=least, limit=limit, unit="mm", where=_where(case, across, thin), fix="thicken")


@check("double_skins", "No double skins", DEAR)
def double_skins(case: Case) -> CheckResult | None:
    unjudged = _unjudged(case)
    if unjudged:
        return unjudged
    double = near_skins(case.mesh, _ONE_SKIN_MM, case.progress, tree=case.tree)
    found = _patches(case, double)
    area, whole = sum(patch.area_mm2 for patch in found), float(case.areas.sum())
    limit = max(_LEAST_PATCH_MM2, _LEAST_PART_DOUBLE * whole)
    if area < limit:
        return passed(f"no second skin within {_ONE_SKIN_MM:g} mm", value=area, limit=limit, unit="mm²")
    text = f"{area:,.0f} mm² ({100 * area / whole:.0f} %) have a second skin within {_ONE_SKIN_MM:g} mm"
    vertices = np.concatenate([patch.vertices for patch in found])
    where = at_vertices(case, vertices, focus=found[0].vertices)
    return warned(text, value=area, limit=limit, unit="mm²", where=where, fix="remove_inner_shells")


def _judged(case: Case, limit: float, bad: str, text: str) -> CheckResult:
    unjudged = _unjudged(case)
    if unjudged:
        return unjudged
    thin = _patches(case, case.walls < limit)
    if not thin:
        text = f"no wall is {text.format(limit=limit)}"
        return passed(text, value=max(limit, _least(case)), limit=limit, unit="mm")
    least = min(_thinnest(case.walls, patch) for patch in thin)
    area = sum(patch.area_mm2 for patch in thin)
    message = f"{_places(thin)} {text.format(limit=limit)}: {area:,.0f} mm², the thinnest {least:.2f} mm"
    where = _where(case, case.walls, thin)
    return result(bad, message, value=least, limit=limit, unit="mm", where=where, fix="thicken")


def _unjudged(case: Case) -> CheckResult | None:
    if case.size_is_plausible:
        return None
    height = case.counts.size_mm[2]
    return warned(f"not judged: at {height:,.4g} mm tall, the size is not known yet", unit="mm", fix="scale_to_height")


def _patches(case: Case, chosen: np.ndarray) -> list[Patch]:
    return [patch for patch in patches(case.mesh, chosen, case.areas) if patch.area_mm2 >= _LEAST_PATCH_MM2]


def _places(thin: list[Patch]) -> str:
    return counted(len(thin), "place")


def _thinnest(values: np.ndarray, patch: Patch) -> float:
    return float(np.quantile(values[patch.vertices], _THINNEST_PART))


def _least(case: Case) -> float:
    """The thickness that 1 mm² of the surface stays under."""
    order = np.argsort(case.walls, kind="stable")
    place = np.searchsorted(np.cumsum(case.areas[order]), _LEAST_PATCH_MM2)
    return float(case.walls[order[min(int(place), len(order) - 1)]]) if len(order) else 0.0


def _where(case: Case, values: np.ndarray, thin: list[Patch]) -> Where:
    """All thin patches; flies to the thinnest."""
    worst = min(thin, key=lambda patch: _thinnest(values, patch))
    thinnest = worst.vertices[values[worst.vertices] <= _thinnest(values, worst)]
    return at_vertices(case, np.concatenate([patch.vertices for patch in thin]), focus=thinnest)
