"""Which photos stood beside which mesh, and how each was viewed: kept in the settings until there is a project file.

Only photos that came from a file can be found again; a pasted one lives as long as its session.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.errors import LikenessError
from app.photos.load import read_bytes
from app.photos.photo import Photo
from app.settings import Settings

_KEY = "photos/by_file"
_FILES_REMEMBERED = 100


def remember(settings: Settings, mesh_path: Path | None, photos: Sequence[Photo]) -> None:
    """Keep the photos' places and views for a mesh file; forget them where there are none."""
    if mesh_path is None:
        return
    by_file = {key: value for key, value in _stored(settings).items() if key != str(mesh_path)}
    found_again = [photo.to_dict() for photo in photos if photo.path is not None]
    if found_again:
        by_file[str(mesh_path)] = found_again
    settings.set(_KEY, dict(list(by_file.items())[-_FILES_REMEMBERED:]))


def recall(settings: Settings, mesh_path: Path) -> list[Photo]:
    """The photos that stood beside a mesh file, with their views; those that are gone or changed hands are left out."""
    stored = _stored(settings).get(str(mesh_path))
    photos = []
    for values in stored if isinstance(stored, list) else []:
        if isinstance(values, dict) and isinstance(values.get("path"), str):
            try:
                photos.append(Photo.from_dict(values, read_bytes(Path(values["path"]))))
            except LikenessError:
                continue
    return photos


def _stored(settings: Settings) -> dict[str, Any]:
    empty: dict[str, Any] = {}
    return settings.get(_KEY, empty)
