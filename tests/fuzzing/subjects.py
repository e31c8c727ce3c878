"""The readers, and what each owes for any content: a result that keeps its promises, or a LikenessError in words."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import math
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from app.cli import _read_json
from app.errors import LikenessError, LimitExceeded, UnreadableFile
from app.formats.images import read_texture_or_note
from app.formats.opening import open_mesh
from app.formats.registry import Limits, formats
from app.mesh.build import to_soup
from app.mesh.mesh import Mesh
from app.mesh.raycast import cast
from app.mesh.soup import Texture
from app.photos.decode import decode
from app.preflight.profiles import read_profile
from app.preflight.readback_3mf import read_3mf
from app.preflight.readback_vrml import read_vrml
from app.sculpt.brush import brushes
from app.sculpt.dabs import Sample
from app.sculpt.history import History
from app.sculpt.scripted import run_strokes
from app.sculpt.settings import BrushSettings
from app.sculpt.stroke import StrokeInHand
from app.settings import Settings
from tests.fuzzing import seeds
from tests.fuzzing.case import CANARY_COLOR, CANARY_PLACE, MARKER, Case
from tests.meshes import sphere

_MOST_DECODED_PIXELS = 4_000_000
_MOST_TEXT = 1000
_MOST_NOTES = 200
_UNITS = (1.0, 1000.0, 10.0, 0.001, 25.4, 304.8)  # that files may be in, as millimetres
_OUT_OF_BOUNDS = "index is out of bounds"
_BLIND_SPOT = "cannot be understood ("


class BrokenPromise(Exception):
    """What a reader accepted is not what its documentation promises."""


class Escape(Exception):
    """What a reader returned holds something from a file that was not chosen."""


@dataclass(frozen=True)
class Subject:
    """A reader. read: opens a path and checks the outcome; raises LikenessError where the file is refused.

    only: suffixes of the files that are damaged, all if empty. share: its part of the inputs. may_write: in the folder
    of the file, as settings do, which set a damaged file aside.
    """

    name: str
    read: Callable[[Path], None]
    cases: Callable[[], Sequence[Case]]
    only: tuple[str, ...] = ()
    share: int = 2
    may_write: bool = False


def promise(kept: bool, what: str) -> None:
    """Raise BrokenPromise unless kept."""
    if not kept:
        raise BrokenPromise(what)


def read_mesh(path: Path) -> None:
    """Open as the program does, in this process."""
    try:
        opened = open_mesh(path)
    except LikenessError as error:
        # A reader that fails in a way nobody thought of is caught there, too; here that is what we look for.
        if error.what.startswith(_BLIND_SPOT) and error.__cause__ is not None:
            raise error.__cause__ from None
        raise
    check_notes(opened.notes)
    check_mesh(opened.mesh)
    promise(opened.file_triangles > 0, "accepted without a triangle")


def check_notes(notes: Iterable[str]) -> None:
    """Notes are for people to read: few, and short."""
    texts = list(notes)
    promise(len(texts) <= _MOST_NOTES, f"{len(texts)} notes")
    for text in texts:
        promise(len(text) <= _MOST_TEXT, f"a note of {len(text)} letters")
        if MARKER in text:
            raise Escape(f"a note says {text[:200]}")


def check_error(error: LikenessError) -> None:
    """An error says what and what to do, at a readable length, and gives nothing away."""
    promise(bool(error.what) and bool(error.advice), f"an error without words: {error!r:.300}")
    letters = len(error.what) + len(error.advice)
    promise(letters <= _MOST_TEXT, f"an error of {letters} letters")
    if MARKER in str(error):
        raise Escape(f"an error says {str(error)[:200]}")


def check_mesh(mesh: Mesh, *, any_bits: bool = False) -> None:
    """The arrays are as `app.mesh.mesh` documents them. any_bits: a history may hold numbers that are none."""
    count, triangles = mesh.vertex_count, mesh.triangle_count
    _array("positions", mesh.positions, np.float32, (count, 3), any_bits=any_bits)
    _array("triangles", mesh.triangles, np.int32, (triangles, 3), count)
    _array("normals", mesh.normals, np.float32, (count, 3), any_bits=any_bits)
    _array("mask", mesh.mask, np.float32, (count,), any_bits=any_bits)
    _array("file_vertex", np.sort(mesh.file_vertex), np.int32, (count,), count)
    _array("file_triangle", np.sort(mesh.file_triangle), np.int32, (triangles,), triangles)
    promise(bool((np.sort(mesh.file_vertex) == np.arange(count)).all()), "file_vertex is no permutation")
    _array("triangle_material", mesh.triangle_material, np.int16, (triangles,), len(mesh.materials))
    if mesh.colors is not None:
        _array("colors", mesh.colors, np.float32, (count, 3), any_bits=any_bits)
        promise(
            any_bits or 0.0 <= float(mesh.colors.min()) <= float(mesh.colors.max()) <= 1.0, "colours outside 0 to 1"
        )
    if mesh.uv is not None:
        assert mesh.uv_vertex is not None
        assert mesh.corner_uv is not None
        _array("uv", mesh.uv, np.float32, (len(mesh.uv), 2))
        _array("uv_vertex", mesh.uv_vertex, np.int32, (len(mesh.uv),), count)
        _array("corner_uv", mesh.corner_uv, np.int32, (triangles, 3), len(mesh.uv))
        promise(bool((mesh.uv_vertex[mesh.corner_uv] == mesh.triangles).all()), "a wedge of another vertex")
    for material in mesh.materials:
        promise(len(material.name) <= _MOST_TEXT, f"a material's name of {len(material.name)} letters")
        promise(all(0.0 <= value <= 1.0 for value in material.base_color), f"the colour {material.base_color}")
        if material.texture is not None:
            check_texture(material.texture)
        if MARKER in material.name or np.allclose(material.base_color, CANARY_COLOR, atol=1e-5):
            raise Escape(f"the material {material.name[:80]}")
    if any(np.isclose(np.abs(mesh.positions), CANARY_PLACE * unit, rtol=1e-6).any() for unit in _UNITS):
        raise Escape("a vertex at the canary's place")
    soup = to_soup(mesh)
    promise(len(soup.triangles) == triangles, "the way back to a file loses triangles")
    _sculpt(mesh)


def _sculpt(mesh: Mesh) -> None:
    """One dab where a ray meets the surface, and back: what was accepted is in the hands of kernels from now on."""
    lower, upper = mesh.bounds()
    size = float(np.nan_to_num(upper - lower, posinf=0.0, neginf=0.0).max(initial=0.0))
    middle = np.nan_to_num((lower + upper) / 2)
    view = np.array([0.0, 0.0, 1.0])
    hit = cast(mesh, middle + view * (size + 1.0), -view)
    point = mesh.positions[0].astype(np.float64) if hit is None else hit.point
    history = History(SimpleNamespace(mesh=mesh), 1 << 28)  # type: ignore[arg-type]
    before = mesh.positions.tobytes()
    stroke = StrokeInHand(mesh, history, brushes()["draw"], BrushSettings(radius_mm=min(max(size, 1e-9), 1e12) / 4))
    stroke.add(Sample(point, view))
    stroke.finish()
    mesh.refresh()
    history.undo()
    promise(mesh.positions.tobytes() == before, "a dab undone leaves other positions")


def _array(
    name: str, array: np.ndarray, kind: Any, shape: tuple[int, ...], below: int | None = None, *, any_bits: bool = False
) -> None:
    promise(array.dtype == kind, f"{name} are {array.dtype}")
    promise(array.shape == shape, f"{name} have the shape {array.shape}, not {shape}")
    promise(array.flags.c_contiguous, f"{name} are not contiguous")
    if array.dtype.kind == "f":
        promise(any_bits or bool(np.isfinite(array).all()), f"{name} are not all finite")
    elif below is not None and array.size:
        promise(int(array.min()) >= 0 and int(array.max()) < below, f"{name} are out of range")


def check_texture(texture: Texture) -> None:
    """A texture that was accepted can be shown."""
    promise(texture.mime in ("image/png", "image/jpeg"), f"a texture of the type {texture.mime}")
    if MARKER.encode() in texture.encoded:
        raise Escape(f"the texture {texture.name[:80]}")
    if texture.width * texture.height <= _MOST_DECODED_PIXELS:
        promise(texture.pixels().shape == (texture.height, texture.width, 3), "a texture of another size than it says")


def read_picture(path: Path) -> None:
    """A texture, or a note."""
    notes: list[str] = []
    try:
        texture = read_texture_or_note(path.read_bytes(), path.name, Limits(), notes)
    except MemoryError as error:  # as the opening of a model says
        raise LimitExceeded("needs more memory than it may use", path, "Save it again smaller") from error
    check_notes(notes)
    if texture is None:
        raise UnreadableFile(notes[0], path, "Save the texture again")
    check_texture(texture)


def read_photo(path: Path) -> None:
    """The pixels for the screen. Here in this process; the program does that only for plain JPEG and PNG."""
    try:
        decoded = decode(path.read_bytes(), path.name)
    except MemoryError as error:  # the worker's answer to it
        raise LimitExceeded("needs more memory than it may use", path, "Save it again smaller") from error
    for pixels in (decoded.pixels, decoded.thumbnail):
        promise(pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3, f"pixels {pixels.shape}")
    promise(decoded.width > 0 and decoded.height > 0, "a photo without a size")


def _judged_by(read: Callable[[Path], Any]) -> Callable[[Path], None]:
    """A reader of the export's check, which may raise anything: whatever it is becomes one error there."""

    def check(path: Path) -> None:
        try:
            model = read(path)
        except Exception as error:
            if str(error) == _OUT_OF_BOUNDS:  # in a compiled kernel: a byte outside the file
                raise
            raise UnreadableFile("cannot be read back", path, "Report it") from error
        promise(model.positions.ndim == 2, "positions without columns")

    return check


_MOST_STROKES = 300


def read_strokes(path: Path) -> None:
    """Apply a stroke file to a small sphere; a file that is refused leaves it as it was, a good one leaves it whole."""
    mesh = sphere(2, colored=True)
    owner = SimpleNamespace(mesh=mesh)
    before = mesh.positions.copy()
    notes: list[str] = []
    document = _read_json(path)
    if isinstance(document, dict) and isinstance(strokes := document.get("strokes"), list):
        del strokes[_MOST_STROKES:]  # a thousand honest strokes are work, not a hang
    try:
        run_strokes(mesh, History(owner, 1 << 28), document, note=notes.append)  # type: ignore[arg-type]
    except LikenessError:
        promise(bool(np.isfinite(mesh.positions).all()), "a refused file spoils the mesh")
        raise
    check_mesh(mesh)
    promise(before.shape == mesh.positions.shape, "strokes change the number of vertices")


def read_printer_profile(path: Path) -> None:
    """A profile with values that an export can work with."""
    profile = read_profile(path)
    numbers = (profile.unit_mm, profile.triangle_tolerance, profile.height_tolerance_mm, profile.max_file_mb)
    promise(all(math.isfinite(value) for value in (*numbers, *profile.heights_mm, *profile.max_size_mm)), "not finite")
    promise(profile.up in ("y", "z"), f"the axis {profile.up!r}")


def read_settings(path: Path) -> None:
    """Settings are never refused: what makes no sense gives the default."""
    stored = Settings(path)
    for key in ("theme", "window/scale", "recent", "panels", "autosave", "language", "brush/draw/radius"):
        for default in ("x", 1.5, 3, True, [], {}):
            promise(isinstance(stored.get(key, default), type(default)), f"{key} of another type than {default!r}")


def _mesh_subject(name: str) -> Subject:
    suffixes = formats()[name].suffixes
    cases = lambda: [*seeds.shared_cases(suffixes), *seeds.written_cases(name), *seeds.made_cases(name)]  # noqa: E731
    return Subject(name, read_mesh, cases, share=3)


def _with_materials() -> list[Case]:
    cases = [*seeds.shared_cases((".obj",)), *seeds.written_cases("obj")]
    return [case for case in cases if any(name.lower().endswith(".mtl") for name in case.files)]


def _project_subjects() -> list[Subject]:
    if importlib.util.find_spec("app.project") is None or importlib.util.find_spec("app.project.opening") is None:
        return []
    projects = importlib.import_module("tests.fuzzing.projects")
    return [
        Subject("project", projects.read_project, projects.cases),
        Subject("project-preview", projects.read_preview, projects.cases, share=1),
    ]


def subjects() -> dict[str, Subject]:
    """All readers by name."""
    photos = lambda: [*seeds.pictures(), *seeds.shared_cases(PHOTO_SUFFIXES, "reference_photos")]  # noqa: E731
    readable = [name for name, file_format in formats().items() if file_format.read is not None]
    found = [
        *map(_mesh_subject, readable),
        Subject("mtl", read_mesh, _with_materials, only=(".mtl",)),
        Subject("texture", read_picture, seeds.pictures),
        Subject("photo", read_photo, photos),
        Subject("readback-3mf", _judged_by(read_3mf), lambda: seeds.written_cases("3mf"), share=1),
        Subject("readback-vrml", _judged_by(read_vrml), lambda: seeds.written_cases("vrml"), share=1),
        Subject("strokes", read_strokes, seeds.strokes),
        Subject("profile", read_printer_profile, seeds.profiles, share=1),
        Subject("settings", read_settings, seeds.settings, share=1, may_write=True),
        *_project_subjects(),
    ]
    return {subject.name: subject for subject in found}


PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".gif", ".bmp", ".pgm")


def warm_up(names: Iterable[str]) -> None:
    """Read one whole file with each reader, so that imports and compiled kernels are no part of an input's time."""
    every = subjects()
    for name in names:
        for case in every[name].cases()[-3:]:
            with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Exception):
                every[name].read(case.write(Path(folder)))
