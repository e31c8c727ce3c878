"""Clay: lays down a flat layer of even thickness, filling hollows first."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_to_plane
from app.sculpt.region import Region


@brush(
    label="Clay",
    shortcut="C",
    tooltip="Lays down a flat layer and fills hollows; with Ctrl it takes a layer off.",
    invert_label="Dig",
    parameters=(
        Parameter("height", "Layer", "%", 0.0, 50.0, 15.0, "Thickness of one stroke's layer as a part of the radius."),
    ),
    order=50,
)
def clay(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Toward the area plane as it was before the stroke, raised by a layer: going over it again adds nothing."""
    area = region.area(mesh, dab, region.start)
    layer = dab.sign * dab.radius * dab.parameter("height") / 100.0
    return pull_to_plane(region, mesh.positions, area.center + area.normal * layer, area.normal, dab.strength)
