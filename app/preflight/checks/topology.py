"""Is it a solid? Closed, manifold, facing outward, in one piece, and not through itself."""

from __future__ import annotations

import numpy as np

from app.preflight import places
from app.preflight.checks.case import Case
from app.preflight.checks.check import (
    DEAR,
    CheckResult,
    at_triangles,
    at_vertices,
    check,
    passed,
    result,
    warned,
)
from app.preflight.counts import FLOATER_TRIANGLES
from app.preflight.self_intersection import self_intersections
from app.preflight.verdict import FAIL, NOTE, PASS, counted, surface_rows

_LISTED = 5  # shells that a message tells one by one


def _row(case: Case, subject: str) -> tuple[str, str] | None:
    """Status and text of a row of the quick verdict, so that both always say the same."""
    rows = {row.subject: (row.status, row.text) for row in surface_rows(case.counts, case.profile)}
    return rows.get(subject)


@check("open_edges", "Closed surface")
def open_edges(case: Case) -> CheckResult:
    row = _row(case, "open edges")
    if row is None:
        return passed("no open edge" if case.counts.triangles else "no surface", value=0, limit=0)
    ends = places.open_edges(case.mesh)
    where = at_vertices(case, np.unique(ends)) if len(ends) else None
    return result(*row, value=case.counts.open_edges, limit=0, where=where, fix="close_holes")


@check("non_manifold_edges", "Two triangles at every edge")
def non_manifold_edges(case: Case) -> CheckResult:
    row = _row(case, "non-manifold edges")
    if row is None:
        return passed("no non-manifold edge", value=0, limit=0)
    where = at_vertices(case, np.unique(places.non_manifold_edges(case.mesh)))
    return result(*row, value=case.counts.non_manifold_edges, limit=0, where=where, fix="make_manifold")


@check("winding", "All triangles face outward")
def winding(case: Case) -> CheckResult:
    row = _row(case, "winding")
    if row is None:
        return passed("neighbours face the same way", value=0, limit=0)
    count = case.counts.winding_conflicts
    if count:
        where = at_vertices(case, np.unique(places.winding_conflicts(case.mesh)))
    else:  # no neighbours differ: all of it is inside out
        count = case.counts.triangles
        where = at_triangles(case, np.arange(count))
    return result(*row, value=count, limit=0, where=where, fix="orient")


@check("bow_ties", "No parts that touch in a point only")
def bow_ties(case: Case) -> CheckResult:
    vertices = places.bow_ties(case.mesh)
    if not len(vertices):
        return passed("every vertex has one fan of triangles", value=0, limit=0)
    text = f"{counted(len(vertices), 'place')} where parts of the surface touch in one vertex only"
    return warned(text, value=len(vertices), limit=0, where=at_vertices(case, vertices), fix="make_manifold")


@check("degenerate", "No triangles without area")
def degenerate(case: Case) -> CheckResult:
    count = case.counts.degenerate + case.counts.without_area
    if not count:
        return passed("every triangle has an area", value=0, limit=0)
    where = at_triangles(case, places.degenerate_triangles(case.mesh))
    return warned(f"{counted(count, 'triangle')} without area", value=count, limit=0, where=where, fix="weld")


@check("duplicates", "No triangle twice")
def duplicates(case: Case) -> CheckResult:
    count = case.counts.duplicates
    if not count:
        return passed("no triangle is there twice", value=0, limit=0)
    where = at_triangles(case, places.duplicate_triangles(case.mesh))
    text = f"{counted(count, 'triangle')} there a second time"
    return warned(text, value=count, limit=0, where=where, fix="make_manifold")


@check("shells", "Separate parts")
def shells(case: Case) -> CheckResult:
    count = case.counts.shells
    row = _row(case, "shells")
    if count < 2:
        return passed("one part" if count else "no part", value=count)
    found = case.shells
    order = np.argsort(-found.area_mm2, kind="stable")
    sizes = [f"{found.triangles[i]:,} triangles, {found.area_mm2[i]:,.1f} mm²" for i in order[:_LISTED]]
    more = f" and {count - _LISTED:,} more" if count > _LISTED else ""
    listed = "; ".join(sizes) + more
    if row is None:
        return passed(f"{count:,} parts: {listed}", value=count)
    small = found.triangles < FLOATER_TRIANGLES
    rows = found.of(small)
    where = at_triangles(case, rows, focus=rows[found.label[rows] == np.flatnonzero(small)[0]])
    return result(row[0], f"{row[1]}: {listed}", value=count, where=where, fix="remove_floaters")


@check("inner_shells", "Nothing buried inside", DEAR)
def inner_shells(case: Case) -> CheckResult:
    if case.counts.shells < 2:
        return passed("fewer than two parts, so nothing is inside", value=0, limit=0)
    shells, nesting = case.shells, case.nesting
    buried, voids = int(nesting.buried.sum()), int(nesting.void.sum())
    if not buried + voids:
        return passed("no part lies inside another", value=0, limit=0)
    parts = []
    if buried:
        parts.append(f"{counted(buried, 'part')} buried inside another")
    if voids:
        volume = -shells.volume_mm3[nesting.void].sum() / 1000
        parts.append(f"{counted(voids, 'closed hollow')} of {volume:,.2f} ml in all, from which nothing can flow out")
    where = at_triangles(case, shells.of(nesting.buried | nesting.void))
    return warned("; ".join(parts), value=buried + voids, limit=0, where=where, fix="remove_inner_shells")


@check("flipped_shells", "No part inside out", DEAR, needed=lambda profile: profile.watertight_required)
def flipped_shells(case: Case) -> CheckResult | None:
    if case.counts.shells < 2:
        return None  # one shell: the winding says it
    flipped = int(case.nesting.flipped.sum())
    if not flipped:
        return passed("no part is inside out", value=0, limit=0)
    status = FAIL if case.profile.watertight_required else NOTE
    where = at_triangles(case, case.shells.of(case.nesting.flipped))
    return result(status, f"{counted(flipped, 'part')} inside out", value=flipped, limit=0, where=where, fix="orient")


@check("self_intersections", "Does not go through itself", DEAR)
def intersections(case: Case) -> CheckResult | None:
    wish = case.profile.self_intersections
    if wish == "ignore":
        return None
    pairs = self_intersections(case.mesh, case.progress, case.tree)
    if not len(pairs):
        return passed("the surface never goes through itself", value=0, limit=0)
    faces = np.unique(pairs)
    return result(
        FAIL if wish == "fail" else NOTE if wish == "warn" else PASS,
        f"{len(faces):,} triangles go through others or lie on them",
        value=len(faces),
        limit=0,
        where=at_triangles(case, faces),
        fix="resolve_self_intersections",
    )
