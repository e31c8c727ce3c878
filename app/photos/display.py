"""Drawing a photo: its halved copies, and one call that resamples what a view shows. numpy and OpenCV, no Qt.

Only the pixels of the screen are computed, from the copy that is next larger than what is shown: the cost of a frame
depends on the size of the view, not on the size of the photo, and brightness costs no copy of the photo.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

DISPLAY_PIXELS = 24_000_000
DISPLAY_SIDE = 16_384  # OpenCV addresses the pixels of a source with 16-bit integers

_SMALLEST_SIDE = 64
_HALF_SCALE = 0.5
_SHARP_FROM = 3.0  # screen pixels per photo pixel from which pixels are shown as squares
_BRIGHTNESS_STOPS = 1.6
_CONTRAST_STOPS = 1.5


class DisplayCopy:
    """A photo's pixels for the screen and halved copies of them."""

    def __init__(self, pixels: np.ndarray) -> None:
        """pixels: (h, w, 3) uint8 sRGB, neither side above DISPLAY_SIDE."""
        self._levels = [np.ascontiguousarray(pixels)]
        while min(self._levels[-1].shape[:2]) >= 2 * _SMALLEST_SIDE:
            height, width = self._levels[-1].shape[:2]
            half = (width // 2, height // 2)
            self._levels.append(cv2.resize(self._levels[-1], half, interpolation=cv2.INTER_AREA))

    @property
    def pixels(self) -> np.ndarray:
        """(h, w, 3) uint8 sRGB, the largest copy."""
        return self._levels[0]

    @property
    def nbytes(self) -> int:
        """Memory of all copies."""
        return sum(level.nbytes for level in self._levels)

    def render(self, matrix: np.ndarray, size: tuple[int, int], table: np.ndarray | None = None) -> np.ndarray:
        """What a view of size (width, height) shows, as (height, width, 3) uint8 sRGB.

        matrix: (2, 3) float64 from photo coordinates, 0 to 1 along width and height, to pixels of the view.
        table: (256,) uint8 tone curve, see `tone_table`. Outside the photo its edge pixels repeat.
        """
        level, to_view = self._level(matrix)
        enlargement = float(np.sqrt(abs(np.linalg.det(to_view[:, :2]))))
        shown = cv2.warpAffine(
            level,
            to_view,
            size,
            flags=cv2.INTER_NEAREST if enlargement >= _SHARP_FROM else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(shown if table is None else cv2.LUT(shown, table))

    def _level(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The copy to draw from, reduced to no less than half, and (2, 3) from its pixel centres to the view's."""
        for level in self._levels:
            height, width = level.shape[:2]
            to_view = matrix @ np.diag((1 / width, 1 / height, 1.0))
            if abs(np.linalg.det(to_view[:, :2])) > _HALF_SCALE**2:
                break
        to_view[:, 2] += to_view[:, :2] @ (0.5, 0.5) - 0.5
        return level, to_view

    def color_at(self, u: float, v: float, radius: float = 0.0) -> tuple[float, float, float] | None:
        """The photo's colour at fractions of its width and height: sRGB 0 to 1; None outside the photo.

        radius: pixels of this copy around the point that are averaged, so that noise does not decide.
        """
        if not (0 <= u < 1 and 0 <= v < 1):
            return None
        height, width = self.pixels.shape[:2]
        column, row, reach = int(u * width), int(v * height), int(radius)
        part = self.pixels[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
        red, green, blue = part.reshape(-1, 3).mean(axis=0) / 255.0
        return float(red), float(green), float(blue)


@functools.lru_cache(maxsize=16)
def tone_table(brightness: float, contrast: float) -> np.ndarray | None:
    """(256,) uint8 curve for brightness and contrast of -1 to 1; None for 0 and 0.

    Brightness is a power curve, which keeps black and white where they are and opens the shadows without clipping;
    contrast is a slope about the middle grey.
    """
    if brightness == 0 and contrast == 0:
        return None
    tone = (np.arange(256) / 255.0) ** 2.0 ** (-_BRIGHTNESS_STOPS * brightness)
    tone = 0.5 + (tone - 0.5) * 2.0 ** (_CONTRAST_STOPS * contrast)
    table = np.rint(np.clip(tone, 0.0, 1.0) * 255.0).astype(np.uint8)
    table.flags.writeable = False
    return table
