"""Thicken thin parts: where a wall is thinner than a minimum, both of its sides move outward."""

from __future__ import annotations

import numpy as np

from app.mesh.bvh import Bvh
from app.mesh.jit import parallel_kernel, prange
from app.mesh.mesh import Mesh
from app.mesh.normals import vertex_normals
from app.mesh.transform import with_positions
from app.operations.operation import Number, Progress, Result, operation

# Moving both sides changes where rays meet the other side, so it is done in steps.
_STEPS = 6
# Rays into the body: along the normal and so much beside it, four ways. What counts is the first, or the middle one of
# all where a crooked normal leads the first astray.
_TILT = 0.35
# No side moves farther than this part of the way to what is in front of it.
_OF_GAP = 0.4
# Rings over which the wanted move runs out, so that no step is seen.
_RINGS = 6
# A wall is thick enough at this part of the minimum: the last hundredths would take many steps.
_ENOUGH = 0.98
_BLOCK = 4096


@operation(
    id="thicken",
    label="Thicken thin parts",
    group="Print",
    tooltip="Moves the surface outward where walls are thinner than a minimum, so that they do not break",
    parameters=(Number("minimum", "At least", "mm", 0.1, 20.0, 1.0, "Walls thinner than this become this thick"),),
    order=10,
)
def thicken(mesh: Mesh, progress: Progress, *, minimum: float) -> Result:
    positions, topology = mesh.positions.copy(), mesh.topology
    thin_before = 0.0
    for step in range(_STEPS):
        progress(step / _STEPS, "Measuring walls")
        normals = vertex_normals(positions, mesh.triangles, topology)
        inward, front = _measured(positions, mesh.triangles, normals, 2 * minimum)
        thin = inward < _ENOUGH * minimum
        if step == 0:
            thin_before = float(thin.mean())
        if not thin.any():
            break
        wanted = np.where(inward < minimum, (minimum - inward) / 2, 0.0).astype(np.float32)
        move = _spread(wanted, topology.ring_offsets, topology.ring, _RINGS)
        move = np.minimum(move, _OF_GAP * front)
        positions += normals * move[:, None]
    else:
        normals = vertex_normals(positions, mesh.triangles, topology)
        thin = _measured(positions, mesh.triangles, normals, 2 * minimum)[0] < _ENOUGH * minimum
    notes = [f"{thin_before:.1%} of the surface was thinner than {minimum:g} mm, {float(thin.mean()):.1%} still is."]
    if thin.any():
        notes.append("Sharp edges and tips stay thin: there is no room to thicken them without rounding them off.")
    notes.append('Parts that now touch become one by "Resolve self-intersections".')
    return Result(with_positions(mesh, positions), notes)


def _measured(
    positions: np.ndarray, triangles: np.ndarray, normals: np.ndarray, most: float
) -> tuple[np.ndarray, np.ndarray]:
    """Per vertex, (V,) float32 mm, at most `most`: the wall behind it, and the gap in front of it."""
    tree = Bvh.of(positions, triangles)
    off = np.float32(1e-4 * most)
    across = np.where(np.abs(normals[:, :1]) < 0.8, [[1, 0, 0]], [[0, 1, 0]]).astype(np.float32)
    u = np.cross(normals, across)
    u /= np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-12)
    v = np.cross(normals, u)
    walls = []
    for x, y in ((0, 0), (_TILT, 0), (-_TILT, 0), (0, _TILT), (0, -_TILT)):
        ways = -normals + np.float32(x) * u + np.float32(y) * v
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        straight = -np.einsum("ij,ij->i", ways, normals)
        walls.append(tree.first_hits(positions - off * normals, ways).distance * straight)
    front = tree.first_hits(positions + off * normals, normals).distance
    wall = np.maximum(walls[0], np.median(walls, axis=0))
    return np.minimum(wall, most).astype(np.float32), np.minimum(front, most).astype(np.float32)


@parallel_kernel
def _spread(values, ring_offsets, ring, rounds):
    """The largest values around, less the more steps they are away, then evened out; never less than the values."""
    count = len(values)
    now = values.copy()
    fade = np.float32(1.0 / rounds)
    for _ in range(rounds):
        following = np.empty_like(now)
        for block in prange((count + _BLOCK - 1) // _BLOCK):
            for vertex in range(block * _BLOCK, min(count, (block + 1) * _BLOCK)):
                largest, total = np.float32(0), np.float32(0)
                for i in range(ring_offsets[vertex], ring_offsets[vertex + 1]):
                    largest = max(largest, now[ring[i]])
                    total += now[ring[i]]
                size = max(ring_offsets[vertex + 1] - ring_offsets[vertex], 1)
                around = (largest * (np.float32(1) - fade) + total / np.float32(size)) / np.float32(2)
                following[vertex] = max(values[vertex], min(around, now[vertex] + largest * fade))
        now = following
    return now
