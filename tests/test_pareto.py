"""Trade-offs against brute force and against curves whose knee is known."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.pareto import knee, pareto_mask


def brute(points: np.ndarray) -> list[bool]:
    """As efficiency is defined, pair by pair."""
    return [
        not any(
            all(a <= b for a, b in zip(other, point, strict=True))
            and any(a < b for a, b in zip(other, point, strict=True))
            for other in points
        )
        for point in points
    ]


@st.composite
def clouds(draw) -> np.ndarray:
    """Up to 40 points in up to 5 criteria, few values so that many tie, or any."""
    criteria = draw(st.integers(1, 5))
    value = draw(st.sampled_from([st.integers(0, 3).map(float), st.floats(-1e9, 1e9)]))
    rows = draw(st.lists(st.lists(value, min_size=criteria, max_size=criteria), min_size=1, max_size=40))
    return np.array(rows)


@given(clouds())
def test_the_efficient_points_are_those_that_no_other_beats(points):
    assert pareto_mask(points).tolist() == brute(points)


def test_equal_points_are_kept_together():
    assert pareto_mask([[1, 2], [2, 1], [1, 2], [2, 2], [1, 3]]).tolist() == [True, True, True, False, False]
    assert pareto_mask([[3.0], [3.0], [4.0]]).tolist() == [True, True, False]


def test_a_point_that_is_not_known_is_not_efficient_and_beats_nobody():
    assert pareto_mask([[np.nan, 0], [1, 1], [np.inf, 0.5]]).tolist() == [False, True, True]
    assert pareto_mask(np.empty((0, 3))).tolist() == []


def test_thousands_of_points_in_five_criteria_take_no_time():
    """All on a sphere, so that all are efficient: the worst case."""
    points = np.abs(np.random.default_rng(1).normal(size=(4000, 5)))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    start = time.process_time()
    assert pareto_mask(points).all()
    assert time.process_time() - start < 5


def test_the_knee_of_a_corner_is_the_corner():
    assert knee([0, 1, 2, 3, 4], [4, 0.5, 0.4, 0.2, 0]) == 1


def test_the_knee_of_a_hyperbola_by_hand():
    """y = 1 / x on 1 to 9: the line between the ends falls by 8/9 over 8, and 1 / x does so at x = 3."""
    x = np.linspace(1, 9, 81)
    found = knee(x, 1 / x)
    assert x[found] == pytest.approx(3)


@given(st.permutations(range(81)), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_neither_units_nor_order_move_the_knee(order, one, other):
    x = np.linspace(1, 9, 81)[list(order)]
    found = knee(one * x, other / x)
    assert x[found] == pytest.approx(3)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([], []),
        ([1, 2], [2, 1]),
        ([1, 1, 2], [3, 2, 1]),
        ([1, 2, 3], [3, 2, 1]),
        ([1, 2, 3, 4], [4, 3.5, 2.5, 0]),
        ([1, 2, 3], [5, 5, 5]),
        ([1, 2, np.nan, 3], [3, np.nan, 1, 1]),
    ],
)
def test_no_knee_without_a_bend(x, y):
    """Too few points, a straight line, one that bulges the other way, or one that changes nothing."""
    assert knee(x, y) is None


def test_gaps_and_points_above_others_do_not_matter():
    """Of those with one x the lowest counts."""
    assert knee([0, np.nan, 1, 1, 4], [4, 0, 3, 0.5, 0]) == 3
