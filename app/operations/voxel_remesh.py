"""Voxel remesh: a new, closed surface from the space that the old one encloses."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.mesh.voxels import Voxels, contoured, sampled
from app.operations.carry import carry
from app.operations.holes import fill, holes
from app.operations.make_manifold import manifold
from app.operations.operation import Number, Progress, Result, no_progress, operation, part_of
from app.operations.orient import outward
from app.operations.surface import Surface

_SAMPLES_ALONG = 300


def _suggested(mesh: Mesh) -> float:
    return round(float(mesh.size().max()) / _SAMPLES_ALONG, 2)


@operation(
    id="voxel_remesh",
    label="Voxel remesh",
    group="Density",
    tooltip="Builds a new closed surface of even triangles; overlapping parts become one, whatever state they are in",
    parameters=(
        Number(
            "resolution",
            "Resolution",
            "mm",
            0.05,
            10.0,
            0.4,
            "Edge length of the new triangles; what is thinner than this is lost",
            suggest=_suggested,
        ),
    ),
    order=60,
)
def voxel_remesh(mesh: Mesh, progress: Progress, *, resolution: float) -> Result:
    surface = closed(Surface.of(mesh), part_of(progress, 0.0, 0.15))
    made = solid_surface(surface.positions, surface.triangles, resolution, part_of(progress, 0.15, 0.7))
    notes = [f"{mesh.triangle_count:,} triangles became {len(made.triangles):,} of about {resolution:g} mm."]
    return Result(carry(mesh, made.positions, made.triangles, part_of(progress, 0.7, 1.0)), notes)


def closed(surface: Surface, progress: Progress) -> Surface:
    """As closed and outward as it gets, so that inside and outside can be told apart."""
    surface, _ = manifold(surface, join=True, progress=part_of(progress, 0.0, 0.4))
    surface = fill(surface, holes(surface), "auto", part_of(progress, 0.4, 0.8)).surface
    return outward(surface, keep_cavities=True, progress=part_of(progress, 0.8, 1.0))[0]


def solid_surface(
    positions: np.ndarray, triangles: np.ndarray, step: float, progress: Progress, level: float = 0.0
) -> Surface:
    """The surface at a distance from another: closed, manifold, without colour. level: mm, negative within."""
    return surface_around(sampled(positions, triangles, step, part_of(progress, 0.0, 0.8), level), progress)


def surface_around(voxels: Voxels, progress: Progress) -> Surface:
    """The closed surface where the values are zero, manifold, without colour. progress: from 0.8 on."""
    progress(0.8, "Making triangles")
    surface = Surface.bare(*contoured(voxels))
    surface, _ = manifold(surface, join=True, progress=part_of(progress, 0.85, 1.0))
    return fill(surface, holes(surface), "flat", no_progress).surface
