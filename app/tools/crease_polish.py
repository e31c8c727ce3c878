"""Crease Polish: a sharp valley with clean shoulders in one stroke, for eyelids, lips and knuckles.

A crease as ZBrush's Dam Standard cuts it, a pinched V, with the smoothing of Blender's Crease Polish beside the cut.
"""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_along_surface, spare_line
from app.sculpt.region import Region
from app.sculpt.smoothing import toward_ring_mean

# From this part of the radius on the smoothing is full; on the line of the stroke there is none: the cut stays sharp.
_VALLEY = 0.3


@brush(
    label="Crease Polish",
    shortcut="D",
    tooltip="Cuts a sharp valley and smooths its shoulders; with Ctrl it raises a sharp ridge.",
    invert_label="Ridge",
    falloff="sharp",
    parameters=(
        Parameter(
            "pinch", "Pinch", "%", 0.0, 100.0, 50.0, "How strongly the sides are drawn to the middle of the stroke."
        ),
        Parameter("polish", "Polish", "%", 0.0, 100.0, 60.0, "How strongly the shoulders beside the cut are smoothed."),
    ),
    order=42,
)
def crease_polish(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """The shoulders' smoothing, and on top of it what Crease does."""
    normal = region.area(mesh, dab).normal
    toward_ring_mean(mesh, region, mesh.positions, dab.strength * dab.parameter("polish") / 100.0)
    spare_line(region, mesh.positions, dab.center, normal, dab.travel, _VALLEY * dab.radius)
    rate = dab.rate * dab.parameter("pinch") / 100.0
    return pull_along_surface(region, mesh.positions, dab.center, normal, rate, dab.travel, -dab.height, on_top=True)
