"""Small files that ask for much, texts without end, and values that made readers fail in ways nobody had thought of."""

from __future__ import annotations

import copy
import struct
import zipfile
import zlib
from pathlib import Path

import DracoPy
import numpy as np
import pytest

from app.errors import LimitExceeded, UnreadableFile
from app.formats import reading
from app.formats.gltf import read as read_gltf
from app.formats.opening import open_mesh
from app.formats.registry import Limits, no_progress
from app.mesh.soup import Texture
from tests.formats.gltf_files import CORNERS, Glb, tetrahedron
from tests.formats.helpers import patchwork, reader
from tests.formats.threemf_files import model_text, object_node, package_file
from tests.photos.pictures import encoded, png_claiming, quarters

_READABLE = 400
_PNG = encoded(quarters(8, 8))
_OBJ = "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl m\nf 1/1 2/1 3/1\n"
_PLY = (
    "ply\nformat ascii 1.0\ncomment TextureFile {name}\nelement vertex 3\nproperty float x\nproperty float y\n"
    "property float z\nproperty float s\nproperty float t\nelement face 1\n"
    "property list uchar int vertex_indices\nend_header\n0 0 0 0 0\n1 0 0 1 0\n0 1 0 0 1\n3 0 1 2\n"
)


# Many and long


def test_an_error_is_of_a_readable_length() -> None:
    error = UnreadableFile("says " + "x" * 1_000_000, "figure.obj", "Do " + "y" * 1_000_000)
    assert len(error.what) < _READABLE
    assert len(error.advice) < _READABLE
    assert error.what.startswith("says x")
    assert str(copy.copy(error)) == str(error)  # by the same protocol as pickle


def _open_obj(folder: Path, obj: str, mtl: str = "", **files: bytes) -> tuple[list[str], list[Texture | None]]:
    (folder / "a.obj").write_text(obj, "utf-8")
    (folder / "a.mtl").write_text(mtl, "utf-8")
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    opened = open_mesh(folder / "a.obj")
    return opened.notes, [material.texture for material in opened.mesh.materials]


def test_notes_are_few_and_short(tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(3000)]
    uses = "".join(f"usemtl {name}\nf 1/1 2/1 3/1\n" for name in names)
    mtl = "".join(f"newmtl {name}\nmap_Kd {name}{'x' * 150}.png\n" for name in names)
    notes, _ = _open_obj(
        tmp_path, f"mtllib a.mtl\nmtllib {'long ' * 10_000}.mtl\n{_OBJ.partition('usemtl')[0]}{uses}", mtl
    )
    assert 1 < len(notes) <= 101
    assert max(map(len, notes)) < _READABLE


def test_names_of_materials_are_of_a_readable_length(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(_OBJ.replace("usemtl m", "usemtl " + "m" * 100_000), "utf-8")
    assert all(len(material.name) < _READABLE for material in open_mesh(tmp_path / "a.obj").mesh.materials)


def test_an_image_is_read_once_by_whatever_names(tmp_path: Path) -> None:
    spellings = [
        "skin.png",
        "./skin.png",
        "././skin.png",
        "SKIN.PNG",
        "sKin.png",
        "C:\\x\\skin.png",
        "elsewhere/skin.png",
    ]
    names = [f"m{number}" for number in range(len(spellings))]
    uses = "".join(f"usemtl {name}\nf 1/1 2/1 3/1\n" for name in names)
    mtl = "".join(f"newmtl {name}\nmap_Kd {spelling}\n" for name, spelling in zip(names, spellings, strict=True))
    _, textures = _open_obj(tmp_path, _OBJ.partition("usemtl")[0] + uses, mtl, skin__png=_PNG)
    assert len(textures) == len(spellings)
    assert textures[0] is not None
    assert all(texture is textures[0] for texture in textures)


def test_all_images_together_are_limited(tmp_path: Path) -> None:
    images = {f"{number}__png": encoded(np.full((8, 8, 3), number, np.uint8)) for number in range(3)}
    uses = "".join(f"usemtl m{number}\nf 1/1 2/1 3/1\n" for number in range(3))
    mtl = "".join(f"newmtl m{number}\nmap_Kd {number}.png\n" for number in range(3))
    obj = _OBJ.partition("usemtl")[0] + uses
    assert all(_open_obj(tmp_path, obj, mtl, **images)[1])
    with pytest.raises(LimitExceeded, match="too many large textures"):
        open_mesh(tmp_path / "a.obj", Limits(texture_pixels=64))


def test_images_that_are_missing_are_looked_for_so_often_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    original = reading.find_beside
    monkeypatch.setattr(reading, "find_beside", lambda path, name: looked.append(name) or original(path, name))
    text = _PLY.replace(
        "comment TextureFile {name}\n", "".join(f"comment TextureFile {k}.png\n" for k in range(20_000))
    )
    (tmp_path / "a.ply").write_text(text, "ascii")
    reader("ply")(tmp_path / "a.ply")
    assert len(looked) <= 200


def test_gltf_gives_up_on_a_folder_that_has_none_of_its_images(tmp_path: Path) -> None:
    glb = tetrahedron()
    primitive = glb.data["meshes"][0]["primitives"][0]
    count = 300
    glb.data["images"] = [{"uri": f"{number}.png"} for number in range(count)]
    glb.data["textures"] = [{"source": number} for number in range(count)]
    glb.data["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": n}}} for n in range(count)]
    glb.data["meshes"][0]["primitives"] = [{**primitive, "material": number} for number in range(count)]
    with pytest.raises(LimitExceeded, match="not beside"):
        open_mesh(glb.save(tmp_path))


# Texts that took time without end


@pytest.mark.timeout(60)
def test_a_line_of_a_megabyte_that_names_no_material_file(tmp_path: Path) -> None:
    notes, _ = _open_obj(tmp_path, f"mtllib {'a' * 1_000_000}\n{_OBJ.partition(chr(10))[2]}")
    assert "not beside" in notes[0]


def test_a_line_of_several_material_files_with_blanks(tmp_path: Path) -> None:
    (tmp_path / "b c.mtl").write_text("newmtl m\nKd 0 1 0\n")
    _open_obj(tmp_path, _OBJ.replace("a.mtl", "first.mtl b c.mtl"))
    assert open_mesh(tmp_path / "a.obj").mesh.materials[0].base_color == (0.0, 1.0, 0.0)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("opening", ["Script { ", "PROTO P [ "])
def test_vrml_text_without_an_end(opening: str, tmp_path: Path) -> None:
    (tmp_path / "a.wrl").write_text("#VRML V2.0 utf8\n" + opening + '"' + '\\"' * 300_000)
    with pytest.raises(UnreadableFile, match="ends too early"):
        open_mesh(tmp_path / "a.wrl")


@pytest.mark.timeout(60)
def test_vrml_shape_with_a_large_table_placed_often(tmp_path: Path) -> None:
    table = "1 0 0 " * 200_000
    shape = (
        "Shape { geometry IndexedFaceSet { coord Coordinate { point [ 0 0 0, 1 0 0, 0 1 0 ] } coordIndex [ 0 1 2 ]"
        f" color Color {{ color [ {table} ] }} }} }}"
    )
    (tmp_path / "a.wrl").write_text(f"#VRML V2.0 utf8\nDEF A {shape}\n" + "USE A\n" * 20_000)
    assert open_mesh(tmp_path / "a.wrl").file_triangles == 20_001


def test_vrml_texture_coordinates_placed_often_are_counted(tmp_path: Path) -> None:
    shape = (
        "Shape { geometry IndexedFaceSet { coord Coordinate { point [ 0 0 0, 1 0 0, 0 1 0 ] } coordIndex [ 0 1 2 ]"
        f" texCoord TextureCoordinate {{ point [ {'0 0 ' * 100_000} ] }} }} }}"
    )
    (tmp_path / "a.wrl").write_text(f"#VRML V2.0 utf8\nDEF A {shape}\n" + "USE A\n" * 2000)
    with pytest.raises(LimitExceeded, match="vertices"):
        open_mesh(tmp_path / "a.wrl")


def test_more_vrml_materials_than_can_be_numbered(tmp_path: Path) -> None:
    geometry = (
        "geometry DEF G IndexedFaceSet { coord Coordinate { point [ 0 0 0, 1 0 0, 0 1 0 ] } coordIndex [ 0 1 2 ] }"
    )
    one = "Shape { appearance Appearance { } geometry USE G }\n"
    (tmp_path / "a.wrl").write_text(f"#VRML V2.0 utf8\nShape {{ {geometry} }}\n" + one * 33_000)
    with pytest.raises(LimitExceeded, match="materials"):
        open_mesh(tmp_path / "a.wrl")


@pytest.mark.timeout(60)
def test_primitives_that_show_nothing_are_counted(tmp_path: Path) -> None:
    glb = tetrahedron()
    glb.data["meshes"][0]["primitives"] = [{"attributes": {}}] * 100_001
    with pytest.raises(LimitExceeded, match="primitives"):
        open_mesh(glb.save(tmp_path))


# Values that made a reader fail in a way nobody had thought of


def test_a_required_extension_that_is_no_name(tmp_path: Path) -> None:
    glb = tetrahedron()
    glb.data["extensionsRequired"] = [{"a": 1}, None, ["b"]]
    assert len(reader("gltf")(glb.save(tmp_path)).notes) == 3


@pytest.mark.parametrize("weight", [10**400, float("nan"), 1e308, -(10**30)])
def test_a_morph_weight_without_sense_is_none(weight: float, tmp_path: Path) -> None:
    glb = tetrahedron(targets=[{"POSITION": 0}])
    glb.data["meshes"][0]["weights"] = [weight]
    soup = reader("gltf")(glb.save(tmp_path))
    np.testing.assert_array_equal(soup.positions, CORNERS)


def _draco(packed: bytes, vertices: int, corners: int) -> Glb:
    glb = Glb()
    position = glb.add("accessors", {"componentType": 5126, "count": vertices, "type": "VEC3"})
    indices = glb.add("accessors", {"componentType": 5125, "count": corners, "type": "SCALAR"})
    extension = {"bufferView": glb.view(packed), "attributes": {"POSITION": 0}}
    primitive = {"attributes": {"POSITION": position}, "indices": indices}
    glb.mesh(primitive | {"extensions": {"KHR_draco_mesh_compression": extension}})
    glb.scene({"mesh": 0})
    return glb


def test_draco_points_in_place_of_triangles(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="Draco"):
        reader("gltf")(_draco(DracoPy.encode(CORNERS), 4, 12).save(tmp_path))


def test_draco_that_announces_less_than_it_holds_is_counted(tmp_path: Path) -> None:
    grid = np.indices((400, 400)).reshape(2, -1).T
    points = np.column_stack((grid, grid.sum(axis=1))).astype(np.float32)
    first = (np.arange(399)[:, None] * 400 + np.arange(399)).ravel()
    faces = np.concatenate([np.stack((first, first + 1, first + 400), axis=1)] * 2).astype(np.uint32)
    glb = _draco(DracoPy.encode(points, faces, compression_level=10), 0, 0)
    mesh = glb.data["meshes"][0]
    mesh["primitives"] = [mesh["primitives"][0]] * 60
    with pytest.raises(LimitExceeded, match="out of proportion"):
        read_gltf(glb.save(tmp_path), Limits(unpack_ratio=1.0), no_progress)


@pytest.mark.parametrize(
    ("properties", "row"),
    [
        ("property list uchar float s\nproperty float t", "1 0.5 0"),
        ("property list uchar float s\nproperty list uchar float t", "1 0.5 1 0.5"),
    ],
)
def test_ply_lists_where_texture_coordinates_should_be(properties: str, row: str, tmp_path: Path) -> None:
    text = _PLY.format(name="skin.png").replace("property float s\nproperty float t", properties)
    for corner in ("0 0 0", "1 0 0", "0 1 0"):
        text = text.replace(f"\n{corner} ", f"\n{corner} {row} #", 1)
    lines = [line.partition(" #")[0] for line in text.splitlines()]
    (tmp_path / "a.ply").write_text("\n".join(lines) + "\n")
    assert reader("ply")(tmp_path / "a.ply").uv is None


def test_ply_texture_numbers_without_coordinates(tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 1\nproperty list uchar int vertex_indices\nproperty int texnumber\n"
        "end_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2 7\n"
    )
    assert len(open_mesh(tmp_path / "a.ply").mesh.materials) == 1


@pytest.mark.parametrize("scale", [1e-30, 1e-18, 1e-12, 1.0, 1e6, 1e11])
def test_normals_of_models_of_any_size(scale: float, tmp_path: Path) -> None:
    soup = patchwork()
    soup.positions = (soup.positions * np.float64(scale)).astype(np.float32)
    records = np.zeros(len(soup.triangles), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    records["corners"] = soup.positions[soup.triangles]
    (tmp_path / "a.stl").write_bytes(bytes(80) + struct.pack("<I", len(records)) + records.tobytes())
    lengths = np.linalg.norm(open_mesh(tmp_path / "a.stl").mesh.normals, axis=1)
    assert (np.abs(lengths - 1) < 1e-5).all()


def test_a_texture_that_claims_too_many_pixels_ends_the_opening_with_words(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match="pixels"):
        _open_obj(tmp_path, _OBJ, "newmtl m\nmap_Kd skin.png\n", skin__png=png_claiming(60_000, 60_000))


# Small files that place, list or name the same thing over and over


def _wrl(tmp_path: Path, text: str) -> Path:
    (tmp_path / "a.wrl").write_text("#VRML V2.0 utf8\n" + text)
    return tmp_path / "a.wrl"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("nothing", ["NULL ", '"" '])
def test_vrml_group_of_nothing_used_often(nothing: str, tmp_path: Path) -> None:
    text = f"DEF A Group {{ children [ {nothing * 50_000} ] }}\nGroup {{ children [ {'USE A ' * 50_000} ] }}\n"
    with pytest.raises(UnreadableFile, match="no triangles"):
        open_mesh(_wrl(tmp_path, text))


@pytest.mark.timeout(60)
def test_vrml_tables_of_shapes_that_show_nothing_are_counted(tmp_path: Path) -> None:
    shape = "Shape { geometry IndexedFaceSet { coord USE C } }\n"
    text = f"Shape {{ geometry IndexedFaceSet {{ coord DEF C Coordinate {{ point [ {'0 0 0 ' * 100_000} ] }} }} }}\n"
    with pytest.raises(LimitExceeded, match="vertices"):
        open_mesh(_wrl(tmp_path, text + shape * 20_000))


def test_compressed_vrml_that_grows_too_much(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    packed = packer.compress(b"#VRML V2.0 utf8\n")
    packed += b"".join(packer.compress(b" " * (1 << 20)) for _ in range(100)) + packer.flush()
    (tmp_path / "a.wrl").write_bytes(packed)
    with pytest.raises(LimitExceeded, match="unpacks"):
        reader("vrml")(tmp_path / "a.wrl")


@pytest.mark.timeout(60)
def test_3mf_components_that_place_nothing_are_counted(tmp_path: Path) -> None:
    """An assembly of fifty thousand supports, placed fifty thousand times: two billion looks at next to nothing."""
    support = object_node(1).replace('type="model"', 'type="support"')
    parts = [support]
    for number, part in ((2, 1), (3, 2)):
        components = f'<component objectid="{part}"/>' * 50_000
        parts.append(f'<object id="{number}" type="model"><components>{components}</components></object>')
    model = model_text("".join(parts), '<item objectid="3"/>')
    with pytest.raises(LimitExceeded, match="places"):
        open_mesh(package_file(tmp_path, model))


@pytest.mark.timeout(60)
def test_3mf_places_that_multiply_are_counted_before_the_library_looks(tmp_path: Path) -> None:
    """Thirty levels, each placing the one below twice, and a build that uses none of them."""
    parts = [object_node(1)]
    for level in range(2, 32):
        twice = f'<component objectid="{level - 1}"/>' * 2
        parts.append(f'<object id="{level}" type="model"><components>{twice}</components></object>')
    with pytest.raises(LimitExceeded, match="places"):
        open_mesh(package_file(tmp_path, model_text("".join(parts))))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["object", "colorgroup"])
def test_3mf_resources_are_counted_before_the_library_looks(kind: str, tmp_path: Path) -> None:
    if kind == "object":
        many = "".join(map(object_node, range(2, 20_000)))
    else:
        color = '<m:color color="#FF0000"/>'
        many = "".join(f'<m:colorgroup id="{number}">{color}</m:colorgroup>' for number in range(2, 20_000))
    with pytest.raises(LimitExceeded, match="resources"):
        open_mesh(package_file(tmp_path, model_text(many + object_node(1))))


@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
def test_3mf_objects_in_other_parts_and_other_encodings_are_counted(coding: str, tmp_path: Path) -> None:
    other = model_text(object_node(1)).replace("UTF-8", coding).encode(coding)
    component = '<component objectid="1" p:path="/3D/other.model"/>'
    levels = [f'<object id="2" type="model"><components>{component * 200}</components></object>']
    levels.append('<object id="3" type="model"><components><component objectid="2"/></components></object>')
    path = package_file(tmp_path, model_text("".join(levels), '<item objectid="3"/>' * 100))
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("3D/other.model", other)
    with pytest.raises(LimitExceeded, match="places"):
        open_mesh(path)


@pytest.mark.timeout(60)
def test_3mf_build_items_are_counted_before_they_are_looked_at(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match="places"):
        open_mesh(package_file(tmp_path, model_text(object_node(1), '<item objectid="1"/>' * 150_000)))
