"""Which files were opened last, newest first, and what they look like; kept in the settings and the state folder.

What does not live here: the menu (`recent_menu`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from app.errors import LikenessError
from app.project.opening import read_preview
from app.project.saving import SUFFIX
from app.settings import Settings, state_folder

_KEY = "files/recent"
_MOST = 12


@dataclass(frozen=True)
class Recent:
    """A file of the list. changed_at: seconds since the epoch. details: its counts in words; may be empty."""

    path: Path
    there: bool = True
    changed_at: float | None = None
    details: str = ""
    thumbnail: bytes | None = None


def recent_files(settings: Settings) -> list[Path]:
    """The list, whether the files are still there or not: to look may take long on a network drive."""
    return [Path(name) for name in _names(settings)]


def look(path: Path) -> Recent:
    """What can be seen of a file without opening it. May take long; may be called from any thread."""
    thumbnail = _read_thumbnail(path)
    try:
        changed_at = path.stat().st_mtime
    except OSError:
        return Recent(path, there=False, thumbnail=thumbnail)
    if path.suffix.lower() != SUFFIX:
        return Recent(path, True, changed_at, "", thumbnail)
    try:
        preview = read_preview(path)
    except LikenessError:
        return Recent(path, True, changed_at, "", thumbnail)
    details = f"{preview.triangles:,} triangles, {counted(preview.strokes, 'step')}"
    return Recent(path, True, preview.saved_at or changed_at, details, preview.thumbnail or thumbnail)


def counted(count: int, noun: str) -> str:
    """For example "1 step", "12 steps"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def remember_file(settings: Settings, path: Path) -> None:
    """Put a file at the top of the list."""
    name = str(path)
    names = [name, *(other for other in _names(settings) if other != name)]
    settings.set(_KEY, names[:_MOST])
    _forget_thumbnails(names[_MOST:])


def remember_thumbnail(path: Path, png: bytes) -> None:
    """Keep a picture for a file that holds none itself."""
    kept = _thumbnail_path(path)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(png)
    except OSError:
        return  # the menu shows a plain figure instead


def clear_recent(settings: Settings) -> None:
    """Forget them all."""
    _forget_thumbnails(_names(settings))
    settings.set(_KEY, [])


def _forget_thumbnails(names: list[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            _thumbnail_path(Path(name)).unlink(missing_ok=True)


def _read_thumbnail(path: Path) -> bytes | None:
    try:
        return _thumbnail_path(path).read_bytes()
    except OSError:
        return None


def _thumbnail_path(path: Path) -> Path:
    return state_folder() / "thumbnails" / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.png"


def _names(settings: Settings) -> list[str]:
    stored: list[object] = settings.get(_KEY, [])
    return [name for name in stored if isinstance(name, str)]
