"""Cut a flat base: what is below a height goes, and the cut gets a lid to stand on."""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.mesh import Mesh
from app.operations.clipping import clipped, lid
from app.operations.operation import Choice, Number, Progress, Result, operation
from app.operations.painting import INSIDE, painted_like_surrounding, painted_plain
from app.operations.surface import Surface


@operation(
    id="cut_base",
    label="Cut flat base",
    group="Print",
    tooltip="Cuts the model off flat near its lowest point, so that it stands",
    parameters=(
        Number("height", "Cut off", "mm", 0.01, 500.0, 1.0, "How far above the lowest point the cut is"),
        Choice(
            "color",
            "Colour of the base",
            (("around", "Like the surface around it"), ("inside", "White")),
            "around",
            "What the flat underside looks like",
        ),
    ),
    order=30,
)
def cut_base(mesh: Mesh, progress: Progress, *, height: float, color: str) -> Result:
    lower, upper = mesh.bounds()
    at = float(lower[2]) + height
    if at >= upper[2]:
        what = f"a cut {height:g} mm above the ground leaves nothing of a model {upper[2] - lower[2]:.1f} mm tall"
        raise InvalidInput(what, "", "Cut lower")
    progress(0.2, "Cutting")
    surface = clipped(Surface.of(mesh), 2, at, above=True)
    cap = lid(surface, 2, at)
    progress(0.6, "Closing the base")
    kept = len(surface.triangles)
    rows = np.arange(kept, kept + len(cap))
    triangles = np.concatenate((surface.triangles, cap))
    surface = surface.rebuilt(surface.positions, triangles, np.concatenate((np.arange(kept), np.full(len(cap), -1))))
    if color == "around":
        surface = painted_like_surrounding(surface, rows)
    else:
        surface = painted_plain(surface, rows, INSIDE)
    progress(0.8, "Putting the mesh together")
    result = surface.mesh()
    return Result(result, [f"Cut off {height:g} mm; the model is now {result.size()[2]:.1f} mm tall."])
