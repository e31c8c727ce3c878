"""Mask: protects the surface from other brushes."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_to_value
from app.sculpt.region import Region


@brush(
    label="Mask",
    shortcut="M",
    tooltip="Protects the surface from other brushes; with Ctrl it takes the protection off.",
    invert_label="Unmask",
    attribute="mask",
    strength=1.0,
    order=200,
)
def mask(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Toward fully protected, or inverted toward free."""
    goal = np.ones(1) if dab.sign > 0 else np.zeros(1)
    return pull_to_value(region, mesh.mask.reshape(-1, 1), goal, dab.strength)
