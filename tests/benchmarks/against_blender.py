"""Our brush timings beside Blender's, as a Markdown table.

    likeness bench --json > ours.json
    python tests/benchmarks/against_blender.py ours.json ../shared/bench/results/blender_5.0.1_2cpu.json

Ratios only mean something for two runs of one hour on one machine; `blender_sculpt_bench.py` makes the second file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_HEADING = (
    "| brush | vertices per dab | dab | Blender's | normals | first dab + normals | Blender's | undo | Blender's |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)


def table(ours: dict[str, Any], blender: dict[str, Any]) -> str:
    """Rows in our order; times are medians in ms, with ours as a part of Blender's in brackets."""
    theirs = {(row["brush"], row["strength"], _size(row["verts_changed"])): row for row in blender["results"]}
    lines = list(_HEADING)
    for row in ours["rows"]:
        other = theirs.get((row["brush"].split("@")[0], row["strength"], _size(row["vertices"])))
        if other is None:
            continue
        pairs = (
            (row["dab_ms_median"], other["ms_per_dab_median"]),
            (row["first_dab_and_normals_ms_median"], other["ms_dab_and_normals_median"]),
            (row["undo_ms_median"], other["ms_undo_median"] + other["ms_undo_normals_median"]),
        )
        dab, whole, undo = (f"{mine:.2f} ({mine / base:.2f}) | {base:.2f}" for mine, base in pairs)
        vertices, normals = f"{row['vertices']:,}", f"{row['normals_ms_median']:.2f}"
        lines.append(f"| {row['brush']} | {vertices} | {dab} | {normals} | {whole} | {undo} |")
    return "\n".join(lines)


def _size(vertices: int) -> int:
    """Which of the three sizes a dab has."""
    return round(vertices / 2_000) if vertices < 5_000 else 10 if vertices < 50_000 else 50


if __name__ == "__main__":
    documents = [json.loads(Path(name).read_text("utf-8")) for name in sys.argv[1:3]]
    sys.stdout.write(table(*documents) + "\n")
