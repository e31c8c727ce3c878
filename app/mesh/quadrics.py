"""What a collapsed edge costs and where its point belongs: quadrics (Garland and Heckbert, 1997).

A vertex keeps the sum of the squared distances to the planes of the triangles that have gone into it, as a quadratic
form of ten numbers: xx xy xz yy yz zz, three of the linear part, the constant. Planes are weighted by the root of their
triangle's area: the area itself would sacrifice small features, equal weights would make triangles of very different
size. On flat ground a small part of the squared distance to the vertices themselves decides, so triangles stay even.
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import inline_kernel, kernel, parallel_kernel, prange

# Kinds of vertices: inside a surface, on an open rim, or where the surface is no surface and must stay as it is.
FREE, RIMMED, LOCKED = 0, 1, 2
# Share of the distance to the vertices in what a collapse costs.
_MEMORY = 1e-6
# Weight of the walls that stand on open edges, so that a rim keeps its shape.
_RIM = 10.0
# A new point farther from the edge's middle than this many edge lengths comes from a system that has no good solution.
_FARTHEST = 1.5


@inline_kernel
def _add_plane(quadrics, v, nx, ny, nz, d, weight):
    """Add the squared distance to the plane n x + d = 0 (n unit): A as xx xy xz yy yz zz, b, c of x A x + 2 b x + c."""
    quadrics[v, 0] += weight * nx * nx
    quadrics[v, 1] += weight * nx * ny
    quadrics[v, 2] += weight * nx * nz
    quadrics[v, 3] += weight * ny * ny
    quadrics[v, 4] += weight * ny * nz
    quadrics[v, 5] += weight * nz * nz
    quadrics[v, 6] += weight * d * nx
    quadrics[v, 7] += weight * d * ny
    quadrics[v, 8] += weight * d * nz
    quadrics[v, 9] += weight * d * d


@inline_kernel
def cross(ux, uy, uz, vx, vy, vz):
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@parallel_kernel
def vertex_quadrics(points, triangles, across, offsets, vertex_triangles):
    """(V, 10) float64."""
    out = np.zeros((len(points), 10), np.float64)
    for v in prange(len(points)):
        x, y, z = points[v, 0], points[v, 1], points[v, 2]
        for i in range(offsets[v], offsets[v + 1]):
            t = np.int64(vertex_triangles[i])
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
            wx, wy, wz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
            nx, ny, nz = cross(ux, uy, uz, wx, wy, wz)
            size = np.sqrt(nx * nx + ny * ny + nz * nz)
            if not size > 0.0:
                continue
            nx, ny, nz = nx / size, ny / size, nz / size
            weight = np.sqrt(size / 2)
            _add_plane(out, v, nx, ny, nz, -(nx * x + ny * y + nz * z), weight)
            for k in range(3):
                other = triangles[t, (k + 1) % 3]
                if across[3 * t + k] != 3 * t + k or (triangles[t, k] != v and other != v):
                    continue
                p = triangles[t, k]
                ex, ey, ez = (
                    points[other, 0] - points[p, 0],
                    points[other, 1] - points[p, 1],
                    points[other, 2] - points[p, 2],
                )
                mx, my, mz = cross(ex, ey, ez, nx, ny, nz)
                length = np.sqrt(mx * mx + my * my + mz * mz)
                if length > 0.0:
                    mx, my, mz = mx / length, my / length, mz / length
                    _add_plane(out, v, mx, my, mz, -(mx * x + my * y + mz * z), _RIM * length)
            memory = _MEMORY * weight
            out[v, 0] += memory
            out[v, 3] += memory
            out[v, 5] += memory
            out[v, 6] -= memory * x
            out[v, 7] -= memory * y
            out[v, 8] -= memory * z
            out[v, 9] += memory * (x * x + y * y + z * z)
    return out


@inline_kernel
def _error(xx, xy, xz, yy, yz, zz, bx, by, bz, c, x, y, z):
    value = xx * x * x + yy * y * y + zz * z * z + 2 * (xy * x * y + xz * x * z + yz * y * z)
    return value + 2 * (bx * x + by * y + bz * z) + c


@kernel
def best_point(points, quadrics, kind, a, b):
    """Where an edge's point would best lie, and what that costs."""
    xx, xy, xz = quadrics[a, 0] + quadrics[b, 0], quadrics[a, 1] + quadrics[b, 1], quadrics[a, 2] + quadrics[b, 2]
    yy, yz, zz = quadrics[a, 3] + quadrics[b, 3], quadrics[a, 4] + quadrics[b, 4], quadrics[a, 5] + quadrics[b, 5]
    bx, by, bz = quadrics[a, 6] + quadrics[b, 6], quadrics[a, 7] + quadrics[b, 7], quadrics[a, 8] + quadrics[b, 8]
    c = quadrics[a, 9] + quadrics[b, 9]
    if kind[a] != kind[b]:  # the rim stays
        keep = a if kind[a] == RIMMED else b
        x, y, z = points[keep, 0], points[keep, 1], points[keep, 2]
        return x, y, z, max(_error(xx, xy, xz, yy, yz, zz, bx, by, bz, c, x, y, z), 0.0)
    mx, my, mz = (points[a, 0] + points[b, 0]) / 2, (points[a, 1] + points[b, 1]) / 2, (points[a, 2] + points[b, 2]) / 2
    # Solve A p = -b by cofactors.
    c0, c1, c2 = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    determinant = xx * c0 + xy * c1 + xz * c2
    if determinant > 0.0:
        c3, c4, c5 = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
        x = -(c0 * bx + c1 * by + c2 * bz) / determinant
        y = -(c1 * bx + c3 * by + c4 * bz) / determinant
        z = -(c2 * bx + c4 * by + c5 * bz) / determinant
        ex, ey, ez = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        off2 = (x - mx) ** 2 + (y - my) ** 2 + (z - mz) ** 2
        if off2 <= _FARTHEST * _FARTHEST * (ex * ex + ey * ey + ez * ez):
            return x, y, z, max(_error(xx, xy, xz, yy, yz, zz, bx, by, bz, c, x, y, z), 0.0)
    cost = _error(xx, xy, xz, yy, yz, zz, bx, by, bz, c, mx, my, mz)
    for v in (a, b):
        x, y, z = points[v, 0], points[v, 1], points[v, 2]
        here = _error(xx, xy, xz, yy, yz, zz, bx, by, bz, c, x, y, z)
        if here < cost:
            mx, my, mz, cost = x, y, z, here
    return mx, my, mz, max(cost, 0.0)
