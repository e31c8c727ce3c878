"""Draw Sharp: Draw with a pointed profile, for wrinkles and hard edges.

As Blender's Draw Sharp (Blender manual): from the surface as it was before the stroke, with the sharp falloff.
"""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import push
from app.sculpt.region import Region


@brush(
    label="Draw Sharp",
    shortcut="Shift+V",
    tooltip="Cuts a sharp line straight into the surface; with Ctrl it raises a sharp edge.",
    invert_label="Raise",
    start_normals=True,
    falloff="sharp",
    order=12,
)
def draw_sharp(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Along the area normal from before the stroke: a line that crosses itself goes on straight and does not lean."""
    area = region.area(mesh, dab, region.start, region.start_normals)
    return push(region, area.normal * -dab.height)
