"""Close holes: the lid's shape against spheres and planes, its colour, and borders that are hard."""

from __future__ import annotations

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.colors import colors_from_texture
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.operations.holes import holes
from app.operations.surface import Surface
from tests.meshes import grid, icosphere_soup, sphere, textured_soup
from tests.operations.checks import assert_sound, open_sheet
from tests.operations.defects import assert_closed, crossing_faces, run, volume, without

_RADIUS = 10.0


def _capped(height: float, subdivisions: int = 5) -> Mesh:
    """A ball without its cap above a height."""
    soup = icosphere_soup(subdivisions, _RADIUS)
    return build_mesh(without(soup, soup.positions[soup.triangles].mean(axis=1)[:, 2] > height))


def _cap_volume(height: float) -> float:
    rise = _RADIUS - height
    return np.pi * rise**2 * (3 * _RADIUS - rise) / 3


@pytest.mark.parametrize(("height", "share"), [(9.5, 0.05), (9.0, 0.05), (7.0, 0.1)])
def test_a_curved_lid_gives_the_cap_back(height: float, share: float) -> None:
    whole = volume(sphere(5, _RADIUS))
    result = run(_capped(height), "close_holes", shape="curved").mesh
    assert_sound(result)
    assert_closed(result)
    assert crossing_faces(result) == 0
    # All but a small share of the volume that a flat lid loses.
    assert abs(volume(result) - whole) < share * _cap_volume(height)
    assert np.linalg.norm(result.positions, axis=1).max() < _RADIUS * 1.01


def test_a_flat_lid_is_flat() -> None:
    mesh = _capped(9.0)
    result = run(mesh, "close_holes", shape="flat").mesh
    assert_closed(result)
    whole = 4 / 3 * np.pi * _RADIUS**3
    assert volume(result) == pytest.approx(whole - _cap_volume(9.0), rel=0.002)


def test_auto_is_curved_for_small_and_flat_for_wide_holes() -> None:
    assert volume(run(_capped(9.8), "close_holes").mesh) > volume(run(_capped(9.8), "close_holes", shape="flat").mesh)
    wide = run(_capped(4.0), "close_holes").mesh
    assert volume(wide) == volume(run(_capped(4.0), "close_holes", shape="flat").mesh)


def test_old_triangles_stay_and_new_ones_are_as_fine() -> None:
    mesh = _capped(8.0)
    result = run(mesh, "close_holes", shape="curved").mesh
    old = {tuple(map(tuple, corners)) for corners in mesh.positions[mesh.triangles].tolist()}
    kept = [tuple(map(tuple, corners)) in old for corners in result.positions[result.triangles].tolist()]
    assert sum(kept) == mesh.triangle_count
    edges = result.positions[result.triangles[~np.array(kept)]]
    lengths = np.linalg.norm(edges - edges[:, [1, 2, 0]], axis=2)
    around = np.linalg.norm(mesh.positions[mesh.triangles[:, 0]] - mesh.positions[mesh.triangles[:, 1]], axis=1)
    assert 0.5 < np.median(lengths) / np.median(around) < 1.6


def test_wide_holes_stay_open_if_wanted() -> None:
    soup = icosphere_soup(4, _RADIUS)
    middle = soup.positions[soup.triangles].mean(axis=1)
    mesh = build_mesh(without(soup, (middle[:, 2] > 9.5) | (middle[:, 2] < -5)))
    assert len(holes(Surface.of(mesh))) == 2
    result = run(mesh, "close_holes", largest=10.0)
    assert len(holes(Surface.of(result.mesh))) == 1
    assert result.notes[0].startswith("1 hole closed")


def test_the_lid_takes_the_colours_around() -> None:
    soup = icosphere_soup(4, _RADIUS)
    soup.colors = (soup.positions / 25 + 0.5).astype(np.float32)
    gone = soup.positions[soup.triangles].mean(axis=1)[:, 0] > 9
    result = run(build_mesh(Soup(soup.positions, soup.triangles[~gone], colors=soup.colors)), "close_holes").mesh
    assert result.colors is not None
    # Harmonic, so the two colours that are linear over the hole come back; along x it can only be as at the border.
    assert np.abs(result.colors[:, 1:] - (result.positions[:, 1:] / 25 + 0.5)).max() < 0.02


def test_the_lid_of_a_textured_hole_has_an_image_of_its_own() -> None:
    soup = textured_soup(64, 32)
    middle = soup.positions[soup.triangles].mean(axis=1)
    kept = middle @ (0.6, 0.6, 0.5) < 9
    part = Soup(
        soup.positions, soup.triangles[kept], uv=soup.uv, corner_uv=soup.triangles[kept], materials=soup.materials
    )
    mesh = build_mesh(part)
    result = run(mesh, "close_holes").mesh
    assert_sound(result)
    assert_closed(result)
    assert len(result.materials) == 2
    assert result.materials[0].texture is mesh.materials[0].texture
    whole = build_mesh(soup)
    expected = colors_from_texture(whole)
    looks = colors_from_texture(result)
    nearest = np.linalg.norm(result.positions[:, None] - whole.positions[None], axis=2).argmin(axis=1)
    new = result.positions @ np.array((0.6, 0.6, 0.5), np.float32) > 9.0
    assert new.sum() > 10
    assert np.abs(looks[new] - expected[nearest[new]]).max() < 0.1


def test_a_flat_sheet_stays_open_and_is_said() -> None:
    result = run(grid(6), "close_holes")
    assert result.mesh.triangle_count == 72
    assert any("without thickness" in note for note in result.notes)


def test_a_ring_of_a_hole_in_a_sheet_and_a_long_border() -> None:
    result = run(open_sheet(40), "close_holes")
    assert_sound(result.mesh)
    # 1,000 border edges: more than are triangulated at once.
    angle = np.arange(1000) * (2 * np.pi / 1000)
    rim = np.stack((10 * np.cos(angle), 10 * np.sin(angle), np.sin(5 * angle)), axis=1)
    positions = np.concatenate((rim, [(0, 0, -15.0)])).astype(np.float32)
    a = np.arange(1000)
    triangles = np.stack((np.roll(a, -1), a, np.full(1000, 1000)), axis=1).astype(np.int32)
    cone = run(build_mesh(Soup(positions, triangles)), "close_holes", shape="flat").mesh
    assert_closed(cone)


def test_each_hole_of_a_sieve_is_closed() -> None:
    soup = icosphere_soup(4, _RADIUS)
    gone = np.zeros(len(soup.triangles), bool)
    gone[::37] = True
    result = run(build_mesh(without(soup, gone)), "close_holes").mesh
    assert_closed(result)
    assert volume(result) == pytest.approx(4 / 3 * np.pi * 1000, rel=0.005)
