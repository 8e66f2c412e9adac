"""Shifts: a change of demand and signals for good, from a moment on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import world

from simulator.problem import InputError
from simulator.scenario.shift import Shift
from simulator.tape import Tape

#: Made by `conftest.SMALL`: twelve slots, three generated sites with an origin each.
SLOTS = 12


def test_demand_and_signals_are_multiplied_from_the_moment_on_and_stay_the_same_before() -> None:
    plain = world()
    one, two, _ = plain.fleet.sites
    asked: dict[str, Any] = {"at_share": 0.25, "demand": 1.5, "price": {one: 3.0}, "carbon": 2, "water": {two: 0.5}}
    moved = world(shift=asked)
    at = 3
    for name, factor in (
        ("price_usd_per_kwh", [3.0, 1.0, 1.0]),
        ("carbon_kg_per_kwh", [2.0, 2.0, 2.0]),
        ("onsite_water_l_per_kwh", [1.0, 0.5, 1.0]),
        ("pue", [1.0, 1.0, 1.0]),
    ):
        before, after = (getattr(made.conditions, name) for made in (plain, moved))
        np.testing.assert_array_equal(after[:at], before[:at])
        np.testing.assert_array_equal(after[at:], before[at:] * factor)
    np.testing.assert_array_equal(moved.demand.rate_rps[:at], plain.demand.rate_rps[:at])
    np.testing.assert_array_equal(moved.demand.rate_rps[at:], 1.5 * plain.demand.rate_rps[at:])


def test_a_shift_of_the_whole_run_is_growth_of_demand() -> None:
    demand = {"demand": {"calibrated": {"peak_kw": 5}}, "request": {"seconds": 60}}
    moved = world(workload=demand, shift={"at_share": 0, "demand": 1.7})
    grown = world(workload={**demand, "growth": 1.7})
    np.testing.assert_allclose(moved.demand.rate_rps, grown.demand.rate_rps, rtol=1e-12)


def test_a_moment_within_a_slot_counts_from_the_next_slot_on() -> None:
    moved, plain = world(shift={"at_share": 0.3, "demand": 2}), world()  # 3.6 of twelve slots
    changed = (moved.demand.rate_rps != plain.demand.rate_rps).all(axis=1)
    assert list(changed) == [slot >= 4 for slot in range(SLOTS)]


def test_requests_come_as_much_more_often() -> None:
    """Poisson counts of both halves within five deviations of their means; those before the moment are the same."""
    workload = {"demand": {"poisson": {"rate_per_s": 5}}, "request": {"seconds": 0.1}}
    plain, moved = (world(workload=workload, **more) for more in ({}, {"shift": {"demand": 3}}))
    arrivals = [np.concatenate([block.arrival_s for block in Tape(made).blocks()]) for made in (plain, moved)]
    half_s = plain.fleet.slot_s * SLOTS / 2
    early, late = ([(times < half_s).sum(), (times >= half_s).sum()] for times in arrivals)
    np.testing.assert_array_equal(arrivals[0][: early[0]], arrivals[1][: late[0]])
    assert abs(late[1] - 3 * 5 * half_s) < 5 * np.sqrt(3 * 5 * half_s)


def test_lost_sites_may_be_named_and_the_others_meet_the_same_prices() -> None:
    names = world().fleet.sites
    asked = {"price": {names[0]: 2.0, names[1]: 3.0}}
    whole, less = world(shift=asked), world(shift=asked, lost_sites=[names[0]])
    np.testing.assert_array_equal(less.conditions.price_usd_per_kwh, whole.conditions.price_usd_per_kwh[:, 1:])


def test_a_trace_cannot_shift(tmp_path: Any) -> None:
    trace = {
        "demand": {"trace": {"file": "nowhere.csv", "when_absent": "fitted"}},
        "request": {"tokens": {"model": "llama2-70b"}},
    }
    with pytest.raises(InputError, match="a trace has its own requests"):
        world(workload=trace, shift={"demand": 2})
    assert world(workload=trace, shift={"price": 2}).demand.rate_rps.any()


def test_whole_numbers_and_mappings_are_written_as_they_are_read() -> None:
    asked = Shift(demand=2, price={"texas": 3})  # type: ignore[arg-type, dict-item]
    assert Shift.model_validate(asked.model_dump(mode="json")) == asked
