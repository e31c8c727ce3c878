"""Walls against shapes whose thickness is known by hand, and edges that are no thin walls."""

from __future__ import annotations

import numba
import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from app.mesh.build import build_mesh
from app.mesh.bvh import Bvh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.mesh.thickness import thickness
from tests.meshes import cube_soup, grid, icosphere_soup, sphere

WITHIN = 0.02


def fine(shape: trimesh.Trimesh, edge: float) -> Mesh:
    while shape.edges_unique_length.max() > edge:
        shape = shape.subdivide()
    return build_mesh(Soup(shape.vertices.astype(np.float32), shape.faces.astype(np.int32)))


def shell(outer: float, inner: float) -> Mesh:
    skin, core = icosphere_soup(4, outer), icosphere_soup(4, inner)
    return build_mesh(
        Soup(
            np.concatenate((skin.positions, core.positions)),
            np.concatenate((skin.triangles, core.triangles[:, ::-1] + len(skin.positions))),
        )
    )


@pytest.mark.parametrize(("outer", "inner"), [(10, 8), (10, 9.5), (50, 49)])
def test_a_shell_of_two_spheres(outer: float, inner: float) -> None:
    np.testing.assert_allclose(thickness(shell(outer, inner)), outer - inner, rtol=WITHIN)


def test_a_ball_is_as_thick_as_it_is_wide() -> None:
    np.testing.assert_allclose(thickness(sphere(4, 10.0)), 20.0, rtol=WITHIN)


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_a_slab_is_as_thick_as_it_is_and_its_edges_are_not_thin(turn: float) -> None:
    slab = trimesh.creation.box((20, 14, 1.6))
    slab.apply_transform(trimesh.transformations.rotation_matrix(turn, (1, 2, 3)))
    mesh = fine(slab, 0.8)
    walls = thickness(mesh)
    np.testing.assert_allclose(walls[_faces_of(mesh) == 1].min(), 1.6, rtol=WITHIN)
    large = _flat(mesh) & (walls < 5)
    np.testing.assert_allclose(walls[large], 1.6, rtol=WITHIN)
    assert large.sum() > 0.3 * mesh.vertex_count
    assert walls.min() > 1.6 * (1 - WITHIN)


def test_a_cone_is_as_thick_as_the_ball_that_fits() -> None:
    mesh = _cone(half_angle=15.0, height=10.0)
    from_tip = np.linalg.norm(mesh.positions - (0, 0, 10), axis=1)
    side = (mesh.positions[:, 2] > 2.0) & (from_tip > 0.1)
    wanted = 2 * from_tip[side] * np.tan(np.radians(15.0))
    np.testing.assert_allclose(thickness(mesh)[side], wanted, rtol=WITHIN)


def test_no_corner_of_a_cube_is_thin() -> None:
    assert thickness(build_mesh(cube_soup(20.0))).min() > 20 * (1 - WITHIN)


def test_an_edge_of_more_than_60_degrees_is_an_edge_and_a_sharper_one_a_blade() -> None:
    for degrees in (75, 40):
        lean = 10 / np.tan(np.radians(degrees))
        outline = np.array([(0, 0), (10, 0), (10 + lean, 10), (lean, 10)])  # its other corners are blunt
        prism = trimesh.creation.extrude_triangulation(outline, [[0, 1, 2], [0, 2, 3]], 10)
        walls = thickness(fine(prism, 0.6))
        assert (walls.min() < 1.0) == (degrees < 60)
        assert walls.min() < 1.0 or walls.min() > 9.0


def test_a_hollow_counts_and_a_buried_body_with_its_far_side_unless_it_is_left_out() -> None:
    skin, core = icosphere_soup(4, 10.0), icosphere_soup(4, 6.0)
    for inward, wanted in ((True, 4.0), (False, None)):
        faces = core.triangles[:, ::-1] if inward else core.triangles
        mesh = build_mesh(
            Soup(
                np.concatenate((skin.positions, core.positions)),
                np.concatenate((skin.triangles, faces + len(skin.positions))),
            )
        )
        outer = np.linalg.norm(mesh.positions, axis=1) > 9
        if wanted is None:
            # A ball that touches the middle of the far side would be 16 mm; farther out it is met a little earlier.
            assert 14 < thickness(mesh)[outer].max() < 16
            kept = outer[mesh.triangles].all(axis=1)
            tree = Bvh.of(mesh.positions, mesh.triangles[kept])
            np.testing.assert_allclose(thickness(mesh, tree=tree)[outer], 20.0, rtol=WITHIN)
        else:
            np.testing.assert_allclose(thickness(mesh)[outer], wanted, rtol=WITHIN)


def test_inside_out_is_measured_as_if_it_were_not() -> None:
    soup = icosphere_soup(3)
    turned = Soup(soup.positions, soup.triangles[:, ::-1].copy())
    np.testing.assert_allclose(thickness(build_mesh(turned)), 20.0, rtol=WITHIN)


def test_an_open_sheet_has_no_wall_and_a_limit_is_a_limit() -> None:
    assert np.isinf(thickness(grid(5))).all()
    assert (thickness(grid(5), at_most_mm=7.0) == 7.0).all()
    limited = thickness(shell(10, 8), at_most_mm=1.5)
    assert (limited == np.float32(1.5)).all()
    np.testing.assert_allclose(thickness(shell(10, 8), at_most_mm=3.0), 2.0, rtol=WITHIN)
    empty = build_mesh(Soup(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)))
    assert thickness(empty).shape == (0,)


def test_bumps_agree_with_a_search_over_all_points() -> None:
    mesh = _bumpy_shell()
    walls = thickness(mesh)
    assert walls.dtype == np.float32
    points = _dense(mesh)
    facing = points[1]
    for v in np.random.default_rng(2).integers(0, mesh.vertex_count, 200):
        toward = points[0] - mesh.positions[v]
        below = -toward @ mesh.normals[v]
        usable = (below > 1e-6) & (facing @ mesh.normals[v] <= -0.5)
        wanted = ((toward[usable] ** 2).sum(axis=1) / below[usable]).min()
        assert walls[v] == pytest.approx(wanted, rel=WITHIN)


def test_progress_is_told_and_threads_do_not_matter() -> None:
    mesh, told = _bumpy_shell(), []
    walls = thickness(mesh, lambda fraction, doing: told.append((fraction, doing)))
    assert told[0][0] == 0.0
    assert told[-1][0] == 1.0
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        assert thickness(mesh).tobytes() == walls.tobytes()
    finally:
        numba.set_num_threads(before)


def _bumpy_shell() -> Mesh:
    mesh = shell(10, 8)
    x, y, z = mesh.positions.T
    mesh.positions *= (1 + 0.02 * np.sin(9 * x) * np.cos(7 * y + 1) * np.sin(5 * z))[:, None].astype(np.float32)
    mesh.touched_all("positions")
    mesh.refresh()
    return mesh


def _dense(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Points spread over every triangle, and the normal of its plane."""
    grid_ = np.array([(i, j, 6 - i - j) for i in range(7) for j in range(7 - i)]) / 6
    corners = mesh.positions[mesh.triangles].astype(float)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return np.einsum("wk,tkc->twc", grid_, corners).reshape(-1, 3), np.repeat(normals, len(grid_), axis=0)


def _cone(half_angle: float, height: float) -> Mesh:
    """A cone that stands on its base, its tip up, in rings."""
    rings, segments = 60, 160
    up = height * np.linspace(0, 1, rings + 1)[:-1]
    turn = 2 * np.pi * np.arange(segments) / segments
    radius = (height - up) * np.tan(np.radians(half_angle))
    ring = np.stack((np.cos(turn), np.sin(turn), 0 * turn), axis=1)
    points = (ring[None] * radius[:, None, None] + np.array((0, 0, 1.0)) * up[:, None, None]).reshape(-1, 3)
    points = np.concatenate((points, [(0, 0, height), (0, 0, 0)]))
    k = np.arange(segments)
    n = (k + 1) % segments
    faces = []
    for low in range(rings - 1):
        a, b, c, d = low * segments + k, low * segments + n, (low + 1) * segments + k, (low + 1) * segments + n
        faces += [np.stack((a, b, d), axis=1), np.stack((a, d, c), axis=1)]
    tip, middle = rings * segments, rings * segments + 1
    faces.append(np.stack(((rings - 1) * segments + k, (rings - 1) * segments + n, 0 * k + tip), axis=1))
    faces.append(np.stack((n, k, 0 * k + middle), axis=1))
    return build_mesh(Soup(points.astype(np.float32), np.concatenate(faces).astype(np.int32)))


def _flat(mesh: Mesh) -> np.ndarray:
    """(V,) bool: vertices whose triangles lie in one plane."""
    return _faces_of(mesh) == 1


def _faces_of(mesh: Mesh) -> np.ndarray:
    """(V,) int: how many planes meet at each vertex."""
    corners = mesh.positions[mesh.triangles].astype(float)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    tree = cKDTree(normals)
    kind = np.array([found[0] for found in tree.query_ball_point(normals, 1e-3, return_sorted=True)])
    pairs_ = np.unique(np.stack((mesh.triangles.ravel(), np.repeat(kind, 3)), axis=1), axis=0)
    return np.bincount(pairs_[:, 0], minlength=mesh.vertex_count)
