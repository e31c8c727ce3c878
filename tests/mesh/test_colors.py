"""Texture colour onto vertices, against Pillow and hand calculation."""

from __future__ import annotations

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.colors import colors_from_texture, with_vertex_colors
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Soup, Texture
from tests.meshes import sphere, textured_soup


def linear(srgb):
    srgb = np.asarray(srgb, float)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def srgb(value):
    value = np.asarray(value, float)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)


def quad(uv: list[tuple[float, float]], pixels: np.ndarray, **material: object) -> Mesh:
    """Two triangles with one texture coordinate per corner of the square."""
    positions = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], np.float32)
    triangles = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    texture = Texture.from_pixels(np.asarray(pixels, np.uint8))
    materials = [Material(texture=texture, **material)]
    soup = Soup(positions, triangles, uv=np.array(uv, np.float32), corner_uv=triangles.copy(), materials=materials)
    return build_mesh(soup)


def colors_in_file_order(mesh: Mesh) -> np.ndarray:
    out = np.empty((mesh.vertex_count, 3))
    out[mesh.file_vertex] = colors_from_texture(mesh)
    return out


PIXELS = np.array([[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (90, 90, 90)]])  # top row first


def test_the_middle_of_a_texel_is_exactly_its_colour_and_v_points_up():
    mesh = quad([(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)], PIXELS)
    wanted = np.array([(0, 0, 255), (90, 90, 90), (0, 255, 0), (255, 0, 0)]) / 255
    np.testing.assert_allclose(colors_in_file_order(mesh), wanted, atol=1e-6)


def test_between_texels_light_is_mixed_not_code_values():
    mesh = quad([(0.5, 0.75)] * 4, PIXELS)
    wanted = srgb((linear([1.0, 0, 0]) + linear([0, 1.0, 0])) / 2)
    np.testing.assert_allclose(colors_in_file_order(mesh)[0], wanted, atol=1e-6)
    assert wanted[0] == pytest.approx(0.7354, abs=1e-3)


@pytest.mark.parametrize(("wrap", "wanted"), [("repeat", (0, 0, 1.0)), ("clamp", (0, 1.0, 0))])
def test_outside_the_image_the_wrap_mode_decides(wrap: str, wanted):
    # 1.25 repeats as 0.25 (left) and 1.75 up as 0.75; clamped it is the right end of the top row.
    mesh = quad([(1.25, 2.25)] * 4, PIXELS, wrap=wrap)
    np.testing.assert_allclose(colors_in_file_order(mesh)[0], wanted, atol=1e-6)


def test_the_base_colour_multiplies_in_linear_light():
    mesh = quad([(0.75, 0.25)] * 4, PIXELS, base_color=(1.0, 0.5, 0.0))
    wanted = srgb(linear([90 / 255] * 3) * linear([1.0, 0.5, 0.0]))
    np.testing.assert_allclose(colors_in_file_order(mesh)[0], wanted, atol=1e-6)


def test_a_vertex_on_a_seam_takes_the_mean_of_its_sides():
    mesh = build_mesh(textured_soup())
    colors = colors_from_texture(mesh)
    assert colors.shape == (mesh.vertex_count, 3)
    assert colors.dtype == np.float32
    x, y, _ = mesh.positions.T
    seam = (np.abs(y) < 1e-4) & (x > 1)
    # Repeated, the image's left end (0) and right end (255) meet at the seam: their mean in light.
    np.testing.assert_allclose(colors[seam, 0], srgb(0.5 * (linear(0.0) + linear(1.0))), atol=0.01)
    far = (np.abs(y) < 1e-4) & (x < -1)
    np.testing.assert_allclose(colors[far, 0], 0.5, atol=0.01)
    np.testing.assert_allclose(colors[:, 2], 128 / 255, atol=1e-3)


def test_materials_without_a_texture_give_their_base_colour():
    positions = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], np.float32)
    triangles = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    materials = [Material(base_color=(1.0, 0.0, 0.0)), Material(base_color=(0.0, 0.0, 0.5))]
    mesh = build_mesh(Soup(positions, triangles, triangle_material=np.array([0, 1], np.int16), materials=materials))
    colors = colors_in_file_order(mesh)
    np.testing.assert_allclose(colors[1], (1, 0, 0), atol=1e-6)
    np.testing.assert_allclose(colors[3], (0, 0, 0.5), atol=1e-6)
    np.testing.assert_allclose(colors[0], srgb((linear([1.0, 0, 0]) + linear([0, 0, 0.5])) / 2), atol=1e-6)


def test_the_new_mesh_shares_the_surface_and_drops_the_texture():
    mesh = build_mesh(textured_soup())
    mesh.mask[3], mesh.face_sets[4], mesh.hidden[5] = 0.5, 7, 1
    painted = with_vertex_colors(mesh)
    for name in ("positions", "mask", "face_sets", "hidden"):
        np.testing.assert_array_equal(getattr(painted, name), getattr(mesh, name))
        assert getattr(painted, name) is not getattr(mesh, name)
    assert painted.topology is mesh.topology
    assert painted.uv is None
    assert not painted.has_texture
    assert painted.colors.flags.c_contiguous
    plain = with_vertex_colors(sphere(2))
    np.testing.assert_allclose(plain.colors, 1.0, atol=1e-6)
