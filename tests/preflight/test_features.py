"""Pins, double skins and patches: shapes whose answer is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from app.mesh.build import build_mesh
from app.mesh.soup import Soup
from app.mesh.thickness import thickness
from app.preflight.features import near_skins, widths
from app.preflight.regions import patches, triangle_areas, vertex_areas
from tests.mesh.test_thickness import fine, shell
from tests.meshes import grid, icosphere_soup, sphere


def test_a_pin_has_a_width_and_a_sheet_has_none() -> None:
    pin = fine(trimesh.creation.cylinder(0.4, 10, sections=32), 0.5)
    across = widths(pin, thickness(pin), 1.2)
    middle = np.abs(pin.positions[:, 2]) < 4
    np.testing.assert_allclose(across[middle], 0.8, rtol=0.03)
    sheet = fine(trimesh.creation.box((10, 10, 0.8)), 0.4)
    narrow = patches(sheet, widths(sheet, thickness(sheet), 1.0) < 1.0)
    # Nothing but the very corners of the sheet, where it ends on two sides.
    assert all(patch.area_mm2 < 0.5 for patch in narrow)


def test_a_bar_is_as_wide_as_its_other_side() -> None:
    bar = fine(trimesh.creation.box((12, 0.9, 0.6)), 0.3)
    across = widths(bar, thickness(bar), 1.5)
    flat = (
        (np.abs(bar.positions[:, 2]) > 0.29) & (np.abs(bar.positions[:, 0]) < 5) & (np.abs(bar.positions[:, 1]) < 0.3)
    )
    np.testing.assert_allclose(across[flat], 0.9, rtol=0.03)


def test_what_is_thick_has_no_width() -> None:
    ball = sphere(3, 10.0)
    assert (widths(ball, thickness(ball), 2.0) == 2.0).all()


@pytest.mark.parametrize("inward", [True, False])
def test_a_skin_close_below_is_found_whichever_way_it_faces(inward: bool) -> None:
    skin, copy = icosphere_soup(4, 10.0), icosphere_soup(4, 9.93)
    faces = copy.triangles[:, ::-1] if inward else copy.triangles
    both = build_mesh(
        Soup(np.concatenate((skin.positions, copy.positions)), np.concatenate((skin.triangles, faces + 2562)))
    )
    assert near_skins(both, 0.1).all()
    assert not near_skins(both, 0.05).any()


def test_one_skin_and_thick_walls_are_not_double() -> None:
    for mesh in (sphere(4), grid(20), shell(10, 9)):
        assert not near_skins(mesh, 0.1).any()
    cube = fine(trimesh.creation.box((5, 5, 5)), 0.1)
    assert not near_skins(cube, 0.1).any()  # edges are close to the other face, but across it


def test_patches_hang_together_and_come_largest_first() -> None:
    mesh = grid(20, 20.0)
    chosen = (mesh.positions[:, 0] < -5) | (mesh.positions[:, 0] > 8)
    found = patches(mesh, chosen)
    assert [len(patch.vertices) for patch in found] == [5 * 21, 2 * 21]
    assert found[0].area_mm2 == pytest.approx(4.5 * 20, abs=3)
    assert not patches(mesh, np.zeros(mesh.vertex_count, bool))
    np.testing.assert_allclose(triangle_areas(mesh.positions, mesh.triangles), 0.5)
    assert vertex_areas(mesh).sum() == pytest.approx(400.0)
