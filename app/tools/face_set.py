"""Face set: draws a numbered group of vertices, to be hidden, isolated or worked on alone."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.dabs import Dab
from app.sculpt.face_sets import number_in_hand
from app.sculpt.pulls import pull_to_value
from app.sculpt.region import Region


@brush(
    label="Face Set",
    shortcut="W",
    tooltip="Draws a new face set with each stroke; with Ctrl it goes on with the set under the pointer.",
    invert_label="Go On",
    attribute="face_sets",
    falloff="constant",
    spacing=0.1,
    strength=1.0,
    order=210,
)
def face_set(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """The number of the stroke's set, whole: a vertex is in a set or it is not."""
    number = number_in_hand(mesh, region, dab)
    return pull_to_value(region, mesh.face_sets.reshape(-1, 1), np.full(1, number), 1.0)
