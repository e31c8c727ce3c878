"""Thicken thin parts: balls of the wanted thickness are put into thin walls and united with the figure."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from app.errors import InvalidInput
from app.mesh.mesh import Mesh
from app.mesh.thickness import Walls
from app.mesh.voxels import around
from app.operations.carry import carry
from app.operations.holes import fill, holes
from app.operations.make_manifold import manifold
from app.operations.operation import Number, Progress, Result, no_progress, operation, part_of
from app.operations.parts import Parts
from app.operations.patching import patched
from app.operations.remove_inner_shells import without_inner
from app.operations.solids import solid, surface_of, why_not_solid
from app.operations.surface import Surface, joined
from app.operations.voxel_remesh import surface_around

# Balls are a little larger, so that what is measured on the triangles between their surfaces is not too little.
_MARGIN = 1.08
# Of the thickness: distance between the places where it is measured, grid of the balls, and centres that count as one.
_APART, _STEP, _SAME = 0.22, 0.18, 0.06
# Where walls grew into each other new thin places can come, fewer each time; as few as these are left. A place this
# near to a ball that is there already, as a part of the thickness, only looks thin because triangles are no sphere.
_ROUNDS, _FEW, _THERE = 3, 3, 0.25
# No more places than this at once; a large coarse model that is thin all over is measured a little less closely.
_MOST_PLACES = 8_000_000


def _needs_body(mesh: Mesh) -> str | None:
    if mesh.topology.boundary.any():
        return 'It has open or non-manifold edges. Run "Clean up" first.'
    return None


@operation(
    id="thicken",
    label="Thicken thin parts",
    group="Print",
    tooltip="Grows walls, edges and tips that are thinner than a minimum, so that they do not break",
    parameters=(Number("minimum", "At least", "mm", 0.1, 20.0, 1.0, "Walls thinner than this become this thick"),),
    precondition=_needs_body,
    order=10,
)
def thicken(mesh: Mesh, progress: Progress, *, minimum: float) -> Result:
    reason = why_not_solid(Surface.of(mesh))
    if reason is not None:
        raise InvalidInput(f"the model cannot be thickened: {reason}", "", 'Run "Clean up" first')
    hollow = bool((Parts.of(Surface.of(mesh)).volume < 0).any())
    result, there = mesh, np.empty((0, 3))
    for round_ in range(_ROUNDS):
        report = part_of(progress, 1 - 0.5**round_, 1 - 0.5 ** (round_ + 1))
        centres = _middles_of_thin_walls(result, minimum, part_of(report, 0.0, 0.3))
        centres = centres[cKDTree(there).query(centres)[0] > _THERE * minimum] if len(there) else centres
        if len(centres) <= (_FEW if round_ else 0):
            break
        result = _grown(result, centres, minimum, hollow, part_of(report, 0.3, 1.0))
        there = np.concatenate((there, centres))
    if result is mesh:
        return Result(mesh.snapshot(), [f"No wall is thinner than {minimum:g} mm."])
    grown = float((result.size() - mesh.size()).max())
    return Result(result, [f"Thin walls were made {minimum:g} mm thick; the model grew by {max(grown, 0):.2f} mm."])


def _grown(mesh: Mesh, centres: np.ndarray, minimum: float, hollow: bool, progress: Progress) -> Mesh:
    """The model united with balls around these centres. hollow: it has cavities, which stay."""
    surface = Surface.of(mesh)
    balls = around(centres, _MARGIN * minimum / 2, _STEP * minimum, part_of(progress, 0.0, 0.4))
    flesh = surface_around(balls, part_of(progress, 0.0, 0.5))
    progress(0.5, "Carrying the colours over")
    colored = Surface.of(carry(mesh, flesh.positions, flesh.triangles))
    whole = joined(surface, colored)
    body, more = np.arange(len(surface.triangles)), np.arange(len(surface.triangles), len(whole.triangles))
    progress(0.7, "Uniting what has grown with the figure")
    united = _sound(surface_of(solid(whole, body) + solid(whole, more), whole), part_of(progress, 0.8, 1.0))
    # Gaps that closed up leave bubbles.
    return (united if hollow else without_inner(united)[0]).mesh()


def _sound(surface: Surface, progress: Progress) -> Surface:
    """Without what rounding to float32 did where surfaces were cut: points that met, and crossings."""
    progress(0.0, "Smoothing the cuts")
    surface, _ = manifold(Surface.of(surface.mesh()), join=True, progress=no_progress)
    surface = fill(surface, holes(surface), "flat", no_progress).surface
    return patched(surface, part_of(progress, 0.3, 1.0))


def _middles_of_thin_walls(mesh: Mesh, minimum: float, progress: Progress) -> np.ndarray:
    """(n, 3) float64, mm: centres of the balls that fit into walls thinner than the minimum."""
    progress(0.0, "Measuring walls")
    mesh.refresh()
    walls = Walls(mesh)
    between = _places_between(mesh, walls.may_be_thin(minimum), _APART * minimum)
    middles = []
    for share, (points, normals) in ((0.0, (mesh.positions, mesh.normals)), (0.5, between)):
        found = walls.at(points, normals, minimum, part_of(progress, share, share + 0.5))
        thin = found < minimum
        middles.append(points[thin] - normals[thin] * (found[thin, None] / 2))
    places = np.concatenate(middles)
    _, first = np.unique(np.floor(places / (_SAME * minimum)).astype(np.int64), axis=0, return_index=True)
    return places[np.sort(first)].astype(np.float64)


def _places_between(mesh: Mesh, chosen: np.ndarray, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) float32 points on some triangles, no farther from each other than `apart` mm, and their normals.

    chosen: (T,) bool. They lie in rows along the longest edge, none on an edge: at the edge of a blade its thickness is
    nothing, and a ball there would make the model larger.
    """
    corners = mesh.positions[mesh.triangles[chosen]].astype(np.float64)
    edges = corners[:, [1, 2, 0]] - corners
    normals = np.cross(edges[:, 0], edges[:, 1])
    twice = np.linalg.norm(normals, axis=1)
    length = np.linalg.norm(edges, axis=2)
    large = (length.max(axis=1, initial=0.0) > apart) & (twice > 0)
    corners, normals, twice, length = corners[large], normals[large] / twice[large, None], twice[large], length[large]
    at = np.arange(len(corners))
    longest = length.argmax(axis=1)
    base = length[at, longest]
    apart = max(apart, float(np.sqrt(twice.sum() / 2 / _MOST_PLACES)))
    rows = np.ceil(twice / base / apart).astype(np.int64)
    triangle, row = _counted_out(rows)
    up = (row + 0.5) / rows[triangle]
    columns = np.ceil(base[triangle] * (1 - up) / apart).astype(np.int64)
    of_row, column = _counted_out(columns)
    triangle, up = triangle[of_row], up[of_row]
    along = (1 - up) * (column + 0.5) / columns[of_row]
    start, end, top = (corners[at, (longest + k) % 3][triangle] for k in range(3))
    points = start + along[:, None] * (end - start) + up[:, None] * (top - start)
    return points.astype(np.float32), normals[triangle].astype(np.float32)


def _counted_out(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each index as often as its count says, and with it 0, 1, 2 ... up to its count."""
    index = np.repeat(np.arange(len(counts)), counts)
    return index, np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
