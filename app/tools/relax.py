"""Relax: slides vertices along the surface until the triangles are even; the shape stays."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.region import Region
from app.sculpt.smoothing import along_start_surface, smoothing_passes


@brush(
    label="Relax",
    shortcut="R",
    tooltip="Evens out stretched triangles and leaves the shape as it is.",
    start_normals=True,
    passes=smoothing_passes,
    order=111,
)
def relax(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Full strength runs four passes. Open borders stay."""
    return along_start_surface(mesh, region, dab.strength)
