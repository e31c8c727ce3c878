"""Mirror: the whole model turned round, or one half copied to the other side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.errors import InvalidInput
from app.mesh.mesh import Mesh
from app.operations.clipping import clipped
from app.operations.operation import Choice, Number, Progress, operation
from app.operations.repair import without_doubles
from app.operations.surface import Surface, joined

_AXES = {"x": 0, "y": 1, "z": 2}


@operation(
    id="mirror",
    label="Mirror",
    group="Shape",
    tooltip="Mirrors the model, or makes it symmetric by copying one half to the other side",
    parameters=(
        Choice(
            "axis", "Across", (("x", "Left and right"), ("y", "Front and back"), ("z", "Up and down")), "x", "Which"
        ),
        Choice(
            "half",
            "What",
            (("all", "The whole model"), ("positive", "Plus half onto minus"), ("negative", "Minus half onto plus")),
            "all",
            "Turn the whole model round, or copy the half on one side of the plane to the other",
        ),
        Number("at", "Plane at", "mm", -1000.0, 1000.0, 0.0, "Where the mirror stands on the axis"),
    ),
    order=20,
)
def mirror(mesh: Mesh, progress: Progress, *, axis: str, half: str, at: float) -> Mesh:
    progress(0.1, "Mirroring")
    surface, across = Surface.of(mesh), _AXES[axis]
    if half == "all":
        return _mirrored(surface, across, at).mesh()
    kept = clipped(surface, across, at, above=half == "positive")
    if not len(kept.triangles):
        raise InvalidInput(
            "there is nothing on that side of the mirror", "", "Choose the other half, or move the plane"
        )
    progress(0.5, "Putting the halves together")
    whole = joined(kept, _mirrored(kept, across, at))
    # Vertices on the plane are at the same place in both halves; welding makes them one.
    return without_doubles(Surface.of(whole.mesh()))[0].mesh()


def _mirrored(surface: Surface, axis: int, at: float) -> Surface:
    positions = surface.positions.copy()
    positions[:, axis] = (2 * np.float64(np.float32(at)) - positions[:, axis]).astype(np.float32)
    return replace(surface, positions=positions).flipped(np.ones(len(surface.triangles), bool))
