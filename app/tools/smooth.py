"""Smooth: every vertex moves toward the mean of its neighbours."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.region import Region
from app.sculpt.smoothing import smoothing_passes, toward_ring_mean

# Away from the mean, differences grow; at this part of the strength they stay in hand.
_SHARPEN = 0.1


@brush(
    label="Smooth",
    shortcut="S",
    tooltip="Evens out bumps; with Ctrl it brings out detail instead.",
    invert_label="Sharpen",
    passes=smoothing_passes,
    order=110,
)
def smooth(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Full strength runs four passes."""
    rate = dab.strength if dab.sign > 0 else -_SHARPEN * dab.strength
    return toward_ring_mean(mesh, region, mesh.positions, rate)
