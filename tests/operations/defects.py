"""Broken models whose faults are known by hand, and what makes a model printable in the eyes of other programs."""

from __future__ import annotations

import manifold3d
import numpy as np
import pymeshlab
import trimesh

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.operations.operation import Progress, Result
from app.operations.running import find
from tests.meshes import cube_soup, icosphere_soup


def run(mesh: Mesh, operation_id: str, progress: Progress = lambda fraction, doing: None, **values) -> Result:
    """An operation's own result, without the measuring around it."""
    operation = find(operation_id)
    made = operation.function(mesh, progress, **operation.check(values))
    return made if isinstance(made, Result) else Result(made)


def placed(soup: Soup, at: tuple[float, float, float] = (0, 0, 0), *, inside_out: bool = False) -> Soup:
    """The same somewhere else, or turned inside out."""
    triangles = soup.triangles[:, ::-1] if inside_out else soup.triangles
    return Soup(soup.positions + np.array(at, np.float32), np.ascontiguousarray(triangles), unit_mm=1.0)


def together(*soups: Soup) -> Mesh:
    """All in one mesh; equal positions become one vertex."""
    offsets = np.cumsum([0, *(len(soup.positions) for soup in soups[:-1])])
    positions = np.concatenate([soup.positions for soup in soups])
    triangles = np.concatenate([soup.triangles + offset for soup, offset in zip(soups, offsets, strict=True)])
    return build_mesh(Soup(positions, triangles.astype(np.int32), unit_mm=1.0))


def cube(edge: float = 10.0, at: tuple[float, float, float] = (0, 0, 0), *, inside_out: bool = False) -> Soup:
    """A cube around a point."""
    return placed(cube_soup(edge), at, inside_out=inside_out)


def ball(radius: float = 10.0, at: tuple[float, float, float] = (0, 0, 0), subdivisions: int = 3) -> Soup:
    """A sphere around a point."""
    return placed(icosphere_soup(subdivisions, radius), at)


def without(soup: Soup, gone: np.ndarray) -> Soup:
    """The same without some triangles; gone: (T,) bool."""
    return Soup(soup.positions, soup.triangles[~gone], colors=soup.colors, unit_mm=1.0)


def middles(soup: Soup) -> np.ndarray:
    """(T, 3) centres of the triangles."""
    return soup.positions[soup.triangles].mean(axis=1)


def moebius(cells: int = 60) -> Mesh:
    """A band with one side."""
    around = np.arange(cells) * (2 * np.pi / cells)
    rows = []
    for across in (-3.0, 0.0, 3.0):
        out = 20 + across * np.cos(around / 2)
        rows.append(np.stack((out * np.cos(around), out * np.sin(around), across * np.sin(around / 2)), axis=1))
    positions = np.concatenate(rows)
    triangles = []
    for i in range(cells):
        for row in range(2):
            last = i == cells - 1
            a, b = row * cells + i, (row + 1) * cells + i
            c, d = ((2 - row) * cells, (1 - row) * cells) if last else (a + 1, b + 1)
            triangles += [(a, c, b), (c, d, b)]
    return build_mesh(Soup(positions.astype(np.float32), np.array(triangles, np.int32), unit_mm=1.0))


def volume(mesh: Mesh) -> float:
    """Enclosed volume, mm3, by trimesh."""
    return float(trimesh.Trimesh(mesh.positions.astype(np.float64), mesh.triangles, process=False).volume)


def shell_count(mesh: Mesh) -> int:
    """By trimesh."""
    return int(trimesh.Trimesh(mesh.positions, mesh.triangles, process=False).body_count)


def assert_closed(mesh: Mesh) -> None:
    """Watertight, oriented and manifold for trimesh, manifold3d and PyMeshLab."""
    judge = trimesh.Trimesh(mesh.positions.astype(np.float64), mesh.triangles, process=True)
    assert judge.is_watertight
    assert judge.is_winding_consistent
    solid = manifold3d.Manifold(manifold3d.Mesh(mesh.positions, mesh.triangles.astype(np.uint32)))
    assert solid.status() == manifold3d.Error.NoError
    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(mesh.positions.astype(np.float64), mesh.triangles))
    measures = meshes.get_topological_measures()
    assert measures["boundary_edges"] == 0
    assert measures["non_two_manifold_edges"] == 0
    assert measures["non_two_manifold_vertices"] == 0


def crossing_faces(mesh: Mesh) -> int:
    """Triangles that cross others, by PyMeshLab."""
    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(mesh.positions.astype(np.float64), mesh.triangles))
    meshes.compute_selection_by_self_intersections_per_face()
    return int(meshes.current_mesh().selected_face_number())
