"""Images as VTK textures: a material's texture, a matcap, and the white pixel that stands for neither."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkRenderingCore import vtkTexture

from app.errors import LikenessError
from app.mesh.soup import Texture

# Larger images are shown smaller (never exported so): beyond what every OpenGL 3.2 card takes.
_LARGEST_SIDE = 8192
_ANISOTROPY = 8


def color_texture(texture: Texture, wrap: str) -> vtkTexture:
    """A material's image. The shader reads it in linear light and from its top row."""
    pixels = texture.pixels()
    if max(pixels.shape[:2]) > _LARGEST_SIDE:
        scale = _LARGEST_SIDE / max(pixels.shape[:2])
        size = (max(1, int(pixels.shape[1] * scale)), max(1, int(pixels.shape[0] * scale)))
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
    result = _texture(pixels)
    result.UseSRGBColorSpaceOn()
    result.MipmapOn()
    result.SetMaximumAnisotropicFiltering(_ANISOTROPY)
    result.SetRepeat(wrap == "repeat")
    if wrap != "repeat":
        result.SetWrap(vtkTexture.ClampToEdge)
    return result


@lru_cache(maxsize=4)
def matcap_pixels(path: Path) -> np.ndarray:
    """A matcap's image, (H, W, 3) uint8. Raises LikenessError where the file is no image."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise LikenessError("is no image that can be read", path, "Choose another matcap") from error


def matcap_texture(path: Path) -> vtkTexture:
    """A matcap's image as a texture. Raises LikenessError where the file is no image."""
    result = _texture(matcap_pixels(path))
    result.SetWrap(vtkTexture.ClampToEdge)
    return result


def white_texture() -> vtkTexture:
    """One white pixel, for triangles without an image."""
    return _texture(np.full((1, 1, 3), 255, np.uint8))


def _texture(pixels: np.ndarray) -> vtkTexture:
    """(H, W, 3) uint8 as a texture over the same memory."""
    rows = np.ascontiguousarray(pixels).reshape(-1, 3)
    image = vtkImageData()
    image.SetDimensions(pixels.shape[1], pixels.shape[0], 1)
    image.GetPointData().SetScalars(numpy_to_vtk(rows, deep=0))
    result: Any = vtkTexture()
    result.SetInputData(image)
    result.InterpolateOn()
    result.SetColorModeToDirectScalars()
    result.likeness_pixels = rows  # numpy_to_vtk does not keep the array alive
    return result
