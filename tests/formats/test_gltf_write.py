"""Written glTF, checked by trimesh, by the rules of the specification, and by our own reader."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from app.errors import WriteFailed
from app.formats.gltf import read
from app.formats.gltf_write import write
from app.formats.images import srgb_to_linear
from app.formats.registry import Limits, WriteOptions, no_progress
from app.mesh.build import build_mesh, to_soup
from app.mesh.soup import Material, Soup, Texture
from tests.meshes import cube_soup, icosphere_soup, textured_soup

_AS_GLTF = WriteOptions(up="y", unit_mm=1000.0, title="figure")


def _written(soup: Soup, folder: Path, options: WriteOptions = _AS_GLTF, name: str = "out.glb") -> Path:
    path = folder / name
    write(soup, path, options, no_progress)
    return path


def _parts(path: Path) -> tuple[dict[str, Any], bytes]:
    content = path.read_bytes()
    magic, version, length, size, kind = struct.unpack("<4sIII4s", content[:20])
    assert (magic, version, length, kind) == (b"glTF", 2, len(content), b"JSON")
    binary_size, binary_kind = struct.unpack("<I4s", content[20 + size : 28 + size])
    assert binary_kind == b"BIN\0"
    assert size % 4 == binary_size % 4 == 0
    return json.loads(content[20 : 20 + size]), content[28 + size :]


def _colored() -> Soup:
    soup = icosphere_soup(2)
    soup.colors = ((soup.positions / 20) + 0.5).astype(np.float32)
    return soup


def test_trimesh_reads_the_same_solid_in_metres_y_up(tmp_path: Path) -> None:
    soup = icosphere_soup(3)
    soup.positions *= np.float32([1, 2, 3])
    mesh = trimesh.load(_written(soup, tmp_path), force="mesh", process=False)
    assert mesh.is_watertight
    np.testing.assert_array_equal(mesh.faces, soup.triangles)
    assert mesh.extents == pytest.approx(np.ptp(soup.positions, axis=0)[[0, 2, 1]] / 1000, rel=1e-5)
    ours = trimesh.Trimesh(soup.positions, soup.triangles, process=False)
    assert mesh.volume == pytest.approx(ours.volume * 1e-9, rel=1e-5)
    outward = np.einsum("ij,ij->i", mesh.vertices, mesh.vertex_normals)
    assert (outward > 0).all()


def test_normals_are_unit_and_those_of_trimesh(tmp_path: Path) -> None:
    soup = icosphere_soup(3)
    document, binary = _parts(_written(soup, tmp_path))
    accessor = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["NORMAL"]]
    view = document["bufferViews"][accessor["bufferView"]]
    normals = np.frombuffer(binary, np.float32, 3 * accessor["count"], view["byteOffset"]).reshape(-1, 3)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    x, y, z = (soup.positions / 10).T
    assert np.abs(normals - np.stack((x, z, -y), axis=1)).max() < 0.02


@pytest.mark.parametrize("soup", [cube_soup(), textured_soup(), _colored()], ids=["plain", "textured", "colored"])
def test_the_rules_of_the_specification(soup: Soup, tmp_path: Path) -> None:
    document, binary = _parts(_written(soup, tmp_path))
    assert document["asset"]["version"] == "2.0"
    assert document["buffers"] == [{"byteLength": document["buffers"][0]["byteLength"]}]
    assert document["buffers"][0]["byteLength"] <= len(binary)
    sizes = {5123: 2, 5125: 4, 5126: 4}
    widths = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= len(binary)
    for accessor in document["accessors"]:
        expected = accessor["count"] * sizes[accessor["componentType"]] * widths[accessor["type"]]
        assert document["bufferViews"][accessor["bufferView"]]["byteLength"] == expected
    for primitive in document["meshes"][0]["primitives"]:
        counts = {document["accessors"][index]["count"] for index in primitive["attributes"].values()}
        assert len(counts) == 1
        position = document["accessors"][primitive["attributes"]["POSITION"]]
        view = document["bufferViews"][position["bufferView"]]
        points = np.frombuffer(binary, np.float32, 3 * position["count"], view["byteOffset"]).reshape(-1, 3)
        np.testing.assert_array_equal(position["min"], points.min(axis=0))
        np.testing.assert_array_equal(position["max"], points.max(axis=0))
        assert document["bufferViews"][document["accessors"][primitive["indices"]]["bufferView"]]["target"] == 34963


def test_a_textured_mesh_survives_welding_and_writing(tmp_path: Path) -> None:
    soup = to_soup(build_mesh(textured_soup()))
    back = read(_written(soup, tmp_path), Limits(), no_progress)
    assert soup.uv is not None
    assert back.uv is not None
    shape = np.stack((back.positions[:, 0], -back.positions[:, 2], back.positions[:, 1]), axis=1) * 1000
    np.testing.assert_allclose(shape[back.triangles], soup.positions[soup.triangles], atol=1e-5)
    np.testing.assert_allclose(back.uv[back.corner_uv], soup.uv[soup.corner_uv], atol=1e-6)
    texture = back.materials[0].texture
    assert texture is not None
    assert soup.materials[0].texture is not None
    assert texture.encoded == soup.materials[0].texture.encoded
    assert back.materials[0].name == "ball"


def test_trimesh_sees_the_texture_where_it_belongs(tmp_path: Path) -> None:
    soup = to_soup(build_mesh(textured_soup()))
    mesh = trimesh.load(_written(soup, tmp_path), force="mesh", process=False)
    colors = mesh.visual.to_color().vertex_colors
    north = mesh.vertices[:, 1] > 0.009  # metres, Y up: v is near 1 there, and green grows with v
    south = mesh.vertices[:, 1] < -0.009
    assert colors[north, 1].min() > 200
    assert colors[south, 1].max() < 55


def test_vertex_colors_are_linear_in_the_file_and_finer_than_8_bits(tmp_path: Path) -> None:
    soup = _colored()
    assert soup.colors is not None
    path = _written(soup, tmp_path)
    document, binary = _parts(path)
    accessor = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]]
    view = document["bufferViews"][accessor["bufferView"]]
    stored = np.frombuffer(binary, np.uint16, 4 * accessor["count"], view["byteOffset"]).reshape(-1, 4) / 65535
    np.testing.assert_allclose(stored[:, :3], srgb_to_linear(soup.colors), atol=1 / 65535)
    back = read(path, Limits(), no_progress)
    assert back.colors is not None
    np.testing.assert_allclose(back.colors, soup.colors, atol=0.1 / 255)


def test_each_material_is_one_primitive(tmp_path: Path) -> None:
    soup = cube_soup()
    soup.materials = [Material("red", (1, 0, 0)), Material("unused"), Material("grey", (0.5, 0.5, 0.5))]
    soup.triangle_material = np.array([0, 2] * 6, np.int16)
    back = read(_written(soup, tmp_path), Limits(), no_progress)
    assert [material.name for material in back.materials] == ["red", "grey"]
    assert back.materials[1].base_color == pytest.approx((0.5, 0.5, 0.5), abs=1e-6)
    assert back.triangle_material is not None
    assert back.triangle_material.tolist() == [0] * 6 + [1] * 6
    np.testing.assert_array_equal(back.triangles[:6], soup.triangles[::2])


@pytest.mark.parametrize(
    ("color", "texture", "vertex"), [("texture", True, False), ("vertex", False, True), ("none", False, False)]
)
def test_the_profile_decides_how_colour_is_written(color: str, texture: bool, vertex: bool, tmp_path: Path) -> None:
    soup = textured_soup()
    soup.colors = np.full((len(soup.positions), 3), 0.5, np.float32)
    options = WriteOptions(up="y", unit_mm=1000.0, color=color)
    back = read(_written(soup, tmp_path, options), Limits(), no_progress)
    assert (back.materials[0].texture is not None) is texture
    assert (back.colors is not None) is vertex


def test_the_texture_rules_of_the_profile_are_kept(tmp_path: Path) -> None:
    soup = textured_soup()
    soup.materials = [Material("big", texture=Texture.from_pixels(np.zeros((64, 256, 3), np.uint8)), wrap="clamp")]
    options = WriteOptions(up="y", unit_mm=1000.0, texture_limit=128, texture_format="jpeg")
    material = read(_written(soup, tmp_path, options), Limits(), no_progress).materials[0]
    assert material.texture is not None
    assert (material.texture.mime, material.texture.width, material.texture.height) == ("image/jpeg", 128, 32)
    assert material.wrap == "clamp"


@pytest.mark.parametrize(("up", "unit_mm"), [("y", 1000.0), ("z", 1.0), ("y", 1.0), ("z", 10.0)])
def test_axes_and_unit_are_those_of_the_profile_and_read_back_as_meant(up: str, unit_mm: float, tmp_path: Path) -> None:
    soup = cube_soup(20)
    soup.positions += np.float32([0, 0, 100])
    back = read(_written(soup, tmp_path, WriteOptions(up=up, unit_mm=unit_mm)), Limits(), no_progress)
    assert (back.up, back.unit_mm) == (up, unit_mm)
    height = back.positions[:, 1 if up == "y" else 2] * unit_mm
    assert (height.min(), height.max()) == pytest.approx((90, 110))


def test_gltf_has_everything_inside(tmp_path: Path) -> None:
    path = _written(textured_soup(), tmp_path, name="out.gltf")
    document = json.loads(path.read_text("utf-8"))
    uri = document["buffers"][0]["uri"]
    assert len(base64.b64decode(uri.partition(",")[2])) == document["buffers"][0]["byteLength"]
    glb = read(_written(textured_soup(), tmp_path), Limits(), no_progress)
    np.testing.assert_array_equal(read(path, Limits(), no_progress).positions, glb.positions)
    assert trimesh.load(path, force="mesh").extents == pytest.approx([0.02] * 3, rel=1e-3)


def test_a_degenerate_mesh_is_written(tmp_path: Path) -> None:
    soup = Soup(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32))
    assert len(read(_written(soup, tmp_path), Limits(), no_progress).triangles) == 1


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(WriteFailed):
        _written(cube_soup(), tmp_path / "nowhere")
