"""Better-shaped triangles over the same surface: edges are flipped, vertices slide toward the middle of their ring.

`across` is that of `splitting`. Every change moves the surface by a known distance; `error` (T,) float32, mm, adds
these up for each triangle, and what would exceed the budget is not done. So a sharp edge stays an edge, and its
vertices slide along it only. Borders, and where more than two triangles meet, stay where they are.
"""

from __future__ import annotations

import numpy as np

from app.mesh.bvh import closest_on_triangle
from app.mesh.jit import inline_kernel, kernel

_MOST_AROUND = 32
# Cosine of the most that a triangle's normal may turn in one step.
_MOST_TURN = 0.5
# Moves shorter than this part of the ring's size are not worth their while.
_WORTH = 0.02
# Sum of two cotangents below which an edge is flipped; zero would flip back and forth between equals.
_DELAUNAY = -1e-3
# Cosine to the mean normal below which a triangle of a fan makes it a folded one.
_UPRIGHT = 0.35


def relax(
    positions: np.ndarray, triangles: np.ndarray, across: np.ndarray, error: np.ndarray, budget: float
) -> tuple[int, int]:
    """One round of flips and moves, all in place. Returns how many edges were flipped and how many vertices moved.

    positions: (V, 3) float32, mm. triangles: (T, 3) int32. across: (3 T,) int32. error: (T,) float32, budget: mm.
    """
    valence, start = _starts(triangles, len(positions))
    flipped = _flip(positions, triangles, across, valence, error, budget)
    valence, start = _starts(triangles, len(positions))
    return int(flipped), int(_slide(positions, triangles, across, valence, start, error, budget))


@kernel
def _starts(triangles, vertex_count):
    """(V,) int32 triangles of each vertex, and (V,) int32 a half-edge that starts there, -1 where there is none."""
    valence = np.zeros(vertex_count, np.int32)
    start = np.full(vertex_count, -1, np.int32)
    for t in range(len(triangles)):
        for k in range(3):
            valence[triangles[t, k]] += 1
            start[triangles[t, k]] = 3 * t + k
    return valence, start


@inline_kernel
def _following(half):
    return half - 2 if half % 3 == 2 else half + 1


@inline_kernel
def _preceding(half):
    return half + 2 if half % 3 == 0 else half - 1


@inline_kernel
def _corner(triangles, half):
    return triangles[half // 3, half % 3]


@kernel
def _twin(triangles, across, half):
    """The half-edge on the other side; -1 unless exactly two triangles meet here that agree on which side is out."""
    other = across[half]
    if other == half or across[other] != half or _corner(triangles, other) != _corner(triangles, _following(half)):
        return np.int32(-1)
    return other


@kernel
def _are_neighbours(triangles, across, half, wanted):
    """Whether the vertex at the start of a half-edge has an edge to another one; True where that cannot be told."""
    spoke = half
    for _ in range(_MOST_AROUND):
        if _corner(triangles, _following(spoke)) == wanted:
            return True
        spoke = _twin(triangles, across, _preceding(spoke))
        if spoke < 0:
            return True
        if spoke == half:
            return False
    return True


@kernel
def _edge_geometry(positions, a, b, c, d):
    """Of edge a b with apexes c and d: cotangents at c and d, distance between a b and c d, and whether the triangles
    after a flip (a d c, d b c) face as the two did together."""
    ux, uy, uz = np.float64(positions[a, 0]), np.float64(positions[a, 1]), np.float64(positions[a, 2])
    bx, by, bz = positions[b, 0] - ux, positions[b, 1] - uy, positions[b, 2] - uz
    cx, cy, cz = positions[c, 0] - ux, positions[c, 1] - uy, positions[c, 2] - uz
    dx, dy, dz = positions[d, 0] - ux, positions[d, 1] - uy, positions[d, 2] - uz
    # Normals of a b c and b a d.
    px, py, pz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
    qx, qy, qz = dy * bz - dz * by, dz * bx - dx * bz, dx * by - dy * bx
    size_p, size_q = np.sqrt(px * px + py * py + pz * pz), np.sqrt(qx * qx + qy * qy + qz * qz)
    at_c = cx * (cx - bx) + cy * (cy - by) + cz * (cz - bz)
    at_d = dx * (dx - bx) + dy * (dy - by) + dz * (dz - bz)
    # A triangle without area: its apex lies on the edge (the angle there is 180 degrees) or beyond it.
    tiny = 1e-12 * (bx * bx + by * by + bz * bz)
    cotangents = at_c / max(size_p, tiny) + at_d / max(size_q, tiny)
    nx, ny, nz = px + qx, py + qy, pz + qz
    ex, ey, ez = dx - cx, dy - cy, dz - cz
    # Normals of a d c and d b c.
    rx, ry, rz = dy * cz - dz * cy, dz * cx - dx * cz, dx * cy - dy * cx
    fx, fy, fz = bx - dx, by - dy, bz - dz
    sx, sy, sz = -(fy * ez - fz * ey), -(fz * ex - fx * ez), -(fx * ey - fy * ex)
    size_n = np.sqrt(nx * nx + ny * ny + nz * nz)
    size_r, size_s = np.sqrt(rx * rx + ry * ry + rz * rz), np.sqrt(sx * sx + sy * sy + sz * sz)
    least = min(
        (rx * nx + ry * ny + rz * nz) - _MOST_TURN * size_r * size_n,
        (sx * nx + sy * ny + sz * nz) - _MOST_TURN * size_s * size_n,
    )
    wx, wy, wz = by * ez - bz * ey, bz * ex - bx * ez, bx * ey - by * ex
    across = np.sqrt(wx * wx + wy * wy + wz * wz)
    apart = abs(wx * cx + wy * cy + wz * cz) / across if across > 0.0 else np.inf
    # Over a fold the distance between the lines says nothing.
    return cotangents, apart, least > 0.0 and px * qx + py * qy + pz * qz >= 0.0


@kernel
def _take_over(across, old, new):
    """Put half-edge `new` into the ring of `old` in its place."""
    if across[old] == old:
        across[new] = new
        return
    before = across[old]
    while across[before] != old:
        before = across[before]
    across[new] = across[old]
    across[before] = new


@kernel
def _flip(positions, triangles, across, valence, error, budget):
    """Delaunay flips in one sweep; the later sees what the earlier did."""
    flipped = 0
    for first in range(len(across)):
        half = np.int64(first)
        other = np.int64(_twin(triangles, across, half))
        if other < half:
            continue
        a, b = _corner(triangles, half), _corner(triangles, other)
        c, d = _corner(triangles, _preceding(half)), _corner(triangles, _preceding(other))
        if c == d or valence[a] <= 3 or valence[b] <= 3:
            continue
        t, s = half // 3, other // 3
        cotangents, apart, faces = _edge_geometry(positions, a, b, c, d)
        moved = max(error[t], error[s]) + apart
        if not cotangents < _DELAUNAY or not faces or not moved <= budget:
            continue
        if _are_neighbours(triangles, across, _preceding(half), d):
            continue
        after, beyond = _following(half), _following(other)
        _take_over(across, beyond, half)
        _take_over(across, after, other)
        across[after], across[beyond] = beyond, after
        triangles[t, after % 3] = d
        triangles[s, beyond % 3] = c
        valence[a] -= 1
        valence[b] -= 1
        valence[c] += 1
        valence[d] += 1
        error[t] = error[s] = moved
        flipped += 1
    return flipped


@kernel
def _fan(positions, triangles, across, half, around, ring, fan):
    """Fill `ring` with the positions of the ring, `fan` with the triangles; whether it closes with that many."""
    spoke = np.int64(half)
    for i in range(around):
        v = _corner(triangles, _following(spoke))
        ring[i, 0], ring[i, 1], ring[i, 2] = positions[v, 0], positions[v, 1], positions[v, 2]
        fan[i] = spoke // 3
        spoke = np.int64(_twin(triangles, across, _preceding(spoke)))
        if spoke < 0 or (spoke == half and i + 1 < around):
            return False
    return spoke == half


@inline_kernel
def _cross(ux, uy, uz, vx, vy, vz):
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@kernel
def _distance_moved(ring, normals, around, x, y, z, dx, dy, dz):
    """How far a move by (dx, dy, dz) takes the surface at most; inf where a triangle would turn too far."""
    worst = 0.0
    for i in range(around):
        k = i + 1 if i + 1 < around else 0
        nx, ny, nz = _cross(
            ring[i, 0] - x - dx,
            ring[i, 1] - y - dy,
            ring[i, 2] - z - dz,
            ring[k, 0] - x - dx,
            ring[k, 1] - y - dy,
            ring[k, 2] - z - dz,
        )
        size = np.sqrt(nx * nx + ny * ny + nz * nz)
        turn = nx * normals[i, 0] + ny * normals[i, 1] + nz * normals[i, 2]
        if not turn > _MOST_TURN * size * normals[i, 3]:
            return np.inf
        worst = max(worst, abs(dx * nx + dy * ny + dz * nz) / size)
        along = dx * normals[i, 0] + dy * normals[i, 1] + dz * normals[i, 2]
        worst = max(worst, abs(along) / normals[i, 3])
    return worst


@inline_kernel
def _is_folded(normals, around, sx, sy, sz):
    """Whether a triangle of the fan leans away from the mean normal by more than about 70 degrees."""
    size = np.sqrt(sx * sx + sy * sy + sz * sz)
    for i in range(around):
        if normals[i, 0] * sx + normals[i, 1] * sy + normals[i, 2] * sz < _UPRIGHT * normals[i, 3] * size:
            return True
    return False


@kernel
def _distance_at_fold(ring, around, x, y, z, dx, dy, dz, star):
    """Distance of a vertex and the middles of its edges from the fan as it will be, and the other way round; the most.

    Where a surface is folded, a vertex can move within the planes of all its triangles and still leave the surface.
    """
    worst = 0.0
    for turn in range(2):
        there, here = (1.0, 0.0) if turn == 0 else (0.0, 1.0)
        star[0, 0, 0], star[0, 0, 1], star[0, 0, 2] = there * dx, there * dy, there * dz
        for spoke in range(-1, around):
            px, py, pz = here * dx, here * dy, here * dz
            if spoke >= 0:
                px, py, pz = (px + ring[spoke, 0] - x) / 2, (py + ring[spoke, 1] - y) / 2, (pz + ring[spoke, 2] - z) / 2
            best = np.inf
            for i in range(around):
                k = i + 1 if i + 1 < around else 0
                star[0, 1, 0], star[0, 1, 1], star[0, 1, 2] = ring[i, 0] - x, ring[i, 1] - y, ring[i, 2] - z
                star[0, 2, 0], star[0, 2, 1], star[0, 2, 2] = ring[k, 0] - x, ring[k, 1] - y, ring[k, 2] - z
                best = min(best, closest_on_triangle(star, 0, px, py, pz)[2])
            worst = max(worst, best)
    return np.sqrt(worst)


@kernel
def _along_crease(normals, around, dx, dy, dz):
    """The part of a move that runs along the sharpest edge of the fan."""
    least, least_cosine = 0, 1.0
    for i in range(1, around):
        cosine = normals[0, 0] * normals[i, 0] + normals[0, 1] * normals[i, 1] + normals[0, 2] * normals[i, 2]
        cosine /= normals[0, 3] * normals[i, 3]
        if cosine < least_cosine:
            least, least_cosine = i, cosine
    ux, uy, uz = _cross(
        normals[0, 0], normals[0, 1], normals[0, 2], normals[least, 0], normals[least, 1], normals[least, 2]
    )
    size2 = ux * ux + uy * uy + uz * uz
    if not size2 > 0.0:
        return 0.0, 0.0, 0.0
    part = (dx * ux + dy * uy + dz * uz) / size2
    return part * ux, part * uy, part * uz


@kernel
def _slide(positions, triangles, across, valence, start, error, budget):
    """Move each vertex toward the centre of gravity of its fan, within its tangent plane; one after the other."""
    ring = np.empty((_MOST_AROUND, 3), np.float64)
    normals = np.empty((_MOST_AROUND, 4), np.float64)  # of the triangles, and their lengths
    fan = np.empty(_MOST_AROUND, np.int64)
    star = np.empty((1, 3, 3), np.float32)
    moved = 0
    for v in range(len(positions)):
        around = valence[v]
        if around < 3 or around > _MOST_AROUND:
            continue
        if not _fan(positions, triangles, across, start[v], around, ring, fan):
            continue
        x, y, z = np.float64(positions[v, 0]), np.float64(positions[v, 1]), np.float64(positions[v, 2])
        gx, gy, gz, weight, sx, sy, sz, spent = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        flat = False
        for i in range(around):
            k = i + 1 if i + 1 < around else 0
            px, py, pz = ring[i, 0] - x, ring[i, 1] - y, ring[i, 2] - z
            qx, qy, qz = ring[k, 0] - x, ring[k, 1] - y, ring[k, 2] - z
            nx, ny, nz = _cross(px, py, pz, qx, qy, qz)
            size = np.sqrt(nx * nx + ny * ny + nz * nz)
            normals[i, 0], normals[i, 1], normals[i, 2], normals[i, 3] = nx, ny, nz, size
            flat = flat or not size > 0.0
            weight += size
            gx += size * (px + qx)
            gy += size * (py + qy)
            gz += size * (pz + qz)
            sx, sy, sz = sx + nx, sy + ny, sz + nz
            spent = max(spent, np.float64(error[fan[i]]))
        length2 = sx * sx + sy * sy + sz * sz
        if flat or not length2 > 0.0:
            continue
        dx, dy, dz = gx / (3.0 * weight), gy / (3.0 * weight), gz / (3.0 * weight)
        out = (dx * sx + dy * sy + dz * sz) / length2
        dx, dy, dz = dx - out * sx, dy - out * sy, dz - out * sz
        if dx * dx + dy * dy + dz * dz < _WORTH * _WORTH * weight / around:
            continue
        distance = _distance_moved(ring, normals, around, x, y, z, dx, dy, dz)
        if not spent + distance <= budget:
            dx, dy, dz = _along_crease(normals, around, dx, dy, dz)
            if dx * dx + dy * dy + dz * dz < _WORTH * _WORTH * weight / around:
                continue
            distance = _distance_moved(ring, normals, around, x, y, z, dx, dy, dz)
            if not spent + distance <= budget:
                continue
        if _is_folded(normals, around, sx, sy, sz):
            distance = max(distance, _distance_at_fold(ring, around, x, y, z, dx, dy, dz, star))
            if not spent + distance <= budget:
                continue
        positions[v, 0], positions[v, 1], positions[v, 2] = x + dx, y + dy, z + dz
        for i in range(around):
            error[fan[i]] += distance
        moved += 1
    return moved
