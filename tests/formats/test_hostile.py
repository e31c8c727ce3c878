"""Dangers that no single format has for itself: names that lead elsewhere, archives that lie, pictures that claim."""

from __future__ import annotations

import json
import os
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from app.errors import LikenessError, LimitExceeded, UnreadableFile
from app.formats.opening import Opened, open_mesh
from app.formats.reading import find_beside
from app.photos.decode import MAX_PIXELS, decode
from tests.formats.gltf_files import tetrahedron
from tests.formats.helpers import patchwork, written
from tests.formats.threemf_files import model_text, object_node, package_file
from tests.fuzzing.packages import raw_zip
from tests.fuzzing.seeds import made_cases
from tests.photos.pictures import encoded, quarters

_READABLE = 400
_PNG = encoded(quarters(8, 8))
_OBJ = "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl m\nf 1/1 2/1 3/1\n"
_PLY = (
    "ply\nformat ascii 1.0\ncomment TextureFile {name}\nelement vertex 3\nproperty float x\nproperty float y\n"
    "property float z\nproperty float s\nproperty float t\nelement face 1\n"
    "property list uchar int vertex_indices\nend_header\n0 0 0 0 0\n1 0 0 1 0\n0 1 0 0 1\n3 0 1 2\n"
)
_WRL = (
    '#VRML V2.0 utf8\nShape {{ appearance Appearance {{ texture ImageTexture {{ url "{name}" }} }}'
    " geometry IndexedFaceSet {{ coord Coordinate {{ point [ 0 0 0, 1 0 0, 0 1 0 ] }} coordIndex [ 0 1 2 -1 ]"
    " texCoord TextureCoordinate {{ point [ 0 0, 1 0, 0 1 ] }} }} }}"
)

_LONG_AGO, _SECRET_PLACE = 1_000_000_000, 77_770.0
_SECRET_LAYER = b"""#usda 1.0
( defaultPrim = "S" metersPerUnit = 0.001 )
def Mesh "S" { int[] faceVertexCounts = [3] int[] faceVertexIndices = [0, 1, 2]
    point3f[] points = [(77770, 0, 0), (0, 77770, 0), (0, 0, 77770)] }
"""

_opened: list[str] | None = None


def _note_opened(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str | bytes):
        _opened.append(os.path.realpath(os.fsdecode(arguments[0])))


sys.addaudithook(_note_opened)  # for good: Python has no way to take one away


@contextmanager
def _only_within(folder: Path) -> Iterator[None]:
    """Fail where anything else is opened or listed than this folder, temporary folders, and Python's own files."""
    global _opened
    _opened = []
    try:
        yield
    finally:
        opened, _opened = _opened, None
    code = (sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]), os.environ["NUMBA_CACHE_DIR"])
    temporary = os.path.realpath(Path(tempfile.gettempdir(), tempfile.gettempprefix()))
    allowed = (str(folder.resolve()), *map(os.path.realpath, code), "/proc/self/", temporary)
    # A name that is nowhere was asked for relative to an open folder.
    assert [name for name in opened if not name.startswith(allowed) and os.path.lexists(name)] == []


def _gltf_naming(name: str, kind: str) -> str:
    glb = tetrahedron(material=0)
    glb.data["buffers"] = [{"byteLength": len(glb.binary), "uri": name if kind == "buffer" else "a.bin"}]
    glb.data["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    glb.data["textures"], glb.data["images"] = [{"source": 0}], [{"uri": name if kind == "image" else "skin.png"}]
    return json.dumps(glb.data)


def _opened_or_refused(path: Path) -> Opened | None:
    try:
        return open_mesh(path)
    except UnreadableFile:
        return None


def _usda(old: str, new: str) -> bytes:
    return made_cases("usd")[0].files["a.usda"].replace(old.encode(), new.encode())


def _naming(kind: str, name: str) -> dict[str, bytes]:
    """Files of a model that names another file, the model first."""
    match kind:
        case "obj":
            return {"a.obj": _OBJ.replace("a.mtl", name).encode()}
        case "mtl":
            return {"a.obj": _OBJ.encode(), "a.mtl": f"newmtl m\nmap_Kd {name}\n".encode()}
        case "mtl option":
            return {"a.obj": _OBJ.encode(), "a.mtl": f"newmtl m\nmap_Kd -s 1 1 1 {name}\n".encode()}
        case "ply":
            return {"a.ply": _PLY.format(name=name).encode()}
        case "vrml":
            return {"a.wrl": _WRL.format(name=name.replace("\\", "\\\\")).encode()}
        case "gltf image":
            return {"a.gltf": _gltf_naming(name, "image").encode(), "a.bin": tetrahedron().binary}
        case "gltf buffer":
            return {"a.gltf": _gltf_naming(name, "buffer").encode()}
        case "usd image":
            return {"a.usda": _usda("./skin.png", name)}
        case "usd layer":
            return {"a.usda": _usda("./part.usda", name)}
        case "dae image":
            return {"a.dae": made_cases("dae")[0].files["a.dae"].replace(b"skin.png", name.encode())}
    raise ValueError(kind)


_ESCAPES = [
    "../secret.{}", "..\\secret.{}", "x/../../secret.{}", "{folder}/secret.{}", "file://{folder}/secret.{}",
    "file:///{folder}/secret.{}", "%2e%2e/secret.{}", "%2e%2e%2fsecret.{}", "..%5csecret.{}", "C:secret.{}",
    "http://127.0.0.1:9/secret.{}", "//127.0.0.1/share/secret.{}", "\\\\127.0.0.1\\share\\secret.{}",
    "\\\\?\\C:\\secret.{}", "C:\\secret.{}", "x/C:secret.{}",
    "~/secret.{}", "link.{}", "out/secret.{}", "out\\secret.{}", "./out/../../secret.{}",
]  # fmt: skip


@pytest.mark.parametrize("name", _ESCAPES)
@pytest.mark.parametrize(
    "kind",
    ["obj", "mtl", "mtl option", "ply", "vrml", "gltf image", "gltf buffer", "usd image", "usd layer", "dae image"],
)
def test_names_that_lead_out_of_the_folder_are_not_followed(kind: str, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "chosen"
    folder.mkdir()
    secrets = {"png": _PNG, "mtl": b"newmtl m\nKd 1 0 0\n", "bin": tetrahedron().binary, "usda": _SECRET_LAYER}
    for suffix, content in secrets.items():
        secret = tmp_path / f"secret.{suffix}"
        secret.write_bytes(content)
        os.utime(secret, (_LONG_AGO, secret.stat().st_mtime))  # read again after this, also by a library in C, it shows
        (folder / f"link.{suffix}").symlink_to(secret)
    (folder / "out").symlink_to(tmp_path)
    suffix = {"obj": "mtl", "gltf buffer": "bin", "usd layer": "usda"}.get(kind, "png")
    files = _naming(kind, name.replace("{}", suffix).replace("{folder}", str(tmp_path)))
    for file, content in files.items():
        (folder / file).write_bytes(content)
    with _only_within(folder):
        opened = _opened_or_refused(folder / next(iter(files)))
    assert {(tmp_path / f"secret.{suffix}").stat().st_atime for suffix in secrets} == {_LONG_AGO}
    if opened is None:  # where nothing is left to show without it
        assert kind in ("gltf buffer", "usd layer")
        return
    assert opened.notes
    assert all(material.texture is None for material in opened.mesh.materials)
    assert all(material.base_color != (1.0, 0.0, 0.0) for material in opened.mesh.materials)
    assert not np.isclose(np.abs(opened.mesh.positions), _SECRET_PLACE).any()


def test_what_replaces_the_folder_on_windows_is_no_name(tmp_path: Path) -> None:
    for name in (
        "x/C:secret.png",
        "x\\C:secret.png",
        "\\\\server\\share\\",
        "C:\\",
        "//server/share",
        "C:",
        ".",
        "",
        "/",
    ):
        assert find_beside(tmp_path / "a.obj", name) is None
    (tmp_path / "skin.png").write_bytes(_PNG)
    for name in ("C:skin.png", "C:\\skin.png", "\\\\server\\share\\skin.png", "/skin.png"):
        assert find_beside(tmp_path / "a.obj", name) == (tmp_path / "skin.png").resolve()


def test_a_name_of_a_megabyte_is_no_name(tmp_path: Path) -> None:
    assert find_beside(tmp_path / "a.obj", "x/" * 500_000) is None


# Archives


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_entities_in_a_part_that_is_not_called_a_model(coding: str, tmp_path: Path) -> None:
    head = '<!DOCTYPE model [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    text = model_text(object_node(1), head=head).replace("UTF-8", coding.removesuffix("-sig"))
    with zipfile.ZipFile(tmp_path / "a.3mf", "w") as package:
        package.writestr("3D/other.model", model_text(object_node(1)))
        package.writestr("3D/model.xyz", text.encode(coding))
    with pytest.raises(UnreadableFile, match="XML entities"):
        open_mesh(tmp_path / "a.3mf")


@pytest.mark.parametrize("order", ["hidden first", "hidden last"])
def test_of_two_archives_in_one_file_the_one_that_was_checked_is_read(order: str, tmp_path: Path) -> None:
    """Two libraries of zip files find different archives in such a file; only one of them was looked through."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    hidden = package_file(tmp_path / "two", model_text(object_node(1), '<item objectid="1"/>' * 2)).read_bytes()
    plain = package_file(tmp_path / "one", model_text(object_node(1))).read_bytes()
    (tmp_path / "a.3mf").write_bytes(hidden + plain if order == "hidden first" else plain + hidden)
    with zipfile.ZipFile(tmp_path / "a.3mf") as package:
        items = package.read("3D/3dmodel.model").count(b"<item ")
    assert open_mesh(tmp_path / "a.3mf").file_triangles == 4 * items


@pytest.mark.parametrize("suffix", [".zip", ".3mf"])
@pytest.mark.parametrize("overlapping", [False, True])
def test_zip_bombs(suffix: str, overlapping: bool, tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(100)) + packer.flush()
    inner = "3D/3dmodel.model" if suffix == ".3mf" else "a.obj"
    parts = [(f"{number}{inner}", packed, 100 << 20) for number in range(50 if overlapping else 1)]
    (tmp_path / f"a{suffix}").write_bytes(raw_zip(parts, overlapping=overlapping))
    with pytest.raises(LimitExceeded):
        open_mesh(tmp_path / f"a{suffix}")


def test_archives_in_archives_without_end(tmp_path: Path) -> None:
    content = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    name = "a.obj"
    for _ in range(20):
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr(name, content)
        content, name = (tmp_path / "a.zip").read_bytes(), "a.zip"
    with pytest.raises(UnreadableFile):
        open_mesh(tmp_path / "a.zip")


@pytest.mark.parametrize(
    "name", ["../a.obj", "/etc/a.obj", "..\\a.obj", "C:\\a.obj", "C:a.obj", "\\\\server\\share\\a.obj"]
)
def test_names_in_archives_lead_nowhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "chosen").mkdir()
    with zipfile.ZipFile(tmp_path / "chosen" / "a.zip", "w") as package:
        package.writestr(name, "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    before = sorted(tmp_path.rglob("*"))
    with suppress(UnreadableFile):
        open_mesh(tmp_path / "chosen" / "a.zip")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_part_without_a_name(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(_OBJ.encode()) + packer.flush()
    (tmp_path / "a.zip").write_bytes(raw_zip([("", packed, len(_OBJ)), ("a.obj", packed, len(_OBJ))]))
    with pytest.raises(UnreadableFile, match="no name"):
        open_mesh(tmp_path / "a.zip")


def test_a_link_in_an_archive_is_a_file_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "secret.mtl").write_text("newmtl m\nKd 1 0 0\n")
    link = zipfile.ZipInfo("a.mtl")
    link.external_attr, link.create_system = 0o120777 << 16, 3
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as package:
        package.writestr("a.obj", _OBJ)
        package.writestr(link, str(tmp_path / "secret.mtl"))
    assert open_mesh(tmp_path / "a.zip").mesh.materials[0].base_color == (1.0, 1.0, 1.0)


def test_materials_of_an_archive_stay_in_it(tmp_path: Path) -> None:
    (tmp_path / "secret.mtl").write_text("newmtl m\nKd 1 0 0\n")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as package:
        package.writestr("deep/er/a.obj", _OBJ.replace("a.mtl", "../../../secret.mtl"))
    with _only_within(tmp_path):
        opened = open_mesh(tmp_path / "a.zip")
    assert opened.mesh.materials[0].base_color == (1.0, 1.0, 1.0)


# Pictures


def _enlarged(picture: bytes, kind: str, side: int) -> bytes:
    """The same file with another size in its header."""
    data = bytearray(picture)
    if kind == "JPEG":
        at = data.find(b"\xff\xc0") + 5
        struct.pack_into(">HH", data, at, side, side)
    else:  # HEIF, AVIF: the property "image spatial extents", ISO/IEC 23008-12, 6.5.3
        at = data.find(b"ispe") + 8
        while at > 8:
            struct.pack_into(">II", data, at, side, side)
            at = data.find(b"ispe", at) + 8
    return bytes(data)


@pytest.mark.parametrize(("kind", "side"), [("JPEG", 60_000), ("HEIF", 60_000), ("AVIF", 60_000)])
def test_photos_that_claim_too_many_pixels(kind: str, side: int) -> None:
    assert side * side > MAX_PIXELS
    decode(encoded(quarters(), kind), "photo")
    with pytest.raises(LikenessError):
        decode(_enlarged(encoded(quarters(), kind), kind, side), "photo")


@pytest.mark.parametrize("name", ["a.obj", "a.wrl", "a.ply", "a.zip", "a.3mf"])
def test_the_guard_of_these_tests_lets_honest_files_through(name: str, tmp_path: Path) -> None:
    formats = {".obj": "obj", ".wrl": "vrml", ".ply": "ply", ".zip": "obj-zip", ".3mf": "3mf"}
    path = written(formats[Path(name).suffix], patchwork(), tmp_path / name)
    with _only_within(tmp_path):
        assert open_mesh(path).file_triangles == len(patchwork().triangles)


def test_the_guard_of_these_tests_sees_what_is_opened_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "chosen").mkdir()
    (tmp_path / "secret.png").write_bytes(_PNG)
    with pytest.raises(AssertionError, match="secret"), _only_within(tmp_path / "chosen"):
        (tmp_path / "secret.png").read_bytes()
