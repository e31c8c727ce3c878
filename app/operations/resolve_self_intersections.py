"""Resolve self-intersections: where the surface goes through itself, only its outside stays."""

from __future__ import annotations

from app.errors import InvalidInput
from app.mesh.edges import shells
from app.mesh.mesh import Mesh
from app.operations.operation import Progress, Result, operation
from app.operations.solids import why_not_solid
from app.operations.surface import Surface
from app.operations.untangling import untangled


def _needs_closed(mesh: Mesh) -> str | None:
    if mesh.topology.boundary.any():
        return 'It has open or non-manifold edges. Run "Clean up" first.'
    return None


@operation(
    id="resolve_self_intersections",
    label="Resolve self-intersections",
    group="Clean",
    tooltip="Cuts triangles where they go through each other and keeps the outside; overlapping shells become one",
    precondition=_needs_closed,
    safe=True,
    order=70,
)
def resolve_self_intersections(mesh: Mesh, progress: Progress) -> Result:
    surface = Surface.of(mesh)
    reason = why_not_solid(surface)
    if reason is not None:
        raise InvalidInput(f"crossings cannot be resolved: {reason}", "", 'Run "Clean up" first')
    progress(0.1, "Cutting triangles where they meet")
    before, _ = shells(surface.triangles, len(surface.positions))
    result = untangled(surface).mesh()
    after, _ = shells(result.triangles, result.vertex_count)
    notes = [f"{mesh.triangle_count:,} triangles became {result.triangle_count:,}."]
    if before != after:
        notes.append(f"{before:,} shells became {after:,}.")
    return Result(result, notes)
