"""How thick is the material? For every vertex, the diameter of the largest ball that fits inside, touching there.

Definition. The ball lies inside the surface, touches it at the vertex, and grows until it meets surface that faces the
opposite way, give or take 60 degrees. Its diameter is the local wall: between parallel faces their distance, whichever
way a ray would have left; in a shell of two spheres the difference of the radii; in a ball its diameter; in a cone of
half angle a, at the distance s from the tip, 2 s tan a. This is what breaks and what shines through.

Why a ball and not rays: the shrinking ball (Ma, Bae and Choi, 3D medial axis point approximation using nearest
neighbors and the normal field, 2012) needs no average over a cone of rays (Shapira 2008), which reads too much in
slabs and too little in balls; and a normal that is off by 30 degrees makes 7 % here, 15 % along a ray.

Why only surface that faces the other way: at an edge of a box the largest ball that touches the sides too has no size
at all, but an edge is no thin wall. Two faces that meet at 60 degrees or more are an edge here; two that meet at less
are a blade, and truly thin near it. Surface of a buried body faces the same way as the skin above it and does not
count, but its far side does: leave its triangles out of the tree. The walls of a hollow count.

Triangles are taken as they are, not as points, so a coarse mesh is measured as well as a fine one. Those that share the
vertex never stop its ball: where two sides join, at the edge of a blade, there is no distance between them to measure.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.mesh.bvh import STACK, Bvh, box_distance2, closest_on_triangle, first_of_leaf
from app.mesh.jit import inline_kernel, kernel, parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.mesh.stretches import stretches

# Vertices that start from their predecessor's answer; stretches begin with a block, so answers do not depend on them.
_BLOCK = 256
# Cosine between a wall's sides, turned over: 60 degrees.
OPPOSITE = 0.5
# A ball that shrinks by less than this part of its size is done; and what could make it smaller by no more than that is
# not looked at, which saves a third of the time for large balls.
_SETTLED, _SLACK = 1e-4, 0.004
_MOST_TURNS = 16


def thickness(
    mesh: Mesh,
    progress: Callable[[float, str], None] | None = None,
    *,
    at_most_mm: float = np.inf,
    tree: Bvh | None = None,
) -> np.ndarray:
    """Wall thickness at every vertex; see the module's docstring. Returns (V,) float32, mm.

    at_most_mm: thicker places get this value, which saves time; without it, places where nothing faces the other way
    (an open sheet) get infinity. tree: of those of the mesh's triangles that bound material, by default all. A mesh
    that is inside out is measured as if it were not.
    """
    if not mesh.triangle_count:
        return np.full(mesh.vertex_count, at_most_mm, np.float32)
    mesh.refresh()
    walls = Walls(mesh, tree)
    return walls.at(mesh.positions, mesh.normals, at_most_mm, progress)


class Walls:
    """The walls of a mesh, to be measured at any points of it. tree: as in `thickness`."""

    def __init__(self, mesh: Mesh, tree: Bvh | None = None) -> None:
        self.tree = tree or Bvh.of(mesh.positions, mesh.triangles)
        self._outward = -1.0 if _volume(mesh) < 0 else 1.0
        self._facing = _unit_normals(self.tree.corners, self._outward)
        self._ranges = _normal_ranges(self._facing, len(self.tree.boxes) // 2)
        self._size = float(np.linalg.norm(mesh.size()))

    def at(
        self,
        points: np.ndarray,
        normals: np.ndarray,
        at_most_mm: float,
        progress: Callable[[float, str], None] | None = None,
        opposite: float = OPPOSITE,
    ) -> np.ndarray:
        """(n,) float32, mm, at points of the surface. points, normals (unit): (n, 3) float32; near ones together.

        opposite: cosine between a wall's sides, turned over; at a smaller one wider edges count as blades.
        """
        out = np.full(len(points), at_most_mm, np.float32)
        widest = min(at_most_mm / 2, 2.0 * self._size)
        for start, stop in stretches(len(points), progress or _unseen, "Measuring walls", _BLOCK):
            _measure(
                points[start:stop],
                normals[start:stop],
                self._outward,
                widest,
                self.tree.corners,
                self.tree.boxes,
                self._facing,
                self._ranges,
                np.float64(opposite),
                out[start:stop],
            )
        return out

    def may_be_thin(self, below_mm: float) -> np.ndarray:
        """(T,) bool, in the order of the mesh: triangles that can have a point where a wall is thinner than a measure.

        All others have no surface that faces the other way so near behind them. It looks at boxes, so it is quick, and
        says yes too often. Needs a tree over all triangles.
        """
        found = np.zeros(len(self.tree.corners), np.uint8)
        measure = np.float64(below_mm), np.float64(OPPOSITE)
        _look_behind(self.tree.corners, self.tree.boxes, self._facing, self._ranges, *measure, found)
        out = np.empty(len(found), bool)
        out[self.tree.order] = found
        return out


def _unseen(fraction: float, doing: str) -> None:
    """Progress that nobody watches."""


def _volume(mesh: Mesh) -> float:
    """Signed volume, mm3."""
    a, b, c = (mesh.positions[mesh.triangles[:, k]].astype(np.float64) - mesh.positions[0] for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


@parallel_kernel
def _unit_normals(corners, outward):
    """(T, 3) float32 unit normals, zero for a triangle without area."""
    out = np.zeros((len(corners), 3), np.float32)
    for t in prange(len(corners)):
        ax, ay, az = np.float64(corners[t, 0, 0]), np.float64(corners[t, 0, 1]), np.float64(corners[t, 0, 2])
        ux, uy, uz = corners[t, 1, 0] - ax, corners[t, 1, 1] - ay, corners[t, 1, 2] - az
        vx, vy, vz = corners[t, 2, 0] - ax, corners[t, 2, 1] - ay, corners[t, 2, 2] - az
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        length = np.sqrt(nx * nx + ny * ny + nz * nz)
        if length > 0.0:
            out[t, 0], out[t, 1], out[t, 2] = outward * nx / length, outward * ny / length, outward * nz / length
    return out


@kernel
def _normal_ranges(facing, leaves):
    """(2 L, 6) float32: lowest and highest normal within each node of the tree, so that whole branches are passed."""
    count = len(facing)
    ranges = np.empty((2 * leaves, 6), np.float32)
    for leaf in range(leaves):
        node = leaves + leaf
        for k in range(3):
            ranges[node, k], ranges[node, 3 + k] = np.inf, -np.inf
            for place in range(first_of_leaf(leaf, count, leaves), first_of_leaf(leaf + 1, count, leaves)):
                ranges[node, k] = min(ranges[node, k], facing[place, k])
                ranges[node, 3 + k] = max(ranges[node, 3 + k], facing[place, k])
    for node in range(leaves - 1, 0, -1):
        for k in range(3):
            ranges[node, k] = min(ranges[2 * node, k], ranges[2 * node + 1, k])
            ranges[node, 3 + k] = max(ranges[2 * node, 3 + k], ranges[2 * node + 1, 3 + k])
    return ranges


@inline_kernel
def _may_oppose(ranges, node, x, y, z, opposite):
    """Whether a branch can hold a triangle that faces against (x, y, z)."""
    return (
        min(x * ranges[node, 0], x * ranges[node, 3])
        + min(y * ranges[node, 1], y * ranges[node, 4])
        + min(z * ranges[node, 2], z * ranges[node, 5])
    ) <= -opposite


@inline_kernel
def has_corner(corners, place, x, y, z):
    """Whether a triangle has a corner at exactly this place."""
    found = False
    for k in range(3):
        found |= corners[place, k, 0] == x and corners[place, k, 1] == y and corners[place, k, 2] == z
    return found


@inline_kernel
def _least_depth(boxes, node, x, y, z, nx, ny, nz):
    """How deep below the plane of a vertex and its normal a node's box begins, mm; negative above."""
    return -(
        max(nx * (boxes[node, 0] - x), nx * (boxes[node, 3] - x))
        + max(ny * (boxes[node, 1] - y), ny * (boxes[node, 4] - y))
        + max(nz * (boxes[node, 2] - z), nz * (boxes[node, 5] - z))
    )


@kernel
def _shrink(corners, place, x, y, z, nx, ny, nz, radius):
    """Radius of the ball touching (x, y, z) from below the normal that just touches a triangle, at most `radius`."""
    for _ in range(_MOST_TURNS):
        cx, cy, cz = x - radius * nx, y - radius * ny, z - radius * nz
        v, w, d2 = closest_on_triangle(corners, place, cx, cy, cz)
        if d2 >= radius * radius:
            return radius
        u = 1.0 - v - w
        qx = u * corners[place, 0, 0] + v * corners[place, 1, 0] + w * corners[place, 2, 0] - x
        qy = u * corners[place, 0, 1] + v * corners[place, 1, 1] + w * corners[place, 2, 1] - y
        qz = u * corners[place, 0, 2] + v * corners[place, 1, 2] + w * corners[place, 2, 2] - z
        away = qx * qx + qy * qy + qz * qz
        below = -(qx * nx + qy * ny + qz * nz)
        if below <= 0.0:  # rounding
            return radius
        smaller = away / (2.0 * below)
        if smaller >= radius * (1.0 - _SETTLED):
            return min(radius, smaller)
        radius = smaller
    return radius


@parallel_kernel
def _measure(points, normals, outward, widest, corners, boxes, facing, ranges, opposite, out):
    count, leaves = len(corners), len(boxes) // 2
    for block in prange((len(points) + _BLOCK - 1) // _BLOCK):
        stack = np.empty(STACK, np.int64)
        guess = -1  # where the ball before this one was stopped: mostly next to where this one will be
        for i in range(block * _BLOCK, min(len(points), (block + 1) * _BLOCK)):
            x, y, z = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
            nx, ny, nz = outward * normals[i, 0], outward * normals[i, 1], outward * normals[i, 2]
            radius, stopped_by = widest, -1
            if (
                guess >= 0
                and nx * facing[guess, 0] + ny * facing[guess, 1] + nz * facing[guess, 2] <= -opposite
                and not has_corner(corners, guess, x, y, z)
            ):
                radius = _shrink(corners, guess, x, y, z, nx, ny, nz, radius)
                if radius < widest:
                    stopped_by = guess
            stack[0] = 1
            size = 1
            while size > 0:
                size -= 1
                node = stack[size]
                cx, cy, cz = x - radius * nx, y - radius * ny, z - radius * nz
                apart2 = box_distance2(boxes, node, cx, cy, cz)
                if apart2 >= radius * radius or not _may_oppose(ranges, node, nx, ny, nz, opposite):
                    continue
                # A point that reaches into the ball by d, at a depth b below the vertex, shrinks it by the part d / b.
                slack = _SLACK * max(_least_depth(boxes, node, x, y, z, nx, ny, nz), 0.0)
                if apart2 >= (radius - slack) ** 2:
                    continue
                if node < leaves:
                    near, far = 2 * node, 2 * node + 1
                    if box_distance2(boxes, far, cx, cy, cz) < box_distance2(boxes, near, cx, cy, cz):
                        near, far = far, near
                    stack[size], stack[size + 1] = far, near
                    size += 2
                    continue
                leaf = node - leaves
                for place in range(first_of_leaf(leaf, count, leaves), first_of_leaf(leaf + 1, count, leaves)):
                    if nx * facing[place, 0] + ny * facing[place, 1] + nz * facing[place, 2] > -opposite:
                        continue
                    if has_corner(corners, place, x, y, z):
                        continue
                    smaller = _shrink(corners, place, x, y, z, nx, ny, nz, radius)
                    if smaller < radius:
                        radius, stopped_by = smaller, place
            guess = stopped_by
            if stopped_by >= 0:
                out[i] = min(out[i], np.float32(2.0 * radius))


@parallel_kernel
def _look_behind(corners, boxes, facing, ranges, below, opposite, out):
    count, leaves = len(corners), len(boxes) // 2
    for block in prange((count + _BLOCK - 1) // _BLOCK):
        stack = np.empty(STACK, np.int64)
        box = np.empty(6)
        for t in range(block * _BLOCK, min(count, (block + 1) * _BLOCK)):
            x, y, z = np.float64(corners[t, 0, 0]), np.float64(corners[t, 0, 1]), np.float64(corners[t, 0, 2])
            nx, ny, nz = np.float64(facing[t, 0]), np.float64(facing[t, 1]), np.float64(facing[t, 2])
            for k in range(3):
                a, b, c = corners[t, 0, k], corners[t, 1, k], corners[t, 2, k]
                box[k], box[3 + k] = min(a, b, c) - below, max(a, b, c) + below
            stack[0] = 1
            size = 1
            while size > 0:
                size -= 1
                node = stack[size]
                apart = False
                for k in range(3):
                    apart |= boxes[node, k] > box[3 + k] or boxes[node, 3 + k] < box[k]
                if apart or not _may_oppose(ranges, node, nx, ny, nz, opposite):
                    continue
                if node < leaves:
                    stack[size], stack[size + 1] = 2 * node + 1, 2 * node
                    size += 2
                    continue
                leaf = node - leaves
                for place in range(first_of_leaf(leaf, count, leaves), first_of_leaf(leaf + 1, count, leaves)):
                    if nx * facing[place, 0] + ny * facing[place, 1] + nz * facing[place, 2] > -opposite:
                        continue
                    behind, apart = False, False
                    for k in range(3):
                        px, py, pz = corners[place, k, 0] - x, corners[place, k, 1] - y, corners[place, k, 2] - z
                        depth = -(px * nx + py * ny + pz * nz)
                        behind |= depth > 0.0
                        a, b, c = corners[place, 0, k], corners[place, 1, k], corners[place, 2, k]
                        apart |= min(a, b, c) > box[3 + k] or max(a, b, c) < box[k]
                    if behind and not apart:
                        out[t] = 1
                        size = 0
                        break
