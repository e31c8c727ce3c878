"""Blur: softens the colours."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.region import Region
from app.sculpt.smoothing import smoothing_passes, toward_ring_mean


@brush(
    label="Blur",
    shortcut="",
    tooltip="Softens the colours that are there.",
    attribute="colors",
    passes=smoothing_passes,
    order=176,
)
def blur(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Toward the neighbours' mean; full strength runs four passes, each the same as what Paint does with Ctrl."""
    return toward_ring_mean(mesh, region, mesh.attribute("colors"), dab.strength)
