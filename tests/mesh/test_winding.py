"""Winding numbers against the exact sum over all triangles, and inside and outside of known bodies."""

from __future__ import annotations

import numpy as np

from app.mesh.winding import Winding
from tests.meshes import grid_soup, icosphere_soup


def _exact(positions: np.ndarray, triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Sum of solid angles (Van Oosterom and Strackee 1983), the slow way."""
    corners = positions[triangles].astype(np.float64)
    out = np.empty(len(points))
    for i, point in enumerate(points):
        a, b, c = (corners[:, k] - point for k in range(3))
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        above = np.einsum("ij,ij->i", a, np.cross(b, c))
        dots = [np.einsum("ij,ij->i", u, v) for u, v in ((a, b), (b, c), (c, a))]
        out[i] = 2 * np.arctan2(above, la * lb * lc + dots[0] * lc + dots[1] * la + dots[2] * lb).sum()
    return out / (4 * np.pi)


def test_a_closed_ball_is_one_inside_and_zero_outside() -> None:
    soup = icosphere_soup(4, 10.0)
    points = np.random.default_rng(5).uniform(-15, 15, (4000, 3))
    radius = np.linalg.norm(points, axis=1)
    points, radius = points[np.abs(radius - 10) > 0.2], radius[np.abs(radius - 10) > 0.2]
    found = Winding.of(soup.positions, soup.triangles).at(points)
    assert np.abs(found - (radius < 10)).max() < 0.05


def test_open_and_doubled_surfaces_agree_with_the_sum_over_all_triangles() -> None:
    ball, sheet = icosphere_soup(3, 10.0), grid_soup(10)
    positions = np.concatenate((ball.positions, ball.positions * np.float32(0.5), sheet.positions))
    triangles = np.concatenate((ball.triangles, ball.triangles + 642, sheet.triangles + 1284))
    points = np.random.default_rng(6).uniform(-14, 14, (300, 3))
    found = Winding.of(positions, triangles).at(points)
    assert np.abs(found - _exact(positions, triangles, points)).max() < 0.05


def test_a_body_inside_out_winds_backward() -> None:
    soup = icosphere_soup(2)
    assert Winding.of(soup.positions, soup.triangles[:, ::-1]).at(np.zeros((1, 3)))[0] < -0.9
