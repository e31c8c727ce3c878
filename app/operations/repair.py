"""Steps of repair that several operations share: doubles, triangles without area, facing, cutting apart, scraps.

Each takes a Surface and gives a new one and how much it did. What does not live here: declarations (`weld`,
`make_manifold`, `orient` ... are operations), holes (`holes`), crossings (`untangling`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.mesh.cutting import fans, mates
from app.mesh.edges import Edges, names_twice, shells
from app.mesh.jit import kernel
from app.mesh.orientation import facing
from app.operations.surface import Surface

# Copies of a vertex are moved apart by this part of the model's diagonal, 0.01 mm at 150 mm: too little to be seen in
# print, enough to survive any file format's rounding, so that no reader welds them together again.
_APART = 5e-5
# Where bodies that touch in a point are to become one, they grow into each other by this part, 0.1 mm at 150 mm.
_INTO = 5e-4
# ... but by no more than this part of the shortest edge beside it.
_OF_EDGE, _INTO_OF_EDGE = 0.1, 0.3
# Rounds of flipping: each handles all flat triangles that do not lie side by side.
_ROUNDS = 12


def size_of(positions: np.ndarray) -> float:
    """Diagonal of the bounding box, mm."""
    return float(np.linalg.norm(np.ptp(positions, axis=0).astype(np.float64))) if len(positions) else 0.0


def areas(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(T,) float64, mm2."""
    a, b, c = (positions[triangles[:, k]].astype(np.float64) for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def volumes(positions: np.ndarray, triangles: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """(groups,) float64, mm3: signed volume between the triangles of each group and a point of it."""
    first = np.zeros(groups, np.int64)
    first[group[::-1]] = np.arange(len(triangles))[::-1]
    origin = positions[triangles[first, 0]].astype(np.float64)[group] if len(triangles) else np.empty((0, 3))
    a, b, c = (positions[triangles[:, k]].astype(np.float64) - origin for k in range(3))
    return np.bincount(group, weights=np.einsum("ij,ij->i", a, np.cross(b, c)) / 6, minlength=groups)


def without_doubles(surface: Surface) -> tuple[Surface, int]:
    """Drop triangles that name a vertex twice and those that lie on one another. Returns how many went.

    Of triangles with the same three corners one is kept; where as many face one way as the other, as between two
    bodies that were put together, none is. A sheet that is nothing but such pairs keeps one side.
    """
    doubles = double_triangles(surface)
    if not len(doubles):
        return surface, 0
    kept = np.ones(len(surface.triangles), bool)
    kept[doubles] = False
    return surface.kept(kept), len(doubles)


def double_triangles(surface: Surface) -> np.ndarray:
    """(n,) int64: the triangles that `without_doubles` drops, ascending."""
    rows = np.flatnonzero(~names_twice(surface.triangles))
    triangles = surface.triangles[rows]
    group = _same_corners(triangles)
    turned = (np.argmin(triangles, axis=1) + 1) % 3
    following = np.take_along_axis(triangles, turned[:, None], axis=1)[:, 0]
    before = np.take_along_axis(triangles, (turned[:, None] + 1) % 3, axis=1)[:, 0]
    even = following < before
    balance = np.bincount(group, weights=np.where(even, 1.0, -1.0))
    paired = (balance == 0)[group]
    wanted = even == (balance > 0)[group]
    if paired.any():
        count, shell = shells(triangles, len(surface.positions))
        only_pairs = np.bincount(shell, weights=~paired, minlength=count) == 0
        wanted = np.where(paired, only_pairs[shell] & even, wanted)
    _, first = np.unique(group[wanted], return_index=True)
    return np.setdiff1d(np.arange(len(surface.triangles)), rows[np.flatnonzero(wanted)[first]], assume_unique=True)


def _same_corners(triangles: np.ndarray) -> np.ndarray:
    """(T,) int64: a number for each set of three corners."""
    ordered = np.sort(triangles, axis=1)
    order = np.lexsort(ordered.T[::-1])
    ordered = ordered[order]
    new = np.ones(len(order), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(new) - 1
    return group


def facing_one_way(surface: Surface) -> tuple[Surface, int, int]:
    """Turn triangles over until neighbours agree. Returns how many were turned, and how many sheets cannot agree."""
    found = facing(surface.triangles, Edges.of(surface.triangles), areas(surface.positions, surface.triangles))
    turned = int(found.flip.sum())
    return (surface.flipped(found.flip) if turned else surface), turned, int(found.one_sided.sum())


def cut_apart(surface: Surface, *, join: bool, grow: bool = False) -> tuple[Surface, int]:
    """Give each fan of triangles a vertex of its own, a hair away from the others. Returns how many vertices came.

    Needs triangles without doubles whose neighbours face one way. join: see `app.mesh.cutting.mates`.
    grow: all of them move outward instead, so that bodies which touch in a point go through each other there and can
    be united.
    """
    mate = mates(surface.positions, surface.triangles, Edges.of(surface.triangles), join=join)
    triangles, old = fans(surface.triangles, mate, len(surface.positions))
    if len(old) == len(surface.positions) and not len(_crowded(Edges.of(triangles), mate)):
        return surface, 0
    origin = np.arange(len(triangles))
    positions = surface.positions[old]
    moved = np.bincount(old, minlength=len(surface.positions))[old] > 1
    positions, triangles, origin, moved = _split_shared(positions, triangles, origin, mate, moved)
    new = surface.rebuilt(positions, triangles, origin)
    group = np.concatenate((old, np.full(len(positions) - len(old), -1, old.dtype)))
    step = (_INTO if grow else _APART) * size_of(surface.positions)
    if grow:
        moved_to = _grown(new.positions, new.triangles, moved, step)
    else:
        moved_to = _apart(new.positions, new.triangles, moved, group, step, join)
    return replace(new, positions=moved_to), len(positions) - len(surface.positions)


def _crowded(edges: Edges, mate: np.ndarray) -> np.ndarray:
    """(n,) int64: edges of two or more triangles that are not one pair of mates."""
    first, last = edges.halves[edges.offsets[:-1]], edges.halves[edges.offsets[1:] - 1]
    return np.flatnonzero((edges.uses > 2) | ((edges.uses == 2) & (mate[first] != last)))


def _split_shared(
    positions: np.ndarray, triangles: np.ndarray, origin: np.ndarray, mate: np.ndarray, moved: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Where several pairs of triangles still share an edge, give all pairs but the first a vertex in its middle."""
    while True:
        edges = Edges.of(triangles)
        crowded = _crowded(edges, mate)
        busy: set[int] = set()
        added_points: list[np.ndarray] = []
        added_triangles: list[tuple[int, int, int]] = []
        added_origin: list[int] = []
        triangles, mate = triangles.copy(), mate.copy()
        for edge in crowded:
            halves = edges.halves[edges.offsets[edge] : edges.offsets[edge + 1]]
            for half in halves:
                other = mate[half]
                sides = (half, other) if other >= 0 else (half,)
                if half == halves[0] or other == halves[0] or 0 <= other < half or busy & {s // 3 for s in sides}:
                    continue
                busy |= {int(s // 3) for s in sides}
                middle = len(positions) + len(added_points)
                ends = edges.ends[edge]
                added_points.append(positions[ends].mean(axis=0, dtype=np.float64))
                for side in sides:
                    t, k = divmod(int(side), 3)
                    a, b, c = triangles[t][[k, (k + 1) % 3, (k + 2) % 3]]
                    triangles[t] = (a, middle, c)
                    added_triangles.append((middle, b, c))
                    added_origin.append(origin[t])
        if not added_points:
            return positions, triangles, origin, moved
        positions = np.concatenate((positions, np.array(added_points, np.float32)))
        triangles = np.concatenate((triangles, np.array(added_triangles, np.int32)))
        origin = np.concatenate((origin, np.array(added_origin, origin.dtype)))
        moved = np.concatenate((moved, np.ones(len(added_points), bool)))
        # Every edge now has at most one pair that was there before; what is crowded still is paired anew.
        mate = mates(positions, triangles, Edges.of(triangles), join=True)


@kernel
def _fans_of(positions, triangles, moved):
    """Of each vertex that moves: (V, 3) toward the rim of its fan, (V, 3) normal, (V,) its shortest edge."""
    count = len(positions)
    toward, normal = np.zeros((count, 3)), np.zeros((count, 3))
    shortest = np.full(count, np.inf)
    u, w = np.empty(3), np.empty(3)
    for t in range(len(triangles)):
        for corner in range(3):
            v = triangles[t, corner]
            if not moved[v]:
                continue
            for k in range(3):
                u[k] = np.float64(positions[triangles[t, (corner + 1) % 3], k]) - positions[v, k]
                w[k] = np.float64(positions[triangles[t, (corner + 2) % 3], k]) - positions[v, k]
                toward[v, k] += u[k] + w[k]
            for k in range(3):
                normal[v, k] += u[(k + 1) % 3] * w[(k + 2) % 3] - u[(k + 2) % 3] * w[(k + 1) % 3]
            shortest[v] = min(shortest[v], np.sqrt((u * u).sum()), np.sqrt((w * w).sum()))
    return toward, normal, shortest


@kernel
def _grown(positions, triangles, moved, step):
    """Move the copies of a vertex outward: hollows fill up, ridges and tips stick out."""
    toward, normal, shortest = _fans_of(positions, triangles, moved)
    out = positions.copy()
    for v in range(len(positions)):
        if not moved[v]:
            continue
        way = toward[v] if (toward[v] * normal[v]).sum() > 0 else -toward[v]
        if np.sqrt((way * way).sum()) < _OF_EDGE * shortest[v]:
            way = normal[v]  # a flat fan
        length = np.sqrt((way * way).sum())
        if length > 0:
            for k in range(3):
                out[v, k] += min(step, _INTO_OF_EDGE * shortest[v]) * way[k] / length
    return out


@kernel
def _apart(positions, triangles, moved, group, step, join):
    """Move the copies of a vertex into their own fans: toward the middle of the fan's rim."""
    toward, normal, shortest = _fans_of(positions, triangles, moved)
    count = len(positions)
    # Where some copies are hollows and some ridges, only one kind makes room: the other would follow it.
    hollow = (toward * normal).sum(axis=1) > 0
    mixed = np.zeros(count, np.uint8)
    for v in range(count):
        if moved[v] and group[v] >= 0:
            mixed[group[v]] |= 1 if hollow[v] else 2
    out = positions.copy()
    stays = np.zeros(count, np.bool_)
    for v in range(count):
        if not moved[v]:
            continue
        far = min(step, _OF_EDGE * shortest[v])
        if group[v] >= 0 and mixed[group[v]] == 3 and hollow[v] != join:
            if not stays[group[v]]:
                stays[group[v]] = True
                continue
            far /= 2  # only one can stay where it was
        way = toward[v]
        if np.sqrt((way * way).sum()) < _OF_EDGE * shortest[v]:
            way = -normal[v]  # a flat fan
        length = np.sqrt((way * way).sum())
        if length > 0:
            for k in range(3):
                out[v, k] += far * way[k] / length
    return out


def without_flat(surface: Surface) -> tuple[Surface, int]:
    """Take out triangles that have three corners but no area. Returns how many there were.

    Their longest edge is flipped into the neighbour, which leaves the shape as it is; where that cannot be, the corner
    on the longest edge moves by a hair.
    """
    found = len(flat_triangles(surface))
    for _ in range(_ROUNDS):
        flat = flat_triangles(surface)
        if not len(flat):
            break
        surface = _flipped_flat(surface, flat)
    return surface, found


def flat_triangles(surface: Surface) -> np.ndarray:
    """(n,) int64: triangles of three vertices on one line, exactly, ascending."""
    a, b, c = (surface.positions[surface.triangles[:, k]].astype(np.float64) for k in range(3))
    # Differences of float32 and their products are exact in float64: without area means exactly that.
    u, v = b - a, c - a
    flat = (u[:, [1, 2, 0]] * v[:, [2, 0, 1]] == u[:, [2, 0, 1]] * v[:, [1, 2, 0]]).all(axis=1)
    return np.flatnonzero(flat & ~names_twice(surface.triangles))


def _flipped_flat(surface: Surface, flat: np.ndarray) -> Surface:
    edges = Edges.of(surface.triangles)
    existing = {(int(a), int(b)) for a, b in edges.ends[np.isin(edges.ends, surface.triangles[flat]).any(axis=1)]}
    triangles, positions = surface.triangles.copy(), surface.positions.copy()
    origin, busy = np.arange(len(triangles)), set()
    dropped = np.zeros(len(triangles), bool)
    is_flat = np.zeros(len(triangles), bool)
    is_flat[flat] = True
    step = _APART * size_of(positions)
    for t in flat:
        corners = positions[triangles[t]].astype(np.float64)
        longest = int(np.argmax(np.linalg.norm(corners - corners[[1, 2, 0]], axis=1)))
        edge = edges.of_half[3 * t + longest]
        halves = edges.halves[edges.offsets[edge] : edges.offsets[edge + 1]]
        a, b, c = triangles[t][[longest, (longest + 1) % 3, (longest + 2) % 3]]
        if len(halves) == 1:
            dropped[t] = True  # at a border: the hole takes it
            continue
        other = int(halves[halves != 3 * t + longest][0])
        near = other // 3
        d = triangles[near][(other + 2) % 3]
        link = (int(min(c, d)), int(max(c, d)))
        proper = len(halves) == 2 and triangles[near][other % 3] == b
        if t in busy or near in busy or (is_flat[near] and proper and link not in existing and near > t):
            continue  # the next round sees what became of the neighbour
        if proper and c != d and link not in existing:
            triangles[t], triangles[near] = (a, d, c), (d, b, c)
            origin[t] = near
            busy |= {t, near}
            existing.add(link)
        else:
            positions[c] += _across(positions, a, b, d, step)
    return replace(surface, positions=positions).rebuilt(positions, triangles, origin).kept(~dropped)


def _across(positions: np.ndarray, a: int, b: int, d: int, step: float) -> np.ndarray:
    """(3,) a step away from d, at a right angle to the edge from a to b; any such angle where d is on that line."""
    along = positions[b].astype(np.float64) - positions[a]
    away = positions[a].astype(np.float64) - positions[d]
    length2 = along @ along
    if length2 > 0:
        away = away - along * (away @ along) / length2
    if not np.linalg.norm(away) > 0:
        away = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    length = np.linalg.norm(away)
    far = min(step, _OF_EDGE * np.sqrt(length2)) if length2 > 0 else step
    return (away / length * far).astype(np.float32) if length > 0 else np.array([0, 0, step], np.float32)


def open_shells(triangles: np.ndarray, vertex_count: int) -> tuple[int, np.ndarray, np.ndarray]:
    """How many shells, (T,) int32 shell of each triangle, and (shells,) bool, those with an open edge."""
    count, shell = shells(triangles, vertex_count)
    is_open = np.zeros(count, bool)
    is_open[shell[Edges.of(triangles).open_halves() // 3]] = True
    return count, shell, is_open
