"""Scale to height: the size on the print."""

from __future__ import annotations

from app.mesh.mesh import Mesh
from app.mesh.transform import placed_on_ground, scaled_to_height
from app.operations.operation import Number, Progress, Toggle, operation


def _flat(mesh: Mesh) -> str | None:
    return None if float(mesh.size()[2]) > 0 else "A model without height cannot be given one. Turn it upright first."


@operation(
    id="scale_to_height",
    label="Scale to height",
    group="Shape",
    tooltip="Scales the model evenly until it is as tall as wanted",
    parameters=(
        Number("height", "Height", "mm", 1.0, 1000.0, 150.0, "From the lowest to the highest point, after scaling"),
        Toggle("ground", "Stand on the ground", True, "Centres the model and puts its lowest point at height 0"),
    ),
    precondition=_flat,
    order=10,
)
def scale_to_height(mesh: Mesh, progress: Progress, *, height: float, ground: bool) -> Mesh:
    progress(0.5, "Scaling")
    result = scaled_to_height(mesh, height)
    return placed_on_ground(result) if ground else result
