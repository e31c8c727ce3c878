"""Cutting a surface along a plane across one of the axes. What to do with the open edges is the caller's business."""

from __future__ import annotations

import numpy as np
from manifold3d import triangulate

from app.mesh.edges import Edges, open_loops
from app.operations.surface import Surface


def clipped(surface: Surface, axis: int, at_mm: float, *, above: bool) -> Surface:
    """The part above (or below) a plane. axis: 0, 1 or 2; at_mm: where it is. Triangles within the plane go.

    New vertices have exactly the plane's coordinate; vertices that lie on it already are used, not doubled.
    """
    level = np.float32(at_mm)
    height = surface.positions[:, axis].astype(np.float64) - np.float64(level)
    side = np.sign(height if above else -height).astype(np.int64)
    crossing = Edges.of(surface.triangles)
    cut = np.flatnonzero(side[crossing.ends[:, 0]] * side[crossing.ends[:, 1]] < 0)
    ends = crossing.ends[cut]
    part = (height[ends[:, 0]] / (height[ends[:, 0]] - height[ends[:, 1]]))[:, None]
    first, second = (surface.positions[ends[:, k]].astype(np.float64) for k in range(2))
    points = (first + part * (second - first)).astype(np.float32)
    points[:, axis] = level
    vertex_of = np.full(len(crossing.ends), -1, np.int64)
    vertex_of[cut] = len(surface.positions) + np.arange(len(cut))
    sides = side[surface.triangles]
    whole = np.flatnonzero((sides >= 0).all(axis=1) & (sides > 0).any(axis=1))
    triangles, origin = [surface.triangles[whole]], [whole]
    for row in np.flatnonzero((sides > 0).any(axis=1) & (sides < 0).any(axis=1)):
        outline = _outline(surface.triangles[row], sides[row], vertex_of[crossing.of_half[3 * row : 3 * row + 3]])
        fan = [(outline[0], outline[k], outline[k + 1]) for k in range(1, len(outline) - 1)]
        triangles.append(np.array(fan, np.int32))
        origin.append(np.full(len(fan), row))
    positions = np.concatenate((surface.positions, points))
    return surface.rebuilt(positions, np.concatenate(triangles), np.concatenate(origin))


def _outline(corners: np.ndarray, sides: np.ndarray, cut: np.ndarray) -> list[int]:
    """Vertices of the part of a triangle on the positive side (Sutherland and Hodgman 1974)."""
    out = []
    for k in range(3):
        if sides[k] >= 0:
            out.append(int(corners[k]))
        if cut[k] >= 0:
            out.append(int(cut[k]))
    return out


def lid(surface: Surface, axis: int, at_mm: float) -> np.ndarray:
    """(n, 3) int32 triangles that close a surface where it was clipped. Empty where it is closed.

    They use the surface's own vertices, and face away from it.
    """
    level = np.float32(at_mm)
    loops = []
    for halves in open_loops(surface.triangles):
        start = surface.triangles[halves // 3, halves % 3]
        if (surface.positions[start, axis] == level).all():
            loops.append(start[::-1])
    if not loops:
        return np.empty((0, 3), np.int32)
    # Seen along the axis, either way round: outer borders run counter-clockwise in one of the two views.
    across = [(axis + 1) % 3, (axis + 2) % 3]
    flat = [surface.positions[loop][:, across].astype(np.float64) for loop in loops]
    if sum(_area(points) for points in flat) < 0:
        flat = [points[:, ::-1] for points in flat]
    return np.concatenate(loops)[np.asarray(triangulate(flat), np.int64).reshape(-1, 3)].astype(np.int32)


def _area(points: np.ndarray) -> float:
    x, y = points.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)
