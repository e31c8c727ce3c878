"""Make manifold: every edge between exactly two triangles, every vertex with one fan, nothing on top of itself."""

from __future__ import annotations

from app.mesh.mesh import Mesh
from app.operations.operation import Choice, Progress, Result, operation
from app.operations.repair import cut_apart, facing_one_way, without_doubles, without_flat
from app.operations.surface import Surface
from app.operations.wording import said


@operation(
    id="make_manifold",
    label="Make manifold",
    group="Clean",
    tooltip="Splits edges shared by more than two triangles, drops double and collapsed triangles",
    parameters=(
        Choice(
            "touching",
            "Where bodies touch at an edge",
            (("join", "Join them"), ("separate", "Separate them")),
            "join",
            "Parts that meet only in an edge become one body, or come apart by a hair",
        ),
    ),
    safe=True,
    order=20,
)
def make_manifold(mesh: Mesh, progress: Progress, *, touching: str) -> Result:
    surface, notes = manifold(Surface.of(mesh), join=touching == "join", progress=progress)
    return Result(surface.mesh(), notes or ["It was manifold already."])


def manifold(surface: Surface, *, join: bool, progress: Progress, grow: bool = False) -> tuple[Surface, list[str]]:
    """Doubles dropped, triangles without area flipped away, neighbours facing one way, fans cut apart. And notes.

    join, grow: see `repair.cut_apart`.
    """
    progress(0.0, "Looking for double triangles")
    surface, doubles = without_doubles(surface)
    progress(0.2, "Looking for triangles without area")
    surface, flat = without_flat(surface)
    progress(0.4, "Turning neighbours the same way")
    surface, turned, one_sided = facing_one_way(surface)
    progress(0.6, "Splitting shared edges")
    surface, split = cut_apart(surface, join=join, grow=grow)
    progress(0.9, "Putting the mesh together")
    return surface, said(
        (doubles, "double or collapsed triangle", "dropped."),
        (flat, "triangle", "without area flipped away."),
        (turned, "triangle", "turned over to face like the neighbours."),
        (split, "corner", "split where more than one surface met."),
        (one_sided, "part", "with only one side, like a Möbius strip, cut open."),
    )
