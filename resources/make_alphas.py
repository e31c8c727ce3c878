"""Make the alphas of `resources/alphas`: `python resources/make_alphas.py`. The same images each time.

Each is a greyscale stamp of 256 x 256 pixels, white where the brush works in full, fading to black at its rim, so that
single stamps leave no edge. Those that are a pattern (weave, knit, leather) repeat to all sides inside the fading.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

SIZE = 256
FOLDER = Path(__file__).resolve().parent / "alphas"
_SEED = 20
_V, _U = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1) * 2 - 1  # -1 to 1, down and right
_RADIUS = np.hypot(_U, _V)


def _faded(values: np.ndarray, start: float = 0.6) -> np.ndarray:
    """Black at the rim."""
    part = np.clip((1 - _RADIUS) / (1 - start), 0, 1)
    return values * part * part * (3 - 2 * part)


def _scattered(count: int, gap: float, random: np.random.Generator) -> np.ndarray:
    """(n, 2) points from -1 to 1 that keep at least `gap` from each other."""
    points: list[np.ndarray] = []
    for point in random.uniform(-1, 1, (count, 2)):
        if all(np.hypot(*(point - other)) >= gap for other in points):
            points.append(point)
    return np.array(points)


def _distances(points: np.ndarray, count: int = 1) -> np.ndarray:
    """(SIZE, SIZE, count): from each pixel to its nearest points."""
    distance, _ = cKDTree(points).query(np.stack((_U, _V), axis=-1), k=range(1, count + 1))
    return distance


def pores(random: np.random.Generator) -> np.ndarray:
    """Fine round holes of differing size, as in the skin of a nose."""
    points = _scattered(2400, 0.085, random)
    sizes = random.uniform(0.018, 0.042, len(points))
    distance, nearest = cKDTree(points).query(np.stack((_U, _V), axis=-1))
    return _faded(np.exp(-((distance / sizes[nearest]) ** 2)))


def wrinkle(random: np.random.Generator) -> np.ndarray:
    """Fine lines that run side by side and split, as around an eye."""
    bend = gaussian_filter(random.normal(size=(SIZE, SIZE)), 26)
    lines = np.sin((_V + 0.12 * bend / bend.std()) * 26)
    return _faded(np.clip(lines, 0, 1) ** 3, 0.3)


def hair_strand(random: np.random.Generator) -> np.ndarray:
    """A lock of hairs along the stroke."""
    profile = gaussian_filter(random.normal(size=SIZE), 1.6)
    profile = (profile - profile.min()) / np.ptp(profile)
    place = np.arange(SIZE) + 6 * np.sin(np.linspace(0, np.pi, SIZE))[:, None]
    rows = np.interp(place, np.arange(SIZE), profile)
    across = np.clip(1 - np.abs(_U) / 0.7, 0, 1) ** 0.6
    along = np.clip((1 - np.abs(_V)) / 0.35, 0, 1)
    return rows * across * along * along * (3 - 2 * along)


def fabric_weave(random: np.random.Generator) -> np.ndarray:
    """Threads over and under, linen."""
    del random
    threads = 9
    x, y = (_U + 1) / 2 * threads, (_V + 1) / 2 * threads
    over = (np.floor(x) + np.floor(y)) % 2 == 0
    warp = np.sin(np.pi * (x % 1)) * (0.55 + 0.45 * np.sin(np.pi * (y % 1)))
    weft = np.sin(np.pi * (y % 1)) * (0.55 + 0.45 * np.sin(np.pi * (x % 1)))
    return _faded(np.where(over, warp, weft), 0.75)


def knit(random: np.random.Generator) -> np.ndarray:
    """Stitches of a jumper, in columns of V."""
    del random
    columns = 7
    x = (_U + 1) / 2 * columns
    side = np.abs((x % 1) - 0.5) * 2  # 0 in the middle of a column
    y = (_V + 1) / 2 * columns * 1.3 + side * 0.7
    stitch = np.sin(np.pi * (y % 1)) ** 0.7 * np.sin(np.pi * np.clip(side, 0, 1)) ** 0.6
    return _faded(stitch, 0.75)


def leather(random: np.random.Generator) -> np.ndarray:
    """Rounded cells with creases between."""
    distance = _distances(_scattered(900, 0.1, random), 2)
    return _faded(np.clip((distance[..., 1] - distance[..., 0]) / 0.08, 0, 1) ** 0.5, 0.7)


def stipple(random: np.random.Generator) -> np.ndarray:
    """Coarse dots with soft edges, as of a stubble."""
    distance = _distances(_scattered(500, 0.17, random))[..., 0]
    return _faded(np.clip(1.4 - distance / 0.06, 0, 1))


def scratch(random: np.random.Generator) -> np.ndarray:
    """Thin straight lines of differing length."""
    values = np.zeros((SIZE, SIZE))
    for _ in range(26):
        middle, angle = random.uniform(-0.7, 0.7, 2), random.normal(np.pi / 2, 0.18)
        way = np.array([np.cos(angle), np.sin(angle)])
        along = (_U - middle[0]) * way[0] + (_V - middle[1]) * way[1]
        across = (_U - middle[0]) * way[1] - (_V - middle[1]) * way[0]
        length = random.uniform(0.15, 0.6)
        line = np.exp(-((across / random.uniform(0.008, 0.018)) ** 2)) * np.clip(1 - (along / length) ** 2, 0, 1)
        values = np.maximum(values, line * random.uniform(0.4, 1))
    return _faded(values)


def skin(random: np.random.Generator) -> np.ndarray:
    """The fine net of lines that skin has all over."""
    distance = _distances(_scattered(4000, 0.045, random), 2)
    return _faded(np.clip((distance[..., 1] - distance[..., 0]) / 0.03, 0, 1), 0.5)


def disc(random: np.random.Generator) -> np.ndarray:
    """A round plateau with a soft rim, for buttons and freckles."""
    del random
    part = np.clip((0.85 - _RADIUS) / 0.12, 0, 1)
    return part * part * (3 - 2 * part)


ALPHAS: tuple[Callable[[np.random.Generator], np.ndarray], ...] = (
    *(pores, wrinkle, hair_strand, fabric_weave, knit, leather, stipple, scratch, skin, disc),
)


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for make in ALPHAS:
        image = make(np.random.default_rng(_SEED)).clip(0, 1)
        values = np.rint(image / image.max() * 255).astype(np.uint8)
        Image.fromarray(values, "L").save(FOLDER / f"{make.__name__.replace('_', '-')}.png", optimize=True)


if __name__ == "__main__":
    main()
