"""Which colour and which texture a glTF surface gets."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.errors import LimitExceeded
from app.formats.gltf import read
from app.formats.registry import Limits, no_progress
from app.mesh.soup import Soup
from tests.formats.gltf_files import CORNERS, Glb, tetrahedron

_RED, _GREEN = (200, 10, 10), (10, 200, 10)
# Linear light to sRGB by the standard's own table of well-known points.
_LINEAR_HALF_IN_SRGB = 0.7353570


def _image(color: tuple[int, int, int], kind: str = "PNG", size: tuple[int, int] = (4, 2)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, kind, lossless=True)
    return buffer.getvalue()


def _textured(material: dict[str, Any], *images: bytes, **texture: Any) -> Glb:
    glb = tetrahedron(material=0)
    uv = np.array([[0, 0], [1, 0], [0, 1], [0.25, 0.75]], np.float32)
    attributes = glb.data["meshes"][0]["primitives"][0]["attributes"]
    attributes["TEXCOORD_0"], attributes["TEXCOORD_1"] = glb.accessor(uv), glb.accessor(uv / 2)
    for number, image in enumerate(images):
        glb.add("images", {"bufferView": glb.view(image), "name": f"picture {number}"})
        glb.add("textures", {"source": number} | texture)
    glb.data["materials"] = [material]
    return glb


def _read(glb: Glb, folder: Path, **limits: int) -> Soup:
    return read(glb.save(folder), Limits(**limits), no_progress)


def _color_of(soup: Soup) -> tuple[int, ...]:
    texture = soup.materials[0].texture
    assert texture is not None
    return tuple(texture.pixels()[0, 0].tolist())


def _base(**more: Any) -> dict[str, Any]:
    return {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0} | more}}


def test_the_base_color_is_stored_as_srgb(tmp_path: Path) -> None:
    glb = tetrahedron(material=0)
    glb.data["materials"] = [{"name": "skin", "pbrMetallicRoughness": {"baseColorFactor": [1, 0.5, 0, 0.3]}}]
    material = _read(glb, tmp_path).materials[0]
    assert material.name == "skin"
    assert material.base_color == pytest.approx((1, _LINEAR_HALF_IN_SRGB, 0), abs=1e-6)
    assert material.texture is None


@pytest.mark.parametrize(("kind", "mime"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_the_textures_bytes_are_passed_on(kind: str, mime: str, tmp_path: Path) -> None:
    image = _image(_RED, kind)
    texture = _read(_textured(_base(), image), tmp_path).materials[0].texture
    assert texture is not None
    assert (texture.encoded, texture.mime, texture.width, texture.height) == (image, mime, 4, 2)
    assert texture.name == "picture 0"


@pytest.mark.parametrize("declared", [True, False])
def test_webp_becomes_png(declared: bool, tmp_path: Path) -> None:
    glb = _textured(_base(), _image(_RED, "WEBP"))
    if declared:
        glb.data["textures"] = [{"extensions": {"EXT_texture_webp": {"source": 0}}}]
    soup = _read(glb, tmp_path)
    assert _color_of(soup) == _RED
    assert soup.materials[0].texture is not None
    assert soup.materials[0].texture.mime == "image/png"


def test_the_readable_one_of_two_sources_is_taken(tmp_path: Path) -> None:
    glb = _textured(_base(), b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(80), _image(_GREEN))
    glb.data["textures"] = [{"source": 1, "extensions": {"KHR_texture_basisu": {"source": 0}}}]
    soup = _read(glb, tmp_path)
    assert _color_of(soup) == _GREEN
    assert soup.notes == []


def test_a_ktx2_texture_is_explained(tmp_path: Path) -> None:
    glb = _textured(_base(), b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(80))
    glb.data["textures"] = [{"extensions": {"KHR_texture_basisu": {"source": 0}}}]
    soup = _read(glb, tmp_path)
    assert soup.materials[0].texture is None
    assert len(soup.notes) == 1
    assert "KTX2" in soup.notes[0]
    assert "PNG or JPEG" in soup.notes[0]


_EMIT = {"emissiveFactor": [1, 1, 1], "emissiveTexture": {"index": 1}}
_BASE_1 = {"baseColorTexture": {"index": 0}}


@pytest.mark.parametrize(
    ("material", "expected"),
    [
        ({**_EMIT, "pbrMetallicRoughness": {"baseColorFactor": [0, 0, 0, 1]}}, _GREEN),
        ({**_EMIT, "pbrMetallicRoughness": {"baseColorFactor": [1, 1, 1, 0.004]}}, _GREEN),
        ({**_EMIT, "pbrMetallicRoughness": {"baseColorFactor": [0, 0, 0, 1], **_BASE_1}}, _GREEN),
        ({**_EMIT, "pbrMetallicRoughness": {"metallicFactor": 0}}, _GREEN),
        (_EMIT, _GREEN),
        ({**_EMIT, "pbrMetallicRoughness": _BASE_1}, _RED),
        ({**_EMIT, "emissiveFactor": [0, 0, 0], "pbrMetallicRoughness": _BASE_1}, _RED),
        ({"extensions": {"KHR_materials_unlit": {}}, "pbrMetallicRoughness": _BASE_1}, _RED),
        ({"extensions": {"KHR_materials_pbrSpecularGlossiness": {"diffuseTexture": {"index": 1}}}}, _GREEN),
    ],
)
def test_which_texture_is_the_colour(material: dict[str, Any], expected: tuple[int, ...], tmp_path: Path) -> None:
    soup = _read(_textured(material, _image(_RED), _image(_GREEN)), tmp_path)
    assert _color_of(soup) == expected
    assert soup.materials[0].base_color == (1, 1, 1)


def test_glowing_details_do_not_replace_a_painted_surface(tmp_path: Path) -> None:
    glb = _textured(
        {**_EMIT, "pbrMetallicRoughness": {"baseColorFactor": [0.5, 0, 0, 1]}}, _image(_RED), _image(_GREEN)
    )
    material = _read(glb, tmp_path).materials[0]
    assert material.texture is None
    assert material.base_color == pytest.approx((_LINEAR_HALF_IN_SRGB, 0, 0), abs=1e-6)


def test_the_chosen_texture_coordinates_are_used(tmp_path: Path) -> None:
    soup = _read(_textured(_base(texCoord=1), _image(_RED)), tmp_path)
    assert soup.uv is not None
    np.testing.assert_allclose(soup.uv, [[0, 1], [0.5, 1], [0, 0.5], [0.125, 0.625]])


def test_a_texture_transform_is_baked_in(tmp_path: Path) -> None:
    transform = {"offset": [0.1, 0.2], "rotation": np.pi / 2, "scale": [2, 3], "texCoord": 0}
    glb = _textured(_base(texCoord=1, extensions={"KHR_texture_transform": transform}), _image(_RED))
    uv = np.array([[0, 0], [1, 0], [0, 1], [0.25, 0.75]]) * [2, 3]
    turned = np.stack((uv[:, 1], -uv[:, 0]), axis=1) + np.array((0.1, 0.2))  # v points down
    soup = _read(glb, tmp_path)
    assert soup.uv is not None
    np.testing.assert_allclose(soup.uv, turned * [1, -1] + [0, 1], atol=1e-6)


@pytest.mark.parametrize(("mode", "wrap"), [(None, "repeat"), (10497, "repeat"), (33071, "clamp")])
def test_wrapping(mode: int | None, wrap: str, tmp_path: Path) -> None:
    glb = _textured(_base(), _image(_RED), sampler=0)
    glb.data["samplers"] = [{} if mode is None else {"wrapS": mode, "wrapT": mode}]
    assert _read(glb, tmp_path).materials[0].wrap == wrap


@pytest.mark.parametrize(
    "spoil",
    [
        lambda glb: glb.data["images"][0].update(bufferView=glb.view(_image(_RED, "PNG", (64, 64))[:60])),
        lambda glb: glb.data["images"][0].update(bufferView=glb.view(b"not an image")),
        lambda glb: glb.data["images"][0].update(bufferView=999),
        lambda glb: glb.data["images"].__setitem__(0, {"uri": "missing.png"}),
        lambda glb: glb.data["images"].__setitem__(0, {}),
        lambda glb: glb.data["textures"][0].update(source=9),
        lambda glb: glb.data["materials"].__setitem__(0, {"pbrMetallicRoughness": ["wrong"]}),
        lambda glb: glb.data["materials"].__setitem__(0, _base(index=-1)),
    ],
)
def test_a_damaged_surface_costs_its_colour_not_the_model(spoil: Any, tmp_path: Path) -> None:
    glb = _textured(_base(), _image(_RED))
    spoil(glb)
    soup = _read(glb, tmp_path)
    np.testing.assert_array_equal(soup.positions, CORNERS)
    assert soup.materials[0].texture is None
    assert len(soup.notes) == 1
    assert "plain colour" in soup.notes[0]


def test_a_texture_with_too_many_pixels_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match="picture 0"):
        _read(_textured(_base(), _image(_RED, "PNG", (101, 100))), tmp_path, texture_pixels=10_000)


@pytest.mark.parametrize("kind", [np.float32, np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_vertex_colors_are_linear_in_the_file(kind: type, channels: int, tmp_path: Path) -> None:
    full = 1 if kind is np.float32 else np.iinfo(kind).max
    linear = np.array([[0, 0, 0, 1], [1, 1, 1, 1], [0.5, 0, 1, 0.5], [1, 0, 0, 0]])[:, :channels]
    glb = tetrahedron()
    attributes = glb.data["meshes"][0]["primitives"][0]["attributes"]
    attributes["COLOR_0"] = glb.accessor((linear * full).astype(kind), normalized=kind is not np.float32)
    colors = _read(glb, tmp_path).colors
    assert colors is not None
    half = _LINEAR_HALF_IN_SRGB
    np.testing.assert_allclose(colors, [[0, 0, 0], [1, 1, 1], [half, 0, 1], [1, 0, 0]], atol=0.002)


def test_parts_without_vertex_colors_show_their_base_color(tmp_path: Path) -> None:
    glb = tetrahedron(material=0)
    primitive = glb.data["meshes"][0]["primitives"][0]
    colored = {**primitive["attributes"], "COLOR_0": glb.accessor(np.full((4, 3), 1, np.float32))}
    glb.data["meshes"][0]["primitives"].append({**primitive, "attributes": colored})
    glb.data["materials"] = [{"pbrMetallicRoughness": {"baseColorFactor": [0.5, 0, 0, 1]}}]
    colors = _read(glb, tmp_path).colors
    assert colors is not None
    np.testing.assert_allclose(colors, np.tile([_LINEAR_HALF_IN_SRGB, 0, 0], (8, 1)), atol=1e-6)
