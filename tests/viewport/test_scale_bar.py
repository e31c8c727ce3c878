from __future__ import annotations

import pytest

from app.viewport.scale_bar import length_label, nice_length


@pytest.mark.parametrize(
    ("longest", "length", "label"),
    [
        (10.0, 10.0, "10 mm"),
        (19.9, 10.0, "10 mm"),
        (49.0, 20.0, "20 mm"),
        (99.0, 50.0, "50 mm"),
        (0.07, 0.05, "0.05 mm"),
        (0.3, 0.2, "0.2 mm"),
        (1.0, 1.0, "1 mm"),
        (1234.0, 1000.0, "1000 mm"),
    ],
)
def test_round_lengths(longest, length, label):
    assert nice_length(longest) == pytest.approx(length)
    assert length_label(nice_length(longest)) == label


@pytest.mark.parametrize("longest", [0.0, -1.0, float("nan"), float("inf")])
def test_nothing_fits(longest):
    assert nice_length(longest) == 0
