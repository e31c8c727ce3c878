"""Automasks against what they mean, computed the slow way."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from app.errors import InvalidInput
from app.mesh.build import build_mesh
from app.mesh.soup import Soup
from app.sculpt.automask import Automask, cavity, from_borders, parts
from tests.meshes import grid_soup
from tests.sculpting import bumpy_sphere, samples, stroke


def two_sheets():
    """Two flat sheets, 1 mm apart."""
    flat = grid_soup(20)
    above = flat.positions + np.array([0, 0, 1], np.float32)
    soup = Soup(np.concatenate((flat.positions, above)), np.concatenate((flat.triangles, flat.triangles + 441)))
    return build_mesh(soup)


def changed(mesh, **automask) -> np.ndarray:
    before = mesh.positions.copy()
    path = samples([np.array([x, 0.0, 1.0]) for x in (0.0, 2.0)], np.array([0.0, 0.0, 1.0]))
    stroke(mesh, "inflate", path, radius_mm=3.0, automask=Automask(**automask))
    return (mesh.positions != before).any(axis=1)


def test_connected_leaves_the_other_part_alone():
    lower = two_sheets().positions[:, 2] < 0.5
    assert changed(two_sheets())[lower].any()
    only = changed(two_sheets(), connected=True)
    assert only.any()
    assert not only[lower].any()


def test_parts_are_the_connected_components():
    mesh = two_sheets()
    edges = np.concatenate([mesh.triangles[:, [0, 1]], mesh.triangles[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(mesh.vertex_count,) * 2)
    count, labels = connected_components(graph, directed=False)
    pairs = set(zip(parts(mesh).tolist(), labels.tolist(), strict=True))
    assert len(pairs) == count == 2


def test_a_face_set_stays_inside_itself():
    mesh = two_sheets()
    mesh.face_sets[mesh.positions[:, 1] > 0.1] = 7
    inside = mesh.face_sets == 0
    moved = changed(mesh, face_set=True)
    assert moved[inside].any()
    assert not moved[~inside].any()


def test_a_stroke_that_draws_a_face_set_stays_inside_the_one_it_began_in():
    """All along its way, though where it began is in another set from the first dab on."""
    mesh = two_sheets()
    upper = mesh.positions[:, 2] > 0.5
    mesh.face_sets[mesh.positions[:, 1] > 0.1] = 7
    before = mesh.face_sets.copy()
    path = samples([np.array([x, 0.0, 1.0]) for x in (-5.0, 0.0, 5.0)], np.array([0.0, 0.0, 1.0]))
    stroke(mesh, "face_set", path, radius_mm=1.5, automask=Automask(face_set=True))
    drawn = mesh.face_sets != before
    way = upper & (np.abs(mesh.positions[:, 0]) < 5) & (np.abs(mesh.positions[:, 1]) < 1)
    assert drawn[way & (before == 0)].all()
    assert not drawn[before == 7].any()


def test_a_stroke_that_begins_on_what_is_masked_keeps_to_where_it_reaches_the_surface():
    mesh = two_sheets()
    mesh.mask[mesh.positions[:, 0] < -1] = 1
    before = mesh.positions.copy()
    path = samples([np.array([x, 0.0, 1.0]) for x in (-8.0, 0.0, 5.0)], np.array([0.0, 0.0, 1.0]))
    stroke(mesh, "inflate", path, radius_mm=2.5, automask=Automask(connected=True))
    moved = (mesh.positions != before).any(axis=1)
    assert moved[before[:, 2] > 0.5].any()
    assert not moved[before[:, 2] < 0.5].any()


def test_borders_stay_and_fade_in_over_three_rings():
    mesh = build_mesh(grid_soup(20))
    values = from_borders(mesh)
    step = (mesh.positions[:, :2].max() - mesh.positions[:, :2].min()) / 20
    rings = np.rint((np.abs(mesh.positions[:, :2]).max() - np.abs(mesh.positions[:, :2]).max(axis=1)) / step)
    np.testing.assert_allclose(values, np.minimum(rings, 3) / 3, atol=1e-6)
    assert from_borders(bumpy_sphere(3)).min() == 1


def test_cavities_are_where_the_surface_curves_inward():
    mesh = bumpy_sphere(5)
    depth = cavity(mesh)
    surface = trimesh.Trimesh(mesh.positions, mesh.triangles, process=False)
    toward_mean = trimesh.smoothing.laplacian_calculation(surface, equal_weight=False) @ mesh.positions - mesh.positions
    height = np.einsum("ij,ij->i", toward_mean, surface.vertex_normals)
    assert np.corrcoef(depth, height.clip(*np.percentile(height, (5, 95))))[0, 1] > 0.9
    for wanted, side in ((1.0, depth > 0), (-1.0, depth < 0)):
        other = bumpy_sphere(5)
        before = other.positions.copy()
        path = samples([before[np.argmax(before[:, 2])].astype(float)])
        stroke(other, "inflate", path, radius_mm=6.0, automask=Automask(cavity=wanted))
        moved = (other.positions != before).any(axis=1)
        assert moved.any()
        assert not (moved & ~side).any()


def test_the_front_limit_spares_what_is_seen_at_a_slant():
    mesh = bumpy_sphere(5)
    view = np.array([0.0, 0.0, 1.0])
    slant = np.degrees(np.arccos(np.clip(mesh.normals @ view, -1, 1)))
    before = mesh.positions.copy()
    path = samples([before[np.argmax(before[:, 2])].astype(float)], view)
    stroke(mesh, "inflate", path, radius_mm=9.0, automask=Automask(front_limit=40.0))
    moved = (mesh.positions != before).any(axis=1)
    assert moved[slant < 30].mean() > 0.9
    assert not moved[slant > 50].any()


def test_a_stroke_keeps_the_cavities_of_its_start():
    """Otherwise a stroke that fills a hollow would stop itself half-way, depending on how it is cut into dabs."""
    mesh = bumpy_sphere(5)
    deepest = int(np.argmax(cavity(mesh)))
    center = mesh.positions[deepest].astype(float)
    start = mesh.positions[deepest].copy()
    path = samples([center] * 8)
    stroke(mesh, "inflate", path, radius_mm=2.0, strength=1.0, method="dots", automask=Automask(cavity=1.0))
    alone = bumpy_sphere(5)
    stroke(alone, "inflate", path[:1], radius_mm=2.0, strength=1.0, method="dots", automask=Automask(cavity=1.0))
    one = np.linalg.norm(alone.positions[deepest] - start)
    assert np.linalg.norm(mesh.positions[deepest] - start) > 5 * one


@pytest.mark.parametrize("wrong", [{"cavity": 2.0}, {"cavity": float("nan")}, {"front_limit": 91.0}])
def test_an_automask_out_of_range_is_refused(wrong):
    with pytest.raises(InvalidInput):
        Automask(**wrong)
