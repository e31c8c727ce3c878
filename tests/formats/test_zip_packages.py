"""Zips as Meshy, Polycam and Sketchfab hand them out: whatever model is inside opens, with its images."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from app.errors import LimitExceeded, UnreadableFile
from app.formats.opening import open_mesh
from app.formats.registry import format_of
from tests.formats.fbx_files import Fbx
from tests.formats.gltf_files import tetrahedron
from tests.formats.helpers import textured_soup, written
from tests.formats.usd_files import material, mesh, texture
from tests.meshes import cube_soup
from tests.photos.pictures import encoded, quarters

_SKIN = encoded(quarters(8, 8))
_USDA = "#usda 1.0\n"


def _zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return path


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in files.items():
            package.writestr(name, content)
    return buffer.getvalue()


def _textured_fbx(name: str = "skin.png") -> bytes:
    return Fbx().model(1).uv().material(300, 1, (0.5, 0.5, 0.5), name).text().encode()


def _glb(folder: Path) -> bytes:
    return written("gltf", textured_soup(8, 4), folder / "inner.glb").read_bytes()


def _obj(folder: Path) -> dict[str, bytes]:
    work = folder / "obj"
    work.mkdir()
    written("obj", textured_soup(8, 4), work / "model.obj")
    return {file.name: file.read_bytes() for file in work.iterdir()}


def test_what_the_services_hand_out(tmp_path: Path) -> None:
    """Each with the number of its triangles and of its textures."""
    usd = _USDA + material(
        "        color3f inputs:diffuseColor.connect = </Skin/Image.outputs:rgb>", texture("textures/skin.png")
    )
    usd += mesh(more="    rel material:binding = </Skin>")
    packages = {
        "Meshy, several formats": ({"model.stl": _stl(tmp_path), **_obj(tmp_path), "model.glb": _glb(tmp_path)}, 48, 1),
        "Meshy, FBX": ({"m/model.fbx": _textured_fbx(), "m/skin.png": _SKIN, "m/preview.mp4": b"\0" * 99}, 12, 1),
        "Polycam, GLB": ({"raw/scan.glb": _glb(tmp_path), "raw/scan.json": b"{}"}, 48, 1),
        "Sketchfab, FBX": (
            {"source/model.fbx": _textured_fbx("C:\\\\work\\\\skin.png"), "textures/skin.png": _SKIN}, 12, 1,
        ),
        "Sketchfab, as uploaded": (
            {"source/up.zip": _zipped({"deep/a.fbx": _textured_fbx()}), "textures/skin.png": _SKIN}, 12, 1,
        ),
        "USD": ({"a/root.usda": usd.encode(), "a/textures/skin.png": _SKIN}, 12, 1),
        "a Mac's": ({"__MACOSX/._a.glb": b"\0" * 50, "a.glb": tetrahedron().bytes()}, 4, 0),
    }  # fmt: skip
    for name, (files, triangles, textures) in packages.items():
        opened = open_mesh(_zip(tmp_path / "a.zip", files))
        found = sum(entry.texture is not None for entry in opened.mesh.materials)
        assert (opened.mesh.triangle_count, found) == (triangles, textures), (name, opened.notes)
        # A zip that begins with a USD layer is what USDZ is.
        assert format_of(tmp_path / "a.zip").id == ("usd" if name == "USD" else "obj-zip"), name


def _stl(folder: Path) -> bytes:
    return written("stl", cube_soup(), folder / "inner.stl").read_bytes()


def test_a_model_that_cannot_be_read_gives_way_to_the_next(tmp_path: Path) -> None:
    files = {"a.glb": b"glTF and no more", "b.stl": _stl(tmp_path)}
    opened = open_mesh(_zip(tmp_path / "a.zip", files))
    assert opened.mesh.triangle_count == 12
    assert opened.notes[-1] == "Of 2 models in the archive, b.stl was read."
    with pytest.raises(UnreadableFile, match=r"a\.zip, a\.glb"):
        open_mesh(_zip(tmp_path / "a.zip", {"a.glb": b"glTF and no more", "b.stl": b"solid nothing"}))


def test_the_largest_of_several_alike_is_taken(tmp_path: Path) -> None:
    small, large = (
        written("stl", cube_soup(), tmp_path / "s.stl"),
        written("stl", textured_soup(8, 4), tmp_path / "l.stl"),
    )
    opened = open_mesh(_zip(tmp_path / "a.zip", {"1.stl": small.read_bytes(), "2.stl": large.read_bytes()}))
    assert opened.mesh.triangle_count == 48


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.txt": b"hello"}, "without a 3D model"),
        ({"a.zip": _zipped({"b.zip": _zipped({"a.glb": tetrahedron().bytes()})})}, "without a 3D model"),
        ({"inner.zip": b"PK\3\4 and no more"}, "inner.zip: is cut off or no zip archive"),
        ({"inner.zip": _zipped({"../a.glb": tetrahedron().bytes()})}, "leads elsewhere"),
        ({"a.fbx": _textured_fbx("../../etc/passwd")[:200]}, "no FBX file, or damaged|no triangles"),
    ],
)
def test_hostile_zips(files: dict[str, bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=words):
        open_mesh(_zip(tmp_path / "a.zip", files))
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]


def test_a_bomb_inside_an_archive_inside(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("a.obj", b" " * 80_000_000)
    with pytest.raises(LimitExceeded, match="unpacks to far more"):
        open_mesh(_zip(tmp_path / "a.zip", {"source/b.zip": bomb.getvalue()}))
