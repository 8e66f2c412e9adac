"""Slot means of a series, against an integral made of rectangles one by one.

The mean of a piecewise constant function over a slot is the sum over its steps of value x overlap, divided by the
length of the slot. The plain twin below does just that with exact fractions; nothing of it is shared with the code.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.world.series import Series


def plain_means(start_s: Fraction, step_s: Fraction, values: list[Fraction], slots: int, slot_s: Fraction) -> list:
    means = []
    for slot in range(slots):
        low, high = slot * slot_s, (slot + 1) * slot_s
        whole = Fraction(0)
        for k, value in enumerate(values):
            left, right = start_s + k * step_s, start_s + (k + 1) * step_s
            whole += value * max(Fraction(0), min(high, right) - max(low, left))
        means.append(whole / slot_s)
    return means


@settings(deadline=None, max_examples=150)
@given(
    step_s=st.sampled_from([1, 7, 60, 300, 900, 1800, 3600, 86400]),
    slot_s=st.sampled_from([1, 5, 60, 90, 300, 900, 1700, 3600, 5400, 7200, 86400]),
    lead=st.integers(0, 3 * 3600),
    slots=st.integers(1, 12),
    data=st.data(),
)
def test_slot_means_are_the_integral_over_the_slot(step_s, slot_s, lead, slots, data):
    """Any step, any slot, any start before the run: rounding only (values up to 1000, sums up to some thousands)."""
    count = -(-(lead + slots * slot_s) // step_s)
    if count > 4000:
        count = 4000
        slots = max(1, (count * step_s - lead) // slot_s)
        if slots * slot_s + lead > count * step_s:
            return
    pattern = data.draw(st.lists(st.integers(-1000, 1000), min_size=1, max_size=9))
    values = [pattern[k % len(pattern)] for k in range(count)]
    series = Series(float(-lead), float(step_s), np.array(values, dtype=float)[:, None])
    assert series.covers(slots * slot_s)
    found = series.to_slots(slots, float(slot_s))
    # Only the steps that the run touches matter to the twin.
    first, last = lead // step_s, -(-(lead + slots * slot_s) // step_s)
    near = [Fraction(v) for v in values[first:last]]
    wanted = plain_means(Fraction(first * step_s - lead), Fraction(step_s), near, slots, Fraction(slot_s))
    np.testing.assert_allclose(found[:, 0], [float(w) for w in wanted], rtol=0, atol=1e-8)


def test_aligned_slots_take_the_values_themselves():
    """A slot that lies within one step has exactly that step's value: no rounding at all."""
    values = np.array([[0.1, 3.3], [0.2, 1 / 3], [0.7, 2e-9]])
    np.testing.assert_array_equal(Series(0.0, 3600.0, values).to_slots(3, 3600.0), values)
    np.testing.assert_array_equal(Series(0.0, 3600.0, values).to_slots(36, 300.0), np.repeat(values, 12, axis=0))


def test_sub_hour_slots_that_cross_a_step_are_weighted():
    """Slots of 40 min on hours of 3, 6, 9: the second one has 20 min of 3 and 20 min of 6 = 4.5."""
    series = Series(0.0, 3600.0, np.array([[3.0], [6.0], [9.0]]))
    np.testing.assert_allclose(series.to_slots(4, 2400.0)[:, 0], [3.0, 4.5, 6.0, 9.0], rtol=1e-15)


def test_slots_longer_than_the_step_are_means_over_steps():
    """Two-hour slots on hours 1, 2, 3, 10: means 1.5 and 6.5; three-hour slots with half an hour of lead: by hand."""
    series = Series(0.0, 3600.0, np.array([[1.0], [2.0], [3.0], [10.0]]))
    np.testing.assert_allclose(series.to_slots(2, 7200.0)[:, 0], [1.5, 6.5], rtol=1e-15)
    # Slot [0, 3 h) from half an hour into the series: 0.5 x 1 + 2 + 3 + 0.5 x 10 = 10.5; / 3 = 3.5.
    moved = Series(-1800.0, 3600.0, series.values)
    np.testing.assert_allclose(moved.to_slots(1, 10800.0)[:, 0], [3.5], rtol=1e-15)


def test_a_run_that_starts_within_a_step_weights_its_ends():
    """Start 15 min into the hour, slots of 1 h: 45 min of one value and 15 min of the next; 4 -> 8: 5."""
    series = Series(-900.0, 3600.0, np.array([[4.0], [8.0], [0.0]]))
    np.testing.assert_allclose(series.to_slots(2, 3600.0)[:, 0], [5.0, 6.0], rtol=1e-15)


def test_columns_do_not_mix():
    values = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
    found = Series(-600.0, 1800.0, values).to_slots(2, 2000.0)
    np.testing.assert_allclose(found[:, 1], 10 * found[:, 0], rtol=1e-14)
    assert found.shape == (2, 2)


@pytest.mark.parametrize(
    ("start_s", "horizon_s", "covered"),
    [
        (0.0, 7200.0, True),
        (-3600.0, 3600.0, True),
        (-3600.0, 3601.0, False),
        (1.0, 3600.0, False),
        (0.0, 7201.0, False),
    ],
)
def test_a_series_covers_a_run_from_its_start_to_its_end(start_s, horizon_s, covered):
    """Two steps of an hour from ``start_s``."""
    assert Series(start_s, 3600.0, np.ones((2, 1))).covers(horizon_s) is covered


def test_a_long_series_keeps_its_last_value_exactly():
    """A year of 5-minute slots on hours: slot edges are multiples of a twelfth, which are not binary fractions."""
    hours = 8760
    values = np.arange(hours, dtype=float)[:, None]
    found = Series(0.0, 3600.0, values).to_slots(hours * 12, 300.0)
    np.testing.assert_array_equal(found[:, 0], np.repeat(values[:, 0], 12))
