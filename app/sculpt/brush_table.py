"""All brushes as a table in Markdown, made from their declarations: for the README.

What does not live here: putting it there (`packaging/readme.py`), and the help in the window (`app.widgets.keys_help`).
"""

from __future__ import annotations

from app.sculpt.brush import Brush, grouped

_HEADING = ("| brush | key | what it does | with Ctrl | at first |", "| --- | --- | --- | --- | --- |")
_WITH_CTRL = "; with Ctrl"


def brush_table() -> str:
    """Markdown, a row for each brush, groups in bold above their brushes."""
    lines = list(_HEADING)
    for name, group in grouped().items():
        lines.append(f"| **{name}** | | | | |")
        lines += [_row(brush) for brush in group]
    return "\n".join(lines)


def _row(brush: Brush) -> str:
    what = brush.tooltip.partition(_WITH_CTRL)[0].rstrip(".") + "."  # which has a column of its own
    cells = (brush.label, brush.shortcut.replace("+", "-"), what, brush.with_ctrl, at_first(brush))
    return "| " + " | ".join(cells).replace("|  |", "| |") + " |"


def at_first(brush: Brush) -> str:
    """What a brush is set to until a user changes it: "strength 0.5, smooth; Layer 15 %"."""
    settings = [f"strength {brush.strength:g}", brush.falloff]
    if not brush.drags and brush.method != "space":
        settings.append(brush.method)
    if brush.alpha:
        settings.append(f"stamp {brush.alpha}")
    own = [f"{each.label} {each.default:g} {each.unit}".rstrip().replace(" °", "°") for each in brush.parameters]
    return "; ".join((", ".join(settings), *own))
