"""Smear: drags wet colour along the stroke."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.color_lookup import drag_colors
from app.sculpt.dabs import Dab
from app.sculpt.region import Region


@brush(
    label="Smear",
    shortcut="Shift+B",
    tooltip="Drags the colours along in the direction of the stroke, like wet paint.",
    attribute="colors",
    strength=1.0,
    spacing=0.1,
    order=174,
)
def smear(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Toward the colour that lies as far behind as the dab before does."""
    return drag_colors(mesh, region, mesh.attribute("colors"), dab.step, dab.strength)
