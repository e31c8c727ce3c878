"""A model reduced to what an export must preserve: surface in millimetres and colour at any point of it.

Both sides of a comparison become one of these: what was to be exported, and what another reader found in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from app.mesh.soup import Material, Soup

_EIGHT_BIT = 255.0
# IEC 61966-2-1, sRGB to linear light.
_SRGB_KNEE, _SRGB_SLOPE, _SRGB_OFFSET, _SRGB_POWER = 0.04045, 12.92, 0.055, 2.4


@dataclass(eq=False)
class Skin:
    """The colour of a group of triangles: an image, or one colour.

    pixels: (H, W, 3) uint8 sRGB, row 0 at the top, or None. tint: sRGB 0 to 1; multiplies the image in linear light.
    wrap: "clamp", or anything else to repeat.
    """

    pixels: np.ndarray | None = None
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    wrap: str = "repeat"


@dataclass(eq=False)
class Model:
    """positions: (N, 3) float, mm, Z up. triangles: (T, 3) int. corner_uv: (T, 3, 2) float, origin lower left, or None.

    corner_colors: (T, 3, 3) float sRGB 0 to 1, or None. skin: (T,) int into skins.
    """

    positions: np.ndarray
    triangles: np.ndarray
    corner_colors: np.ndarray | None = None
    corner_uv: np.ndarray | None = None
    skin: np.ndarray | None = None
    skins: list[Skin] = field(default_factory=lambda: [Skin()])

    @property
    def textured(self) -> bool:
        """Whether any group of triangles has an image."""
        return self.corner_uv is not None and any(skin.pixels is not None for skin in self.skins)

    @property
    def colored(self) -> bool:
        """Whether there is any colour at all."""
        plain = all(skin.pixels is None and skin.tint == Skin().tint for skin in self.skins)
        return self.corner_colors is not None or not plain

    def skin_of(self, rows: np.ndarray) -> np.ndarray:
        """(n,) index of the skin of each triangle in `rows`."""
        return np.zeros(len(rows), np.int64) if self.skin is None else self.skin[rows].astype(np.int64)

    def colors_at(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(n, 3) sRGB 0 to 1 at a point of each triangle of `rows`. weights: (n, 3) barycentric."""
        colors = np.ones((len(rows), 3))
        if self.corner_colors is not None:
            colors = np.einsum("nk,nkc->nc", weights, self.corner_colors[rows].astype(np.float64))
        of_row = self.skin_of(rows)
        for index, skin in enumerate(self.skins):
            mine = np.flatnonzero(of_row == index)
            if not len(mine):
                continue
            if skin.pixels is not None and self.corner_uv is not None:
                uv = np.einsum("nk,nkc->nc", weights[mine], self.corner_uv[rows[mine]].astype(np.float64))
                colors[mine] = _tinted(_sampled(skin.pixels, uv, skin.wrap), skin.tint)
            elif self.corner_colors is None:
                colors[mine] = skin.tint
        return colors


def model_of(soup: Soup, color: str, texture_limit: int = 0) -> Model:
    """A soup in mm, Z up, as a Model. color: what of its colour is wanted, "texture", "vertex" or "none".

    texture_limit: images are reduced to so many pixels; 0 for no limit.
    """
    model = Model(soup.positions, soup.triangles)
    if color == "none":
        return model
    model.skin, model.skins = soup.triangle_material, [_skin(m, texture_limit) for m in soup.materials]
    has_image = soup.uv is not None and any(material.texture is not None for material in soup.materials)
    # A texture carries finer colour than vertices do, so where both exist it wins; on vertices their own colour does.
    if has_image and (color == "texture" or soup.colors is None):
        assert soup.uv is not None
        assert soup.corner_uv is not None
        model.corner_uv = soup.uv[soup.corner_uv]
    elif soup.colors is not None:
        model.corner_colors, model.skins = soup.colors[soup.triangles], [Skin()]
        model.skin = None
    return model


def joined(parts: list[Model]) -> Model:
    """One model of several with a skin each; a part without colours of its own gets those of its skin."""
    if len(parts) == 1:
        return parts[0]
    offsets = np.cumsum([0, *(len(part.positions) for part in parts[:-1])])
    whole = Model(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.triangles + offset for part, offset in zip(parts, offsets, strict=True)]),
        skin=np.repeat(np.arange(len(parts)), [len(part.triangles) for part in parts]),
        skins=[part.skins[0] for part in parts],
    )
    if any(part.corner_uv is not None for part in parts):
        nowhere = [np.zeros((len(part.triangles), 3, 2)) for part in parts]
        whole.corner_uv = np.concatenate(
            [none if part.corner_uv is None else part.corner_uv for part, none in zip(parts, nowhere, strict=True)]
        )
    if any(part.corner_colors is not None for part in parts):
        plain = [np.broadcast_to(part.skins[0].tint, (len(part.triangles), 3, 3)) for part in parts]
        whole.corner_colors = np.concatenate(
            [
                same if part.corner_colors is None else part.corner_colors
                for part, same in zip(parts, plain, strict=True)
            ]
        )
    return whole


def linear_light(colors: np.ndarray) -> np.ndarray:
    """sRGB 0 to 1 to linear light."""
    low = colors / _SRGB_SLOPE
    return np.where(colors <= _SRGB_KNEE, low, ((colors + _SRGB_OFFSET) / (1 + _SRGB_OFFSET)) ** _SRGB_POWER)


def display_colors(light: np.ndarray) -> np.ndarray:
    """Linear light 0 to 1 to sRGB."""
    high = (1 + _SRGB_OFFSET) * np.maximum(light, 0) ** (1 / _SRGB_POWER) - _SRGB_OFFSET
    return np.where(light <= _SRGB_KNEE / _SRGB_SLOPE, light * _SRGB_SLOPE, high)


def _skin(material: Material, limit: int) -> Skin:
    texture = material.texture
    pixels = None if texture is None else texture.pixels()
    if pixels is not None and limit and max(pixels.shape) > limit:
        # Plain averages: another way than the writers', and free of overshoot at edges.
        image = Image.fromarray(pixels, "RGB")
        image.thumbnail((limit, limit), Image.Resampling.BOX, reducing_gap=None)
        pixels = np.asarray(image)
    return Skin(pixels, material.base_color, material.wrap)


def _tinted(colors: np.ndarray, tint: tuple[float, float, float]) -> np.ndarray:
    if tint == Skin().tint:
        return colors
    return display_colors(linear_light(colors) * linear_light(np.array(tint)))


def _sampled(pixels: np.ndarray, uv: np.ndarray, wrap: str) -> np.ndarray:
    """Bilinear. uv: (n, 2), origin lower left. Returns (n, 3) sRGB 0 to 1."""
    height, width = pixels.shape[:2]
    x, y = uv[:, 0] * width - 0.5, (1.0 - uv[:, 1]) * height - 0.5
    left, top = np.floor(x), np.floor(y)
    across, down = (x - left)[:, None], (y - top)[:, None]

    def pixel(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        if wrap == "clamp":
            row, column = row.clip(0, height - 1), column.clip(0, width - 1)
        return pixels[row.astype(np.int64) % height, column.astype(np.int64) % width].astype(np.float64)

    upper = pixel(top, left) * (1 - across) + pixel(top, left + 1) * across
    lower = pixel(top + 1, left) * (1 - across) + pixel(top + 1, left + 1) * across
    return (upper * (1 - down) + lower * down) / _EIGHT_BIT
