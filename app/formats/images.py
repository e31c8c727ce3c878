"""Texture images: probing without decoding, refusing bombs, transcoding; and sRGB to linear light and back.

Readers turn whatever a file brings into a `Texture` here, writers turn a `Texture` into what a printer profile wants.
Photos are not textures; they have their own loader.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError

from app.errors import LimitExceeded, UnreadableFile, readable
from app.formats.registry import Limits, WriteOptions
from app.mesh.soup import Texture

# Decoders that are let near a file from elsewhere; Pillow knows more, some of which start other programs.
_DECODERS = ("PNG", "JPEG", "WEBP", "BMP", "TGA", "TIFF", "GIF", "AVIF")
_KEPT = {"PNG": "image/png", "JPEG": "image/jpeg"}
# Pixel modes that every printer's software reads as colour; others (CMYK, 16 bit, palettes) become RGB.
_KEPT_MODES = ("RGB", "RGBA", "L", "LA")
_PROBE_REDUCTION = 8
_JPEG_QUALITY = 95

# Our own check, before decoding, is the limit; Pillow's default refuses honest 16k textures.
Image.MAX_IMAGE_PIXELS = Limits.texture_pixels

_ADVICE = "Save the texture again as PNG or JPEG"


def read_texture(encoded: bytes, name: str, limits: Limits) -> Texture:
    """An image file's bytes as a Texture; anything but 8-bit PNG and JPEG is transcoded to PNG.

    The image is decoded once, so a texture that this returns can be shown later.
    Raises LimitExceeded for too many bytes or pixels, UnreadableFile for what is no intact image.
    """
    name = readable(name)
    if len(encoded) > limits.encoded_texture_bytes:
        what = f"is {len(encoded) >> 20} MB large; at most {limits.encoded_texture_bytes >> 20} MB are read"
        raise LimitExceeded(what, f"texture {name}", _ADVICE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _probe(encoded, name, limits)
    except UnidentifiedImageError as error:
        raise UnreadableFile("is not an image that can be read", f"texture {name}", _ADVICE) from error
    except Image.DecompressionBombError as error:
        raise LimitExceeded("has more pixels than are read", f"texture {name}", _ADVICE) from error
    except (LimitExceeded, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise anything from SyntaxError to struct.error
        raise UnreadableFile(f"is damaged: {error}", f"texture {name}", _ADVICE) from error


def read_texture_or_note(encoded: bytes, name: str, limits: Limits, notes: list[str]) -> Texture | None:
    """Like `read_texture`, but a damaged image becomes a note and None. LimitExceeded is still raised."""
    try:
        return read_texture(encoded, name, limits)
    except LimitExceeded:
        raise
    except UnreadableFile as error:
        notes.append(f"The {error.where} {error.what}; the plain colour is used.")
        return None


def _probe(encoded: bytes, name: str, limits: Limits) -> Texture:
    with Image.open(io.BytesIO(encoded), formats=_DECODERS) as image:
        width, height = image.size
        if width * height > limits.texture_pixels:
            what = f"is {width} x {height} pixels large; at most {limits.texture_pixels / 1e6:.0f} megapixels are read"
            raise LimitExceeded(what, f"texture {name}", _ADVICE)
        mime = _KEPT.get(image.format or "")
        if mime and image.mode in _KEPT_MODES:
            if image.format == "JPEG":  # reads the whole stream at an eighth of the cost
                image.draft("RGB", (max(1, width // _PROBE_REDUCTION), max(1, height // _PROBE_REDUCTION)))
            image.load()
            return Texture(encoded, mime, width, height, name)
        return Texture.from_pixels(_rgb(image), name)


def _rgb(image: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8. 16-bit grey is scaled; Pillow alone would clip it."""
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.float64) / 257.0
        grey = np.clip(np.rint(values), 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    return np.asarray(image.convert("RGB"))


def written_texture(texture: Texture, options: WriteOptions) -> Texture:
    """The texture as a profile wants it: within its size limit, encoded as it asks; untouched where it fits."""
    limit = options.texture_limit
    too_large = bool(limit) and max(texture.width, texture.height) > limit
    mime = {"png": "image/png", "jpeg": "image/jpeg"}.get(options.texture_format, texture.mime)
    if not too_large and mime == texture.mime:
        return texture
    image = Image.fromarray(texture.pixels(), "RGB")
    if too_large:
        image.thumbnail((limit, limit), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if mime == "image/jpeg":
        image.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    else:
        image.save(buffer, "PNG", compress_level=4)
    return Texture(buffer.getvalue(), mime, image.width, image.height, texture.name)


def srgb_to_linear(values: np.ndarray) -> np.ndarray:
    """sRGB 0 to 1 to linear light, float32, any shape. IEC 61966-2-1."""
    values = np.asarray(values, np.float32)
    return np.where(values <= 0.04045, values / 12.92, ((np.maximum(values, 0.04045) + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


def linear_to_srgb(values: np.ndarray) -> np.ndarray:
    """Linear light 0 to 1 to sRGB, float32, any shape. IEC 61966-2-1, written so that 1 stays exactly 1."""
    values = np.asarray(values, np.float32)
    low = 0.0031308
    return np.where(values <= low, values * 12.92, 1 + 1.055 * (np.maximum(values, low) ** (1 / 2.4) - 1)).astype(
        np.float32
    )
