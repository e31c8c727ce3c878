"""The case before the checks: the mesh, its counts, the profile, and measurements that several checks share.

Each measurement is made once, when the first check asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.formats.opening import PLAUSIBLE_HEIGHT_MM
from app.formats.registry import Progress, no_progress
from app.mesh.bvh import Bvh
from app.mesh.mesh import Mesh
from app.mesh.thickness import thickness
from app.preflight.counts import Counts
from app.preflight.profiles import PrinterProfile
from app.preflight.regions import vertex_areas
from app.preflight.shells import Nesting, Shells, nesting_of, shells_of

# Walls are measured up to this, and up to so many times the largest limit: enough for a map of colours.
_WALLS_UP_TO_MM, _TIMES_THE_LIMIT = 10.0, 4.0


@dataclass(eq=False)
class Case:
    """unit_known: whether the size in mm can be trusted. file_bytes: size of the file that the mesh came from, 0 where
    it is not in one of the profile's format. progress: of the check in hand.
    """

    mesh: Mesh
    counts: Counts
    profile: PrinterProfile
    unit_known: bool = True
    file_bytes: int = 0
    progress: Progress = no_progress

    @property
    def size_is_plausible(self) -> bool:
        """Whether lengths mean anything: not in a file of unknown unit whose model is as tall as a house."""
        lowest, highest = PLAUSIBLE_HEIGHT_MM
        return self.unit_known or lowest <= self.counts.size_mm[2] <= highest

    @cached_property
    def tree(self) -> Bvh:
        """Over all triangles."""
        self.progress(0.0, "Sorting triangles")
        return Bvh.of(self.mesh.positions, self.mesh.triangles)

    @cached_property
    def shells(self) -> Shells:
        self.progress(0.0, "Measuring shells")
        return shells_of(self.mesh)

    @cached_property
    def nesting(self) -> Nesting:
        return nesting_of(self.mesh, self.shells, self.progress)

    @cached_property
    def areas(self) -> np.ndarray:
        """(V,) mm²."""
        return vertex_areas(self.mesh)

    @property
    def walls_up_to_mm(self) -> float:
        """Thicker walls are not told apart."""
        limits = (self.profile.wall_mm, self.profile.color_wall_mm, self.profile.pin_mm)
        return max(_WALLS_UP_TO_MM, _TIMES_THE_LIMIT * max(limits))

    @cached_property
    def walls(self) -> np.ndarray:
        """(V,) float32, mm: thickness, at most `walls_up_to_mm`; that, too, on bodies buried inside others."""
        buried = np.empty(0, np.int64)
        if self.counts.shells > 1:
            buried = self.shells.of(self.nesting.buried)
        tree = self.tree
        if len(buried):  # their far sides are no walls
            kept = np.ones(self.mesh.triangle_count, bool)
            kept[buried] = False
            tree = Bvh.of(self.mesh.positions, self.mesh.triangles[kept])
        walls = thickness(self.mesh, self.progress, at_most_mm=self.walls_up_to_mm, tree=tree)
        walls[np.unique(self.mesh.triangles[buried])] = self.walls_up_to_mm
        return walls
