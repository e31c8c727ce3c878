"""Signs of determinants against exact fractions, where they are easy and where float64 alone goes wrong."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.mesh.exact import side_of_line, side_of_plane
from tests.preflight import rational

small = st.integers(-4, 4)
coordinates = (
    st.floats(-1000, 1000, width=32)
    | small.map(float)
    | st.floats(width=32, allow_nan=False).filter(lambda x: 1e-12 < abs(x) < 1e12)
)


def naive(points: np.ndarray) -> int:
    return int(np.sign(np.linalg.det(points[:3] - points[3])))


def test_counter_clockwise_seen_from_above_is_positive() -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1], [5, 5, 0]], float)
    assert [side_of_plane(points, 0, 1, 2, d) for d in (3, 4, 5)] == [1, -1, 0]
    assert [side_of_line(points, 0, 1, 2, 0, 1), side_of_line(points, 1, 0, 2, 0, 1)] == [1, -1]


@given(st.lists(st.tuples(coordinates, coordinates, coordinates), min_size=4, max_size=4))
def test_any_four_points(rows: list[tuple[float, float, float]]) -> None:
    points = np.array(rows, np.float32).astype(float)
    assert side_of_plane(points, 0, 1, 2, 3) == rational.side_of_plane(points)


@given(st.integers(0, 2**31))
def test_points_that_lie_almost_or_exactly_in_a_plane(seed: int) -> None:
    random = np.random.default_rng(seed)
    origin, u, v = random.normal(size=(3, 3)) * 10.0 ** random.integers(-3, 4, (3, 1))
    weights = random.integers(-8, 9, (4, 2)) / 8
    points = (origin + weights[:, :1] * u + weights[:, 1:] * v).astype(np.float32).astype(float)
    assert side_of_plane(points, 0, 1, 2, 3) == rational.side_of_plane(points)
    flat = points.copy()
    flat[:, 2] = 0
    wanted = rational.side_of_plane(np.vstack((flat[:3], flat[0] + (0, 0, 1))))
    assert side_of_line(flat, 0, 1, 2, 0, 1) == wanted


def test_float64_alone_would_be_wrong_here() -> None:
    random = np.random.default_rng(5)
    wrong = 0
    for _ in range(300):
        origin, u, v = random.normal(size=(3, 3)).astype(np.float32)
        points = np.array([origin, origin + u, origin + v, origin + u + v], np.float32).astype(float)
        assert side_of_plane(points, 0, 1, 2, 3) == rational.side_of_plane(points)
        wrong += naive(points) != -rational.side_of_plane(points)
    assert wrong
