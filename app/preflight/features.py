"""What stands thin on all sides, and what lies close together: pins and double skins.

What lives here: two measurements for every vertex, by short rays. What does not: how thick walls are (`thickness`), and
what a printer makes of it (`checks`).
"""

from __future__ import annotations

import numpy as np

from app.formats.registry import Progress, no_progress
from app.mesh.bvh import STACK, Bvh, box_entry, first_of_leaf, hit_triangle
from app.mesh.jit import inline_kernel, kernel, parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.mesh.stretches import stretches
from app.mesh.thickness import has_corner

_BLOCK = 256
# Ways to look around in the middle of the material; half a turn, because each looks back too.
_WAYS = 8
# Cosine of 37 degrees: skins that run side by side, not walls of a crease.
_PARALLEL = 0.8


def widths(
    mesh: Mesh, walls: np.ndarray, limit_mm: float, progress: Progress = no_progress, *, tree: Bvh | None = None
) -> np.ndarray:
    """How wide the material is across its thinnest way, at vertices whose wall is under the limit.

    At such a place we look around in the middle of the wall, in its own plane: a sheet goes on for long along at
    least one line and so has no width; a pin is about as wide as it is thick; a sheet's rim goes on on one side.
    walls: (V,) mm, from `thickness`. Returns (V,) float32, mm; `limit_mm` where it is wider than that, or thicker.
    """
    out = np.full(mesh.vertex_count, limit_mm, np.float32)
    thin = np.flatnonzero(walls < limit_mm).astype(np.int32)
    if not len(thin):
        return out
    tree = tree or Bvh.of(mesh.positions, mesh.triangles)
    for start, stop in stretches(len(thin), progress, "Looking for thin pins", _BLOCK):
        chosen = thin[start:stop]
        _look_around(chosen, mesh.positions, mesh.normals, walls, np.float64(limit_mm), tree.corners, tree.boxes, out)
    return out


def near_skins(
    mesh: Mesh, within_mm: float, progress: Progress = no_progress, *, tree: Bvh | None = None
) -> np.ndarray:
    """Where another skin runs along the surface, above or below it, closer than a distance. Returns (V,) bool."""
    out = np.zeros(mesh.vertex_count, np.uint8)
    if not mesh.triangle_count:
        return out.astype(bool)
    mesh.refresh()
    tree = tree or Bvh.of(mesh.positions, mesh.triangles)
    for start, stop in stretches(mesh.vertex_count, progress, "Looking for double skins", _BLOCK):
        _look_up_and_down(
            mesh.positions[start:stop],
            mesh.normals[start:stop],
            np.float64(within_mm),
            tree.corners,
            tree.boxes,
            out[start:stop],
        )
    return out.astype(bool)


@inline_kernel
def _runs_along(corners, place, x, y, z):
    """Whether a triangle is parallel to a surface with this unit normal, facing either way."""
    ax, ay, az = np.float64(corners[place, 0, 0]), np.float64(corners[place, 0, 1]), np.float64(corners[place, 0, 2])
    ux, uy, uz = corners[place, 1, 0] - ax, corners[place, 1, 1] - ay, corners[place, 1, 2] - az
    vx, vy, vz = corners[place, 2, 0] - ax, corners[place, 2, 1] - ay, corners[place, 2, 2] - az
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    return abs(x * nx + y * ny + z * nz) >= _PARALLEL * np.sqrt(nx * nx + ny * ny + nz * nz)


@kernel
def _reach(corners, boxes, stack, x, y, z, dx, dy, dz, limit):
    """Distance along a unit direction to the first triangle, at most `limit`."""
    # Adding zero turns -0.0 into 0.0, whose inverse would order a box's two planes the wrong way round.
    dx, dy, dz = dx + 0.0, dy + 0.0, dz + 0.0
    ix, iy, iz = 1.0 / dx, 1.0 / dy, 1.0 / dz
    count, leaves = len(corners), len(boxes) // 2
    stack[0] = 1
    size = 1
    while size > 0:
        size -= 1
        node = stack[size]
        if box_entry(boxes, node, x, y, z, ix, iy, iz) >= limit:
            continue
        if node < leaves:
            stack[size], stack[size + 1] = 2 * node + 1, 2 * node
            size += 2
            continue
        leaf = node - leaves
        for place in range(first_of_leaf(leaf, count, leaves), first_of_leaf(leaf + 1, count, leaves)):
            distance = hit_triangle(corners, place, x, y, z, dx, dy, dz)
            if 0.0 <= distance < limit:
                limit = distance
    return limit


@kernel
def _has_skin(corners, boxes, stack, x, y, z, nx, ny, nz, limit):
    """Whether a skin that does not hold the point crosses the normal through it, up to `limit` above or below."""
    count, leaves = len(corners), len(boxes) // 2
    ex, ey, ez = abs(nx) * limit, abs(ny) * limit, abs(nz) * limit
    stack[0] = 1
    size = 1
    while size > 0:
        size -= 1
        node = stack[size]
        if (
            boxes[node, 0] > x + ex
            or boxes[node, 3] < x - ex
            or boxes[node, 1] > y + ey
            or boxes[node, 4] < y - ey
            or boxes[node, 2] > z + ez
            or boxes[node, 5] < z - ez
        ):
            continue
        if node < leaves:
            stack[size], stack[size + 1] = 2 * node + 1, 2 * node
            size += 2
            continue
        leaf = node - leaves
        for place in range(first_of_leaf(leaf, count, leaves), first_of_leaf(leaf + 1, count, leaves)):
            if has_corner(corners, place, x, y, z) or not _runs_along(corners, place, nx, ny, nz):
                continue
            bottom = hit_triangle(corners, place, x - limit * nx, y - limit * ny, z - limit * nz, nx, ny, nz)
            if 0.0 <= bottom <= 2.0 * limit:
                return True
    return False


@parallel_kernel
def _look_around(chosen, positions, normals, walls, limit, corners, boxes, out):
    for block in prange((len(chosen) + _BLOCK - 1) // _BLOCK):
        stack = np.empty(STACK, np.int64)
        for i in range(block * _BLOCK, min(len(chosen), (block + 1) * _BLOCK)):
            v = chosen[i]
            nx, ny, nz = np.float64(normals[v, 0]), np.float64(normals[v, 1]), np.float64(normals[v, 2])
            inward = 0.5 * walls[v]
            x, y, z = positions[v, 0] - inward * nx, positions[v, 1] - inward * ny, positions[v, 2] - inward * nz
            # Any two directions at right angles to the normal (Duff et al., Building an Orthonormal Basis, 2017).
            sign = 1.0 if nz >= 0.0 else -1.0
            a = -1.0 / (sign + nz)
            b = nx * ny * a
            ux, uy, uz = 1.0 + sign * nx * nx * a, sign * b, -sign * nx
            wx, wy, wz = b, sign + ny * ny * a, -ny
            least = limit
            for k in range(_WAYS):
                c, s = np.cos(np.pi * k / _WAYS), np.sin(np.pi * k / _WAYS)
                dx, dy, dz = c * ux + s * wx, c * uy + s * wy, c * uz + s * wz
                ahead = _reach(corners, boxes, stack, x, y, z, dx, dy, dz, least)
                if ahead < least:
                    ahead += _reach(corners, boxes, stack, x, y, z, -dx, -dy, -dz, least - ahead)
                    least = min(least, ahead)
            out[v] = least


@parallel_kernel
def _look_up_and_down(points, normals, limit, corners, boxes, out):
    for block in prange((len(points) + _BLOCK - 1) // _BLOCK):
        stack = np.empty(STACK, np.int64)
        for i in range(block * _BLOCK, min(len(points), (block + 1) * _BLOCK)):
            x, y, z = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
            nx, ny, nz = np.float64(normals[i, 0]), np.float64(normals[i, 1]), np.float64(normals[i, 2])
            out[i] = _has_skin(corners, boxes, stack, x, y, z, nx, ny, nz, limit)
