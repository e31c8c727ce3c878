"""Colour follows the surface: exact where the surface is the same, inside one chart, on the right side of a wall."""

from __future__ import annotations

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Soup, Texture
from app.mesh.splitting import edge_rings, split_to_count
from app.operations.carry import carry, carry_by_weights
from app.operations.color_change import color_change
from tests.meshes import grid
from tests.operations.checks import assert_sound, open_sheet, painted, silent, textured


def corner_uvs(mesh: Mesh) -> np.ndarray:
    assert mesh.uv is not None
    return mesh.uv[mesh.corner_uv]


def finer(mesh: Mesh, times: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rings = edge_rings(mesh.triangles, mesh.topology)
    return split_to_count(mesh.positions, mesh.triangles, rings, times * mesh.triangle_count)[:2]


@pytest.mark.parametrize("model", [painted, textured, open_sheet])
def test_onto_itself_nothing_changes(model) -> None:
    mesh = model()
    again = carry(mesh, mesh.positions, mesh.triangles, silent)
    assert_sound(again)
    assert np.array_equal(again.positions, mesh.positions)
    assert np.array_equal(again.triangles, mesh.triangles)
    assert np.array_equal(again.mask, mesh.mask)
    assert np.array_equal(again.face_sets, mesh.face_sets)
    if mesh.colors is not None:
        np.testing.assert_allclose(again.colors, mesh.colors, atol=1e-6)
    if mesh.uv is not None:
        assert np.array_equal(again.triangle_material, mesh.triangle_material)
        assert len(again.uv) == len(mesh.uv)
        np.testing.assert_allclose(corner_uvs(again), corner_uvs(mesh), atol=2e-6)


@pytest.mark.parametrize("model", [painted, textured, open_sheet])
def test_onto_a_finer_surface_colours_stay(model) -> None:
    mesh = model()
    fine = carry(mesh, *finer(mesh), silent)
    assert_sound(fine)
    change = color_change(mesh, fine, silent)
    assert change is not None
    assert change.mean < 0.02
    assert change.p95 < 0.1
    mean_mask = [float((part.mask[part.triangles].mean(axis=1)).mean()) for part in (mesh, fine)]
    assert mean_mask[1] == pytest.approx(mean_mask[0], abs=0.05)
    assert set(fine.face_sets) == set(mesh.face_sets)
    if mesh.face_sets.any():
        inside = fine.positions[:, 1] > 3, fine.positions[:, 1] < -1
        assert [set(fine.face_sets[side]) for side in inside] == [{5}, {0}]


def test_no_triangle_reaches_over_a_seam() -> None:
    mesh = textured(48, 24)
    widest = np.ptp(corner_uvs(mesh), axis=1).max(axis=0)
    for positions, triangles in (finer(mesh, 7), (mesh.positions @ _turn(0.03), mesh.triangles)):
        carried = carry(mesh, positions.astype(np.float32), triangles, silent)
        assert (np.ptp(corner_uvs(carried), axis=1).max(axis=0) <= widest * 2).all()


def _turn(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


def test_two_charts_side_by_side_do_not_mix() -> None:
    # Left and right half of a sheet have their own corners of the image, red and blue, far apart.
    sheet = grid(10, 20.0)
    left = sheet.positions[sheet.triangles].mean(axis=1)[:, 0] < 0
    uv = (sheet.positions[sheet.triangles][:, :, :2] + 10) / 100
    uv[~left] += (0.7, 0.7)
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[32:, :32] = (255, 0, 0)
    pixels[:32, 32:] = (0, 0, 255)
    soup = Soup(
        sheet.positions,
        sheet.triangles,
        uv=uv.reshape(-1, 2).astype(np.float32),
        corner_uv=np.arange(uv.size // 2, dtype=np.int32).reshape(-1, 3),
        materials=[Material("m", texture=Texture.from_pixels(pixels))],
    )
    mesh = build_mesh(soup)
    other = grid(17, 20.0)  # its columns do not meet the border between the halves
    carried = carry(mesh, other.positions, other.triangles, silent)
    corners = corner_uvs(carried)
    right = corners[:, :, 0] > 0.5
    assert (right.all(axis=1) | ~right.any(axis=1)).all()
    centers = carried.positions[carried.triangles].mean(axis=1)
    assert np.array_equal(right.all(axis=1), centers[:, 0] > 0)
    assert corners[right][:, 0].min() >= 0.8 - 1e-6
    assert corners[~right][:, 0].max() <= 0.2 + 1e-6


def test_both_sides_of_a_thin_wall_keep_their_colour() -> None:
    upper = grid(8, 20.0)
    positions = np.concatenate((upper.positions, upper.positions - np.float32((0, 0, 0.1))))
    triangles = np.concatenate((upper.triangles, upper.triangles[:, ::-1] + upper.vertex_count)).astype(np.int32)
    colors = np.zeros((len(positions), 3), np.float32)
    colors[: upper.vertex_count] = (1, 0, 0)
    mesh = build_mesh(Soup(positions, triangles, colors=colors))
    # The new wall is thicker and its upper side lies below the old lower side's place and the other way round.
    moved = positions + np.float32((0.4, 0.3, 0.0))
    moved[: upper.vertex_count, 2] -= 0.07
    moved[upper.vertex_count :, 2] += 0.07
    carried = carry(mesh, moved, triangles, silent)
    assert carried.colors is not None
    flat = carried.normals[:, 2]
    np.testing.assert_allclose(carried.colors[flat > 0.9], np.tile((1, 0, 0), ((flat > 0.9).sum(), 1)), atol=1e-6)
    np.testing.assert_allclose(carried.colors[flat < -0.9], 0.0, atol=1e-6)


def test_by_weights_is_exact_and_keeps_seams() -> None:
    mesh = textured()
    rows = np.arange(mesh.triangle_count)
    again = carry_by_weights(
        mesh, mesh.positions, mesh.triangles, rows, np.broadcast_to(np.eye(3), (len(rows), 3, 3)), silent
    )
    assert_sound(again)
    assert np.array_equal(corner_uvs(again), corner_uvs(mesh))
    assert np.array_equal(again.triangle_material, mesh.triangle_material)
    assert np.array_equal(again.mask, mesh.mask)
    assert np.array_equal(again.face_sets, mesh.face_sets)


def test_materials_without_an_image_go_along() -> None:
    mesh = grid(6, 12.0)
    material = (mesh.positions[mesh.triangles].mean(axis=1)[:, 1] > 0).astype(np.int16)
    named = Mesh(
        mesh.positions,
        mesh.triangles,
        triangle_material=material,
        materials=[Material("red", (1.0, 0.0, 0.0)), Material("blue", (0.0, 0.0, 1.0))],
    )
    fine = carry(named, *finer(named, 3), silent)
    centers = fine.positions[fine.triangles].mean(axis=1)
    assert np.array_equal(fine.triangle_material, (centers[:, 1] > 0).astype(np.int16))
    assert [entry.name for entry in fine.materials] == ["red", "blue"]
