"""Textures: what is kept, what is transcoded, what is refused; and the sRGB curve."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.errors import LimitExceeded, UnreadableFile
from app.formats.images import linear_to_srgb, read_texture, read_texture_or_note, srgb_to_linear, written_texture
from app.formats.registry import Limits, WriteOptions
from app.mesh.soup import Texture

_PIXELS = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3) * 3


def _encoded(mode: str, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(_PIXELS, "RGB").convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind"), [("RGB", "PNG"), ("RGBA", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("RGB", "JPEG"), ("L", "JPEG")]
)
def test_what_every_program_reads_is_kept_to_the_byte(mode: str, kind: str) -> None:
    encoded = _encoded(mode, kind)
    texture = read_texture(encoded, "skin", Limits())
    assert (texture.encoded, texture.width, texture.height, texture.name) == (encoded, 4, 6, "skin")
    assert texture.mime == f"image/{kind.lower()}"


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [("RGB", "WEBP", {"lossless": True}), ("RGB", "BMP", {}), ("RGB", "TIFF", {}), ("RGB", "TGA", {})],
)
def test_other_lossless_images_become_png_with_the_same_pixels(
    mode: str, kind: str, options: dict[str, object]
) -> None:
    texture = read_texture(_encoded(mode, kind, **options), "skin", Limits())
    assert texture.mime == "image/png"
    np.testing.assert_array_equal(texture.pixels(), _PIXELS)


def test_palettes_and_print_colours_become_rgb() -> None:
    assert read_texture(_encoded("P", "PNG"), "skin", Limits()).mime == "image/png"
    cmyk = read_texture(_encoded("CMYK", "JPEG", quality=95), "skin", Limits())
    assert cmyk.mime == "image/png"
    assert np.abs(cmyk.pixels().astype(int) - _PIXELS).mean() < 20


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.array([[0, 257, 32896, 65535]], np.uint16)).save(buffer, "PNG")
    texture = read_texture(buffer.getvalue(), "grey", Limits())
    assert texture.pixels()[0, :, 0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_cut_image_is_refused_when_read_not_when_shown(kind: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGB").save(buffer, kind)
    encoded = buffer.getvalue()
    for part in (0, 10, len(encoded) // 2):
        with pytest.raises(UnreadableFile, match="texture skin"):
            read_texture(encoded[:part], "skin", Limits())
    notes: list[str] = []
    assert read_texture_or_note(encoded[: len(encoded) // 2], "skin", Limits(), notes) is None
    assert len(notes) == 1
    assert "texture skin" in notes[0]


def _bomb(width: int, height: int) -> bytes:
    """A PNG that says that it is this large and has next to no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(16385, 16384), (60_000, 60_000), (2_000_000_000, 2)])
def test_pixel_bombs_are_refused_by_their_header(width: int, height: int) -> None:
    with pytest.raises(LimitExceeded, match="pixels"):
        read_texture_or_note(_bomb(width, height), "bomb", Limits(), [])


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(LimitExceeded, match="MB"):
        read_texture(bytes(2 << 20), "skin", Limits(encoded_texture_bytes=1 << 20))


def test_vector_and_script_formats_are_not_let_near_a_decoder() -> None:
    with pytest.raises(UnreadableFile):
        read_texture(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "script", Limits())


def test_a_texture_that_fits_is_written_as_it_came() -> None:
    texture = read_texture(_encoded("RGB", "JPEG"), "skin", Limits())
    assert written_texture(texture, WriteOptions(texture_limit=6)) is texture
    assert written_texture(texture, WriteOptions(texture_format="jpeg")) is texture


def test_a_texture_is_converted_and_reduced_as_the_profile_asks() -> None:
    texture = Texture.from_pixels(np.full((300, 200, 3), (10, 120, 230), np.uint8), "skin")
    smaller = written_texture(texture, WriteOptions(texture_limit=150, texture_format="jpeg"))
    assert (smaller.mime, smaller.width, smaller.height) == ("image/jpeg", 100, 150)
    with Image.open(io.BytesIO(smaller.encoded)) as image:
        assert (image.format, image.size) == ("JPEG", (100, 150))
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - (10, 120, 230)).max() <= 3


def test_the_srgb_curve() -> None:
    # Values of IEC 61966-2-1: the linear foot, both sides of the joint, the middle, the end.
    srgb = np.array([0, 0.02, 0.04045, 0.5, 0.7353570, 1], np.float32)
    linear = np.array([0, 0.02 / 12.92, 0.0031308, 0.2140411, 0.5, 1], np.float32)
    np.testing.assert_allclose(srgb_to_linear(srgb), linear, atol=1e-6)
    np.testing.assert_allclose(linear_to_srgb(linear), srgb, atol=1e-6)
    assert float(linear_to_srgb(np.float32(1))) == 1.0
    assert float(srgb_to_linear(np.float32(1))) == 1.0


def test_all_bytes_survive_the_way_to_linear_and_back() -> None:
    values = np.arange(256)
    back = np.rint(linear_to_srgb(srgb_to_linear(values / 255)) * 255)
    np.testing.assert_array_equal(back, values)


def test_real_images_give_a_texture_or_an_error_for_the_user(shared: Path) -> None:
    outcomes = set()
    for path in sorted(path for path in (shared / "reference_photos" / "pillow").rglob("*") if path.is_file()):
        notes: list[str] = []
        try:
            texture = read_texture_or_note(path.read_bytes(), path.name, Limits(), notes)
        except LimitExceeded:
            outcomes.add("bomb")
        else:
            outcomes.add("note" if texture is None else "texture")
            assert len(notes) == (texture is None)
    assert outcomes == {"bomb", "note", "texture"}
