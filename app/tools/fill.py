"""Fill: what lies below the area plane is filled up, and what stands out is left alone.

As Blender's Fill with Invert to Scrape (Blender manual).
"""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_to_plane
from app.sculpt.region import Region


@brush(
    label="Fill",
    shortcut="Shift+U",
    tooltip="Fills what lies below the average plane; with Ctrl it scrapes off what stands out.",
    invert_label="Scrape",
    parameters=(
        Parameter(
            "offset",
            "Height",
            "%",
            0.0,
            50.0,
            0.0,
            "How far out of the surface the plane is raised, as a part of the radius.",
        ),
    ),
    order=64,
)
def fill(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Only what is below the area plane, raised by the height, comes up. Strength is the part of the way per dab."""
    area = region.area(mesh, dab)
    side = dab.sign
    point = area.center + area.normal * (side * dab.radius * dab.parameter("offset") / 100.0)
    return pull_to_plane(region, mesh.positions, point, area.normal, dab.strength, side)
