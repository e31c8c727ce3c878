"""Pinch: the surface is drawn together toward the middle of the dab, to sharpen an edge or a wrinkle."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_along_surface
from app.sculpt.region import Region


@brush(
    label="Pinch",
    shortcut="P",
    tooltip="Draws the surface together under the brush; with Ctrl it spreads it.",
    invert_label="Spread",
    order=44,
)
def pinch(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Along the surface only: the form keeps its height."""
    normal = region.area(mesh, dab).normal
    return pull_along_surface(region, mesh.positions, dab.center, normal, dab.sign * dab.rate)
