"""Opening a file: upright, in millimetres, welded; every failure is one line about that file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import worker
from app.errors import Cancelled, LikenessError, LimitExceeded, UnreadableFile, WorkerFailed
from app.formats import opening, registry
from app.formats.gltf import write
from app.formats.opening import open_in_worker, open_mesh
from app.formats.registry import Limits, WriteOptions, no_progress
from tests.formats.gltf_files import CORNERS, Glb, tetrahedron
from tests.meshes import textured_soup


def _tall(height_m: float) -> Glb:
    glb = tetrahedron()
    glb.scene({"mesh": 0, "scale": [height_m] * 3})
    return glb


def test_metres_become_millimetres_and_y_becomes_up(tmp_path: Path) -> None:
    opened = open_mesh(_tall(0.15).save(tmp_path))
    x, y, z = CORNERS.T * np.float32(0.15)
    expected = np.stack((x, -z, y), axis=1) * 1000
    found = opened.mesh.positions[np.argsort(opened.mesh.file_vertex)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (opened.format_id, opened.file_triangles, opened.notes) == ("gltf", 4, [])
    assert opened.path == tmp_path / "model.glb"


@pytest.mark.parametrize(
    ("height_m", "known"), [(0.15, True), (0.021, True), (0.019, False), (0.41, False), (1.8, False)]
)
def test_an_implausible_height_is_asked_for(height_m: float, known: bool, tmp_path: Path) -> None:
    assert open_mesh(_tall(height_m).save(tmp_path)).unit_known is known


def test_seams_are_joined_and_texture_coordinates_kept(tmp_path: Path) -> None:
    soup, path = textured_soup(), tmp_path / "ball.glb"
    write(soup, path, WriteOptions(up="y", unit_mm=1000.0), no_progress)
    mesh = open_mesh(path).mesh
    assert mesh.vertex_count == len(np.unique(soup.positions, axis=0))
    assert not mesh.topology.boundary.any()
    assert mesh.has_texture
    np.testing.assert_allclose(mesh.size(), [20, 20, 20], atol=0.01)


def test_progress_only_grows_and_ends_at_one(tmp_path: Path) -> None:
    seen: list[tuple[float, str]] = []
    open_mesh(tetrahedron().save(tmp_path), progress=lambda fraction, doing: seen.append((fraction, doing)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert all(doing for _, doing in seen)


@pytest.mark.parametrize("content", [b"", b"hello", bytes(100), b"glTF", b"\xff\xd8\xff" + bytes(50)])
def test_what_is_no_mesh_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"photo\.jpg"):
        open_mesh(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be opened"):
        open_mesh(tmp_path / "nothing.glb")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [Path.mkdir, *([_pipe, _link_to_device] if hasattr(os, "mkfifo") else [])])
def test_what_is_no_regular_file_is_refused_at_once(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "figure.obj"
    make(path)
    with pytest.raises(UnreadableFile, match=r"figure\.obj: is not a regular file"):
        open_mesh(path)


def test_a_file_above_the_limit_is_refused_by_its_size(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match="MB"):
        open_mesh(tetrahedron().save(tmp_path), Limits(file_bytes=100))


@pytest.mark.parametrize("fault", [ValueError("odd"), KeyError("lost"), RecursionError(), ZeroDivisionError()])
def test_a_readers_blind_spot_is_an_error_for_the_user(
    fault: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise fault

    broken = replace(registry.formats()["gltf"], read=stumble)
    monkeypatch.setattr(opening, "format_of", lambda path: broken)
    with pytest.raises(UnreadableFile, match=type(fault).__name__):
        open_mesh(tetrahedron().save(tmp_path))


def test_too_little_memory_is_an_error_for_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def devour(*_: object) -> None:
        raise MemoryError

    broken = replace(registry.formats()["gltf"], read=devour)
    monkeypatch.setattr(opening, "format_of", lambda path: broken)
    with pytest.raises(LimitExceeded, match="memory"):
        open_mesh(tetrahedron().save(tmp_path))


def test_a_worker_opens_the_same_mesh(tmp_path: Path) -> None:
    path = tmp_path / "ball.glb"
    write(textured_soup(), path, WriteOptions(up="y", unit_mm=1000.0), no_progress)
    here, there = open_mesh(path), open_in_worker(path)
    for name in ("positions", "triangles", "normals", "uv", "corner_uv", "file_vertex", "triangle_material"):
        np.testing.assert_array_equal(getattr(here.mesh, name), getattr(there.mesh, name))
    assert here.mesh.materials[0].texture is not None
    assert there.mesh.materials[0].texture is not None
    assert here.mesh.materials[0].texture.encoded == there.mesh.materials[0].texture.encoded
    assert (here.path, here.format_id, here.notes) == (there.path, there.format_id, there.notes)


def test_a_worker_hands_on_the_readers_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.glb"
    path.write_bytes(tetrahedron().bytes()[:60])
    with pytest.raises(UnreadableFile, match="cut off"):
        open_in_worker(path)


def test_opening_can_be_cancelled(tmp_path: Path) -> None:
    asked = threading.Event()
    asked.set()
    with pytest.raises(Cancelled):
        open_in_worker(tetrahedron().save(tmp_path), cancelled=asked.is_set)


def test_a_worker_that_dies_is_about_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tetrahedron().save(tmp_path)

    def die(*_: object, **__: object) -> None:
        raise WorkerFailed("the work crashed", "", "Try again")

    monkeypatch.setattr(worker, "run", die)
    with pytest.raises(WorkerFailed, match=r"model\.glb"):
        open_in_worker(path)


def test_every_broken_mesh_opens_or_says_why(shared: Path) -> None:
    suffixes, refused = set(registry.readable_suffixes()), []
    for path in sorted(path for path in (shared / "broken_meshes").rglob("*") if path.suffix.lower() in suffixes):
        try:
            opened = open_mesh(path)
        except LikenessError as error:
            refused.append((path, error))
        else:
            assert np.isfinite(opened.mesh.positions).all()
            assert opened.mesh.triangle_count
    assert all(str(path) in str(error) and error.advice for path, error in refused)
