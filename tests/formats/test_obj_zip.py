"""Zipped models: what is packed comes back, archives that lie are refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.errors import UnreadableFile
from app.formats.obj_zip import read as read_zip
from app.formats.registry import Limits, format_of, no_progress
from tests.formats.helpers import assert_survives, corner_pixels, corners, patchwork, reader, round_trip, written
from tests.meshes import cube_soup

_QUAD = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


def test_zip_round_trip(tmp_path: Path) -> None:
    soup = patchwork()
    back = round_trip("obj-zip", soup, tmp_path / "a.zip")
    assert np.abs(corners(back) - corners(soup)).max() < 1e-5
    assert np.array_equal(corner_pixels(back), corner_pixels(soup))
    assert sorted(zipfile.ZipFile(tmp_path / "a.zip").namelist()) == ["a.mtl", "a.obj", "a_1.png", "a_2.png"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]
    assert format_of(tmp_path / "a.zip").id == "obj-zip"


def test_zip_with_folders_and_other_formats(tmp_path: Path) -> None:
    written("stl", cube_soup(), tmp_path / "b.stl")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as package:
        package.write(tmp_path / "b.stl", "model/part.stl")
        package.writestr("__MACOSX/model/._part.stl", b"\0" * 100)
        package.writestr("readme.txt", "hello")
    assert len(reader("obj-zip")(tmp_path / "a.zip").triangles) == 12


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("../a.obj", _QUAD + "f 1 2 3", "leads elsewhere"),
        ("a.txt", "hello", "without a 3D model"),
        ("a.obj", _QUAD + "f 1 2 9", "a.zip, a.obj, face 1: has a face that names vertex 9"),
        ("a.obj", " " * 20_000_000, "far more than it takes up"),
    ],
)
def test_hostile_zips_are_refused(tmp_path: Path, name: str, content: str, words: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, content)
    limits = Limits(unpack_ratio=100.0)
    with pytest.raises(UnreadableFile, match=words):
        read_zip(tmp_path / "a.zip", limits, no_progress)


def test_mutated_zips(tmp_path: Path) -> None:
    data = written("obj-zip", patchwork(), tmp_path / "b.zip").read_bytes()
    assert_survives(reader("obj-zip"), data, tmp_path / "a.zip", count=150)
