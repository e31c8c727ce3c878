"""Scrape: what stands out above the area plane is taken off, and hollows are left alone.

As Blender's Scrape with Invert to Fill (Blender manual).
"""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_to_plane
from app.sculpt.region import Region


@brush(
    label="Scrape",
    shortcut="U",
    tooltip="Takes off what stands out above the average plane; with Ctrl it fills what lies below.",
    invert_label="Fill",
    parameters=(
        Parameter(
            "offset",
            "Depth",
            "%",
            0.0,
            50.0,
            0.0,
            "How far into the surface the plane is lowered, as a part of the radius.",
        ),
    ),
    order=62,
)
def scrape(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Only what is above the area plane, lowered by the depth, comes down. Strength is the part of the way per dab."""
    area = region.area(mesh, dab)
    side = -dab.sign
    point = area.center + area.normal * (side * dab.radius * dab.parameter("offset") / 100.0)
    return pull_to_plane(region, mesh.positions, point, area.normal, dab.strength, side)
