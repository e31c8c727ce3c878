"""OBJ, MTL and zipped OBJ: dialects, materials beside the file and nowhere else, damage."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np
import pymeshlab
import pytest
import trimesh
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from app.errors import LimitExceeded, UnreadableFile
from app.formats.mtl import ImageUse, image_use
from app.formats.obj import read as read_obj
from app.formats.registry import Limits, WriteOptions, format_of, no_progress
from app.mesh.soup import Material, Soup, Texture
from tests.formats.helpers import (
    assert_survives,
    corner_colors,
    corner_pixels,
    corner_uv,
    corners,
    mutations,
    painted,
    patchwork,
    reader,
    round_trip,
    sample_pixels,
    written,
)
from tests.meshes import cube_soup, textured_soup

read = reader("obj")
_QUAD = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"
_PIXELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
_PNG = Texture.from_pixels(_PIXELS).encoded


def _read(tmp_path: Path, text: str | bytes, **beside: str | bytes) -> Soup:
    """Read a text as a.obj, with further files in its folder (a double underscore stands for the dot)."""
    (tmp_path / "a.obj").write_bytes(text if isinstance(text, bytes) else text.encode())
    for name, content in beside.items():
        (tmp_path / name.replace("__", ".")).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(tmp_path / "a.obj")


def test_round_trip_of_vertex_colors(tmp_path: Path) -> None:
    soup = painted()
    back = round_trip("obj", soup, tmp_path / "a.obj")
    assert np.array_equal(back.triangles, soup.triangles)
    assert np.abs(back.positions - soup.positions).max() < 1e-5
    assert np.abs(corner_colors(back) - corner_colors(soup)).max() < 1e-4
    assert (back.up, back.unit_mm) == ("z", 1.0)
    assert not (tmp_path / "a.mtl").exists()


def test_round_trip_of_materials_and_textures(tmp_path: Path) -> None:
    soup = patchwork()
    back = round_trip("obj", soup, tmp_path / "a.obj")
    assert np.abs(corners(back) - corners(soup)).max() < 1e-5
    assert np.allclose(corner_uv(back), corner_uv(soup), atol=1e-6)
    assert np.array_equal(corner_pixels(back), corner_pixels(soup))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mtl", "a.obj", "a_1.png", "a_2.png"]


def test_texture_bytes_are_handed_on(tmp_path: Path) -> None:
    soup = textured_soup(8, 4)
    written("obj", soup, tmp_path / "Müller & Söhne.obj")
    texture = soup.materials[0].texture
    assert texture is not None
    assert (tmp_path / "M_ller_S_hne.png").read_bytes() == texture.encoded


@pytest.mark.parametrize("unit", [1.0, 10.0, 1000.0, 0.001])
def test_axes_and_unit_of_the_profile(tmp_path: Path, unit: float) -> None:
    soup = cube_soup(123.456)
    soup.positions += np.float32(7)
    path = written("obj", soup, tmp_path / "a.obj", WriteOptions(up="y", unit_mm=unit))
    theirs = trimesh.load(path, process=False).vertices * unit
    expected = np.stack((soup.positions[:, 0], soup.positions[:, 2], -soup.positions[:, 1]), axis=1)
    assert np.abs(theirs - expected).max() < 2e-5
    assert (read(path).up, read(path).unit_mm) == ("y", unit)


def test_other_programs_read_colors(tmp_path: Path) -> None:
    soup = painted()
    path = written("obj", soup, tmp_path / "a.obj")
    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(str(path))
    mesh = meshes.current_mesh()
    assert np.abs(mesh.vertex_matrix() - soup.positions).max() < 1e-5
    assert np.array_equal(mesh.face_matrix(), soup.triangles)
    assert soup.colors is not None
    assert np.array_equal(np.round(mesh.vertex_color_matrix()[:, :3] * 255), np.round(soup.colors * 255))
    assert trimesh.load(path, process=False).visual.vertex_colors.shape == (162, 4)


def test_other_programs_read_the_texture_the_right_way_up(tmp_path: Path) -> None:
    soup = textured_soup(12, 6)
    path = written("obj", soup, tmp_path / "ball.obj")
    theirs = trimesh.load(path, process=False)
    image = np.asarray(theirs.visual.material.image.convert("RGB"))
    assert np.array_equal(sample_pixels(image, theirs.visual.uv)[theirs.faces], corner_pixels(soup))
    vtk_reader = vtk.vtkOBJReader()
    vtk_reader.SetFileName(str(path))
    vtk_reader.Update()
    output = vtk_reader.GetOutput()
    faces = vtk_to_numpy(output.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    uv = vtk_to_numpy(output.GetPointData().GetTCoords())
    assert np.array_equal(sample_pixels(image, uv[faces]), corner_pixels(soup))


def test_base_color_is_multiplied_into_the_texture(tmp_path: Path) -> None:
    soup = textured_soup(8, 4)
    texture = Texture.from_pixels(np.full((4, 4, 3), 255, np.uint8))
    soup.materials = [Material("skin", (0.5, 1.0, 0.0), texture)]
    written("obj", soup, tmp_path / "a.obj")
    assert "Kd 1 1 1" in (tmp_path / "a.mtl").read_text()
    back = read(tmp_path / "a.obj").materials[0].texture
    assert back is not None
    assert back.pixels()[0, 0].tolist() == [128, 255, 0]


def test_texture_limit_and_format_of_the_profile(tmp_path: Path) -> None:
    options = WriteOptions(texture_format="jpeg", texture_limit=16)
    back = round_trip("obj", textured_soup(8, 4), tmp_path / "a.obj", options).materials[0].texture
    assert back is not None
    assert (back.mime, back.width, back.height) == ("image/jpeg", 16, 8)


@pytest.mark.parametrize(
    "faces",
    [
        "f 1 2 3 4",
        "f 1/1 2/1 3/1 4/1",
        "f 1//1 2//1 3//1 4//1",
        "f 1/1/1 2/1/1 3/1/1 4/1/1",
        "f -4 -3 -2 -1",
        "f\t1\t2\t3\t4\t",
        "f 1 2 \\\n3 4",
        "f 1 2 3 4 # face",
        "f 1/ 2/ 3/ 4/",
        "g a b\ns 1\nf 1 2 3\nf 1 3 4",
        "l 1 2\np 1\nf 1 2 3 4",
        "vp 0 0\nsurf x\nf 1 2 3 4",
        "f 1 2 3 4\nf 1 2",
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_dialects_of_faces(tmp_path: Path, faces: str, ending: str) -> None:
    soup = _read(tmp_path, f"{_QUAD}vt 0.5 0.25\nvn 0 0 1\n{faces}".replace("\n", ending))
    assert soup.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    if "1/1" in faces:
        assert corner_uv(soup).tolist() == [[[0.5, 0.25]] * 3] * 2
    else:
        assert soup.uv is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = f"# Büste\n{_QUAD}f 1 2 3\n"
    mark = {"utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    assert len(_read(tmp_path, mark + text.encode(encoding)).triangles) == 1


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    """Against Python's own reading of the same text."""
    rng = np.random.default_rng(3)
    values = rng.standard_normal(3000) * 10.0 ** rng.integers(-20, 12, 3000)
    texts = [f"{value:.{int(rng.integers(1, 18))}{'efg'[int(rng.integers(3))]}}" for value in values]
    texts += [
        "0",
        "-0",
        "+1.",
        ".5",
        "1e5",
        "1E-3",
        "00012.500",
        "1e-400",
        "123456789012345678901e-9",
        "4.9e-324",
    ]
    texts += ["0.1", "16777217"]
    lines = [f"v {a} {b} {c}" for a, b, c in zip(texts[::3], texts[1::3], texts[2::3], strict=True)]
    soup = _read(tmp_path, "\n".join([*lines, "f 1 2 3"]))
    with np.errstate(over="ignore", under="ignore"):
        expected = np.array([float(text) for text in texts], np.float64).astype(np.float32)
    assert np.array_equal(soup.positions.ravel(), expected)


def test_vertex_colors_0_to_255_and_weights(tmp_path: Path) -> None:
    soup = _read(tmp_path, "v 0 0 0 255 0 51\nv 1 0 0 0 255 0\nv 0 1 0 255 255 255\nf 1 2 3")
    assert soup.colors is not None
    assert np.allclose(soup.colors, [[1, 0, 0.2], [0, 1, 0], [1, 1, 1]])
    assert _read(tmp_path, "v 0 0 0 1\nv 1 0 0 1\nv 0 1 0 1\nf 1 2 3").colors is None


def test_zbrush_polypaint(tmp_path: Path) -> None:
    soup = _read(tmp_path, f"{_QUAD}#MRGB ffff0000ff00ff00\n#MRGB 000000ffffffffff\nf 1 2 3 4")
    assert soup.colors is not None
    assert soup.colors.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]


def test_materials_of_triangles(tmp_path: Path) -> None:
    mtl = "newmtl red hot\nKd 1 0 0\nnewmtl b\n\tmap_Kd skin 1.png\n\tKd 0.1 0.1 0.1\n"
    (tmp_path / "skin 1.png").write_bytes(_PNG)
    text = f"mtllib my file.mtl\n{_QUAD}vt 0 0\nf 1 2 3\nusemtl red hot\nf 1/1 2/1 3/1 4/1\nusemtl b\nf 1/1 2/1 3/1"
    (tmp_path / "my file.mtl").write_text(mtl)
    soup = _read(tmp_path, text)
    assert soup.triangle_material is not None
    names = [soup.materials[number].name for number in soup.triangle_material]
    assert names == ["material", "red hot", "red hot", "b"]
    red, skin = soup.materials[soup.triangle_material[1]], soup.materials[soup.triangle_material[3]]
    assert (red.base_color, red.texture) == ((1.0, 0.0, 0.0), None)
    assert skin.texture is not None
    assert skin.texture.encoded == _PNG
    assert skin.base_color == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("skin.png", ImageUse("skin.png")),
        ("my skin 2.png", ImageUse("my skin 2.png")),
        ("-s 2 3 1 -o 0.5 0 0 my skin.png", ImageUse("my skin.png", (2.0, 3.0), (0.5, 0.0))),
        ("-o 0.5 1.png", ImageUse("1.png", offset=(0.5, 0.0))),
        ("-bm 0.2 -clamp on -mm 0 1 -imfchan r x.jpg", ImageUse("x.jpg", clamp=True)),
        ('"quoted name.png"', ImageUse("quoted name.png")),
        ("-s 1 1 1", None),
        ("-bm", None),
    ],
)
def test_options_of_images(line: str, use: ImageUse | None) -> None:
    assert image_use(line) == use


def test_scale_and_offset_change_only_their_material(tmp_path: Path) -> None:
    mtl = "newmtl a\nmap_Kd -s 2 3 1 -o 0.5 0.25 0 s.png\nnewmtl b\nmap_Kd s.png\n"
    text = f"mtllib a.mtl\n{_QUAD}vt 0.5 0.5\nusemtl a\nf 1/1 2/1 3/1\nusemtl b\nf 1/1 2/1 3/1"
    soup = _read(tmp_path, text, a__mtl=mtl, s__png=_PNG)
    assert corner_uv(soup)[:, 0].tolist() == [[1.5, 1.75], [0.5, 0.5]]


@pytest.mark.parametrize(
    "name",
    ["SKIN.PNG", "C:\\Users\\me\\skin.png", "/home/me/skin.png", "../elsewhere/skin.png", ".\\skin.png", "x/skin.png"],
)
def test_images_named_from_another_computer_are_found_beside_the_file(tmp_path: Path, name: str) -> None:
    soup = _read(
        tmp_path,
        f"mtllib a.mtl\n{_QUAD}vt 0 0\nusemtl m\nf 1/1 2/1 3/1",
        a__mtl=f"newmtl m\nmap_Kd {name}",
        skin__png=_PNG,
    )
    assert soup.materials[0].texture is not None


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "m.mtl").write_text("newmtl m\nKd 1 0 0")
    (tmp_path / "skin.png").write_bytes(_PNG)
    (inner / "link.png").symlink_to(tmp_path / "skin.png")
    (inner / "out").symlink_to(tmp_path)
    for name in ("../m.mtl", str(tmp_path / "m.mtl"), "out/m.mtl"):
        soup = _read(inner, f"mtllib {name}\n{_QUAD}usemtl m\nf 1 2 3")
        assert soup.materials[0].base_color == (1.0, 1.0, 1.0)
        assert "is not beside" in soup.notes[0]
    for name in ("link.png", "../skin.png", "out/skin.png", "out\\skin.png", "a\0b", "x" * 5000):
        soup = _read(inner, f"mtllib a.mtl\n{_QUAD}vt 0 0\nusemtl m\nf 1/1 2/1 3/1", a__mtl=f"newmtl m\nmap_Kd {name}")
        assert soup.materials[0].texture is None
        assert len(soup.notes) == 1


def test_missing_and_damaged_materials_are_notes(tmp_path: Path) -> None:
    text = f"mtllib a.mtl\n{_QUAD}vt 0 0\nusemtl m\nf 1/1 2/1 3/1"
    assert "material file a.mtl" in _read(tmp_path, text).notes[0]
    assert "texture s.png" in _read(tmp_path, text, a__mtl="newmtl m\nmap_Kd s.png").notes[0]
    damaged = _read(tmp_path, text, a__mtl=b"\xff\xfe\0newmtl\nnewmtl m\nKd red\nmap_Kd s.png", s__png=_PNG[:30])
    assert len(damaged.notes) == 1
    assert damaged.materials[0].base_color == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("# nothing\n", "no triangles"),
        (_QUAD, "only points or lines, or is cut off"),
        (f"{_QUAD}f 1 2 5", "names vertex 5, of 4"),
        (f"{_QUAD}f 1 2 99999999999999999999", "names vertex"),
        (f"{_QUAD}f 1 2 0", "line 5: .*before the first"),
        (f"{_QUAD}f 1 2 -5", "before the first"),
        (f"{_QUAD}f 1 2 x", "line 5: .*face that cannot be read"),
        ("v 0 0\nf 1 1 1", "line 1: .*without three numbers"),
        (f"{_QUAD}vt\nvt x\nf 1 2 3", "texture coordinate"),
        ("v nan 0 0\nv 0 inf 0\nv 0 0 1e300\nf 1 2 3", "all numbers"),
        ("v 0 0 0\0", "binary"),
    ],
)
def test_damage_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words) as caught:
        _read(tmp_path, text)
    assert caught.value.advice


def test_broken_numbers_cost_only_their_triangles(tmp_path: Path) -> None:
    soup = _read(tmp_path, f"{_QUAD}v nan 1.#QNAN -inf\nf 1 2 3\nf 1 2 5")
    assert soup.triangles.tolist() == [[0, 1, 2]]
    assert "1 triangles" in soup.notes[0]


def test_limits_come_before_memory(tmp_path: Path) -> None:
    path = written("obj", cube_soup(), tmp_path / "a.obj")
    for limits in (Limits(vertices=7), Limits(triangles=11), Limits(file_bytes=50)):
        with pytest.raises(LimitExceeded):
            read_obj(path, limits, no_progress)


def test_huge_polygon_and_many_switches(tmp_path: Path) -> None:
    """What makes other readers take tens of seconds."""
    angle = np.linspace(0, 2 * np.pi, 60_000, endpoint=False)
    radius = 1 + 0.1 * np.sin(angle * 5000)
    lines = [f"v {x:.6f} {y:.6f} 0" for x, y in zip(radius * np.cos(angle), radius * np.sin(angle), strict=True)]
    face = "f " + " ".join(str(k + 1) for k in range(len(angle)))
    soup = _read(tmp_path, "\n".join([*lines, face]))
    assert len(soup.triangles) == len(angle) - 2
    switched = _read(tmp_path, _QUAD + "usemtl a\nf 1 2 3\nusemtl b\nf 1 2 3\n" * 5000)
    assert len(switched.materials) == 2


def test_mutations(tmp_path: Path) -> None:
    mtl = "newmtl m\nmap_Kd -s 2 2 s.png\n"
    (tmp_path / "a.mtl").write_text(mtl)
    (tmp_path / "s.png").write_bytes(_PNG)
    text = f"mtllib a.mtl\n{_QUAD}vt 0 0\nvt 1 0\nusemtl m\nf 1/1 2/2 3/1\nf -1/-1 -2/-2 -3//\n"
    text += "v 0 0 1 .5 .5 .5\nf 1 3 5 \\\n4"
    assert_survives(read, text.encode(), tmp_path / "a.obj", count=400)


def test_mutated_materials(tmp_path: Path) -> None:
    mtl = b"newmtl m\nKd 0.5 0.5 0.5\nmap_Kd -s 2 2 1 -o 0 0 s.png\nnewmtl n\nKd 1 1 1"
    text = f"mtllib a.mtl\n{_QUAD}vt 0 0\nusemtl m\nf 1/1 2/1 3/1\nusemtl n\nf 1 2 3"
    for seed, copy in enumerate(mutations(mtl, 5, 200)):
        soup = _read(tmp_path, text, a__mtl=copy, s__png=_PNG)
        assert len(soup.triangles) == 2, seed


def test_sniffing(tmp_path: Path) -> None:
    written("obj", cube_soup(), tmp_path / "model.txt")
    assert format_of(tmp_path / "model.txt").id == "obj"
