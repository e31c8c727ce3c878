"""Nudge: shifts the surface along itself, the way the stroke goes."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import push_along_surface
from app.sculpt.region import Region


@brush(
    label="Nudge",
    shortcut="N",
    tooltip="Pushes the surface along itself in the direction of the stroke.",
    order=86,
)
def nudge(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """The way from the dab before, square to the area normal; a stroke at strength 1 pushes by up to one radius."""
    return push_along_surface(region, dab.step * dab.strength, region.area(mesh, dab).normal)
