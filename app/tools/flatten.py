"""Flatten: the surface is pressed toward the area plane, from both sides."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_to_plane
from app.sculpt.region import Region

# Moving away from the plane grows with the distance; at this part of the strength it stays in hand.
_CONTRAST = 0.1


@brush(
    label="Flatten",
    shortcut="Shift+T",
    tooltip="Presses the surface toward its average plane; with Ctrl it exaggerates what stands out.",
    invert_label="Contrast",
    order=60,
)
def flatten(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Strength is the part of the way to the plane that one dab goes."""
    area = region.area(mesh, dab)
    rate = dab.strength if dab.sign > 0 else -_CONTRAST * dab.strength
    return pull_to_plane(region, mesh.positions, area.center, area.normal, rate)
