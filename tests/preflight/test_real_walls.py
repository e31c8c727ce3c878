"""Walls of real scans against a slow judge, and against rays: no tree, no pruning, no answer taken from a neighbour.

The judge asks all triangles each time, by trimesh's closest points, until none reaches into the ball any more. Rays,
cast by VTK, are another definition; but no ball can be wider than the way straight in to where the far side is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyvista
import trimesh
from vtkmodules.vtkCommonCore import vtkIdList, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkStaticCellLocator

from app.formats.opening import open_mesh
from app.mesh.mesh import Mesh
from app.mesh.thickness import thickness
from app.mesh.transform import scaled_to_height

FILES = ("scans/skull_scan_textured.glb", "ai_generated/trellis_shark.glb", "ai_generated/rodin_zombie_person.glb")
UP_TO_MM = 20.0
ASKED = 60
WITHIN = 0.005
# As the definition has it: surface that faces the other way, give or take 60 degrees.
OPPOSITE = 0.5


@pytest.mark.parametrize("name", FILES)
def test_walls_are_those_of_a_slow_judge_and_no_wider_than_rays(shared: Path, name: str) -> None:
    mesh = scaled_to_height(open_mesh(shared / name).mesh, 150.0)
    walls, slow, rays = compared(mesh, ASKED)
    np.testing.assert_allclose(walls, slow, rtol=WITHIN)
    assert (walls <= rays * (1 + WITHIN)).all()


def compared(mesh: Mesh, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Walls, mm, at some vertices, mostly such as are thinner than what is measured: ours, the judge's, rays'."""
    walls = thickness(mesh, at_most_mm=UP_TO_MM)
    asked = np.random.default_rng(3).permutation(np.flatnonzero(walls < UP_TO_MM))[:count]
    asked = np.concatenate((asked, np.flatnonzero(walls == UP_TO_MM)[: count // 20]))
    corners, facing, normals = corners_and_normals(mesh)
    slow = np.array([ball(corners, facing, mesh.positions[v].astype(np.float64), normals[v], UP_TO_MM) for v in asked])
    return walls[asked], slow, lengths_of_rays(mesh, facing, normals, asked, UP_TO_MM)


def corners_and_normals(mesh: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T, 3, 3) corners, unit (T, 3) and (V, 3) normals, float64; those point outward also where all is inside out."""
    corners = mesh.positions[mesh.triangles].astype(np.float64)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(across, axis=1, keepdims=True)
    sign = -1.0 if trimesh.Trimesh(mesh.positions, mesh.triangles, process=False).volume < 0 else 1.0
    facing = np.divide(across, length, out=np.zeros_like(across), where=length > 0)
    return corners, sign * facing, sign * mesh.normals.astype(np.float64)


def ball(corners: np.ndarray, facing: np.ndarray, place: np.ndarray, normal: np.ndarray, up_to: float) -> float:
    """Diameter of the largest ball inside that touches the surface at a vertex, mm."""
    usable = (facing @ normal <= -OPPOSITE) & ~(corners == place).all(axis=2).any(axis=1)
    near = corners[usable]
    radius = up_to / 2
    while True:
        middle = place - radius * normal
        near = near[((near.min(axis=1) <= middle + radius) & (near.max(axis=1) >= middle - radius)).all(axis=1)]
        if not len(near):
            return 2 * radius
        touched = trimesh.triangles.closest_point(near, np.broadcast_to(middle, (len(near), 3)))
        inside = touched[np.linalg.norm(touched - middle, axis=1) < radius * (1 - 1e-9)]
        toward = place - inside
        below = toward @ normal
        smaller = ((toward[below > 0] ** 2).sum(axis=1) / (2 * below[below > 0])).min(initial=radius)
        if smaller >= radius * (1 - 1e-7):
            return 2 * radius
        radius = smaller


def lengths_of_rays(
    mesh: Mesh, facing: np.ndarray, normals: np.ndarray, vertices: np.ndarray, up_to: float
) -> np.ndarray:
    """(n,) mm straight in to the first surface that faces the other way."""
    surface = pyvista.PolyData.from_regular_faces(mesh.positions.astype(np.float64), mesh.triangles)
    locator = vtkStaticCellLocator()
    locator.SetDataSet(surface)
    locator.BuildLocator()
    out = np.full(len(vertices), up_to)
    for i, vertex in enumerate(vertices):
        normal, place = normals[vertex], mesh.positions[vertex].astype(np.float64)
        hits, cells = vtkPoints(), vtkIdList()
        locator.IntersectWithLine(place - 1e-4 * normal, place - up_to * normal, 1e-9, hits, cells)
        for k in range(cells.GetNumberOfIds()):
            cell = cells.GetId(k)
            if facing[cell] @ normal <= -OPPOSITE and vertex not in mesh.triangles[cell]:
                out[i] = min(out[i], np.linalg.norm(np.array(hits.GetPoint(k)) - place))
    return out
