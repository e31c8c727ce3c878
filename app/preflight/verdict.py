"""What a printer makes of a mesh's counts: pass or fail, why, and the rows that QA and the status bar show.

Counting is done in `counts`, everything that takes longer in `checks`. What a profile's limits on triangles, size,
closed surface and colour mean is decided here, once, for the window and the command line.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.preflight.counts import FLOATER_TRIANGLES, Counts
from app.preflight.profiles import PrinterProfile

PASS, NOTE, FAIL = "pass", "note", "fail"


@dataclass(frozen=True)
class Finding:
    """One row of a check. subject: "triangles", "size", ... status: PASS, NOTE (worth knowing) or FAIL."""

    subject: str
    status: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """status: PASS or FAIL. message: one line; what fails, or what the mesh is like. findings: all rows."""

    status: str
    message: str
    findings: tuple[Finding, ...]


def verdict(counts: Counts, profile: PrinterProfile, *, unit_known: bool = True) -> Verdict:
    """Judge a mesh by a profile. unit_known: whether its size in mm can be trusted."""
    size = size_row(counts, profile, unit_known=unit_known)
    rows = (triangles_row(counts, profile), size, *surface_rows(counts, profile), color_row(counts, profile))
    failed = [row.text for row in rows if row.status == FAIL]
    shown = failed or [row.text for row in rows]
    return Verdict(FAIL if failed else PASS, "; ".join(shown), rows)


def triangles_row(counts: Counts, profile: PrinterProfile) -> Finding:
    """How many triangles, against the profile's target."""
    target = profile.target_triangles
    if not target:
        return Finding("triangles", PASS if counts.triangles else FAIL, f"{counts.triangles:,} triangles")
    near = abs(counts.triangles - target) <= profile.triangle_tolerance * target
    return Finding("triangles", PASS if near else FAIL, f"{counts.triangles:,} of {target:,} triangles")


def size_row(counts: Counts, profile: PrinterProfile, *, unit_known: bool = True) -> Finding:
    """Whether it fits into the printer, and whether its height is one that is sold."""
    status, text = _size(counts, profile)
    if status != PASS and not unit_known:
        text = f"{text} (the file's unit is uncertain: export it with a height)"
    return Finding("size", status, text)


def _size(counts: Counts, profile: PrinterProfile) -> tuple[str, str]:
    x, y, z = counts.size_mm
    size = f"{x:,.1f} × {y:,.1f} × {z:,.1f} mm"
    # A figure may lie in the printer as fits best.
    if profile.max_size_mm and any(
        a > b for a, b in zip(sorted(counts.size_mm), sorted(profile.max_size_mm), strict=True)
    ):
        return FAIL, f"{size} does not fit into {' × '.join(f'{v:,.0f}' for v in profile.max_size_mm)} mm"
    heights, tolerance = profile.heights_mm, profile.height_tolerance_mm
    if not heights or any(abs(z - height) <= tolerance for height in heights):
        return PASS, size
    outside = z < heights[0] - tolerance or z > heights[-1] + tolerance
    wanted = ", ".join(f"{height:g}" for height in heights)
    return FAIL if outside else NOTE, f"{z:,.1f} mm tall, sold at {wanted} mm"


def surface_rows(counts: Counts, profile: PrinterProfile) -> list[Finding]:
    """Whether it is closed and faces outward. No row for what is in order but is not worth a word."""
    bad = FAIL if profile.watertight_required else NOTE
    rows = []
    if counts.open_edges:
        rows.append(Finding("open edges", bad, counted(counts.open_edges, "open edge")))
    if counts.triangles and not (counts.watertight or counts.open_edges or counts.non_manifold_edges):
        rows.append(Finding("open edges", bad, "no surface: every triangle is a line or a point"))
    if counts.non_manifold_edges:
        rows.append(Finding("non-manifold edges", bad, counted(counts.non_manifold_edges, "non-manifold edge")))
    if counts.watertight:
        rows.append(Finding("closed", PASS, "closed"))
    if counts.winding_conflicts:
        text = f"{counted(counts.winding_conflicts, 'edge')} between triangles that face opposite ways"
        rows.append(Finding("winding", bad, text))
    elif counts.watertight and counts.volume_mm3 < 0:
        rows.append(Finding("winding", bad, "inside out"))
    if counts.floaters:
        text = f"{counted(counts.shells, 'shell')}, {counts.floaters:,} of them under {FLOATER_TRIANGLES} triangles"
        rows.append(Finding("shells", NOTE, text))
    return rows


def color_row(counts: Counts, profile: PrinterProfile) -> Finding:
    """Whether it has colour, and whether the printer's files carry it."""
    if not profile.takes_color:
        text = "the colour is not printed by this format" if counts.has_color else "no colour"
        return Finding("color", NOTE if counts.has_color else PASS, text)
    for present, text in (
        (counts.has_texture, "textured"),
        (counts.has_vertex_colors, "vertex colours"),
        (counts.has_material_colors, "material colours"),
    ):
        if present:
            return Finding("color", PASS, text)
    return Finding("color", NOTE, "no colour")


def counted(count: int, noun: str) -> str:
    """ "1 shell", "2 shells"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
