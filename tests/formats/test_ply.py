"""PLY: text and both byte orders, colours and textures of the common dialects, point clouds, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plyfile
import pymeshlab
import pytest
import trimesh
import vtk
from PIL import Image

from app.errors import LimitExceeded, UnreadableFile
from app.formats.ply import read as read_ply
from app.formats.registry import Limits, WriteOptions, format_of, no_progress
from app.mesh.soup import Texture
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
from tests.meshes import cube_soup, textured_soup

read = reader("ply")
_SQUARE = "0 0 0\n1 0 0\n1 1 0\n0 1 0\n"
_XYZ = "property float x\nproperty float y\nproperty float z\n"


def _text(vertex: str, rows: str, faces: str, *, count: int = 4, face: str = "", face_count: int = 1) -> bytes:
    head = f"ply\nformat ascii 1.0\nelement vertex {count}\n{_XYZ}{vertex}element face {face_count}\n"
    return f"{head}property list uchar int vertex_indices\n{face}end_header\n{rows}{faces}".encode()


def _save(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "a.ply"
    path.write_bytes(data)
    return path


def test_round_trip_keeps_positions_and_colors(tmp_path: Path) -> None:
    soup = painted()
    back = round_trip("ply", soup, tmp_path / "a.ply")
    assert np.array_equal(back.triangles, soup.triangles)
    assert np.array_equal(back.positions, soup.positions)
    assert np.allclose(corner_colors(back), corner_colors(soup), atol=1e-6)
    assert (back.up, back.unit_mm) == ("z", 1.0)


def test_other_programs_read_colors(tmp_path: Path) -> None:
    soup = painted()
    assert soup.colors is not None
    eight = np.round(soup.colors * 255)
    path = written("ply", soup, tmp_path / "a.ply")
    theirs = trimesh.load(path, process=False)
    assert np.array_equal(theirs.vertices, soup.positions)
    assert np.array_equal(theirs.visual.vertex_colors[:, :3], eight)
    table = plyfile.PlyData.read(path)
    assert np.array_equal(np.stack([table["vertex"][name] for name in ("red", "green", "blue")], axis=1), eight)
    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(str(path))
    assert np.array_equal(np.round(meshes.current_mesh().vertex_color_matrix()[:, :3] * 255), eight)
    vtk_reader = vtk.vtkPLYReader()
    vtk_reader.SetFileName(str(path))
    vtk_reader.Update()
    assert vtk_reader.GetOutput().GetNumberOfCells() == 320
    assert vtk_reader.GetOutput().GetPointData().GetScalars().GetNumberOfComponents() == 3


def test_one_texture_is_read_by_meshlab(tmp_path: Path) -> None:
    soup = textured_soup(12, 6)
    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(str(written("ply", soup, tmp_path / "ball.ply")))
    mesh = meshes.current_mesh()
    assert mesh.texture_number() == 1
    image = np.asarray(Image.open(tmp_path / "ball.png"))
    uv = mesh.vertex_tex_coord_matrix()
    assert np.array_equal(sample_pixels(image, uv)[mesh.face_matrix()], corner_pixels(soup))


def test_several_textures_come_back_with_the_plain_color_as_an_image(tmp_path: Path) -> None:
    soup = patchwork()
    back = round_trip("ply", soup, tmp_path / "a.ply")
    assert np.array_equal(corners(back), corners(soup))
    assert [material.texture is not None for material in back.materials] == [True, True, True]
    assert np.array_equal(corner_pixels(back), corner_pixels(soup))
    assert np.allclose(corner_uv(back)[:-12], corner_uv(soup)[:-12])


def test_texture_becomes_vertex_colors_where_the_profile_wants_them(tmp_path: Path) -> None:
    soup = textured_soup(48, 24)
    back = round_trip("ply", soup, tmp_path / "a.ply", WriteOptions(color="vertex"))
    assert back.uv is None
    colors, uv = corner_colors(back), corner_uv(soup)
    inside = (uv[..., 0] > 0.02) & (uv[..., 0] < 0.98) & (uv[..., 1] > 0.04) & (uv[..., 1] < 0.96)
    assert np.abs(colors[inside][:, 0] - uv[inside][:, 0]).max() < 0.02
    assert np.abs(colors[inside][:, 1] - uv[inside][:, 1]).max() < 0.03


def test_no_color_where_the_profile_wants_none(tmp_path: Path) -> None:
    for soup in (painted(), patchwork()):
        back = round_trip("ply", soup, tmp_path / "a.ply", WriteOptions(color="none"))
        assert back.colors is None
        assert back.uv is None


@pytest.mark.parametrize("form", ["ascii", "<", ">"])
@pytest.mark.parametrize("shade", ["u1", "u2", "f4"])
def test_another_writers_files(tmp_path: Path, form: str, shade: str) -> None:
    """Triangles, a quad and a pentagon, with colours of several types, written by plyfile."""
    top = {"u1": 255, "u2": 65535, "f4": 1}[shade]
    vertices = np.zeros(
        5, [("x", "f8"), ("y", "f4"), ("z", "f4"), *((name, shade) for name in ("red", "green", "blue"))]
    )
    vertices["x"], vertices["y"] = [0, 1, 1, 0, -1], [0, 0, 1, 2, 1]
    vertices["red"] = top
    faces = np.empty(3, [("quality", "f4"), ("vertex_indices", "O"), ("flag", "u1")])
    faces["vertex_indices"] = [np.array(f, "i4") for f in ([0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4])]
    faces["quality"], faces["flag"] = 0.5, 7
    elements = [plyfile.PlyElement.describe(vertices, "vertex"), plyfile.PlyElement.describe(faces, "face")]
    plyfile.PlyData(elements, text=form == "ascii", byte_order="<" if form == "ascii" else form).write(
        tmp_path / "a.ply"
    )
    soup = read(tmp_path / "a.ply")
    assert len(soup.triangles) == 1 + 2 + 3
    assert soup.triangles[:3].tolist() == [[0, 1, 2], [0, 1, 2], [0, 2, 3]]
    assert np.array_equal(soup.positions[:, :2], np.stack((vertices["x"], vertices["y"]), axis=1))
    assert soup.colors is not None
    assert np.array_equal(soup.colors, np.tile([1.0, 0, 0], (5, 1)))


@pytest.mark.parametrize("names", ["red green blue", "diffuse_red diffuse_green diffuse_blue", "r g b"])
def test_names_of_colors(tmp_path: Path, names: str) -> None:
    extra = "".join(f"property uchar {name}\n" for name in names.split())
    rows = _SQUARE.replace(" 0\n", " 0 255 0 51\n")
    soup = read(_save(tmp_path, _text(extra, rows, "3 0 1 2\n")))
    assert soup.colors is not None
    assert np.allclose(soup.colors, [1, 0, 0.2])


@pytest.mark.parametrize("names", ["s t", "u v", "texture_u texture_v"])
def test_texture_coordinates_of_vertices(tmp_path: Path, names: str) -> None:
    (tmp_path / "skin 1.png").write_bytes(Texture.from_pixels(np.zeros((2, 2, 3), np.uint8)).encoded)
    extra = "".join(f"property float {name}\n" for name in names.split())
    rows = _SQUARE.replace(" 0\n", " 0 0.25 0.75\n")
    data = _text(extra, rows, "3 0 1 2\n").replace(b"1.0\n", b"1.0\ncomment TextureFile skin 1.png\n", 1)
    soup = read(_save(tmp_path, data))
    assert corner_uv(soup).tolist() == [[[0.25, 0.75]] * 3]
    assert soup.materials[0].texture is not None


def test_texture_coordinates_of_faces_and_their_image_numbers(tmp_path: Path) -> None:
    """MeshLab's way: per corner, on quads too."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(Texture.from_pixels(np.zeros((2, 2, 3), np.uint8)).encoded)
    face = "property list uchar float texcoord\nproperty int texnumber\n"
    faces = "3 0 1 2 6 0 0 1 0 1 1 0\n4 0 1 2 3 8 0.1 0.1 0.2 0.2 0.3 0.3 0.4 0.4 1\n"
    data = _text("", _SQUARE, faces, face=face, face_count=2)
    data = data.replace(b"1.0\n", b"1.0\ncomment TextureFile a.png\ncomment TextureFile b.png\n", 1)
    soup = read(_save(tmp_path, data))
    assert np.allclose(corner_uv(soup)[2], [[0.1, 0.1], [0.3, 0.3], [0.4, 0.4]])
    assert soup.triangle_material is not None
    assert soup.triangle_material.tolist() == [0, 1, 1]


def test_colors_of_faces_unshare_vertices(tmp_path: Path) -> None:
    face = "property uchar red\nproperty uchar green\nproperty uchar blue\n"
    data = _text("", _SQUARE, "3 0 1 2 255 0 0\n3 0 2 3 0 0 255\n", face=face, face_count=2)
    soup = read(_save(tmp_path, data))
    assert corner_colors(soup).tolist() == [[[1, 0, 0]] * 3, [[0, 0, 1]] * 3]


def test_triangle_strips(tmp_path: Path) -> None:
    """Second triangle turned round, restart at -1; a strip that stands still gives nothing."""
    data = _text("", _SQUARE, "8 0 1 3 2 -1 0 1 2\n").replace(b"element face", b"element tristrips")
    soup = read(_save(tmp_path, data))
    assert soup.triangles.tolist() == [[0, 1, 3], [3, 1, 2], [0, 1, 2]]
    assert soup.notes


def test_header_lines_may_end_as_in_windows(tmp_path: Path) -> None:
    path = written("ply", cube_soup(), tmp_path / "b.ply")
    head, body = path.read_bytes().split(b"end_header\n")
    soup = read(_save(tmp_path, head.replace(b"\n", b"\r\n") + b"end_header\r\n" + body))
    assert np.array_equal(soup.positions, cube_soup().positions)
    assert format_of(tmp_path / "a.ply").id == "ply"


_CUBE = _text("", _SQUARE, "3 0 1 2\n")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"ply\n", "its header has no end"),
        (_CUBE[:60], "its header has no end"),
        (_CUBE.replace(b"ascii", b"binary_middle_endian"), "unknown format"),
        (_CUBE.replace(b"format ascii 1.0\n", b""), "text or binary"),
        (_CUBE.replace(b"vertex 4", b"vertex many"), "number of rows"),
        (_CUBE.replace(b"vertex 4", b"vertex 4000000"), "promises 4,000,000 rows of vertex"),
        (_CUBE.replace(b"vertex 4", b"vertex 99999999999"), "asks for 99,999,999,999 vertices"),
        (_CUBE.replace(b"float x", b"complex x"), "property that cannot be read"),
        (_CUBE.replace(b"float x", b"float a"), "no vertices with x, y and z"),
        (_CUBE.replace(b"3 0 1 2", b"3 0 1 4"), "names vertex 4"),
        (_CUBE.replace(b"3 0 1 2", b"3 0 1 -1"), "names vertex -1"),
        (_CUBE.replace(b"3 0 1 2", b"3 0 1"), "promises 1 rows of face, it holds 0"),
        (_CUBE.replace(b"1 1 0", b"1 one 0"), "not a number"),
        (_CUBE.replace(b"3 0 1 2", b"1e30 0 1 2"), "not a number"),
        (_CUBE.replace(b"3 0 1 2", b"2 0 1"), "no triangles"),
        (_text("", _SQUARE, "", face_count=0), "point cloud of 4 points"),
        (_text("property float f_dc_0\n", "0 0 0 0\n", "", count=1, face_count=0), "Gaussian splat"),
    ],
)  # fmt: skip
def test_damage_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words) as caught:
        read(_save(tmp_path, data))
    assert caught.value.advice


def test_error_in_text_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="line 12"):
        read(_save(tmp_path, _CUBE.replace(b"1 1 0", b"1 one 0")))


def test_limits_come_before_memory(tmp_path: Path) -> None:
    path = written("ply", cube_soup(), tmp_path / "a.ply")
    for limits in (Limits(vertices=7), Limits(triangles=11), Limits(file_bytes=50)):
        with pytest.raises(LimitExceeded):
            read_ply(path, limits, no_progress)


def test_texture_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    secret = tmp_path / "secret.png"
    secret.write_bytes(Texture.from_pixels(np.zeros((2, 2, 3), np.uint8)).encoded)
    (inner / "link.png").symlink_to(secret)
    rows = _SQUARE.replace(" 0\n", " 0 0 0\n")
    for name in ("../secret.png", str(secret), "link.png", "..\\secret.png"):
        data = _text("property float s\nproperty float t\n", rows, "3 0 1 2\n")
        (inner / "a.ply").write_bytes(data.replace(b"1.0\n", f"1.0\ncomment TextureFile {name}\n".encode(), 1))
        soup = read(inner / "a.ply")
        assert soup.materials[0].texture is None
        assert "not beside" in soup.notes[0]


@pytest.mark.parametrize("kind", ["text", "triangles", "mixed"])
def test_mutations(tmp_path: Path, kind: str) -> None:
    data = _text("property uchar red\n", _SQUARE.replace(" 0\n", " 0 9\n"), "4 0 1 2 3\n3 0 1 2\n", face_count=2)
    if kind == "triangles":
        data = written("ply", cube_soup(), tmp_path / "b.ply").read_bytes()
    elif kind == "mixed":
        table = plyfile.PlyData.read(_save(tmp_path, data))
        table.text, table.byte_order = False, ">"
        table.write(tmp_path / "b.ply")
        data = (tmp_path / "b.ply").read_bytes()
    assert_survives(read, data, tmp_path / "a.ply", count=300)
