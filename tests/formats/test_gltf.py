"""Reading glTF: containers, accessors, primitives. Files come from the tests' own writer."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import DracoPy
import numpy as np
import pytest

from app.errors import UnreadableFile
from app.formats.gltf import read
from app.formats.registry import Limits, format_of, no_progress
from app.mesh.soup import Soup
from tests.formats.gltf_files import CORNERS, TRIANGLES, Glb, tetrahedron


def _read(path: Path) -> Soup:
    return read(path, Limits(), no_progress)


def _shape(soup: Soup) -> np.ndarray:
    """The (t, 3, 3) corner positions: what a file means, however its vertices are numbered."""
    return soup.positions[soup.triangles]


def test_positions_and_triangles_are_exact(tmp_path: Path) -> None:
    soup = _read(tetrahedron().save(tmp_path))
    np.testing.assert_array_equal(soup.positions, CORNERS)
    np.testing.assert_array_equal(soup.triangles, TRIANGLES)
    assert (soup.up, soup.unit_mm) == ("y", 1000.0)
    assert soup.positions.dtype == np.float32
    assert soup.triangles.dtype == np.int32
    assert soup.notes == []


@pytest.mark.parametrize("name", ["model.glb", "model.gltf", "model.bin", "model"])
def test_the_content_decides_what_a_file_is(name: str, tmp_path: Path) -> None:
    path = tetrahedron().save(tmp_path, name)
    assert format_of(path).id == "gltf"


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_all_kinds_of_indices(kind: type, tmp_path: Path) -> None:
    glb = Glb()
    positions, indices = glb.accessor(CORNERS), glb.accessor(TRIANGLES.ravel().astype(kind))
    glb.mesh({"attributes": {"POSITION": positions}, "indices": indices})
    glb.scene({"mesh": 0})
    np.testing.assert_array_equal(_read(glb.save(tmp_path)).triangles, TRIANGLES)


@pytest.mark.parametrize(
    ("kind", "normalized", "scale"),
    [
        (np.int8, True, 127),
        (np.uint8, True, 255),
        (np.int16, True, 32767),
        (np.uint16, True, 65535),
        (np.int8, False, 1),
        (np.uint16, False, 1),
    ],
)
def test_quantised_positions(kind: type, normalized: bool, scale: int, tmp_path: Path) -> None:
    stored = (CORNERS * 100).astype(kind)
    glb = Glb()
    positions = glb.accessor(stored, normalized=normalized)
    glb.mesh({"attributes": {"POSITION": positions}, "indices": glb.accessor(TRIANGLES.ravel())})
    glb.scene({"mesh": 0})
    np.testing.assert_allclose(_read(glb.save(tmp_path)).positions, stored / scale, rtol=1e-7)


def test_the_most_negative_integer_is_minus_one(tmp_path: Path) -> None:
    glb = Glb()
    stored = np.array([[-128, 0, 0], [127, 0, 0], [0, 127, 0]], np.int8)
    glb.mesh({"attributes": {"POSITION": glb.accessor(stored, normalized=True)}})
    glb.scene({"mesh": 0})
    assert _read(glb.save(tmp_path)).positions.tolist() == [[-1, 0, 0], [1, 0, 0], [0, 1, 0]]


def test_interleaved_attributes(tmp_path: Path) -> None:
    uv = np.array([[0, 0], [1, 0], [0, 1], [0.25, 0.75]], np.float32)
    glb = Glb()
    view = glb.view(np.hstack((CORNERS, uv)).astype(np.float32).tobytes(), byteStride=20)
    positions = glb.add("accessors", {"bufferView": view, "componentType": 5126, "count": 4, "type": "VEC3"})
    texture = glb.add(
        "accessors", {"bufferView": view, "byteOffset": 12, "componentType": 5126, "count": 4, "type": "VEC2"}
    )
    indices = glb.accessor(TRIANGLES.ravel())
    glb.mesh({"attributes": {"POSITION": positions, "TEXCOORD_0": texture}, "indices": indices})
    glb.scene({"mesh": 0})
    soup = _read(glb.save(tmp_path))
    np.testing.assert_array_equal(soup.positions, CORNERS)
    assert soup.uv is not None
    np.testing.assert_array_equal(soup.uv, uv * [1, -1] + [0, 1])
    np.testing.assert_array_equal(soup.corner_uv, TRIANGLES)


@pytest.mark.parametrize("with_base", [True, False])
def test_sparse_values_replace_some(with_base: bool, tmp_path: Path) -> None:
    glb = tetrahedron()
    entry = glb.data["accessors"][0]
    if not with_base:
        del entry["bufferView"]
    moved = np.array([[5, 6, 7], [1, 2, 3]], np.float32)
    entry["sparse"] = {
        "count": 2,
        "indices": {"bufferView": glb.view(np.array([1, 3], np.uint16).tobytes()), "componentType": 5123},
        "values": {"bufferView": glb.view(moved.tobytes())},
    }
    expected = CORNERS.copy() if with_base else np.zeros_like(CORNERS)
    expected[[1, 3]] = moved
    np.testing.assert_array_equal(_read(glb.save(tmp_path)).positions, expected)


def test_without_indices_every_three_vertices_are_a_triangle(tmp_path: Path) -> None:
    glb = Glb()
    glb.mesh({"attributes": {"POSITION": glb.accessor(CORNERS[TRIANGLES.ravel()])}})
    glb.scene({"mesh": 0})
    np.testing.assert_array_equal(_shape(_read(glb.save(tmp_path))), CORNERS[TRIANGLES])


@pytest.mark.parametrize(
    ("mode", "indices", "expected"),
    [
        (5, [0, 1, 2, 3, 4], [[0, 1, 2], [2, 1, 3], [2, 3, 4]]),
        (5, [0, 1, 2, 2, 3, 3, 4, 5], [[0, 1, 2], [3, 5, 4]]),
        (6, [0, 1, 2, 3, 4], [[0, 1, 2], [0, 2, 3], [0, 3, 4]]),
        (4, [0, 1, 2, 3, 4, 5, 0], [[0, 1, 2], [3, 4, 5]]),
    ],
)
def test_strips_fans_and_lists(mode: int, indices: list[int], expected: list[list[int]], tmp_path: Path) -> None:
    glb = Glb()
    angle = np.arange(6.0)
    positions = np.stack((np.cos(angle), np.sin(angle), angle), axis=1).astype(np.float32)
    attributes = {"POSITION": glb.accessor(positions)}
    glb.mesh({"attributes": attributes, "indices": glb.accessor(np.array(indices, np.uint16)), "mode": mode})
    glb.scene({"mesh": 0})
    found = {tuple(np.roll(triangle, -int(np.argmin(triangle)))) for triangle in _read(glb.save(tmp_path)).triangles}
    assert found == {tuple(np.roll(triangle, -int(np.argmin(triangle)))) for triangle in expected}


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_points_and_lines_are_left_out_with_a_note(mode: int, tmp_path: Path) -> None:
    glb = tetrahedron()
    extra = {"attributes": {"POSITION": glb.accessor(CORNERS + 9)}, "mode": mode}
    glb.data["meshes"][0]["primitives"].append(extra)
    soup = _read(glb.save(tmp_path))
    np.testing.assert_array_equal(_shape(soup), CORNERS[TRIANGLES])
    assert len(soup.notes) == 1
    assert "lines" in soup.notes[0]


def test_default_weights_of_morph_targets_apply(tmp_path: Path) -> None:
    glb = tetrahedron()
    up, aside = np.float32([[0, 2, 0]] * 4), np.float32([[1, 0, 0]] * 4)
    glb.data["meshes"][0]["primitives"][0]["targets"] = [
        {"POSITION": glb.accessor(up)},
        {"POSITION": glb.accessor(aside)},
    ]
    glb.data["meshes"][0]["weights"] = [0.5, 0]
    np.testing.assert_array_equal(_read(glb.save(tmp_path)).positions, CORNERS + np.float32([0, 1, 0]))


def test_several_primitives_become_one_soup(tmp_path: Path) -> None:
    glb = tetrahedron(material=1)
    glb.data["materials"] = [{"name": "a"}, {"name": "b"}, {"name": "unused"}]
    second = {"attributes": {"POSITION": glb.accessor(CORNERS + 9)}, "indices": 1, "material": 0}
    glb.data["meshes"][0]["primitives"].append(second)
    soup = _read(glb.save(tmp_path))
    np.testing.assert_array_equal(_shape(soup), np.concatenate((CORNERS[TRIANGLES], CORNERS[TRIANGLES] + 9)))
    assert [material.name for material in soup.materials] == ["b", "a"]
    assert soup.triangle_material is not None
    assert soup.triangle_material.tolist() == [0] * 4 + [1] * 4


def _separate(folder: Path, uri: str, stored_as: str) -> Path:
    glb = tetrahedron()
    glb.data["buffers"] = [{"byteLength": len(glb.binary), "uri": uri}]
    if stored_as:
        (folder / stored_as).parent.mkdir(parents=True, exist_ok=True)
        (folder / stored_as).write_bytes(glb.binary)
    path = folder / "model.gltf"
    path.write_text(json.dumps(glb.data), "utf-8")
    return path


@pytest.mark.parametrize(
    ("uri", "stored_as"),
    [("data.bin", "data.bin"), ("a%20b.bin", "a b.bin"), ("a b.bin", "a b.bin"), ("sub/data.bin", "sub/data.bin")],
)
def test_a_buffer_beside_the_file(uri: str, stored_as: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(_read(_separate(tmp_path, uri, stored_as)).positions, CORNERS)


@pytest.mark.parametrize("escape_slashes", [False, True])
def test_a_buffer_inside_the_json(escape_slashes: bool, tmp_path: Path) -> None:
    binary = base64.b64encode(tetrahedron().binary).decode()
    path = _separate(tmp_path, f"data:application/octet-stream;base64,{binary}", "")
    if escape_slashes:
        path.write_text(path.read_text("utf-8").replace("/", "\\/"), "utf-8")
    np.testing.assert_array_equal(_read(path).positions, CORNERS)


@pytest.mark.parametrize(
    "uri", ["../secret.bin", "%2e%2e/secret.bin", "/etc/hostname", "http://127.0.0.1/secret.bin", "link.bin", "no.bin"]
)
def test_nothing_outside_the_folder_is_read(uri: str, tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(tetrahedron().binary)
    folder = tmp_path / "inner"
    folder.mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(UnreadableFile, match=r"buffer 0.*not beside"):
        _read(_separate(folder, uri, ""))


def _with_draco(attributes: dict[str, int], packed: bytes, counts: tuple[int, int], **primitive: Any) -> Glb:
    glb = Glb()
    view = glb.view(packed)
    vertices, triangles = counts
    kinds = {"POSITION": (5126, "VEC3"), "TEXCOORD_0": (5126, "VEC2")}
    accessors = {
        name: glb.add(
            "accessors", {"componentType": kinds[name][0], "count": vertices, "type": kinds[name][1], "min": [0]}
        )
        for name in attributes
    }
    indices = glb.add("accessors", {"componentType": 5125, "count": 3 * triangles, "type": "SCALAR"})
    extension = {"bufferView": view, "attributes": attributes}
    glb.mesh(
        {"attributes": accessors, "indices": indices, "extensions": {"KHR_draco_mesh_compression": extension}}
        | primitive
    )
    glb.scene({"mesh": 0})
    return glb


def test_draco(tmp_path: Path) -> None:
    packed = DracoPy.encode(CORNERS, TRIANGLES.astype(np.uint32), quantization_bits=16, compression_level=0)
    soup = _read(_with_draco({"POSITION": 0}, packed, (4, 4)).save(tmp_path))
    found = _shape(soup).reshape(4, -1)
    expected = CORNERS[TRIANGLES].reshape(4, -1)
    rolled = {tuple(np.roll(np.rint(row.reshape(3, 3)), k, axis=0).ravel()) for row in found for k in range(3)}
    assert {tuple(row) for row in expected} <= rolled
    assert len(soup.triangles) == 4


@pytest.mark.parametrize("cut", [3, 20, 60])
def test_damaged_draco(cut: int, tmp_path: Path) -> None:
    packed = DracoPy.encode(CORNERS, TRIANGLES.astype(np.uint32))[:cut]
    with pytest.raises(UnreadableFile, match="Draco"):
        _read(_with_draco({"POSITION": 0}, packed, (4, 4)).save(tmp_path))


def test_an_unknown_required_extension_is_noted(tmp_path: Path) -> None:
    glb = tetrahedron()
    glb.data["extensionsRequired"] = ["KHR_mesh_quantization", "ACME_teleport"]
    soup = _read(glb.save(tmp_path))
    assert [note for note in soup.notes if "ACME_teleport" in note] == soup.notes


def test_progress_ends_at_one(tmp_path: Path) -> None:
    seen: list[float] = []
    read(tetrahedron().save(tmp_path), Limits(), lambda fraction, doing: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
