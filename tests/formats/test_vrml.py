"""VRML97: what is written opens elsewhere in colour, what figurine programs export is read, damage is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from app.errors import LimitExceeded, UnreadableFile
from app.formats.registry import Limits, WriteOptions, format_of, no_progress
from app.formats.vrml_read import read as read_vrml
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
    written,
)
from tests.meshes import cube_soup

read = reader("vrml")
_SQUARE = "coord Coordinate { point [ 0 0 0, 1 0 0, 1 1 0, 0 1 0 ] }"


def _read(tmp_path: Path, body: str, *, head: str = "#VRML V2.0 utf8\n") -> Soup:
    (tmp_path / "a.wrl").write_text(head + body)
    return read(tmp_path / "a.wrl")


def _shape(fields: str, appearance: str = "") -> str:
    return f"Shape {{ {appearance} geometry IndexedFaceSet {{ {fields} }} }}"


def _vtk_parts(path: Path) -> list[vtk.vtkPolyDataMapper]:
    """The mappers of the shapes that VTK's importer finds."""
    window = vtk.vtkRenderWindow()
    importer = vtk.vtkVRMLImporter()
    importer.SetRenderWindow(window)
    importer.SetFileName(str(path))
    importer.Update()
    actors = importer.GetRenderer().GetActors()
    actors.InitTraversal()
    parts = []
    for _ in range(actors.GetNumberOfItems()):
        mapper = actors.GetNextActor().GetMapper()
        mapper.GetInputAlgorithm().Update()
        parts.append(mapper)
    return parts


def test_round_trip_of_vertex_colors(tmp_path: Path) -> None:
    soup = painted()
    back = round_trip("vrml", soup, tmp_path / "a.wrl")
    assert np.array_equal(back.triangles, soup.triangles)
    assert np.abs(back.positions - soup.positions).max() < 1e-5
    assert np.abs(corner_colors(back) - corner_colors(soup)).max() < 1e-4
    assert (back.up, back.unit_mm, back.notes) == ("z", 1.0, [])


def test_round_trip_of_materials_and_textures(tmp_path: Path) -> None:
    soup = patchwork()
    back = round_trip("vrml", soup, tmp_path / "a b.wrl")
    assert np.abs(corners(back) - corners(soup)).max() < 1e-5
    assert np.allclose(corner_uv(back)[:-12], corner_uv(soup)[:-12], atol=1e-6)
    assert np.array_equal(corner_pixels(back), corner_pixels(soup))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a b.wrl", "a_b_1.png", "a_b_2.png"]


def test_vtk_reads_vertex_colors(tmp_path: Path) -> None:
    soup = painted()
    (mapper,) = _vtk_parts(written("vrml", soup, tmp_path / "a.wrl"))
    part = mapper.GetInput()
    faces = vtk_to_numpy(part.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    points = vtk_to_numpy(part.GetPoints().GetData())
    assert np.abs(points[faces] - corners(soup)).max() < 1e-5
    mapper.UseLookupTableScalarRangeOn()  # the importer fills the table and forgets to say so
    colors = vtk_to_numpy(mapper.MapScalars(1.0))
    assert np.array_equal(colors[faces][..., :3], np.round(corner_colors(soup) * 255))


def test_vtk_reads_texture_coordinates(tmp_path: Path) -> None:
    soup = patchwork()
    parts = [mapper.GetInput() for mapper in _vtk_parts(written("vrml", soup, tmp_path / "a.wrl"))]
    assert [part.GetNumberOfCells() for part in parts] == [len(soup.triangles) - 24, 12, 12]
    faces = vtk_to_numpy(parts[0].GetPolys().GetConnectivityArray()).reshape(-1, 3)
    uv = vtk_to_numpy(parts[0].GetPointData().GetTCoords())
    assert np.abs(vtk_to_numpy(parts[0].GetPoints().GetData())[faces] - corners(soup)[:-24]).max() < 1e-5
    assert np.allclose(uv[faces][..., :2], corner_uv(soup)[:-24], atol=1e-6)


def test_axes_unit_and_color_of_the_profile(tmp_path: Path) -> None:
    soup = painted()
    soup.positions[:, 2] += 10
    back = round_trip("vrml", soup, tmp_path / "a.wrl", WriteOptions(up="y", unit_mm=1000.0, color="none"))
    assert (back.up, back.unit_mm, back.colors) == ("y", 1000.0, None)
    assert back.positions[:, 1].min() == pytest.approx(0.0, abs=1e-3)
    assert back.positions[:, 1].max() == pytest.approx(0.02, abs=1e-3)
    colored = round_trip("vrml", patchwork(), tmp_path / "a.wrl", WriteOptions(color="vertex"))
    assert np.allclose(corner_colors(colored)[-12:], [1.0, 0.2, 0.0], atol=1e-4)


def test_plain_material_and_title_that_would_end_the_text(tmp_path: Path) -> None:
    soup = cube_soup()
    soup.materials = [Material("a", (0.25, 0.5, 1.0))]
    back = round_trip("vrml", soup, tmp_path / "a.wrl", WriteOptions(title='Zoë "\\'))
    assert back.materials[0].base_color == (0.25, 0.5, 1.0)


def test_faces_of_all_sizes_and_the_last_without_an_end(tmp_path: Path) -> None:
    soup = _read(tmp_path, _shape(f"{_SQUARE} coordIndex [ 0 1 2 -1, -1, 0, 1 -1 # two corners\n 0,1,2,3 ]"))
    assert soup.triangles.tolist() == [[0, 1, 2], [0, 1, 2], [0, 2, 3]]
    assert (soup.up, soup.unit_mm) == ("y", None)
    assert soup.colors is None


def test_clockwise_faces_are_turned(tmp_path: Path) -> None:
    soup = _read(tmp_path, _shape(f"ccw FALSE {_SQUARE} coordIndex [ 0 1 2 -1 ]"))
    assert soup.triangles.tolist() == [[2, 1, 0]]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("", [[0, 1, 2], [0, 2, 3]]),
        ("colorIndex [ 3 2 1 0 -1 ]", [[3, 2, 1], [3, 1, 0]]),
        ("colorPerVertex FALSE", [[0] * 3] * 2),
        ("colorPerVertex FALSE colorIndex [ 2 ]", [[2] * 3] * 2),
    ],
)
def test_colors(tmp_path: Path, fields: str, expected: list[list[int]]) -> None:
    color = "color Color { color [ 1 0 0, 0 1 0, 0 0 1, 1 1 1 ] }"
    soup = _read(tmp_path, _shape(f"{_SQUARE} {color} {fields} coordIndex [ 0 1 2 3 -1 ]"))
    table = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], np.float32)
    assert np.array_equal(corner_colors(soup), table[np.array(expected)])


def test_textures_and_their_transform(tmp_path: Path) -> None:
    (tmp_path / "skin.png").write_bytes(Texture.from_pixels(np.zeros((2, 2, 3), np.uint8)).encoded)
    coordinates = "texCoord TextureCoordinate { point [ 0 0, 1 0, 1 1, 0 1 ] }"
    faces = f"{_SQUARE} {coordinates} texCoordIndex [ 0 1 2 -1 ] coordIndex [ 1 2 3 -1 ]"
    look = 'appearance Appearance { texture ImageTexture { url [ "skin.png" ] repeatS FALSE } %s }'
    soup = _read(tmp_path, _shape(faces, look % ""))
    assert corner_uv(soup).tolist() == [[[0, 0], [1, 0], [1, 1]]]
    assert soup.materials[0].texture is not None
    assert soup.materials[0].wrap == "clamp"
    moved = "textureTransform TextureTransform { scale 2 2 translation 0.5 0 }"
    assert corner_uv(_read(tmp_path, _shape(faces, look % moved)))[0].tolist() == [[1, 0], [3, 0], [3, 2]]


def test_transforms_groups_and_reuse(tmp_path: Path) -> None:
    """A part used twice: turned a quarter about z and shifted; then mirrored, which keeps faces outward."""
    part = f"DEF PART {_shape(f'{_SQUARE} coordIndex [ 0 1 2 -1 ]')}"
    turned = f"Transform {{ translation 5 0 0 rotation 0 0 2 1.5707963 children [ {part} ] }}"
    mirrored = "Group { children Transform { scale -1 1 1 children USE PART } }"
    hidden = "Switch { whichChoice -1 choice [ USE PART ] } LOD { level [ USE PART USE PART ] }"
    soup = _read(tmp_path, f"{turned} {mirrored} {hidden}")
    assert np.allclose(corners(soup)[0], [[5, 0, 0], [5, 1, 0], [4, 1, 0]], atol=1e-6)
    assert np.allclose(corners(soup)[1], [[-1, 1, 0], [-1, 0, 0], [0, 0, 0]])
    assert len(soup.triangles) == 3


def test_what_is_not_needed_is_stepped_over(tmp_path: Path) -> None:
    extras = """PROTO Thing [ field SFFloat a 1 ] { Group { children [ ] } }
    EXTERNPROTO Other [ field SFFloat a ] "x.wrl"
    Viewpoint { position 0 0 9 description "a } ] \\" # view" }
    Script { eventIn SFTime t url "javascript: function t() { }" }
    DEF T TimeSensor { } ROUTE T.time TO S.t
    Shape { geometry Box { size 1 1 1 } }
    Shape { appearance Appearance { texture PixelTexture { image 2 1 3 0xFF00FF 0x00FF00 } } geometry Sphere { } }
    """
    soup = _read(tmp_path, extras + _shape(f"{_SQUARE} solid TRUE creaseAngle .5 coordIndex [ 0 1 2 -1 ]"))
    assert len(soup.triangles) == 1
    assert any("Box, Sphere" in note for note in soup.notes)
    assert any("Prototypes" in note for note in soup.notes)


def test_compressed_file(tmp_path: Path) -> None:
    path = written("vrml", painted(), tmp_path / "b.wrl")
    (tmp_path / "a.wrl").write_bytes(gzip.compress(path.read_bytes()))
    assert len(read(tmp_path / "a.wrl").triangles) == 320
    (tmp_path / "a.wrl").write_bytes(gzip.compress(b"#VRML V2.0 utf8\n" + b" " * 50_000_000))
    with pytest.raises(LimitExceeded):
        read_vrml(tmp_path / "a.wrl", Limits(unpacked_bytes=1 << 20), no_progress)
    assert format_of(path).id == "vrml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Separator { }", "is no VRML file"),
        ("#VRML V1.0 ascii\nSeparator { }", "VRML 1.0"),
        ("#VRML V2.0 utf8\n", "no triangles"),
        ("#VRML V2.0 utf8\nShape { geometry", "line 2: ends too early"),
        ("#VRML V2.0 utf8\nShape ] }", "no brace after Shape"),
        ('#VRML V2.0 utf8\nWorldInfo { title "x }', "text without an end"),
        ("#VRML V2.0 utf8\n" + _shape(f"{_SQUARE} coordIndex [ 0 1 4 -1 ]"), "names point 4, of 4"),
        ("#VRML V2.0 utf8\n" + _shape(f"{_SQUARE} coordIndex [ 0 1 x ]"), "between numbers"),
        ("#VRML V2.0 utf8\n" + "Group { children [ " * 500, "nested too deep"),
        ("#VRML V2.0 utf8\n" + "[" * 100_000, "where a name should be"),
        ("#VRML V2.0 utf8\nGroup { children " + "[ " * 100_000, "nested too deep"),
        ("#VRML V2.0 utf8\n" + "DEF A " * 100_000, "nested too deep"),
    ],
)
def test_damage_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words) as caught:
        _read(tmp_path, text, head="")
    assert caught.value.advice


def test_reuse_that_multiplies_is_limited(tmp_path: Path) -> None:
    levels = "".join(f"DEF L{k} Group {{ children [ USE L{k - 1} USE L{k - 1} ] }} " for k in range(1, 40))
    body = f"Switch {{ choice [ DEF L0 {_shape(f'{_SQUARE} coordIndex [ 0 1 2 -1 ]')} {levels} ] }} USE L39"
    with pytest.raises(LimitExceeded, match="too many objects"):
        _read(tmp_path, body)


def test_node_that_contains_itself_is_limited(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        _read(tmp_path, "DEF A Group { children [ USE A ] }")


def test_mutations(tmp_path: Path) -> None:
    coordinates = "texCoord TextureCoordinate { point [ 0 0, 1 0, 1 1, 0 1 ] } color Color { color [ 1 0 0 0 1 0 ] }"
    look = 'appearance Appearance { texture ImageTexture { url "a.png" } }'
    shape = _shape(f"{_SQUARE} {coordinates} coordIndex [ 0 1 2 -1 0 2 3 -1 ]", look)
    text = f"#VRML V2.0 utf8\nTransform {{ scale 2 2 2 rotation 0 1 0 1 children [ DEF A {shape} USE A ] }}"
    assert_survives(read, text.encode(), tmp_path / "a.wrl", count=400)
