"""Elastic Grab: Grab on a body of rubber, so that what is near follows as flesh would."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.kelvinlets import elastic_grab_delta
from app.sculpt.region import Region

_MOST_POISSON = 0.5


@brush(
    label="Elastic Grab",
    shortcut="Shift+G",
    tooltip="Drags the surface along as if the model were made of rubber.",
    from_stroke_start=True,
    strength=1.0,
    falloff="constant",
    parameters=(
        Parameter(
            "volume",
            "Keep Volume",
            "%",
            0.0,
            100.0,
            80.0,
            "From a sponge to rubber that bulges where it is pressed: 100 % is a Poisson's ratio of 0.5.",
        ),
    ),
    order=84,
)
def elastic_grab(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """A regularised Kelvinlet (de Goes and James 2017) of three scales; the brush's radius is where it has faded."""
    poisson = _MOST_POISSON * dab.parameter("volume") / 100.0
    return elastic_grab_delta(region, region.start, dab.center, dab.displacement * dab.strength, dab.radius, poisson)
