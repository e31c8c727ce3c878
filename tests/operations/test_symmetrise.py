"""One side takes the shape of the other: how near it comes, and what stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import InvalidInput
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.operations.running import Outcome, apply
from tests.meshes import grid, icosphere_soup, textured_soup
from tests.operations.checks import hausdorff, painted

HARD = {"feather": 0.0, "reach": 5.0}


def bump(points: np.ndarray, place: tuple[float, float, float], width: float, height: float) -> np.ndarray:
    """Points moved outward around a place, as (N, 3) float64."""
    away = np.linalg.norm(points - np.asarray(place), axis=1)
    return points * (1 + height / 10 * np.exp(-((away / width) ** 2)))[:, None]


def head(*, lopsided: bool) -> Mesh:
    """A ball with a nose and two ears, like on both sides; its triangles are not. On request the minus side, only,
    is swollen and pulled askew, by up to 1.5 mm."""
    points = icosphere_soup(5, 10.0).positions.astype(np.float64)
    turn = np.radians(17.0)  # so that no triangle has a like on the other side
    points = points @ np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    for place in ((0, -10, 0), (9, 0, 3), (-9, 0, 3)):
        points = bump(points, place, 3.0, 2.0)
    if lopsided:
        far = (-points[:, 0] / 10).clip(0, 1) ** 2
        points += far[:, None] * np.stack(
            (-1.2 * np.ones(len(points)), 0.5 * np.cos(points[:, 2] / 3), 0.8 * np.sin(points[:, 1] / 4)), axis=1
        )
    return build_mesh(Soup(points.astype(np.float32), icosphere_soup(5, 10.0).triangles, unit_mm=1.0))


def mirrored(mesh: Mesh) -> Mesh:
    return build_mesh(
        Soup(mesh.positions * np.float32([-1, 1, 1]), np.ascontiguousarray(mesh.triangles[:, ::-1]), unit_mm=1.0)
    )


def normals_of(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    corners = positions[triangles].astype(np.float64)
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def same_but_moved(outcome: Outcome, mesh: Mesh) -> np.ndarray:
    """Asserts that nothing but positions changed; returns (V,) whether a vertex moved."""
    for name in ("triangles", "mask", "face_sets", "hidden", "file_vertex", "uv", "corner_uv", "triangle_material"):
        before, after = getattr(mesh, name), getattr(outcome.mesh, name)
        assert (before is None and after is None) or np.array_equal(before, after), name
    return (outcome.mesh.positions != mesh.positions).any(axis=1)


@pytest.mark.parametrize("side", ["positive", "negative"])
def test_a_lopsided_head_of_unlike_triangles_becomes_symmetric(side: str) -> None:
    mesh = head(lopsided=True)
    outcome = apply(mesh, "symmetrise", {"side": side, **HARD})
    kept = mesh.positions[:, 0] >= 0 if side == "positive" else mesh.positions[:, 0] <= 0
    moved = same_but_moved(outcome, mesh)
    assert not moved[kept].any()
    assert hausdorff(mesh, mirrored(mesh)) > 1.0
    # Two triangulations of one shape differ by their flatness: edges of 0.6 mm over a radius of 2 mm.
    assert hausdorff(outcome.mesh, mirrored(outcome.mesh)) < 0.06
    before, after = (normals_of(positions, mesh.triangles) for positions in (mesh.positions, outcome.mesh.positions))
    assert (np.einsum("ij,ij->i", before, after) > 0).all()
    assert not outcome.notes


def test_the_result_is_the_shape_that_was_deformed() -> None:
    outcome = apply(head(lopsided=True), "symmetrise", HARD)
    assert hausdorff(outcome.mesh, head(lopsided=False)) < 0.06


def test_what_is_symmetric_to_the_bit_stays_within_rounding() -> None:
    half = icosphere_soup(4, 10.0)
    points = half.positions * np.float32([1, 1.2, 0.8])
    mesh = build_mesh(Soup(points, half.triangles, unit_mm=1.0))
    assert set(map(tuple, points.tolist())) == set(map(tuple, (points * np.float32([-1, 1, 1])).tolist()))
    outcome = apply(mesh, "symmetrise")
    np.testing.assert_allclose(outcome.mesh.positions, mesh.positions, rtol=0, atol=1e-5)


def test_masked_and_hidden_vertices_stay_to_the_bit_and_half_masked_go_half_way() -> None:
    mesh = head(lopsided=True)
    free = apply(mesh, "symmetrise", HARD).mesh.positions - mesh.positions
    mesh.mask[mesh.positions[:, 2] > 4] = 1
    mesh.mask[mesh.positions[:, 2] < -4] = 0.5
    mesh.face_sets[mesh.positions[:, 1] > 0] = 3
    moved = same_but_moved(apply(mesh, "symmetrise", HARD), mesh)
    assert not moved[mesh.mask == 1].any()
    half = apply(mesh, "symmetrise", HARD).mesh.positions - mesh.positions
    np.testing.assert_allclose(half[mesh.mask == 0.5], free[mesh.mask == 0.5] / 2, atol=1e-5)
    np.testing.assert_allclose(half[mesh.mask == 0], free[mesh.mask == 0], atol=1e-5)
    mesh.mask[:] = 0
    mesh.hidden[mesh.positions[:, 2] > 4] = 1
    moved = same_but_moved(apply(mesh, "symmetrise", HARD), mesh)
    assert not moved[mesh.hidden == 1].any()
    assert moved.sum() > 1000


def test_half_the_amount_is_half_the_way_and_none_is_nothing() -> None:
    mesh = head(lopsided=True)
    made = [apply(mesh, "symmetrise", {**HARD, "amount": amount}).mesh for amount in (100.0, 50.0, 0.0)]
    whole, half, none = (each.positions - mesh.positions for each in made)
    np.testing.assert_allclose(half, whole / 2, atol=1e-5)
    assert not none.any()


def test_what_finds_nothing_within_reach_stays() -> None:
    """A ball at one side only: its surface is farther than the reach from all that is on the other side."""
    ball, alone = icosphere_soup(4, 10.0), icosphere_soup(3, 2.0)
    positions = np.concatenate((ball.positions * np.float32(1.001), alone.positions + np.float32([-20, 0, 0])))
    triangles = np.concatenate((ball.triangles, alone.triangles + len(ball.positions))).astype(np.int32)
    mesh = build_mesh(Soup(positions, triangles, unit_mm=1.0))
    mesh.positions[:, 1] += (0.05 * (-mesh.positions[:, 0]).clip(0, None)).astype(np.float32)  # there is work to do
    mesh.touched_all("positions")
    outcome = apply(mesh, "symmetrise", {"reach": 4.0})
    moved = same_but_moved(outcome, mesh)
    assert not moved[mesh.positions[:, 0] < -15].any()
    assert moved[mesh.positions[:, 0] > -12].any()
    assert any("within the reach" in note for note in outcome.notes)


def test_near_the_seam_the_side_is_left_as_it_was() -> None:
    """A sheet that rises evenly from left to right would get a sharp valley on the plane."""
    mesh = grid(40, 20.0)
    mesh.positions[:, 2] = 0.3 * mesh.positions[:, 0]
    mesh.touched_all("positions")
    mesh.refresh()
    at_seam = np.abs(mesh.positions[:, 0]) <= 0.6

    def steepest(positions: np.ndarray) -> float:
        normals = normals_of(positions, mesh.triangles)
        normals /= np.linalg.norm(normals, axis=1)[:, None]
        near = at_seam[mesh.triangles].any(axis=1)
        return float(np.degrees(np.arccos((normals[near] @ normals[near][0]).clip(-1, 1))).max())

    hard = apply(mesh, "symmetrise", {"feather": 0.0, "reach": 20.0}).mesh
    soft = apply(mesh, "symmetrise", {"feather": 6.0, "reach": 20.0}).mesh
    left = mesh.positions[:, 0] < -7
    np.testing.assert_allclose(hard.positions[left & ~(mesh.topology.boundary == 1), 2].min(), 2.1, atol=0.3)
    assert steepest(hard.positions) > 30
    assert steepest(soft.positions) < 5


def test_colours_come_along_where_they_are_asked_for() -> None:
    mesh = painted(4)
    assert mesh.colors is not None
    mesh.mask[:] = 0
    same = apply(mesh, "symmetrise", HARD).mesh.colors
    assert same is not None
    assert np.array_equal(same, mesh.colors)
    mesh.colors[:, 0] = mesh.positions[:, 0] > 0
    taken = apply(mesh, "symmetrise", {**HARD, "colors": True}).mesh
    assert taken.colors is not None
    assert (taken.colors[taken.positions[:, 0] < -2, 0] > 0.99).all()
    assert np.array_equal(taken.colors[mesh.positions[:, 0] >= 0], mesh.colors[mesh.positions[:, 0] >= 0])


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(InvalidInput, match="nothing to see on one side"):
        apply(grid(8), "symmetrise", {"at": 50.0})
    notes = apply(build_mesh(textured_soup()), "symmetrise", {"colors": True}).notes
    assert any("no colours on its vertices" in note for note in notes)
