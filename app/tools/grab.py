"""Grab: what lay under the brush at the start of the stroke follows the pointer."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import push
from app.sculpt.region import Region


@brush(
    label="Grab",
    shortcut="G",
    tooltip="Drags the surface along with the pointer.",
    from_stroke_start=True,
    strength=1.0,
    order=80,
)
def grab(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """The pointer's way since the start of the stroke; at strength 1 the middle stays under the pointer."""
    return push(region, dab.displacement * dab.strength)
