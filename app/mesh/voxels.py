"""Signed distance to a surface on a grid, kept only near a level, and a surface made from it.

What lives here: sampling and contouring. What does not: colour, and what the surface is for (`app.operations`).

The grid consists of blocks of 8 x 8 x 8 samples; only those near the wanted level exist. Distances come from a tree of
boxes. Signs come from winding numbers, but few of those are computed: between two neighbouring samples whose distances
add up to more than their spacing the surface cannot pass, so all that hangs together that way is on one side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.errors import InvalidInput
from app.mesh.bvh import Bvh
from app.mesh.jit import kernel
from app.mesh.winding import Winding

BLOCK = 8
_INSIDE = 0.5
_MOST_BLOCKS = 8_000_000
_MOST_SAMPLES = 80_000_000
_POINTS_AT_ONCE = 1 << 19
_BALLS_AT_ONCE = 1 << 14
# Flat sides of a model must not lie in a plane of samples, where inside and outside would be a matter of rounding.
_OFF_GRID = 0.381966
# A sample this close to the surface, in steps, counts as inside.
_ON_SURFACE = 1e-4

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Voxels:
    """origin: (3,) float64, mm, place of sample 0. step: mm. block_of: (X, Y, Z) int32 into values, -1 for none.

    values: (B, 8, 8, 8) float32, mm: distance, negative inside, less the level that was asked for.
    """

    origin: np.ndarray
    step: float
    block_of: np.ndarray
    values: np.ndarray


def sampled(
    positions: np.ndarray, triangles: np.ndarray, step: float, progress: Progress, level: float = 0.0
) -> Voxels:
    """Distance to a closed surface around one of its levels. level: mm, negative within the surface.

    positions: (V, 3) float32, mm. step: mm between samples. Where shells overlap, their union counts.
    Raises InvalidInput where the grid would be too fine for the memory.
    """
    winding = Winding.of(positions, triangles)
    band = abs(level)
    margin = (max(level, 0.0) + (BLOCK / 2 + 2) * step) * np.ones(3)
    lower = positions.min(axis=0).astype(np.float64) - margin - _OFF_GRID * step
    extent = positions.max(axis=0).astype(np.float64) + margin - lower
    shape = np.ceil(extent / (BLOCK * step)).astype(np.int64) + 1
    if shape.prod() > _MOST_BLOCKS:
        raise _too_fine(step)
    blocks = _near_level(winding.tree, lower, step, shape, band)
    if len(blocks) * BLOCK**3 > _MOST_SAMPLES:
        raise _too_fine(step)
    block_of = np.full(shape, -1, np.int32)
    block_of[tuple(blocks.T)] = np.arange(len(blocks), dtype=np.int32)
    values = _distances(winding.tree, lower, step, blocks, band, progress)
    _set_signs(winding, lower, step, blocks, block_of, values, progress)
    values -= np.float32(level)
    return Voxels(lower, step, block_of, values)


def around(points: np.ndarray, radius: np.ndarray, step: float, progress: Progress) -> Voxels:
    """Distance to the union of balls around (n, 3) points, (n,) radius, mm. Raises InvalidInput as `sampled` does.

    Right to two steps outside the balls; farther out it is that at least. Within it is that to the side of one ball.
    """
    progress(0.0, "Measuring distances")
    reach = radius[:, None] + 2 * step
    lower = (points - reach).min(axis=0) - (BLOCK + _OFF_GRID) * step
    first, last = (np.floor((points + side * reach - lower) / (BLOCK * step)).astype(np.int64) for side in (-1, 1))
    shape = last.max(axis=0) + 2
    if shape.prod() > _MOST_BLOCKS:
        raise _too_fine(step)
    block_of = np.full(shape, -1, np.int32)
    for offset in _within(int((last - first).max()) + 1):
        some = (first + offset <= last).all(axis=1)
        block_of[tuple((first[some] + offset).T)] = 0
    blocks = np.stack(np.nonzero(block_of == 0), axis=1)
    if len(blocks) * BLOCK**3 > _MOST_SAMPLES:
        raise _too_fine(step)
    block_of[tuple(blocks.T)] = np.arange(len(blocks), dtype=np.int32)
    values = np.full(len(blocks) * BLOCK**3, 2 * step, np.float32)
    for start in range(0, len(points), _BALLS_AT_ONCE):
        progress(start / len(points), "Measuring distances")
        some = slice(start, start + _BALLS_AT_ONCE)
        _put_balls((points[some] - lower) / step, radius[some] / step, np.float64(step), block_of, values)
    return Voxels(lower, step, block_of, values.reshape(-1, BLOCK, BLOCK, BLOCK))


@kernel
def _put_balls(points, radius, step, block_of, values):
    """Lower the values around balls; points and radius in steps from the first sample."""
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        reach = radius[i] + 2.0
        for a in range(int(np.ceil(x - reach)), int(np.floor(x + reach)) + 1):
            for b in range(int(np.ceil(y - reach)), int(np.floor(y + reach)) + 1):
                across = reach * reach - (a - x) ** 2 - (b - y) ** 2
                if across < 0.0:
                    continue
                half = np.sqrt(across)
                for c in range(int(np.ceil(z - half)), int(np.floor(z + half)) + 1):
                    apart = np.sqrt((a - x) ** 2 + (b - y) ** 2 + (c - z) ** 2) - radius[i]
                    sample = _sample(block_of, a, b, c)
                    values[sample] = min(values[sample], np.float32(step * apart))


def _too_fine(step: float) -> InvalidInput:
    return InvalidInput(f"a grid of {step:g} mm is too fine for a model of this size", "", "Choose a coarser one")


def _near_level(tree: Bvh, lower: np.ndarray, step: float, shape: np.ndarray, band: float) -> np.ndarray:
    """(B, 3) int64 places of the blocks that hold points at `band` from the surface, or their neighbours."""
    places = np.stack(np.unravel_index(np.arange(shape.prod()), shape), axis=1)
    middle = lower + step * (BLOCK * places + (BLOCK - 1) / 2)
    distance = tree.closest(middle.astype(np.float32)).distance
    # Half a block's diagonal and the cells that reach over into the next block.
    reach = step * (BLOCK / 2 + 1.5) * np.sqrt(3)
    return places[np.abs(distance - band) <= reach]


def _within(size: int) -> np.ndarray:
    """(size^3, 3) int64: places in a cube, the last axis fastest."""
    return np.stack(np.unravel_index(np.arange(size**3), (size,) * 3), axis=1)


def _distances(
    tree: Bvh, lower: np.ndarray, step: float, blocks: np.ndarray, band: float, progress: Progress
) -> np.ndarray:
    """(B, 8, 8, 8) float32. Exact near the level and near the surface; elsewhere that of a point near by.

    Blocks are halved, and halved again: what its middle shows to be far off needs no closer look.
    """
    values = np.empty((len(blocks), BLOCK, BLOCK, BLOCK), np.float32)
    at_once = max(1, _POINTS_AT_ONCE // BLOCK**3)
    for start in range(0, len(blocks), at_once):
        progress(0.7 * start / len(blocks), "Measuring distances")
        own = np.arange(start, min(len(blocks), start + at_once))
        corner = np.zeros((len(own), 3), np.int64)  # of the cubes still in question, within their block
        for size in (BLOCK // 2, BLOCK // 4, 1):
            corner = (corner[:, None] + size * _within(2)[None]).reshape(-1, 3)
            own = np.repeat(own, 8)
            middle = lower + step * (BLOCK * blocks[own] + corner + (size - 1) / 2)
            distance = tree.closest(middle.astype(np.float32)).distance
            inside = corner[:, None] + _within(size)[None]
            values[own[:, None], inside[..., 0], inside[..., 1], inside[..., 2]] = distance[:, None]
            reach = step * ((size - 1) / 2 * np.sqrt(3) + 2)
            near = (np.abs(distance - band) <= reach) | (distance <= reach)
            own, corner = own[near], corner[near]
    return values


def _set_signs(
    winding: Winding,
    lower: np.ndarray,
    step: float,
    blocks: np.ndarray,
    block_of: np.ndarray,
    values: np.ndarray,
    progress: Progress,
) -> None:
    progress(0.75, "Telling inside from outside")
    region = _regions(values.reshape(-1), blocks, block_of, np.float32(step))
    asked = np.flatnonzero(region == np.arange(len(region)))
    inside = np.zeros(len(region), bool)
    points = lower + step * (BLOCK * blocks[asked // BLOCK**3] + _within(BLOCK)[asked % BLOCK**3])
    for start in range(0, len(asked), _POINTS_AT_ONCE):
        progress(0.75 + 0.25 * start / len(asked), "Telling inside from outside")
        some = slice(start, start + _POINTS_AT_ONCE)
        inside[asked[some]] = winding.at(points[some]) > _INSIDE
    flat = values.reshape(-1)
    flat[inside[region]] *= -1
    flat[np.abs(flat) < _ON_SURFACE * step] = -_ON_SURFACE * step


@kernel
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def _sample(block_of, x, y, z):
    """Number of a sample, -1 where there is none."""
    bx, by, bz = x >> 3, y >> 3, z >> 3
    if x < 0 or y < 0 or z < 0 or bx >= block_of.shape[0] or by >= block_of.shape[1] or bz >= block_of.shape[2]:
        return -1
    block = block_of[bx, by, bz]
    return -1 if block < 0 else ((np.int64(block) * 8 + (x & 7)) * 8 + (y & 7)) * 8 + (z & 7)


@kernel
def _place(blocks, sample):
    block = sample // 512
    return (
        blocks[block, 0] * 8 + ((sample >> 6) & 7),
        blocks[block, 1] * 8 + ((sample >> 3) & 7),
        (blocks[block, 2] * 8 + (sample & 7)),
    )


@kernel
def _regions(distance, blocks, block_of, step):
    """(n,) int64: the first sample of the region that each sample belongs to."""
    parent = np.arange(len(distance))
    for sample in range(len(distance)):
        x, y, z = _place(blocks, sample)
        for axis in range(3):
            other = _sample(block_of, x + (axis == 0), y + (axis == 1), z + (axis == 2))
            # A hair more than the spacing, for what rounding took off the distances.
            if other >= 0 and distance[sample] + distance[other] > step * np.float32(1.0001):
                a, b = _root(parent, sample), _root(parent, other)
                parent[max(a, b)] = min(a, b)
    for sample in range(len(distance)):
        parent[sample] = _root(parent, sample)
    return parent


def contoured(voxels: Voxels) -> tuple[np.ndarray, np.ndarray]:
    """The surface where the values are zero: (V, 3) float32 mm, and (T, 3) int32, facing toward positive values.

    Surface nets (Gibson 1998): a vertex in each cell that the surface passes, in the middle of where it cuts the
    cell's edges, and two triangles for each edge that it cuts. Closed; where two sheets pass one cell they touch there.
    """
    blocks = np.stack(np.nonzero(voxels.block_of >= 0), axis=1)
    blocks = blocks[np.argsort(voxels.block_of[tuple(blocks.T)])]
    flat = voxels.values.reshape(-1)
    vertex_of, positions = _cell_vertices(flat, blocks, voxels.block_of)
    triangles = _net(flat, blocks, voxels.block_of, vertex_of, positions)
    return (voxels.origin + voxels.step * positions).astype(np.float32), triangles


@kernel
def _cell_vertices(values, blocks, block_of):
    vertex_of = np.full(len(values), -1, np.int32)
    positions = np.empty((1024, 3))
    found = 0
    corner = np.empty(8)
    for sample in range(len(values)):
        x, y, z = _place(blocks, sample)
        negative, known = 0, True
        for c in range(8):
            other = _sample(block_of, x + (c & 1), y + ((c >> 1) & 1), z + (c >> 2))
            if other < 0:
                known = False
                break
            corner[c] = values[other]
            negative += corner[c] < 0
        if not known or negative == 0 or negative == 8:
            continue
        if found == len(positions):
            larger = np.empty((2 * found, 3))
            larger[:found] = positions
            positions = larger
        cuts = 0
        middle = np.zeros(3)
        for c in range(8):
            for axis in range(3):
                other = c | (1 << axis)
                if other == c or (corner[c] < 0) == (corner[other] < 0):
                    continue
                part = corner[c] / (corner[c] - corner[other])
                for k in range(3):
                    middle[k] += ((c >> k) & 1) + (part if k == axis else 0.0)
                cuts += 1
        positions[found, 0] = x + middle[0] / cuts
        positions[found, 1] = y + middle[1] / cuts
        positions[found, 2] = z + middle[2] / cuts
        vertex_of[sample] = found
        found += 1
    return vertex_of, positions[:found].copy()


@kernel
def _net(values, blocks, block_of, vertex_of, positions):
    triangles = np.empty((1024, 3), np.int32)
    found = 0
    quad = np.empty(4, np.int32)
    for sample in range(len(values)):
        x, y, z = _place(blocks, sample)
        for axis in range(3):
            other = _sample(block_of, x + (axis == 0), y + (axis == 1), z + (axis == 2))
            if other < 0 or (values[sample] < 0) == (values[other] < 0):
                continue
            known = True
            for corner in range(4):
                # The four cells around the edge, right-handed about its direction.
                one, two = (corner == 0 or corner == 3), corner < 2
                shift = np.zeros(3, np.int64)
                shift[(axis + 1) % 3], shift[(axis + 2) % 3] = one, two
                cell = _sample(block_of, x - shift[0], y - shift[1], z - shift[2])
                quad[corner] = vertex_of[cell] if cell >= 0 else -1
                known = known and quad[corner] >= 0
            if not known:
                continue
            if values[sample] >= 0:
                quad[1], quad[3] = quad[3], quad[1]
            if found + 2 > len(triangles):
                larger = np.empty((2 * len(triangles), 3), np.int32)
                larger[:found] = triangles[:found]
                triangles = larger
            a, b, c, d = positions[quad[0]], positions[quad[1]], positions[quad[2]], positions[quad[3]]
            first = 0 if ((a - c) ** 2).sum() <= ((b - d) ** 2).sum() else 1
            for half in range(2):
                triangles[found, 0] = quad[first]
                triangles[found, 1] = quad[(first + 1 + half) % 4]
                triangles[found, 2] = quad[(first + 2 + half) % 4]
                found += 1
    return triangles[:found].copy()
