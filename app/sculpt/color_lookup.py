"""Colours from elsewhere on the surface: what lies one step behind (Smear), what lies around another place (Clone).

What lives here: finding the nearest point of the surface within a dab's time, and mixing the colours of its triangle.
What does not: nearest points for whole-mesh operations (`app.mesh.bvh`).
"""

from __future__ import annotations

import numpy as np

from app.mesh.bvh import box_distance2, closest_from_corner, first_of_leaf
from app.mesh.jit import kernel, prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.pulls import pull_to_values
from app.sculpt.region import Region

# Vertices of the region that a thread takes at a time, so that it makes its small buffers once for all of them.
_BLOCK = 256
# Vertices per leaf of the tree over a source: runs of the Hilbert curve, so they lie close together.
_LEAF = 8
_DEEPEST = 64
# A look-up costs as much as so many vertices of a plain kernel, so threads pay sooner.
_COST = 8
# The nearest point of a surface through the middle of a ball, to any point in it, is not outside a ball twice as large.
_SOURCE_RADII = 2.0


def drag_colors(mesh: Mesh, region: Region, colors: np.ndarray, step: np.ndarray, rate: float) -> np.ndarray:
    """Delta by a part `rate` of the way to the colour that lies `step` (3,), mm, behind each vertex.

    colors: (V, 3) float32. The place is reached over the edges, so it is never on the far side of a thin wall.
    """
    if "smear" not in mesh.scratch:
        mesh.scratch["smear"] = np.empty(mesh.vertex_count, np.int32), np.zeros(mesh.vertex_count, np.int32), [0]
    near, known_at, calls = mesh.scratch["smear"]
    calls[0] += 1
    _drag.pick(_COST * len(region.vertices))(
        region.vertices,
        mesh.positions,
        mesh.topology.ring_offsets,
        mesh.topology.ring,
        mesh.triangles,
        mesh.topology.triangle_offsets,
        mesh.topology.vertex_triangles,
        colors,
        step,
        rate,
        near,
        known_at,
        calls[0],
        region.delta,
    )
    return region.delta


def clone_colors(
    mesh: Mesh, region: Region, colors: np.ndarray, source: np.ndarray, shift: np.ndarray, radius: float, rate: float
) -> np.ndarray:
    """Delta by a part `rate` of the way to the start colour of the surface nearest to each vertex + `shift` (3,), mm.

    colors: (V, 3) float32. source: (3,), mm, the dab's centre + shift. radius: mm, of the dab.
    Where there is no surface around the source, nothing changes. What a vertex takes is looked up once in a stroke.
    """
    known = mesh.scratch.get("clone")
    if known is None:
        known = mesh.scratch["clone"] = _Known(mesh.vertex_count)
    sought = known.sought(region, shift)
    if len(sought):
        chunks, ball = mesh.chunks, _SOURCE_RADII * radius
        count = _in_ball(source, ball, chunks.lower, chunks.upper, chunks.vertex_offsets, mesh.positions, known.found)
        leaves = _leaves(count)
        _fill_boxes(known.found[:count], mesh.positions, leaves, known.boxes)
        _look_up.pick(_COST * len(sought))(
            sought,
            mesh.positions,
            mesh.topology.ring_offsets,
            mesh.topology.ring,
            known.found[:count],
            leaves,
            known.boxes,
            mesh.triangles,
            mesh.topology.triangle_offsets,
            mesh.topology.vertex_triangles,
            colors,
            region.start,
            region.saved_at,
            region.saving,
            shift,
            known.goals,
            known.at,
        )
    return pull_to_values(region, colors, known.goals, rate)


class _Known:
    """What the vertices of a mesh take in a stroke of Clone, and the buffers to look it up.

    goals: (V, 3) float32, colours; NaN where there is nothing to take. at: (V,) int32, the stamp of the stroke and
    shift that a goal is of. found: (V,) int32. boxes: (n, 6) float32, mm.
    """

    def __init__(self, vertex_count: int) -> None:
        self.goals = np.empty((vertex_count, 3), np.float32)
        self.at = np.zeros(vertex_count, np.int32)
        self.found = np.empty(vertex_count, np.int32)
        self.boxes = np.empty((2 * _leaves(vertex_count), 6), np.float32)
        self._sought = np.empty(vertex_count, np.int32)
        self._saving = 0
        self._stamps: dict[bytes, int] = {}
        self._last_stamp = 0

    def sought(self, region: Region, shift: np.ndarray) -> np.ndarray:
        """The vertices of a region, (n,) int32, whose goals this stroke does not know yet; from now on it does.

        The mirror images of a stroke have other shifts, and so other goals for the same vertex.
        """
        if region.saving != self._saving:
            self._saving = region.saving
            self._stamps.clear()
        key = shift.tobytes()
        if key not in self._stamps:
            self._last_stamp += 1
            self._stamps[key] = self._last_stamp
        return self._sought[: _unknown(region.vertices, self._stamps[key], self.at, self._sought)]


def _leaves(count: int) -> int:
    """A power of two, so that the tree is full: node n has the children 2 n and 2 n + 1, and leaves come last."""
    return 1 << max((count - 1) // _LEAF, 0).bit_length()


@kernel
def _unknown(vertices, stamp, known_at, sought):
    """Vertices without this stamp, which they get. Returns how many."""
    count = 0
    for i in range(len(vertices)):
        if known_at[vertices[i]] != stamp:
            known_at[vertices[i]] = stamp
            sought[count] = vertices[i]
            count += 1
    return count


@kernel
def _in_ball(center, radius, lower, upper, offsets, positions, found):
    """Vertices in a ball, ascending. Returns how many."""
    count = 0
    for c in range(len(lower)):
        distance = 0.0
        for k in range(3):
            outside = max(lower[c, k] - center[k], center[k] - upper[c, k], 0.0)
            distance += outside * outside
        if distance > radius * radius:
            continue
        for v in range(offsets[c], offsets[c + 1]):
            dx, dy, dz = positions[v, 0] - center[0], positions[v, 1] - center[1], positions[v, 2] - center[2]
            if dx * dx + dy * dy + dz * dz <= radius * radius:
                found[count] = v
                count += 1
    return count


@kernel
def _fill_boxes(found, positions, leaves, boxes):
    """Boxes of an implicit binary tree over the vertices in their order: lower corner, upper corner."""
    for leaf in range(leaves):
        node = leaves + leaf
        for k in range(3):
            boxes[node, k] = np.inf
            boxes[node, 3 + k] = -np.inf
        for i in range(first_of_leaf(leaf, len(found), leaves), first_of_leaf(leaf + 1, len(found), leaves)):
            for k in range(3):
                boxes[node, k] = min(boxes[node, k], positions[found[i], k])
                boxes[node, 3 + k] = max(boxes[node, 3 + k], positions[found[i], k])
    for node in range(leaves - 1, 0, -1):
        for k in range(3):
            boxes[node, k] = min(boxes[2 * node, k], boxes[2 * node + 1, k])
            boxes[node, 3 + k] = max(boxes[2 * node, 3 + k], boxes[2 * node + 1, 3 + k])


@kernel
def _nearest_found(x, y, z, guess, found, positions, leaves, boxes, stack, distances):
    """The vertex nearest to a point; -1 without any. guess: one that is near it, or -1; saves most of the search."""
    best, nearest = np.inf, -1
    if guess >= 0:
        dx, dy, dz = positions[guess, 0] - x, positions[guess, 1] - y, positions[guess, 2] - z
        best, nearest = dx * dx + dy * dy + dz * dz, guess
    stack[0] = 1
    distances[0] = 0.0
    size = 1
    while size > 0:
        size -= 1
        node = stack[size]
        if not distances[size] < best:
            continue
        if node < leaves:
            nearer, farther = 2 * node, 2 * node + 1
            near, far = box_distance2(boxes, nearer, x, y, z), box_distance2(boxes, farther, x, y, z)
            if far < near:
                nearer, farther, near, far = farther, nearer, far, near
            if far < best:
                stack[size] = farther
                distances[size] = far
                size += 1
            if near < best:
                stack[size] = nearer
                distances[size] = near
                size += 1
            continue
        leaf = node - leaves
        for i in range(first_of_leaf(leaf, len(found), leaves), first_of_leaf(leaf + 1, len(found), leaves)):
            v = found[i]
            dx, dy, dz = positions[v, 0] - x, positions[v, 1] - y, positions[v, 2] - z
            distance = dx * dx + dy * dy + dz * dz
            if distance < best:
                best, nearest = distance, v
    return nearest


@kernel
def _walk(v, x, y, z, positions, ring_offsets, ring):
    """From a vertex over edges toward a point for as long as that leads nearer to it."""
    dx, dy, dz = positions[v, 0] - x, positions[v, 1] - y, positions[v, 2] - z
    best = dx * dx + dy * dy + dz * dz
    while True:
        nearest = v
        for i in range(ring_offsets[v], ring_offsets[v + 1]):
            other = ring[i]
            dx, dy, dz = positions[other, 0] - x, positions[other, 1] - y, positions[other, 2] - z
            distance = dx * dx + dy * dy + dz * dz
            if distance < best:
                best, nearest = distance, other
        if nearest == v:
            return v
        v = nearest


@kernel
def _guess(v, first, near, known_at, call, ring_offsets, ring):
    """Where the walk of a neighbour ended, from vertex `first` on, in this call; else the vertex itself."""
    for i in range(ring_offsets[v], ring_offsets[v + 1]):
        other = ring[i]
        # What lies before `first` may be another thread's.
        if other >= first and other < v and known_at[other] == call:
            return near[other]
    return v


@kernel
def _nearest_triangle(v, x, y, z, positions, triangles, triangle_offsets, vertex_triangles):
    """Of the triangles around a vertex the one nearest to a point, and the weights of its 2nd and 3rd corner there."""
    best, nearest, second, third = np.inf, -1, 0.0, 0.0
    for i in range(triangle_offsets[v], triangle_offsets[v + 1]):
        t = vertex_triangles[i]
        p, q, r = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        px, py, pz = np.float64(positions[p, 0]), np.float64(positions[p, 1]), np.float64(positions[p, 2])
        b, c, distance = closest_from_corner(
            positions[q, 0] - px,
            positions[q, 1] - py,
            positions[q, 2] - pz,
            positions[r, 0] - px,
            positions[r, 1] - py,
            positions[r, 2] - pz,
            x - px,
            y - py,
            z - pz,
        )
        if distance < best:
            best, nearest, second, third = distance, t, b, c
    return nearest, second, third


@scaling_kernel
def _drag(
    vertices,
    positions,
    ring_offsets,
    ring,
    triangles,
    triangle_offsets,
    vertex_triangles,
    colors,
    step,
    rate,
    near,
    known_at,
    call,
    delta,
):
    for block in prange((len(vertices) + _BLOCK - 1) // _BLOCK):
        start = vertices[block * _BLOCK]
        for i in range(block * _BLOCK, min((block + 1) * _BLOCK, len(vertices))):
            v = vertices[i]
            x, y, z = positions[v, 0] - step[0], positions[v, 1] - step[1], positions[v, 2] - step[2]
            guess = _guess(v, start, near, known_at, call, ring_offsets, ring)  # most of the way is done then
            near[v] = _walk(guess, x, y, z, positions, ring_offsets, ring)
            known_at[v] = call
            t, b, c = _nearest_triangle(near[v], x, y, z, positions, triangles, triangle_offsets, vertex_triangles)
            for k in range(3):
                if t < 0:
                    delta[i, k] = 0.0
                    continue
                color = (1.0 - b - c) * colors[triangles[t, 0], k]
                color += b * colors[triangles[t, 1], k] + c * colors[triangles[t, 2], k]
                delta[i, k] = (color - colors[v, k]) * rate


@scaling_kernel
def _look_up(
    vertices,
    positions,
    ring_offsets,
    ring,
    found,
    leaves,
    boxes,
    triangles,
    triangle_offsets,
    vertex_triangles,
    colors,
    start,
    saved_at,
    saving,
    shift,
    goals,
    known_at,
):
    for block in prange((len(vertices) + _BLOCK - 1) // _BLOCK):
        stack, distances = np.empty(_DEEPEST, np.int64), np.empty(_DEEPEST, np.float64)
        near = -1
        for i in range(block * _BLOCK, min((block + 1) * _BLOCK, len(vertices))):
            v = vertices[i]
            x, y, z = positions[v, 0] + shift[0], positions[v, 1] + shift[1], positions[v, 2] + shift[2]
            if near >= 0:  # one after the other lie close together
                near = _walk(near, x, y, z, positions, ring_offsets, ring)
            near = _nearest_found(x, y, z, near, found, positions, leaves, boxes, stack, distances)
            t, b, c = -1, 0.0, 0.0
            if near >= 0:
                t, b, c = _nearest_triangle(near, x, y, z, positions, triangles, triangle_offsets, vertex_triangles)
            if t < 0:
                known_at[v] = 0  # another dab may look elsewhere
            for k in range(3):
                color = 0.0 if t >= 0 else np.nan  # which changes nothing
                for corner in range(3 if t >= 0 else 0):
                    u = triangles[t, corner]
                    weight = b if corner == 1 else c if corner == 2 else 1.0 - b - c
                    color += weight * (start[u, k] if saved_at[u] == saving else colors[u, k])
                goals[v, k] = color
