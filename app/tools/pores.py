"""Pores: stamps pores into the skin, each stamp turned another way.

The usual alpha brush for skin (ZBrush's Standard with DragDot or Spray and an alpha): the image says how deep each
place of the dab goes.
"""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import push
from app.sculpt.region import Region


@brush(
    label="Pores",
    shortcut="",
    tooltip="Stamps pores into the surface; with Ctrl it raises them as bumps.",
    invert_label="Bumps",
    strength=1.0,
    spacing=1.0,
    falloff="sphere",
    alpha="pores",
    alpha_random=1.0,
    parameters=(Parameter("depth", "Depth", "mm", 0.0, 2.0, 0.1, "Depth of the deepest pores of one stamp."),),
    order=140,
)
def pores(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Down along the area normal; the stamp is in the factors."""
    depth = dab.sign * dab.strength * dab.parameter("depth")
    return push(region, region.area(mesh, dab).normal * -depth)
