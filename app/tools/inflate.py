"""Inflate: every vertex moves along its own normal, so that a form grows evenly."""

from __future__ import annotations

import numpy as np

from app.mesh.jit import prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.region import Region


@brush(
    label="Inflate",
    shortcut="I",
    tooltip="Grows the surface along its own normals; with Ctrl it shrinks.",
    invert_label="Deflate",
    order=20,
)
def inflate(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """A stroke at strength 1 grows the surface by half a radius."""
    _along_own_normals(region.vertices, mesh.normals, np.float32(dab.height), region.delta)
    return region.delta


@scaling_kernel
def _along_own_normals(vertices, normals, height, delta):
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        for k in range(3):
            delta[i, k] = normals[v, k] * height
