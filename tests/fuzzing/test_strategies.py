"""Documents made by hypothesis: valid in form, with any values where a person or a program writes values.

Where damage to whole files seldom arrives: glTF documents with any graph of references, stroke files, printer profiles
and settings with values of any type in any place.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import LikenessError
from app.sculpt.brush import brushes
from tests.formats.gltf_files import rich
from tests.fuzzing import seeds, subjects
from tests.fuzzing.case import escapes

_EXAMPLES = 60

_numbers = st.one_of(
    st.integers(-3, 12),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from([0.0, -0.0, 1e-320, 1e308, 2**31, 2**32, 2**53, 10**400, math.nan, math.inf]),
)
_texts = st.one_of(st.text(max_size=12), st.sampled_from([name.decode() for name in escapes()]))
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), _numbers, _texts),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=12,
)


def _survives(read: Callable[[Path], None], name: str, content: bytes) -> None:
    """Read a file of this content: accepted with all promises kept, or refused in words. Else the test fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        try:
            read(path)
        except LikenessError as error:
            subjects.check_error(error)


def _json(document: Any) -> bytes:
    return json.dumps(document).encode("utf-8", "surrogatepass")


_many = settings(max_examples=_EXAMPLES, suppress_health_check=[HealthCheck.too_slow])


# glTF: parts that refer to each other at will


def _of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


_index = st.integers(-1, 6)
_kinds = st.sampled_from([5120, 5121, 5122, 5123, 5125, 5126, 5130])
_view_use = _of(bufferView=_index, byteOffset=st.integers(0, 64), componentType=_kinds, count=st.integers(0, 40))
_sparse = st.fixed_dictionaries({"count": st.integers(0, 6)}, optional={"indices": _view_use, "values": _view_use})
_accessor = _of(
    bufferView=_index, byteOffset=st.integers(-1, 200), componentType=_kinds, count=st.integers(-1, 60),
    type=st.sampled_from(["SCALAR", "VEC2", "VEC3", "VEC4", "MAT4", "x"]), normalized=st.booleans(), sparse=_sparse,
)  # fmt: skip
_names = ("POSITION", "NORMAL", "TEXCOORD_0", "TEXCOORD_1", "COLOR_0", "JOINTS_0", "WEIGHTS_0", "JOINTS_1", "WEIGHTS_1")
_primitive = _of(
    attributes=st.dictionaries(st.sampled_from(_names), _index, max_size=5), indices=_index, material=_index,
    mode=st.integers(0, 7), targets=st.lists(_of(POSITION=_index), max_size=3),
)  # fmt: skip
_places = st.dictionaries(st.sampled_from(["TRANSLATION", "ROTATION", "SCALE"]), _index)
_instances = _of(EXT_mesh_gpu_instancing=_of(attributes=_places))
_floats = st.floats(-2, 2)
_node = _of(
    mesh=_index, skin=_index, children=st.lists(st.integers(0, 5), max_size=3), extensions=_instances,
    translation=st.lists(_numbers, max_size=4), matrix=st.lists(_numbers, min_size=15, max_size=16),
    scale=st.lists(_floats, min_size=3, max_size=3), rotation=st.lists(_floats, min_size=4, max_size=4),
)  # fmt: skip
_texture_use = _of(index=_index, texCoord=st.integers(-1, 3), extensions=_of(KHR_texture_transform=_values))
_material = _of(
    pbrMetallicRoughness=_of(baseColorTexture=_texture_use, baseColorFactor=st.lists(_numbers, max_size=5)),
    emissiveFactor=st.lists(_numbers, max_size=3), emissiveTexture=_texture_use, name=_texts,
)  # fmt: skip
_mesh = _of(primitives=st.lists(_primitive, max_size=3), weights=st.lists(_numbers, max_size=3))
_skin = _of(joints=st.lists(_index, max_size=4), inverseBindMatrices=_index)
_image, _texture = _of(bufferView=_index, uri=_texts), _of(source=_index, sampler=_index)
_document = _of(
    accessors=st.lists(_accessor, max_size=6), meshes=st.lists(_mesh, max_size=3), nodes=st.lists(_node, max_size=5),
    scenes=st.lists(_of(nodes=st.lists(st.integers(0, 5), max_size=3)), max_size=2), scene=_index,
    materials=st.lists(_material, max_size=3), textures=st.lists(_texture, max_size=3),
    images=st.lists(_image, max_size=3), skins=st.lists(_skin, max_size=2),
    extensionsRequired=_values, asset=_of(version=_texts, extras=_values),
)  # fmt: skip


@_many
@given(_document)
def test_gltf_documents_with_any_references(document: dict[str, Any]) -> None:
    glb = rich()  # its buffer, and its parts where the document has none
    glb.data.update(document)
    _survives(subjects.read_mesh, "a.glb", glb.bytes())


@_many
@given(st.data())
def test_gltf_documents_with_any_value_in_any_place(data: st.DataObject) -> None:
    glb = rich()
    place: Any = glb.data
    for _ in range(data.draw(st.integers(1, 6))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.integers(0, 3)) == 0:
            place[key] = data.draw(_values)
            break
        place = place[key]
    _survives(subjects.read_mesh, "a.glb", glb.bytes())


# What people write by hand


_point = st.one_of(
    st.lists(st.floats(-20, 20), min_size=3, max_size=4),
    st.fixed_dictionaries(
        {"point": st.lists(st.floats(-20, 20), min_size=3, max_size=3)},
        optional=dict.fromkeys(("pressure", "view", "tilt", "time", "x"), _values),
    ),
    _values,
)
_stroke = st.fixed_dictionaries(
    {
        "brush": st.sampled_from(sorted(brushes())),
        "radius_mm": st.one_of(st.floats(0.5, 30), st.sampled_from([1e-300, 1e-9, 1e9, 1e300])),
        "points": st.lists(_point, min_size=1, max_size=4),
    },
    optional={
        "strength": st.one_of(st.floats(0, 1), _values),
        "spacing": st.one_of(st.floats(0.2, 2), _values),
        "stabiliser": st.one_of(st.floats(0, 1), _values),
        **dict.fromkeys(("hardness", "falloff", "invert", "color", "parameters", "symmetry", "auto_smooth"), _values),
    },
)


@_many
@given(st.one_of(st.fixed_dictionaries({"strokes": st.lists(_stroke, max_size=2)}), _values))
def test_stroke_files(document: Any) -> None:
    _survives(subjects.read_strokes, "strokes.json", _json(document))


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf") if math.isinf(value) else repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(entry)}" for key, entry in value.items()) + "}"
    return json.dumps(value) if value is not None else '""'


_plain_profile = {"label": "A printer", "format": "obj", "suffix": ".obj"}
_profile_keys = (
    "label",
    "format",
    "up",
    "unit_mm",
    "target_triangles",
    "products",
    "max_size_mm",
    "unverified",
    "color",
)


@_many
@given(st.dictionaries(st.sampled_from([*_profile_keys, "wall_mm", "unverified", "x"]), _values, max_size=4))
def test_printer_profiles(values: dict[str, Any]) -> None:
    text = "\n".join(f"{key} = {_toml(value)}" for key, value in {**_plain_profile, **values}.items())
    _survives(subjects.read_printer_profile, "a.toml", text.encode("utf-8", "surrogatepass"))


@_many
@given(st.one_of(st.dictionaries(st.sampled_from(["theme", "window/scale", "recent", "autosave"]), _values), _values))
def test_settings(values: Any) -> None:
    _survives(subjects.read_settings, "settings.json", _json(values))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 10_000, '{"recent": Infinity}', "\0", ""])
def test_settings_that_are_no_settings(text: str) -> None:
    _survives(subjects.read_settings, "settings.json", text.encode())


@pytest.mark.parametrize(
    "line",
    ["notes = " + "[" * 100_000, "wall_mm = 0x" + "f" * 5000, "target_triangles = 0x" + "f" * 5000, "a" * 10_000],
)
def test_profiles_that_are_no_profiles(line: str) -> None:
    content = seeds.profiles()[0].files.popitem()[1]
    _survives(subjects.read_printer_profile, "a.toml", line.encode() + b"\n" + content)
    _survives(subjects.read_printer_profile, "a.toml", content + b"\n" + line.encode())


@pytest.mark.timeout(120)
@pytest.mark.parametrize("radius", [1e-300, 1e-30, 1e-9])
@pytest.mark.parametrize("stabiliser", [0.0, 1e-300, 0.5, 1.0])
def test_a_jump_of_a_thousand_kilometres_ends(radius: float, stabiliser: float) -> None:
    points = [[0, 0, 10], [1e9, 0, 0], [-1e9, 1e9, 0]]
    stroke = {"brush": "draw", "radius_mm": radius, "stabiliser": stabiliser, "points": points}
    _survives(subjects.read_strokes, "strokes.json", _json({"strokes": [stroke]}))
