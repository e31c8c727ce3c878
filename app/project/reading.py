"""Rows of a project file to the objects of a document, with everything checked: the file may come from anywhere.

Meshes are read in `mesh_reading`; what the rows are is told in `store`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from app.errors import LimitExceeded, UnreadableFile
from app.formats.registry import Limits, Progress
from app.mesh.mesh import Mesh
from app.photos.load import MAX_BYTES as MAX_PHOTO_BYTES
from app.photos.photo import Photo
from app.project.changes import Changes
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
    """A whole project. Where only its history is damaged, the rest is read, and the notes say what is lost.

    Raises Damaged, UnreadableFile, sqlite3.Error, ValueError, RecursionError.
    """
    meta = store.meta()
    stored = MeshReader(store, limits).read()
    present = stored.meshes.get(whole(meta.get("mesh")))
    if present is None:
        raise Damaged("no mesh is the present one")
    progress(_MESHES, "Reading the history")
    undone, redone = _read_steps(store, whole(meta.get("position")), present, stored)
    progress(_HISTORY, "Reading the photos")
    job, project_path = meta.get("job"), meta.get("project_path")
    content = ProjectContent(
        mesh=present,
        steps=[*reversed(undone), *redone],
        position=len(undone),
        photos=_read_photos(store),
        job=job if isinstance(job, dict) else {},
        thumbnail=checked_thumbnail(store.thumbnail()),
        project_id=str(meta.get("project_id") or ""),
        version=version,
        unsaved=meta.get("unsaved") is not False,
        project_path=Path(project_path) if isinstance(project_path, str) and project_path else None,
        stored=stored,
    )
    _drop_the_rest(store, content)
    _back_to_numbers(content)
    return content


def _read_steps(store: Store, position: int, present: Mesh, stored: Stored) -> tuple[list[Step], list[Step]]:
    """Steps from the present mesh back to the oldest, and forward to the newest.

    Each is checked against the mesh that it changes, so a damaged one is found now and not at an undo; it is left out,
    and those beyond it.
    """
    rows = list(store.steps())
    if len(rows) > MAX_STEPS:
        raise LimitExceeded(f"has a history of {len(rows):,} steps", "", "Open an older copy of it")
    if position > len(rows):
        raise Damaged("more steps are done than there are")
    parts = {number: [row[1:] for row in group] for number, group in groupby(store.changes(), lambda row: row[0])}
    met = {id(present)}

    def read(way: Iterable[tuple[Any, ...]], *, done: bool) -> list[Step]:
        mesh, found = present, []
        for row in way:
            try:
                step = _read_step(row, parts.get(row[0], []), mesh, stored, done=done)
            except (Damaged, UnreadableFile):
                break
            if isinstance(step, MeshStep):
                if id(step.kept) in met:
                    break
                met.add(id(step.kept))
                mesh = step.kept
            found.append(step)
        return found

    return read(reversed(rows[:position]), done=True), read(rows[position:], done=False)


def _read_step(row: tuple[Any, ...], parts: list[Any], mesh: Mesh, stored: Stored, *, done: bool) -> Step:
    number, label, made_at, _, kind, kept = row
    step: Step
    if kind == MESH_STEP:
        other = stored.meshes.get(whole(kept))
        if other is None or not np.isfinite(other.positions).all():
            raise Damaged("a step that keeps no mesh")
        step = MeshStep(str(label)[:MAX_LABEL], other, mesh)
    elif kind == ATTRIBUTES_STEP and parts:
        step = PackedStep(str(label)[:MAX_LABEL], [_part(*part) for part in parts], done=done)
        step.unpack(mesh)
    else:
        raise Damaged("a step of an unknown kind")
    step.number, step.made_at, step.done = whole(number), _time(made_at), done
    return step


def _drop_the_rest(store: Store, content: ProjectContent) -> None:
    """Delete what is left out from the working copy, and say so."""
    good = {step.number for step in content.steps}
    dropped = {row[0] for row in store.steps()} - good
    kept = {id(content.mesh), *(id(step.kept) for step in content.steps if isinstance(step, MeshStep))}
    meshes = {number for number, mesh in content.stored.meshes.items() if id(mesh) not in kept}
    if dropped or meshes:
        store.apply(Changes(dropped_steps=dropped, dropped_meshes=meshes, meta={"position": content.position}))
        content.stored.meshes = {n: mesh for n, mesh in content.stored.meshes.items() if n not in meshes}
    if dropped:
        lost, steps = len(dropped), len(dropped) + len(good)
        what = f"{lost} of its {steps} steps cannot be undone or redone any more"
        content.notes.append(f"The history was damaged, and {what}. The model itself is whole")


def _back_to_numbers(content: ProjectContent) -> None:
    """Undo what left vertices nowhere: the state before is better than none. Raises Damaged where there is none."""
    owner, position = SimpleNamespace(mesh=content.mesh), content.position
    while not np.isfinite(owner.mesh.positions).all():
        if position == 0:
            raise Damaged("a vertex position that is not a finite number")
        position -= 1
        content.steps[position].swap(owner)
    if position < content.position:
        count = content.position - position
        content.notes.append(f"The last steps ({count}) were undone: they left points of the model nowhere")
        content.mesh, content.position, content.unsaved = owner.mesh, position, True


def _part(attribute: Any, count: Any, vertices: Any, differences: Any) -> PackedPart:
    if not isinstance(attribute, str) or not isinstance(vertices, bytes) or not isinstance(differences, bytes):
        raise Damaged("a change of an unknown kind")
    return PackedPart(attribute, whole(count), vertices, differences)


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
