"""Clay Strips: lays flat, square strips over each other, to build up rough volume.

As Blender's Clay Strips (Blender manual): Clay with a square tip along the stroke. Only what lies below the raised
plane comes up, so that a strip fills hollows first and never presses down what stands out.
"""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_to_plane
from app.sculpt.region import Region
from app.sculpt.tip import square_tip


@brush(
    label="Clay Strips",
    shortcut="J",
    tooltip="Lays flat, square strips over each other; with Ctrl it carves strips out.",
    invert_label="Carve",
    falloff="constant",
    parameters=(
        Parameter(
            "height",
            "Strip",
            "%",
            0.0,
            50.0,
            8.0,
            "How far above the average surface a dab builds, as a part of the radius.",
        ),
        Parameter("softness", "Softness", "%", 0.0, 100.0, 25.0, "How far in the square's edges and corners fade."),
    ),
    order=52,
)
def clay_strips(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Toward the area plane as it is now, raised by a strip: what earlier strips added is built upon."""
    area = region.area(mesh, dab)
    point = area.center + area.normal * (dab.sign * dab.radius * dab.parameter("height") / 100.0)
    pull_to_plane(region, mesh.positions, point, area.normal, dab.strength, dab.sign)
    return square_tip(region, mesh.positions, dab, area.normal, dab.parameter("softness") / 100.0)
