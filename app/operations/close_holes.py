"""Close holes: a lid over every open border, flat or going on as the surface around it curves."""

from __future__ import annotations

from app.mesh.mesh import Mesh
from app.operations.holes import fill, holes
from app.operations.make_manifold import manifold
from app.operations.operation import Choice, Number, Progress, Result, operation, part_of
from app.operations.surface import Surface
from app.operations.wording import counted, said


def _closed_already(mesh: Mesh) -> str | None:
    return None if mesh.topology.boundary.any() else "It has no holes. There is nothing to close."


@operation(
    id="close_holes",
    label="Close holes",
    group="Clean",
    tooltip="Closes open borders with triangles as fine as those around, in the colours around",
    parameters=(
        Choice(
            "shape",
            "Shape",
            (("auto", "Curved, wide ones flat"), ("flat", "Flat"), ("curved", "Curved")),
            "auto",
            "Curved lids go on as the surface around them does; flat ones suit a cut-off base",
        ),
        Number("largest", "Up to", "mm", 0.0, 1000.0, 1000.0, "Wider holes stay open"),
    ),
    precondition=_closed_already,
    safe=True,
    order=30,
)
def close_holes(mesh: Mesh, progress: Progress, *, shape: str, largest: float) -> Result:
    surface, notes = manifold(Surface.of(mesh), join=True, progress=part_of(progress, 0.0, 0.3))
    chosen = [hole for hole in holes(surface) if hole.width <= largest]
    filled = fill(surface, chosen, shape, part_of(progress, 0.3, 0.9))
    notes += said(
        (filled.closed, "hole", f"closed with {counted(len(filled.lids), 'triangle')}."),
        (filled.left, "hole", 'that no lid fits stays open: "Voxel remesh" closes all.'),
        (filled.sheets, "sheet", 'without thickness stays open: "Give sheets thickness" makes bodies of them.'),
    )
    return Result(filled.surface.mesh(), notes)
