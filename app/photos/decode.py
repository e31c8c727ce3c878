"""From the bytes of an image file to upright sRGB pixels for the screen, within limits. No files, no processes.

Image decoders are what broken and hostile files crash most often, so `load` decides in which process this runs.
"""

from __future__ import annotations

import io
import math
import threading
from dataclasses import dataclass

import numpy as np
import pillow_heif
from PIL import Image, ImageCms, UnidentifiedImageError

from app.errors import LikenessError, LimitExceeded, UnreadableFile
from app.photos.display import DISPLAY_PIXELS, DISPLAY_SIDE

# Pillow knows more kinds of files; these are the ones that photos come in, none of which starts another program.
_JPEGS = ("JPEG", "MPO")
_DECODERS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF", "GIF", "BMP", "PPM")
# libjpeg reduces while it decodes, so a JPEG may be larger than what has to be decoded in full.
MAX_PIXELS, MAX_PIXELS_JPEG = 250_000_000, 1_000_000_000

_THUMBNAIL_SIDE = 192
_BEHIND_TRANSPARENT = (128, 128, 128)  # a cut-out person is judged best on neutral grey
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES = (5, 6, 7, 8)
ADVICE = "Save it again as JPEG or PNG, then add it"
ADVICE_DAMAGED = "Copy it again from the camera or phone"


@dataclass(frozen=True)
class Decoded:
    """width, height: of the original, upright. pixels (reduced where it is large), thumbnail: (h, w, 3) uint8 sRGB."""

    width: int
    height: int
    pixels: np.ndarray
    thumbnail: np.ndarray


def is_harmless(encoded: bytes) -> bool:
    """Whether this claims to be a PNG or a sequential JPEG that fits the display as it is.

    A progressive JPEG is not: a few hundred kilobytes can hold scans that take minutes.
    """
    try:
        with _opened(encoded, ("JPEG", "PNG")) as image:
            small = image.width * image.height <= DISPLAY_PIXELS and max(image.size) <= DISPLAY_SIDE
            return small and "progressive" not in image.info
    except Exception:  # noqa: BLE001 - whatever is wrong with it, decoding will say so
        return False


def decode(encoded: bytes | np.ndarray, name: str) -> Decoded:
    """The photo in a file's bytes, upright, sRGB, reduced to at most DISPLAY_PIXELS.

    Raises UnreadableFile, LimitExceeded, MemoryError.
    """
    try:
        pillow_heif.register_heif_opener()
        with _opened(encoded, _DECODERS) as image:
            return _decoded(image, name)
    except (LikenessError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        kinds = "JPEG, PNG, WebP, TIFF, HEIC, AVIF, GIF and BMP"
        raise UnreadableFile(f"is not a photo that can be read ({kinds} can)", name, ADVICE) from error
    except Exception as error:  # Pillow's decoders raise anything from SyntaxError to struct.error
        raise UnreadableFile("is damaged or cut short", name, ADVICE_DAMAGED) from error


_pillow = threading.Lock()


def _opened(encoded: bytes | np.ndarray, decoders: tuple[str, ...]) -> Image.Image:
    """The image with its header read. Pillow's pixel limit, one for the whole process, is looked at here and refuses a
    200-megapixel phone photo; ours is checked before anything is decoded."""
    with _pillow:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(io.BytesIO(encoded), formats=decoders)  # type: ignore[arg-type]  # arrays are buffers
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _decoded(image: Image.Image, name: str) -> Decoded:
    full = image.size
    limit = MAX_PIXELS_JPEG if image.format in _JPEGS else MAX_PIXELS
    if full[0] * full[1] > limit:
        what = f"is {full[0]} x {full[1]} pixels large; at most {limit // 1_000_000} megapixels are read"
        raise LimitExceeded(what, name, "Save it again smaller, then add it")
    image.draft(None, _display_size(full))
    drafted = image.size
    image.load()
    if image.size != drafted:  # TIFF turns itself upright when it loads
        full = full[1], full[0]
    orientation = _orientation(image)
    profile = image.info.get("icc_profile")
    plain = _plain_mode(image)
    target = _display_size(full)
    if plain.size != target and plain.width * plain.height > target[0] * target[1]:
        plain = plain.resize(target, Image.Resampling.BOX, reducing_gap=1.0)
    plain = _srgb(plain, profile)
    if orientation in _UPRIGHT:
        plain = plain.transpose(_UPRIGHT[orientation])
    if orientation in _SWAPS_SIDES:
        full = full[1], full[0]
    return Decoded(full[0], full[1], np.array(plain), np.array(_thumbnail(plain)))


def _thumbnail(image: Image.Image) -> Image.Image:
    scale = min(1.0, _THUMBNAIL_SIDE / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def _display_size(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    scale = min(1.0, math.sqrt(DISPLAY_PIXELS / (width * height)), DISPLAY_SIDE / max(width, height))
    return max(1, int(width * scale)), max(1, int(height * scale))


def _orientation(image: Image.Image) -> int:
    """EXIF or XMP orientation, 1 to 8. Damaged EXIF is no reason to refuse a photo."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - the parser raises whatever the bytes lead it to
        return 1


def _plain_mode(image: Image.Image) -> Image.Image:
    """The image in one of L, RGB, RGBA, CMYK, LAB, YCbCr: eight bits a channel and no palette."""
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    if image.mode in ("LA", "La", "RGBa"):
        return image.convert("RGBA")
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        return Image.fromarray(_eight_bits(np.asarray(image)))
    if image.mode in ("L", "RGB", "RGBA", "CMYK", "LAB", "YCbCr"):
        return image.convert("RGBA") if image.mode in ("L", "RGB") and "transparency" in image.info else image
    return image.convert("RGB")


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Grey of 32-bit integers or floats as uint8; the range in use decides what white is."""
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    highest = float(finite.max(initial=0.0))
    white = next((limit for limit in (1.0, 255.0, 65535.0) if highest <= limit), highest)
    return np.rint(np.clip(finite / white, 0.0, 1.0) * 255.0).astype(np.uint8)


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in the sRGB colour space, on grey where the image is transparent."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colors = image.convert("RGB") if image.mode == "RGBA" else image
    colors = _from_profile(colors, profile) or (colors if colors.mode == "RGB" else colors.convert("RGB"))
    if alpha is None:
        return colors
    behind = Image.new("RGB", colors.size, _BEHIND_TRANSPARENT)
    behind.paste(colors, mask=alpha)
    return behind


def _from_profile(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """The image through its ICC profile; None where there is no profile, or one that is damaged or does not fit."""
    try:
        if image.mode == "LAB":
            source = ImageCms.createProfile("LAB")
        elif not profile:
            return None
        else:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
            if image.mode == "RGB" and "srgb" in (source.profile_description or "").lower():
                return None
        return ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(source), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
