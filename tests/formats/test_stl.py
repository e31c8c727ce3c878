"""STL: text and binary, colours, damage."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
import vtk

from app.errors import LimitExceeded, UnreadableFile, WriteFailed
from app.formats.registry import Limits, WriteOptions, format_of, no_progress
from app.formats.stl import read as read_stl
from app.formats.stl import write
from app.mesh.build import build_mesh
from app.mesh.soup import Soup
from tests.formats.helpers import assert_survives, corners, painted, reader, round_trip, written
from tests.meshes import cube_soup

read = reader("stl")
_TEXT = b"""solid thing
 facet normal 0 0 1
  outer loop
   vertex 0 0 0
   vertex 1.5e0 0 0
   vertex +0 -2.5 1E-1
  endloop
 endfacet
endsolid thing
"""


def _binary(facets: list[tuple[list[float], int]], header: bytes = b"") -> bytes:
    body = b"".join(struct.pack("<12fH", 0, 0, 1, *points, attribute) for points, attribute in facets)
    return header.ljust(80) + struct.pack("<I", len(facets)) + body


_TRIANGLE = [0.0, 0, 0, 1, 0, 0, 0, 1, 0]


def test_round_trip_keeps_every_bit(tmp_path: Path) -> None:
    soup = painted()
    assert np.array_equal(corners(round_trip("stl", soup, tmp_path / "a.stl")), corners(soup))


def test_other_programs_read_what_is_written(tmp_path: Path) -> None:
    soup = painted()
    path = written("stl", soup, tmp_path / "a.stl")
    theirs = trimesh.load(path, process=False)
    assert np.array_equal(theirs.triangles.astype(np.float32), corners(soup))
    assert np.allclose(
        theirs.face_normals, np.fromfile(path, "u1")[84:].reshape(-1, 50)[:, :12].copy().view("<f4"), atol=1e-5
    )
    vtk_reader = vtk.vtkSTLReader()
    vtk_reader.SetFileName(str(path))
    vtk_reader.Update()
    assert vtk_reader.GetOutput().GetNumberOfCells() == 320
    assert vtk_reader.GetOutput().GetNumberOfPoints() == 162


def test_axes_and_unit_of_the_profile(tmp_path: Path) -> None:
    soup = cube_soup(10.0)
    soup.positions[:, 2] += 5
    path = written("stl", soup, tmp_path / "a.stl", WriteOptions(up="y", unit_mm=10.0))
    points = trimesh.load(path).vertices
    assert points.min(axis=0).tolist() == [-0.5, 0.0, -0.5]
    back = read(path)
    assert (back.up, back.unit_mm) == ("y", 10.0)


def test_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.stl"
    path.write_bytes(_TEXT)
    soup = read(path)
    assert corners(soup).tolist() == [[[0, 0, 0], [1.5, 0, 0], [0, -2.5, np.float32(0.1)]]]
    assert format_of(path).id == "stl"
    assert (soup.up, soup.unit_mm, soup.notes) == ("z", None, [])


@pytest.mark.parametrize(
    "text",
    [
        _TEXT.replace(b"\n", b"\r\n"),
        _TEXT.replace(b"\n", b"\r"),
        _TEXT.upper(),
        _TEXT.replace(b" ", b"\t"),
        _TEXT.replace(b"solid thing", b"solid vertex facet 1"),
        b"# made by hand\n" + _TEXT.replace(b"\n", b" # comment vertex\n"),
        _TEXT.replace(b" facet normal 0 0 1\n", b" facet\n"),
        b"solid empty\nendsolid empty\n" + _TEXT,
        _TEXT.replace(b"endsolid thing\n", b""),
    ],
    ids=["windows", "mac", "capitals", "tabs", "names", "comments", "no normal", "two solids", "no end"],
)
def test_dialects_of_text(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.stl").write_bytes(text)
    assert corners(read(tmp_path / "a.stl")).tolist() == [[[0, 0, 0], [1.5, 0, 0], [0, -2.5, np.float32(0.1)]]]


def test_facet_with_four_corners_becomes_two_triangles_and_one_with_two_is_noted(tmp_path: Path) -> None:
    four = b"solid\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 1 1 0\nvertex 0 1 0\nendloop\n"
    (tmp_path / "a.stl").write_bytes(four + b"outer loop\nvertex 0 0 0\nvertex 1 0 0\nendloop\nendsolid")
    soup = read(tmp_path / "a.stl")
    assert len(soup.triangles) == 2
    assert "1 facets" in soup.notes[0]


def test_binary_that_begins_like_text(tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_bytes(_binary([(_TRIANGLE, 0)], b"solid facet endsolid"))
    assert len(read(tmp_path / "a.stl").triangles) == 1


def test_viscam_colors(tmp_path: Path) -> None:
    """Valid bit set; blue in the lowest five bits."""
    red, blue = 0x8000 | 31 << 10, 0x8000 | 31
    (tmp_path / "a.stl").write_bytes(_binary([(_TRIANGLE, red), (_TRIANGLE, blue), (_TRIANGLE, 0)]))
    colors = read(tmp_path / "a.stl").colors
    assert colors is not None
    assert colors[::3].tolist() == [[1, 0, 0], [0, 0, 1], [1, 1, 1]]
    assert np.array_equal(colors[::3], colors[2::3])


def test_magics_colors(tmp_path: Path) -> None:
    """Valid bit clear; red in the lowest five bits; the header's colour for the others."""
    header = b"COLOR=" + bytes([0, 255, 0, 255])
    (tmp_path / "a.stl").write_bytes(_binary([(_TRIANGLE, 31), (_TRIANGLE, 0x8000)], header))
    colors = read(tmp_path / "a.stl").colors
    assert colors is not None
    assert colors[::3].tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"solid nothing\nendsolid\n", "no triangles"),
        (b"abc", "too short"),
        (b"\0" * 80 + b"\xff\xff\xff\xff" + b"\0" * 50, "promises 4,294,967,295 triangles, it holds 1"),
        (_binary([(_TRIANGLE, 0)] * 3)[:-20], "promises 3 triangles, it holds 2"),
        (_TEXT[: _TEXT.index(b"-2.5")], "cut off"),
        (_TEXT.replace(b"1.5e0", b"one"), "three numbers"),
        (_binary([([float("nan")] * 9, 0)]), "all numbers"),
    ],
)
def test_damage_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.stl").write_bytes(content)
    with pytest.raises(UnreadableFile, match=words) as caught:
        read(tmp_path / "a.stl")
    assert caught.value.advice


def test_error_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_bytes(_TEXT.replace(b"1.5e0", b"one"))
    with pytest.raises(UnreadableFile, match="line 5"):
        read(tmp_path / "a.stl")


def test_limits_come_before_memory(tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_bytes(_binary([(_TRIANGLE, 0)] * 10))
    for limits in (Limits(triangles=9), Limits(vertices=29), Limits(file_bytes=100)):
        with pytest.raises(LimitExceeded):
            read_stl(tmp_path / "a.stl", limits, no_progress)
    (tmp_path / "a.stl").write_bytes(_TEXT * 10)
    with pytest.raises(LimitExceeded):
        read_stl(tmp_path / "a.stl", Limits(triangles=9), no_progress)


def test_triangles_with_a_broken_corner_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_bytes(_binary([(_TRIANGLE, 0), ([float("inf"), *_TRIANGLE[1:]], 0)]))
    soup = read(tmp_path / "a.stl")
    assert build_mesh(soup).triangle_count == 1
    assert "1 triangles" in soup.notes[0]


def test_file_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(WriteFailed, match="cannot be written"):
        write(cube_soup(), tmp_path / "missing" / "a.stl", WriteOptions(), no_progress)


@pytest.mark.parametrize("kind", ["text", "binary"])
def test_mutations(tmp_path: Path, kind: str) -> None:
    data = _TEXT * 4 if kind == "text" else _binary([(_TRIANGLE, 31), (_TRIANGLE, 0x8000)] * 4, b"COLOR=abcd")
    assert_survives(read, data, tmp_path / "a.stl", count=300)


def test_empty_soup_is_written(tmp_path: Path) -> None:
    empty = Soup(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32))
    assert written("stl", empty, tmp_path / "a.stl").stat().st_size == 84
