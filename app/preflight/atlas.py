"""Several textures put together into one, for printers that take a single image.

Each material's image gets a tile with a border that continues it, so that no colour bleeds in from its neighbour.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from app.errors import InvalidInput
from app.formats.appearance import plain_texture, triangle_materials, written_textures
from app.formats.registry import WriteOptions
from app.mesh.soup import Material, Soup, Texture

_BORDER = 8
_LARGEST = 16384
# More copies of a pattern than this side by side mean a tiled floor or cloth, not a figure's texture.
_MOST_REPEATS = 8
# Coordinates a little beyond the image's edge are rounding, not a second copy of it.
_ROUNDING = 1e-3


def needs_atlas(soup: Soup) -> bool:
    """Whether triangles use more than one image, or images and plain colours."""
    used = np.unique(triangle_materials(soup))
    looks = {(id(soup.materials[index].texture), soup.materials[index].base_color) for index in used}
    return len(looks) > 1 and any(soup.materials[index].texture is not None for index in used)


def with_single_texture(soup: Soup, limit: int) -> Soup:
    """The soup with one material whose image holds all images and plain colours in use. limit: pixels, 0 for none.

    Images are made smaller together when they do not fit. Raises InvalidInput for a pattern that repeats too often.
    """
    assert soup.uv is not None
    assert soup.corner_uv is not None
    of_triangle = triangle_materials(soup)
    textures = written_textures(soup, WriteOptions(color="texture"))  # base colours multiplied in
    uv = soup.uv[soup.corner_uv].astype(np.float64)  # (T, 3, 2)
    used = np.unique(of_triangle)
    images = []
    for index in used:
        rows = np.flatnonzero(of_triangle == index)
        texture = textures[index]
        if texture is None:
            uv[rows] = 0.5
            images.append(plain_texture(soup.materials[index]).pixels())
            continue
        uv[rows], repeats = _within_tile(uv[rows], soup.materials[index].wrap)
        if max(repeats) > _MOST_REPEATS:
            what = f'the texture "{texture.name}" is repeated {max(repeats)} times, which one image cannot hold'
            raise InvalidInput(
                what, "", "Bake it onto unique coordinates, or choose a profile that takes several textures"
            )
        images.append(np.tile(texture.pixels(), (repeats[1], repeats[0], 1)))
    pixels, places = _packed(images, limit or _LARGEST)
    height, width = pixels.shape[:2]
    for index, (left, top, wide, tall) in zip(used, places, strict=True):
        rows = np.flatnonzero(of_triangle == index)
        uv[rows, :, 0] = (left + uv[rows, :, 0] * wide) / width
        uv[rows, :, 1] = 1.0 - (top + (1.0 - uv[rows, :, 1]) * tall) / height
    # Both numbers of a coordinate as one: sorting those is twenty times quicker than sorting rows.
    pairs, corner_uv = np.unique(uv.astype(np.float32).view(np.uint64).ravel(), return_inverse=True)
    material = Material("texture", texture=Texture.from_pixels(pixels), wrap="clamp")
    return replace(
        soup,
        uv=pairs.view(np.float32).reshape(-1, 2),
        corner_uv=corner_uv.reshape(-1, 3).astype(np.int32),
        triangle_material=np.zeros(len(soup.triangles), np.int16),
        materials=[material],
    )


def _within_tile(uv: np.ndarray, wrap: str) -> tuple[np.ndarray, tuple[int, int]]:
    """Coordinates moved into 0 to 1 of so many copies of the image beside and above each other."""
    if wrap == "clamp":
        return uv.clip(0.0, 1.0), (1, 1)
    moved = uv - np.floor(uv.min(axis=1, keepdims=True))
    across, up = (max(1, int(np.ceil(extent - _ROUNDING))) for extent in moved.reshape(-1, 2).max(axis=0))
    return moved / (across, up), (across, up)


def _packed(images: list[np.ndarray], limit: int) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """One image in rows of tiles, tallest first, and (left, top, width, height) of each inside its border."""
    scale = 1.0
    while True:
        sizes = [(max(1, round(w * scale)), max(1, round(h * scale))) for h, w in (image.shape[:2] for image in images)]
        places, width, height = _shelves(sizes)
        if max(width, height) <= limit:
            break
        scale *= min(0.95, limit / max(width, height))
    pixels = np.zeros((height, width, 3), np.uint8)
    for image, (left, top, wide, tall) in zip(images, places, strict=True):
        tile = image
        if image.shape[:2] != (tall, wide):
            tile = np.asarray(Image.fromarray(image, "RGB").resize((wide, tall), Image.Resampling.LANCZOS))
        bordered = np.pad(tile, ((_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0)), mode="edge")
        pixels[top - _BORDER : top + tall + _BORDER, left - _BORDER : left + wide + _BORDER] = bordered
    return pixels, places


def _shelves(sizes: list[tuple[int, int]]) -> tuple[list[tuple[int, int, int, int]], int, int]:
    """Places of tiles in rows about as wide as all is high. Returns them in order, width and height of all."""
    area = sum((wide + 2 * _BORDER) * (tall + 2 * _BORDER) for wide, tall in sizes)
    row_width = max(int(np.sqrt(area)), max(wide for wide, _ in sizes) + 2 * _BORDER)
    places = [(0, 0, 0, 0)] * len(sizes)
    x = y = row_height = total_width = 0
    for index in sorted(range(len(sizes)), key=lambda i: -sizes[i][1]):
        wide, tall = sizes[index]
        if x and x + wide + 2 * _BORDER > row_width:
            x, y, row_height = 0, y + row_height, 0
        places[index] = (x + _BORDER, y + _BORDER, wide, tall)
        x += wide + 2 * _BORDER
        row_height = max(row_height, tall + 2 * _BORDER)
        total_width = max(total_width, x)
    return places, total_width, y + row_height
