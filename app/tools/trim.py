"""Trim: cuts the surface flat, down to one plane for the whole stroke.

As ZBrush's Planar brushes (Maxon's manual), whose plane lies where the stroke begins, with Imbed for its depth; the
same as Blender's Plane with both stabilisers full (Blender manual).
"""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.pulls import pull_to_plane
from app.sculpt.region import Region


@brush(
    label="Trim",
    shortcut="Shift+J",
    tooltip="Cuts all flat that stands above the plane where the stroke began; with Ctrl it fills up to that plane.",
    invert_label="Fill up",
    falloff="sphere",
    parameters=(
        Parameter("depth", "Depth", "mm", 0.0, 20.0, 0.2, "How far below the surface where the stroke begins it cuts."),
    ),
    order=66,
)
def trim(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Only what is above the plane comes down. Strength is the part of the way that one dab goes."""
    plane = region.begun
    point = plane.center - plane.normal * (dab.sign * dab.parameter("depth"))
    return pull_to_plane(region, mesh.positions, point, plane.normal, dab.strength, -dab.sign)
