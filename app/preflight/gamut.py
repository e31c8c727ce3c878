"""Which colours can a printer not reach? Judged by its ICC profile, through littlecms.

A colour is sent to the printer and back to Lab, relative to the paper's white; how far it comes back from where it
started is how far it lies outside of what the printer can do. No mesh here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from app.errors import InvalidInput

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_MODES = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L"}
_L_SCALE = 100 / 255


def shifts(colors: np.ndarray, icc_profile: Path) -> np.ndarray:
    """How far each colour moves in print. colors: (n, 3) uint8 sRGB. Returns (n,) float64, CIE 1976 colour difference.

    Raises InvalidInput for a file that is no ICC profile of a printer.
    """
    if not len(colors):
        return np.empty(0)
    image = Image.fromarray(np.ascontiguousarray(colors, np.uint8)[None], "RGB")
    try:
        printer = ImageCms.getOpenProfile(str(icc_profile))
        mode = _MODES[printer.profile.xcolor_space.strip()]
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        printed = _sent(image, srgb, printer, mode)
        found, wanted = _lab(_sent(printed, printer, lab, "LAB")), _lab(_sent(image, srgb, lab, "LAB"))
    except (OSError, KeyError, ImageCms.PyCMSError) as error:
        what = f"cannot be used as the printer's ICC profile: {str(error) or type(error).__name__}"
        raise InvalidInput(what, icc_profile, "Name another one in the printer profile") from error
    return np.linalg.norm(found - wanted, axis=1)


def _sent(image: Image.Image, source: Any, target: Any, mode: str) -> Image.Image:
    """The image in another profile's colours."""
    transform = ImageCms.buildTransform(source, target, image.mode, mode, _INTENT)
    sent = ImageCms.applyTransform(image, transform)
    assert sent is not None  # only in place is there no answer
    return sent


def _lab(image: Image.Image) -> np.ndarray:
    """(n, 3) float64 of an image in Pillow's LAB: L as 0 to 255, a and b as signed bytes."""
    values = np.asarray(image)[0]
    return np.stack((values[:, 0] * _L_SCALE, *(values[:, k].astype(np.int8).astype(float) for k in (1, 2))), axis=1)
