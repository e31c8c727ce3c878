"""Snake Hook: pulls the surface out after the pointer, as far as it goes: horns, strands, fingers."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import push
from app.sculpt.region import Region


@brush(
    label="Snake Hook",
    shortcut="K",
    tooltip="Pulls a strand out of the surface that follows the pointer.",
    pulls=True,
    strength=1.0,
    spacing=0.1,
    order=82,
)
def snake_hook(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Each dab carries on what the one before let go of; at strength 1 the tip stays under the pointer."""
    return push(region, dab.step * dab.strength)
