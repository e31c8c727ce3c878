"""Regions and factors against the definition over all vertices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mesh.jit import threads_from
from app.sculpt.automask import Automask, Protection
from app.sculpt.dabs import Dab
from app.sculpt.falloff import Falloff
from app.sculpt.region import RegionFinder
from app.sculpt.settings import BrushSettings
from app.sculpt.symmetry import Symmetry
from tests.sculpting import bumpy_sphere

MESH = bumpy_sphere(4)
UNPROTECTED = Protection(MESH, Automask())
MESH.hidden[MESH.positions[:, 0] > 6] = 1
MESH.mask[:] = np.random.default_rng(1).random(MESH.vertex_count).clip(0.2, 1.2).astype(np.float32) - 0.2


def dab_of(center, radius: float, view=(0.0, 0.0, 0.0), **settings) -> Dab:
    return Dab(
        np.array(center, float),
        np.array(view, float),
        radius,
        strength=1.0,
        sign=1.0,
        travel=np.zeros(3),
        displacement=np.zeros(3),
        settings=BrushSettings(radius_mm=radius, **settings),
    )


def slow_factors(dab: Dab, falloff: Falloff, hardness: float, masked: bool) -> np.ndarray:
    distance = np.linalg.norm(MESH.positions.astype(float) - dab.center, axis=1)
    part = distance / dab.radius
    factors = np.where(part <= hardness, 1.0, falloff.values((part - hardness) / max(1 - hardness, 1e-9)))
    factors[(distance > dab.radius) | (MESH.hidden != 0)] = 0
    if masked:
        factors *= 1 - MESH.mask
    if dab.settings.front_faces_only and dab.view.any():
        factors *= np.clip(MESH.normals @ dab.view / 0.2, 0, 1)
    return factors


@given(
    center=st.tuples(*[st.floats(-12, 12)] * 3),
    radius=st.floats(0.05, 30),
    hardness=st.sampled_from([0.0, 0.5]),
    kind=st.sampled_from(["smooth", "sharp", "linear", "constant"]),
    masked=st.booleans(),
    front=st.booleans(),
    threaded=st.booleans(),
)
def test_a_region_is_what_lies_in_reach_and_its_factors_are_the_product(
    center, radius, hardness, kind, masked, front, threaded
):
    falloff = Falloff(kind)
    dab = dab_of(center, radius, view=(0.0, -0.6, 0.8), front_faces_only=front)
    with threads_from(0 if threaded else 1 << 40):
        attribute = "positions" if masked else "mask"
        [region] = RegionFinder.of(MESH, 1).find([dab], falloff.table(hardness), attribute, UNPROTECTED)
    wanted = slow_factors(dab, falloff, hardness, masked)
    found = np.zeros(MESH.vertex_count)
    found[region.vertices] = region.factors
    np.testing.assert_allclose(found, wanted, atol=2e-4)
    assert (np.diff(region.vertices) > 0).all()
    assert (region.factors > 0).all()
    assert region.vertices.dtype == np.int32
    assert region.delta.shape == (len(region.vertices), 3 if masked else 1)


@pytest.mark.parametrize("offset", [0.0, 0.5, 1.5, 4.0])
def test_mirrored_dabs_share_what_both_reach(offset: float):
    table = Falloff("constant").table()
    center = np.array([offset, 0.0, 9.5])
    group = dab_of(center, 3.0, symmetry=Symmetry((True, False, False))).images()
    total = np.zeros(MESH.vertex_count)
    for region in RegionFinder.of(MESH, 2).find(group, table, "mask", UNPROTECTED):
        total[region.vertices] += region.factors
    distance = [np.linalg.norm(MESH.positions - dab.center, axis=1) for dab in group]
    reached = (np.minimum(*distance) <= 3.0) & (MESH.hidden == 0)
    assert (total > 0).tolist() == reached.tolist()
    assert total.max() <= 1 + 1e-6
    if offset == 0.0:
        np.testing.assert_allclose(total[reached], 1.0, atol=1e-6)
    if offset == 4.0:
        assert (total[reached] == 1.0).all()


def test_area_is_the_weighted_mean_of_the_side_that_is_seen():
    for view in ((0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (0.0, 0.0, 0.0)):
        dab = dab_of((0.0, 0.0, 0.0), 30.0, view=view)
        [region] = RegionFinder.of(MESH, 1).find([dab], Falloff("smooth").table(), "positions", UNPROTECTED)
        area = region.area(MESH, dab)
        factors, vertices = region.factors.astype(float), region.vertices
        chosen = MESH.normals[vertices] @ dab.view > 0 if dab.view.any() else np.ones(len(vertices), bool)
        weights, chosen = factors[chosen], vertices[chosen]
        center = weights @ MESH.positions[chosen].astype(float) / weights.sum()
        np.testing.assert_allclose(area.center, center, atol=1e-6)
        normal = weights @ MESH.normals[chosen].astype(float)
        np.testing.assert_allclose(area.normal, normal / np.linalg.norm(normal), atol=1e-6)


def test_an_area_of_nothing_has_no_direction():
    dab = dab_of((100.0, 0.0, 0.0), 1.0)
    [region] = RegionFinder.of(MESH, 1).find([dab], Falloff("smooth").table(), "positions", UNPROTECTED)
    assert len(region.vertices) == 0
    assert not region.area(MESH, dab).normal.any()
