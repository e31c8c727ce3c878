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

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from app.errors import LikenessError
from app.formats.opening import open_mesh
from app.formats.registry import formats
from app.mesh.edges import Edges, names_twice
from app.mesh.mesh import Mesh
from app.preflight.counts import Counts, inspect
from app.preflight.places import bow_ties
from tests.preflight import judges

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
        assert judges.lib3mf_takes(mesh.positions, proper) == closed, name
        edges = Edges.of(proper)
        assert judges.manifold3d_says(mesh.positions, proper)[0] == balanced(edges, proper), name
        if len(proper) <= SLOW_JUDGES_UP_TO:
            _agrees_with_trimesh(name, mesh, proper, counts)
            _agrees_with_pymeshlab(name, mesh, proper, counts, edges)
        judged += 1
    assert judged


def _agrees_with_trimesh(name: str, mesh: Mesh, proper: np.ndarray, counts: Counts) -> None:
    judge = judges.trimesh_says(mesh.positions, proper)
    assert judge.watertight == counts.watertight, name
    assert (judge.duplicates, judge.without_area) == (counts.duplicates, counts.without_area), name
    if counts.watertight:
        assert judge.consistent == (counts.winding_conflicts == 0), name
    if counts.watertight and counts.winding_conflicts == 0:
        assert counts.volume_mm3 == pytest.approx(judge.volume, rel=1e-3, abs=1e-9), name


def _agrees_with_pymeshlab(name: str, mesh: Mesh, proper: np.ndarray, counts: Counts, edges: Edges) -> None:
    judge = judges.pymeshlab_says(mesh.positions, proper)
    assert judge.open_edges == counts.open_edges, name
    assert judge.non_manifold == edges.uses[edges.uses > 2].sum(), name
    assert judge.components == joined_by_edges(edges, len(proper)), name
    assert (judge.duplicates, judge.without_area) == (counts.duplicates, counts.without_area), name
    ties = bow_ties(mesh)
    on_bad_edges = np.unique(edges.ends[edges.uses > 2])
    assert np.isin(judge.bow_ties, ties).all(), name
    assert np.isin(np.setdiff1d(ties, judge.bow_ties), on_bad_edges).all(), name


def balanced(edges: Edges, proper: np.ndarray) -> bool:
    first = edges.ends[np.repeat(np.arange(len(edges.ends)), edges.uses), 0]
    forward = np.where(proper.ravel()[edges.halves] == first, 1, -1)
    return not np.add.reduceat(forward, edges.offsets[:-1]).any()


def joined_by_edges(edges: Edges, count: int) -> int:
    triangle = edges.halves // 3
    edge = np.repeat(np.arange(len(edges.ends)), edges.uses)
    graph = coo_matrix((np.ones(len(edge)), (triangle, count + edge)), shape=(count + len(edges.ends),) * 2)
    return connected_components(graph, directed=False)[0]
