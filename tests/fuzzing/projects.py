"""Project files as inputs: made by the program's own working copy, opened, and undone and redone to the ends."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np

from app.document import Document
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.photos.photo import Photo
from app.preflight.profiles import profile
from app.project import preview
from app.project.opening import open_project
from app.project.sessions import Session
from app.project.working_copy import WorkingCopy
from app.sculpt.history import History
from app.sculpt.scripted import run_strokes
from tests.fuzzing.case import Case
from tests.fuzzing.subjects import check_mesh, check_notes, promise
from tests.meshes import cube_soup, sphere, textured_soup
from tests.photos.pictures import encoded, quarters

_PATIENCE_SECONDS = 60.0
_HISTORY_BYTES = 1 << 28
_NAME = "figure.likeness"


@cache
def cases() -> list[Case]:
    """Projects of a painted ball with a history and photos, a textured one, and a cube that replaced another."""
    strokes = [
        {"brush": brush, "radius_mm": 6.0, "color": "#204080", "points": [[0, -10, 0], [3, -9, 1]]}
        for brush in ("inflate", "paint", "mask", "smooth")
    ]
    return [
        _project(sphere(2, colored=True), strokes, undone=1, photos=2),
        _project(build_mesh(textured_soup(8, 4)), strokes[:1], undone=0),
        _project(build_mesh(cube_soup()), strokes[:1], undone=0, replaced_by=sphere(1)),
    ]


def _project(
    mesh: Mesh, strokes: list[dict[str, object]], *, undone: int, photos: int = 0, replaced_by: Mesh | None = None
) -> Case:
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, LIKENESS_HOME=folder):
        document, session = Document(profile(), _HISTORY_BYTES), Session.begin()
        working_copy = WorkingCopy(document, session)
        document.open(mesh, Path(folder, "base.glb"), height_known=True)
        working_copy.begin()
        working_copy.set_thumbnail(encoded(quarters(16, 16)))
        document.set_photos([Photo("front.png", encoded(quarters()), 60, 40) for _ in range(photos)])
        for stroke in strokes:
            run_strokes(mesh, document.history, {"strokes": [stroke]})
        if replaced_by is not None:
            document.history.replace_mesh("Remesh", replaced_by)
        for _ in range(undone):
            document.history.undo()
        promise(working_copy.flush(_PATIENCE_SECONDS), "the working copy is not written")
        path = Path(folder, _NAME)
        working_copy.save(path)
        working_copy.close()
        session.end()
        return Case(_NAME, {_NAME: path.read_bytes()})


def read_project(path: Path) -> None:
    """Open, check the mesh, walk through the whole history and back."""
    with tempfile.TemporaryDirectory() as folder:
        content = open_project(path, Path(folder, "working.likeness"))
        promise(bool(np.isfinite(content.mesh.positions).all()), "a vertex that is nowhere")
        check_mesh(content.mesh, any_bits=True)
        check_notes([content.project_id])
        owner = SimpleNamespace(mesh=content.mesh)
        history = History(owner, _HISTORY_BYTES)  # type: ignore[arg-type]
        history.restore(content.steps, content.position)
        for position in (0, len(content.steps), content.position):
            history.go_to(position)
            check_mesh(owner.mesh, any_bits=True)


def read_preview(path: Path) -> None:
    """What a list of recent files asks."""
    found = preview.read_preview(path)
    promise(found.triangles >= 0 and found.strokes >= 0, "counts below zero")
