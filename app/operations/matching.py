"""Moving one part of a surface onto another surface nearby, without tearing or folding it: non-rigid registration.

Every vertex looks for the nearest point of the other surface that faces its way. What it finds is trusted where normals
agree, and the moves of all vertices are smoothed over the mesh, strongly at first and less with every round (Amberg,
Romdhani and Vetter, "Optimal step nonrigid ICP algorithms for surface registration", 2007, with a Laplacian in place
of their affine terms). So where neighbours find places far apart, such as on two fingers, they still go together, and
places without a partner follow those around them. At the end each trusted vertex is put onto the other surface, and
triangles that this folds are evened out.

What does not live here: which vertices, which surface, and what becomes of mask and colour (`symmetrise`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.mesh.bvh import Bvh, Closest
from app.mesh.jit import inline_kernel, kernel, parallel_kernel, prange
from app.mesh.normals import vertex_normals
from app.mesh.topology import Topology
from app.operations.operation import Progress

# Rounds: how stiff the mesh is against what its vertices found, and how many times that is evened out.
_ROUNDS = ((100.0, 60), (30.0, 40), (8.0, 24), (2.0, 12), (0.5, 6))
# Cosines between the normals of a vertex and of what it found: no trust below the first, full trust from the second.
_DOUBTFUL, _AGREES = 0.2, 0.6
# From this part of the reach on, a vertex goes less and less far toward what it found.
_FADES_FROM = 0.75
# A triangle is folded where its normal leans so far from those of its corners (cosine), inside out where it does from
# the other surface, and squeezed where it keeps less than this part of its area.
_FOLDED, _INSIDE_OUT, _SQUEEZED = 0.1, -0.3, 1e-3
_EVENINGS, _EVENED_RINGS, _EVENING_STEPS = 8, 2, 10


@dataclass(frozen=True, eq=False)
class Other:
    """The surface that others are moved onto.

    positions: (N, 3) float32, mm. normals: (N, 3) float32. triangles: (M, 3) int32. free: (N,) bool, false on a border
    beyond which the surface would go on: what is nearest to it has no partner.
    """

    positions: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    free: np.ndarray
    tree: Bvh

    def nearest(self, points: np.ndarray, normals: np.ndarray, away: float) -> tuple[Closest, np.ndarray, np.ndarray]:
        """What (n, 3) points with normals find: closest points, their places (n, 3) float32, trust (n,) 0 to 1.

        away: mm by which a point that faces the other way counts as farther; so far is looked for a better one.
        """
        found = self.tree.closest(points, facing=normals, away_mm=away)
        places, trust = np.empty_like(points), np.empty(len(points), np.float32)
        _judge(
            found.triangle,
            found.weights,
            self.positions,
            self.normals,
            self.triangles,
            self.free,
            normals,
            places,
            trust,
        )
        return found, places, trust


@dataclass(frozen=True, eq=False)
class Moved:
    """What became of the vertices. positions: (V, 3) float32, mm. part: (k,) float32, 0 where nothing was in reach.

    found: the closest points of the other surface to the k vertices. folded: triangles that are still folded.
    """

    positions: np.ndarray
    part: np.ndarray
    found: Closest
    folded: int


def moved_onto(
    other: Other,
    positions: np.ndarray,
    triangles: np.ndarray,
    topology: Topology,
    rows: np.ndarray,
    reach: float,
    progress: Progress,
) -> Moved:
    """Move the vertices `rows`, (k,) ascending int, onto the other surface; all others stay.

    positions: (V, 3) float32, mm. triangles: (T, 3) int32. reach: mm; what finds nothing within it has part 0.
    """
    start, normals = positions[rows], vertex_normals(positions, triangles, topology)[rows]
    now, goal = positions.copy(), np.zeros_like(positions)
    moves, buffer = np.zeros_like(positions), np.zeros_like(positions)
    part = np.ones(len(rows), np.float32)
    for number, (stiffness, times) in enumerate(_ROUNDS):
        progress(number / (len(_ROUNDS) + 1), "Finding the other side")
        found, places, trust = other.nearest(now[rows], normals, reach / 2**number)
        if number == 0:
            part = _fading(found.distance, reach)
        trust *= part > 0
        goal[rows] = places - start
        for _ in range(times):
            _settle(rows, topology.ring_offsets, topology.ring, goal, trust, np.float32(stiffness), moves, buffer)
            moves, buffer = buffer, moves
        now[rows] = start + moves[rows]
        normals = vertex_normals(now, triangles, topology)[rows]
    progress(len(_ROUNDS) / (len(_ROUNDS) + 1), "Finding the other side")
    found, places, trust = other.nearest(now[rows], normals, reach / 2 ** len(_ROUNDS))
    now[rows] += trust[:, None] * (places - now[rows])
    found, folded = _evened(other, positions, now, triangles, topology, rows, part, found, reach / 2 ** len(_ROUNDS))
    return Moved(now, part, found, folded)


def _fading(distance: np.ndarray, reach: float) -> np.ndarray:
    """(n,) float32: 1 near by, down to 0 at the reach."""
    steps = ((distance / np.float32(reach) - _FADES_FROM) / (1 - _FADES_FROM)).clip(0, 1)
    return (1 - steps * steps * (3 - 2 * steps)).astype(np.float32)


def _evened(
    other: Other,
    before: np.ndarray,
    now: np.ndarray,
    triangles: np.ndarray,
    topology: Topology,
    rows: np.ndarray,
    part: np.ndarray,
    found: Closest,
    away: float,
) -> tuple[Closest, int]:
    """Even out, in place, what folded: vertices there go toward the middle of their rings, then back to the surface."""
    place = np.full(len(before), -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    normals_before = vertex_normals(before, triangles, topology)
    for number in range(_EVENINGS):
        facing = normals_before.copy()
        facing[rows] = np.einsum("nk,nkc->nc", found.weights, other.normals[other.triangles[found.triangle]])
        flags = np.zeros(len(before), np.uint8)
        seen = vertex_normals(now, triangles, topology)
        count = _flag_folds(before, now, normals_before, seen, _FOLDED, triangles, place, part, flags)
        count += _flag_folds(before, now, normals_before, facing, _INSIDE_OUT, triangles, place, part, flags)
        if not count:
            break
        for _ in range(_EVENED_RINGS + number // 2):
            flags = _grown(flags, topology.ring_offsets, topology.ring)
        some = np.flatnonzero((flags[rows] != 0) & (part > 0))
        near, buffer = rows[some], now.copy()
        for _ in range(_EVENING_STEPS):
            _toward_rings(near, topology.ring_offsets, topology.ring, now, buffer)
            now[near] = buffer[near]
        normals = vertex_normals(now, triangles, topology)[near]
        again, places, trust = other.nearest(now[near], normals, away)
        now[near] += trust[:, None] * (places - now[near])
        found.triangle[some], found.weights[some] = again.triangle, again.weights
    flags = np.zeros(len(before), np.uint8)
    seen = vertex_normals(now, triangles, topology)
    return found, int(_flag_folds(before, now, normals_before, seen, _FOLDED, triangles, place, part, flags))


@parallel_kernel
def _judge(found, weights, positions, normals, triangles, free, facing, places, trust):
    for i in prange(len(found)):
        x, y, z, nx, ny, nz, length = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        on_border = True
        for k in range(3):
            v, w = triangles[found[i], k], weights[i, k]
            x += w * positions[v, 0]
            y += w * positions[v, 1]
            z += w * positions[v, 2]
            nx += w * normals[v, 0]
            ny += w * normals[v, 1]
            nz += w * normals[v, 2]
            on_border = on_border and (w < 1e-6 or not free[v])
        places[i, 0], places[i, 1], places[i, 2] = x, y, z
        length = np.sqrt(nx * nx + ny * ny + nz * nz)
        agrees = nx * facing[i, 0] + ny * facing[i, 1] + nz * facing[i, 2]
        step = (agrees / max(length, 1e-12) - _DOUBTFUL) / (_AGREES - _DOUBTFUL)
        step = min(max(step, 0.0), 1.0)
        trust[i] = 0.0 if on_border else step * step * (3.0 - 2.0 * step)


@parallel_kernel
def _settle(rows, offsets, ring, goal, trust, stiffness, moves, out):
    """One Jacobi step toward: trust * |move - goal|^2 + stiffness * |move - mean of the ring's moves|^2 is least."""
    for i in prange(len(rows)):
        v = rows[i]
        x, y, z = 0.0, 0.0, 0.0
        for k in range(offsets[v], offsets[v + 1]):
            x += moves[ring[k], 0]
            y += moves[ring[k], 1]
            z += moves[ring[k], 2]
        pull = stiffness / max(offsets[v + 1] - offsets[v], 1)
        whole = trust[i] + stiffness
        out[v, 0] = (trust[i] * goal[v, 0] + pull * x) / whole
        out[v, 1] = (trust[i] * goal[v, 1] + pull * y) / whole
        out[v, 2] = (trust[i] * goal[v, 2] + pull * z) / whole


@parallel_kernel
def _toward_rings(rows, offsets, ring, positions, out):
    for i in prange(len(rows)):
        v = rows[i]
        count = max(offsets[v + 1] - offsets[v], 1)
        for c in range(3):
            total = 0.0
            for k in range(offsets[v], offsets[v + 1]):
                total += positions[ring[k], c]
            out[v, c] = 0.5 * positions[v, c] + 0.5 * total / count


@inline_kernel
def _normal_of(positions, a, b, c):
    ux, uy, uz = positions[b, 0] - positions[a, 0], positions[b, 1] - positions[a, 1], positions[b, 2] - positions[a, 2]
    vx, vy, vz = positions[c, 0] - positions[a, 0], positions[c, 1] - positions[a, 1], positions[c, 2] - positions[a, 2]
    return np.float64(uy * vz - uz * vy), np.float64(uz * vx - ux * vz), np.float64(ux * vy - uy * vx)


@inline_kernel
def _leans(positions, facing, a, b, c):
    """Cosine between a triangle's normal and those of its corners together, and its doubled area, mm²."""
    nx, ny, nz = _normal_of(positions, a, b, c)
    fx = np.float64(facing[a, 0] + facing[b, 0] + facing[c, 0])
    fy = np.float64(facing[a, 1] + facing[b, 1] + facing[c, 1])
    fz = np.float64(facing[a, 2] + facing[b, 2] + facing[c, 2])
    area = np.sqrt(nx * nx + ny * ny + nz * nz)
    length = area * np.sqrt(fx * fx + fy * fy + fz * fz)
    return (nx * fx + ny * fy + nz * fz) / length if length > 0.0 else 0.0, area


@kernel
def _flag_folds(before, now, normals_before, facing, least, triangles, place, part, flags):
    """Set the flags of vertices of triangles that folded or lost their area; returns how many such triangles."""
    count = 0
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        moves = False
        for k in range(3):
            row = place[triangles[t, k]]
            moves = moves or (row >= 0 and part[row] > 0.0)
        if not moves:
            continue
        lean, area = _leans(now, facing, a, b, c)
        if lean > least and area > 0.0:
            lean_before, area_before = _leans(before, normals_before, a, b, c)
            if area >= _SQUEEZED * area_before:
                continue
        else:
            lean_before, area_before = _leans(before, normals_before, a, b, c)
            if not (lean_before > least and area_before > 0.0):
                continue  # it was no better before
        count += 1
        flags[a] = flags[b] = flags[c] = 1
    return count


@kernel
def _grown(flags, offsets, ring):
    out = flags.copy()
    for v in range(len(flags)):
        if flags[v]:
            for k in range(offsets[v], offsets[v + 1]):
                out[ring[k]] = 1
    return out
