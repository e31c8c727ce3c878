"""Does a printer take this mesh, or this file? Verdict, reasons, and the rows that QA and the status bar show.

Counting is done in `counts`. What a profile's limits mean is decided here, once, for the window and the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import worker
from app.errors import LikenessError
from app.formats import opening
from app.formats.registry import Progress
from app.preflight.counts import FLOATER_TRIANGLES, Counts, inspect
from app.preflight.profiles import PrinterProfile

PASS, NOTE, FAIL = "pass", "note", "fail"
UNREADABLE = "unreadable"

# A hostile file is given up within ten seconds, start-up included; an honest big one gets time for its size.
_SECONDS = 8.0
_BYTES_PER_SECOND = 10e6
_MEMORY_BYTES = 1536 << 20
_MEMORY_PER_FILE_BYTE = 12
_MB = 1e6


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


@dataclass(frozen=True)
class Checked:
    """A file that was read and judged. notes: what the reader mended or left out."""

    counts: Counts
    verdict: Verdict
    unit_known: bool
    notes: tuple[str, ...]


def verdict(counts: Counts, profile: PrinterProfile, *, unit_known: bool = True) -> Verdict:
    """Judge a mesh by a profile. unit_known: whether its size in mm can be trusted."""
    size = _size(counts, profile)
    if size.status != PASS and not unit_known:
        size = Finding(
            size.subject, size.status, f"{size.text} (the file's unit is uncertain: export it with a height)"
        )
    rows = (_triangles(counts, profile), size, *_surface(counts, profile), _color(counts, profile))
    failed = [row.text for row in rows if row.status == FAIL]
    shown = failed or [row.text for row in rows]
    return Verdict(FAIL if failed else PASS, "; ".join(shown), rows)


def check_file(path: Path, profile: PrinterProfile, seconds: float | None = None) -> dict[str, Any]:
    """Read a file in a worker process and judge it. Never raises for what is wrong with the file.

    seconds: time limit; by default 8 s and 1 s more for every 10 MB.
    Returns the JSON object of `likeness check --json`: file, verdict ("pass", "fail" or "unreadable"), message,
    triangles, vertices (after welding), size_mm [x, y, z] with z up, shells, open_edges, non_manifold_edges,
    watertight, has_texture, has_vertex_colors; null from triangles on where unreadable; and notes, a list of what the
    reader mended or left out, one sentence each.
    """
    answer: dict[str, Any] = {"file": str(path), "verdict": UNREADABLE, "message": ""}
    try:
        checked = read_and_judge(path, profile, seconds=seconds)
    except LikenessError as error:
        answer["message"] = " ".join(str(error).split())
        return answer | dict.fromkeys(_REPORTED) | {"notes": []}
    counts = checked.counts
    answer.update(verdict=checked.verdict.status, message=checked.verdict.message)
    answer.update({name: getattr(counts, name) for name in _REPORTED})
    answer["size_mm"] = [round(extent, 3) for extent in counts.size_mm]
    answer["notes"] = list(checked.notes)
    return answer


def read_and_judge(
    path: Path,
    profile: PrinterProfile,
    *,
    seconds: float | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Checked:
    """Read a file in a worker process, count and judge it. Raises UnreadableFile, WorkerFailed or Cancelled."""
    try:
        file_bytes = Path(path).stat().st_size
    except OSError:
        file_bytes = 0  # the reader says what is wrong
    limits = worker.WorkerLimits(
        seconds or _SECONDS + file_bytes / _BYTES_PER_SECOND,
        max(_MEMORY_BYTES, _MEMORY_PER_FILE_BYTE * file_bytes),
    )
    try:
        counts, unit_known, notes = worker.run(
            _read_and_count, Path(path), progress=progress, cancelled=cancelled, limits=limits
        )
    except LikenessError as error:
        if not error.where:
            error.where = str(path)
        raise
    judged = verdict(counts, profile, unit_known=unit_known)
    too_big = _file_size(file_bytes, profile)
    if too_big:
        status = FAIL if Path(path).suffix.lower() == profile.suffix else NOTE
        judged = _with_row(judged, Finding("file", status, too_big))
    return Checked(counts, judged, unit_known, tuple(notes))


_REPORTED = (
    "triangles",
    "vertices",
    "size_mm",
    "shells",
    "open_edges",
    "non_manifold_edges",
    "watertight",
    "has_texture",
    "has_vertex_colors",
)


def _read_and_count(path: Path, progress: Progress) -> tuple[Counts, bool, list[str]]:
    opened = opening.open_mesh(path, progress=progress)
    progress(1.0, "Counting edges and shells")
    return inspect(opened.mesh), opened.unit_known, opened.notes


def _with_row(judged: Verdict, row: Finding) -> Verdict:
    if row.status != FAIL:
        return Verdict(judged.status, judged.message, (*judged.findings, row))
    message = f"{judged.message}; {row.text}" if judged.status == FAIL else row.text
    return Verdict(FAIL, message, (*judged.findings, row))


def _file_size(file_bytes: int, profile: PrinterProfile) -> str:
    if not profile.max_file_mb or file_bytes <= profile.max_file_mb * _MB:
        return ""
    return f"file of {file_bytes / _MB:,.0f} MB, at most {profile.max_file_mb:,.0f} MB are taken"


def _triangles(counts: Counts, profile: PrinterProfile) -> Finding:
    target = profile.target_triangles
    if not target:
        return Finding("triangles", PASS if counts.triangles else FAIL, f"{counts.triangles:,} triangles")
    near = abs(counts.triangles - target) <= profile.triangle_tolerance * target
    return Finding("triangles", PASS if near else FAIL, f"{counts.triangles:,} of {target:,} triangles")


def _size(counts: Counts, profile: PrinterProfile) -> Finding:
    x, y, z = counts.size_mm
    size = f"{x:,.1f} × {y:,.1f} × {z:,.1f} mm"
    # A figure may lie in the printer as fits best.
    if profile.max_size_mm and any(
        a > b for a, b in zip(sorted(counts.size_mm), sorted(profile.max_size_mm), strict=True)
    ):
        return Finding(
            "size", FAIL, f"{size} does not fit into {' × '.join(f'{v:,.0f}' for v in profile.max_size_mm)} mm"
        )
    heights, tolerance = profile.heights_mm, profile.height_tolerance_mm
    if not heights or any(abs(z - height) <= tolerance for height in heights):
        return Finding("size", PASS, size)
    outside = z < heights[0] - tolerance or z > heights[-1] + tolerance
    wanted = ", ".join(f"{height:g}" for height in heights)
    return Finding("size", FAIL if outside else NOTE, f"{z:,.1f} mm tall, sold at {wanted} mm")


def _surface(counts: Counts, profile: PrinterProfile) -> list[Finding]:
    bad = FAIL if profile.watertight_required else NOTE
    rows = []
    if counts.open_edges:
        rows.append(Finding("open edges", bad, _counted(counts.open_edges, "open edge")))
    if counts.non_manifold_edges:
        rows.append(Finding("non-manifold edges", bad, _counted(counts.non_manifold_edges, "non-manifold edge")))
    if counts.watertight:
        rows.append(Finding("closed", PASS, "closed"))
    if counts.winding_conflicts:
        text = f"{_counted(counts.winding_conflicts, 'edge')} between triangles that face opposite ways"
        rows.append(Finding("winding", bad, text))
    elif counts.watertight and counts.volume_mm3 < 0:
        rows.append(Finding("winding", bad, "inside out"))
    if counts.floaters:
        text = f"{_counted(counts.shells, 'shell')}, {counts.floaters:,} of them under {FLOATER_TRIANGLES} triangles"
        rows.append(Finding("shells", NOTE, text))
    return rows


def _color(counts: Counts, profile: PrinterProfile) -> Finding:
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


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
