"""Packages that lie about their size, their names or their XML are refused before lib3mf sees them."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from app.errors import LimitExceeded, UnreadableFile
from app.formats.registry import Limits, no_progress
from app.formats.threemf_read import read as read_3mf
from tests.formats.helpers import reader
from tests.formats.threemf_files import model_text, object_node, package_file

read = reader("3mf")


def test_entities_are_refused(tmp_path: Path) -> None:
    laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    for head in (laughs, "<!-- " + "x" * 5000 + " -->" + laughs, '<!doctype model SYSTEM "file:///etc/passwd">'):
        with pytest.raises(UnreadableFile, match="XML entities"):
            read(package_file(tmp_path, model_text(object_node(1), head=head)))


def test_part_hidden_behind_comments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no XML"):
        read(package_file(tmp_path, model_text(object_node(1), head=f"<!--{'x' * (1 << 20)}-->")))


def test_bombs_are_refused(tmp_path: Path) -> None:
    path = package_file(tmp_path, model_text(object_node(1)) + " " * 20_000_000)
    for limits in (Limits(unpacked_bytes=1 << 20), Limits(unpack_ratio=50), Limits(triangles=3), Limits(vertices=3)):
        with pytest.raises(LimitExceeded):
            read_3mf(path, limits, no_progress)


def test_false_size_is_found(tmp_path: Path) -> None:
    """A part that says it is small and unpacks to 100 MB."""
    content = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = content.compress(model_text(object_node(1)).encode() + b" " * 100_000_000) + content.flush()
    name, declared = b"3D/3dmodel.model", 3000
    sizes = struct.pack("<III", 0, len(packed), declared)
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0) + sizes + struct.pack("<HH", len(name), 0) + name
    central = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0) + sizes
    central += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local) + len(packed), 0)
    (tmp_path / "a.3mf").write_bytes(local + packed + central + end)
    with pytest.raises(LimitExceeded, match="more than it says"):
        read(tmp_path / "a.3mf")


@pytest.mark.parametrize("name", ["../evil.model", "3D/../../evil.model", "3D\\..\\..\\evil.model"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    path = package_file(tmp_path, model_text(object_node(1)))
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(name, "x")
    with pytest.raises(UnreadableFile, match="leads elsewhere"):
        read(path)


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    path = package_file(tmp_path, model_text(object_node(1)))
    with zipfile.ZipFile(path, "a") as package:
        for number in range(10_001):
            package.writestr(f"x/{number}", "")
    with pytest.raises(LimitExceeded, match="parts"):
        read(path)


def test_components_that_multiply_are_counted_before_they_are_placed(tmp_path: Path) -> None:
    """Thirty levels, each placing the one below twice: a billion tetrahedra in four kilobytes."""
    parts = object_node(1)
    for level in range(2, 32):
        twice = f'<component objectid="{level - 1}"/>' * 2
        parts += f'<object id="{level}" type="model"><components>{twice}</components></object>'
    with pytest.raises(LimitExceeded, match="places"):
        read(package_file(tmp_path, model_text(parts, '<item objectid="31"/>')))
