"""Resampling for the screen, against Pillow and against arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from app.photos.display import DisplayCopy, tone_table
from app.photos.photo import PhotoView
from app.photos.placement import to_view
from tests.photos.pictures import quarters


def noise(width: int = 300, height: int = 200) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def shown(pixels: np.ndarray, view: PhotoView, room: tuple[int, int]) -> np.ndarray:
    size = pixels.shape[1], pixels.shape[0]
    return DisplayCopy(pixels).render(to_view(view, size, room), room, tone_table(view.brightness, view.contrast))


def test_at_actual_size_every_pixel_is_itself() -> None:
    pixels = noise()
    np.testing.assert_array_equal(shown(pixels, PhotoView(zoom=1.0), (300, 200)), pixels)


def test_enlarged_pixels_are_squares() -> None:
    pixels = noise(20, 10)
    np.testing.assert_array_equal(
        shown(pixels, PhotoView(zoom=4.0), (80, 40)), pixels.repeat(4, axis=0).repeat(4, axis=1)
    )


def test_flips_and_quarter_turns_are_exact() -> None:
    pixels = noise()
    np.testing.assert_array_equal(shown(pixels, PhotoView(zoom=1.0, flipped=True), (300, 200)), pixels[:, ::-1])
    np.testing.assert_array_equal(shown(pixels, PhotoView(zoom=1.0, rotation=180.0), (300, 200)), pixels[::-1, ::-1])
    np.testing.assert_array_equal(shown(pixels, PhotoView(zoom=1.0, rotation=90.0), (200, 300)), np.rot90(pixels, -1))


@pytest.mark.parametrize("reduction", [2, 4])
def test_a_reduced_photo_averages_like_pillow_and_does_not_flicker(reduction: int) -> None:
    pixels = noise(1200, 800)
    room = 1200 // reduction, 800 // reduction
    expected = np.asarray(Image.fromarray(pixels).resize(room, Image.Resampling.BOX)).astype(int)
    difference = np.abs(shown(pixels, PhotoView(zoom=1.0 / reduction), room).astype(int) - expected)
    assert difference.max() <= 2


def test_beside_the_photo_its_edge_repeats() -> None:
    frame = shown(quarters(), PhotoView(zoom=1.0), (100, 40))
    assert (frame[5, :20] == quarters()[5, 0]).all()


def test_tone_curves_keep_black_white_and_order() -> None:
    assert tone_table(0.0, 0.0) is None
    for brightness in (-1.0, -0.3, 0.4, 1.0):
        table = tone_table(brightness, 0.0)
        assert table is not None
        assert (table[0], table[255]) == (0, 255)
        assert (np.diff(table.astype(int)) >= 0).all()
        assert (table[128] > 128) == (brightness > 0)
    steep = tone_table(0.0, 0.5)
    assert steep is not None
    assert steep[64] < 64
    assert steep[192] > 192


def test_the_colour_of_a_point_is_the_files_own() -> None:
    copy = DisplayCopy(quarters())
    assert copy.color_at(0.1, 0.1) == pytest.approx(np.array((220, 30, 40)) / 255)
    assert copy.color_at(0.9, 0.2, radius=3.0) == pytest.approx(np.array((40, 200, 60)) / 255)
    assert copy.color_at(1.0, 0.5) is None
    assert copy.color_at(-0.01, 0.5) is None


def test_memory_is_four_thirds_of_the_pixels() -> None:
    pixels = np.zeros((2000, 3000, 3), np.uint8)
    assert pixels.nbytes * 1.32 < DisplayCopy(pixels).nbytes < pixels.nbytes * 1.34
