"""FBX: where things stand, colours, textures, the pose of skins, real files against other tools' counts, damage."""

from __future__ import annotations

import csv
import gc
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from app.errors import LimitExceeded, UnreadableFile
from app.formats.fbx import read as read_fbx
from app.formats.images import linear_to_srgb
from app.formats.registry import Limits, format_of, no_progress
from app.mesh.build import build_mesh
from app.mesh.soup import Soup
from app.preflight.atlas import needs_atlas, with_single_texture
from tests.formats.fbx_files import Fbx
from tests.formats.helpers import assert_survives, corner_colors, corner_uv, corners, reader, sample_pixels
from tests.meshes import cube_soup
from tests.photos.pictures import encoded, quarters

_CUBE = cube_soup(2.0)
_IDENTITY = np.eye(4).ravel().tolist()
_RESERVED = 13  # bytes of an empty node, which ends a list of nodes before version 7500

# What has nothing to sculpt.
_REFUSED = {
    "formats_zoo/fbx/ufbx/blender_402_ortho_scale_unit_7400_binary.fbx": "no triangles",  # a camera
    "formats_zoo/fbx/ufbx/maya_character_7500_binary.fbx": "no triangles",  # a skeleton
}
# Triangles and vertices where assimp, behind FILES.csv, reads nothing, or heaps up meshes regardless of where they
# stand and how often: vertices of different parts then fall together that do not touch.
_OURS = {
    "formats_zoo/fbx/assimp/cubes_with_mirroring_and_pivot.fbx": (420, 3 * 8 + 196),
    "formats_zoo/fbx/ufbx/max_geometry_transform_7700_binary.fbx": (24, 16),
    "formats_zoo/fbx/ufbx/blender_293_barbarian_7400_binary.fbx": (3285, 1800),
    "formats_zoo/fbx/ufbx/max2009_cube_texture_5800_ascii.fbx": (12, 8),
    # Only the coarse one of two bodies is visible.
    "formats_zoo/fbx/ufbx/maya_slime_7500_binary.fbx": (976, 490),
}


def _read(fbx: Fbx, folder: Path) -> Soup:
    return reader("fbx")(fbx.save(folder / "a.fbx"))


def test_counts_agree_with_other_tools(shared: Path) -> None:
    rows = {row["file"]: row for row in csv.DictReader((shared / "FILES.csv").read_text().splitlines())}
    read = 0
    for path in sorted(shared.rglob("*.fbx")):
        name = str(path.relative_to(shared))
        assert format_of(path).id == "fbx"
        if name in _REFUSED:
            with pytest.raises(UnreadableFile, match=_REFUSED[name]):
                reader("fbx")(path)
            continue
        soup = reader("fbx")(path)
        expected = _OURS.get(name) or (int(rows[name]["tris"]), int(rows[name]["verts_unique"]))
        assert (len(soup.triangles), build_mesh(soup).vertex_count) == expected, name
        read += 1
    assert read == 17


@pytest.mark.parametrize(
    ("properties", "move"),
    [
        ({}, lambda x, y, z: (x, y, z)),
        (
            {"Lcl_Translation": (10, 20, 30), "Lcl_Rotation": (0, 0, 90), "Lcl_Scaling": (1, 2, 3)},
            lambda x, y, z: (10 - 2 * y, 20 + x, 30 + 3 * z),
        ),
        ({"GeometricTranslation": (5, 0, 0), "Lcl_Scaling": (2, 2, 2)}, lambda x, y, z: (2 * x + 10, 2 * y, 2 * z)),
        ({"RotationPivot": (1, 1, 0), "Lcl_Rotation": (0, 0, 90)}, lambda x, y, z: (2 - y, x, z)),
        ({"PreRotation": (90, 0, 0), "RotationActive": 1}, lambda x, y, z: (x, -z, y)),
        ({"Lcl_Scaling": (-1, 1, 1)}, lambda x, y, z: (-x, y, z)),
    ],
)
def test_a_mesh_stands_where_its_node_puts_it(properties: dict, move: object, tmp_path: Path) -> None:
    soup = _read(Fbx().model(1, **properties), tmp_path)
    expected = np.stack(move(*_CUBE.positions.T), axis=1)  # type: ignore[operator]
    turn = slice(None, None, -1) if "Lcl_Scaling" in properties and properties["Lcl_Scaling"][0] < 0 else slice(None)
    assert np.abs(corners(soup) - expected[_CUBE.triangles[:, turn]]).max() < 1e-5
    assert build_mesh(soup).triangle_count == 12
    assert _volume(soup) > 0


def _volume(soup: Soup) -> float:
    a, b, c = np.moveaxis(corners(soup).astype(np.float64), 1, 0)
    return float(np.einsum("ij,ij->", np.cross(a, b), c) / 6)


def test_parents_carry_their_children(tmp_path: Path) -> None:
    fbx = Fbx().model(5, geometry=0, Lcl_Translation=(0, 100, 0), Lcl_Scaling=(2, 2, 2))
    soup = _read(fbx.model(1, parent=5, Lcl_Translation=(10, 0, 0)), tmp_path)
    assert soup.positions.min(axis=0).tolist() == [18, 98, -2]
    assert soup.positions.max(axis=0).tolist() == [22, 102, 2]


def test_instances_share_a_mesh_and_hidden_nodes_are_left_out(tmp_path: Path) -> None:
    fbx = Fbx().model(1).model(2, Lcl_Translation=(10, 0, 0)).model(3, Lcl_Translation=(99, 0, 0), Visibility=0.0)
    soup = _read(fbx, tmp_path)
    assert len(soup.triangles) == 24
    assert soup.positions[:, 0].max() == 11
    assert soup.notes == ["1 hidden parts were left out."]
    assert len(_read(Fbx().model(3, Visibility=0.0), tmp_path).triangles) == 12  # nothing else to show


@pytest.mark.parametrize(
    ("fbx", "up", "unit"),
    [
        (Fbx(), "y", 10.0),
        (Fbx(unit_cm=100.0), "y", 1000.0),
        (Fbx(unit_cm=2.54), "y", 25.4),
        (Fbx(up=2, front=1, front_sign=-1, unit_cm=0.1), "z", 1.0),
        (Fbx(up=0, right=1, right_sign=-1), "y", 10.0),
        (Fbx(front_sign=-1), "y", 10.0),  # a left-handed system
        (Fbx(unit_cm=0.0), "y", None),
    ],
)
def test_axes_and_unit(fbx: Fbx, up: str, unit: float | None, tmp_path: Path) -> None:
    soup = _read(fbx.model(1, Lcl_Translation=(1, 2, 3)), tmp_path)
    assert soup.up == up
    assert soup.unit_mm is None if unit is None else soup.unit_mm == pytest.approx(unit)
    assert _volume(soup) > 0
    middle = corners(soup).reshape(-1, 3).mean(axis=0)
    expected = {"X": (-2, 1, 3), "left": (1, 2, -3)}.get("X" if fbx.up == 0 else "left" if fbx.front_sign < 0 else "")
    if up == "y":
        assert middle == pytest.approx(expected or (1, 2, 3), abs=1e-5)
    else:
        assert middle == pytest.approx((1, 2, 3), abs=1e-5)


def test_texture_coordinates_and_colors_are_of_corners(tmp_path: Path) -> None:
    table, of_corner = [(1.0, 0.0, 0.0), (0.0, 0.5, 0.25)], [k % 2 for k in range(36)]
    soup = _read(Fbx().model(1).uv().colors(table, of_corner), tmp_path)
    assert np.abs(corner_uv(soup) - (_CUBE.positions[_CUBE.triangles][:, :, :2] / 2 + 0.5)).max() < 1e-6
    expected = np.array(table)[of_corner].reshape(12, 3, 3)
    assert np.abs(corner_colors(soup) - expected).max() < 1e-6


def test_vertex_colors_of_a_real_file_are_those_in_its_text(shared: Path) -> None:
    path = shared / "formats_zoo/fbx/ufbx/maya_color_sets_7500_ascii.fbx"
    text = path.read_text("latin-1")
    layer = text[text.index("LayerElementColor: 0") :]
    values = re.search(r"Colors: \*\d+ {\s*a: ([-\d.,e\s]+)}", layer)
    assert values is not None
    table = np.array(values[1].split(","), float).reshape(-1, 4)[:, :3]
    found = corner_colors(reader("fbx")(path)).reshape(-1, 3)
    distance = np.abs(found[:, None] - table[None]).max(axis=2).min(axis=1)
    assert distance.max() < 1e-6
    assert found.std() > 0.1


@pytest.mark.parametrize(("creator", "linear"), [("Maya", False), ("Blender (stable FBX IO) - 4.0", True)])
def test_base_colors_are_srgb_but_from_blender(creator: str, linear: bool, tmp_path: Path) -> None:
    soup = _read(Fbx(creator=creator).model(1).material(300, 1, (0.2, 0.4, 0.6)), tmp_path)
    expected = linear_to_srgb(np.array((0.2, 0.4, 0.6))) if linear else (0.2, 0.4, 0.6)
    assert soup.materials[0].base_color == pytest.approx(tuple(expected), abs=1e-6)


def test_a_figure_without_any_color_is_not_black(tmp_path: Path) -> None:
    soup = _read(Fbx().model(1).material(300, 1, (0, 0, 0)), tmp_path)
    assert soup.materials[0].base_color == (1.0, 1.0, 1.0)
    assert "black" in soup.notes[0]
    black_eyes = Fbx().model(1).model(2).material(300, 1, (0, 0, 0)).material(310, 2, (1, 0, 0))
    assert _read(black_eyes, tmp_path).materials[0].base_color == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ("skin.png", "skin.png"),
        ("C:\\\\work\\\\skin.png", "skin.png"),
        ("/home/somebody/skin.png", "skin.png"),
        ("..\\\\maps\\\\skin.png", "textures/skin.png"),
        ("skin.png", "a.fbm/skin.png"),
    ],
)
def test_textures_beside_the_file(named: str, kept: str, tmp_path: Path) -> None:
    (tmp_path / kept).parent.mkdir(exist_ok=True)
    (tmp_path / kept).write_bytes(encoded(quarters(8, 8)))
    soup = _read(Fbx().model(1).uv().material(300, 1, (0.5, 0.5, 0.5), named), tmp_path)
    texture = soup.materials[0].texture
    assert texture is not None
    assert texture.encoded == encoded(quarters(8, 8))
    assert soup.materials[0].base_color == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("named", ["../secret.png", "..\\\\secret.png", "{0}/secret.png", "link.png", "missing.png"])
def test_textures_elsewhere_are_not_opened(named: str, tmp_path: Path) -> None:
    folder = tmp_path / "chosen"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(encoded(quarters(8, 8)))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    soup = _read(Fbx().model(1).uv().material(300, 1, (0.5, 0.5, 0.5), named.format(tmp_path)), folder)
    assert soup.materials[0].texture is None
    assert "not beside the file" in soup.notes[0]


def test_embedded_textures_are_the_bytes_in_the_file(shared: Path) -> None:
    path = shared / "formats_zoo/fbx/ufbx/blender_293_embedded_textures_7400_binary.fbx"
    soup = reader("fbx")(path)
    texture = soup.materials[0].texture
    assert texture is not None
    assert texture.name == "checkerboard_diffuse.png"
    assert texture.encoded in path.read_bytes()
    assert soup.notes == []


def test_a_skinned_mesh_stands_as_it_was_bound(tmp_path: Path) -> None:
    moved = np.eye(4)
    moved[0, 3] = 3.0
    fbx = Fbx().model(1, Lcl_Translation=(50, 0, 0)).model(7, geometry=0, Lcl_Translation=(9, 9, 9))
    soup = _read(fbx.skin(7, _IDENTITY, moved.T.ravel().tolist()), tmp_path)
    assert soup.positions[:, 0].min() == 2
    assert soup.positions[:, 0].max() == 4
    assert "as it was bound" in soup.notes[0]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """An array of 4 billion numbers, packed into a few bytes, in a node of a binary file."""
    array = struct.pack("<cIII", b"d", 0xFFFFFFF0, 1, 8) + b"\0" * 8
    name = b"Vertices"
    head = 27 + 13 + len(name)
    node = struct.pack("<IIIB", head + len(array), 1, len(array), len(name)) + name + array
    data = b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", 7400) + node + b"\0" * _RESERVED
    (tmp_path / "a.fbx").write_bytes(data)
    with pytest.raises(LimitExceeded, match="unpacks to far more"):
        reader("fbx")(tmp_path / "a.fbx")


def test_limits_hold_for_what_instances_show(tmp_path: Path) -> None:
    fbx = Fbx()
    for number in range(1, 12):
        fbx.model(number)
    path = fbx.save(tmp_path / "a.fbx")
    with pytest.raises(LimitExceeded, match="asks for 108 triangles"):
        read_fbx(path, Limits(triangles=100), no_progress)
    with pytest.raises(LimitExceeded, match="more than 5 nodes"):
        read_fbx(path, Limits(nodes=5), no_progress)


@pytest.mark.parametrize("name", ["assimp/huesitos.fbx", "ufbx/maya_color_sets_7500_ascii.fbx"])
def test_damaged_files(name: str, shared: Path, tmp_path: Path) -> None:
    """Also that nothing of a scene is used after it has gone: the library counts its references wrongly."""
    data = (shared / "formats_zoo/fbx" / name).read_bytes()
    assert_survives(reader("fbx"), data, tmp_path / "a.fbx", count=60)
    for _ in range(3):
        reader("fbx")(shared / "formats_zoo/fbx" / name)
        gc.collect()


def test_content_decides_about_the_format(tmp_path: Path) -> None:
    path = Fbx().model(1).save(tmp_path / "a.obj")
    assert format_of(path).id == "fbx"
    (tmp_path / "b.fbx").write_bytes(os.urandom(500))
    with pytest.raises(UnreadableFile, match="is no FBX file"):
        reader("fbx")(tmp_path / "b.fbx")


def test_several_textures_become_one_for_a_printer(shared: Path) -> None:
    """Two images and 25 plain colours of a real file in one image: the same colour at each triangle's middle."""
    soup = reader("fbx")(shared / "formats_zoo/fbx/ufbx/blender_293_barbarian_7400_binary.fbx")
    assert needs_atlas(soup)
    single = with_single_texture(soup, 4096)
    texture = single.materials[0].texture
    assert texture is not None
    assert len(single.materials) == 1
    before, after = _middle_colors(soup), _middle_colors(single)
    assert np.abs(before - after).mean() < 1.0
    assert np.quantile(np.abs(before - after).max(axis=1), 0.95) <= 3


def _middle_colors(soup: Soup) -> np.ndarray:
    """(T, 3) 0 to 255: the texel, or the plain colour, at the middle of each triangle."""
    assert soup.triangle_material is not None
    middles = corner_uv(soup).mean(axis=1)
    out = np.empty((len(middles), 3))
    for number, entry in enumerate(soup.materials):
        rows = soup.triangle_material == number
        plain = np.array(entry.base_color) * 255
        out[rows] = plain if entry.texture is None else sample_pixels(entry.texture.pixels(), middles[rows] % 1.0)
    return out
