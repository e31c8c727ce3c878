"""Falloff curves and their tables."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.sculpt.falloff import KINDS, TABLE_CELLS, Falloff

CURVE = ((0.0, 1.0), (0.4, 0.2), (0.7, 0.6), (1.0, 0.0))


@pytest.mark.parametrize("kind", KINDS)
@given(hardness=st.floats(0, 1))
def test_a_table_is_the_curve_with_a_flat_middle(kind: str, hardness: float):
    falloff = Falloff(kind, CURVE) if kind == "custom" else Falloff(kind)
    table = falloff.table(hardness)
    assert table.shape == (TABLE_CELLS + 2,)
    assert table.dtype == np.float32
    assert ((table >= 0) & (table <= 1)).all()
    distance = np.arange(TABLE_CELLS + 1) / TABLE_CELLS
    assert (table[:-1][distance <= hardness] == 1).all()
    outer = distance > hardness
    wanted = falloff.values((distance[outer] - hardness) / (1 - hardness)) if hardness < 1 else 1.0
    np.testing.assert_allclose(table[:-1][outer], wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "half"), [("smooth", 0.5), ("sphere", np.sqrt(0.75)), ("sharp", 0.25), ("linear", 0.5), ("constant", 1.0)]
)
def test_presets_at_half_the_radius(kind: str, half: float):
    assert Falloff(kind).values(np.array([0.0, 0.5])) == pytest.approx([1.0, half])


def test_a_custom_curve_goes_through_its_points_without_overshooting():
    falloff = Falloff("custom", CURVE)
    x, y = np.array(CURVE).T
    np.testing.assert_allclose(falloff.values(x), y, atol=1e-12)
    fine = np.linspace(0, 1, 1001)
    for (x0, y0), (x1, y1) in pairwise(CURVE):
        between = falloff.values(fine[(fine >= x0) & (fine <= x1)])
        assert between.min() >= min(y0, y1) - 1e-12
        assert between.max() <= max(y0, y1) + 1e-12


@pytest.mark.parametrize(
    "points",
    [
        ((0, 1),),
        ((0, 1), (0, 0)),
        ((0, 2), (1, 0)),
        ((1, 0), (0, 1)),
        ((0, float("nan")), (1, 0)),
        (),
        ((0, 1), (1e-320, 0.8), (1, 0)),
    ],
)
def test_what_is_no_curve_is_refused(points: tuple[tuple[float, float], ...]):
    with pytest.raises(InvalidInput):
        Falloff("custom", points)


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(InvalidInput, match="wobbly"):
        Falloff("wobbly")
