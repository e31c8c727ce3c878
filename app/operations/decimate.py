"""Decimate: fewer triangles, by a part or by a number."""

from __future__ import annotations

from app.mesh.mesh import Mesh
from app.operations.density import MOST_TRIANGLES, count_note, finished, proper_triangles, reduced
from app.operations.operation import Choice, Integer, Number, Progress, Result, operation, part_of

_LEAST = 4


@operation(
    id="decimate",
    label="Decimate",
    group="Density",
    tooltip="Takes triangles away where they are missed least, and keeps shape, holes and colour",
    parameters=(
        Choice(
            "by",
            "By",
            (("part", "A part of the triangles"), ("number", "A number of triangles")),
            "part",
            "Which of the two values below counts",
        ),
        Number("keep", "Keep", "%", 0.1, 100.0, 50.0, "How much of the triangles stays"),
        Integer("triangles", "Triangles", "", _LEAST, MOST_TRIANGLES, 400_000, "How many triangles stay"),
    ),
    order=30,
)
def decimate(mesh: Mesh, progress: Progress, *, by: str, keep: float, triangles: int) -> Result:
    """A model that has no more than the wanted number stays as it is."""
    wanted = triangles if by == "number" else max(_LEAST, 2 * round(mesh.triangle_count * keep / 200))
    if wanted >= len(proper_triangles(mesh)):
        return Result(mesh.snapshot(), ["The model already has no more triangles than that."])
    positions, made = reduced(mesh, wanted, part_of(progress, 0.0, 0.6))
    return Result(finished(mesh, positions, made, part_of(progress, 0.6, 1.0)), count_note(wanted, len(made)))
