"""Layer: raises the surface by a fixed height, once in a stroke.

As Blender's Layer (Blender manual): Draw whose height is capped within a stroke; the next stroke adds another layer.
"""

from __future__ import annotations

import numpy as np

from app.mesh.jit import prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.region import Region


@brush(
    label="Layer",
    shortcut="L",
    tooltip="Raises the surface by one even layer in each stroke; with Ctrl it takes a layer off.",
    invert_label="Take off",
    start_normals=True,
    strength=1.0,
    parameters=(Parameter("height", "Height", "mm", 0.0, 10.0, 0.3, "Thickness of the layer that one stroke adds."),),
    order=24,
)
def layer(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Toward the surface at the start of the stroke plus the layer along its normals: going over it adds nothing."""
    height = dab.sign * dab.parameter("height")
    _toward_layer(
        region.vertices, mesh.positions, region.start, region.start_normals, height, dab.strength, region.delta
    )
    return region.delta


@scaling_kernel
def _toward_layer(vertices, positions, start, normals, height, rate, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        for k in range(3):
            delta[i, k] = (start[v, k] + normals[v, k] * height - positions[v, k]) * rate
