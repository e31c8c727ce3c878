"""Damaged and malicious glTF files: one clear error, or a model; nothing else, and no memory spent on it."""

from __future__ import annotations

import contextlib
import json
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import LikenessError, LimitExceeded, UnreadableFile
from app.formats.gltf import read
from app.formats.registry import Limits, no_progress
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from tests.formats.gltf_files import CORNERS, Glb, rich, tetrahedron

_BILLIONS = 4_000_000_000
_SMALL = 300 << 20


def _read(path: Path) -> Soup:
    return read(path, Limits(), no_progress)


def _set(*path: Any) -> Callable[[Glb], None]:
    """An edit: follow keys into the JSON, then put the last of them in place of what is there."""
    *keys, last, value = path

    def edit(glb: Glb) -> None:
        place = glb.data
        for key in keys:
            place = place[key]
        place[last] = value

    return edit


_PRIMITIVE = ("meshes", 0, "primitives", 0)


@pytest.mark.parametrize(
    ("edit", "where"),
    [
        (_set("accessors", 0, "count", _BILLIONS), "accessor 0"),
        (_set("accessors", 1, "count", _BILLIONS), "accessor 1"),
        (_set("accessors", 1, "count", 15), "accessor 1"),
        (_set("accessors", 0, "count", -1), "accessor 0"),
        (_set("accessors", 0, "count", 1e300), "accessor 0"),
        (_set("accessors", 0, "count", "many"), "accessor 0"),
        (_set("accessors", 0, "count", True), "accessor 0"),
        (_set("accessors", 0, "byteOffset", 1), "accessor 0"),
        (_set("accessors", 0, "componentType", 5130), "accessor 0"),
        (_set("accessors", 0, "type", "VEC7"), "accessor 0"),
        (_set("accessors", 0, "type", ["VEC3"]), "accessor 0"),
        (_set("accessors", 0, "bufferView", 99), "buffer view 99"),
        (_set("accessors", 0, "sparse", {"count": 5}), "accessor 0, sparse"),
        (_set("accessors", 1, "componentType", 5126), "accessor 1"),
        (_set("bufferViews", 0, "byteLength", _BILLIONS), "buffer view 0"),
        (_set("bufferViews", 0, "byteOffset", -4), "buffer view 0"),
        (_set("bufferViews", 0, "byteStride", 4), "buffer view 0"),
        (_set("bufferViews", 0, "buffer", 3), "buffer 3"),
        (_set("bufferViews", 0, None), "buffer view 0"),
        (_set("buffers", 0, {"byteLength": 4, "uri": "data:;base64,A"}), "buffer 0"),
        (_set("buffers", 0, {"byteLength": 4, "uri": "data:nothing"}), "buffer 0"),
        (_set("buffers", 0, {"byteLength": 4, "uri": "data:#7"}), "buffer 0"),
        (_set(*_PRIMITIVE, "attributes", "POSITION", 55), "accessor 55"),
        (_set(*_PRIMITIVE, "attributes", [1, 2]), "mesh 0, primitive 0"),
        (_set(*_PRIMITIVE, "attributes", "TEXCOORD_0", 1), "accessor 1"),
        (_set(*_PRIMITIVE, "indices", -1), "mesh 0, primitive 0"),
        (_set("meshes", 0, "primitives", "none"), "mesh 0"),
        (_set("nodes", {"mesh": 0}), "nodes"),
        (_set("nodes", 0, "mesh", 2), "mesh 2"),
        (_set("nodes", 0, "matrix", [1, 2, 3]), "node 0"),
        (_set("nodes", 0, "scale", [1, float("nan"), 1]), "node 0"),
        (_set("nodes", 0, "rotation", "round"), "node 0"),
        (_set("nodes", 0, "skin", 4), "skin 4"),
        (_set("scenes", 0, "nodes", [0, "x"]), "scene 0"),
        (_set("scene", 5), "scene 5"),
        (_set("asset", "version", "1.0"), "version 1.0"),
        (_set("asset", 3), "asset"),
    ],
)
def test_what_is_wrong_is_named(edit: Callable[[Glb], None], where: str, tmp_path: Path) -> None:
    glb = tetrahedron()
    edit(glb)
    with pytest.raises(UnreadableFile) as caught:
        _read(glb.save(tmp_path))
    assert where in str(caught.value)
    assert "model.glb" in caught.value.where
    assert caught.value.advice


def test_an_index_beyond_the_vertices_is_refused(tmp_path: Path) -> None:
    glb = Glb()
    indices = glb.accessor(np.array([0, 1, 4], np.uint16))
    glb.mesh({"attributes": {"POSITION": glb.accessor(CORNERS)}, "indices": indices})
    glb.scene({"mesh": 0})
    with pytest.raises(UnreadableFile, match="vertex 4"):
        _read(glb.save(tmp_path))


def test_triangles_without_a_place_are_left_out_with_a_note(tmp_path: Path) -> None:
    glb = tetrahedron()
    corners = CORNERS.copy()
    corners[3] = np.nan
    glb.data["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = glb.accessor(corners)
    soup = _read(glb.save(tmp_path))
    assert len(soup.triangles) == 1
    assert np.isfinite(soup.positions).all()
    assert any("3 triangles" in note for note in soup.notes)


def test_a_file_of_nothing_but_json(tmp_path: Path) -> None:
    path = tmp_path / "empty.gltf"
    for text in ("{}", "[]", "null", "7", '{"asset": {"version": "2.0"}}', "{", "\ufeff{}", ""):
        path.write_text(text, "utf-8")
        with pytest.raises(UnreadableFile):
            _read(path)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_nested_without_end(opening: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.gltf"
    path.write_text(opening * 200_000, "utf-8")
    with pytest.raises(UnreadableFile):
        _read(path)


def test_a_number_with_a_million_digits(tmp_path: Path) -> None:
    path = tmp_path / "long.gltf"
    path.write_text('{"scene": ' + "9" * 1_000_000 + "}", "utf-8")
    with pytest.raises(UnreadableFile):
        _read(path)


def test_more_json_than_any_model_needs(tmp_path: Path) -> None:
    path = tmp_path / "much.gltf"
    path.write_bytes(b"[" + b"{}," * (12 << 20) + b"{}]")
    with pytest.raises(LimitExceeded, match="JSON"):
        _read(path)


@pytest.mark.parametrize("length", [0, 3, 11, 12, 19, 20, 40, -1, -40])
def test_a_glb_that_was_cut_off(length: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.glb"
    content = tetrahedron().bytes()
    path.write_bytes(content[:length])
    with pytest.raises(UnreadableFile):
        _read(path)


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<4sII", b"glTF", 1, 100) + bytes(88),
        struct.pack("<4sII", b"glTF", 2, 20) + struct.pack("<I4s", 0xFFFFFFFF, b"JSON"),
        struct.pack("<4sII", b"glTF", 2, 24) + struct.pack("<I4s", 4, b"BIN\0") + bytes(4),
        struct.pack("<4sII", b"glTF", 2, 0),
    ],
)
def test_a_glb_with_a_wrong_header(header: bytes, tmp_path: Path) -> None:
    path = tmp_path / "wrong.glb"
    path.write_bytes(header)
    with pytest.raises(UnreadableFile):
        _read(path)


def _zeros_without_data(glb: Glb) -> None:
    glb.data["accessors"][0] = {"componentType": 5126, "count": 39_000_000, "type": "VEC3"}
    del glb.data["meshes"][0]["primitives"][0]["indices"]


def _announced_draco(glb: Glb) -> None:
    glb.data["accessors"][0]["count"] = 30_000_000
    extension = {"bufferView": 0, "attributes": {"POSITION": 0}}
    glb.data["meshes"][0]["primitives"][0]["extensions"] = {"KHR_draco_mesh_compression": extension}


@pytest.mark.parametrize(
    "edit", [_zeros_without_data, _announced_draco, _set("accessors", 0, "count", _BILLIONS)], ids=lambda edit: ""
)
def test_a_small_file_does_not_get_gigabytes(edit: Callable[[Glb], None], tmp_path: Path) -> None:
    glb = tetrahedron()
    edit(glb)
    path = glb.save(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFile):
            _read(path)
        assert tracemalloc.get_traced_memory()[1] < _SMALL
    finally:
        tracemalloc.stop()


def _outcome(path: Path) -> Mesh | LikenessError:
    """What a sculptor gets: the model, or an error in words. Any other exception goes through and fails the test."""
    try:
        return build_mesh(_read(path))
    except LikenessError as error:
        return error


def _is_fit_for_the_user(outcome: Mesh | LikenessError) -> bool:
    """A model with triangles and a place for each corner, or an error that says what, where and what to do."""
    if isinstance(outcome, Mesh):
        return outcome.triangle_count > 0 and bool(np.isfinite(outcome.positions).all())
    return isinstance(outcome, UnreadableFile) and all((outcome.what, outcome.where, outcome.advice))


def test_the_file_that_is_mutated_is_whole(tmp_path: Path) -> None:
    soup = _read(rich().save(tmp_path))
    assert len(soup.triangles) == 12
    assert soup.notes == []


@pytest.mark.parametrize("seed", range(8))
def test_flipped_bytes_and_cuts(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    content = rich().bytes()
    path = tmp_path / "mutated.glb"
    for _ in range(60):
        mutated = np.frombuffer(content, np.uint8).copy()
        places = rng.integers(0, len(mutated), rng.integers(1, 6))
        mutated[places] = rng.integers(0, 256, len(places))
        path.write_bytes(mutated[: rng.integers(1, len(mutated) + 1) if rng.random() < 0.2 else None].tobytes())
        assert _is_fit_for_the_user(_outcome(path))


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [found for key, entry in entries for found in [(*path, key), *_places(entry, (*path, key))]]


_ODD_VALUES: list[Any] = [
    None, True, -1, 0, 1, 3, 5, 255, 65536, _BILLIONS, 1 << 70, 1.5, 1e300, float("inf"), float("nan"),
    "", "x", "VEC3", "data:;base64,AAAA", [], [0], [[]], [1e39] * 16, {}, {"index": 0},
]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_odd_values_anywhere_in_the_json(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    path = tmp_path / "odd.glb"
    for _ in range(60):
        glb = rich()
        places = _places(glb.data)
        for _ in range(rng.integers(1, 4)):
            keys = places[rng.integers(len(places))]
            with contextlib.suppress(KeyError, IndexError, TypeError):  # an earlier edit took the place away
                _set(*keys, json.loads(json.dumps(_ODD_VALUES[rng.integers(len(_ODD_VALUES))])))(glb)
        path.write_bytes(glb.bytes())
        assert _is_fit_for_the_user(_outcome(path))


def _many_primitives(glb: Glb) -> None:
    """Ten thousand primitives that share half a million vertices and have no indices."""
    glb.data["accessors"][0] = {
        "bufferView": glb.view(bytes(12 * 500_000)),
        "componentType": 5126,
        "count": 500_000,
        "type": "VEC3",
    }
    glb.data["meshes"][0]["primitives"] = [{"attributes": {"POSITION": 0}}] * 10_000


def _many_morph_targets(glb: Glb) -> None:
    _many_primitives(glb)
    primitive = {"attributes": {"POSITION": 0}, "targets": [{"POSITION": 0}] * 100_000}
    glb.data["meshes"][0] = {"primitives": [primitive], "weights": [1] * 100_000}


def _many_joints(glb: Glb) -> None:
    glb.data["skins"] = [{"joints": [0] * 3_000_000}]
    glb.data["nodes"][0]["skin"] = 0


@pytest.mark.parametrize("edit", [_many_primitives, _many_morph_targets, _many_joints])
def test_using_the_same_data_over_and_over_is_refused(edit: Callable[[Glb], None], tmp_path: Path) -> None:
    glb = tetrahedron()
    edit(glb)
    limits = Limits(unpack_ratio=20.0)
    with pytest.raises(LimitExceeded):
        read(glb.save(tmp_path), limits, no_progress)


def test_more_texture_pixels_in_all_than_are_read(tmp_path: Path) -> None:
    glb = rich()
    glb.data["images"] *= 3
    glb.data["textures"] = [{"source": number} for number in range(3)]
    glb.data["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": number}}} for number in range(3)]
    primitive = glb.data["meshes"][0]["primitives"][0]
    glb.data["meshes"][0]["primitives"] = [{**primitive, "material": number} for number in range(3)]
    with pytest.raises(LimitExceeded, match="image 2"):
        read(glb.save(tmp_path), Limits(texture_pixels=1), no_progress)
