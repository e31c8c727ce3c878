"""Finding the holes of a surface and filling them. Triangles for one border are made by `app.mesh.filling`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import coo_matrix

from app.mesh.edges import Edges, open_loops, shells
from app.mesh.filling import faired, refined, triangulated
from app.operations.operation import Progress
from app.operations.painting import painted_like_surrounding
from app.operations.repair import areas, size_of, volumes
from app.operations.surface import Surface

# "auto": a hole wider than this part of the model, such as where a bust was cut off, gets a flat lid.
_WIDE = 0.2
# A curved lid that rises by more than this part of its width has run away; it becomes a flat one.
_HIGHEST = 0.5
# Up to so many border edges a lid needs no points of its own.
_PLAIN = 4
_MOST_POINTS = 100_000
# A sheet that would be closed into a body thinner than this part of the model stays open.
_NO_THICKNESS = 3e-4


@dataclass(eq=False)
class Hole:
    """border: (n,) int64 vertices, counter-clockwise seen from where the lid's outside is. halves: the half-edges of
    the surface, halves[i] from border[i + 1] to border[i]. width: mm, diagonal of its box. edges: how many.
    """

    border: np.ndarray
    halves: np.ndarray
    width: float

    @property
    def edges(self) -> int:
        return len(self.border)


@dataclass
class Filled:
    """surface: with the lids. closed: how many holes. left: holes that no lid fits; sheets: shells without thickness.

    lids: (n,) int64, the new triangles.
    """

    surface: Surface
    closed: int = 0
    left: int = 0
    sheets: int = 0
    lids: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))


def holes(surface: Surface) -> list[Hole]:
    """All holes, in the order of their first triangle."""
    found = []
    for halves in open_loops(surface.triangles):
        start = surface.triangles[halves // 3, halves % 3]
        # The lid runs the other way: its edges are halves[::-1], each from its end to its start.
        border = np.roll(start[::-1], 1).astype(np.int64)
        found.append(Hole(border, np.ascontiguousarray(halves[::-1]), size_of(surface.positions[border])))
    return found


def fill(surface: Surface, chosen: list[Hole], shape: str, progress: Progress, most_share: float = np.inf) -> Filled:
    """Close these holes. shape: "flat", "curved" (goes on as the surrounding curves) or "auto" (curved if small).

    Needs a surface in which each vertex has one fan (`repair.cut_apart`). Old triangles and vertices stay as they are.
    most_share: a shell of which the lids would be a larger part than this of what is there stays open: it is a sheet.
    """
    lids = _Lids(surface, shape)
    for number, hole in enumerate(chosen):
        progress(number / len(chosen), "Closing holes")
        lids.add(hole)
    result = lids.joined()
    return _without_sheets(surface, result, most_share)


class _Lids:
    """Collects lids over one surface."""

    def __init__(self, surface: Surface, shape: str) -> None:
        self.surface, self.shape = surface, shape
        self.size = size_of(surface.positions)
        edges = Edges.of(surface.triangles)
        count = len(surface.positions)
        ends = np.concatenate((edges.ends, edges.ends[:, ::-1])).astype(np.int64)
        ones = np.ones(len(ends), np.int8)
        self.links = coo_matrix((ones, (ends[:, 0], ends[:, 1])), shape=(count, count)).tocsr()
        self.corners = np.argsort(surface.triangles.ravel(), kind="stable")
        self.first_corner = np.searchsorted(surface.triangles.ravel()[self.corners], np.arange(count + 1))
        self.points: list[np.ndarray] = []
        self.triangles: list[np.ndarray] = []
        self.added = self.closed = self.left = 0

    def add(self, hole: Hole) -> None:
        """Make a lid, or count the hole as left."""
        border = hole.border
        points = self.surface.positions[border].astype(np.float64)
        rings = [self.links.indices[self.links.indptr[v] : self.links.indptr[v + 1]] for v in border]
        lid = triangulated(points, self._normals(hole), self._taken(border, rings))
        if lid is None:
            self.left += 1
            return
        if hole.edges > _PLAIN:
            points, lid = self._finer(hole, points, lid, rings)
        number = np.concatenate(
            (border, len(self.surface.positions) + self.added + np.arange(len(points) - len(border)))
        )
        self.points.append(points[len(border) :].astype(np.float32))
        self.triangles.append(number[lid].astype(np.int32))
        self.added += len(points) - len(border)
        self.closed += 1

    def joined(self) -> Filled:
        """The surface with all lids, in the colours around them."""
        old = len(self.surface.triangles)
        if not self.triangles:
            return Filled(self.surface, 0, self.left)
        positions = np.concatenate((self.surface.positions, *self.points))
        triangles = np.concatenate((self.surface.triangles, *self.triangles))
        origin = np.concatenate((np.arange(old), np.full(len(triangles) - old, -1)))
        lids = np.arange(old, len(triangles))
        surface = painted_like_surrounding(self.surface.rebuilt(positions, triangles, origin), lids)
        return Filled(surface, self.closed, self.left, 0, lids)

    def _finer(
        self, hole: Hole, points: np.ndarray, lid: np.ndarray, rings: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        positions = self.surface.positions
        spacing = np.array(
            [
                np.linalg.norm(positions[ring].astype(np.float64) - positions[v], axis=1).mean()
                for v, ring in zip(hole.border, rings, strict=True)
            ]
        )
        points, lid = refined(points, lid, spacing, self._taken(hole.border, rings), len(points) + _MOST_POINTS)
        free = np.arange(len(points)) >= hole.edges
        flat = faired(points, lid, free, curved=False)
        if self.shape == "flat" or (self.shape == "auto" and hole.width > _WIDE * self.size):
            return flat, lid
        # The triangles at the border say which way the surface comes in.
        beside = np.unique(np.concatenate([self._triangles_at(v) for v in hole.border]))
        outer = self.surface.triangles[beside]
        others = np.setdiff1d(outer, hole.border)
        place = {int(v): i for i, v in enumerate(hole.border)} | {int(v): len(flat) + i for i, v in enumerate(others)}
        around = np.array([[place[int(v)] for v in corners] for corners in outer])
        with_others = np.concatenate((flat, positions[others].astype(np.float64)))
        free = np.concatenate((free, np.zeros(len(others), bool)))
        curved = faired(with_others, np.concatenate((lid, around)), free, curved=True)[: len(flat)]
        rise = np.linalg.norm(curved - flat, axis=1).max()
        return (curved if rise <= _HIGHEST * hole.width else flat), lid

    def _triangles_at(self, vertex: int) -> np.ndarray:
        start, stop = self.first_corner[vertex : vertex + 2]
        return self.corners[start:stop] // 3

    def _normals(self, hole: Hole) -> np.ndarray:
        a, b, c = (
            self.surface.positions[self.surface.triangles[hole.halves // 3, k]].astype(np.float64) for k in range(3)
        )
        normals = np.cross(b - a, c - a)
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        return np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)

    def _taken(self, border: np.ndarray, rings: list[np.ndarray]) -> np.ndarray:
        place = {int(v): i for i, v in enumerate(border)}
        count = len(border)
        taken = np.zeros((count, count), bool)
        for i, ring in enumerate(rings):
            for v in ring:
                j = place.get(int(v))
                if j is not None and (j - i) % count not in (1, count - 1):
                    taken[i, j] = True
        return taken


def _without_sheets(before: Surface, filled: Filled, most_share: float) -> Filled:
    """Take the lids off shells that they would close to bodies without thickness, or that are mostly lid."""
    if not len(filled.lids):
        return filled
    surface = filled.surface
    count, shell = shells(surface.triangles, len(surface.positions))
    of_triangle = areas(surface.positions, surface.triangles)
    area = np.bincount(shell, weights=of_triangle, minlength=count)
    lid_area = np.bincount(shell[filled.lids], weights=of_triangle[filled.lids], minlength=count)
    volume = np.abs(volumes(surface.positions, surface.triangles, shell, count))
    thin = 2 * volume < _NO_THICKNESS * size_of(before.positions) * area
    thin = (lid_area > 0) & (thin | (lid_area > most_share * (area - lid_area)))
    if not thin.any():
        return filled
    is_lid = np.zeros(len(shell), bool)
    is_lid[filled.lids] = True
    kept = ~(is_lid & thin[shell])
    lids = np.flatnonzero(is_lid[kept])
    return Filled(surface.kept(kept), filled.closed - int(thin.sum()), filled.left, int(thin.sum()), lids)
