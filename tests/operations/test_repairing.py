"""Weld, make manifold, orient, floaters, inner shells: each on a fault known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import Cancelled
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from tests.meshes import grid_soup, icosphere_soup, sphere
from tests.operations.checks import assert_sound, bits, edge_uses, painted
from tests.operations.defects import (
    assert_closed,
    ball,
    crossing_faces,
    cube,
    moebius,
    placed,
    run,
    shell_count,
    together,
    volume,
)


def _cracked(gap: float) -> Mesh:
    """A coloured ball whose upper half was moved by a gap."""
    soup = icosphere_soup(3, 10.0)
    upper = soup.positions[soup.triangles].mean(axis=1)[:, 2] > 0
    lifted = soup.positions + np.array([gap, 0, 0], np.float32)
    colors = np.tile((soup.positions / 30 + 0.5).astype(np.float32), (2, 1))
    triangles = np.where(upper[:, None], soup.triangles + len(soup.positions), soup.triangles)
    return build_mesh(Soup(np.concatenate((soup.positions, lifted)), triangles, colors=colors, unit_mm=1.0))


def test_weld_closes_a_crack() -> None:
    mesh = _cracked(0.004)
    assert (edge_uses(mesh.triangles) == 1).any()
    result = run(mesh, "weld", tolerance=0.01)
    assert_sound(result.mesh)
    assert_closed(result.mesh)
    assert result.mesh.triangle_count == 1280
    assert result.mesh.colors is not None


def test_weld_leaves_wider_cracks_and_closed_surfaces_alone() -> None:
    mesh = _cracked(0.05)
    assert run(mesh, "weld", tolerance=0.01).mesh.vertex_count == mesh.vertex_count
    fine = sphere(4, 0.5)  # edges of about 0.03 mm
    assert bits(run(fine, "weld", tolerance=0.05).mesh) == bits(fine)
    assert run(fine, "weld", tolerance=0.05, only_open=False).mesh.vertex_count < fine.vertex_count


@pytest.mark.parametrize(("touching", "shells"), [("join", 1), ("separate", 2)])
def test_two_cubes_that_share_an_edge(touching: str, shells: int) -> None:
    mesh = together(cube(10.0), cube(10.0, (10, 10, 0)))
    assert edge_uses(mesh.triangles).max() == 4
    result = run(mesh, "make_manifold", touching=touching).mesh
    assert_sound(result)
    assert_closed(result)
    assert crossing_faces(result) == 0
    assert shell_count(result) == shells
    assert volume(result) == pytest.approx(2000, rel=1e-3)


def test_two_cubes_that_share_a_corner_come_apart() -> None:
    mesh = together(cube(10.0), cube(10.0, (10, 10, 10)))
    result = run(mesh, "make_manifold").mesh
    assert_closed(result)
    assert shell_count(result) == 2
    assert volume(result) == pytest.approx(2000, rel=1e-3)


def test_two_cubes_that_share_a_face_lose_the_wall_between() -> None:
    mesh = together(cube(10.0), cube(10.0, (10, 0, 0)))
    result = run(mesh, "make_manifold").mesh
    assert_closed(result)
    assert result.triangle_count == 20
    assert volume(result) == pytest.approx(2000)


def test_double_and_collapsed_triangles_go() -> None:
    soup = cube(10.0)
    extra = np.concatenate((soup.triangles, soup.triangles[3:5], [(0, 0, 1)])).astype(np.int32)
    result = run(build_mesh(Soup(soup.positions, extra, unit_mm=1.0)), "make_manifold").mesh
    assert result.triangle_count == 12
    assert_closed(result)


def test_triangles_without_area_are_flipped_away() -> None:
    # The corner (5, 0, 0) lies on the edge of the bottom; the triangle between them is flat.
    positions = np.array([(0, 0, 0), (10, 0, 0), (5, 0, 0), (0, 10, 0), (2, 2, 8)], np.float32)
    triangles = np.array([(0, 3, 1), (0, 1, 2), (0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4)], np.int32)
    mesh = build_mesh(Soup(positions, triangles, unit_mm=1.0))
    result = run(mesh, "make_manifold").mesh
    assert_closed(result)
    assert result.triangle_count == 6
    corners = result.positions[result.triangles].astype(float)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    assert area.min() > 1
    assert volume(result) == pytest.approx(volume(mesh))
    assert sorted(map(tuple, result.positions.tolist())) == sorted(map(tuple, mesh.positions.tolist()))


def test_a_moebius_band_is_cut_open_and_said() -> None:
    result = run(moebius(), "make_manifold")
    assert edge_uses(result.mesh.triangles).max() == 2
    assert any("one side" in note for note in result.notes)
    assert any("one side" in note for note in run(moebius(), "orient").notes)


def test_orient_turns_triangles_and_shells_outward() -> None:
    first, second = cube(10.0), cube(10.0, (30, 0, 0), inside_out=True)
    first.triangles[[1, 4, 7]] = first.triangles[[1, 4, 7]][:, ::-1]
    result = run(together(first, second), "orient").mesh
    assert_closed(result)
    assert volume(result) == pytest.approx(2000)


def test_orient_keeps_cavities_if_wanted() -> None:
    hollow = together(cube(20.0), cube(10.0, inside_out=True))
    assert volume(run(hollow, "orient").mesh) == pytest.approx(7000)
    assert volume(run(hollow, "orient", keep_cavities=False).mesh) == pytest.approx(9000)


def test_orient_tells_front_from_back_of_an_open_bowl() -> None:
    soup = icosphere_soup(3, 10.0)
    bowl = soup.triangles[soup.positions[soup.triangles].mean(axis=1)[:, 2] < 3]
    for order in ([0, 1, 2], [0, 2, 1]):
        result = run(build_mesh(Soup(soup.positions, np.ascontiguousarray(bowl[:, order]))), "orient").mesh
        assert (np.einsum("ij,ij->i", result.normals, result.positions) > 0).mean() > 0.99


def test_floaters_go_and_what_touches_stays() -> None:
    body, bit = ball(10.0), ball(0.5, (14, 0, 0), 1)
    eye = ball(0.8, (0, 0, 9.8), 1)
    result = run(together(body, bit, eye), "remove_floaters")
    assert_sound(result.mesh)
    assert shell_count(result.mesh) == 2
    assert result.mesh.positions[:, 0].max() < 11
    assert result.notes == ["1 floater with 80 triangles removed."]
    assert shell_count(run(together(body, bit, eye), "remove_floaters", keep_touching=False).mesh) == 1
    assert shell_count(run(together(body, bit, eye), "remove_floaters", share=0.0, size=0.1).mesh) == 3


def test_inner_shells_go_and_overlapping_ones_stay() -> None:
    body, buried, skin = ball(10.0), ball(2.0, (-3, 0, 0), 2), placed(icosphere_soup(2, 9.0), inside_out=True)
    reaching = ball(4.0, (9, 0, 0), 2)
    mesh = together(body, buried, skin, reaching)
    result = run(mesh, "remove_inner_shells")
    assert shell_count(result.mesh) == 2
    assert result.mesh.triangle_count == 1280 + 320
    kept = run(mesh, "remove_inner_shells", keep_cavities=True)
    assert shell_count(kept.mesh) == 3


def test_what_is_all_right_stays_to_the_bit() -> None:
    mesh = painted(3)
    for name in ("weld", "make_manifold", "orient", "remove_floaters", "remove_inner_shells", "clean_up"):
        result = run(mesh, name)
        assert bits(result.mesh) == bits(mesh), name


def test_cancel_stops_an_operation() -> None:
    def cancelled(fraction: float, doing: str) -> None:
        raise Cancelled

    holed = together(grid_soup(5))
    for name in ("weld", "make_manifold", "close_holes", "orient", "remove_floaters", "clean_up", "voxel_remesh"):
        with pytest.raises(Cancelled):
            run(holed, name, cancelled)
