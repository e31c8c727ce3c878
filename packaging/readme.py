#!/usr/bin/env python3
"""Renew what README.md says of the brushes, from their declarations: `.venv/bin/python packaging/readme.py`.

What lives here: the place in the file. What does not: the table (`app.sculpt.brush_table`).
"""

from __future__ import annotations

from pathlib import Path

from app.sculpt.brush_table import brush_table

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN = "<!-- brushes: made by packaging/readme.py -->"
END = "<!-- end of brushes -->"


def renewed(text: str) -> str:
    """A README with the table of the brushes as they are now, between its two marks. Raises ValueError without them."""
    begin, end = text.index(BEGIN), text.index(END)
    return f"{text[:begin]}{BEGIN}\n\n{brush_table()}\n\n{text[end:]}"


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
