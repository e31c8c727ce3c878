"""What checks and exports found, as lines of text for people at a terminal.

What does not live here: judging (`check`) and exporting (`export`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.preflight.export import ExportReport

_ROW = "{:<11}{:>10}{:>32}{:>8}{:>14}{:>8}  {}"
_INDENT = " " * 11

HEADING = _ROW.format("verdict", "triangles", "size in mm", "open", "non-manifold", "shells", "file")


def check_lines(answer: dict[str, Any]) -> list[str]:
    """The lines under HEADING for what `check_file` returned: the row, the message, the notes."""
    cells = ["-"] * 5
    if answer["triangles"] is not None:
        size = " × ".join(f"{extent:,.1f}" for extent in answer["size_mm"])
        counts = (answer[name] for name in ("open_edges", "non_manifold_edges", "shells"))
        cells = [f"{answer['triangles']:,}", size, *(f"{count:,}" for count in counts)]
    row = _ROW.format(answer["verdict"], *cells, one_line(answer["file"]))
    return [row, _INDENT + answer["message"], *(f"{_INDENT}note: {note}" for note in answer["notes"])]


def fix_lines(answer: dict[str, Any]) -> list[str]:
    """What `fixing.fix_file` returned: each step with triangles and colour, the file, the verdict."""
    lines = [one_line(answer["file"])]
    for step in answer["steps"]:
        before, after, change = step["triangles_before"], step["triangles_after"], step["color_change"]
        values = ", ".join(f"{name} {_shown(value)}" for name, value in step["values"].items())
        count = f"{before:,} → {after:,} triangles" if before != after else f"{after:,} triangles"
        color = "" if change is None else f", colour change ΔE {change['mean']:.2f}, p95 {change['p95']:.2f}"
        label = f"{step['label']} ({values})" if values else step["label"]
        lines.append(f"  {label}: {count}{color}, {step['seconds']:.1f} s")
        lines += [f"    {note}" for note in step["notes"]]
    written = answer["written"]
    if written is not None:
        size = " × ".join(f"{extent:,.1f}" for extent in written["size_mm"])
        read_back = ", ".join(check["name"] for check in written["checks"])
        lines.append(f"  {answer['output']}: {size} mm, {written['bytes'] / 1e6:,.1f} MB, read back: {read_back}")
    lines += [f"  note: {note}" for note in answer["notes"]]
    return [*lines, f"  {answer['verdict']}: {answer['message']}"]


def one_line(name: str) -> str:
    """A file's name as one line of a table, whatever is in it."""
    return name.replace("\n", "\\n")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def export_lines(report: ExportReport) -> list[str]:
    """What was written and what was checked, without the warnings."""
    x, y, z = report.size_mm
    size = f"{report.triangles:,} triangles, {x:,.1f} × {y:,.1f} × {z:,.1f} mm, {report.bytes / 1e6:,.1f} MB"
    return [
        f"{report.path}: {size}, {report.seconds:.1f} s",
        *(f"  with {file.name}" for file in report.files[1:]),
        *(f"  {check.name}: {check.found}" for check in report.checks),
        *([f"  {report.override}"] if report.override else []),
    ]
