"""Colours of the sample bust: what a generator would have painted into the texture, with its light baked in.

What lives here: sRGB colour of a point on the surface. What does not: where the point lies in the image.
"""

from __future__ import annotations

import bust_shape as shape
import numpy as np
from scipy.ndimage import map_coordinates

SKIN_TONE = np.array([233, 187, 161.0])
LIP_TONE = np.array([186, 106, 100.0])
HAIR_DARK, HAIR_LIGHT = np.array([50, 32, 22.0]), np.array([126, 86, 55.0])
WOOL_DARK, WOOL_LIGHT = np.array([46, 74, 92.0]), np.array([86, 122, 140.0])
_LATTICE = np.random.default_rng(5).random((48, 48, 48)).astype(np.float32)


def noise(p: np.ndarray, wavelength: float) -> np.ndarray:
    """Value noise, -1 to 1."""
    return map_coordinates(_LATTICE, p.T / wavelength, order=1, mode="grid-wrap") * 2 - 1


def ramp(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 at low, 1 at high, smooth between; low may be the larger one."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(color: np.ndarray, other: np.ndarray, amount: np.ndarray) -> np.ndarray:
    return color + (np.asarray(other) - color) * amount[:, None]


def spot(p: np.ndarray, centre: tuple[float, float, float], radius: float) -> np.ndarray:
    return np.exp(-(((p - np.array(centre)) / radius) ** 2).sum(axis=1))


def paint(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(N, 3) sRGB 0 to 255 of points (N, 3), cm, with unit normals (N, 3)."""
    world = shape.uneven(points)
    p = world.copy()
    p[:, 0] = np.abs(p[:, 0])
    material = shape.distances(points).argmin(axis=0)
    color = np.empty((len(points), 3))
    for part, painter in enumerate((skin, eye, hair, wool, slate)):
        here = material == part
        color[here] = painter(p[here], world[here])
    return np.clip(color * light(points, normals)[:, None], 0, 255)


def light(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Baked light: occlusion sampled along the normal, and a soft key light from the upper left."""
    hidden = np.zeros(len(points))
    for reach, weight in ((0.25, 0.5), (0.7, 0.35), (1.8, 0.16)):
        hidden += weight * np.clip((reach - shape.distance(points + normals * reach)) / reach, 0, 1)
    key = np.clip(normals @ (np.array([-0.4, 0.65, 0.65]) / np.linalg.norm([-0.4, 0.65, 0.65])), -1, 1)
    return (1.04 - 0.5 * np.clip(hidden, 0, 1)) * (0.96 + 0.06 * key)


def skin(p: np.ndarray, world: np.ndarray) -> np.ndarray:
    y = p[:, 1]
    color = np.tile(SKIN_TONE, (len(p), 1))
    color += 7 * noise(world, 2.6)[:, None] + np.array([3, 5, 5]) * noise(world, 0.5)[:, None]
    blush = 0.30 * spot(p, (4.6, -3.0, 6.0), 2.1) + 0.34 * spot(p, (0, -3.7, 10.2), 1.3)
    blush += 0.30 * spot(p, (7.6, -1.0, -1.2), 2.4) + 0.12 * spot(p, (0, -10.2, 8.0), 1.5)
    color = mix(color, np.array([205, 112, 98.0]), blush)
    color = mix(color, np.array([232, 196, 160.0]), 0.35 * spot(p, (0, 4.5, 8.0), 3.2))
    beard = ramp(y, -4.9, -6.4) * ramp(y, -13.5, -11.0) * ramp(p[:, 2], -0.5, 2.0)
    beard *= 1 - 0.75 * spot(p, (4.6, -4.2, 6.0), 1.9)
    color = mix(color, np.array([150, 128, 120.0]), beard * (0.08 + 0.07 * noise(world, 0.12)))
    color = around_the_eye(color, p, world)
    upper, lower = shape.lips(p)
    color = mix(color, LIP_TONE * 0.94, 0.85 * ramp(upper, 0.13, -0.02) * (p[:, 0] < 2.6))
    color = mix(color, LIP_TONE * 1.05, 0.80 * ramp(lower, 0.10, -0.04))
    line = np.abs(y + 7.04 - 0.016 * p[:, 0] ** 2)
    color = mix(
        color, np.array([92, 40, 40.0]), 0.8 * ramp(line, 0.13, 0.02) * ramp(p[:, 0], 2.75, 2.3) * (p[:, 2] > 7)
    )
    color = mix(color, np.array([88, 44, 38.0]), 0.85 * spot(p, (0.62, -4.85, 9.2), 0.42))
    return stray_hair(brow(color, p, world), world)


def around_the_eye(color: np.ndarray, p: np.ndarray, world: np.ndarray) -> np.ndarray:
    """Shade of the socket, the fold of the lid, the lashes and the rim."""
    front = (p[:, 2] > 5.5).astype(float)
    above, below = shape.eye_opening(p)
    sideways = np.abs(p[:, 0] - 3.2)
    near = ramp(sideways, 1.75, 1.35) * front
    color = mix(color, np.array([176, 118, 104.0]), 0.38 * spot(p, (3.1, 0.2, 7.6), 1.55) * front)
    color = mix(color, np.array([168, 118, 112.0]), 0.25 * spot(p, (2.9, -1.3, 7.9), 0.8) * front)
    fold = np.abs(above - 0.36)
    color = mix(color, np.array([128, 80, 68.0]), 0.5 * ramp(fold, 0.11, 0.0) * near)
    lashes = ramp(np.abs(above - 0.03), 0.16, 0.03) * near * (below < 0.12)
    color = mix(color, np.array([36, 22, 18.0]), 0.95 * lashes)
    rim = ramp(np.abs(below - 0.04), 0.12, 0.02) * near * (above < 0.1)
    return mix(color, np.array([136, 78, 70.0]), 0.6 * rim)


def brow(color: np.ndarray, p: np.ndarray, world: np.ndarray) -> np.ndarray:
    x, y = p[:, 0], p[:, 1]
    along = np.clip((x - 1.25) / 4.4, 0, 1)
    middle = 1.85 + 1.75 * along - 1.95 * along**2.2
    half = 0.40 * ramp(along, -0.25, 0.2) * (1 - 0.72 * along**1.5)
    inside = ramp(np.abs(y - middle) / half, 1.25, 0.45)
    inside = inside * ramp(x, 1.05, 1.6) * ramp(x, 5.75, 5.2) * (p[:, 2] > 4)
    strands = noise(np.stack(((x * 0.75 - y) * 1.0, x * 0.12, world[:, 2] * 0.1), axis=1), 0.09)
    return mix(color, HAIR_DARK + 8, np.clip(inside * (0.82 + 0.25 * strands), 0, 0.93))


def stray_hair(color: np.ndarray, world: np.ndarray) -> np.ndarray:
    """The hairline and the sideburns fade into the skin in strands."""
    reach = 0.35 + 0.4 * ramp(world[:, 2], -2, 2)
    near = ramp(shape.hair_border(world) / reach, -1, 0.2) * (world[:, 1] > -8.5)
    near = near * (np.abs(world[:, 0]) < 6.8)
    strands = noise(np.stack((shape.hair_flow(world), world[:, 1] * 0.15, world[:, 0] * 0.15), axis=1), 0.12)
    return mix(color, HAIR_DARK + 14, np.clip(near * (0.75 + 0.6 * strands), 0, 0.9))


def eye(p: np.ndarray, world: np.ndarray) -> np.ndarray:
    q = (p - shape.EYE_CENTRE) / shape.EYE_RADIUS
    x, y = q[:, 0] + 0.015, q[:, 1] - 0.045
    out, angle = np.hypot(x, y), np.arctan2(y, x)
    color = np.tile(np.array([236, 231, 225.0]), (len(p), 1))
    color = mix(color, np.array([214, 160, 150.0]), 0.7 * ramp(np.abs(q[:, 0]), 0.55, 0.95))
    iris = np.tile(np.array([96, 116, 112.0]), (len(p), 1))
    iris = mix(iris, np.array([142, 112, 66.0]), ramp(out, 0.30, 0.16))
    iris = iris + 16 * (np.sin(angle * 23 + 3 * np.sin(angle * 7)) * ramp(out, 0.12, 0.3))[:, None]
    iris = mix(iris, np.array([34, 40, 44.0]), ramp(out, 0.33, 0.405))
    color = mix(color, iris, ramp(out, 0.43, 0.395))
    color = mix(color, np.array([12, 10, 10.0]), ramp(out, 0.175, 0.145))
    above, _ = shape.eye_opening(p)
    color *= (0.62 + 0.38 * ramp(above, 0.0, -0.28))[:, None]
    glint = np.hypot(world[:, 0] - np.sign(world[:, 0]) * 3.2 + 0.22, world[:, 1] - 0.30)
    return mix(color, np.array([255, 255, 255.0]), ramp(glint, 0.125, 0.075) * (q[:, 2] > 0))


def hair(p: np.ndarray, world: np.ndarray) -> np.ndarray:
    flow = shape.hair_flow(world)
    along = world[:, 2] * 0.10 + world[:, 1] * 0.05
    fine = noise(np.stack((flow, along, world[:, 0] * 0.05), axis=1), 0.10)
    coarse = noise(np.stack((flow, along, world[:, 0] * 0.05), axis=1), 0.55)
    sheen = np.exp(-(((world[:, 1] - 8.2 - 0.5 * coarse) / 1.6) ** 2)) * ramp(world[:, 2], -6, 4)
    amount = 0.30 + 0.20 * fine + 0.18 * coarse + 0.30 * sheen + 0.14 * np.sin(flow * 4.7 + 1.0)
    return HAIR_DARK + (HAIR_LIGHT - HAIR_DARK) * np.clip(amount, 0, 1)[:, None]


def wool(p: np.ndarray, world: np.ndarray) -> np.ndarray:
    around = np.arctan2(world[:, 0], world[:, 2] + 3.4)
    stitch = np.sin(around * 150) * np.sin(world[:, 1] * 14 + 2 * np.abs(np.sin(around * 75)))
    amount = 0.45 + 0.13 * stitch + 0.16 * noise(world, 0.3) + 0.10 * noise(world, 3.0)
    rib = np.sin(np.arctan2(p[:, 0], p[:, 2] + 3.4) * 64)
    collar = ramp(shape.below_neckline(p), -1.0, -0.7)
    amount = amount + collar * (0.16 * rib - 0.06)
    return WOOL_DARK + (WOOL_LIGHT - WOOL_DARK) * np.clip(amount, 0, 1)[:, None]


def slate(p: np.ndarray, world: np.ndarray) -> np.ndarray:
    veins = ramp(np.abs(noise(world, 2.2) + 0.5 * noise(world, 0.8)), 0.07, 0.0)
    return np.array([58, 58, 62.0]) + (10 * noise(world, 0.5) + 34 * veins)[:, None]
