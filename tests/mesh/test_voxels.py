"""Signed distance on a grid and the surface made from it, against spheres, tori and boxes."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from app.errors import InvalidInput
from app.mesh.voxels import contoured, sampled
from tests.meshes import icosphere_soup


def _quiet(fraction: float, doing: str) -> None:
    assert 0 <= fraction <= 1


def _surface(positions: np.ndarray, triangles: np.ndarray, step: float, level: float = 0.0) -> trimesh.Trimesh:
    voxels = sampled(positions.astype(np.float32), triangles.astype(np.int32), step, _quiet, level)
    return trimesh.Trimesh(*contoured(voxels), process=False)


@pytest.mark.parametrize("level", [0.0, -2.0, 1.5])
def test_levels_of_a_ball_are_balls(level: float) -> None:
    soup = icosphere_soup(5, 10.0)
    found = _surface(soup.positions, soup.triangles, 0.4, level)
    assert found.is_watertight
    assert found.is_winding_consistent
    assert found.volume == pytest.approx(4 / 3 * np.pi * (10 + level) ** 3, rel=0.005)
    radii = np.linalg.norm(found.vertices, axis=1)
    assert np.abs(radii - (10 + level)).max() < 0.04


def test_a_torus_keeps_its_hole() -> None:
    torus = trimesh.creation.torus(8.0, 2.5, major_sections=96, minor_sections=48)
    found = _surface(torus.vertices, torus.faces, 0.4)
    assert found.is_watertight
    assert found.euler_number == 0
    assert found.volume == pytest.approx(torus.volume, rel=0.01)


def test_overlapping_bodies_become_their_union_and_cavities_stay() -> None:
    big, small = icosphere_soup(4, 10.0), icosphere_soup(3, 4.0)
    shift = np.array([12, 0, 0], np.float32)
    positions = np.concatenate((big.positions, big.positions + shift, small.positions))
    count = len(big.positions)
    triangles = np.concatenate((big.triangles, big.triangles + count, small.triangles[:, ::-1] + 2 * count))
    found = _surface(positions, triangles, 0.4)
    lens = np.pi * (4 * 10 + 12) * (2 * 10 - 12) ** 2 / 12
    ball = 4 / 3 * np.pi
    assert found.volume == pytest.approx(2 * ball * 1000 - lens - ball * 64, rel=0.01)
    assert found.body_count == 2


def test_a_thin_box_far_from_the_origin() -> None:
    box = trimesh.creation.box((30, 20, 1.0))
    found = _surface(box.vertices + np.array([500, -300, 80]), box.faces, 0.3)
    assert found.is_watertight
    assert found.volume == pytest.approx(box.volume, rel=0.02)


def test_too_fine_a_grid_is_refused() -> None:
    soup = icosphere_soup(2, 500.0)
    with pytest.raises(InvalidInput, match="too fine"):
        _surface(soup.positions, soup.triangles, 0.05)
