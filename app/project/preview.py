"""A quick look into a project file: name, thumbnail, how much there is. For lists of recent and recoverable work.

Nothing of the mesh is read. How the whole is read is told in `opening`.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.errors import UnreadableFile
from app.project import schema
from app.project.store import Store

MAX_THUMBNAIL_BYTES, MAX_THUMBNAIL_PIXELS = 4 << 20, 2048
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Preview:
    """thumbnail: PNG. triangles: of the mesh in hand. strokes: steps that are done. saved_at, changed_at: seconds since
    1970, 0 if not known. project_path, source_path: what a working copy says of itself; not to be believed of others.
    """

    thumbnail: bytes | None = field(repr=False)
    name: str
    triangles: int
    strokes: int
    saved_at: float
    changed_at: float = 0.0
    unsaved: bool = False
    project_path: Path | None = None
    source_path: Path | None = None


def read_preview(path: Path) -> Preview:
    """Look into a user's project file, without writing anything beside it. Raises UnreadableFile."""
    path = Path(path)
    schema.check_header(path)
    with schema.explained(path), closing(schema.connect_read_only(path)) as connection:
        return _preview(Store(connection), path)


def preview_of_working_copy(path: Path) -> Preview:
    """Look into the working copy of a dead program, as its last transactions left it. Raises UnreadableFile."""
    schema.check_header(path)
    try:
        with schema.explained(path), closing(schema.connect_read_only(path, log=True)) as connection:
            return _preview(Store(connection), path)
    except UnreadableFile:
        # Reading beside others takes a shared-memory file, for which a full disk has no room: it is no damage.
        with schema.explained(path), closing(schema.connect(path)) as connection:
            return _preview(Store(connection), path)


def checked_thumbnail(png: Any) -> bytes | None:
    """A thumbnail from a file, None unless it is a PNG of modest size."""
    if not isinstance(png, bytes) or not png.startswith(_PNG) or not len(_PNG) + 16 <= len(png) <= MAX_THUMBNAIL_BYTES:
        return None
    width, height = struct.unpack(">II", png[16:24])
    return png if 0 < width <= MAX_THUMBNAIL_PIXELS and 0 < height <= MAX_THUMBNAIL_PIXELS else None


def _preview(store: Store, path: Path) -> Preview:
    schema.check_schema(store.connection, path)
    try:
        meta = store.meta()
        project_path, job = meta.get("project_path"), meta.get("job")
        source = job.get("source") if isinstance(job, dict) else None
        owner = project_path if isinstance(project_path, str) else source if isinstance(source, str) else None
        return Preview(
            thumbnail=checked_thumbnail(store.thumbnail()),
            name=Path(owner).stem if owner else path.stem,
            triangles=_count(meta.get("triangles")),
            strokes=_count(meta.get("position")),
            saved_at=_time(meta.get("saved_at")),
            changed_at=_time(meta.get("changed_at")),
            unsaved=meta.get("unsaved") is not False,
            project_path=Path(project_path) if isinstance(project_path, str) and project_path else None,
            source_path=Path(source) if isinstance(source, str) and source else None,
        )
    except (sqlite3.Error, TypeError, ValueError, RecursionError) as error:
        raise UnreadableFile("is damaged", path, schema.DAMAGED_ADVICE) from error


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 else 0


def _time(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e11 else 0.0
