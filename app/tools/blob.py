"""Blob: Draw that also pushes the surface apart, so that a stroke becomes round and thick.

As Blender's Blob (Blender manual): like Draw, but pushed outward as by an inverted pinch.
"""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_along_surface
from app.sculpt.region import Region


@brush(
    label="Blob",
    shortcut="Shift+I",
    tooltip="Swells the surface into a round form; with Ctrl it presses a round hollow.",
    invert_label="Hollow",
    falloff="sphere",
    parameters=(
        Parameter("magnify", "Magnify", "%", 0.0, 100.0, 50.0, "How strongly the surface is pushed apart as it rises."),
    ),
    order=22,
)
def blob(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Up along the area normal and, both ways, outward from the dab's centre."""
    normal = region.area(mesh, dab).normal
    rate = dab.rate * dab.parameter("magnify") / 100.0
    return pull_along_surface(region, mesh.positions, dab.center, normal, -rate, lift=dab.height)
