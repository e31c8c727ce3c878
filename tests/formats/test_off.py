"""OFF: text and binary, every kind of vertex, colours of vertices and faces, against trimesh, damage."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from app.errors import LimitExceeded, UnreadableFile
from app.formats.off import read as read_off
from app.formats.registry import Limits, format_of, no_progress
from app.mesh.soup import Soup
from tests.formats.helpers import COLOR_STEP, assert_survives, corner_colors, corner_uv, corners, painted, reader

_SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
_TWO = [[0, 1, 2], [0, 2, 3]]


def _read(content: str | bytes, folder: Path) -> Soup:
    (folder / "a.off").write_bytes(content if isinstance(content, bytes) else content.encode())
    return reader("off")(folder / "a.off")


def test_a_file_of_trimesh(tmp_path: Path) -> None:
    soup = painted()
    colors = np.round(np.column_stack((soup.colors, np.ones(len(soup.positions)))) * 255).astype(np.uint8)
    mesh = trimesh.Trimesh(soup.positions, soup.triangles, vertex_colors=colors, process=False)
    mesh.export(tmp_path / "a.off")
    found = reader("off")(tmp_path / "a.off")
    assert format_of(tmp_path / "a.off").id == "off"
    assert np.abs(corners(found) - corners(soup)).max() < 1e-5
    assert (found.up, found.unit_mm) == ("z", None)
    back = trimesh.load(tmp_path / "a.off", process=False)
    assert np.abs(np.asarray(back.vertices)[back.faces] - corners(found)).max() < 1e-6


@pytest.mark.parametrize(
    ("keyword", "more"),
    [
        ("OFF", []),
        ("NOFF", [0, 0, 1]),
        ("COFF", [51, 102, 204, 255]),
        ("COFF", [0.2, 0.4, 0.8, 1]),
        ("COFF", [0.2, 0.4, 0.8]),  # without opacity, as some write it
        ("CNOFF", [0, 0, 1, 51, 102, 204, 255]),
        ("STOFF", [0.25, 0.75]),
        ("STCNOFF", [0, 0, 1, 0.2, 0.4, 0.8, 1, 0.25, 0.75]),
    ],
)
@pytest.mark.parametrize("binary", [False, True])
def test_kinds_of_vertices(keyword: str, more: list[float], binary: bool, tmp_path: Path) -> None:
    rows = [[*corner, *more] for corner in _SQUARE.tolist()]
    if binary:
        rows = [[*row[:3], *(row[3:] if len(row) != 6 or keyword == "NOFF" else [*row[3:], 1.0])] for row in rows]
        content = f"{keyword} BINARY\n".encode() + struct.pack(">3i", 4, 1, 0)
        content += b"".join(struct.pack(f">{len(row)}f", *row) for row in rows) + struct.pack(">6i", 4, 0, 1, 2, 3, 0)
        soup = _read(content, tmp_path)
    else:
        lines = "\n".join(" ".join(f"{value:g}" for value in row) for row in rows)
        soup = _read(f"{keyword} # a comment\n# another\n4 1 4\n\n{lines}\n4  0 1 2 3\n", tmp_path)
    assert np.array_equal(corners(soup), _SQUARE[_TWO])
    assert (soup.colors is not None) == ("C" in keyword)
    if soup.colors is not None:
        assert np.abs(soup.colors - (0.2, 0.4, 0.8)).max() < COLOR_STEP / 100
    assert (soup.uv is not None) == ("ST" in keyword)
    if soup.uv is not None:
        assert np.array_equal(np.unique(corner_uv(soup).reshape(-1, 2), axis=0), [[0.25, 0.75]])


def test_colors_of_faces_and_homogeneous_vertices(tmp_path: Path) -> None:
    square = "\n".join(f"{2 * x} {2 * y} {2 * z} 2" for x, y, z in _SQUARE.tolist())
    soup = _read(f"4OFF\n4 3 0\n{square}\n3 0 1 2 255 0 0\n3 0 2 3 0 255 51 255 # green\n2 0 1 9 9 9\n", tmp_path)
    assert np.array_equal(corners(soup), _SQUARE[_TWO])
    assert corner_colors(soup).tolist() == [[[1, 0, 0]] * 3, [[0, 1, np.float32(0.2)]] * 3]
    assert soup.notes == ["1 faces with fewer than three corners were left out."]
    plain = _read(f"4OFF\n4 1 0\n{square}\n4 0 1 2 3 17\n", tmp_path)  # an entry of a colour table that is elsewhere
    assert plain.colors is None


def test_binary_faces_have_colors(tmp_path: Path) -> None:
    content = b"OFF BINARY\n" + struct.pack(">3i12f", 4, 2, 0, *_SQUARE.ravel())
    content += struct.pack(">5i4f", 3, 0, 1, 2, 4, 1, 0, 0, 1) + struct.pack(">5i", 3, 0, 2, 3, 0)
    soup = _read(content, tmp_path)
    assert corner_colors(soup).tolist() == [[[1, 0, 0]] * 3, [[1, 1, 1]] * 3]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("OFF\n3 1 0\n0 0 0\n1 0 0\n1 1 0\n3 0 1 3\n", "line 6: has a face"),
        ("OFF\n3 1 0\n0 0 0\n1 0 0\n1 1 0\n3 0 1 -1\n", "line 6: has a face"),
        ("OFF\n3 1 0\n0 0 0\n1 0 x\n1 1 0\n3 0 1 2\n", "line 4: has a vertex"),
        ("OFF\n3 1 0\n0 0 0\n1 0 0\n1 1", "cut off"),
        ("OFF\n3 1 0\n0 0 0\n1 0 0\n1 1 0\n", "cut off"),
        ("OFF\n", "does not say how many"),
        ("OFF\n9000 9000 0\n0 0 0\n", "cut off: its header promises"),
        ("nOFF 4\n3 1 0\n", "another number of dimensions"),
        ("OFF\n3 0 0\n0 0 0\n1 0 0\n1 1 0\n", "point cloud of 3 points"),
        (b"OFF BINARY\n\0\0\0\1", "cut off"),
        (b"OFF BINARY\n" + struct.pack(">3i", -1, 5, 0), "less than no"),
        (b"OFF BINARY\n" + struct.pack(">3i9f", 3, 1, 0, *range(9)) + struct.pack(">5i", 3, 0, 1, 9, 0), "has a face"),
        (b"OFF BINARY\n" + struct.pack(">3i9f", 3, 1, 0, *range(9)) + struct.pack(">i", 2**31 - 1), "cut off"),
    ],
)
def test_damage_is_told(content: str | bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=words):
        _read(content, tmp_path)


def test_limits(tmp_path: Path) -> None:
    (tmp_path / "a.off").write_text("OFF\n4 1 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n4 0 1 2 3\n")
    with pytest.raises(LimitExceeded, match="asks for 4 vertices"):
        read_off(tmp_path / "a.off", Limits(vertices=3), no_progress)
    with pytest.raises(LimitExceeded, match="asks for 2 triangles"):
        read_off(tmp_path / "a.off", Limits(triangles=1), no_progress)


def test_damaged_files(tmp_path: Path) -> None:
    rows = "\n".join(f"{x:g} {y:g} {z:g} 10 20 30 255" for x, y, z in _SQUARE.tolist())
    text = f"COFF\n4 2 0\n{rows}\n3 0 1 2 1 0 0\n3 0 2 3\n".encode()
    assert_survives(reader("off"), text, tmp_path / "a.off", count=200)
    content = b"OFF BINARY\n" + struct.pack(">3i12f", 4, 2, 0, *_SQUARE.ravel())
    content += struct.pack(">5i4f", 3, 0, 1, 2, 4, 1, 0, 0, 1) + struct.pack(">5i", 3, 0, 2, 3, 0)
    assert_survives(reader("off"), content, tmp_path / "a.off", count=200)
