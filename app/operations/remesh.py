"""Remesh: even triangles of one size all over."""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.bvh import Bvh
from app.mesh.collapsing import collapse_to_length
from app.mesh.mesh import Mesh
from app.mesh.relaxing import relax
from app.mesh.splitting import edge_rings, split_to_length
from app.mesh.topology import Topology
from app.operations.carry import facing
from app.operations.density import MOST_TRIANGLES, finished, in_order, proper_triangles
from app.operations.operation import Number, Progress, Result, operation, part_of

_ROUNDS = 5
# Botsch and Kobbelt, A remeshing approach to multiresolution modeling, 2004: these keep splitting and collapsing from
# undoing each other.
_LONGEST, _SHORTEST = 4 / 3, 4 / 5
# How far one round may take the surface off, as a part of the edge length; the next looks for the old surface again.
_BUDGET = 0.05
_AWAY = 0.01


def even_edge(mesh: Mesh) -> float:
    """The edge length, mm, at which even triangles are as many as the mesh has now."""
    return float(np.sqrt(4 * _area(mesh) / (np.sqrt(3) * max(mesh.triangle_count, 1))))


@operation(
    id="remesh",
    label="Remesh evenly",
    group="Density",
    tooltip="Covers the model with even triangles of one size, as sculpting likes them",
    parameters=(
        Number("edge", "Edge length", "mm", 0.01, 100.0, 0.3, "How long the edges of the new triangles are", even_edge),
    ),
    order=20,
)
def remesh(mesh: Mesh, progress: Progress, *, edge: float) -> Result:
    """Split what is long, collapse what is short, flip, slide, look for the old surface again; five times over."""
    expected = 4 * _area(mesh) / (np.sqrt(3) * edge * edge)
    if expected > MOST_TRIANGLES:
        what = f"edges of {edge:g} mm would make {expected:,.0f} triangles; {MOST_TRIANGLES:,} are the most"
        raise InvalidInput(what, "", "Give longer edges")
    tree = Bvh.of(mesh.positions, mesh.triangles)
    away = _AWAY * float(np.linalg.norm(mesh.size()))
    positions, triangles = mesh.positions, proper_triangles(mesh)
    for part in range(_ROUNDS):
        inside = part_of(progress, 0.8 * part / _ROUNDS, 0.8 * (part + 1) / _ROUNDS)
        inside(0.0, "Splitting and collapsing edges")
        across = edge_rings(triangles, Topology.of(triangles, len(positions)))
        positions, triangles, _ = split_to_length(positions, triangles, across, edge * _LONGEST, MOST_TRIANGLES)
        positions, triangles = in_order(positions, triangles)
        inside(0.3, "Splitting and collapsing edges")
        positions, triangles = collapse_to_length(positions, triangles, edge * _SHORTEST, edge * _LONGEST)
        positions, triangles = in_order(positions, triangles)
        inside(0.6, "Evening out the triangles")
        across = edge_rings(triangles, Topology.of(triangles, len(positions)))
        error = np.zeros(len(triangles), np.float32)
        for _ in range(2):
            relax(positions, triangles, across, error, edge * _BUDGET)
        inside(0.8, "Finding the surface again")
        positions = _on_surface(mesh, tree, positions, triangles, away)
    return Result(finished(mesh, positions, triangles, part_of(progress, 0.8, 1.0)))


def _area(mesh: Mesh) -> float:
    corners = mesh.positions[mesh.triangles].astype(np.float64)
    return (
        float(np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum()) / 2
    )


def _on_surface(mesh: Mesh, tree: Bvh, positions: np.ndarray, triangles: np.ndarray, away: float) -> np.ndarray:
    """Each vertex at its closest point on the old surface. One whose triangles would turn over stays where it is."""
    normals, _, before = facing(positions, triangles)
    found = tree.closest(positions, facing=normals, away_mm=away)
    moved = found.interpolated(mesh.positions[mesh.triangles]).astype(np.float32)
    while True:
        after = facing(moved, triangles)[2]
        turned = np.einsum("tk,tk->t", before, after) <= 0
        back = np.unique(triangles[turned])
        back = back[(moved[back] != positions[back]).any(axis=1)]
        if not len(back):
            return moved
        moved[back] = positions[back]
