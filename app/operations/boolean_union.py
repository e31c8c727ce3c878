"""Unite bodies: overlapping shells become one, without the walls inside."""

from __future__ import annotations

from app.errors import InvalidInput
from app.mesh.edges import shells
from app.mesh.mesh import Mesh
from app.operations.operation import Progress, Result, operation
from app.operations.solids import united, why_not_solid
from app.operations.surface import Surface
from app.operations.wording import counted


def _needs_bodies(mesh: Mesh) -> str | None:
    if mesh.topology.boundary.any():
        return 'It has open or non-manifold edges. Run "Clean up" first.'
    return None


@operation(
    id="boolean_union",
    label="Unite overlapping bodies",
    group="Shape",
    tooltip="Makes one body of shells that overlap and removes the walls inside",
    precondition=_needs_bodies,
    order=40,
)
def boolean_union(mesh: Mesh, progress: Progress) -> Result:
    surface = Surface.of(mesh)
    before, _ = shells(surface.triangles, len(surface.positions))
    reason = why_not_solid(surface)
    if reason is not None:
        raise InvalidInput(f"Bodies cannot be united: {reason}", "", 'Run "Clean up" first')
    progress(0.2, "Uniting bodies")
    surface = united(surface)
    progress(0.8, "Putting the mesh together")
    result = surface.mesh()
    after, _ = shells(result.triangles, result.vertex_count)
    return Result(result, [f"{counted(before, 'shell')} became {after:,}."])
