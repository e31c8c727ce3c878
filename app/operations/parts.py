"""Shells as parts of a model: how large each is, which touch and which lie within others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.mesh.bvh import Bvh
from app.mesh.winding import Winding
from app.operations.repair import areas, open_shells, volumes
from app.operations.surface import Surface

_INSIDE = 0.5
# So many points of a shell are asked whether they lie inside another.
_SAMPLES = 200


@dataclass(eq=False)
class Parts:
    """Shells of a surface, in the order of their first triangle.

    count; shell: (T,) int32 of each triangle; area: (count,) mm2; volume: (count,) mm3, signed; lower, upper:
    (count, 3) mm; is_open: (count,) bool.
    """

    surface: Surface
    count: int
    shell: np.ndarray
    area: np.ndarray
    volume: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    is_open: np.ndarray

    @classmethod
    def of(cls, surface: Surface) -> Parts:
        count, shell, is_open = open_shells(surface.triangles, len(surface.positions))
        area = np.bincount(shell, weights=areas(surface.positions, surface.triangles), minlength=count)
        volume = volumes(surface.positions, surface.triangles, shell, count)
        lower, upper = np.full((count, 3), np.inf, np.float32), np.full((count, 3), -np.inf, np.float32)
        corners = surface.positions[surface.triangles]
        np.minimum.at(lower, shell, corners.min(axis=1))
        np.maximum.at(upper, shell, corners.max(axis=1))
        return cls(surface, count, shell, area, volume, lower, upper, is_open)

    @property
    def extent(self) -> np.ndarray:
        """(count,) mm: longest side of each shell's box."""
        return (self.upper - self.lower).max(axis=1)

    @property
    def largest(self) -> int:
        """The shell with the largest area."""
        return int(np.argmax(self.area))

    def rows(self, chosen: np.ndarray) -> np.ndarray:
        """(n,) int64: triangles of the shells in `chosen`, (count,) bool."""
        return np.flatnonzero(chosen[self.shell])

    def samples(self, part: int) -> np.ndarray:
        """(n, 3) some vertices of a shell, evenly picked."""
        vertices = np.unique(self.surface.triangles[self.shell == part])
        step = max(1, len(vertices) // _SAMPLES)
        return self.surface.positions[vertices[::step]]

    def touches(self, part: int, others: Body, within_mm: float) -> bool:
        """Whether a shell reaches into, or comes as near as `within_mm` to, some others."""
        points = self.samples(part)
        near = others.tree.closest(points).distance
        return bool(near.min() <= within_mm or (others.winding.at(points) > _INSIDE).any())

    def body(self, chosen: np.ndarray) -> Body:
        """The shells in `chosen`, (count,) bool, to be asked about."""
        return Body(self.surface, self.rows(chosen))

    def inside(self, part: int, others: Body) -> bool:
        """Whether all of a shell lies inside others, whichever way those face."""
        return bool((np.abs(others.winding.at(self.samples(part))) > _INSIDE).all())

    def buried(self) -> np.ndarray:
        """(count,) bool: shells that lie wholly inside one closed shell each."""
        out = np.zeros(self.count, bool)
        for outer in np.flatnonzero(~self.is_open):
            within = (self.lower >= self.lower[outer]).all(axis=1) & (self.upper <= self.upper[outer]).all(axis=1)
            within[outer] = False
            candidates = np.flatnonzero(within & ~out)
            if len(candidates):
                body = self.body(np.arange(self.count) == outer)
                out[[part for part in candidates.tolist() if self.inside(part, body)]] = True
        return out


class Body:
    """Triangles of a surface with the trees that answer questions about them."""

    def __init__(self, surface: Surface, rows: np.ndarray) -> None:
        self.winding = Winding.of(surface.positions, surface.triangles[rows])

    @property
    def tree(self) -> Bvh:
        return self.winding.tree
