"""Thicken thin parts: balls of the wanted thickness are put into thin walls and united with the figure."""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.collapsing import collapse_to_count
from app.mesh.mesh import Mesh
from app.mesh.voxels import Voxels, around
from app.operations.carry import carry
from app.operations.holes import fill, holes
from app.operations.make_manifold import manifold
from app.operations.operation import Number, Progress, Result, no_progress, operation, part_of
from app.operations.parts import Parts
from app.operations.patching import patched
from app.operations.remove_inner_shells import without_inner
from app.operations.solids import solid, surface_of, why_not_solid
from app.operations.surface import Surface, joined
from app.operations.thin_places import ThinPlaces
from app.operations.voxel_remesh import surface_around

# Grid of the balls, as a part of the thickness, and how many of its triangles are kept: most lie in a plane with
# others, and a model that has more than the printer wants would be made coarse again elsewhere.
_STEP, _KEPT = 0.25, 0.4
# Balls are larger than wanted, so that what is measured on the triangles between their surfaces is not too little.
# Where walls grew into each other small thin places can come, and beside those again: larger balls later leave none.
_MARGINS = (1.25, 1.4, 1.6, 1.6, 1.6)
# So little, in squares of the thickness, does not break; what is left just above the measure could fall below it when
# the triangles change.
_LITTLE, _ABOVE = 0.15, 1.05


def _needs_body(mesh: Mesh) -> str | None:
    if mesh.topology.boundary.any():
        return 'It has open or non-manifold edges. Run "Clean up" first.'
    return None


@operation(
    id="thicken",
    label="Thicken thin parts",
    group="Print",
    tooltip="Grows walls, edges and tips that are thinner than a minimum, so that they do not break",
    parameters=(
        Number(
            "minimum",
            "At least",
            "mm",
            0.1,
            20.0,
            1.0,
            "Walls thinner than this become so thick, a quarter more at most; up to 1.6 times where several meet",
        ),
    ),
    precondition=_needs_body,
    order=10,
)
def thicken(mesh: Mesh, progress: Progress, *, minimum: float) -> Result:
    reason = why_not_solid(Surface.of(mesh))
    if reason is not None:
        raise InvalidInput(f"the model cannot be thickened: {reason}", "", 'Run "Clean up" first')
    hollow = bool((Parts.of(Surface.of(mesh)).volume < 0).any())
    result = mesh
    for round_, margin in enumerate(_MARGINS):
        report = part_of(progress, round_ / len(_MARGINS), (round_ + 1) / len(_MARGINS))
        thin = ThinPlaces(result, minimum * _ABOVE if round_ else minimum, part_of(report, 0.0, 0.15))
        thin.without_specks(_LITTLE * minimum**2)
        if not len(thin.points):
            break
        centres, radii = thin.balls(part_of(report, 0.15, 0.3), margin)
        result = _grown(result, around(centres, radii, _STEP * minimum, report), hollow, part_of(report, 0.4, 1.0))
    if result is mesh:
        return Result(mesh.snapshot(), [f"No wall is thinner than {minimum:g} mm, but for specks."])
    grown = float((result.size() - mesh.size()).max())
    return Result(
        result, [f"Thin walls were made at least {minimum:g} mm thick; the model grew by {max(grown, 0):.2f} mm."]
    )


def _grown(mesh: Mesh, balls: Voxels, hollow: bool, progress: Progress) -> Mesh:
    """The model united with balls. hollow: it has cavities, which stay."""
    surface = Surface.of(mesh)
    flesh = surface_around(balls, part_of(progress, 0.0, 0.4))
    progress(0.4, "Simplifying what has grown")
    made = collapse_to_count(flesh.positions, flesh.triangles, int(_KEPT * len(flesh.triangles)), no_progress)
    progress(0.6, "Carrying the colours over")
    colored = Surface.of(carry(mesh, *made))
    whole = joined(surface, colored)
    body, more = np.arange(len(surface.triangles)), np.arange(len(surface.triangles), len(whole.triangles))
    progress(0.7, "Uniting what has grown with the figure")
    united = _sound(surface_of(solid(whole, body) + solid(whole, more), whole), part_of(progress, 0.8, 1.0))
    # Gaps that closed up leave bubbles.
    return (united if hollow else without_inner(united)[0]).mesh()


def _sound(surface: Surface, progress: Progress) -> Surface:
    """Without what rounding to float32 did where surfaces were cut: points that met, and crossings."""
    progress(0.0, "Smoothing the cuts")
    surface, _ = manifold(Surface.of(surface.mesh()), join=True, progress=no_progress)
    surface = fill(surface, holes(surface), "flat", no_progress).surface
    return patched(surface, part_of(progress, 0.3, 1.0))
