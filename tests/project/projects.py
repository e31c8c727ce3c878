"""Helpers for tests of the project file: a document with a bit of everything, and all of its bits to compare."""

from __future__ import annotations

import io
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.document import Document
from app.mesh.build import build_mesh
from app.mesh.mesh import ATTRIBUTES, Mesh
from app.mesh.soup import Material
from app.mesh.transform import rotated
from app.photos.photo import Photo, PhotoView
from app.preflight.profiles import profile
from app.project.changes import SPARSE, STATIC
from app.project.content import ProjectContent
from app.project.opening import open_project
from app.project.sessions import Session
from app.project.working_copy import WorkingCopy
from app.sculpt.history import History
from tests.meshes import textured_soup

TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
GIB = 1 << 30


def colored_mesh(segments: int = 48, rings: int = 40) -> Mesh:
    """A ball with texture, vertex colours, two materials, and more than one page of vertices."""
    soup = textured_soup(segments, rings)
    soup.colors = (0.5 + 0.04 * soup.positions).astype(np.float32)
    soup.materials.append(Material("plain", (0.25, 0.1, 1 / 3), wrap="clamp"))
    soup.triangle_material = (np.arange(len(soup.triangles)) % 2).astype(np.int16)
    return build_mesh(soup)


def png(width: int = 4, height: int = 3, shade: int = 99) -> bytes:
    """A small image file."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (shade, 20, 40)).save(buffer, "PNG")
    return buffer.getvalue()


def photo(name: str = "front.png", shade: int = 99) -> Photo:
    """A photo with a view of its own."""
    view = PhotoView(zoom=0.7, center=(0.25, 1 / 3), rotation=-12.5, flipped=True, brightness=0.1, grid=3)
    return Photo(name, png(shade=shade), 4, 3, Path("/photos") / name, view)


def new_document(mesh: Mesh | None = None, history_bytes: int = GIB) -> Document:
    """A document that was just opened from a base mesh."""
    document = Document(profile(), history_bytes)
    document.open(mesh or colored_mesh(), Path("/meshes/ball.glb"), height_known=True)
    return document


def change(
    history: History, mesh: Mesh, seed: int, count: int = 50, attributes: tuple[str, ...] = ("positions",)
) -> None:
    """One step that changes random vertices by a little."""
    random = np.random.default_rng(seed)
    with history.record(f"Step {seed}") as recorder:
        for attribute in attributes:
            chosen = random.choice(mesh.vertex_count, min(count, mesh.vertex_count), replace=False)
            vertices = np.sort(chosen).astype(np.int32)
            recorder.capture(attribute, vertices)
            values = mesh.attribute(attribute)
            if attribute in SPARSE:
                values[vertices] = 1 - values[vertices]
            else:
                values[vertices] += random.normal(0, 0.1, values[vertices].shape).astype(np.float32)
            mesh.touched(attribute, vertices)


def write_bits(history: History, mesh: Mesh, attribute: str, vertices: np.ndarray, words: np.ndarray) -> None:
    """One step that gives vertices these very bits, whatever number they are."""
    with history.record("Bits") as recorder:
        recorder.capture(attribute, vertices)
        mesh.attribute(attribute).view(np.uint32)[vertices] = words
        mesh.touched(attribute, vertices)


def busy(document: Document) -> Document:
    """Strokes of all kinds, two whole-mesh steps, an undone tail."""
    history = document.history
    attributes = ("positions",), ("positions", "colors"), ("positions", "colors", "mask", "face_sets", "hidden")
    for seed in range(3):
        change(history, document.mesh, seed, 300, attributes[seed])
    history.replace_mesh("Turn", rotated(document.mesh, TURN))
    change(history, document.mesh, 10, 200)
    history.replace_mesh("Other", colored_mesh(30, 24))
    for seed in range(20, 24):
        change(history, document.mesh, seed, 100, ("colors", "positions", "face_sets"))
    history.go_to(len(history.steps) - 2)
    document.set_photos([photo(), photo("side.png", 7)])
    return document


def mesh_bits(mesh: Mesh) -> dict[str, Any]:
    """All that a mesh is, to the bit, but what is derived."""
    arrays: dict[str, Any] = {}
    for name in (*ATTRIBUTES, *STATIC):
        array = getattr(mesh, name)
        arrays[name] = None if array is None else (array.dtype.str, array.shape, array.tobytes())
    arrays["materials"] = [
        (
            material.name,
            material.base_color,
            material.wrap,
            material.texture
            and (
                material.texture.encoded,
                material.texture.mime,
                material.texture.width,
                material.texture.height,
                material.texture.name,
            ),
        )
        for material in mesh.materials
    ]
    return arrays


def all_states(document: Document) -> list[dict[str, Any]]:
    """The mesh at every position of the history; the document is left where it was."""
    history = document.history
    position, states = history.position, []
    for place in range(len(history.steps) + 1):
        history.go_to(place)
        states.append(mesh_bits(document.mesh))
    history.go_to(position)
    return states


def facts(document: Document) -> dict[str, Any]:
    """Everything beside the mesh."""
    history = document.history
    return {
        "steps": [(step.number, step.label, step.made_at, step.vertices, step.done) for step in history.steps],
        "position": history.position,
        "photos": [(photo.to_dict(), photo.encoded) for photo in document.photos],
        "job": document.job,
        "project": document.project_id,
    }


def reopened(content: ProjectContent, path: Path | None = None) -> Document:
    """A document that goes on with what was read."""
    document = Document(profile(), GIB)
    document.open_project(content, path)
    return document


def opened(path: Path) -> ProjectContent:
    """A project read into a session of its own, which is thrown away."""
    session = Session.begin()
    try:
        return open_project(path, session.working_path)
    finally:
        session.end()


def read_copy(copy: WorkingCopy) -> ProjectContent:
    """What the next start would find, were the program to die now; the file is copied, never opened in place."""
    assert copy.flush(20)
    return opened(copy.path)


@contextmanager
def kept(document: Document, session: Session | None = None) -> Iterator[WorkingCopy]:
    """A working copy that follows a document from its beginning."""
    own = session or Session.begin()
    copy = WorkingCopy(document, own)
    try:
        copy.begin()
        yield copy
    finally:
        copy.close()
        if session is None:
            own.end()


def saved(document: Document, path: Path) -> Path:
    """The document as a project file."""
    with kept(document) as copy:
        copy.save(path)
    return path


def altered(path: Path, *statements: str | tuple[Any, ...]) -> Path:
    """A project file after someone else's SQL."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(*(statement if isinstance(statement, tuple) else (statement,)))
    return path


def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
