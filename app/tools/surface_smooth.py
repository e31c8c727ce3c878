"""Surface Smooth: evens out bumps and keeps the volume."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.region import Region
from app.sculpt.smoothing import smoothing_passes, without_shrinking


@brush(
    label="Surface Smooth",
    shortcut="Shift+S",
    tooltip="Evens out bumps without shrinking the model.",
    passes=smoothing_passes,
    parameters=(
        Parameter(
            "original", "Hold", "%", 0.0, 100.0, 0.0, "How strongly the surface is held to where the stroke found it."
        ),
        Parameter(
            "own",
            "Keep Bumps",
            "%",
            0.0,
            100.0,
            50.0,
            "How much of its own bump a vertex gets back; the rest is shared with its neighbours. At 100 % all stays.",
        ),
    ),
    order=112,
)
def surface_smooth(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """HC smoothing after Vollmer, Mencl and Mueller 1999. Full strength runs four passes."""
    original, own = dab.parameter("original") / 100.0, dab.parameter("own") / 100.0
    return without_shrinking(mesh, region, original, own, dab.strength)
