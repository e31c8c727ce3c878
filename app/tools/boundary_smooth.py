"""Boundary-aware Smooth: evens out jagged open borders along themselves, and keeps their corners."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.borders import along_borders
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.region import Region
from app.sculpt.smoothing import smoothing_passes, toward_ring_mean


@brush(
    label="Boundary Smooth",
    shortcut="",
    tooltip="Evens out the surface, and open borders along themselves without rounding their corners.",
    passes=smoothing_passes,
    parameters=(
        Parameter("corner", "Corner", "°", 0.0, 180.0, 60.0, "Where a border turns by more than this, it is a corner."),
    ),
    order=114,
)
def boundary_smooth(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Off the borders as Smooth. Full strength runs four passes."""
    toward_ring_mean(mesh, region, mesh.positions, dab.strength)
    along_borders(mesh, region, dab.parameter("corner"), dab.strength)
    return region.delta
