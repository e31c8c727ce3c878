"""Crease: a sharp valley along the stroke, for eyelids, lips and folds of cloth."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_along_surface
from app.sculpt.region import Region


@brush(
    label="Crease",
    shortcut="Shift+C",
    tooltip="Cuts a sharp valley along the stroke; with Ctrl it raises a sharp ridge.",
    invert_label="Ridge",
    falloff="sharp",
    parameters=(
        Parameter(
            "pinch", "Pinch", "%", 0.0, 100.0, 50.0, "How strongly the sides are drawn to the middle of the stroke."
        ),
    ),
    order=40,
)
def crease(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Down along the area normal, and sideways toward the stroke's line whichever way the crease goes."""
    normal = region.area(mesh, dab).normal
    rate = dab.rate * dab.parameter("pinch") / 100.0
    return pull_along_surface(region, mesh.positions, dab.center, normal, rate, dab.travel, -dab.height)
