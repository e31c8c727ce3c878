"""Remove inner shells: double skins, inner walls and buried bodies that lie wholly inside the figure."""

from __future__ import annotations

from app.mesh.mesh import Mesh
from app.operations.operation import Progress, Result, Toggle, operation
from app.operations.parts import Parts
from app.operations.surface import Surface


@operation(
    id="remove_inner_shells",
    label="Remove inner shells",
    group="Clean",
    tooltip="Removes shells that lie wholly inside another, where nobody sees them and resin would be trapped",
    parameters=(
        Toggle(
            "keep_cavities", "Keep cavities", False, "Inner shells that face inward stay: they make the figure hollow"
        ),
    ),
    safe=True,
    order=60,
)
def remove_inner_shells(mesh: Mesh, progress: Progress, *, keep_cavities: bool) -> Result:
    surface = Surface.of(mesh)
    progress(0.1, "Measuring shells")
    parts = Parts.of(surface)
    progress(0.3, "Looking inside")
    buried = parts.buried()
    if keep_cavities:
        buried &= parts.volume > 0
    if not buried.any():
        return Result(surface.mesh(), ["No inner shells found."])
    note = f"{int(buried.sum()):,} inner shells with {len(parts.rows(buried)):,} triangles removed."
    return Result(surface.kept(parts.rows(~buried)).mesh(), [note])
