"""COLLADA: where things stand, all ways of writing faces, colours through their many names, real files, entities."""

from __future__ import annotations

import csv
from pathlib import Path

import collada
import numpy as np
import pytest

from app.errors import LimitExceeded, UnreadableFile
from app.formats.dae import read as read_dae
from app.formats.images import linear_to_srgb
from app.formats.registry import Limits, format_of, no_progress
from app.mesh.build import build_mesh
from app.mesh.soup import Soup
from tests.formats.helpers import assert_survives, corner_colors, corner_uv, corners, reader
from tests.photos.pictures import encoded, quarters

# Triangles and vertices where pycollada, behind FILES.csv, finds no triangles.
_OURS = {
    # It stops at a camera and a light that the file names and does not have.
    "formats_zoo/dae/assimp/cube_emptyTags.dae": (12, 8),
    # Meshes that a skeleton moves, which it was not asked for.
    "formats_zoo/dae/assimp/box_nested_animation.dae": (12, 8),
    "formats_zoo/dae/assimp/library_animation_clips.dae": (52, 28),
}
_QUAD = "0 0 0  2 0 0  2 2 0  0 2 0  1 1 3"
_TRIANGLES = (
    '<triangles count="2" material="skin"><input semantic="VERTEX" source="#v" offset="0"/>'
    "<p>0 1 2 0 2 3</p></triangles>"
)


def _source(name: str, values: str, width: int, params: str = "") -> str:
    count = len(values.split())
    return (
        f'<source id="{name}"><float_array id="{name}-a" count="{count}">{values}</float_array><technique_common>'
        f'<accessor source="#{name}-a" count="{count // width}" stride="{width}">{params}</accessor>'
        "</technique_common></source>"
    )


def _scene(
    faces: str = _TRIANGLES, node: str = "", nodes: str = "", asset: str = "", more: str = "", sources: str = ""
) -> str:
    """A file with one geometry "g" and one node that shows it. node: transforms; nodes: further nodes."""
    instance = (
        '<instance_geometry url="#g"><bind_material><technique_common><instance_material symbol="skin" target="#m">'
        '<bind_vertex_input semantic="CHANNEL" input_semantic="TEXCOORD" input_set="1"/>'
        "</instance_material></technique_common></bind_material></instance_geometry>"
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset>{asset}</asset>
{more}
<library_geometries><geometry id="g"><mesh>{_source("p", _QUAD, 3)}{sources}
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>{faces}</mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="s"><node id="n">{node}{instance}</node>{nodes}</visual_scene>
</library_visual_scenes><scene><instance_visual_scene url="#s"/></scene></COLLADA>
"""


def _read(text: str, folder: Path) -> Soup:
    (folder / "a.dae").write_text(text, "utf-8")
    return reader("dae")(folder / "a.dae")


def test_counts_agree_with_other_tools(shared: Path) -> None:
    rows = {row["file"]: row for row in csv.DictReader((shared / "FILES.csv").read_text().splitlines())}
    files = sorted(path for path in shared.rglob("*") if path.suffix.lower() == ".dae")
    for path in files:
        name = str(path.relative_to(shared))
        assert format_of(path).id == "dae"
        soup = reader("dae")(path)
        expected = _OURS.get(name) or (int(rows[name]["tris"]), int(rows[name]["verts_unique"]))
        assert (len(soup.triangles), build_mesh(soup).vertex_count) == expected, name
    assert len(files) == 10


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("name", ["cube_triangulate.dae", "cube_tristrips.dae", "sphere.dae", "cube_with_2UVs.DAE"])
def test_corners_and_colors_agree_with_pycollada(name: str, shared: Path) -> None:
    path = shared / "formats_zoo/dae/assimp" / name
    soup = reader("dae")(path)
    scene = collada.Collada(str(path), ignore=[collada.common.DaeError]).scene
    bound = [primitive for geometry in scene.objects("geometry") for primitive in geometry.primitives()]
    theirs = np.concatenate([part.vertex[part.triangleset().vertex_index] for part in map(_triangles, bound)])
    assert _sorted(corners(soup)) == pytest.approx(_sorted(theirs), abs=1e-4)
    assert soup.materials[0].base_color == pytest.approx(bound[0].material.effect.diffuse[:3], abs=1e-6)


def _triangles(primitive: object) -> object:
    if isinstance(primitive, collada.triangleset.BoundTriangleSet):
        primitive.triangleset = lambda: primitive  # type: ignore[attr-defined]
    return primitive


def _sorted(triangles: np.ndarray) -> np.ndarray:
    """(T, 9), each triangle beginning with its smallest corner, in one order, whatever the order in the file."""
    rounded = np.round(np.asarray(triangles, np.float64), 4) + 0.0
    first = [min(range(3), key=lambda k: tuple(row[k])) for row in rounded]
    turned = np.array([np.roll(row, -k, axis=0) for row, k in zip(rounded, first, strict=True)]).reshape(-1, 9)
    return turned[np.lexsort(turned.T[::-1])]


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ('<polylist count="1">{i}<vcount>4</vcount><p>0 1 2 3</p></polylist>', [(0, 1, 2), (0, 2, 3)]),
        ('<polygons count="2">{i}<p>0 1 2 3</p><p>0 1 4</p></polygons>', [(0, 1, 2), (0, 2, 3), (0, 1, 4)]),
        ('<tristrips count="2">{i}<p>0 1 3 2</p><p>0 1 4</p></tristrips>', [(0, 1, 3), (3, 1, 2), (0, 1, 4)]),
        ('<trifans count="1">{i}<p>4 0 1 2 3</p></trifans>', [(4, 0, 1), (4, 1, 2), (4, 2, 3)]),
        ('<triangles count="1">{i}<p>0 1 2</p></triangles><lines>{i}<p>0 1</p></lines>', [(0, 1, 2)]),
    ],
)
def test_all_ways_of_writing_faces(faces: str, expected: list[tuple[int, int, int]], tmp_path: Path) -> None:
    soup = _read(_scene(faces.replace("{i}", '<input semantic="VERTEX" source="#v" offset="0"/>')), tmp_path)
    points = np.array(_QUAD.split(), np.float32).reshape(-1, 3)
    assert _sorted(corners(soup)) == pytest.approx(_sorted(points[np.array(expected)]))


def test_transforms_in_their_order_and_nodes_shown_twice(tmp_path: Path) -> None:
    node = "<translate>10 0 0</translate><rotate>0 0 1 90</rotate><scale>1 2 1</scale>"
    again = '<node><matrix>1 0 0 0  0 1 0 0  0 0 1 7  0 0 0 1</matrix><instance_node url="#n"/></node>'
    soup = _read(_scene(node=node, nodes=again), tmp_path)
    x, y, z = np.array(_QUAD.split(), np.float32).reshape(-1, 3).T
    first = np.stack((10 - 2 * y, x, z), axis=1)[[[0, 1, 2], [0, 2, 3]]]
    assert np.abs(corners(soup) - np.concatenate((first, first + np.array((0, 0, 7))))).max() < 1e-5


@pytest.mark.parametrize(
    ("asset", "up", "unit", "corner"),
    [
        ("", "y", 1000.0, (2, 2, 0)),
        ('<unit meter="0.01"/><up_axis>Z_UP</up_axis>', "z", 10.0, (2, 2, 0)),
        ('<unit name="inch" meter="0.0254"/><up_axis>Y_UP</up_axis>', "y", 25.4, (2, 2, 0)),
        ('<unit meter="nonsense"/><up_axis>X_UP</up_axis>', "y", 1000.0, (-2, 2, 0)),
        ('<unit meter="0"/>', "y", None, (2, 2, 0)),
    ],
)
def test_axes_and_unit(asset: str, up: str, unit: float | None, corner: tuple[int, ...], tmp_path: Path) -> None:
    soup = _read(_scene(asset=asset), tmp_path)
    assert soup.up == up
    assert soup.unit_mm is None if unit is None else soup.unit_mm == pytest.approx(unit)
    assert corners(soup)[0, 2] == pytest.approx(corner)


def test_inputs_with_their_own_indices(tmp_path: Path) -> None:
    """Two sets of coordinates, of which the material binds the second; colours per corner; a third number in each."""
    first, second, paint = "0 0 9  1 0 9", "0.25 0.5  0.75 1", "1 0 0 1  0 0.5 0 1"
    sources = _source("t0", first, 3) + _source("t1", second, 2) + _source("c", paint, 4)
    inputs = "".join(
        f'<input semantic="{kind}" source="#{source}" offset="{offset}" set="{number}"/>'
        for kind, source, offset, number in [
            ("VERTEX", "v", 0, 0), ("TEXCOORD", "t0", 1, 0), ("TEXCOORD", "t1", 2, 1), ("COLOR", "c", 3, 0),
        ]
    )  # fmt: skip
    faces = f'<triangles count="1" material="skin">{inputs}<p>0 1 0 1  1 0 1 0  2 1 1 0</p></triangles>'
    soup = _read(_scene(faces, sources=sources, more=_effect("<texture texture='none' texcoord='CHANNEL'/>")), tmp_path)
    assert corner_uv(soup).tolist() == [[[0.25, 0.5], [0.75, 1.0], [0.75, 1.0]]]
    assert corner_colors(soup).tolist() == [[[0, 0.5, 0], [1, 0, 0], [1, 0, 0]]]


def _effect(diffuse: str, parameters: str = "", images: str = "") -> str:
    return (
        f'<library_images>{images}</library_images><library_materials><material id="m" name="paint">'
        '<instance_effect url="#e"/></material></library_materials><library_effects><effect id="e"><profile_COMMON>'
        f'{parameters}<technique sid="t"><phong><diffuse>{diffuse}</diffuse></phong></technique></profile_COMMON>'
        "</effect></library_effects>"
    )


@pytest.mark.parametrize(("tool", "linear"), [("SketchUp", False), ("Blender 2.93", True)])
def test_base_colors_are_srgb_but_from_blender(tool: str, linear: bool, tmp_path: Path) -> None:
    asset = f"<contributor><authoring_tool>{tool}</authoring_tool></contributor>"
    soup = _read(_scene(asset=asset, more=_effect("<color>0.2 0.4 0.6 1</color>")), tmp_path)
    expected = linear_to_srgb(np.array((0.2, 0.4, 0.6))) if linear else (0.2, 0.4, 0.6)
    assert soup.materials[0].base_color == pytest.approx(tuple(expected), abs=1e-6)


_CHAIN = (
    '<newparam sid="surface"><surface type="2D"><init_from>i</init_from></surface></newparam>'
    '<newparam sid="sampler"><sampler2D><source>surface</source><wrap_s>CLAMP</wrap_s><wrap_t>CLAMP</wrap_t>'
    "</sampler2D></newparam>"
)
_NEWER = '<newparam sid="sampler"><sampler2D><instance_image url="#i"/></sampler2D></newparam>'


@pytest.mark.parametrize(
    ("parameters", "used", "image", "wrap"),
    [
        (_CHAIN, "sampler", "<init_from>skin%20one.png</init_from>", "clamp"),
        (_NEWER, "sampler", "<init_from><ref>skin one.png</ref></init_from>", "repeat"),
        ("", "i", "<init_from>file:///C:/work/skin one.png</init_from>", "repeat"),
        ("", "i", "<init_from>./images/skin one.png</init_from>", "repeat"),
    ],
)
def test_textures_through_all_their_names(parameters: str, used: str, image: str, wrap: str, tmp_path: Path) -> None:
    (tmp_path / "skin one.png").write_bytes(encoded(quarters(8, 8)))
    effect = _effect(f"<texture texture='{used}' texcoord='CHANNEL'/>", parameters, f'<image id="i">{image}</image>')
    soup = _read(_scene(more=effect), tmp_path)
    assert soup.materials[0].texture is not None
    assert soup.materials[0].texture.encoded == encoded(quarters(8, 8))
    assert soup.materials[0].wrap == wrap


@pytest.mark.parametrize("name", ["../secret.png", "%2e%2e/secret.png", "file://{0}/secret.png", "link.png"])
def test_textures_elsewhere_are_not_opened(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "chosen"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(encoded(quarters(8, 8)))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    image = f'<image id="i"><init_from>{name.format(tmp_path)}</init_from></image>'
    soup = _read(_scene(more=_effect("<texture texture='i' texcoord='c'/>", images=image)), folder)
    assert soup.materials[0].texture is None
    assert "not beside the file" in soup.notes[0]


def test_a_skinned_mesh_stands_as_it_was_bound(tmp_path: Path) -> None:
    skin = (
        '<library_controllers><controller id="c"><skin source="#g">'
        "<bind_shape_matrix>1 0 0 5  0 1 0 0  0 0 1 0  0 0 0 1</bind_shape_matrix>"
        "</skin></controller></library_controllers>"
    )
    node = '<node><translate>99 99 99</translate><instance_controller url="#c"/></node>'
    soup = _read(_scene(more=skin, nodes=node), tmp_path)
    assert corners(soup)[2, 0].tolist() == [5, 0, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]><COLLADA/>', "declares XML entities"),
        ('<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><COLLADA/>', "declares XML entities"),
        ("<html/>", "is no COLLADA file"),
        ("<COLLADA>", "cut off or damaged"),
        ('<?xml version="1.0" encoding="klingon"?><COLLADA/>', "encoding|damaged"),
        ("<COLLADA>" + "<node>" * 300, "too deep"),
        (_scene(nodes='<node id="x"><instance_node url="#x"/></node>'), "too many objects"),
        (
            _scene(
                nodes="".join(
                    f'<node id="x{k}"><instance_node url="#x{k + 1}"/><instance_node url="#x{k + 1}"/></node>'
                    for k in range(60)
                )
            ),
            "too many objects",
        ),
        (_scene(_TRIANGLES.replace("0 1 2 0 2 3", "0 1 99")), "names entry 99 of 5"),
        (_scene(_TRIANGLES.replace("0 1 2 0 2 3", "0 1 two")), "no number"),
        (_scene(_TRIANGLES.replace("0 1 2 0 2 3", "")), "no triangles"),
    ],
)
def test_files_that_ask_for_too_much_or_make_no_sense(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.dae").write_text(text, "utf-8")
    with pytest.raises(UnreadableFile, match=words):
        read_dae(tmp_path / "a.dae", Limits(), no_progress)


def test_limits_hold_for_what_instances_show(tmp_path: Path) -> None:
    (tmp_path / "a.dae").write_text(_scene(nodes='<node><instance_geometry url="#g"/></node>' * 9), "utf-8")
    with pytest.raises(LimitExceeded, match="asks for 18 triangles"):
        read_dae(tmp_path / "a.dae", Limits(triangles=17), no_progress)


@pytest.mark.parametrize("name", ["cube_UTF16LE.dae", "cube_with_2UVs.DAE"])
def test_damaged_files(name: str, shared: Path, tmp_path: Path) -> None:
    data = (shared / "formats_zoo/dae/assimp" / name).read_bytes()
    assert_survives(reader("dae"), data, tmp_path / "a.dae", count=150)
