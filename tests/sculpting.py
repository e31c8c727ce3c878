"""Helpers for tests that sculpt: a surface with form to it, an owner for a history, strokes in one call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from app.mesh.build import build_mesh
from app.mesh.mesh import ATTRIBUTES, Mesh
from app.sculpt.brush import Brush, brushes
from app.sculpt.history import History
from app.sculpt.settings import BrushSettings
from app.sculpt.stroke import Sample, StrokeInHand
from tests.meshes import icosphere_soup

# A place on the bumpy sphere beside all three mirror planes.
PLACE = np.array([0.45, -0.75, 0.49]) / np.linalg.norm([0.45, -0.75, 0.49])
# Another one on its far side, on the mirror plane of x, for Clone.
SOURCE = (0.0, 6.0, -8.0)
# What these do depends on the way from the dab before.
FOLLOWERS = ("nudge", "smear")


class Owner:
    """The least that a History needs."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh: Mesh | None = mesh


def bumpy_sphere(subdivisions: int = 5, radius: float = 10.0) -> Mesh:
    """A closed ball with bumps, mirror symmetric in x, y and z up to rounding; painted since it first had colours."""
    soup = icosphere_soup(subdivisions, radius)
    x, y, z = (soup.positions / radius).T
    bump = 1 + 0.04 * np.cos(9 * x) * np.cos(7 * y) * np.cos(8 * z) + 0.01 * np.cos(31 * x) * np.cos(29 * z)
    soup.positions = np.ascontiguousarray(soup.positions * bump[:, None], np.float32)
    soup.colors = np.ascontiguousarray(0.5 + 0.3 * np.cos(np.stack((3 * x, 4 * y, 5 * z), axis=1)), np.float32)
    mesh = build_mesh(soup)
    mesh.original_colors = 1 - mesh.attribute("colors")
    return mesh


def surface_points(mesh: Mesh, direction: np.ndarray, length: float, count: int) -> list[np.ndarray]:
    """Vertices of a ball around the origin, nearest to an arc of `length` mm that starts in a direction."""
    unit = mesh.positions / np.linalg.norm(mesh.positions, axis=1, keepdims=True)
    side = np.cross(direction, (0.3, 0.2, 1.0))
    angles = np.linspace(0.0, length / 10.0, count)
    ways = [direction * np.cos(angle) + side / np.linalg.norm(side) * np.sin(angle) for angle in angles]
    return [mesh.positions[np.argmax(unit @ way)].astype(float) for way in ways]


def samples(points: Iterable[np.ndarray], view: np.ndarray | None = None, pressure: float = 1.0) -> list[Sample]:
    """Samples at these points, seen from outside a ball around the origin unless a view is given."""
    out = []
    for point in points:
        toward = np.asarray(point, float) if view is None else np.asarray(view, float)
        out.append(Sample(np.asarray(point, float), toward / max(float(np.linalg.norm(toward)), 1e-9), pressure))
    return out


def settings_of(brush: Brush, **changes: Any) -> BrushSettings:
    """A brush's own defaults with some changed."""
    return replace(brush.defaults(), **{"source": SOURCE, **changes})


def stroke(
    mesh: Mesh, brush_id: str, path: list[Sample], history: History | None = None, **changes: Any
) -> tuple[History, bool]:
    """A whole stroke. Returns the history and whether anything changed."""
    brush = brushes()[brush_id]
    history = history or History(Owner(mesh))
    in_hand = StrokeInHand(mesh, history, brush, settings_of(brush, **changes))
    for sample in path:
        in_hand.add(sample)
    return history, in_hand.finish()


def dab(mesh: Mesh, brush_id: str, at: np.ndarray, **changes: Any) -> History:
    """One dab at a point. A brush that drags pulls it outward and, within the plane of x, to the side, by 3 % of its
    distance from the origin; one that follows the stroke comes to it from a dab beside it, which does nothing."""
    at = np.asarray(at, float)
    aside = 0.03 * np.cross((1.0, 0.0, 0.0), at)
    path = [at]
    if brushes()[brush_id].drags:
        path = [at, at * 1.03 + aside]
    elif brush_id in FOLLOWERS:
        path, changes = [at - aside, at], {"method": "dots", **changes}
    return stroke(mesh, brush_id, samples(path), **changes)[0]


def bits(mesh: Mesh) -> dict[str, bytes]:
    """Everything that strokes can change, to be compared bit for bit."""
    return {name: mesh.attribute(name).tobytes() for name in ATTRIBUTES}


def reference_normals(mesh: Mesh) -> np.ndarray:
    """(V, 3) float64: all vertex normals, area weighted, straight from the definition."""
    corners = mesh.positions.astype(float)[mesh.triangles]
    weighted = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((mesh.vertex_count, 3))
    for corner in range(3):
        np.add.at(normals, mesh.triangles[:, corner], weighted)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)
