"""The sample bust as a signed distance field, in centimetres of a real head: y up, face toward +z, eyes at y = 0.

What lives here: anatomy. What does not: meshing, texture coordinates, colour (`make_bust`, `bust_paint`, `bust_atlas`).
Distances are negative inside and near enough to Euclidean for contouring. Sizes follow the classical canon: eyes
half-way between chin and crown, nose and ears between brow and the middle of the lower half.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.interpolate import PchipInterpolator

SKIN, EYE, HAIR, CLOTH, PLINTH = range(5)
LOWER, UPPER = np.array([-20.5, -34.0, -15.5]), np.array([20.5, 15.0, 14.0])
BOTTOM = -32.8
EYE_CENTRE, EYE_RADIUS = np.array([3.2, 0.0, 6.55]), 1.5
_EPSILON = 1e-6

# Where the hair ends: degrees around the head from the front, and height. Temple, sideburn, over the ear, nape.
_HAIRLINE_DEGREES = (0, 20, 36, 48, 58, 68, 75, 84, 92, 104, 112, 120, 135, 160, 180)
_HAIRLINE_HEIGHTS = (6.5, 6.4, 5.9, 4.4, 2.8, 0.6, -2.2, -2.3, 0.6, 1.4, 0.2, -3.0, -5.6, -7.2, -7.4)
hairline = PchipInterpolator(np.radians(_HAIRLINE_DEGREES), _HAIRLINE_HEIGHTS)


def smooth_min(a: np.ndarray, b: np.ndarray, k: float) -> np.ndarray:
    """Union with a fillet of size k (polynomial smooth minimum, I. Quilez)."""
    h = np.maximum(k - np.abs(a - b), 0) / k
    return np.minimum(a, b) - h * h * k * 0.25


def smooth_max(a: np.ndarray, b: np.ndarray, k: float) -> np.ndarray:
    return -smooth_min(-a, -b, k)


def ball(p: np.ndarray, centre: object, radius: float) -> np.ndarray:
    return np.linalg.norm(p - np.asarray(centre), axis=1) - radius


def ellipsoid(p: np.ndarray, centre: object, radii: object, turn: np.ndarray | None = None) -> np.ndarray:
    """Approximate distance to an ellipsoid; turn: 3 x 3 rotation from world to its axes."""
    q = p - np.asarray(centre)
    if turn is not None:
        q = q @ turn.T
    q = q / np.asarray(radii)
    inner, outer = np.linalg.norm(q, axis=1), np.linalg.norm(q / np.asarray(radii), axis=1)
    return inner * (inner - 1) / np.maximum(outer, _EPSILON)


def tube(p: np.ndarray, points: list[tuple[float, float, float, float]]) -> np.ndarray:
    """A chain of round cones through points (x, y, z, radius)."""
    best = np.full(len(p), np.inf)
    for first, second in pairwise(points):
        a, along = np.array(first[:3]), np.array(second[:3]) - np.array(first[:3])
        t = np.clip((p - a) @ along / (along @ along), 0, 1)
        gap = np.linalg.norm(p - a - t[:, None] * along, axis=1)
        best = np.minimum(best, gap - (first[3] + t * (second[3] - first[3])))
    return best


def turned(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    """Rotation from world to the axes of a part turned by these degrees about x, then y, then z."""
    a, b, c = np.radians((x, y, z))
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return (about_z @ about_y @ about_x).T


def waves(p: np.ndarray, scale: float, seed: int, count: int = 6) -> np.ndarray:
    """Smooth noise, about -1 to 1: a sum of sines in fixed pseudo-random directions; `scale` is a wavelength."""
    generator = np.random.default_rng(seed)
    total = np.zeros(len(p))
    for _ in range(count):
        direction = generator.normal(size=3)
        direction *= 2 * np.pi / (scale * np.linalg.norm(direction) * generator.uniform(0.7, 1.4))
        total += np.sin(p @ direction + generator.uniform(0, 2 * np.pi))
    return total / np.sqrt(count * 0.5) * 0.5


def distances(points: np.ndarray) -> np.ndarray:
    """(5, N) distances of (N, 3) points to skin, eyes, hair, clothes and plinth."""
    world = uneven(points)
    p = world.copy()
    p[:, 0] = np.abs(p[:, 0])
    head = skull(p)
    neck, form = neck_and_shoulders(p)
    skin = smooth_min(face(p, head), neck, 1.6)
    skin = smooth_min(skin, ear(p), 0.35)
    eyes = ball(p, EYE_CENTRE, EYE_RADIUS)
    hair_distance = np.minimum(hair(world, head), floaters(world))
    cloth = clothes(p, form)
    skin = np.maximum(skin + np.clip(-below_neckline(p) * 0.7, 0, 1.2), bust_cut(p) + 1.0)
    floor = BOTTOM - points[:, 1]
    return np.stack([np.maximum(part, floor) for part in (skin, eyes, hair_distance, cloth, plinth(p))])


def distance(points: np.ndarray) -> np.ndarray:
    """(N,) distance to the whole bust."""
    skin, eyes, hair_distance, cloth, foot = distances(points)
    head = smooth_min(np.minimum(skin, eyes), hair_distance, 0.25)
    mush = 0.010 * waves(points, 1.6, 11) + 0.003 * waves(points, 0.7, 12)
    return np.minimum(head, smooth_min(cloth, foot, 0.3)) + mush


def uneven(points: np.ndarray) -> np.ndarray:
    """Nobody is symmetric, and a generator even less: a slow bend of the face and one shoulder lower."""
    p = points.astype(np.float64)
    x, y, z = points.T
    p[:, 0] += 0.10 * np.sin(0.32 * y + 0.6) + 0.05 * np.sin(0.9 * y + 0.4 * z)
    p[:, 1] += 0.012 * x + 0.05 * np.sin(0.5 * x + 0.3 * y)
    return p


def skull(p: np.ndarray) -> np.ndarray:
    """Cranium, facial block and jaw, without features."""
    cranium = ellipsoid(p, (0, 2.7, -1.2), (7.45, 8.4, 9.3))
    forehead = ellipsoid(p, (0, 3.4, 1.2), (6.5, 6.6, 7.5))
    block = ellipsoid(p, (0, -2.6, 2.2), (6.3, 7.4, 6.0))
    jaw = tube(p, [(5.7, -2.6, -0.6, 1.2), (5.0, -6.3, 0.6, 1.35), (2.6, -9.2, 4.9, 1.5), (0, -9.9, 6.4, 1.7)])
    muzzle = ellipsoid(p, (0, -6.6, 4.7), (3.6, 3.6, 4.0))
    head = smooth_min(smooth_min(cranium, forehead, 2.5), block, 2.5)
    return smooth_min(smooth_min(head, jaw, 2.6), muzzle, 2.2)


def face(p: np.ndarray, head: np.ndarray) -> np.ndarray:
    cheekbone = ellipsoid(p, (4.75, -2.0, 4.9), (1.9, 1.35, 2.3), turned(y=35, z=-12))
    cheek = ellipsoid(p, (3.6, -4.4, 5.6), (2.0, 2.2, 1.7))
    chin = ellipsoid(p, (0, -10.0, 7.35), (1.75, 1.35, 1.35))
    brow = tube(p, [(0, 1.75, 7.7, 0.75), (1.6, 2.0, 7.7, 0.75), (3.6, 2.35, 6.9, 0.7), (5.5, 1.4, 5.2, 0.7)])
    d = smooth_min(smooth_min(head, cheekbone, 2.2), cheek, 2.0)
    d = smooth_min(smooth_min(d, chin, 1.6), brow, 1.3)
    socket = ellipsoid(p, (3.0, 0.35, 8.75), (2.4, 1.25, 1.5), turned(y=18, z=4))
    temple = ellipsoid(p, (7.8, 1.8, 4.6), (1.3, 3.0, 3.0))
    d = smooth_max(smooth_max(d, -socket, 1.3), -temple, 1.5)
    d = smooth_min(d, eyelids(p), 0.5)
    d = nose(p, d)
    return mouth(p, d)


def eyelids(p: np.ndarray) -> np.ndarray:
    """A shell around the eyeball with an almond opening; the upper lid is the thicker one and has a fold."""
    q = p - EYE_CENTRE
    shell = ball(p, EYE_CENTRE, EYE_RADIUS + 0.16)
    upper = ball(p, EYE_CENTRE + np.array([0, 0.10, 0.05]), EYE_RADIUS + 0.24)
    shell = smooth_min(shell, np.maximum(upper, 0.05 - q[:, 1]), 0.1)
    opening = np.maximum(np.maximum(*eye_opening(p)), 0.2 - q[:, 2])
    return smooth_max(shell, -opening, 0.08)


def eye_opening(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far above the upper lid's edge and below the lower one's a point lies; both negative in the opening."""
    q = p - EYE_CENTRE
    tilt = q[:, 1] - 0.08 * q[:, 0]
    across = np.clip(1 - (q[:, 0] / 1.42) ** 2, 0, None)
    return (tilt - 0.56 * across**0.75) * 0.8, (-0.40 * across**0.9 - tilt) * 0.8


def nose(p: np.ndarray, d: np.ndarray) -> np.ndarray:
    bridge = tube(p, [(0, 1.5, 7.75, 0.62), (0, -0.6, 8.55, 0.62), (0, -2.6, 9.6, 0.72), (0, -3.5, 10.0, 0.88)])
    side = tube(p, [(0.5, 0.6, 7.3, 0.5), (1.0, -2.8, 8.0, 0.9)])
    tip = ellipsoid(p, (0, -3.65, 10.05), (1.0, 0.85, 0.85))
    wing = ellipsoid(p, (1.12, -4.05, 8.85), (0.66, 0.62, 0.98), turned(y=-20))
    column = tube(p, [(0, -4.35, 9.9, 0.36), (0, -4.75, 8.6, 0.42)])
    whole = smooth_min(smooth_min(bridge, side, 1.0), tip, 0.6)
    whole = smooth_min(smooth_min(whole, wing, 0.65), column, 0.4)
    nostril = ellipsoid(p, (0.62, -4.72, 9.25), (0.30, 0.42, 0.55), turned(y=-18))
    d = smooth_min(d, whole, 0.75)
    return smooth_max(d, -nostril, 0.2)


def lips(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the forms of the upper and the lower lip."""
    peak, edge = (0.7, -6.5, 8.68, 0.45), (1.7, -6.74, 8.22, 0.36)
    upper = tube(p, [(0, -6.60, 8.72, 0.42), peak, edge, (2.5, -6.94, 7.72, 0.2)])
    full, edge = (0.9, -7.54, 8.36, 0.58), (1.7, -7.28, 8.02, 0.42)
    lower = tube(p, [(0, -7.62, 8.5, 0.62), full, edge, (2.45, -6.97, 7.7, 0.18)])
    return upper, lower


def mouth(p: np.ndarray, d: np.ndarray) -> np.ndarray:
    upper, lower = lips(p)
    d = smooth_min(smooth_min(d, upper, 0.45), lower, 0.5)
    line = tube(p, [(0, -7.06, 9.14, 0.11), (0.8, -6.99, 9.0, 0.11), (1.7, -6.98, 8.55, 0.1), (2.6, -6.9, 8.0, 0.08)])
    groove = tube(p, [(0, -5.3, 9.12, 0.24), (0, -6.1, 9.32, 0.24)])
    fold = ellipsoid(p, (0, -8.75, 9.1), (1.5, 0.5, 0.9))
    for cut, softness in ((line, 0.22), (groove, 0.5), (fold, 0.9)):
        d = smooth_max(d, -cut, softness)
    return d


def ear(p: np.ndarray) -> np.ndarray:
    turn = turned(x=-12, y=24)
    q = (p - np.array([7.35, -0.9, -1.5])) @ turn.T
    plate = ellipsoid(q, (0, 0, 0), (0.55, 2.8, 1.6))
    taper = 1 + 0.10 * q[:, 1]
    ring = np.hypot(q[:, 1] / 2.75, q[:, 2] / (1.55 * taper)) - 1
    rim = np.hypot(ring * 1.6, q[:, 0] - 0.35) - 0.34
    bowl = ellipsoid(q, (0.75, -0.5, 0.15), (0.75, 1.35, 0.85))
    trough = ellipsoid(q, (0.8, 1.45, 0.0), (0.62, 0.75, 0.85))
    lobe = ellipsoid(q, (0.1, -2.75, 0.55), (0.4, 0.75, 0.65))
    tragus = ball(q, (0.35, -0.6, 1.25), 0.42)
    d = smooth_min(plate, rim, 0.35)
    d = smooth_max(smooth_max(d, -bowl, 0.4), -trough, 0.4)
    return smooth_min(smooth_min(d, lobe, 0.5), tragus, 0.3)


def neck_and_shoulders(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the skin, and to the smoother form that cloth hangs on."""
    neck = tube(p, [(0, -5.0, -2.8, 5.0), (0, -12.0, -3.0, 5.1), (0, -19.0, -3.8, 5.9)])
    slope = tube(p, [(2.0, -10, -6.8, 2.2), (5.5, -15.8, -5.5, 2.7), (14.0, -19.3, -4.5, 2.6)])
    shoulder = ellipsoid(p, (14.6, -22.6, -4.0), (4.6, 5.0, 4.4))
    chest = ellipsoid(p, (0, -26.0, -3.0), (15.5, 9.0, 8.2))
    breast = ellipsoid(p, (6.2, -26.5, 1.6), (6.6, 4.8, 4.0))
    form = smooth_min(smooth_min(neck, slope, 3.2), chest, 3.2)
    form = smooth_min(smooth_min(form, shoulder, 3.0), breast, 2.2)
    muscle = tube(p, [(5.6, -4.5, -2.6, 0.9), (3.9, -12, 0.4, 1.15), (1.1, -18.2, 2.2, 0.8)])
    throat = tube(p, [(0, -10.5, 2.2, 1.0), (0, -13.2, 2.15, 1.05), (0, -17.5, 1.6, 0.9)])
    collarbone = tube(p, [(1.3, -18.9, 2.7, 0.7), (7.0, -18.4, 1.2, 0.6), (13.0, -18.6, -2.6, 0.6)])
    skin = smooth_min(smooth_min(form, muscle, 1.1), throat, 1.2)
    return smooth_min(skin, collarbone, 0.9), form


def below_neckline(p: np.ndarray) -> np.ndarray:
    """Negative where the jumper is: outside a ball around the neck, and below the head."""
    return np.maximum(-ball(p, (0, -10.0, -3.9), 9.7), p[:, 1] + 12.0)


def clothes(p: np.ndarray, form: np.ndarray) -> np.ndarray:
    """A crew-neck jumper with a ribbed collar, cut off in a curve as busts are."""
    x, y, z = p.T
    neckline = below_neckline(p)
    folds = 0.12 * np.sin(0.8 * y + 0.5 * x + 1.2 * np.sin(0.35 * x)) * np.clip((x - 6) / 8, 0, 1)
    shirt = smooth_max(form - 0.7 - folds, neckline, 0.5)
    ribs = 0.04 * np.sin(np.arctan2(x, z + 3.4) * 64)
    collar = np.hypot(form - 0.8, (neckline + 0.3) * 0.75) - 0.55 - ribs
    return smooth_max(smooth_min(shirt, collar, 0.2), bust_cut(p), 0.9)


def bust_cut(p: np.ndarray) -> np.ndarray:
    return np.minimum(ellipsoid(p, (0, -14.2, -3.0), (18.6, 16.0, 11.5)), -(p[:, 1] + 15.0))


def plinth(p: np.ndarray) -> np.ndarray:
    """A turned foot."""
    y = p[:, 1]
    around = np.hypot(p[:, 0], p[:, 2] + 2.6)
    stem = smooth_max(around - 3.4 - 0.10 * (y + 29.0) ** 2, np.abs(y + 28.8) - 2.5, 0.3)
    disc = np.hypot(np.maximum(around - 7.2, 0), np.maximum(np.abs(y + 31.9) - 0.6, 0)) - 0.5
    return smooth_min(stem, disc, 0.8)


def hair_flow(world: np.ndarray) -> np.ndarray:
    """A coordinate that is constant along a strand, growing across the strands, in cm."""
    x, y, z = world.T
    return 0.9 * np.abs(x - 3.3 - 0.10 * z) + 1.0 * y - 0.45 * z + 0.35 * waves(world, 8.0, 3)


def hair_border(p: np.ndarray) -> np.ndarray:
    """Height above the hairline, cm."""
    return p[:, 1] - hairline(np.arctan2(np.abs(p[:, 0]), p[:, 2]))


def hair(world: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Short hair, parted on the figure's left, swept up and back from the forehead, close at the sides."""
    x, y, z = world.T
    above_border = hair_border(world)
    above = np.clip(above_border / 3.0, 0, 1) ** 0.6
    height = np.clip((y - 2.0) / 7.5, 0, 1)
    thickness = 0.45 + 1.15 * height
    thickness += 0.9 * height * np.exp(-(((z - 6.0) / 3.5) ** 2))
    beside = np.abs(x - 3.3 - 0.10 * z)
    thickness = thickness * above - 0.55 * np.exp(-((beside / 0.55) ** 2)) * height
    lock = hair_flow(world)
    grooves = 0.11 * np.sin(lock * 2.1) + 0.13 * np.sin(lock * 4.7 + 1.0) + 0.06 * np.sin(lock * 9.7)
    shell = head - thickness - grooves * (0.3 + 0.7 * height) * above
    return smooth_max(shell, -above_border * 0.6, 0.5)


def floaters(world: np.ndarray) -> np.ndarray:
    """Crumbs beside the hair and the shoulder, as generators leave them."""
    crumbs = ((9.6, 8.9, -2.0, 0.34), (-10.2, 3.2, -4.5, 0.26), (-15.5, -14.6, 1.0, 0.4), (3.0, 14.2, 2.0, 0.22))
    return np.min([ball(world, (x, y, z), radius) for x, y, z, radius in crumbs], axis=0)
