"""Paint: colours the vertices."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_to_value
from app.sculpt.region import Region
from app.sculpt.smoothing import toward_ring_mean


@brush(
    label="Paint",
    shortcut="B",
    tooltip="Paints colour onto the surface; with Ctrl it softens the colours that are there.",
    invert_label="Soften",
    attribute="colors",
    strength=1.0,
    takes_color=True,
    order=170,
)
def paint(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Blends toward the chosen colour, in sRGB as the printer's colours are; inverted, toward the neighbours' mean."""
    colors = mesh.attribute("colors")
    if dab.sign < 0:
        return toward_ring_mean(mesh, region, colors, dab.strength)
    return pull_to_value(region, colors, np.asarray(dab.settings.color, np.float64), dab.strength)
