"""What independent programs say of a mesh: trimesh, PyMeshLab, lib3mf and manifold3d.

Each is given positions and triangles as they are, so that no reader's opinion comes in between. What the program itself
says is compared elsewhere: on every real file by `test_judges`, with reasons and self-intersections by
`tests.benchmarks.truth`.
"""

from __future__ import annotations

from dataclasses import dataclass

import manifold3d
import numpy as np
import pymeshlab
import trimesh

from app.formats import threemf_library


@dataclass(frozen=True)
class TrimeshSays:
    """without_area: triangles whose area is 0 as computed in floating point."""

    watertight: bool
    consistent: bool
    volume: float
    duplicates: int
    without_area: int


@dataclass(frozen=True)
class PymeshlabSays:
    """non_manifold: an edge counts once for each of its triangles. bow_ties: (n,) vertices. components: by edges.
    volume: None where open.
    """

    open_edges: int
    non_manifold: int
    components: int
    bow_ties: np.ndarray
    duplicates: int
    without_area: int
    volume: float | None


def trimesh_says(positions: np.ndarray, triangles: np.ndarray) -> TrimeshSays:
    judge = trimesh.Trimesh(positions.astype(float), triangles, process=False)
    with np.errstate(all="ignore"):  # it also looks for the centre of mass, which a flat mesh has none of
        volume = float(judge.volume)
    return TrimeshSays(
        watertight=bool(judge.is_watertight),
        consistent=bool(judge.is_winding_consistent),
        volume=volume,
        duplicates=len(triangles) - int(judge.unique_faces().sum()),
        without_area=int((judge.area_faces == 0).sum()),
    )


def pymeshlab_says(positions: np.ndarray, triangles: np.ndarray) -> PymeshlabSays:
    judge = _meshlab(positions, triangles)
    found = judge.get_topological_measures()
    judge.compute_selection_by_non_manifold_per_vertex()
    ties = np.flatnonzero(judge.current_mesh().vertex_selection_array())
    volume = judge.get_geometric_measures().get("mesh_volume")
    judge.meshing_remove_null_faces()
    proper = judge.current_mesh().face_number()
    judge = _meshlab(positions, triangles)
    judge.meshing_remove_duplicate_faces()
    return PymeshlabSays(
        open_edges=found["boundary_edges"],
        non_manifold=found["non_two_manifold_edges"],
        components=found["connected_components_number"],
        bow_ties=ties,
        duplicates=len(triangles) - judge.current_mesh().face_number(),
        without_area=len(triangles) - proper,
        volume=volume,
    )


def pymeshlab_crossing_faces(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(n,) triangles that go through others. It may take minutes or crash on a mess: best called in a process apart."""
    judge = _meshlab(positions, triangles)
    judge.compute_selection_by_self_intersections_per_face()
    return np.flatnonzero(judge.current_mesh().face_selection_array())


def lib3mf_takes(positions: np.ndarray, triangles: np.ndarray) -> bool:
    """IsManifoldAndOriented."""
    judge = threemf_library.wrapper().CreateModel().AddMeshObject()
    threemf_library.set_geometry(judge, positions, triangles)
    return bool(judge.IsManifoldAndOriented())


def manifold3d_says(positions: np.ndarray, triangles: np.ndarray) -> tuple[bool, float]:
    """Whether it takes the mesh for a solid, and the volume, 0 where not."""
    judge = manifold3d.Manifold(manifold3d.Mesh(positions, triangles.astype(np.uint32)))
    taken = judge.status() == manifold3d.Error.NoError
    return taken, float(judge.volume()) if taken else 0.0


def _meshlab(positions: np.ndarray, triangles: np.ndarray) -> pymeshlab.MeshSet:
    judge = pymeshlab.MeshSet()
    judge.add_mesh(pymeshlab.Mesh(positions.astype(float), triangles))
    return judge
