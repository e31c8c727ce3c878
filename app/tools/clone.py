"""Clone: paints with the colours of another place of the model."""

from __future__ import annotations

import numpy as np

from app.errors import LikenessError
from app.mesh.mesh import Mesh
from app.sculpt.brush import brush
from app.sculpt.color_lookup import clone_colors
from app.sculpt.dabs import Dab
from app.sculpt.region import Region


@brush(
    label="Clone",
    shortcut="",
    tooltip="Paints with the colours from around another place; with Ctrl a click picks that place.",
    attribute="colors",
    strength=1.0,
    takes_source=True,
    order=178,
)
def clone(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Where the stroke began takes the colour of the source, what lies beside it that from beside the source.

    The source is seen as it was at the start of the stroke. Raises LikenessError where none is chosen.
    """
    if dab.source is None:
        raise LikenessError("Clone has no place to take its colours from", advice="Choose one on the model first")
    shift = dab.source - dab.origin
    return clone_colors(mesh, region, mesh.attribute("colors"), dab.center + shift, shift, dab.radius, dab.strength)
