"""Remove inner shells: double skins, inner walls and buried bodies that lie wholly inside the figure."""

from __future__ import annotations

from app.mesh.mesh import Mesh
from app.operations.operation import Progress, Result, Toggle, operation
from app.operations.parts import Parts
from app.operations.surface import Surface
from app.operations.wording import counted


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
    progress(0.2, "Looking inside")
    before = len(surface.triangles)
    surface, count = without_inner(surface, keep_cavities=keep_cavities)
    gone = counted(before - len(surface.triangles), "triangle")
    note = f"{counted(count, 'inner shell')} with {gone} removed." if count else "No inner shells found."
    return Result(surface.mesh(), [note])


def without_inner(surface: Surface, *, keep_cavities: bool = False) -> tuple[Surface, int]:
    """Without shells that lie wholly inside another, and how many those were."""
    parts = Parts.of(surface)
    buried = parts.buried()
    if keep_cavities:
        buried &= parts.volume > 0
    return surface.kept(parts.rows(~buried)), int(buried.sum())
