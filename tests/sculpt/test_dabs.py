"""Samples to dabs: even spacing, a steady hand, and no dependence on how events are cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.sculpt.dabs import Dab, Sample, Stabiliser, dab_at
from app.sculpt.methods import DABS_PER_SAMPLE, stroke_dabs
from app.sculpt.settings import BrushSettings
from app.sculpt.symmetry import Symmetry, feather
from tests.meshes import grid
from tests.sculpting import samples, stroke

VIEW = np.array([0.0, 0.0, 1.0])
coordinates = st.floats(-20, 20).map(lambda value: round(value, 3))
paths = st.lists(st.tuples(coordinates, coordinates, coordinates), min_size=1, max_size=8)
cuts = st.lists(st.floats(0.01, 0.99), max_size=4)


def to_samples(path) -> list[Sample]:
    return [Sample(np.array(point, float), VIEW, pressure=0.5 + 0.01 * i) for i, point in enumerate(path)]


def cut(samples: list[Sample], parts: list[float]) -> list[Sample]:
    """The same polyline with more samples on it."""
    out = samples[:1]
    for last, sample in pairwise(samples):
        out += [last.toward(sample, part) for part in sorted(parts)] + [sample]
    return out


def place(samples: list[Sample], settings: BrushSettings) -> list[Dab]:
    dabs = stroke_dabs(settings)
    return [dab for sample in samples for dab in dabs(sample)]


def along(path: list[Sample]) -> np.ndarray:
    """Length of the path up to each sample."""
    points = np.array([sample.point for sample in path])
    return np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))))


@given(paths, st.floats(0.05, 2.0), st.floats(0.5, 5.0))
def test_dabs_lie_on_the_path_at_even_lengths(path, spacing: float, radius: float):
    samples = to_samples(path)
    total = along(samples)[-1]
    dabs = place(samples, BrushSettings(radius_mm=radius, spacing=spacing))
    step = spacing * radius
    assert abs(len(dabs) - (1 + total / step)) <= 1 + 1e-6
    assert np.array_equal(dabs[0].center, samples[0].point)
    # The length along the path of a dab is a whole number of steps: walk a finely cut path to find it.
    fine = cut(samples, list(np.linspace(0, 1, 200)[1:-1]))
    points, lengths = np.array([sample.point for sample in fine]), along(fine)
    for index, dab in enumerate(dabs):
        near = np.argmin(np.abs(lengths - index * step))
        gap = np.diff(lengths).max() if len(lengths) > 1 else 0.0
        assert np.linalg.norm(points[near] - dab.center) <= gap + 1e-6


@given(paths, cuts, st.sampled_from([0.0, 0.3, 1.0]), st.booleans())
def test_more_events_on_the_same_path_give_the_same_dabs(path, parts, stabiliser: float, pressure_size: bool):
    samples = to_samples(path)
    settings = BrushSettings(radius_mm=2.0, stabiliser=stabiliser, pressure_size=pressure_size)
    few, many = place(samples, settings), place(cut(samples, parts), settings)
    assert abs(len(few) - len(many)) <= 1  # a dab due at the very end of the path may round to either side
    for one, other in zip(few, many, strict=False):
        np.testing.assert_allclose(one.center, other.center, atol=1e-6)
        assert one.radius == pytest.approx(other.radius, abs=1e-6)


def test_the_first_sample_dabs_at_once_and_a_resting_pen_adds_none():
    for stabiliser in (0.0, 0.7):
        settings = BrushSettings(stabiliser=stabiliser)
        assert len(place(to_samples([(1, 2, 3)] * 5), settings)) == 1


def test_pen_pressure_scales_radius_strength_and_with_them_the_spacing():
    light = Sample(np.zeros(3), VIEW, pressure=0.5)
    settings = BrushSettings(radius_mm=4.0, strength=0.8, pressure_size=True, pressure_strength=True)
    dab = dab_at(light, settings, np.zeros(3))
    assert (dab.radius, dab.strength) == (2.0, 0.4)
    path = [Sample(np.array([x, 0.0, 0.0]), VIEW, pressure=0.5) for x in (0.0, 10.0)]
    steps = np.diff([dab.center[0] for dab in place(path, settings)])
    np.testing.assert_allclose(steps, 0.2 * 2.0, atol=1e-9)
    untouched = dab_at(Sample(np.zeros(3), VIEW, pressure=0.0), settings, np.zeros(3))
    assert untouched.radius > 0


def test_the_rope_of_the_stabiliser_irons_out_what_is_smaller_than_it():
    rng = np.random.default_rng(2)
    shaky = [(x, rng.uniform(-0.5, 0.5), 0.0) for x in np.arange(0.0, 60.0, 0.4)]
    steady = [s for stabiliser in [Stabiliser(6.0)] for sample in to_samples(shaky) for s in stabiliser.add(sample)]
    points = np.array([sample.point for sample in steady])
    assert points[:, 1].std() < 0.3 * np.array(shaky)[:, 1].std()
    assert np.linalg.norm(points[-1] - shaky[-1]) <= 6.0 * (1 + 1 / 16)
    assert points[-1, 0] > 53.0


def test_a_jump_across_the_world_gives_a_bounded_number_of_dabs():
    settings = BrushSettings(radius_mm=0.1, spacing=0.01, stabiliser=0.5)
    jump = to_samples([(0, 0, 0), (1e9, 0, 0)])
    assert len(place(jump, settings)) <= 1 + DABS_PER_SAMPLE


@pytest.mark.parametrize(
    "wrong",
    [
        {"radius_mm": 0.0},
        {"radius_mm": float("nan")},
        {"strength": 1.5},
        {"hardness": -0.1},
        {"spacing": 0.0},
        {"stabiliser": float("inf")},
        {"color": (1.0, 2.0, 0.0)},
        {"parameters": {"pinch": float("nan")}},
        {"symmetry": Symmetry((True, False, False), (float("inf"), 0.0, 0.0))},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidInput):
        BrushSettings(**wrong)


def test_images_are_reflections_in_planes_through_the_origin_of_the_symmetry():
    settings = BrushSettings(symmetry=Symmetry((True, False, True), (1.0, 0.0, -2.0)))
    dab = dab_at(Sample(np.array([3.0, 4.0, 5.0]), VIEW), settings, np.array([1.0, 0.0, 0.0]))
    images = dab.images()
    centers = {tuple(image.center) for image in images}
    assert centers == {(3, 4, 5), (-1, 4, 5), (3, 4, -9), (-1, 4, -9)}
    assert np.array_equal(images[0].center, dab.center)
    for image in images:
        assert image.travel[0] == (1 if image.center[0] == 3 else -1)
        assert image.view[2] == (1 if image.center[2] == 5 else -1)


def test_mirrored_dabs_count_in_full_apart_and_by_half_together():
    assert feather(np.array([[-5.0, 0, 0], [5.0, 0, 0]]), 5.0) == 1.0
    assert feather(np.array([[0.0, 0, 0], [0.0, 0, 0]]), 5.0) == 0.5
    # Half a radius apart, the smooth falloff between them is that of a quarter of a radius, twice.
    quarter = 1 - 3 * 0.25**2 + 2 * 0.25**3
    assert feather(np.array([[-0.5, 0, 0], [0.5, 0, 0]]), 2.0) == pytest.approx(1 / (2 * quarter))
    assert feather(np.array([[-1.0, 0, 0], [1.0, 0, 0]]), 2.0) == 1.0


@pytest.mark.parametrize("brush", ["draw", "clay"])
@pytest.mark.parametrize("offset", [0.0, 0.15, 0.75, 1.5, 2.25, 3.0, 4.5])
def test_a_stroke_beside_its_mirror_is_as_strong_as_without_and_leaves_no_crease(brush: str, offset: float):
    def section(aside: float, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
        """Height over the way across a straight stroke `aside` mm from the plane."""
        mesh = grid(100, 20.0)
        path = samples([np.array([aside, y, 0.0]) for y in np.linspace(-5, 5, 80)], view=VIEW)
        stroke(mesh, brush, path, radius_mm=3.0, strength=0.5, symmetry=Symmetry((mirrored, False, False)))
        across = mesh.positions[np.abs(mesh.positions[:, 1]) < 0.05]
        order = np.argsort(across[:, 0])
        return across[order, 0], across[order, 2]

    plain = section(0.0, False)[1]
    x, height = section(offset, True)
    assert height.max() == pytest.approx(plain.max(), rel=0.03)
    np.testing.assert_allclose(height, height[::-1], atol=1e-4)
    bends, bends_plain = (np.abs(np.diff(z, 2)) for z in (height, plain))
    on_plane = np.abs(x[1:-1]) < 0.5
    assert bends[on_plane].max() < 1.6 * bends_plain.max()
