"""USD: where things stand, colours and textures, real files, and no file outside the folder, whoever asks for it."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.errors import LimitExceeded, UnreadableFile
from app.formats.images import linear_to_srgb
from app.formats.registry import Limits, format_of, no_progress
from app.formats.usd import read as read_usd
from app.mesh.build import build_mesh
from app.mesh.soup import Soup
from tests.formats.helpers import assert_survives, corner_colors, corner_uv, corners, reader
from tests.formats.opens import opened_in
from tests.formats.usd_files import material, mesh, points, save, texture
from tests.meshes import cube_soup
from tests.photos.pictures import encoded, quarters

_CUBE = cube_soup(2.0)
_BOUND = "    rel material:binding = </Skin>"
_CONNECTED = "        color3f inputs:diffuseColor.connect = </Skin/Image.outputs:rgb>"
# float where the format wants double for metersPerUnit: OpenUSD's own stage refuses to say what the unit is.
_OURS = {"usd/suzanne.usdc": (968, 505)}


def _read(text: str, folder: Path, head: str = 'upAxis = "Z"\n    metersPerUnit = 1') -> Soup:
    return reader("usd")(save(folder / "a.usda", text, head))


def _size(soup: Soup) -> list[float]:
    return np.ptp(corners(soup).reshape(-1, 3), axis=0).round(4).tolist()


def test_counts_agree_with_other_tools(shared: Path) -> None:
    rows = {row["file"]: row for row in csv.DictReader((shared / "FILES.csv").read_text().splitlines())}
    files = sorted(path for path in (shared / "usd").iterdir() if path.suffix.startswith(".usd"))
    for path in files:
        name = str(path.relative_to(shared))
        assert format_of(path).id == "usd"
        soup = reader("usd")(path)
        expected = _OURS.get(name) or (int(rows[name]["tris"]), int(rows[name]["verts_unique"]))
        assert (len(soup.triangles), build_mesh(soup).vertex_count) == expected, name
    assert len(files) == 6


def test_real_texture_lands_where_the_file_puts_it(shared: Path) -> None:
    """Points, coordinates and image straight from the archive, by OpenUSD's stage and a zip reader."""
    from pxr import Usd, UsdGeom

    path = shared / "usd/texture-cat-plane.usdz"
    soup = reader("usd")(path)
    stage = Usd.Stage.Open(str(path))
    grid = UsdGeom.Mesh(stage.GetPrimAtPath("/root/root/Grid/Grid"))
    index, st = np.array(grid.GetFaceVertexIndicesAttr().Get()), UsdGeom.PrimvarsAPI(grid).GetPrimvar("st")
    st = st if st.HasValue() else UsdGeom.PrimvarsAPI(grid).GetPrimvar("UVMap")
    matrix = np.array(UsdGeom.XformCache().GetLocalToWorldTransform(grid.GetPrim()))
    places = np.array(grid.GetPointsAttr().Get())[index] @ matrix[:3, :3] + matrix[3, :3]
    expected = {tuple(place): pair for place, pair in zip(places.round(2).tolist(), np.array(st.Get()), strict=True)}
    found = zip(
        corners(soup).reshape(-1, 3).astype(float).round(2).tolist(), corner_uv(soup).reshape(-1, 2), strict=True
    )
    assert all(pair == pytest.approx(expected[tuple(place)], abs=1e-5) for place, pair in found)
    texture = soup.materials[0].texture
    assert texture is not None
    assert texture.encoded == zipfile.ZipFile(path).read("textures/texture-cat.jpg")


@pytest.mark.parametrize(
    ("head", "up", "unit"),
    [
        ('upAxis = "Z"\n    metersPerUnit = 1', "z", 1000.0),
        ('upAxis = "Y"\n    metersPerUnit = 0.001', "y", 1.0),
        ("", "y", 10.0),  # the format's own defaults
        ("metersPerUnit = 0", "y", None),
    ],
)
def test_axes_and_unit(head: str, up: str, unit: float | None, tmp_path: Path) -> None:
    soup = _read(mesh(), tmp_path, head)
    assert soup.up == up
    assert soup.unit_mm is None if unit is None else soup.unit_mm == pytest.approx(unit)
    assert np.array_equal(corners(soup), _CUBE.positions[_CUBE.triangles])


def test_nested_transforms_instances_and_pruned_parts(tmp_path: Path) -> None:
    text = f"""def Xform "Group"
{{
    double3 xformOp:translate = (10, 0, 0)
    float xformOp:rotateZ = 90
    uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:rotateZ"]
    def Xform "Scaled"
    {{
        float3 xformOp:scale = (1, 2, 3)
        uniform token[] xformOpOrder = ["xformOp:scale"]
        {mesh("A")}
    }}
}}
def "Shape" {{ {mesh("B")} }}
def Xform "First" (
    instanceable = true
    references = </Shape>
)
{{
    double3 xformOp:translate = (0, 100, 0)
    uniform token[] xformOpOrder = ["xformOp:translate"]
}}
def Xform "Second" (
    instanceable = true
    references = </Shape>
)
{{
}}
def Scope "Hidden" {{ token visibility = "invisible"
{mesh("C")} }}
{mesh("Guide", 'uniform token purpose = "guide"')}
"""
    text = text.replace('def "Shape" {', 'class "Shape"\n{').replace("{ token vis", "{\ntoken vis")
    text = text.replace("\n} }", "\n}\n}").replace("}\n }", "}\n}")
    soup = _read(text, tmp_path)
    assert len(soup.triangles) == 36
    x, y, z = _CUBE.positions.T
    scaled = np.stack((10 - 2 * y, x, 3 * z), axis=1)[_CUBE.triangles]
    assert np.abs(corners(soup)[:12] - scaled).max() < 1e-5
    shifted = _CUBE.positions[_CUBE.triangles]
    assert np.array_equal(corners(soup)[12:24], shifted + np.float32((0, 100, 0)))
    assert np.array_equal(corners(soup)[24:], shifted)
    assert soup.notes == ["2 hidden parts were left out."]


def test_orientation_holes_and_subdivision(tmp_path: Path) -> None:
    more = '    uniform token orientation = "leftHanded"\n    int[] holeIndices = [0, 1]\n'
    soup = _read(mesh(more=more + '    uniform token subdivisionScheme = "catmullClark"\n'), tmp_path)
    assert np.array_equal(corners(soup), _CUBE.positions[_CUBE.triangles[2:, ::-1]])
    assert "without smoothing" in soup.notes[0]
    plain = _read(mesh(more='    uniform token subdivisionScheme = "none"\n'), tmp_path)
    assert plain.notes == []


_SPREADS = {
    "constant": ([(1, 0, 0)], lambda corner, vertex, face: np.zeros_like(vertex)),
    "uniform": ([(k / 12, 0.5, 1) for k in range(12)], lambda corner, vertex, face: face),
    "vertex": ([(k / 8, 0.2, 0.9) for k in range(8)], lambda corner, vertex, face: vertex),
    "varying": ([(k / 8, 0.2, 0.9) for k in range(8)], lambda corner, vertex, face: vertex),
    "faceVarying": ([(k / 36, 0, 0.1) for k in range(36)], lambda corner, vertex, face: corner),
}


@pytest.mark.parametrize("interpolation", _SPREADS)
@pytest.mark.parametrize("indexed", [False, True])
def test_display_colors_are_linear_and_spread_as_they_say(interpolation: str, indexed: bool, tmp_path: Path) -> None:
    table, index_of = _SPREADS[interpolation]
    values, written = np.array(table, float), np.array(table, float)
    indices = ""
    if indexed:  # the same values, in reverse
        written = values[::-1]
        indices = f"    int[] primvars:displayColor:indices = {list(reversed(range(len(values))))}\n"
    more = f'    color3f[] primvars:displayColor = {points(written)} (\n interpolation = "{interpolation}"\n)\n'
    soup = _read(mesh(more=more + indices), tmp_path)
    corner = np.arange(36).reshape(12, 3)
    chosen = index_of(corner, _CUBE.triangles, np.repeat(np.arange(12)[:, None], 3, axis=1))
    assert np.abs(corner_colors(soup) - linear_to_srgb(values[chosen])).max() < 1e-4


def test_texture_coordinates_by_corner_through_a_transform(tmp_path: Path) -> None:
    (tmp_path / "skin.png").write_bytes(encoded(quarters(8, 8)))
    st = np.arange(72).reshape(36, 2) / 100
    more = f'{_BOUND}\n    texCoord2f[] primvars:map = {points(st)} (\n interpolation = "faceVarying"\n)\n'
    turned = """    def Shader "Turn"
    {
        uniform token info:id = "UsdTransform2d"
        float2 inputs:in.connect = </Skin/Reader.outputs:result>
        float inputs:rotation = 90
        float2 inputs:scale = (2, 3)
        float2 inputs:translation = (0.5, 0.25)
        float2 outputs:result
    }
"""
    wrap = '        token inputs:wrapS = "clamp"\n        token inputs:wrapT = "clamp"'
    shaders = texture("./skin.png", wrap, "</Skin/Turn.outputs:result>", "map") + turned
    soup = _read(material(_CONNECTED, shaders) + mesh(more=more), tmp_path)
    u, v = np.moveaxis(st.reshape(12, 3, 2), 2, 0)
    expected = np.stack((0.5 - 3 * v, 0.25 + 2 * u), axis=2)  # scaled, turned by 90 degrees, moved
    assert np.abs(corner_uv(soup) - expected).max() < 1e-5
    assert soup.materials[0].wrap == "clamp"
    assert soup.materials[0].texture is not None
    assert soup.materials[0].texture.encoded == encoded(quarters(8, 8))


def test_plain_colors_are_linear_and_subsets_have_their_own(tmp_path: Path) -> None:
    subset = """    def GeomSubset "Lid"
    {
        uniform token elementType = "face"
        uniform token familyName = "materialBind"
        int[] indices = [0, 1, 5]
        rel material:binding = </Lid>
    }
"""
    text = material("        color3f inputs:diffuseColor = (0.2, 0.4, 0.6)")
    text += material("        color3f inputs:diffuseColor = (1, 0, 0)", name="Lid")
    soup = _read(text + mesh(more=f"{_BOUND}\n{subset}"), tmp_path)
    assert soup.triangle_material is not None
    looks = [soup.materials[number].base_color for number in soup.triangle_material]
    blue = tuple(linear_to_srgb(np.array((0.2, 0.4, 0.6))).tolist())
    assert [look == (1.0, 0.0, 0.0) for look in looks] == [face in (0, 1, 5) for face in range(12)]
    assert all(look == pytest.approx(blue, abs=1e-6) for look in looks if look != (1.0, 0.0, 0.0))


def test_color_only_in_the_emitted_light(tmp_path: Path) -> None:
    inputs = "        color3f inputs:diffuseColor = (0, 0, 0)\n        color3f inputs:emissiveColor = (0, 1, 0)"
    soup = _read(material(inputs) + mesh(more=_BOUND), tmp_path)
    assert soup.materials[0].base_color == (0.0, 1.0, 0.0)


def test_a_skinned_mesh_stands_as_it_was_bound(tmp_path: Path) -> None:
    skeleton = """def SkelRoot "Root"
{
    def Skeleton "Bones"
    {
        uniform token[] joints = ["a"]
        uniform matrix4d[] bindTransforms = [( (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1) )]
        uniform matrix4d[] restTransforms = [( (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (7, 7, 7, 1) )]
        double3 xformOp:translate = (0, 0, 5)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
"""
    more = """    rel skel:skeleton = </Root/Bones>
    matrix4d primvars:skel:geomBindTransform = ( (2, 0, 0, 0), (0, 2, 0, 0), (0, 0, 2, 0), (1, 0, 0, 1) )
    int[] primvars:skel:jointIndices = [0] (
        interpolation = "constant"
    )
    float[] primvars:skel:jointWeights = [1] (
        interpolation = "constant"
    )
    double3 xformOp:translate = (99, 99, 99)
    uniform token[] xformOpOrder = ["xformOp:translate"]
"""
    head = '    prepend apiSchemas = ["SkelBindingAPI"]'
    soup = _read(skeleton + mesh(more=more, head=head) + "}\n", tmp_path)
    assert corners(soup).reshape(-1, 3).min(axis=0).tolist() == [-1, -2, 3]
    assert corners(soup).reshape(-1, 3).max(axis=0).tolist() == [3, 2, 7]


def test_animated_values_are_taken_at_the_first_moment(tmp_path: Path) -> None:
    soup_points = points(_CUBE.positions)
    text = mesh().replace(
        f"point3f[] points = {soup_points}",
        f"point3f[] points.timeSamples = {{ 1: {soup_points}, 2: {points(_CUBE.positions * 3)}, }}",
    )
    assert _size(_read(text, tmp_path)) == [2, 2, 2]


def _archive(path: Path, files: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return path


def test_archives_and_layers_that_refer_to_each_other(tmp_path: Path) -> None:
    part = save(tmp_path / "part.usda", mesh("Body", f"{_BOUND}") + material(_CONNECTED, texture("maps/skin.png")))
    root = save(
        tmp_path / "root.usda",
        'def "Model" (\n    references = @./parts/part.usda@</Body>\n)\n{\n}\n',
        'subLayers = [@parts/empty.usda@]\n    upAxis = "Z"',
    )
    empty = save(tmp_path / "empty.usda", "")
    files = {
        "root.usda": root.read_bytes(),
        "parts/part.usda": part.read_bytes(),
        "parts/empty.usda": empty.read_bytes(),
        "parts/maps/skin.png": encoded(quarters(8, 8)),
    }
    soup = reader("usd")(_archive(tmp_path / "a.usdz", files))
    assert len(soup.triangles) == 12
    loose = tmp_path / "loose"
    for name, content in files.items():
        (loose / name).parent.mkdir(parents=True, exist_ok=True)
        (loose / name).write_bytes(content)
    assert len(reader("usd")(loose / "root.usda").triangles) == 12
    assert format_of(tmp_path / "a.usdz").id == "usd"


_EVIL = mesh("Evil", edge=777.0)
_ROUTES = {
    "reference": 'def "A" (\n    references = @{name}@</Evil>\n)\n{{\n}}\n',
    "payload": 'def "A" (\n    payload = @{name}@</Evil>\n)\n{{\n}}\n',
    "list": 'def "A" (\n    append references = [</B>, @{name}@</Evil>]\n)\n{{\n}}\n',
    "nested": 'def "X"\n{{\n    over "Y"\n    {{\n        def "A" (\n    prepend payload = @{name}@</Evil>\n)\n{{\n}}\n'
    "    }}\n}}\n",
    "variant": 'def "A" (\n    variants = {{\n        string v = "x"\n    }}\n    prepend variantSets = "v"\n)\n{{\n'
    '    variantSet "v" = {{\n        "x" (\n            references = @{name}@</Evil>\n        ) {{\n'
    '            def "C" (\n                payload = @{name}@</Evil>\n            )\n            {{\n            }}\n'
    "        }}\n    }}\n}}\n",
    "clips": 'def Mesh "Evil" (\n    clips = {{\n        dictionary default = {{\n'
    "            asset[] assetPaths = [@{name}@]\n            asset manifestAssetPath = @{name}@\n"
    '            string templateAssetPath = "{folder}/evil.#.usda"\n            string primPath = "/Evil"\n'
    "            double2[] active = [(0, 0)]\n            double2[] times = [(0, 0)]\n"
    "            double templateStartTime = 1\n            double templateEndTime = 2\n"
    "            double templateStride = 1\n        }}\n    }}\n)\n{{\n}}\n",
    "expression": 'def "A" (\n    references = @`"{name}"`@</Evil>\n)\n{{\n}}\n',
    "sublayer": "",
}


@pytest.mark.parametrize(
    "name", ["../evil.usda", "{folder}/evil.usda", "link.usda", "out/evil.usda", "./x/../../evil.usda"]
)
@pytest.mark.parametrize("route", _ROUTES)
def test_layers_elsewhere_are_not_opened(route: str, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "chosen"
    folder.mkdir()
    save(tmp_path / "evil.usda", _EVIL)
    save(tmp_path / "evil.1.usda", _EVIL)
    (folder / "link.usda").symlink_to(tmp_path / "evil.usda")
    (folder / "out").symlink_to(tmp_path)
    name = name.replace("{folder}", str(tmp_path))
    head = f'upAxis = "Z"\n    subLayers = [@{name}@]' if route == "sublayer" else 'upAxis = "Z"'
    text = _ROUTES[route].format(name=name, folder=tmp_path)
    path = save(folder / "a.usda", f"{mesh('Honest')}\n{text}", head)
    with opened_in(tmp_path) as opened:
        soup = reader("usd")(path)
    assert not {entry for entry in opened if entry.startswith("evil")}
    assert _size(soup) == [2, 2, 2]
    assert route == "clips" or any("evil.usda" in note or "link.usda" in note for note in soup.notes)


def test_the_watch_would_see_an_open(tmp_path: Path) -> None:
    """What the tests above rest on: the same file, where it may be read, is seen to be opened and shown."""
    save(tmp_path / "evil.usda", _EVIL)
    path = save(tmp_path / "a.usda", _ROUTES["reference"].format(name="evil.usda"))
    with opened_in(tmp_path) as opened:
        soup = reader("usd")(path)
    assert "evil.usda" in opened
    assert _size(soup) == [777, 777, 777]


@pytest.mark.parametrize("name", ["../secret.png", "{folder}/secret.png", "link.png", "a.usdz[../secret.png]"])
def test_textures_elsewhere_are_not_opened(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "chosen"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(encoded(quarters(8, 8)))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    text = material(_CONNECTED, texture(name.replace("{folder}", str(tmp_path)))) + mesh(more=_BOUND)
    with opened_in(tmp_path) as opened:
        soup = _read(text, folder)
    assert "secret.png" not in opened
    assert all(entry.texture is None for entry in soup.materials)
    assert "not beside the file" in soup.notes[0]


def _referring(name: str, *targets: str) -> str:
    return f'def "{name}" (\n    references = [{", ".join(f"</{target}>" for target in targets)}]\n)\n{{\n}}\n'


def _laughs(levels: int) -> str:
    """Each level holds the next one twice."""
    twice = [_referring("a", f"L{k + 1}") + _referring("b", f"L{k + 1}") for k in range(levels)]
    return "".join(f'def "L{k}"\n{{\n{both}}}\n' for k, both in enumerate(twice)) + mesh(f"L{levels}")


def _diamonds(levels: int) -> str:
    """Each prim is put together from both of the next level."""
    both = [_referring(f"{name}{k}", f"P{k + 1}", f"Q{k + 1}") for k in range(levels) for name in "PQ"]
    return "".join(both) + mesh(f"P{levels}") + mesh(f"Q{levels}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_laughs(40), "more than 2,000 parts"),
        (_diamonds(25), "refers to itself too often"),
        ('def "A"\n{\n' * 300 + "}\n" * 300, "nested too deeply"),
        (mesh(more="    custom int[] deep = " + "[" * 300), "nested too deeply"),
        (mesh().replace("[3, 3", "[9, 3"), "do not fit its list of corners"),
        (mesh().replace("int[] faceVertexIndices = [0", "int[] faceVertexIndices = [77"), "point that does not exist"),
        ('def "A" (\n    references = </A>\n)\n{\n}\n', "holds no triangles"),
    ],
)  # fmt: skip
def test_files_that_ask_for_too_much_or_make_no_sense(text: str, words: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.usda", text)
    with pytest.raises(UnreadableFile, match=words):
        read_usd(path, Limits(nodes=2000), no_progress)


def test_archives_that_lie_are_refused(tmp_path: Path) -> None:
    bomb = _archive(tmp_path / "a.usdz", {"a.usda": b"#usda 1.0\n" + b" " * 80_000_000}, zipfile.ZIP_DEFLATED)
    with pytest.raises(LimitExceeded, match="unpacks to far more"):
        reader("usd")(bomb)
    with pytest.raises(UnreadableFile, match="leads elsewhere"):
        reader("usd")(_archive(tmp_path / "b.usdz", {"a.usda": b"#usda 1.0\n", "../evil.usda": b""}))
    with pytest.raises(UnreadableFile, match="without a USD layer"):
        reader("usd")(_archive(tmp_path / "c.usdz", {"a.txt": b""}))


def test_a_crate_that_announces_too_much(shared: Path, tmp_path: Path) -> None:
    data = bytearray((shared / "usd/suzanne.usdc").read_bytes())
    contents = int.from_bytes(data[16:24], "little")
    strings = int.from_bytes(data[contents + 8 + 32 + 16 : contents + 8 + 32 + 24], "little")
    data[strings : strings + 8] = (1 << 40).to_bytes(8, "little")
    (tmp_path / "a.usdc").write_bytes(data)
    with pytest.raises(LimitExceeded, match="announces"):
        reader("usd")(tmp_path / "a.usdc")


def test_points_and_splats_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="point cloud of 2 points"):
        _read('def Points "A"\n{\n    point3f[] points = [(0, 0, 0), (1, 1, 1)]\n}\n', tmp_path)


@pytest.mark.parametrize("name", ["suzanne.usdc", "texturedcube.usda"])
def test_damaged_files(name: str, shared: Path, tmp_path: Path) -> None:
    data = (shared / "usd" / name).read_bytes()
    assert_survives(reader("usd"), data, tmp_path / f"a{Path(name).suffix}", count=60)
