"""Which files were opened last, newest first; kept in the settings."""

from __future__ import annotations

from pathlib import Path

from app.settings import Settings

_KEY = "files/recent"
_MOST = 12


def recent_files(settings: Settings) -> list[Path]:
    """Files that still exist."""
    return [Path(name) for name in _names(settings) if Path(name).is_file()]


def remember_file(settings: Settings, path: Path) -> None:
    """Put a file at the top of the list."""
    name = str(path)
    settings.set(_KEY, [name, *(other for other in _names(settings) if other != name)][:_MOST])


def clear_recent(settings: Settings) -> None:
    """Forget them all."""
    settings.set(_KEY, [])


def _names(settings: Settings) -> list[str]:
    stored: list[object] = settings.get(_KEY, [])
    return [name for name in stored if isinstance(name, str)]
