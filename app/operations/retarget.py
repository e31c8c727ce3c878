"""Retarget: exactly as many triangles as wanted, more or fewer."""

from __future__ import annotations

from app.mesh.mesh import Mesh
from app.operations.density import MOST_TRIANGLES, count_note, finished, proper_triangles, reduced, refined
from app.operations.operation import Integer, Progress, Result, Toggle, operation, part_of

TARGET = 1_600_000


@operation(
    id="retarget",
    label="Retarget",
    group="Density",
    tooltip="Gives the model exactly the number of triangles that the printer wants, and keeps its shape and colour",
    parameters=(
        Integer(
            "triangles",
            "Triangles",
            "",
            100,
            MOST_TRIANGLES,
            TARGET,
            "How many there shall be; a closed surface can only have an even number",
            profile_field="target_triangles",
        ),
        Toggle(
            "follow_curvature",
            "Follow curvature",
            False,
            "Where triangles are added, rounds the flat facets of a coarse model instead of keeping them as they are",
        ),
    ),
    order=10,
)
def retarget(mesh: Mesh, progress: Progress, *, triangles: int, follow_curvature: bool) -> Result:
    """More: longest edges first, then flips and moves that keep the shape. Fewer: cheapest collapses first.

    The number is hit exactly where that is possible: a surface without open edges, none of whose edges has three
    triangles, has an even number. Nothing is done to a mesh that already has as many.
    """
    before = len(proper_triangles(mesh))
    if before == triangles == mesh.triangle_count:
        return Result(mesh.snapshot(), ["The model already has that many triangles."])
    work, ending = part_of(progress, 0.0, 0.6), part_of(progress, 0.6, 1.0)
    if before <= triangles:
        positions, made = refined(mesh, triangles, work, follow_curvature=follow_curvature)
    else:
        positions, made = reduced(mesh, triangles, work)
    return Result(finished(mesh, positions, made, ending), count_note(triangles, len(made)))
