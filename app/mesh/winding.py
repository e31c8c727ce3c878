"""How often a surface winds around a point: 1 inside a closed body, 0 outside, a half of each at an open hole.

Jacobson, Kavan and Sorkine-Hornung, "Robust inside-outside segmentation using generalized winding numbers", 2013; far
groups of triangles are taken as one dipole, as in Barill, Dickson, Schmidt, Levin and Jacobson, "Fast winding numbers
for soups and clouds", 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.mesh.bvh import STACK, Bvh, first_of_leaf
from app.mesh.jit import inline_kernel, parallel_kernel, prange

# A group counts as far from this many times its radius on: an error of about 0.01.
_FAR = 2.3
_BLOCK = 64


@dataclass(frozen=True, eq=False)
class Winding:
    """A tree and, for each of its nodes, the dipole of its triangles: (2 L, 8) float64, area normal x, y, z (mm2),
    middle x, y, z (mm, weighted by area), area, radius around the middle.
    """

    tree: Bvh
    dipoles: np.ndarray

    @classmethod
    def of(cls, positions: np.ndarray, triangles: np.ndarray) -> Winding:
        """Build over (V, 3) positions, mm, and (T, 3) int32 triangles."""
        tree = Bvh.of(positions, triangles)
        dipoles = np.zeros((len(tree.boxes), 8))
        _fill(tree.corners, tree.boxes, dipoles)
        return cls(tree, dipoles)

    def at(self, points: np.ndarray) -> np.ndarray:
        """(n,) float64 winding numbers of (n, 3) points."""
        out = np.empty(len(points))
        _winding(np.ascontiguousarray(points, np.float64), self.tree.corners, self.dipoles, out)
        return out


@inline_kernel
def _half_solid_angle(corners, place, x, y, z):
    """Van Oosterom and Strackee, The solid angle of a plane triangle, 1983."""
    ax, ay, az = corners[place, 0, 0] - x, corners[place, 0, 1] - y, corners[place, 0, 2] - z
    bx, by, bz = corners[place, 1, 0] - x, corners[place, 1, 1] - y, corners[place, 1, 2] - z
    cx, cy, cz = corners[place, 2, 0] - x, corners[place, 2, 1] - y, corners[place, 2, 2] - z
    a, b = np.sqrt(ax * ax + ay * ay + az * az), np.sqrt(bx * bx + by * by + bz * bz)
    c = np.sqrt(cx * cx + cy * cy + cz * cz)
    volume = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
    ab, bc, ca = ax * bx + ay * by + az * bz, bx * cx + by * cy + bz * cz, cx * ax + cy * ay + cz * az
    below = a * b * c + ab * c + bc * a + ca * b
    return np.arctan2(volume, below) if volume != 0.0 else 0.0


@parallel_kernel
def _fill(corners, boxes, dipoles):
    count, leaves = len(corners), len(boxes) // 2
    for leaf in prange(leaves):
        node = leaves + leaf
        for place in range(first_of_leaf(leaf, count, leaves), first_of_leaf(leaf + 1, count, leaves)):
            n = np.zeros(3)
            for k in range(3):
                i, j = (k + 1) % 3, (k + 2) % 3
                ui, uj = (
                    np.float64(corners[place, 1, i]) - corners[place, 0, i],
                    (np.float64(corners[place, 1, j]) - corners[place, 0, j]),
                )
                vi, vj = (
                    np.float64(corners[place, 2, i]) - corners[place, 0, i],
                    (np.float64(corners[place, 2, j]) - corners[place, 0, j]),
                )
                n[k] = (ui * vj - uj * vi) / 2
            area = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
            dipoles[node, 6] += area
            for k in range(3):
                dipoles[node, k] += n[k]
                middle = (np.float64(corners[place, 0, k]) + corners[place, 1, k] + corners[place, 2, k]) / 3
                dipoles[node, 3 + k] += area * middle
    for node in range(leaves - 1, 0, -1):
        for k in range(7):
            dipoles[node, k] = dipoles[2 * node, k] + dipoles[2 * node + 1, k]
    for node in prange(2 * leaves):
        if dipoles[node, 6] > 0:
            farthest = 0.0
            for k in range(3):
                dipoles[node, 3 + k] /= dipoles[node, 6]
                middle = dipoles[node, 3 + k]
                farthest += max(middle - boxes[node, k], boxes[node, 3 + k] - middle) ** 2
            dipoles[node, 7] = np.sqrt(farthest)


@parallel_kernel
def _winding(points, corners, dipoles, out):
    count, leaves = len(corners), len(dipoles) // 2
    for block in prange((len(points) + _BLOCK - 1) // _BLOCK):
        stack = np.empty(STACK, np.int64)
        for i in range(block * _BLOCK, min(len(points), (block + 1) * _BLOCK)):
            x, y, z = points[i, 0], points[i, 1], points[i, 2]
            total = 0.0
            stack[0] = 1
            size = 1
            while size > 0:
                size -= 1
                node = stack[size]
                dx, dy, dz = dipoles[node, 3] - x, dipoles[node, 4] - y, dipoles[node, 5] - z
                distance2 = dx * dx + dy * dy + dz * dz
                if distance2 > (_FAR * dipoles[node, 7]) ** 2:
                    if dipoles[node, 6] > 0:
                        along = dx * dipoles[node, 0] + dy * dipoles[node, 1] + dz * dipoles[node, 2]
                        total += along / (distance2 * np.sqrt(distance2))
                elif node < leaves:
                    stack[size], stack[size + 1] = 2 * node + 1, 2 * node
                    size += 2
                else:
                    leaf = node - leaves
                    for place in range(first_of_leaf(leaf, count, leaves), first_of_leaf(leaf + 1, count, leaves)):
                        total += 2 * _half_solid_angle(corners, place, x, y, z)
            out[i] = total / (4 * np.pi)
