"""Make the matcaps: pictures of a lit ball, indexed by the normal in view space.

    .venv/bin/python resources/matcaps/make_matcaps.py

Each is 512 x 512 pixels, sRGB. The ball fills the picture to its edge and its rim colour continues outside, so that
filtering at grazing angles never meets a border. Adding a matcap is adding a function here, or a PNG to the folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 512
_DITHER = np.random.default_rng(1).uniform(-0.5, 0.5, (SIZE, SIZE, 1))  # against bands in soft gradients

Painter = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    for painter in (clay, red_wax, porcelain, skin, bronze, graphite, zebra):
        linear = np.clip(painter(ball()), 0, 1)
        srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
        pixels = np.clip(np.rint(srgb * 255 + _DITHER), 0, 255).astype(np.uint8)
        path = Path(__file__).resolve().parent / f"{painter.__name__}.png"
        Image.fromarray(pixels).save(path, optimize=True)
        print(f"{path.name}: {path.stat().st_size:,} bytes")


def ball() -> np.ndarray:
    """(SIZE, SIZE, 3) unit normals: x right, y up, z toward the viewer."""
    ticks = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    x, y = np.meshgrid(ticks, -ticks)
    reach = np.maximum(np.hypot(x, y), 1.0)
    x, y = x / reach, y / reach
    return np.stack((x, y, np.sqrt(np.clip(1 - x * x - y * y, 0, None))), axis=-1)


def lamp(n: np.ndarray, direction: tuple[float, float, float], wrap: float = 0.0) -> np.ndarray:
    """Diffuse light of a lamp; wrap lets it reach around the edge, as a large soft box does."""
    toward = np.array(direction) / np.linalg.norm(direction)
    return np.clip((n @ toward + wrap) / (1 + wrap), 0, 1)[..., None]


def gloss(n: np.ndarray, direction: tuple[float, float, float], power: float) -> np.ndarray:
    """Highlight of a lamp (Blinn and Phong)."""
    half = np.array(direction) / np.linalg.norm(direction) + np.array([0, 0, 1.0])
    return (np.clip(n @ (half / np.linalg.norm(half)), 0, 1) ** power)[..., None]


def rim(n: np.ndarray, power: float) -> np.ndarray:
    """1 at the edge of the ball, 0 where it faces the viewer."""
    return ((1 - n[..., 2]) ** power)[..., None]


def tint(*color: float) -> np.ndarray:
    """An sRGB colour, 0 to 255, as linear light."""
    value = np.array(color) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def clay(n: np.ndarray) -> np.ndarray:
    """Warm grey, dull: form and nothing else."""
    light = 0.03 + 0.78 * lamp(n, (-0.55, 0.75, 0.45), 0.08) + 0.16 * lamp(n, (0.9, 0.1, 0.3), 0.1)
    shade = tint(196, 184, 172) * light + tint(64, 70, 82) * 0.22 * (1 - light)
    return shade + 0.05 * gloss(n, (-0.5, 0.7, 0.6), 18) - 0.03 * rim(n, 3)


def red_wax(n: np.ndarray) -> np.ndarray:
    """The sculptor's red wax: dark in the hollows, a broad sheen."""
    light = 0.06 + 0.85 * lamp(n, (-0.4, 0.8, 0.5), 0.15) + 0.10 * lamp(n, (0.8, -0.2, 0.5), 0.3)
    body = tint(176, 84, 66) * light + tint(92, 22, 20) * 0.30 * (1 - rim(n, 1.5))
    return body + tint(255, 214, 190) * (0.22 * gloss(n, (-0.4, 0.8, 0.5), 28) + 0.05 * rim(n, 4))


def porcelain(n: np.ndarray) -> np.ndarray:
    """White and glazed: small dents show at once."""
    light = 0.14 + 0.66 * lamp(n, (-0.55, 0.7, 0.5), 0.15) + 0.12 * lamp(n, (0.8, -0.3, 0.4), 0.2)
    body = tint(240, 240, 238) * light - tint(120, 128, 140) * 0.30 * rim(n, 2.2)
    return body + 0.45 * gloss(n, (-0.5, 0.6, 0.7), 160) + 0.15 * gloss(n, (0.8, 0.3, 0.5), 60)


def skin(n: np.ndarray) -> np.ndarray:
    """Warm, with red light carried under the surface into the shadow."""
    key = lamp(n, (-0.55, 0.7, 0.5), 0.15)
    body = tint(232, 184, 156) * (0.06 + 0.86 * key) + tint(170, 58, 40) * 0.45 * key * (1 - key)
    return body + tint(150, 170, 200) * 0.06 * rim(n, 2.5) + 0.06 * gloss(n, (-0.4, 0.6, 0.7), 22)


def bronze(n: np.ndarray) -> np.ndarray:
    """Dark metal: reflections bend with the surface and show every wobble."""
    sky = np.clip(0.5 + 0.5 * np.sin(3.6 * n[..., 1] + 0.6 * n[..., 0] + 0.4), 0, 1)[..., None] ** 2
    body = tint(58, 38, 22) * (0.35 + 0.9 * lamp(n, (-0.5, 0.7, 0.5), 0.1)) + tint(196, 136, 72) * 0.34 * sky * lamp(
        n, (-0.3, 0.8, 0.6), 0.5
    )
    shine = 0.55 * gloss(n, (-0.5, 0.7, 0.5), 60) + 0.14 * gloss(n, (0.8, -0.1, 0.5), 24)
    return body + tint(255, 214, 150) * shine + tint(120, 160, 170) * 0.10 * rim(n, 3)


def graphite(n: np.ndarray) -> np.ndarray:
    """Dark grey with two edge lights: silhouettes and profiles."""
    body = tint(70, 72, 76) * (0.25 + 0.75 * lamp(n, (-0.2, 0.8, 0.6), 0.2))
    edge = lamp(n, (-1.0, 0.2, -0.25), 0.25) ** 2 * 0.8 + lamp(n, (1.0, 0.3, -0.35), 0.25) ** 2 * 0.5
    return body + tint(196, 210, 226) * edge * rim(n, 0.8) + 0.10 * gloss(n, (-0.2, 0.8, 0.6), 36)


def zebra(n: np.ndarray) -> np.ndarray:
    """Stripes for checking smoothness: a kink in a stripe is a kink in the surface."""
    wave = np.sin(np.arctan2(n[..., 1], np.hypot(n[..., 0] * 0.25, n[..., 2]) + 1e-9) * 16)[..., None]
    stripe = np.clip(0.5 + wave * 3.0, 0, 1)
    return (tint(24, 26, 30) + (tint(236, 236, 234) - tint(24, 26, 30)) * stripe) * (1 - 0.35 * rim(n, 2))


if __name__ == "__main__":
    main()
