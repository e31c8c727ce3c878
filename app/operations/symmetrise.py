"""Symmetrise: one side of the model takes the shape of the other; no triangle is added or lost."""

from __future__ import annotations

import numpy as np

from app.errors import InvalidInput
from app.mesh.bvh import Bvh
from app.mesh.mesh import Mesh
from app.mesh.transform import with_positions
from app.operations.carry import facing
from app.operations.clipping import clipped
from app.operations.matching import Moved, Other, moved_onto
from app.operations.operation import Choice, Number, Progress, Result, Toggle, operation, part_of
from app.operations.surface import Surface
from app.operations.wording import said

_AXES = {"x": 0, "y": 1, "z": 2}
# What a vertex looks for its other side in, as a part of the model's longest side.
_REACH = 0.03
# Nearer to the plane than this part of the model's size is on it.
_ON_PLANE = 1e-6


@operation(
    id="symmetrise",
    label="Symmetrise",
    group="Shape",
    tooltip="Gives one side the shape of the other and keeps its triangles, texture, mask and face sets",
    parameters=(
        Choice(
            "axis",
            "Across",
            (("x", "Left and right"), ("y", "Front and back"), ("z", "Up and down")),
            "x",
            "Which sides are made alike",
        ),
        Choice(
            "side",
            "Shape from",
            (("positive", "The plus side"), ("negative", "The minus side")),
            "positive",
            "Which side stays as it is; seen from the front, plus is on the right of the screen",
        ),
        Number("at", "Plane at", "mm", -1000.0, 1000.0, 0.0, "Where the mirror stands on the axis"),
        Number("amount", "Amount", "%", 0.0, 100.0, 100.0, "How far the side goes toward the other one's shape"),
        Number(
            "reach",
            "Reach",
            "mm",
            0.1,
            100.0,
            5.0,
            "What finds nothing so near on the other side stays: a bag over one shoulder, a raised arm",
            lambda mesh: round(_REACH * float(mesh.size().max()), 1),
        ),
        Number("feather", "Soft seam", "mm", 0.0, 20.0, 0.5, "So near to the plane the side is left more as it was"),
        Toggle("colors", "Colours too", False, "Take the colours of the vertices over as well"),
    ),
    order=25,
)
def symmetrise(
    mesh: Mesh,
    progress: Progress,
    *,
    axis: str,
    side: str,
    at: float,
    amount: float,
    reach: float,
    feather: float,
    colors: bool,
) -> Result:
    """By nearest points of the other side, so that the two sides need not have the same triangles.

    What is masked or hidden stays; hidden parts are no model for others either.
    """
    across, sign = _AXES[axis], 1.0 if side == "positive" else -1.0
    height = sign * (mesh.positions[:, across].astype(np.float64) - np.float64(np.float32(at)))
    on_plane = _ON_PLANE * float(np.linalg.norm(mesh.size()))
    rows = np.flatnonzero((height < -on_plane) & (mesh.hidden == 0)).astype(np.int32)
    if not len(rows) or not ((height > on_plane) & (mesh.hidden == 0)).any():
        raise InvalidInput("there is nothing to see on one side of the mirror", "", "Move the plane, or show all")
    progress(0.0, "Cutting the model at the plane")
    other, taken = _other_side(mesh, across, at, above=sign > 0)
    moved = moved_onto(other, mesh.positions, mesh.triangles, mesh.topology, rows, reach, part_of(progress, 0.1, 0.95))
    free = np.float32(amount / 100) * (1 - mesh.mask[rows].clip(0, 1)) * moved.part
    free *= _away_from_seam(-height[rows], feather)
    positions = mesh.positions.copy()
    positions[rows] += free[:, None] * (moved.positions[rows] - mesh.positions[rows])
    result = with_positions(mesh, positions)
    notes = _notes(moved, rows)
    if colors and mesh.colors is None:
        notes.append("The model has no colours on its vertices, so only its shape was taken over.")
    elif result.colors is not None and taken is not None and colors:
        wanted = np.einsum("nk,nkc->nc", moved.found.weights, taken[other.triangles[moved.found.triangle]])
        result.colors[rows] += free[:, None] * (wanted - result.colors[rows])
    return Result(result, notes)


def _other_side(mesh: Mesh, axis: int, at: float, *, above: bool) -> tuple[Other, np.ndarray | None]:
    """What is visible beyond the plane, mirrored to this side; and the colours of its vertices, (N, 3) float32."""
    height = mesh.positions[:, axis] - np.float32(at)
    beyond = (height >= 0 if above else height <= 0)[mesh.triangles]
    visible = (mesh.hidden == 0)[mesh.triangles].all(axis=1)
    whole = mesh.triangles[visible & beyond.all(axis=1)]
    crossing = Surface.bare(mesh.positions, mesh.triangles[visible & beyond.any(axis=1) & ~beyond.all(axis=1)])
    crossing.colors = mesh.colors
    cut = clipped(crossing, axis, at, above=above)
    triangles = np.concatenate((whole, cut.triangles))
    positions = cut.positions.copy()
    # Twice the plane less the place: in float64, so that a symmetric model finds itself to the bit.
    positions[:, axis] = 2 * np.float64(np.float32(at)) - positions[:, axis]
    triangles = np.ascontiguousarray(triangles[:, [0, 2, 1]])
    inner = positions[:, axis] != np.float32(at)
    colors = cut.colors
    if mesh.colors is not None and colors is not None:
        colors[: mesh.vertex_count] = mesh.colors
    normals = facing(positions, triangles)[0]
    return Other(positions, normals, triangles, inner, Bvh.of(positions, triangles)), colors


def _away_from_seam(distance: np.ndarray, feather: float) -> np.ndarray:
    """(n,) float32: 0 on the plane, 1 from `feather` mm on."""
    if not feather > 0:
        return np.ones(len(distance), np.float32)
    step = (distance / feather).clip(0, 1)
    return (step * step * (3 - 2 * step)).astype(np.float32)


def _notes(moved: Moved, rows: np.ndarray) -> list[str]:
    stayed = int(np.count_nonzero(moved.part == 0))
    notes = []
    if stayed:
        share = 100 * stayed / len(rows)
        notes.append(f"{share:.1f} % of the side found nothing within the reach and stayed.")
    return notes + said((moved.folded, "triangle", "of the side may still be folded: smooth there."))
