"""Thumb: smears what lay under the brush along the surface, as a thumb does with clay."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import push_along_surface
from app.sculpt.region import Region


@brush(
    label="Thumb",
    shortcut="Shift+N",
    tooltip="Drags the surface along itself with the pointer, without pulling it out.",
    from_stroke_start=True,
    strength=1.0,
    order=88,
)
def thumb(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """The pointer's way since the start of the stroke, square to the area normal that the surface had there."""
    return push_along_surface(region, dab.displacement * dab.strength, region.begun.normal)
