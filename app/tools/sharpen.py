"""Sharpen: brings out the detail that is there.

An unsharp mask: the surface moves away from a smoothed copy of itself. As Blender's Enhance Details (Blender manual)
it works from the detail at the start of the stroke, so it cannot run away.
"""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.brush import Parameter, brush
from app.sculpt.dabs import Dab
from app.sculpt.detail import toward_detail
from app.sculpt.region import Region


@brush(
    label="Sharpen",
    shortcut="",
    tooltip="Brings out fine detail; with Ctrl it softens it.",
    invert_label="Soften",
    start_normals=True,
    parameters=(
        Parameter(
            "amount", "Amount", "%", 0.0, 500.0, 150.0, "How much detail a stroke can add, as a part of what is there."
        ),
    ),
    order=142,
)
def sharpen(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    """Toward the surface with its detail added or, inverted, taken away; more than all of it cannot be taken."""
    amount = dab.parameter("amount") / 100.0
    return toward_detail(mesh, region, amount if dab.sign > 0 else -min(amount, 1.0), dab.rate)
