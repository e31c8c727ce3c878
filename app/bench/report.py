"""The figures of `run_bench` as lines of text, for people at a terminal."""

from __future__ import annotations

from typing import Any

_ROW = "{:<18}{:>14}{:>9}{:>9}{:>9}{:>21}{:>17}{:>14}"
_HEADING = (
    "brush",
    "vertices/dab",
    "dab",
    "least",
    "normals",
    "first dab + normals",
    "undo of stroke",
    "(vertices)",
)
_TIMES = (
    "dab_ms_median",
    "dab_ms_min",
    "normals_ms_median",
    "first_dab_and_normals_ms_median",
    "undo_ms_median",
)


def bench_lines(measured: dict[str, Any]) -> list[str]:
    """What `run_bench` returned: a table of the brushes, then one figure per line."""
    lines = [f"{measured['triangles']:,} triangles, {measured['vertices']:,} vertices; medians in ms"]
    lines.append(_ROW.format(*_HEADING))
    for entry in measured["rows"]:
        times = (f"{entry[name]:.2f}" for name in _TIMES)
        lines.append(_ROW.format(entry["brush"], f"{entry['vertices']:,}", *times, f"{entry['stroke_vertices']:,}"))
    if any(entry["brush"].endswith("*") for entry in measured["rows"]):
        lines.append("* as the brush comes; the others at a strength of 0.1 or as named, with the smooth falloff")
    for name, value in measured["upload"].items():
        lines.append(f"upload, {name}: {value:,.2f}" if isinstance(value, float) else f"upload, {name}: {value}")
    lines += [
        f"{name}: {measured[name]:,.1f}" for name in ("open_s", "export_3mf_s", "check_s", "rss_mb", "rss_peak_mb")
    ]
    return lines
