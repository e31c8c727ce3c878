"""Retarget, decimate, subdivide, remesh and smooth, against trimesh, PyMeshLab and manifold3d."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from app.errors import InvalidInput
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.operations.running import apply
from tests.mesh.soups import soups
from tests.meshes import cube_soup, grid, sphere
from tests.operations.checks import (
    areas,
    assert_sound,
    crossed_sheets,
    edge_uses,
    hausdorff,
    judge,
    open_sheet,
    painted,
    smallest_angles,
    textured,
)


def run(mesh: Mesh, operation: str, **values: object) -> Mesh:
    result = apply(mesh, operation, values).mesh
    assert_sound(result)
    return result


def sides(mesh: Mesh) -> np.ndarray:
    corners = mesh.positions[mesh.triangles].astype(np.float64)
    return np.linalg.norm(corners - corners[:, [1, 2, 0]], axis=2)


@settings(max_examples=20)
@given(count=st.integers(300, 6000))
def test_retarget_hits_any_even_number_on_a_closed_surface(count: int) -> None:
    mesh = painted(3)
    outcome = apply(mesh, "retarget", {"triangles": count})
    assert outcome.triangles_after == outcome.mesh.triangle_count == count - count % 2
    assert bool(outcome.notes) == (count % 2 == 1 or count == mesh.triangle_count)
    assert set(edge_uses(outcome.mesh.triangles)) == {2}
    seen = judge(outcome.mesh)
    assert seen.is_watertight
    assert seen.is_winding_consistent
    assert seen.euler_number == 2
    assert (np.einsum("ij,ij->i", seen.face_normals, seen.triangles_center) > 0).all()


@settings(max_examples=20)
@given(count=st.integers(200, 4000))
def test_retarget_hits_every_number_on_an_open_surface(count: int) -> None:
    mesh = open_sheet()
    made = apply(mesh, "retarget", {"triangles": count}).mesh
    assert made.triangle_count == count
    assert set(edge_uses(made.triangles)) == {1, 2}
    assert judge(made).euler_number == judge(mesh).euler_number


def test_retarget_makes_no_new_defects_where_there_are_some() -> None:
    mesh = crossed_sheets()
    for count in (201, 333, 2000, 2001):
        made = run(mesh, "retarget", triangles=count)
        assert made.triangle_count == count
        assert set(edge_uses(made.triangles)) == {1, 2, 4}
        assert len(np.unique(np.sort(made.triangles, axis=1), axis=0)) == count
        assert areas(made.positions, made.triangles).min() > 0


def test_retarget_upward_keeps_the_shape_and_makes_even_triangles() -> None:
    soup = cube_soup(150.0)
    soup.positions[:, 2] *= 0.5  # long and short sides
    for mesh in (painted(4, 75.0), build_mesh(soup)):
        made = run(mesh, "retarget", triangles=20_000)
        assert hausdorff(mesh, made) < 0.02
        assert judge(made).volume == pytest.approx(judge(mesh).volume, rel=1e-4)
        size = areas(made.positions, made.triangles)
        assert size.std() / size.mean() < 0.4
        assert np.degrees(np.quantile(smallest_angles(made.positions, made.triangles), 0.02)) > 20


def test_following_curvature_rounds_a_coarse_ball_and_leaves_a_box_alone() -> None:
    ball = sphere(2, 10.0)
    flat, bent = (run(ball, "retarget", triangles=8000, follow_curvature=follow) for follow in (False, True))
    off = [np.abs(np.linalg.norm(mesh.positions, axis=1) - 10).max() for mesh in (flat, bent)]
    assert off[0] > 0.15
    assert off[1] < 0.03
    assert set(edge_uses(bent.triangles)) == {2}
    box = build_mesh(cube_soup(20.0))
    assert hausdorff(box, run(box, "retarget", triangles=3000, follow_curvature=True)) < 0.002
    sheet = open_sheet()
    rim = run(sheet, "retarget", triangles=5000, follow_curvature=True)
    assert judge(rim).euler_number == judge(sheet).euler_number


def test_degenerate_triangles_are_gone_and_the_number_is_still_hit() -> None:
    mesh = sphere(2)
    more = np.concatenate((mesh.triangles, [[5, 5, 9], [3, 3, 3]])).astype(np.int32)
    spoilt = build_mesh(Soup(mesh.positions, more, colors=np.full((mesh.vertex_count, 3), 0.5, np.float32)))
    for count in (200, 322, 1000):
        made = run(spoilt, "retarget", triangles=count)
        assert made.triangle_count == count
        assert judge(made).is_watertight


def test_vertices_that_would_meet_stay_apart() -> None:
    # Two crossed triangles' edges have one and the same middle.
    positions = np.array([(-1, -1, 0), (1, 1, 0), (-3, 3, 1), (-1, 1, 0), (1, -1, 0), (3, 3, -1)], np.float32)
    mesh = build_mesh(Soup(positions, np.array([(0, 1, 2), (3, 4, 5)], np.int32)))
    made = run(mesh, "subdivide", scheme="midpoint")
    assert made.triangle_count == 8
    tiny = apply(mesh, "retarget", {"triangles": 100}).mesh
    assert tiny.triangle_count == 100
    assert len(judge(tiny).split(only_watertight=False)) == 2


def test_decimate_by_part_and_by_number() -> None:
    mesh = textured()
    half = run(mesh, "decimate", by="part", keep=50.0)
    assert half.triangle_count == mesh.triangle_count // 2
    hundred = run(mesh, "decimate", by="number", triangles=100)
    assert hundred.triangle_count == 100
    assert judge(hundred).is_watertight
    untouched = apply(mesh, "decimate", {"by": "number", "triangles": 10**6})
    assert untouched.triangles_after == mesh.triangle_count
    assert untouched.notes


def pipe() -> Mesh:
    """Open at both ends. (At a rim vertex trimesh takes every neighbour on a rim for one along it; here they are.)"""
    turn, height = (axis.ravel() for axis in np.meshgrid(np.linspace(0, 2 * np.pi, 12, endpoint=False), np.arange(6)))
    positions = np.stack((3 * np.cos(turn), 3 * np.sin(turn), height + 0.2 * np.sin(3 * turn)), axis=1)
    row, column = np.divmod(np.arange(60), 12)
    a, b = row * 12 + column, row * 12 + (column + 1) % 12
    triangles = np.concatenate((np.stack((a, b, b + 12), axis=1), np.stack((a, b + 12, a + 12), axis=1)))
    return build_mesh(Soup(positions.astype(np.float32), triangles.astype(np.int32)))


@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("kind", ["closed", "open"])
def test_loop_subdivision_is_that_of_trimesh(kind: str, levels: int) -> None:
    mesh = painted(2) if kind == "closed" else pipe()
    made = run(mesh, "subdivide", scheme="loop", levels=levels)
    wanted, faces = trimesh.remesh.subdivide_loop(mesh.positions.astype(np.float64), mesh.triangles, levels)
    assert made.triangle_count == len(faces)

    centers = made.positions[made.triangles].mean(axis=1), wanted[faces].mean(axis=1)
    for one, other in (centers, centers[::-1]):
        assert cKDTree(other).query(one)[0].max() < 1e-5


def test_midpoint_subdivision_keeps_the_shape_and_texture_to_rounding() -> None:
    mesh = textured()
    outcome = apply(mesh, "subdivide", {"scheme": "midpoint", "levels": 2})
    assert outcome.triangles_after == 16 * mesh.triangle_count
    assert hausdorff(mesh, outcome.mesh) < 1e-5
    assert outcome.color_change is not None
    assert outcome.color_change.p95 < 0.01
    assert judge(outcome.mesh).is_watertight


def test_subdividing_too_far_is_refused_in_words() -> None:
    with pytest.raises(InvalidInput, match="20,000,000 are the most"):
        apply(sphere(5), "subdivide", {"levels": 5})
    with pytest.raises(InvalidInput, match="Give longer edges"):
        apply(sphere(1, 500.0), "remesh", {"edge": 0.02})


@pytest.mark.parametrize("edge", [0.4, 1.0])
def test_remesh_gives_edges_of_the_wanted_length(edge: float) -> None:
    mesh = painted(4)
    made = run(mesh, "remesh", edge=edge)
    lengths = sides(made)
    assert np.median(lengths) == pytest.approx(edge, rel=0.1)
    assert lengths.std() / lengths.mean() < 0.2
    assert lengths.max() < 1.6 * edge
    assert np.degrees(smallest_angles(made.positions, made.triangles).mean()) > 50
    seen = judge(made)
    assert seen.is_watertight
    assert seen.euler_number == 2
    assert hausdorff(mesh, made) < 0.2 * edge**2 + 0.02  # the middle of a triangle over the tightest bend


def test_remesh_suggests_what_keeps_the_number_and_keeps_open_rims() -> None:
    sheet = open_sheet(30)
    made = run(sheet, "remesh")
    assert made.triangle_count == pytest.approx(sheet.triangle_count, rel=0.3)
    assert judge(made).euler_number == judge(sheet).euler_number
    flat = run(grid(20, 20.0), "remesh", edge=0.5)
    assert areas(flat.positions, flat.triangles).sum() == pytest.approx(400.0, rel=1e-3)


def test_smoothing_takes_noise_and_keeps_volume_mask_and_rim() -> None:
    ball = sphere(4)
    noise = np.random.default_rng(1).normal(0, 0.05, (ball.vertex_count, 1)).astype(np.float32)
    rough = build_mesh(Soup(ball.positions * (1 + noise), ball.triangles))
    smooth = run(rough, "smooth_surface", strength=20.0)
    off = [np.linalg.norm(mesh.positions, axis=1).std() for mesh in (rough, smooth)]
    assert off[1] < 0.5 * off[0]
    assert judge(smooth).volume == pytest.approx(judge(rough).volume, rel=1e-4)
    strong = run(sphere(4), "smooth_surface", strength=100.0)
    assert judge(strong).volume == pytest.approx(judge(sphere(4)).volume, rel=1e-4)
    assert smooth.triangles is rough.triangles
    masked = painted()
    held = masked.mask == 1
    after = run(masked, "smooth_surface", strength=50.0)
    assert np.array_equal(after.positions[held], masked.positions[held])
    assert (after.positions[~held] != masked.positions[~held]).any()
    sheet = open_sheet()
    after = run(sheet, "smooth_surface", strength=50.0)
    rim = sheet.topology.boundary == 1
    assert np.array_equal(after.positions[rim], sheet.positions[rim])


def test_manifold3d_takes_what_comes_out() -> None:
    import manifold3d

    mesh = painted(3)
    for operation, values in (
        ("retarget", {"triangles": 700}),
        ("retarget", {"triangles": 9000}),
        ("remesh", {"edge": 0.8}),
    ):
        made = apply(mesh, operation, values).mesh
        solid = manifold3d.Manifold(manifold3d.Mesh(made.positions, made.triangles.astype(np.uint32)))
        assert solid.status() == manifold3d.Error.NoError
        assert solid.num_tri() == made.triangle_count
        assert solid.volume() == pytest.approx(judge(made).volume, rel=1e-4)


@settings(max_examples=60)
@given(soup=soups(), count=st.integers(100, 700))
def test_any_soup_gives_a_sound_mesh(soup: Soup, count: int) -> None:
    mesh = build_mesh(soup)
    for operation, values in (
        ("retarget", {"triangles": count}),
        ("retarget", {"triangles": count, "follow_curvature": True}),
        ("decimate", {"keep": 30.0}),
        ("subdivide", {}),
        ("remesh", {}),
    ):
        with contextlib.suppress(InvalidInput):
            assert_sound(apply(mesh, operation, values).mesh)
