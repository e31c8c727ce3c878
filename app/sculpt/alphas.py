"""Which alphas there are: our own in `resources/alphas` (made by `resources/make_alphas.py`), and the user's.

An alpha's id is its file's name without suffix; a user's file wins over one of ours with the same name. White works in
full; where an image is clear it counts as black.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from app.errors import LikenessError, UnreadableFile
from app.resources import resource
from app.sculpt.alpha import LARGEST, Alpha
from app.settings import config_folder

_SUFFIX = ".png"
_MOST_BYTES = 64 << 20
# Luma of sRGB values (Rec. 709).
_LUMA = (0.2126, 0.7152, 0.0722)
_KEPT = 32


def user_folder() -> Path:
    """Where the user's own alphas are."""
    return config_folder() / "alphas"


def alpha_files() -> dict[str, Path]:
    """All alphas by id, ours first, each sorted by name."""
    found: dict[str, Path] = {}
    for folder in (resource("alphas"), user_folder()):
        if folder.is_dir():
            found |= {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() == _SUFFIX}
    return found


def load_alpha(alpha_id: str) -> Alpha:
    """The alpha of this id. Raises LikenessError where there is none, UnreadableFile where it is no image."""
    path = alpha_files().get(alpha_id)
    if path is None:
        raise LikenessError(f'there is no alpha "{alpha_id}"', advice="Choose one of those in the list of alphas")
    return _loaded(path, path.stat().st_mtime_ns)


@lru_cache(_KEPT)
def _loaded(path: Path, changed_at: int) -> Alpha:
    return Alpha(path.stem, read_alpha(path))


def read_alpha(path: Path) -> np.ndarray:
    """(height, width) float32, 0 to 1, of a PNG file. Raises UnreadableFile."""
    advice = f"Save it as PNG of at most {LARGEST} pixels a side"
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UnreadableFile("is too large for an alpha", path, advice)
        with warnings.catch_warnings(), Image.open(path, formats=("PNG",)) as image:
            warnings.simplefilter("ignore")
            if max(image.size) > LARGEST:
                raise UnreadableFile(f"has {image.width} x {image.height} pixels", path, advice)
            return _grey(image)
    except UnreadableFile:
        raise
    except Exception as error:  # Pillow's decoders raise anything from SyntaxError to struct.error
        raise UnreadableFile("is no image that can be read", path, advice) from error


def _grey(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # 16 bits, which Pillow would clip
        return (np.asarray(image).astype(np.float64) / 65535.0).clip(0, 1).astype(np.float32)
    pixels = np.asarray(image.convert("RGBA"), np.float32) / np.float32(255)
    return np.ascontiguousarray((pixels[:, :, :3] @ np.array(_LUMA, np.float32)) * pixels[:, :, 3])
