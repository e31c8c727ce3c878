from __future__ import annotations

import numpy as np

from app.mesh.build import build_mesh
from app.viewport.render_copy import RenderCopy
from app.viewport.standin import StandIn
from tests.meshes import sphere, textured_soup


def test_it_is_much_lighter_and_keeps_the_form():
    mesh = sphere(6, radius=50.0)
    copy = RenderCopy(mesh)
    standin = StandIn(copy, wanted=4000)
    triangles = standin.groups[0].triangles
    assert 2000 < len(triangles) < 8000
    assert np.abs(np.linalg.norm(standin.positions, axis=1) - 50).max() < 1e-3
    a, b, c = (standin.positions[triangles[:, k]].astype(float) for k in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
    assert abs(volume / (4 / 3 * np.pi * 50**3) - 1) < 0.03


def test_it_follows_the_mesh():
    mesh = sphere(5)
    copy = RenderCopy(mesh)
    standin = StandIn(copy, wanted=1000)
    before = standin.positions.copy()
    mesh.positions *= 2
    mesh.mask[:] = 1
    mesh.touched_all("positions")
    mesh.touched_all("mask")
    mesh.refresh()
    copy.update()
    standin.gather()
    np.testing.assert_allclose(standin.positions, 2 * before, rtol=1e-6)
    assert (standin.paint[:, 3] == 255).all()


def test_corners_keep_their_own_texture_coordinates():
    mesh = build_mesh(textured_soup(128, 64))
    standin = StandIn(RenderCopy(mesh), wanted=2000)
    uv = standin.tcoords[standin.groups[0].triangles]
    # No triangle is stretched across the seam, where u jumps from 1 to 0.
    assert np.ptp(uv[..., 0], axis=1).max() < 0.5


def test_an_empty_mesh_gives_an_empty_stand_in():
    soup = textured_soup()
    soup.triangles, soup.corner_uv = soup.triangles[:0], soup.corner_uv[:0]
    standin = StandIn(RenderCopy(build_mesh(soup)))
    assert not sum(len(group.triangles) for group in standin.groups)
