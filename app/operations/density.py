"""What operations on density share: more, fewer or evener triangles over the same shape, and colour carried over.

What does not live here: the kernels (`app.mesh.splitting`, `collapsing`, `relaxing`), and the operations' declarations.
"""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.build import hilbert_keys
from app.mesh.bvh import Bvh
from app.mesh.collapsing import collapse_to_count
from app.mesh.edges import names_twice
from app.mesh.mesh import Mesh
from app.mesh.normals import vertex_normals
from app.mesh.relaxing import relax
from app.mesh.splitting import edge_rings, split_to_count
from app.mesh.topology import Topology
from app.operations.carry import carry
from app.operations.operation import Progress, part_of

MOST_TRIANGLES = 20_000_000

# How far flips and moves may take the surface from where it was: a part of the model's size, and never more than this,
# which is a tenth of what the printer can show.
_BUDGET_PART = 5e-5
_BUDGET_MM = 0.008
_ROUNDS, _BEFORE = 3, 0.25
# Following curvature: cosines between a vertex's normal and the one of its triangles that leans away most; above the
# first the surface is round there, below the second it has an edge that stays sharp.
_ROUND, _SHARP = 0.85, 0.6
_SCRAMBLE = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


def proper_triangles(mesh: Mesh) -> np.ndarray:
    """(n, 3) int32: the triangles that do not name a vertex twice; those cover nothing and have no edges.

    Raises InvalidInput where none is left.
    """
    twice = names_twice(mesh.triangles)
    if twice.all():
        raise InvalidInput("none of the triangles has an area, so there is no surface", "", "Open another file")
    return np.ascontiguousarray(mesh.triangles[~twice]) if twice.any() else mesh.triangles


def in_order(positions: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same surface with neighbours in space near in memory, which makes what follows faster; unused vertices go."""
    used = np.zeros(len(positions), bool)
    used[triangles] = True
    kept = np.flatnonzero(used)
    kept = kept[np.argsort(hilbert_keys(positions[kept]), kind="stable")]
    rank = np.empty(len(positions), np.int32)
    rank[kept] = np.arange(len(kept), dtype=np.int32)
    triangles = rank[triangles]
    order = np.argsort(triangles.min(axis=1), kind="stable")
    return np.ascontiguousarray(positions[kept]), np.ascontiguousarray(triangles[order])


def refined(source: Mesh, count: int, progress: Progress, *, follow_curvature: bool) -> tuple[np.ndarray, np.ndarray]:
    """More triangles: `count` of them, or one fewer where the surface only takes even numbers (see `splitting`).

    Without following curvature the shape stays within one and a quarter of the budget above. Returns positions and
    triangles.
    """
    triangles = proper_triangles(source)
    # Splitting a needle would turn some of its pieces over, by rounding; a part of the budget does away with needles.
    positions, triangles = source.positions.copy(), triangles.copy()
    _evened(positions, triangles, part_of(progress, 0.0, 0.1), _BEFORE)
    progress(0.1, "Splitting the longest edges")
    across = edge_rings(triangles, Topology.of(triangles, source.vertex_count))
    positions, triangles, _ = split_to_count(positions, triangles, across, count)
    progress(0.3, "Splitting the longest edges")
    positions, triangles = in_order(positions, triangles)
    if follow_curvature:
        progress(0.4, "Rounding the surface")
        positions = rounded(source, positions)
    return _evened(positions, triangles, part_of(progress, 0.5, 1.0)), triangles


def reduced(source: Mesh, count: int, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Fewer triangles: `count` of them, or the nearest above that can be reached. Returns positions and triangles."""
    positions, triangles = collapse_to_count(source.positions, proper_triangles(source), count, progress)
    if len(triangles) == count + 1:
        # Collapses take two, and no open edge was free to go alone: take two, then split an open edge, where one is.
        positions, triangles = in_order(positions, triangles)
        positions, triangles = collapse_to_count(positions, triangles, count - 1, part_of(progress, 1.0, 1.0))
        if len(triangles) < count:
            across = edge_rings(triangles, Topology.of(triangles, len(positions)))
            positions, triangles, _ = split_to_count(positions, triangles, across, count)
    return positions, triangles


def rounded(source: Mesh, positions: np.ndarray) -> np.ndarray:
    """Points of the source's surface moved onto a smooth surface through its vertices. (n, 3) float32.

    Phong tessellation (Boubekeur and Alexa, 2008) with the factor 1/2, which puts the middle of an edge of a sphere
    onto the sphere. Vertices on sharp edges do not bend the surface around them.
    """
    found = Bvh.of(source.positions, source.triangles).closest(positions)
    normals = vertex_normals(source.positions, source.triangles, source.topology).astype(np.float64)
    corners = source.triangles[found.triangle]
    weights = found.weights * _roundness(source, normals)[corners]
    out = positions.astype(np.float64)
    for k in range(3):
        normal = normals[corners[:, k]]
        height = np.einsum("nk,nk->n", positions - source.positions[corners[:, k]].astype(np.float64), normal)
        out -= (weights[:, k] * height / 2)[:, None] * normal
    return out.astype(np.float32)


def _roundness(source: Mesh, normals: np.ndarray) -> np.ndarray:
    """(V,) 1 where the surface is round about a vertex, 0 where it has a sharp edge or ends."""
    corners = source.positions[source.triangles].astype(np.float64)
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    least = np.ones(source.vertex_count)
    for k in range(3):
        cosine = np.einsum("tk,tk->t", flat, normals[source.triangles[:, k]])
        np.minimum.at(least, source.triangles[:, k], cosine)
    least[source.topology.boundary == 1] = 0.0
    return ((least - _SHARP) / (_ROUND - _SHARP)).clip(0.0, 1.0)


def _evened(positions: np.ndarray, triangles: np.ndarray, progress: Progress, spend: float = 1.0) -> np.ndarray:
    """Positions after flips and moves (in place in both) within that part of the budget."""
    across = edge_rings(triangles, Topology.of(triangles, len(positions)))
    error = np.zeros(len(triangles), np.float32)
    budget = spend * min(_BUDGET_MM, _BUDGET_PART * float(np.ptp(positions, axis=0).max()))
    for part in range(_ROUNDS):
        progress(part / _ROUNDS, "Evening out the triangles")
        relax(positions, triangles, across, error, budget)
    return positions


def finished(source: Mesh, positions: np.ndarray, triangles: np.ndarray, progress: Progress) -> Mesh:
    """The new mesh with the source's colours. Vertices stay apart: none is welded to another that came to its place."""
    positions, triangles = in_order(positions, triangles)
    return carry(source, _apart(positions), triangles, progress)


def _apart(positions: np.ndarray) -> np.ndarray:
    """Move vertices that lie on others by the smallest step there is, so that building the mesh does not join them."""
    positions = positions + np.float32(0)  # -0.0 lies on 0.0
    while True:
        bits = positions.view(np.uint32).astype(np.uint64)
        keys = bits @ _SCRAMBLE  # two that differ may have one key, and are then moved for nothing
        order = np.argsort(keys, kind="stable")
        same = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
        if not len(same):
            return positions
        moved = order[same + 1]
        positions[moved, 0] = np.nextafter(positions[moved, 0], np.float32(np.inf))


def count_note(wanted: int, made: int) -> list[str]:
    """A sentence for the user where the wanted number was not reached."""
    if made == wanted:
        return []
    if made == wanted - 1:
        return [f"A closed surface has an even number of triangles: {made:,} instead of {wanted:,}."]
    return [f"Fewer than {made:,} triangles are not possible without changing what the surface is."]
