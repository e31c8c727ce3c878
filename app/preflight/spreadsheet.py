"""What was checked as CSV, one row per file, for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import Any

_FIRST = ("file", "verdict", "message", "profile", "triangles", "vertices")
_SIZE = ("width_mm", "depth_mm", "height_mm")
_COUNTS = ("shells", "open_edges", "non_manifold_edges", "watertight", "has_texture", "has_vertex_colors", "volume_ml")
# A spreadsheet takes a cell that begins with one of these for a formula, whatever file it came from.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_table(answers: list[dict[str, Any]]) -> str:
    """Rows of what `check.reported` gives: counts, then a column per check with its status and one with its value."""
    checks = list(dict.fromkeys(row["id"] for answer in answers for row in answer["checks"]))
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    of_checks = [f"{check}_{what}" for check in checks for what in ("status", "value")]
    table.writerow([*_FIRST, *_SIZE, *_COUNTS, *of_checks])
    for answer in answers:
        found = {row["id"]: row for row in answer["checks"]}
        cells = [answer[name] for name in _FIRST]
        cells += answer["size_mm"] or [None] * len(_SIZE)
        cells += [answer[name] for name in _COUNTS]
        for check in checks:
            row = found.get(check, {})
            cells += [row.get("status"), row.get("value")]
        table.writerow([_cell(cell) for cell in cells])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
