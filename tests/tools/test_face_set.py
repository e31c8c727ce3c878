"""Face Set against what it says: which vertices, which number."""

from __future__ import annotations

import numpy as np
import pytest

from app.mesh.mesh import Mesh
from app.sculpt.symmetry import Symmetry
from tests.sculpting import bumpy_sphere, dab, samples, stroke, surface_points

TOWARD = np.array([0.2, -0.9, 0.3])


def path_on(mesh: Mesh) -> list[np.ndarray]:
    return surface_points(mesh, TOWARD, 4.0, 5)


def within(mesh: Mesh, points: list[np.ndarray], radius: float) -> np.ndarray:
    return np.min([np.linalg.norm(mesh.positions - point, axis=1) for point in points], axis=0) <= radius


def test_a_dab_numbers_all_within_its_radius():
    mesh = bumpy_sphere()
    center = path_on(mesh)[0]
    dab(mesh, "face_set", center, radius_mm=2.0)
    np.testing.assert_array_equal(mesh.face_sets, within(mesh, [center], 2.0))


def test_each_stroke_draws_a_set_of_its_own():
    mesh = bumpy_sphere()
    points = path_on(mesh)
    stroke(mesh, "face_set", samples(points), radius_mm=1.5)
    first = mesh.face_sets.copy()
    assert set(first) == {0, 1}
    stroke(mesh, "face_set", samples(points[-1:]), radius_mm=1.0)
    second = within(mesh, points[-1:], 1.0)
    assert (mesh.face_sets[second] == 2).all()
    np.testing.assert_array_equal(mesh.face_sets[~second], first[~second])


@pytest.mark.parametrize("number", [0.0, 9.0])
def test_inverted_it_goes_on_with_the_set_under_the_pointer(number: float):
    mesh = bumpy_sphere()
    points = path_on(mesh)
    mesh.face_sets[:] = 4
    mesh.face_sets[within(mesh, points[:1], 1.0)] = number
    stroke(mesh, "face_set", samples(points), radius_mm=1.5, invert=True)
    assert (mesh.face_sets[within(mesh, points, 1.5)] == number).all()
    assert set(mesh.face_sets) == {4, number}


@pytest.mark.parametrize("axes", [(True, False, False), (True, True, True)])
def test_mirror_images_that_overlap_draw_one_whole_set(axes: tuple[bool, bool, bool]):
    mesh = bumpy_sphere()
    center = surface_points(mesh, np.array([0.05, -0.99, 0.05]), 0.0, 1)[0]
    dab(mesh, "face_set", center, radius_mm=3.0, symmetry=Symmetry(axes))
    ways = [np.where(axes, signs, 1) for signs in np.ndindex(2, 2, 2)]
    images = [center * np.where(way == 0, -1, 1) for way in ways]
    np.testing.assert_array_equal(mesh.face_sets, within(mesh, images, 3.0))


def test_what_is_hidden_or_masked_is_in_no_set():
    mesh = bumpy_sphere()
    center = path_on(mesh)[0]
    mesh.hidden[mesh.positions[:, 0] > center[0]] = 1
    mesh.mask[mesh.positions[:, 2] > center[2]] = 1
    dab(mesh, "face_set", center, radius_mm=2.0)
    wanted = within(mesh, [center], 2.0) & (mesh.hidden == 0) & (mesh.mask == 0)
    assert wanted.any()
    np.testing.assert_array_equal(mesh.face_sets, wanted)
