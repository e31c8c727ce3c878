"""Thicken thin parts: balls of the wanted thickness are put into thin walls and united with the figure."""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.mesh.splitting import edge_rings, split_to_count
from app.mesh.thickness import thickness
from app.mesh.voxels import around
from app.operations.carry import carry
from app.operations.operation import Number, Progress, Result, operation, part_of
from app.operations.repair import areas
from app.operations.solids import solid, surface_of, why_not_solid
from app.operations.surface import Surface, joined
from app.operations.voxel_remesh import surface_around

# Balls are a little larger, so that what is measured on the triangles between their surfaces is not too little.
_MARGIN = 1.08
# Of the thickness: distance between the places where it is measured, grid of the balls, and centres that count as one.
_APART, _STEP, _SAME = 0.22, 0.18, 0.06
_MOST_TRIANGLES = 4_000_000
_EQUILATERAL = 3**0.5 / 4


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
    surface = Surface.of(mesh)
    reason = why_not_solid(surface)
    if reason is not None:
        raise InvalidInput(f"the model cannot be thickened: {reason}", "", 'Run "Clean up" first')
    centres = _middles_of_thin_walls(mesh, minimum, part_of(progress, 0.0, 0.4))
    if not len(centres):
        return Result(mesh.snapshot(), [f"No wall is thinner than {minimum:g} mm."])
    balls = around(centres, _MARGIN * minimum / 2, _STEP * minimum, part_of(progress, 0.4, 0.6))
    flesh = surface_around(balls, part_of(progress, 0.4, 0.7))
    progress(0.7, "Carrying the colours over")
    colored = Surface.of(carry(mesh, flesh.positions, flesh.triangles))
    whole = joined(surface, colored)
    body, more = np.arange(len(surface.triangles)), np.arange(len(surface.triangles), len(whole.triangles))
    progress(0.8, "Uniting what has grown with the figure")
    result = surface_of(solid(whole, body) + solid(whole, more), whole).mesh()
    grown = result.size() - mesh.size()
    return Result(result, [f"Thin walls are {minimum:g} mm thick now; the model grew by {grown.max():.2f} mm."])


def _middles_of_thin_walls(mesh: Mesh, minimum: float, progress: Progress) -> np.ndarray:
    """(n, 3) float64, mm: centres of the balls that fit into walls thinner than the minimum."""
    progress(0.0, "Measuring walls")
    dense = _dense(mesh, _APART * minimum)
    walls = thickness(dense, progress, at_most_mm=minimum)
    thin = walls < minimum
    middles = dense.positions[thin] - dense.normals[thin] * (walls[thin, None] / 2)
    _, first = np.unique(np.floor(middles / (_SAME * minimum)).astype(np.int64), axis=0, return_index=True)
    return middles[np.sort(first)].astype(np.float64)


def _dense(mesh: Mesh, edge_mm: float) -> Mesh:
    """The same surface in triangles whose edges are about so long, if it has longer ones."""
    area = float(areas(mesh.positions, mesh.triangles).sum())
    count = int(min(area / (_EQUILATERAL * edge_mm**2), _MOST_TRIANGLES))
    if count <= mesh.triangle_count:
        return mesh
    across = edge_rings(mesh.triangles, mesh.topology)
    positions, triangles, _ = split_to_count(mesh.positions, mesh.triangles, across, count)
    return build_mesh(Soup(positions, triangles))
