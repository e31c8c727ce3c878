"""What a reader delivers and a writer takes: polygons in file order, before welding and reordering.

`app.mesh.build` turns a Soup into a Mesh and back.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from PIL import Image

FloatArray = np.ndarray
IntArray = np.ndarray


@dataclass(frozen=True, eq=False)
class Texture:
    """An sRGB image as it came, still encoded, so that an export can hand on the very same bytes.

    encoded: the file's bytes. mime: "image/png" or "image/jpeg" (readers transcode anything else to PNG).
    width, height: pixels, already checked against the reader's limit.
    """

    encoded: bytes
    mime: str
    width: int
    height: int
    name: str = "texture"

    def pixels(self) -> np.ndarray:
        """Decode. Returns (height, width, 3) uint8 sRGB, row 0 at the top; cached for the last few textures."""
        return _decode(self)

    @classmethod
    def from_pixels(cls, pixels: np.ndarray, name: str = "texture") -> Texture:
        """Encode (H, W, 3) uint8 sRGB pixels as PNG."""
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels, np.uint8), "RGB").save(buffer, "PNG", compress_level=4)
        return cls(buffer.getvalue(), "image/png", pixels.shape[1], pixels.shape[0], name)


@lru_cache(maxsize=4)
def _decode(texture: Texture) -> np.ndarray:
    with Image.open(io.BytesIO(texture.encoded)) as image:
        pixels = np.asarray(image.convert("RGB"))
    pixels.setflags(write=False)
    return pixels


@dataclass(frozen=True, eq=False)
class Material:
    """What a group of triangles looks like before light: a colour, or an image.

    base_color: sRGB, 0 to 1; multiplies the texture in linear light where both are given, as glTF does.
    wrap: "repeat" or "clamp" for texture coordinates outside 0 to 1.
    """

    name: str = "material"
    base_color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    texture: Texture | None = None
    wrap: str = "repeat"


@dataclass(eq=False)
class Soup:
    """Polygons as read from a file; triangulated, otherwise untouched.

    positions: (N, 3) float32, file units, in the file's own axes after its node transforms.
    triangles: (T, 3) int32 into positions, counter-clockwise seen from outside.
    colors: (N, 3) float32 sRGB 0 to 1, or None. A file with colours per corner gives unshared vertices.
    uv: (U, 2) float32 with origin lower left (glTF's v is flipped by its reader), or None.
    corner_uv: (T, 3) int32 into uv, or None.
    triangle_material: (T,) int16 into materials.
    up: "y" or "z". unit_mm: millimetres per file unit; None where the format does not say.
    notes: what the reader had to mend or leave out, one sentence each, for the user.
    """

    positions: FloatArray
    triangles: IntArray
    colors: FloatArray | None = None
    uv: FloatArray | None = None
    corner_uv: IntArray | None = None
    triangle_material: IntArray | None = None
    materials: list[Material] = field(default_factory=lambda: [Material()])
    up: str = "z"
    unit_mm: float | None = None
    notes: list[str] = field(default_factory=list)
