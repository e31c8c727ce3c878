"""3MF: what is written is what the standard asks for, what others write is read, packages that lie are refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import lib3mf
import numpy as np
import pymeshlab
import pytest
import trimesh
from PIL import Image

from app.errors import UnreadableFile, WriteFailed
from app.formats.registry import WriteOptions, format_of
from app.mesh.soup import Material, Soup, Texture
from tests.formats.helpers import (
    assert_survives,
    corner_colors,
    corner_pixels,
    corner_uv,
    corners,
    painted,
    patchwork,
    reader,
    round_trip,
    sample_pixels,
    written,
)
from tests.formats.threemf_files import CORE, MATERIAL, model_text, object_node, package_file
from tests.meshes import cube_soup, textured_soup

read = reader("3mf")


def _xml(path: Path) -> ElementTree.Element:
    with zipfile.ZipFile(path) as package:
        return ElementTree.fromstring(package.read("3D/3dmodel.model"))


# Writing


def test_round_trip_of_vertex_colors(tmp_path: Path) -> None:
    soup = painted()
    back = round_trip("3mf", soup, tmp_path / "a.3mf")
    assert np.array_equal(back.triangles, soup.triangles)
    assert np.abs(back.positions - soup.positions).max() < 1e-5
    assert len(back.positions) == len(soup.positions)
    assert np.allclose(corner_colors(back), corner_colors(soup), atol=1e-6)
    assert (back.up, back.unit_mm, back.notes) == ("z", 1.0, [])


def test_round_trip_of_textures_beside_a_plain_color(tmp_path: Path) -> None:
    soup = patchwork()
    back = round_trip("3mf", soup, tmp_path / "a.3mf")
    assert np.abs(corners(back) - corners(soup)).max() < 1e-5
    assert np.allclose(corner_uv(back)[:-12], corner_uv(soup)[:-12], atol=1e-5)
    assert np.array_equal(corner_pixels(back), corner_pixels(soup))


def test_model_is_what_the_standard_asks_for(tmp_path: Path) -> None:
    """By its XML: millimetres, a colour group, properties on the object and on each corner, one build item."""
    soup = painted()
    model = _xml(written("3mf", soup, tmp_path / "a.3mf", WriteOptions(title="Anna & Bob")))
    assert model.get("unit") == "millimeter"
    assert {node.get("name"): node.text for node in model.iter(f"{CORE}metadata")}["Title"] == "Anna & Bob"
    group = model.find(f"{CORE}resources/{MATERIAL}colorgroup")
    assert group is not None
    palette = [color.get("color") for color in group]
    part = model.find(f"{CORE}resources/{CORE}object")
    assert part is not None
    assert part.get("pid") == group.get("id")
    assert part.get("pindex") is not None
    rows = list(part.iter(f"{CORE}triangle"))
    found = [[palette[int(row.get(name, row.get("p1", "")))] for name in ("p1", "p2", "p3")] for row in rows]
    eight = np.round(corner_colors(soup) * 255).astype(int)
    assert found == [[f"#{r:02X}{g:02X}{b:02X}FF" for r, g, b in row] for row in eight]
    assert [item.get("objectid") for item in model.iter(f"{CORE}item")] == [part.get("id")]


def test_strict_reading_by_the_library_finds_nothing_wrong(tmp_path: Path) -> None:
    for soup in (painted(), patchwork(), cube_soup()):
        model = lib3mf.get_wrapper().CreateModel()
        strict = model.QueryReader("3mf")
        strict.SetStrictModeActive(True)
        strict.ReadFromFile(str(written("3mf", soup, tmp_path / "a.3mf")))
        assert strict.GetWarningCount() == 0
        meshes = model.GetMeshObjects()
        assert meshes.MoveNext()
        mesh = meshes.GetCurrentMeshObject()
        assert mesh.GetTriangleCount() == len(soup.triangles)
        assert [round(c, 5) for c in mesh.GetVertex(5).Coordinates] == pytest.approx(soup.positions[5], abs=1e-5)


def test_closed_mesh_stays_closed_by_index(tmp_path: Path) -> None:
    theirs = trimesh.load_mesh(written("3mf", painted(), tmp_path / "a.3mf"), process=False)
    assert theirs.is_watertight
    assert theirs.is_winding_consistent


def test_texture_coordinates_have_their_origin_at_the_lower_left(tmp_path: Path) -> None:
    """By the XML and the image in the package, as Materials 1.2, chapter 6 has it."""
    soup = textured_soup(12, 6)
    path = written("3mf", soup, tmp_path / "a.3mf")
    model = _xml(path)
    uv = np.array([[float(node.get(k, "")) for k in "uv"] for node in model.iter(f"{MATERIAL}tex2coord")])
    rows = [
        [int(row.get(name, row.get("p1", ""))) for name in ("p1", "p2", "p3")] for row in model.iter(f"{CORE}triangle")
    ]
    with zipfile.ZipFile(path) as package:
        image = np.asarray(Image.open(io.BytesIO(package.read("3D/Textures/texture1.png"))))
    assert np.array_equal(sample_pixels(image, uv[np.array(rows)]), corner_pixels(soup))
    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(str(path))
    assert meshes.current_mesh().texture_number() == 1
    assert meshes.current_mesh().face_number() == len(soup.triangles)


def test_texture_bytes_are_handed_on_as_they_are(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(buffer, "JPEG")
    soup = textured_soup(8, 4)
    soup.materials = [Material(texture=Texture(buffer.getvalue(), "image/jpeg", 8, 8), wrap="clamp")]
    path = written("3mf", soup, tmp_path / "a.3mf")
    with zipfile.ZipFile(path) as package:
        images = [name for name in package.namelist() if name.startswith("3D/Textures/")]
        assert [package.read(name) for name in images] == [buffer.getvalue()]
    node = next(_xml(path).iter(f"{MATERIAL}texture2d"))
    assert (node.get("contenttype"), node.get("tilestyleu"), node.get("tilestylev")) == ("image/jpeg", "clamp", "clamp")
    assert read(path).materials[0].wrap == "clamp"


def test_triangles_with_a_vertex_twice_are_left_out_and_noted(tmp_path: Path) -> None:
    soup = painted()
    assert soup.colors is not None
    soup.triangles = np.insert(soup.triangles, [0, 7], [[1, 1, 2], [5, 6, 5]], axis=0)
    back = round_trip("3mf", soup, tmp_path / "a.3mf")
    assert np.array_equal(back.triangles, painted().triangles)
    assert np.allclose(corner_colors(back), corner_colors(painted()), atol=1e-6)
    assert "2 triangles" in soup.notes[0]


@pytest.mark.parametrize(("unit_mm", "name"), [(1.0, "millimeter"), (25.4, "inch"), (1000.0, "meter")])
def test_units(tmp_path: Path, unit_mm: float, name: str) -> None:
    path = written("3mf", cube_soup(50.8), tmp_path / "a.3mf", WriteOptions(unit_mm=unit_mm))
    assert _xml(path).get("unit") == name
    back = read(path)
    assert back.unit_mm == unit_mm
    assert back.positions.max() * unit_mm == pytest.approx(25.4, abs=1e-2 if unit_mm == 1000 else 1e-4)


def test_colors_of_the_profile(tmp_path: Path) -> None:
    plain = round_trip("3mf", patchwork(), tmp_path / "a.3mf", WriteOptions(color="none"))
    assert (plain.colors, plain.uv, plain.materials[0].base_color) == (None, None, (1.0, 1.0, 1.0))
    on_vertices = round_trip("3mf", patchwork(), tmp_path / "a.3mf", WriteOptions(color="vertex"))
    assert np.allclose(corner_colors(on_vertices)[-12:], [1.0, 0.2, 0.0])
    assert on_vertices.uv is None
    scaled = round_trip("3mf", textured_soup(8, 4), tmp_path / "a.3mf", WriteOptions(texture_limit=16))
    assert scaled.materials[0].texture is not None
    assert scaled.materials[0].texture.width == 16


def test_materials_without_textures_become_base_materials(tmp_path: Path) -> None:
    soup = cube_soup()
    soup.materials = [Material("a", (1.0, 0.0, 0.0)), Material("b", (0.0, 0.0, 1.0))]
    soup.triangle_material = np.repeat(np.array([0, 1], np.int16), 6)
    path = written("3mf", soup, tmp_path / "a.3mf")
    bases = [(base.get("name"), base.get("displaycolor")) for base in _xml(path).iter(f"{CORE}base")]
    assert bases == [("a", "#FF0000FF"), ("b", "#0000FFFF")]
    assert np.array_equal(corner_pixels(read(path)), corner_pixels(soup))


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    for path, options in (
        (tmp_path / "missing" / "a.3mf", WriteOptions()),
        (tmp_path / "a.3mf", WriteOptions(unit_mm=3)),
    ):
        with pytest.raises(WriteFailed) as caught:
            written("3mf", cube_soup(), path, options)
        assert caught.value.advice


# Reading


def test_components_transforms_and_mirrors(tmp_path: Path) -> None:
    """A part placed by a component within an item: shift, then double; and mirrored, which turns its faces round."""
    parts = object_node(1) + '<object id="2" type="model"><components>'
    parts += '<component objectid="1" transform="1 0 0 0 1 0 0 0 1 5 0 0"/></components></object>'
    build = '<item objectid="2" transform="2 0 0 0 2 0 0 0 2 0 0 1"/>'
    build += '<item objectid="1" transform="-1 0 0 0 1 0 0 0 1 0 0 0"/>'
    soup = read(package_file(tmp_path, model_text(parts, build, unit="centimeter")))
    assert soup.unit_mm == 10.0
    assert soup.positions[:4].tolist() == [[10, 0, 1], [30, 0, 1], [10, 20, 1], [10, 0, 21]]
    assert soup.positions[4:].min(axis=0).tolist() == [-10, 0, 0]
    volumes = [np.linalg.det(part - part[0, 0]).sum() / 6 for part in (corners(soup)[:4], corners(soup)[4:])]
    assert volumes == pytest.approx([8 * 1000 / 6, 1000 / 6])


def test_inheritance_of_colors(tmp_path: Path) -> None:
    """p2 and p3 take p1; a triangle without a resource takes the object's."""
    group = '<m:colorgroup id="5">' + "".join(f'<m:color color="{c}"/>' for c in ("#FF0000", "#00FF00", "#0000FF80"))
    part = object_node(1, 'pid="5" p1="0" p2="1" p3="2"', 'pid="5" p1="2"', attributes='pid="5" pindex="1"')
    colors = corner_colors(read(package_file(tmp_path, model_text(f"{group}</m:colorgroup>{part}"))))
    assert colors[0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert colors[1].tolist() == [[0, 0, 1]] * 3
    assert colors[2].tolist() == colors[3].tolist() == [[0, 1, 0]] * 3


def test_base_and_composite_materials(tmp_path: Path) -> None:
    bases = '<base name="a" displaycolor="#FF0000"/><base name="b" displaycolor="#0000FF"/>'
    group = f'<basematerials id="5">{bases}</basematerials>'
    mixed = '<m:compositematerials id="6" matid="5" matindices="0 1"><m:composite values="0.75 0.25"/>'
    mixed += "</m:compositematerials>"
    part = object_node(1, 'pid="5" p1="1"', 'pid="6" p1="0"', attributes='pid="5" pindex="0"')
    soup = read(package_file(tmp_path, model_text(group + mixed + part)))
    assert soup.colors is None
    assert corner_pixels(soup)[:, 0].tolist() == [[0, 0, 255], [191, 0, 64], [255, 0, 0], [255, 0, 0]]


def test_layers_show_the_texture(tmp_path: Path) -> None:
    image = Texture.from_pixels(np.full((2, 2, 3), 9, np.uint8)).encoded
    resources = '<m:colorgroup id="5"><m:color color="#FF0000"/></m:colorgroup>'
    resources += '<m:texture2d id="6" path="/3D/Textures/skin.png" contenttype="image/png" tilestyleu="clamp"/>'
    pairs = '<m:tex2coord u="0.1" v="0.2"/><m:tex2coord u="0.3" v="0.4"/>'
    resources += f'<m:texture2dgroup id="7" texid="6">{pairs}</m:texture2dgroup>'
    multi = '<m:multi pindices="0 1"/><m:multi pindices="0 0"/>'
    resources += f'<m:multiproperties id="8" pids="5 7">{multi}</m:multiproperties>'
    part = object_node(1, 'pid="8" p1="0" p2="1" p3="0"', 'pid="7" p1="1"', 'pid="5" p1="0"')
    soup = read(package_file(tmp_path, model_text(resources + part), skin=image))
    assert np.allclose(corner_uv(soup)[0], [[0.3, 0.4], [0.1, 0.2], [0.3, 0.4]])
    assert np.allclose(corner_uv(soup)[1], [[0.3, 0.4]] * 3)
    assert corner_pixels(soup)[:, 0].tolist() == [[9, 9, 9], [9, 9, 9], [255, 0, 0], [255, 255, 255]]
    assert soup.materials[0].wrap == "clamp"


def test_damaged_texture_is_a_note(tmp_path: Path) -> None:
    resources = '<m:texture2d id="6" path="/3D/Textures/skin.png" contenttype="image/png"/>'
    resources += '<m:texture2dgroup id="7" texid="6"><m:tex2coord u="0.1" v="0.2"/></m:texture2dgroup>'
    soup = read(package_file(tmp_path, model_text(resources + object_node(1, 'pid="7" p1="0"')), skin=b"not a picture"))
    assert len(soup.triangles) == 4
    assert any("skin.png" in note for note in soup.notes)


def test_supports_are_left_out(tmp_path: Path) -> None:
    parts = object_node(1) + object_node(2).replace('type="model"', 'type="support"')
    soup = read(package_file(tmp_path, model_text(parts, '<item objectid="1"/><item objectid="2"/>')))
    assert len(soup.triangles) == 4
    assert any("supports" in note for note in soup.notes)


def test_model_without_build_items_is_read_whole(tmp_path: Path) -> None:
    soup = read(package_file(tmp_path, model_text(object_node(1), "")))
    assert len(soup.triangles) == 4
    assert any("does not say what to print" in note for note in soup.notes)


def test_sniffing(tmp_path: Path) -> None:
    path = written("3mf", cube_soup(), tmp_path / "a.3mf")
    assert format_of(path.rename(tmp_path / "a.zip")).id == "3mf"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"PK\x03\x04 nothing", "no zip archive"), (b"hello", "no zip archive"), (b"", "no zip archive")],
)
def test_what_is_no_package(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.3mf").write_bytes(content)
    with pytest.raises(UnreadableFile, match=words):
        read(tmp_path / "a.3mf")


@pytest.mark.parametrize(
    "model",
    [
        "<model/>",
        "<model",
        model_text("", ""),
        model_text(object_node(1), '<item objectid="9"/>'),
        model_text(object_node(1)).replace("10", "ten"),
    ],
)
def test_damaged_models_are_refused(tmp_path: Path, model: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(package_file(tmp_path, model))
    assert caught.value.advice


def test_mutated_packages(tmp_path: Path) -> None:
    data = written("3mf", patchwork(), tmp_path / "b.3mf").read_bytes()
    assert_survives(read, data, tmp_path / "a.3mf", count=150)


def test_mutated_models(tmp_path: Path) -> None:
    """Damage inside the XML, which a damaged zip file hides from the reader."""
    group = '<m:colorgroup id="5"><m:color color="#FF0000"/><m:color color="#00FF00"/></m:colorgroup>'
    part = object_node(1, 'pid="5" p1="0" p2="1" p3="1"', 'pid="5" p1="1"', attributes='pid="5" pindex="1"')
    part += '<object id="2" type="model"><components><component objectid="1"/></components></object>'
    model = model_text(group + part, '<item objectid="2" transform="1 0 0 0 1 0 0 0 1 5 0 0"/>').encode()

    def wrapped(path: Path) -> Soup:
        return read(package_file(tmp_path, path.read_bytes().decode("latin-1")))

    assert_survives(wrapped, model, tmp_path / "model.xml", count=300)
