"""What an operation did to the colour, in the unit in which people see colour differences.

CIEDE2000 is about 1 where a trained eye just sees a difference side by side, and 2 to 3 where a customer might.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.mesh.bvh import Bvh
from app.mesh.colors import colors_at
from app.mesh.mesh import Mesh
from app.operations.operation import Progress

SAMPLES = 24_000

_SEED = 20240601
# A surface that faces the other way counts as so much farther off, as a part of the model's size.
_AWAY = 0.01
# sRGB primaries to CIE XYZ, IEC 61966-2-1, and the white of D65 that they add up to.
_XYZ_OF_RGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _XYZ_OF_RGB.sum(axis=1)


@dataclass(frozen=True)
class ColorChange:
    """CIEDE2000 between before and after, over `samples` points spread evenly over the result's surface."""

    mean: float
    p95: float
    samples: int = SAMPLES


def color_change(source: Mesh, result: Mesh, progress: Progress) -> ColorChange | None:
    """Compare each of many points of the result with the closest point of the source; None without colour or surface.

    Where only vertices moved (the triangles are shared), each point is compared with itself.
    """
    if not has_color(source) or not source.triangle_count or not result.triangle_count:
        return None
    progress(0.0, "Comparing colours")
    triangle, weights = surface_samples(result, SAMPLES)
    after = _colors(result, triangle, weights)
    progress(0.4, "Comparing colours")
    if result.triangles is source.triangles:
        before = _colors(source, triangle, weights)
    else:
        corners = result.positions[result.triangles[triangle]].astype(np.float64)
        points = np.einsum("nk,nkc->nc", weights, corners)
        facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        away = _AWAY * float(np.linalg.norm(source.size()))
        found = Bvh.of(source.positions, source.triangles).closest(points, facing=facing, away_mm=away)
        before = _colors(source, found.triangle, found.weights)
    difference = ciede2000(lab(before), lab(after))
    progress(1.0, "Comparing colours")
    return ColorChange(float(difference.mean()), float(np.percentile(difference, 95)))


def has_color(mesh: Mesh) -> bool:
    """Whether a mesh looks like anything but plain white."""
    plain = all(material.base_color == (1.0, 1.0, 1.0) for material in mesh.materials)
    return mesh.has_texture or mesh.colors is not None or not plain


def _colors(mesh: Mesh, triangle: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n, 3) sRGB at points of triangles. A texture carries finer colour than vertices do, so it wins over them."""
    if mesh.colors is not None and not mesh.has_texture:
        return np.einsum("nk,nkc->nc", weights, mesh.colors[mesh.triangles[triangle]])
    uv = np.zeros((len(triangle), 2), np.float32)
    if mesh.uv is not None and mesh.corner_uv is not None:
        uv = np.einsum("nk,nkc->nc", weights, mesh.uv[mesh.corner_uv[triangle]]).astype(np.float32)
    return colors_at(mesh.materials, mesh.triangle_material[triangle], uv)


def surface_samples(mesh: Mesh, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points spread evenly over the surface, the same ones each time (Turk, Graphics Gems, 1990).

    Returns (count,) int64 triangles, ascending, and (count, 3) float64 barycentric weights.
    """
    corners = mesh.positions[mesh.triangles]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    ends = np.cumsum(areas, dtype=np.float64)
    random = np.random.default_rng(_SEED)
    # One sample in each of `count` equal parts of the area: more even than free choice.
    wanted = (np.arange(count) + random.random(count)) / count * ends[-1]
    triangle = np.minimum(np.searchsorted(ends, wanted, side="right"), len(ends) - 1)
    root, other = np.sqrt(random.random(count)), random.random(count)
    return triangle, np.stack((1 - root, root * (1 - other), root * other), axis=1)


def lab(colors: np.ndarray) -> np.ndarray:
    """(n, 3) sRGB 0 to 1 to CIE L*a*b* for D65 (CIE 15:2004)."""
    colors = np.asarray(colors, np.float64)
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    relative = linear @ _XYZ_OF_RGB.T / _WHITE
    knee = (6 / 29) ** 3
    f = np.where(relative > knee, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack((116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])), axis=1)


def ciede2000(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Colour difference of (n, 3) L*a*b* pairs, all weighting factors 1. Returns (n,).

    Sharma, Wu and Dalal, The CIEDE2000 color-difference formula, 2005; the constants are those of the standard.
    """
    (l1, a1, b1), (l2, a2, b2) = np.asarray(first, np.float64).T, np.asarray(second, np.float64).T
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(c7 / (c7 + 25.0**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    colorless = c1 * c2 == 0
    turn = h2 - h1
    turn = np.where(colorless, 0.0, turn - 360 * (turn > 180) + 360 * (turn < -180))
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2
    apart = np.abs(h1 - h2) > 180
    h_mean = (h1 + h2) / 2 + np.where(apart, np.where(h1 + h2 < 360, 180.0, -180.0), 0.0)
    h_mean = np.where(colorless, h1 + h2, h_mean)

    def wave(factor: float, shift: float) -> np.ndarray:
        return np.cos(np.radians(factor * h_mean + shift))

    t = 1 - 0.17 * wave(1, -30) + 0.24 * wave(2, 0) + 0.32 * wave(3, 6) - 0.20 * wave(4, -63)
    sl = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    sc, sh = 1 + 0.045 * c_mean, 1 + 0.015 * c_mean * t
    twist = 60 * np.exp(-(((h_mean - 275) / 25) ** 2))
    rt = -2 * np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7)) * np.sin(np.radians(twist))
    lightness, chroma, hue = dl / sl, dc / sc, dh / sh
    return np.sqrt(np.maximum(lightness**2 + chroma**2 + hue**2 + rt * chroma * hue, 0.0))
