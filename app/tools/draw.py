"""Draw: the surface rises along the area normal, the average direction under the dab."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import push
from app.sculpt.region import Region


@brush(
    label="Draw",
    shortcut="V",
    tooltip="Raises the surface in the direction it faces under the brush; with Ctrl it lowers it.",
    invert_label="Lower",
    order=10,
)
def draw(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """A stroke at strength 1 raises the surface by half a radius."""
    return push(region, region.area(mesh, dab).normal * dab.height)
