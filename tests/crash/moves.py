"""What a hand does to a document, drawn by chance: strokes, undo and redo, whole-mesh steps, photos. No window."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from app.document import Document
from app.mesh.build import build_mesh
from app.mesh.colors import colors_from_texture, with_vertex_colors
from app.mesh.mesh import Mesh
from app.mesh.transform import placed_on_ground, rotated, scaled_to_height
from app.photos.photo import Photo
from app.preflight.profiles import profile
from app.sculpt.brush import brushes
from app.sculpt.dabs import Sample
from app.sculpt.stroke import StrokeInHand
from app.sculpt.symmetry import Symmetry
from tests.meshes import textured_soup

HEIGHT_MM = 100.0
_SAMPLES = 6
_RADIUS = (0.02, 0.12)  # of the height
_MOST_PHOTOS = 4
# A quarter turn about x and about z.
_TURNS = (np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]), np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]))


def textured_ball(segments: int = 128) -> Mesh:
    """A textured ball of HEIGHT_MM, `segments`^2 / 2 vertices or so, standing on the ground."""
    soup = textured_soup(segments, segments // 2, HEIGHT_MM / 2)
    return placed_on_ground(build_mesh(soup))


def open_document(mesh: Mesh, path: Path, history_bytes: int = 1 << 30) -> Document:
    """A document as it is after a base mesh was opened."""
    document = Document(profile(), history_bytes)
    document.open(mesh, path, height_known=True)
    return document


def stroke(document: Document, random: Random, brush_id: str | None = None) -> bool:
    """One stroke at some place. Returns whether it changed anything."""
    mesh = document.mesh
    assert mesh is not None
    known = brushes()
    usable = [name for name in sorted(known) if mesh.colors is not None or known[name].attribute != "colors"]
    brush = known[brush_id or random.choice(usable)]
    x, y, z = mesh.positions[random.randrange(mesh.vertex_count)].tolist()
    settings = replace(
        brush.defaults(),
        radius_mm=random.uniform(*_RADIUS) * HEIGHT_MM,
        strength=random.uniform(0.1, 1.0),
        invert=random.random() < 0.2,
        symmetry=Symmetry((random.random() < 0.3, False, False)),
        source=(x, y, z),
    )
    start = mesh.positions[random.randrange(mesh.vertex_count)].astype(float)
    middle = np.array(mesh.bounds()).mean(axis=0)
    view = (start - middle) / max(float(np.linalg.norm(start - middle)), 1e-6)
    way = np.array([random.uniform(-1, 1) for _ in range(3)]) * settings.radius_mm
    in_hand = StrokeInHand(mesh, document.history, brush, settings)
    for step in range(_SAMPLES):
        point = start + way * step / (_SAMPLES - 1)
        in_hand.add(Sample(point, view, random.uniform(0.2, 1.0), time=0.01 * step))
    changed = in_hand.finish()
    mesh.refresh()
    document.surface_changed.emit()
    return changed


def write_mask(document: Document, *, invert: bool) -> None:
    """Invert or clear the mask, as one step."""
    mesh = document.mesh
    assert mesh is not None
    with document.history.record("Invert Mask" if invert else "Clear Mask") as recorder:
        recorder.capture("mask", np.arange(mesh.vertex_count, dtype=np.int32))
        mesh.mask[:] = np.float32(1) - mesh.mask if invert else 0
        mesh.touched_all("mask")
    document.surface_changed.emit()


def replace_mesh(document: Document, label: str, change: Callable[[Mesh], Mesh]) -> None:
    """One step that gives the document another mesh."""
    assert document.mesh is not None
    document.history.replace_mesh(label, change(document.mesh))


def turn(document: Document, random: Random) -> None:
    """A quarter turn, back on the ground."""
    matrix = random.choice(_TURNS)
    replace_mesh(document, "Turn +90°", lambda mesh: placed_on_ground(rotated(mesh, matrix)))


def set_height(document: Document, random: Random) -> None:
    """Another height; the ball stays about as large as it was."""
    height = random.uniform(0.8, 1.2) * HEIGHT_MM
    replace_mesh(document, f"Height {height:.1f} mm", lambda mesh: placed_on_ground(scaled_to_height(mesh, height)))


def place_on_ground(document: Document) -> None:
    replace_mesh(document, "Place on Ground", placed_on_ground)


def colors_onto_vertices(document: Document) -> None:
    """The texture's colour moves onto the vertices; nothing on a mesh without a texture."""
    if document.mesh is not None and document.mesh.has_texture:
        replace_mesh(document, "Colour onto Vertices", lambda mesh: with_vertex_colors(mesh, colors_from_texture(mesh)))


def there_and_back(document: Document) -> None:
    """To the very beginning and the very end, each in one leap over all steps."""
    document.go_to(0)
    document.go_to(len(document.history.steps))


def a_photo(random: Random) -> Photo:
    """A small photo that no other one equals."""
    buffer = io.BytesIO()
    pixels = np.frombuffer(random.randbytes(24 * 32 * 3), np.uint8).reshape(24, 32, 3)
    Image.fromarray(pixels).save(buffer, "PNG")
    return Photo(f"photo {random.randrange(1000)}.png", buffer.getvalue(), 32, 24)


def add_photo(document: Document, random: Random) -> None:
    """One photo more, or, when there are many, one less."""
    photos = list(document.photos)
    if len(photos) >= _MOST_PHOTOS:
        photos.pop(random.randrange(len(photos)))
    else:
        photos.insert(random.randrange(len(photos) + 1), a_photo(random))
    document.set_photos(photos)


def look_at_photo(document: Document, random: Random) -> None:
    """Zoom into one of the photos."""
    if document.photos:
        photo = random.choice(document.photos)
        photo.view = replace(photo.view, zoom=random.uniform(0.5, 4.0), flipped=random.random() < 0.5)
        document.set_photos(document.photos)


def any_move(document: Document, random: Random) -> str:
    """One thing that a hand does, strokes most of the time. Returns what it was."""
    kinds: dict[str, tuple[int, Callable[[], object]]] = {
        "stroke": (70, lambda: stroke(document, random)),
        "undo": (8, document.undo),
        "redo": (6, document.redo),
        "go to": (2, lambda: document.go_to(random.randint(0, len(document.history.steps)))),
        "leap": (3, lambda: there_and_back(document)),
        "invert mask": (2, lambda: write_mask(document, invert=True)),
        "clear mask": (2, lambda: write_mask(document, invert=False)),
        "turn": (2, lambda: turn(document, random)),
        "height": (2, lambda: set_height(document, random)),
        "ground": (1, lambda: place_on_ground(document)),
        "colour": (2, lambda: colors_onto_vertices(document)),
        "photo": (3, lambda: add_photo(document, random)),
        "photo view": (1, lambda: look_at_photo(document, random)),
    }
    (name,) = random.choices(list(kinds), [weight for weight, _ in kinds.values()])
    kinds[name][1]()
    return name
