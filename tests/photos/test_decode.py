"""Pixels from image files: upright, in sRGB, reduced, and one clear error for what is broken."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageOps

from app.errors import LikenessError, LimitExceeded, UnreadableFile
from app.photos.decode import decode, is_harmless
from tests.photos.pictures import encoded, oriented, png_claiming, quarters

pillow_heif.register_heif_opener()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_each_orientation_is_turned_upright_as_pillow_turns_it(orientation: int, kind: str) -> None:
    file = oriented(Image.fromarray(quarters()), orientation, kind)
    with Image.open(io.BytesIO(file)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    decoded = decode(file, "photo")
    np.testing.assert_array_equal(decoded.pixels, expected)
    assert (decoded.width, decoded.height) == (expected.shape[1], expected.shape[0])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_of_a_camera_look_the_same_whatever_their_orientation(shared: Path, orientation: int) -> None:
    folder = shared / "reference_photos" / "exif_rotation_recurser"
    upright = decode((folder / "Portrait_1.jpg").read_bytes(), "upright")
    turned = decode((folder / f"Portrait_{orientation}.jpg").read_bytes(), "turned")
    assert (turned.width, turned.height) == (1200, 1800)
    # The pictures differ in a digit in their middle; the rest is the same photo.
    difference = np.abs(turned.thumbnail.astype(int) - upright.thumbnail.astype(int)).mean()
    assert difference < 4.0


def test_orientation_in_xmp_is_honoured(shared: Path) -> None:
    file = (shared / "reference_photos/pillow/xmp_tags_orientation.png").read_bytes()
    with Image.open(io.BytesIO(file)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    shown = decode(file, "xmp").pixels
    assert shown.shape == expected.shape
    # The photo has a colour profile too, which changes its colours but not what is where.
    assert np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "HEIF", "AVIF", "JPEG"])
def test_every_kind_of_file_shows_its_colours(kind: str) -> None:
    options = {"WEBP": {"lossless": True}, "HEIF": {"quality": 95}, "AVIF": {"quality": 95}}.get(kind, {})
    decoded = decode(encoded(quarters(), kind, **options), "photo")
    middles = decoded.pixels[[10, 10, 30, 30], [15, 45, 15, 45]].astype(int)
    expected = quarters()[[10, 10, 30, 30], [15, 45, 15, 45]]
    assert np.abs(middles - expected).max() <= 8


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    values = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        shown = decode(encoded(Image.fromarray(values), kind), "grey").pixels
        assert np.abs(shown[:, :, 0].astype(int) - values / 257.0).max() <= 1.0


def test_sixteen_bit_colour_matches_pillow(shared: Path) -> None:
    file = (shared / "reference_photos/pillow/tiff_16bit_RGB.tiff").read_bytes()
    with Image.open(io.BytesIO(file)) as image:
        np.testing.assert_array_equal(decode(file, "tiff").pixels, np.asarray(image.convert("RGB")))


def test_floating_point_tiff_shows_its_range() -> None:
    values = np.linspace(0.0, 1.0, 64, dtype=np.float32).reshape(8, 8)
    values[0, 0] = np.nan
    shown = decode(encoded(Image.fromarray(values), "TIFF"), "float").pixels
    assert shown[7, 7, 0] == 255
    assert shown[0, 0, 0] == 0


def test_cmyk_palette_and_one_bit_images_show() -> None:
    picture = Image.fromarray(quarters())
    assert np.abs(decode(encoded(picture.convert("CMYK"), "TIFF"), "").pixels.astype(int) - quarters()).max() <= 2
    palette = picture.quantize(8)
    np.testing.assert_array_equal(decode(encoded(palette), "").pixels, np.asarray(palette.convert("RGB")))
    assert set(np.unique(decode(encoded(picture.convert("1")), "").pixels)) <= {0, 255}


def test_a_cmyk_jpeg_from_a_print_shop_is_not_a_negative(shared: Path) -> None:
    shown = decode((shared / "reference_photos/pillow/pil_sample_cmyk.jpg").read_bytes(), "cmyk").pixels
    assert tuple(shown[2, 2] > 200) == (True, False, False)  # its upper left corner is a red label
    assert shown.mean() < 40  # on black


def test_transparent_parts_lie_on_neutral_grey() -> None:
    picture = np.zeros((4, 4, 4), np.uint8)
    picture[:, 2:] = 250, 10, 20, 255
    shown = decode(encoded(picture), "cut-out").pixels
    assert (shown[:, :2] == 128).all()
    assert (shown[:, 2:] == (250, 10, 20)).all()


def test_lab_images_become_srgb() -> None:
    lab = ImageCms.createProfile("LAB")
    grey = Image.fromarray(np.full((4, 4, 3), (128, 128, 128), np.uint8), "LAB")
    shown = decode(encoded(grey, "TIFF"), "lab").pixels
    expected = ImageCms.profileToProfile(grey, lab, ImageCms.createProfile("sRGB"), outputMode="RGB")
    np.testing.assert_array_equal(shown, np.asarray(expected))


def test_an_embedded_profile_is_applied_as_little_cms_does(shared: Path) -> None:
    file = (shared / "reference_photos/pillow/avif/icc_profile.avif").read_bytes()
    with Image.open(io.BytesIO(file)) as image:
        source = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        expected = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        plain = np.asarray(image.convert("RGB"))
    shown = decode(file, "profile").pixels
    np.testing.assert_array_equal(shown, np.asarray(expected))
    assert "srgb" in source.profile.profile_description.lower() or (shown != plain).any()


def test_a_damaged_profile_or_exif_block_is_ignored() -> None:
    for options in ({"icc_profile": b"not a profile at all"}, {"exif": b"Exif\x00\x00MM\x00*garbage"}):
        shown = decode(encoded(quarters(), "PNG", **options), "photo").pixels
        np.testing.assert_array_equal(shown, quarters())


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_photo_is_reduced_and_knows_its_size(kind: str) -> None:
    picture = Image.fromarray(quarters()).resize((8000, 5000), Image.Resampling.NEAREST)
    file = oriented(picture, 6, kind, **({"compress_level": 1} if kind == "PNG" else {}))
    decoded = decode(file, "large")
    assert (decoded.width, decoded.height) == (5000, 8000)
    height, width = decoded.pixels.shape[:2]
    assert 20e6 < width * height <= 24e6
    assert width / height == pytest.approx(5 / 8, rel=0.001)
    assert tuple(decoded.pixels[10, 10] > 128) == (False, False, True)  # blue is up left after a quarter turn
    assert max(decoded.thumbnail.shape) == 192


def test_a_strip_of_a_photo_stays_within_what_can_be_drawn() -> None:
    assert decode(encoded(np.zeros((2, 40_000, 3), np.uint8)), "strip").pixels.shape == (1, 16_384, 3)


def hostile_files() -> dict[str, bytes]:
    jpeg, png = encoded(quarters(), "JPEG"), encoded(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
    tiff_loop = (
        b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 1) + struct.pack("<HHII", 256, 4, 1, 9) + b"\x08\x00\x00\x00"
    )
    return {
        "truncated JPEG": jpeg[: len(jpeg) // 2],
        "truncated PNG": png[: len(png) // 2],
        "truncated WebP": encoded(quarters(), "WEBP")[:-40],
        "truncated HEIC": encoded(quarters(), "HEIF")[:-40],
        "PNG of 65535 x 65535": png_claiming(65_535, 65_535),
        "PNG with too few pixels": png_claiming(3000, 3000),
        "PNG without width": png_claiming(0, 10),
        "TIFF that points at itself": tiff_loop,
        "text": b"This is not a photo, whatever its name says.",
        "zeros": bytes(4096),
        "PDF": b"%PDF-1.7\n%%EOF",
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    }


@pytest.mark.parametrize("name", hostile_files())
def test_a_broken_or_hostile_file_is_one_clear_line(name: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        decode(hostile_files()[name], "karin.jpg")
    text = str(caught.value)
    assert text.startswith("karin.jpg: ")
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 200


def test_a_header_that_claims_too_much_is_refused_before_decoding(shared: Path) -> None:
    for file in (
        png_claiming(30_000, 30_000),
        (shared / "reference_photos/pillow/decompression_bomb.gif").read_bytes(),
    ):
        with pytest.raises(LimitExceeded, match="250 megapixels"):
            decode(file, "bomb")


def test_only_plain_files_of_ordinary_size_are_called_harmless() -> None:
    assert is_harmless(encoded(quarters(), "JPEG"))
    assert is_harmless(encoded(quarters(), "PNG"))
    assert not is_harmless(encoded(quarters(), "JPEG", progressive=True))
    assert not is_harmless(encoded(quarters(), "TIFF"))
    assert not is_harmless(encoded(quarters(), "HEIF"))
    assert not is_harmless(png_claiming(10_000, 10_000))
    assert not is_harmless(b"")


def test_real_photos_decode_or_say_why(shared: Path) -> None:
    failed = set()
    for path in sorted((shared / "reference_photos").rglob("*.*")):
        try:
            decoded = decode(path.read_bytes(), path.name)
        except LikenessError:
            failed.add(path.name)
        else:
            assert decoded.pixels.ndim == 3
            assert decoded.pixels.dtype == np.uint8
    assert failed == {"truncated_jpeg.jpg", "decompression_bomb.gif"}
