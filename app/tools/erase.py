"""Erase to Original: takes paint off."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_to_values
from app.sculpt.region import Region


@brush(
    label="Erase",
    shortcut="",
    tooltip="Takes paint off, down to the colours that the model came with.",
    attribute="colors",
    strength=1.0,
    order=180,
)
def erase(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Toward the colours that the vertices had first, in the file or when the texture's colour was moved onto them."""
    colors = mesh.attribute("colors")
    original = colors if mesh.original_colors is None else mesh.original_colors
    return pull_to_values(region, colors, original, dab.strength)
