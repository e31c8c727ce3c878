"""Subdivide: every triangle becomes four, flat or smooth."""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.edges import Edges, names_twice
from app.mesh.mesh import Mesh
from app.operations.carry import carry_by_weights
from app.operations.density import MOST_TRIANGLES, proper_triangles
from app.operations.operation import Choice, Integer, Progress, operation, part_of

# Barycentric weights of the corners of the four children in their parent: one at each corner, the last in the middle.
_MIDDLES = np.array([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]])
_CHILDREN = np.array(
    [
        [[1, 0, 0], _MIDDLES[0], _MIDDLES[2]],
        [_MIDDLES[0], [0, 1, 0], _MIDDLES[1]],
        [_MIDDLES[2], _MIDDLES[1], [0, 0, 1]],
        [_MIDDLES[0], _MIDDLES[1], _MIDDLES[2]],
    ]
)


@operation(
    id="subdivide",
    label="Subdivide",
    group="Density",
    tooltip="Makes four triangles of each one, smooth or flat",
    parameters=(
        Choice(
            "scheme",
            "Scheme",
            (("loop", "Smooth (Loop)"), ("midpoint", "Flat (midpoint)")),
            "loop",
            "Smooth rounds the model and takes a little volume away; flat keeps the shape to the bit",
        ),
        Integer("levels", "Levels", "", 1, 5, 1, "How many times; each makes four times as many triangles"),
    ),
    order=40,
)
def subdivide(mesh: Mesh, progress: Progress, *, scheme: str, levels: int) -> Mesh:
    """Texture coordinates and colours are interpolated within each triangle, so seams stay where they are."""
    triangles = proper_triangles(mesh)
    if len(triangles) * 4**levels > MOST_TRIANGLES:
        what = f"{levels} levels would make {len(triangles) * 4**levels:,} triangles; {MOST_TRIANGLES:,} are the most"
        raise InvalidInput(what, "", "Choose fewer levels, or retarget to a number")
    positions = mesh.positions.astype(np.float64)
    parent = np.flatnonzero(~names_twice(mesh.triangles))
    weights = np.broadcast_to(np.eye(3), (len(triangles), 3, 3))
    for level in range(levels):
        progress(0.7 * level / levels, "Subdividing")
        edges = Edges.of(triangles)
        moved, middles = _loop(positions, triangles, edges) if scheme == "loop" else _midpoint(positions, edges)
        middle = (edges.of_half.reshape(-1, 3) + len(positions)).astype(np.int32)
        positions = np.concatenate((moved, middles))
        triangles = _four(triangles, middle)
        parent = np.repeat(parent, 4)
        weights = np.einsum("qck,tkx->tqcx", _CHILDREN, weights).reshape(-1, 3, 3)
    return carry_by_weights(mesh, positions.astype(np.float32), triangles, parent, weights, part_of(progress, 0.7, 1.0))


def _four(triangles: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """middle: (T, 3), the new vertex on the edge from each corner to the next. Children in the order of `_CHILDREN`."""
    (a, b, c), (ab, bc, ca) = triangles.T, middle.T
    children = (a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)
    return np.ascontiguousarray(np.stack([np.stack(child, axis=1) for child in children], axis=1).reshape(-1, 3))


def _midpoint(positions: np.ndarray, edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    return positions, (positions[edges.ends[:, 0]] + positions[edges.ends[:, 1]]) / 2


def _loop(positions: np.ndarray, triangles: np.ndarray, edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Loop, Smooth subdivision surfaces based on triangles, 1987. Edges without exactly two triangles are borders.

    Returns the vertices' new places and those of the edges' middles. Vertices where borders meet or end stay.
    """
    count = len(positions)
    start, end = edges.ends.T
    inner = edges.uses == 2
    middles = (positions[start] + positions[end]) / 2
    opposite = np.zeros((len(edges.ends), 3))
    apex = triangles[:, [2, 0, 1]].ravel()  # across from the edge that starts at each corner
    for k in range(3):
        opposite[:, k] = np.bincount(edges.of_half, weights=positions[apex, k], minlength=len(edges.ends))
    middles[inner] = 0.75 * middles[inner] + opposite[inner] / 8

    def ring_sums(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, b = start[chosen], end[chosen]
        number = np.bincount(a, minlength=count) + np.bincount(b, minlength=count)
        sums = np.empty((count, 3))
        for k in range(3):
            sums[:, k] = np.bincount(a, weights=positions[b, k], minlength=count)
            sums[:, k] += np.bincount(b, weights=positions[a, k], minlength=count)
        return number, sums

    borders, border_sums = ring_sums(~inner)
    valence, sums = ring_sums(np.ones(len(inner), bool))
    moved = positions.copy()
    free = (borders == 0) & (valence > 0)
    n = valence[free]
    part = ((40 - (2 * np.cos(2 * np.pi / n) + 3) ** 2) / (64 * n))[:, None]
    moved[free] = part * sums[free] + (1 - n[:, None] * part) * positions[free]
    rim = borders == 2
    moved[rim] = 0.75 * positions[rim] + border_sums[rim] / 8
    return moved, middles
