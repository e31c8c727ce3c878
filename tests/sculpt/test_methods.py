"""How samples become dabs, by method; random numbers; starting a stroke again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from app.sculpt.brush import brushes
from app.sculpt.dabs import Dab, Sample
from app.sculpt.history import History
from app.sculpt.methods import stroke_dabs
from app.sculpt.settings import BrushSettings
from app.sculpt.stroke import StrokeInHand
from app.sculpt.symmetry import Symmetry
from tests.sculpting import PLACE, Owner, bits, bumpy_sphere, samples, settings_of, stroke, surface_points

VIEW = np.array([0.0, 0.0, 1.0])


def sample(x: float, time: float = 0.0) -> Sample:
    return Sample(np.array([x, 0.0, 0.0]), VIEW, time=time)


def place(path: list[Sample], holds: bool = False, pulls: bool = False, **settings) -> list[Dab]:
    dabs = stroke_dabs(BrushSettings(radius_mm=2.0, **settings), holds=holds, pulls=pulls)
    return [dab for one in path for dab in dabs(one)]


def test_dots_are_where_the_samples_are():
    dabs = place([sample(0.0), sample(0.1), sample(7.0)], method="dots")
    assert [dab.center[0] for dab in dabs] == [0.0, 0.1, 7.0]
    assert [dab.step[0] for dab in dabs] == pytest.approx([0.0, 0.1, 6.9])


def test_an_airbrush_sprays_by_time_also_where_the_pen_rests():
    moving = place([sample(0.0, 5.0), sample(1.0, 5.1)], method="airbrush")
    np.testing.assert_allclose([dab.center[0] for dab in moving], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], atol=1e-6)
    resting = place([sample(3.0, 5.0)] + [sample(3.0, 5.0 + 0.01 * i) for i in range(1, 11)], method="airbrush")
    assert 5 <= len(resting) <= 6
    assert {dab.center[0] for dab in resting} == {3.0}
    on_a_slack_rope = [sample(0.0, 5.0), sample(0.5, 5.1)]
    assert len(place(on_a_slack_rope, method="airbrush", stabiliser=1.0)) >= 5


def test_an_anchored_dab_is_dragged_out_and_replaces_itself():
    dabs = place([sample(1.0), sample(4.0), sample(6.0)], method="anchored")
    assert [dab.center[0] for dab in dabs] == [1.0, 1.0, 1.0]
    assert [dab.radius for dab in dabs] == [2.0, 3.0, 5.0]
    assert all(dab.alone for dab in dabs)
    mesh, once = bumpy_sphere(4), bumpy_sphere(4)
    points = surface_points(mesh, PLACE, 4.0, 4)
    stroke(mesh, "draw", samples(points), radius_mm=1.0, method="anchored")
    reach = float(np.linalg.norm(points[-1] - points[0]))
    stroke(once, "draw", samples(points[:1]), radius_mm=reach, spacing=1.0)
    np.testing.assert_allclose(mesh.positions, once.positions, atol=1e-5)


def test_a_brush_that_pulls_takes_hold_where_the_dab_before_let_go():
    dabs = place([sample(0.0), sample(1.0)], pulls=True, spacing=0.25)
    assert [dab.center[0] for dab in dabs] == [0.0, 0.0, 0.5]
    assert [dab.step[0] for dab in dabs] == [0.0, 0.5, 0.5]
    assert {tuple(dab.origin) for dab in dabs} == {(0.0, 0.0, 0.0)}


def test_jitter_scatters_evenly_in_the_plane_of_the_view_and_the_same_each_time():
    path = [sample(0.0), sample(2000.0)]
    plain, strayed = place(path), place(path, jitter=0.5)
    offsets = np.array([b.center - a.center for a, b in zip(plain, strayed, strict=True)])
    assert not offsets[:, 2].any()
    distance = np.hypot(offsets[:, 0], offsets[:, 1])
    assert distance.max() <= 1.0
    assert np.mean(distance < np.sqrt(0.5)) == pytest.approx(0.5, abs=0.03)  # half of the disc's area
    assert np.abs(offsets.mean(axis=0)).max() < 0.03
    again = place(path, jitter=0.5)
    assert all(np.array_equal(a.center, b.center) for a, b in zip(strayed, again, strict=True))


def test_random_turns_of_the_stamp_cover_the_part_of_a_turn_that_is_asked_for():
    turns = np.array([dab.angle for dab in place([sample(0.0), sample(2000.0)], alpha_random=0.5, alpha_angle=90.0)])
    assert turns.min() == pytest.approx(np.pi / 2, abs=0.01)
    assert turns.max() == pytest.approx(3 * np.pi / 2, abs=0.01)
    assert turns.mean() == pytest.approx(np.pi, abs=0.05)


@pytest.mark.parametrize("name", ["draw", "smooth", "clay", "grab", "paint"])
def test_a_stroke_that_starts_again_forgets_what_it_did(name: str):
    mesh, reference = bumpy_sphere(4), bumpy_sphere(4)
    wrong, right = surface_points(mesh, PLACE, 9.0, 9)[1:], surface_points(mesh, PLACE, 6.0, 9)
    history = History(Owner(mesh))
    brush = brushes()[name]
    in_hand = StrokeInHand(mesh, history, brush, settings_of(brush, radius_mm=3.0))
    for path in (wrong, right[:4], right):
        in_hand.again()
        for one in samples(path):
            in_hand.add(one)
    assert in_hand.finish()
    stroke(reference, name, samples(right), radius_mm=3.0)
    assert bits(mesh) == bits(reference)
    history.undo()
    assert bits(mesh) == bits(bumpy_sphere(4))


def test_radial_images_lie_around_the_axis_and_keep_their_hand():
    symmetry = Symmetry((True, False, False), (1.0, 0.0, 0.0), radial=4)
    [dab] = place([sample(3.0)], symmetry=symmetry)
    images = replace(dab, travel=np.array([0.0, 1.0, 0.0])).images()
    centers = {tuple(np.round(image.center, 9) + 0.0) for image in images}
    assert centers == {(3, 0, 0), (-1, 0, 0), (1, 2, 0), (1, -2, 0)}
    assert sorted(image.handed for image in images) == [-1.0] * 4 + [1.0] * 4
    for image in images:
        outward = (image.center - symmetry.origin) / 2
        assert np.cross(outward, image.travel)[2] == pytest.approx(image.handed)


def test_a_radial_stroke_leaves_a_surface_with_that_symmetry():
    mesh = bumpy_sphere(5)
    ball = mesh.positions / np.linalg.norm(mesh.positions, axis=1, keepdims=True) * 10
    mesh.positions[:] = ball
    mesh.touched_all("positions")
    mesh.refresh()
    before = mesh.positions.copy()
    path = samples(surface_points(mesh, PLACE, 3.0, 5))
    symmetry = Symmetry(radial=3)
    stroke(mesh, "inflate", path, radius_mm=2.0, symmetry=symmetry)
    height = np.linalg.norm(mesh.positions, axis=1) - 10
    assert height.max() > 0.3
    tree = cKDTree(before)
    for matrix in symmetry.matrices()[1:]:
        weights, near = tree.query(before @ matrix.T.astype(np.float32), k=3)
        share = 1 / (weights + 1e-6)
        turned = (height[near] * share).sum(axis=1) / share.sum(axis=1)
        assert np.abs(turned - height).max() < 0.1 * height.max()
