"""Counts against independent judges on every real file: trimesh, PyMeshLab, lib3mf and manifold3d.

They say the same of every file once it is said what each of them counts:

- lib3mf's IsManifoldAndOriented is: closed, no edge with more than two triangles, and no winding conflict.
- manifold3d takes a mesh whose every edge is run along as often one way as the other: so four triangles at an edge are
  fine where two face each way, and two that face opposite ways are not.
- PyMeshLab counts a non-manifold edge once for each of its triangles, hangs components together by edges (we do by
  vertices, so that cones that touch are one shell), and looks for bow-ties away from non-manifold edges only.
"""

from __future__ import annotations

import csv
from pathlib import Path

import manifold3d
import numpy as np
import pymeshlab
import pytest
import trimesh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from app.errors import LikenessError
from app.formats import threemf_library
from app.formats.opening import open_mesh
from app.formats.registry import formats
from app.mesh.edges import Edges, names_twice
from app.mesh.mesh import Mesh
from app.preflight.counts import Counts, inspect
from app.preflight.places import bow_ties

FOLDERS = ("3mf", "ai_generated", "broken_meshes", "formats_zoo", "highpoly", "scans", "usd")
# More than this and PyMeshLab's and trimesh's opinions take a minute; these two are asked about all others.
SLOW_JUDGES_UP_TO = 200_000


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_real_file_is_judged_alike(shared: Path, folder: str) -> None:
    suffixes = {suffix for known in formats().values() if known.read for suffix in known.suffixes}
    with (shared / "FILES.csv").open(encoding="utf-8") as stream:
        names = [row["file"] for row in csv.DictReader(stream) if row["file"].startswith(f"{folder}/")]
    judged = 0
    for name in names:
        if Path(name).suffix.lower() not in suffixes:
            continue
        try:
            mesh = open_mesh(shared / name).mesh
        except LikenessError:
            continue
        proper = mesh.triangles[~names_twice(mesh.triangles)]
        if not len(proper):
            continue
        counts = inspect(mesh)
        closed = counts.watertight and counts.winding_conflicts == 0
        assert _lib3mf(mesh, proper) == closed, name
        edges = Edges.of(proper)
        assert _manifold3d(mesh, proper) == _balanced(edges, proper), name
        if len(proper) <= SLOW_JUDGES_UP_TO:
            _agrees_with_trimesh(name, mesh, proper, counts)
            _agrees_with_pymeshlab(name, mesh, proper, counts, edges)
        judged += 1
    assert judged


def _agrees_with_trimesh(name: str, mesh: Mesh, proper: np.ndarray, counts: Counts) -> None:
    judge = trimesh.Trimesh(mesh.positions.astype(float), proper, process=False)
    assert bool(judge.is_watertight) == counts.watertight, name
    if counts.watertight:
        assert bool(judge.is_winding_consistent) == (counts.winding_conflicts == 0), name
    if counts.watertight and counts.winding_conflicts == 0:
        assert counts.volume_mm3 == pytest.approx(judge.volume, rel=1e-3, abs=1e-9), name


def _agrees_with_pymeshlab(name: str, mesh: Mesh, proper: np.ndarray, counts: Counts, edges: Edges) -> None:
    judge = pymeshlab.MeshSet()
    judge.add_mesh(pymeshlab.Mesh(mesh.positions.astype(float), proper))
    found = judge.apply_filter("get_topological_measures")
    assert found["boundary_edges"] == counts.open_edges, name
    assert found["non_two_manifold_edges"] == edges.uses[edges.uses > 2].sum(), name
    assert found["connected_components_number"] == _joined_by_edges(edges, len(proper)), name
    ties = bow_ties(mesh)
    on_bad_edges = np.unique(edges.ends[edges.uses > 2])
    assert len(np.setdiff1d(ties, on_bad_edges)) <= found["non_two_manifold_vertices"] <= len(ties), name


def _lib3mf(mesh: Mesh, proper: np.ndarray) -> bool:
    judge = threemf_library.wrapper().CreateModel().AddMeshObject()
    threemf_library.set_geometry(judge, mesh.positions, proper)
    return bool(judge.IsManifoldAndOriented())


def _manifold3d(mesh: Mesh, proper: np.ndarray) -> bool:
    judge = manifold3d.Manifold(manifold3d.Mesh(mesh.positions, proper.astype(np.uint32)))
    return judge.status() == manifold3d.Error.NoError


def _balanced(edges: Edges, proper: np.ndarray) -> bool:
    first = edges.ends[np.repeat(np.arange(len(edges.ends)), edges.uses), 0]
    forward = np.where(proper.ravel()[edges.halves] == first, 1, -1)
    return not np.add.reduceat(forward, edges.offsets[:-1]).any()


def _joined_by_edges(edges: Edges, count: int) -> int:
    triangle = edges.halves // 3
    edge = np.repeat(np.arange(len(edges.ends)), edges.uses)
    graph = coo_matrix((np.ones(len(edge)), (triangle, count + edge)), shape=(count + len(edges.ends),) * 2)
    return connected_components(graph, directed=False)[0]
