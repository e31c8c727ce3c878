"""Clean up: all repairs that nobody would refuse, in the order in which each finds what it needs, as one step."""

from __future__ import annotations

from app.errors import InvalidInput
from app.mesh.mesh import Mesh
from app.operations.holes import fill, holes
from app.operations.make_manifold import manifold
from app.operations.operation import Progress, Result, operation, part_of
from app.operations.orient import outward
from app.operations.parts import Parts
from app.operations.remove_floaters import floaters
from app.operations.remove_inner_shells import without_inner
from app.operations.repair import areas, size_of
from app.operations.resolve_self_intersections import resolved
from app.operations.surface import Surface, joined
from app.operations.weld import open_vertices, welded
from app.operations.wording import counted, said

# Lengths go with the model, whose size may not be right yet: 0.01 mm, and 2 mm, for a figure of 150 mm.
_WELD = 6e-5
_FLOATER = 0.013
_FLOATER_SHARE = 0.01
# Open shells with less surface than this part of the largest are scraps when nothing else makes bodies of them.
_SCRAP_SHARE = 0.02
# A change of height by more than this part is said.
_OTHER_HEIGHT = 0.003
# A shell whose lids would be larger than this part of it is no body with holes, but a relief or a cloth.
_LID_SHARE = 0.6


@operation(
    id="clean_up",
    label="Clean up",
    group="Clean",
    tooltip="Does all safe repairs as one step: cracks, holes, facing, floaters, inner walls, crossings",
    order=0,
)
def clean_up(mesh: Mesh, progress: Progress) -> Result:
    surface = Surface.of(mesh)
    size = size_of(surface.positions)
    progress(0.0, "Welding cracks")
    if not (areas(surface.positions, surface.triangles) > 0).any():
        raise InvalidInput("none of the triangles has an area, so there is no surface", "", "Open another file")
    surface, joints = welded(surface, _WELD * size, open_vertices(surface))
    notes = said((joints, "vertex pair", "welded at cracks."))
    surface, more = manifold(surface, join=True, grow=True, progress=part_of(progress, 0.05, 0.15))
    notes += more
    surface, more = _closed(surface, part_of(progress, 0.15, 0.3))
    notes += more
    surface, turned, _ = outward(surface, keep_cavities=True, progress=part_of(progress, 0.3, 0.4))
    notes += said((turned, "triangle", "turned outward."))
    surface, more = _without_bits(surface, size, part_of(progress, 0.4, 0.5))
    notes += more
    surface, more = _without_crossings(surface, part_of(progress, 0.5, 0.9))
    notes += more
    if more:  # what touched only something that has gone floats now
        surface, more = _without_bits(surface, size, part_of(progress, 0.9, 0.95))
        notes += more
    progress(0.95, "Putting the mesh together")
    result = surface.mesh()
    before, after = float(mesh.size()[2]), float(result.size()[2])
    if abs(after - before) > _OTHER_HEIGHT * before:
        notes.append(f'Without what went it is {after:.4g} mm tall, not {before:.4g}: "Scale to height" mends that.')
    return Result(result, notes or ["There was nothing to clean up."])


def _closed(surface: Surface, progress: Progress) -> tuple[Surface, list[str]]:
    """Walls inside closed bodies dropped, holes closed, scraps that cannot be closed dropped."""
    progress(0.0, "Looking for walls inside")
    parts = Parts.of(surface)
    walls = parts.buried() & parts.is_open
    surface = surface.kept(parts.rows(~walls))
    filled = fill(surface, holes(surface), "auto", part_of(progress, 0.3, 0.8), _LID_SHARE)
    parts = Parts.of(filled.surface)
    closed_area = parts.area[~parts.is_open].max(initial=0.0)
    scraps = parts.is_open & (parts.area < _SCRAP_SHARE * closed_area)
    kept = parts.is_open & ~scraps
    notes = said(
        (int(walls.sum()), "open wall", "inside a body removed."),
        (filled.closed, "hole", f"closed with {counted(len(filled.lids), 'triangle')}."),
        (int(scraps.sum()), "small sheet", "without thickness removed."),
        (int(kept.sum()), "sheet", 'still open: try "Give sheets thickness" or "Voxel remesh".'),
    )
    return filled.surface.kept(parts.rows(~scraps)), notes


def _without_bits(surface: Surface, size: float, progress: Progress) -> tuple[Surface, list[str]]:
    """Without floaters and without what lies inside."""
    progress(0.0, "Looking for floaters")
    parts = Parts.of(surface)
    bits = floaters(parts, _FLOATER_SHARE, _FLOATER * size, keep_touching=True)
    surface = surface.kept(parts.rows(~bits))
    progress(0.5, "Looking inside")
    surface, inner = without_inner(surface)
    return surface, said((int(bits.sum()), "floater", "removed."), (inner, "inner shell", "removed."))


def _without_crossings(surface: Surface, progress: Progress) -> tuple[Surface, list[str]]:
    """The outside of all closed bodies; open sheets stay as they are."""
    parts = Parts.of(surface)
    sheets, bodies = surface.kept(parts.rows(parts.is_open)), surface.kept(parts.rows(~parts.is_open))
    if not len(bodies.triangles):
        return surface, []
    bodies, found, left = resolved(bodies, progress)
    notes = said(
        (found - left, "crossing", "of triangles resolved."),
        (left, "crossing", 'of triangles left: "Voxel remesh" makes a surface without any.'),
    )
    return (joined(bodies, sheets) if len(sheets.triangles) else bodies), notes
