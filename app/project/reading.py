"""Rows of a project file to the objects of a document, with everything checked: the file may come from anywhere.

Meshes are read in `mesh_reading`; what the rows are is told in `store`.
"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from app.errors import LimitExceeded
from app.formats.registry import Limits, Progress
from app.mesh.mesh import Mesh
from app.photos.load import MAX_BYTES as MAX_PHOTO_BYTES
from app.photos.photo import Photo
from app.project.content import ProjectContent, Stored
from app.project.mesh_reading import MeshReader, whole
from app.project.preview import checked_thumbnail
from app.project.store import ATTRIBUTES_STEP, MESH_STEP, Store
from app.sculpt.history import MeshStep, Step
from app.sculpt.packed import PackedPart, PackedStep
from app.sculpt.packing import Damaged

MAX_STEPS, MAX_PHOTOS, MAX_LABEL = 1_000_000, 1000, 1000
_LATEST = 1e11  # seconds since 1970 that a time may have
_MESHES, _HISTORY = 0.6, 0.95  # shares of the whole at which a part ends


def read_content(store: Store, version: int, limits: Limits, progress: Progress) -> ProjectContent:
    """A whole project. Raises Damaged, UnreadableFile, sqlite3.Error, ValueError, RecursionError."""
    meta = store.meta()
    stored = MeshReader(store, limits).read()
    present = stored.meshes.get(whole(meta.get("mesh")))
    if present is None:
        raise Damaged("no mesh is the present one")
    progress(_MESHES, "Reading the history")
    position = whole(meta.get("position"))
    steps = _read_steps(store, position, present, stored)
    progress(_HISTORY, "Reading the photos")
    job, project_path = meta.get("job"), meta.get("project_path")
    return ProjectContent(
        mesh=present,
        steps=steps,
        position=position,
        photos=_read_photos(store),
        job=job if isinstance(job, dict) else {},
        thumbnail=checked_thumbnail(store.thumbnail()),
        project_id=str(meta.get("project_id") or ""),
        version=version,
        unsaved=meta.get("unsaved") is not False,
        project_path=Path(project_path) if isinstance(project_path, str) and project_path else None,
        stored=stored,
    )


def _read_steps(store: Store, position: int, present: Mesh, stored: Stored) -> list[Step]:
    """All steps, each checked against the mesh that it changes: a damaged one is found now, and not at an undo."""
    rows = list(store.steps())
    if len(rows) > MAX_STEPS:
        raise LimitExceeded(f"has a history of {len(rows):,} steps", "", "Open an older copy of it")
    if position > len(rows):
        raise Damaged("more steps are done than there are")
    parts = {
        number: [_part(*row[1:]) for row in group] for number, group in groupby(store.changes(), lambda row: row[0])
    }
    steps: list[Step] = []
    met = {id(present)}
    # From the present mesh back to the oldest step, then forward to the newest.
    for way, done in ((reversed(rows[:position]), True), (rows[position:], False)):
        mesh, found = present, []
        for number, label, made_at, _, kind, kept in way:
            step: Step
            if kind == MESH_STEP:
                other = stored.meshes.get(whole(kept))
                if other is None or id(other) in met:
                    raise Damaged("a step that keeps no mesh of its own")
                met.add(id(other))
                step, mesh = MeshStep(_label(label), other, mesh), other
            elif kind == ATTRIBUTES_STEP:
                step = PackedStep(_label(label), parts.get(number, []), done=done)
                step.unpack(mesh)
            else:
                raise Damaged("a step of an unknown kind")
            step.number, step.made_at, step.done = whole(number), _time(made_at), done
            found.append(step)
        steps += reversed(found) if done else found
    return steps


def _part(attribute: Any, count: Any, vertices: Any, differences: Any) -> PackedPart:
    if not isinstance(attribute, str) or not isinstance(vertices, bytes) or not isinstance(differences, bytes):
        raise Damaged("a change of an unknown kind")
    return PackedPart(attribute, whole(count), vertices, differences)


def _label(label: Any) -> str:
    return str(label)[:MAX_LABEL]


def _time(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < _LATEST else 0.0


def _read_photos(store: Store) -> list[Photo]:
    rows = store.photos()
    if len(rows) > MAX_PHOTOS:
        raise LimitExceeded(f"holds {len(rows):,} photos", "", "Open an older copy of it")
    photos = []
    for text, blob in rows:
        record, encoded = json.loads(text), store.blob(blob)
        if not isinstance(record, dict) or not isinstance(encoded, bytes):
            raise Damaged("a photo that is missing")
        if len(encoded) > MAX_PHOTO_BYTES:
            raise LimitExceeded(f"holds a photo of {len(encoded) >> 20} MB", "", "Open an older copy of it")
        photos.append(Photo.from_dict(record, encoded))
    return photos
