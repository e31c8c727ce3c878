"""The transform of the free part against scipy's rotations, vertex by vertex, and exact to the bit on the way back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.errors import InvalidInput
from app.mesh.jit import threads_from
from app.mesh.mesh import Mesh
from app.sculpt.history import History
from app.sculpt.transform import FreePart, Transform, TransformInHand
from tests.meshes import grid, sphere
from tests.sculpting import Owner, bits, bumpy_sphere, reference_normals

PIVOT = np.array([1.5, -2.0, 3.25])
FULL = Transform((1.0, -2.5, 0.75), (20.0, -75.0, 400.0), (1.3, 0.6, 2.0))


def posed(mesh: Mesh, transform: Transform, pivot: np.ndarray = PIVOT) -> tuple[History, TransformInHand]:
    history = History(Owner(mesh))
    in_hand = TransformInHand(mesh, history, FreePart(mesh))
    in_hand.set(transform, pivot)
    return history, in_hand


def half_masked(mesh: Mesh) -> Mesh:
    """Free above, protected below, soft between; an upper corner is hidden."""
    mesh.mask[:] = (0.5 - mesh.positions[:, 2] / 8).clip(0, 1)
    mesh.hidden[:] = mesh.positions.sum(axis=1) > 13
    assert ((mesh.mask > 0) & (mesh.mask < 1)).any()
    assert mesh.hidden.any()
    return mesh


def slow(positions: np.ndarray, weights: np.ndarray, transform: Transform, pivot: np.ndarray) -> np.ndarray:
    out = []
    for point, w in zip(positions.astype(float), weights.astype(float), strict=True):
        scaled = (point - pivot) * (1 + w * (np.array(transform.scale) - 1))
        turn = Rotation.from_euler("xyz", w * np.array(transform.turn), degrees=True)  # about fixed axes
        out.append(pivot + turn.apply(scaled) + w * np.array(transform.move))
    return np.array(out)


@pytest.mark.parametrize("threads", [0, 1 << 60])
@pytest.mark.parametrize(
    "transform",
    [
        Transform(move=(3.0, 0.0, -1.0)),
        *(Transform(turn=turn) for turn in ((0.0, 0.0, 200.0), (0.0, -30.0, 0.0), (55.0, 0.0, 0.0))),
        Transform(scale=(0.5, 1.0, 3.0)),
        FULL,
    ],
)
def test_every_vertex_goes_where_its_weight_takes_it(transform: Transform, threads: int):
    mesh = half_masked(bumpy_sphere(3))
    before = mesh.positions.copy()
    weights = np.where(mesh.hidden != 0, 0, 1 - mesh.mask)
    with threads_from(threads):
        posed(mesh, transform)[1].finish()
        mesh.refresh()
    np.testing.assert_allclose(mesh.positions, slow(before, weights, transform, PIVOT), atol=2e-5)
    still = weights == 0
    np.testing.assert_array_equal(mesh.positions[still], before[still])
    np.testing.assert_allclose(mesh.normals, reference_normals(mesh), atol=2e-4)


def test_a_soft_border_bends_on_an_arc_and_keeps_its_thickness():
    """A bar that is turned about its foot stays as thick as it was; sheared along chords it would get thinner."""
    mesh = grid(40)
    x, y = mesh.positions[:, 0].copy(), mesh.positions[:, 1].copy()
    low, high = float(y.min()), float(y.max())
    mesh.mask[:] = ((high - y) / (high - low)).astype(np.float32)  # free at the upper end, in no step
    pivot = np.array([0.0, low, 0.0])
    posed(mesh, Transform(turn=(0.0, 0.0, 90.0)), pivot)[1].finish()
    # Every row is turned as a whole about the pivot, by its own angle.
    for row in np.unique(y):
        members = y == row
        spread = np.ptp(x[members])
        placed = mesh.positions[members].astype(float)
        assert np.linalg.norm(placed[:, None] - placed[None], axis=2).max() == pytest.approx(spread, rel=1e-5)


def test_a_move_along_one_axis_leaves_the_others_to_the_bit():
    mesh = bumpy_sphere(3)
    before = mesh.positions.copy()
    posed(mesh, Transform(move=(2.0, 0.0, 0.0)))[1].finish()
    np.testing.assert_array_equal(mesh.positions[:, 1:], before[:, 1:])
    np.testing.assert_allclose(mesh.positions[:, 0], before[:, 0] + 2, atol=2e-6)


def test_one_step_and_back_to_the_bit():
    mesh = half_masked(bumpy_sphere(3))
    before, normals = bits(mesh), mesh.normals.tobytes()
    history, in_hand = posed(mesh, Transform(turn=(10.0, 0.0, 0.0)))
    assert history.recording
    mesh.refresh()
    in_hand.set(FULL, PIVOT)
    in_hand.set(Transform(turn=(0.0, 35.0, 0.0)), PIVOT)  # from the start again, not on top
    in_hand.finish()
    mesh.refresh()
    after = bits(mesh)
    assert [step.label for step in history.steps] == ["Rotate"]
    assert not history.recording
    history.undo()
    mesh.refresh()
    assert bits(mesh) == before
    assert mesh.normals.tobytes() == normals
    history.redo()
    assert bits(mesh) == after
    history.undo()
    posed(mesh, Transform(turn=(0.0, 35.0, 0.0)))[1].finish()
    assert bits(mesh) == after


@pytest.mark.parametrize("end", ["cancel", "identity", "error"])
def test_what_is_taken_back_makes_no_step(end: str):
    mesh = half_masked(bumpy_sphere(3))
    before, normals = bits(mesh), mesh.normals.tobytes()
    history, in_hand = posed(mesh, FULL)
    mesh.refresh()
    assert bits(mesh) != before
    if end == "cancel":
        in_hand.cancel()
    elif end == "identity":
        in_hand.set(Transform(), PIVOT)
    else:
        with pytest.raises(ValueError, match="could not"):
            in_hand.set(Transform(move=(1.0, 0.0, 0.0)), "nowhere")  # type: ignore[arg-type]
        in_hand.cancel()
    mesh.refresh()
    assert not in_hand.open
    in_hand.finish()
    assert bits(mesh) == before
    assert mesh.normals.tobytes() == normals
    assert history.steps == []
    assert not history.recording


def test_labels():
    assert Transform(move=(1.0, 0.0, 0.0)).label == "Move"
    assert Transform(turn=(1.0, 0.0, 0.0)).label == "Rotate"
    assert Transform(scale=(1.0, 2.0, 1.0)).label == "Scale"
    assert FULL.label == "Transform"
    assert Transform().identity


def test_the_axes_of_the_rings_are_those_that_a_little_more_turns_about():
    turn = np.array(FULL.turn)
    present = Rotation.from_matrix(FULL.rotation())
    for k, axis in enumerate(FULL.turn_axes()):
        more = turn + np.eye(3)[k] * 0.01
        little = Rotation.from_euler("xyz", more, degrees=True) * present.inv()
        np.testing.assert_allclose(little.as_rotvec(degrees=True), 0.01 * axis, atol=1e-6)


def test_another_pivot_takes_what_is_free_to_the_same_place():
    points, other = np.random.default_rng(2).normal(size=(20, 3)) * 10, np.array([-4.0, 6.0, 1.0])
    free = np.ones(len(points))
    wanted = slow(points, free, FULL, PIVOT)
    np.testing.assert_allclose(slow(points, free, FULL.about(PIVOT, other), other), wanted, atol=1e-9)
    for point, place in zip(points, wanted, strict=True):
        np.testing.assert_allclose(FULL.origin_of(place, PIVOT), point, atol=1e-9)
    assert Transform(move=(0.1, 0.2, 0.3)).about(PIVOT, other) == Transform(move=(0.1, 0.2, 0.3))


def test_one_size_for_three_scales():
    assert Transform(scale=(2.0, 4.0, 1.0)).size == pytest.approx(2.0)
    np.testing.assert_allclose(Transform(scale=(2.0, 4.0, 1.0)).resized(3.0).scale, (3.0, 6.0, 1.5))


@pytest.mark.parametrize(
    "values", [{"move": (np.nan, 0.0, 0.0)}, {"move": (2e6, 0.0, 0.0)}, {"turn": (np.inf, 0.0, 0.0)}]
)
def test_senseless_numbers_are_refused(values: dict):
    with pytest.raises(InvalidInput):
        Transform(**values)


@pytest.mark.parametrize("factor", [0.0, -1.0, 0.005, 200.0])
def test_scales_out_of_range_are_refused(factor: float):
    with pytest.raises(InvalidInput):
        Transform(scale=(1.0, factor, 1.0))


def test_pivots():
    mesh = half_masked(bumpy_sphere(4))
    weights = np.where(mesh.hidden != 0, 0.0, 1 - mesh.mask.astype(float))
    part = FreePart(mesh)
    np.testing.assert_allclose(part.middle(), weights @ mesh.positions / weights.sum(), atol=1e-9)
    assert not part.whole

    total, share = np.zeros(3), 0.0
    for a, b in {tuple(sorted(pair)) for t in mesh.triangles.tolist() for pair in zip(t, t[1:] + t[:1], strict=True)}:
        if not mesh.hidden[a] and not mesh.hidden[b]:
            change = abs(float(mesh.mask[a]) - float(mesh.mask[b]))
            total += change * (mesh.positions[a].astype(float) + mesh.positions[b]) / 2
            share += change
    border = part.border()
    assert border is not None
    np.testing.assert_allclose(border, total / share, atol=1e-5)


@pytest.mark.parametrize("width", [0.01, 1.0, 5.0])
def test_the_border_lies_where_the_mask_does_however_soft_it_is(width: float):
    mesh = sphere(4, 10.0)
    mesh.mask[:] = (0.5 + (2.0 - mesh.positions[:, 2]) / width).clip(0, 1)
    border = FreePart(mesh).border()
    assert border is not None
    np.testing.assert_allclose(border, (0.0, 0.0, 2.0), atol=0.25)


def test_without_a_mask_all_of_it_is_free_and_there_is_no_border():
    mesh = bumpy_sphere(2)
    assert FreePart(mesh).whole
    assert FreePart(mesh).border() is None
    mesh.mask[:] = 1
    assert len(FreePart(mesh).vertices) == 0
    assert FreePart(mesh).border() is None
