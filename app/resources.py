"""Where the files of `resources/` are: beside `app/` in a checkout, inside the package folder when installed."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def resource(name: str = "") -> Path:
    """Path of a file or folder below `resources/`, for example resource("printers")."""
    beside = _HERE.parent / "resources"
    return (beside if beside.is_dir() else _HERE / "_resources") / name
