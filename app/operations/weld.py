"""Weld: close cracks by joining vertices that lie closer together than a tolerance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from app.mesh.edges import Edges
from app.mesh.mesh import Mesh
from app.operations.operation import Number, Progress, Result, Toggle, operation
from app.operations.repair import without_doubles
from app.operations.surface import Surface
from app.operations.wording import said


@operation(
    id="weld",
    label="Weld vertices",
    group="Clean",
    tooltip="Joins vertices that lie closer together than a tolerance, which closes cracks between patches",
    parameters=(
        Number("tolerance", "Tolerance", "mm", 0.0001, 5.0, 0.01, "Vertices up to this far apart become one"),
        Toggle("only_open", "Only open edges", True, "Leaves the closed surface as it is, so no detail can collapse"),
    ),
    safe=True,
    order=10,
)
def weld(mesh: Mesh, progress: Progress, *, tolerance: float, only_open: bool) -> Result:
    surface = Surface.of(mesh)
    surface, joined = welded(surface, tolerance, among=open_vertices(surface) if only_open else None)
    progress(0.7, "Putting the mesh together")
    return Result(surface.mesh(), said((joined, "vertex pair", "joined.")) or ["No vertices lie that close."])


def open_vertices(surface: Surface) -> np.ndarray:
    """(n,) vertices on open edges, ascending."""
    halves = Edges.of(surface.triangles).open_halves()
    start = surface.triangles.ravel()
    return np.unique(np.concatenate((start[halves], start[3 * (halves // 3) + (halves + 1) % 3])))


def welded(surface: Surface, tolerance: float, among: np.ndarray | None = None) -> tuple[Surface, int]:
    """Join near vertices; of those that become one the first keeps its place. Returns how many went.

    among: (n,) vertices, ascending, that may be joined; by default all. Each vertex joins the first one within the
    tolerance, so chains of near vertices do not run together.
    """
    candidates = np.arange(len(surface.positions)) if among is None else among
    if not len(candidates):
        return surface, 0
    points = surface.positions[candidates].astype(np.float64)
    pairs = cKDTree(points).query_pairs(tolerance, output_type="ndarray")
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    target = np.arange(len(candidates))
    for low, high in pairs:
        # The first one of a group stays; what has already gone takes nobody with it.
        if target[low] == low and target[high] == high:
            target[high] = low
    moved = np.flatnonzero(target != np.arange(len(target)))
    if not len(moved):
        return surface, 0
    place = np.arange(len(surface.positions))
    place[candidates] = candidates[target]
    merged = replace(surface, triangles=place[surface.triangles].astype(np.int32))
    return without_doubles(merged)[0], len(moved)
