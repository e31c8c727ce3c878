"""The last few crossings: the triangles that cross are taken out with those around them, and the holes closed.

Attene, "A lightweight approach to repairing digitized polygon meshes", 2010. Changes the shape, so it is for crossings
that are too small to be seen, such as rounding makes; `untangling` does the rest without changing anything.
"""

from __future__ import annotations

import numpy as np

from app.mesh.self_intersection import self_intersections
from app.operations.holes import fill, holes
from app.operations.make_manifold import manifold
from app.operations.operation import Progress, no_progress
from app.operations.repair import open_shells, size_of
from app.operations.surface import Surface
from app.operations.weld import welded

# What hangs together only by so many triangles or fewer, once the crossings are out, is debris of them.
_DEBRIS = 12
# Cutting leaves points so close together, as a part of the model's size, that rounding folds what is between them.
_CRUMB = 1e-5
_MOST_RINGS = 3


def patched(surface: Surface, progress: Progress) -> Surface:
    """Without crossings, or with as few as could be. The surface is closed and manifold, and stays so.

    First near corners of the crossing triangles become one; then the triangles go, with more and more around them.
    """
    best, fewest = surface, _crossing(surface)
    for rings in range(_MOST_RINGS + 1):
        progress(rings / (_MOST_RINGS + 1), "Smoothing away the last crossings")
        if not len(fewest):
            break
        tried = _closed(_without(best, fewest, rings) if rings else _without_crumbs(best, fewest))
        if tried is None:
            continue
        left = _crossing(tried)
        if len(left) < len(fewest):
            best, fewest = tried, left
    return best


def _crossing(surface: Surface) -> np.ndarray:
    """(n,) triangles that cross others."""
    mesh = surface.mesh()
    return np.unique(mesh.file_triangle[self_intersections(mesh).ravel()])


def _without_crumbs(surface: Surface, crossing: np.ndarray) -> Surface:
    """Corners of these triangles that lie very close together become one."""
    corners = np.unique(surface.triangles[crossing])
    return welded(surface, _CRUMB * size_of(surface.positions), among=corners)[0]


def _without(surface: Surface, crossing: np.ndarray, rings: int) -> Surface:
    """Take out these triangles and some rings around them, and what hangs on by little then."""
    gone = np.zeros(len(surface.triangles), bool)
    gone[crossing] = True
    for _ in range(rings):
        touched = np.zeros(len(surface.positions), bool)
        touched[surface.triangles[gone].ravel()] = True
        gone |= touched[surface.triangles].any(axis=1)
    rest = surface.kept(~gone)
    count, shell, is_open = open_shells(rest.triangles, len(rest.positions))
    debris = is_open & (np.bincount(shell, minlength=count) <= _DEBRIS)
    return rest.kept(~debris[shell])


def _closed(surface: Surface) -> Surface | None:
    """Manifold, with its holes closed; None where that does not work out."""
    if not len(surface.triangles):
        return None
    surface, _ = manifold(surface, join=True, progress=no_progress)
    surface = fill(surface, holes(surface), "flat", no_progress).surface
    _, _, is_open = open_shells(surface.triangles, len(surface.positions))
    return None if is_open.any() else surface
