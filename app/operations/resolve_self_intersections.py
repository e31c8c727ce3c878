"""Resolve self-intersections: where the surface goes through itself, only its outside stays."""

from __future__ import annotations

from app.errors import InvalidInput
from app.mesh.edges import shells
from app.mesh.mesh import Mesh
from app.mesh.self_intersection import self_intersections
from app.operations.holes import fill, holes
from app.operations.make_manifold import manifold
from app.operations.operation import Progress, Result, operation, part_of
from app.operations.patching import patched
from app.operations.remove_inner_shells import without_inner
from app.operations.solids import why_not_solid
from app.operations.surface import Surface
from app.operations.untangling import untangled
from app.operations.wording import counted, said

# New vertices are rounded to float32, which can make new crossings, fewer each time.
_ROUNDS = 4


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
    before, _ = shells(surface.triangles, len(surface.positions))
    surface, found, left = resolved(surface, progress)
    after, _ = shells(surface.triangles, len(surface.positions))
    notes = said(
        (found - left, "crossing", "resolved."),
        (left, "crossing", 'left: "Voxel remesh" makes a surface without any.'),
    )
    if before != after:
        notes.append(f"{counted(before, 'shell')} became {after:,}.")
    return Result(surface.mesh(), notes or ["The surface does not go through itself."])


def resolved(surface: Surface, progress: Progress) -> tuple[Surface, int, int]:
    """The outside of a closed surface. Returns how many pairs of triangles crossed, and how many still do."""
    found = before = -1
    for round_ in range(_ROUNDS + 1):
        report = part_of(progress, round_ / (_ROUNDS + 1), (round_ + 1) / (_ROUNDS + 1))
        report(0.0, "Looking for places where the surface goes through itself")
        crossings = len(self_intersections(surface.mesh()))
        found = crossings if found < 0 else found
        if not crossings:
            return surface, found, 0
        if round_ == _ROUNDS or 0 <= before <= crossings:
            break
        before = crossings
        report(0.3, "Cutting triangles where they meet")
        surface, _ = manifold(untangled(surface), join=True, progress=part_of(report, 0.8, 0.9))
        surface, _ = without_inner(fill(surface, holes(surface), "flat", part_of(report, 0.9, 1.0)).surface)
    surface = patched(surface, progress)
    return surface, found, len(self_intersections(surface.mesh()))
