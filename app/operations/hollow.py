"""Hollow: a wall of even thickness instead of a full body, with holes for the resin to get out."""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.bvh import Bvh
from app.mesh.mesh import Mesh
from app.operations.operation import Integer, Number, Progress, Result, operation, part_of
from app.operations.painting import INSIDE, painted_plain
from app.operations.parts import Parts
from app.operations.shapes import cylinder
from app.operations.solids import less, why_not_solid
from app.operations.surface import Surface, joined
from app.operations.voxel_remesh import solid_surface
from app.operations.wording import counted, said

# Samples of the grid across the wall. The level of an exact distance is found between them.
_SAMPLES_IN_WALL = 4
# A cavity smaller than a ball of the wall's thickness saves nothing.
_BALL = 4 / 3 * np.pi
# Holes of one cavity lie no higher above its lowest point than this many walls.
_LOW = 4


def _needs_body(mesh: Mesh) -> str | None:
    if mesh.topology.boundary.any():
        return 'It has open or non-manifold edges. Run "Clean up" first.'
    return None


@operation(
    id="hollow",
    label="Hollow",
    group="Print",
    tooltip="Makes the inside empty up to a wall of even thickness and drills holes for the resin to get out",
    parameters=(
        Number("wall", "Wall", "mm", 0.3, 50.0, 2.0, "Thickness of the wall that stays"),
        Number("diameter", "Holes, diameter", "mm", 0.5, 50.0, 4.0, "How wide the escape holes are"),
        Integer(
            "holes", "Holes for each cavity", "", 0, 8, 2, "Two let air in while resin runs out; 0 traps the resin"
        ),
    ),
    precondition=_needs_body,
    order=20,
)
def hollow(mesh: Mesh, progress: Progress, *, wall: float, diameter: float, holes: int) -> Result:
    outside = Surface.of(mesh)
    reason = why_not_solid(outside)
    if reason is not None:
        raise InvalidInput(f"the model cannot be hollowed: {reason}", "", 'Run "Clean up" first')
    step = wall / _SAMPLES_IN_WALL
    inside = solid_surface(outside.positions, outside.triangles, step, part_of(progress, 0.0, 0.7), -wall)
    cavities = Parts.of(inside)
    large = cavities.volume > _BALL * wall**3
    if not large.any():
        raise InvalidInput(f"with walls of {wall:g} mm nothing is left to hollow", "", "Choose a thinner wall")
    inside = inside.kept(cavities.rows(large))
    drills = _drills(outside, inside, wall, diameter / 2, holes)
    inside = inside.flipped(np.ones(len(inside.triangles), bool))
    whole, body = joined(outside, inside), len(outside.triangles) + len(inside.triangles)
    for drill in drills:
        whole = joined(whole, drill)
    whole = painted_plain(whole, np.arange(len(outside.triangles), len(whole.triangles)), INSIDE)
    progress(0.75, "Drilling holes")
    first = body
    for drill in drills:
        tool = np.arange(first, first + len(drill.triangles))
        rest = whole.kept(np.arange(first + len(drill.triangles), len(whole.triangles)))
        drilled = less(whole, np.arange(first), tool)
        first = len(drilled.triangles)
        whole = joined(drilled, rest) if len(rest.triangles) else drilled
    progress(0.9, "Putting the mesh together")
    saved = float(cavities.volume[large].sum())
    notes = [f"{counted(int(large.sum()), 'cavity', 'cavities')} of {saved / 1000:.1f} cm³ in all."]
    notes += said((len(drills), "escape hole", "drilled.")) or ["No escape holes: resin stays inside."]
    return Result(whole.mesh(), notes)


def _drills(outside: Surface, inside: Surface, wall: float, radius: float, holes: int) -> list[Surface]:
    """Upright cylinders from each cavity's lowest places down through the wall, as far apart as the cavity is wide."""
    parts = Parts.of(inside)
    tree = Bvh.of(outside.positions, outside.triangles)
    drills = []
    for part in range(parts.count if holes else 0):
        vertices = np.unique(inside.triangles[parts.shell == part])
        points = inside.positions[vertices].astype(np.float64)
        lowest = points[np.argmin(points[:, 2])]
        low = points[points[:, 2] <= lowest[2] + _LOW * wall]
        chosen = [lowest]
        while len(chosen) < holes:
            apart = np.min([np.linalg.norm(low[:, :2] - place[:2], axis=1) for place in chosen], axis=0)
            if apart.max() < 3 * radius:
                break
            chosen.append(low[np.argmax(apart)])
        down = np.tile(np.array([0, 0, -1], np.float32), (len(chosen), 1))
        depth = tree.first_hits(np.array(chosen, np.float32), down).distance
        drills += [
            cylinder(place[:2], radius, place[2] - far - radius, place[2] + wall / 2)
            for place, far in zip(chosen, depth, strict=True)
            if np.isfinite(far)
        ]
    return drills
