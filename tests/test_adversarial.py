"""Forecasts that mislead on purpose: what they tell, by hand, and what they leave true."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import SMALL
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays

from simulator.forecast import FORECASTERS, Forecaster
from simulator.forecast.adversarial import elsewhen, flipped, permuted
from simulator.scenario import parse
from simulator.scenario.forecast import ATTACKS
from simulator.world import World, build_world

CATALOGUED = {"catalogue": {"name": "paper", "only": ["texas", "germany", "japan"]}}
SERIES = arrays(np.float64, some.tuples(some.integers(2, 40), some.integers(1, 6)), elements=some.floats(-50, 500))


def made(kind: str) -> World:
    own = {"sites": CATALOGUED, "origins": CATALOGUED, "network": {"rtt": "catalogue"}, "signals": {"calibrated": {}}}
    demand = {"demand": {"calibrated": {"peak_kw": 2}}, "request": {"seconds": 60}}
    return build_world(
        parse({**SMALL, **own, "workload": demand, "slots": 72, "slot_s": 3600, "forecast": {"adversarial": kind}})
    )


def test_places_change_by_their_mean_by_hand() -> None:
    truth = np.array([[5.0, 1.0, 3.0, 2.0], [6.0, 2.0, 4.0, 2.0]])  # means 5.5, 1.5, 3.5, 2
    np.testing.assert_array_equal(permuted(truth), [[1.0, 5.0, 2.0, 3.0], [2.0, 6.0, 2.0, 4.0]])


def test_a_mirrored_series_by_hand() -> None:
    """About its mean 3; what would be -2 below the range of the series is its smallest value."""
    np.testing.assert_array_equal(flipped(np.array([[1.0], [2.0], [1.0], [8.0]])), [[5.0], [4.0], [5.0], [1.0]])


def test_another_season_is_half_a_run_away_and_day_is_night() -> None:
    """A year of hours: 182.5 days; a week: 3.5 days; 14 days: 7.5; half a day of hours: 6 h."""
    for slots, away in ((365 * 24, 4380), (168, 84), (336, 180), (12, 6)):
        truth = np.arange(slots, dtype=float)[:, None]
        assert elsewhen(truth, 24)[0, 0] == away
        assert sorted(elsewhen(truth, 24)[:, 0]) == list(truth[:, 0])
        assert away % 24 == 12 or slots < 24


@given(SERIES)
def test_the_cheapest_looks_dearest_whatever_the_series(truth: np.ndarray) -> None:
    told = permuted(truth)
    assert sorted(map(tuple, told.T)) == sorted(map(tuple, truth.T)), "every series is told of one place"
    order = np.argsort(truth.mean(axis=0), kind="stable")
    assert (np.diff(told.mean(axis=0)[order]) <= 1e-9).all()


@given(SERIES)
def test_what_is_told_stays_within_what_each_series_goes_through(truth: np.ndarray) -> None:
    for told in (flipped(truth), elsewhen(truth, 24)):
        assert (told >= truth.min(axis=0)).all() and (told <= truth.max(axis=0)).all()


@pytest.mark.parametrize("kind", ATTACKS)
def test_the_present_slot_is_true_and_all_later_ones_are_as_they_are_told(kind: str) -> None:
    world = made(kind)
    forecaster = Forecaster(world, world.scenario.forecast)
    tell = {"permuted": permuted, "flipped": flipped, "season": lambda truth: elsewhen(truth, 24)}[kind]
    perfect = Forecaster(world, FORECASTERS["perfect"])
    whole = perfect.ahead(0, 72)
    for slot in (0, 10, 71):
        seen, true = forecaster.ahead(slot, 24), perfect.ahead(slot, 24)
        np.testing.assert_array_equal(seen.demand_rps[0], true.demand_rps[0])
        np.testing.assert_array_equal(seen.cost_usd[0], true.cost_usd[0])
        np.testing.assert_allclose(seen.demand_rps[1:], tell(whole.demand_rps)[slot + 1 : slot + 24], rtol=1e-12)
        price = tell(world.conditions.price_usd_per_kwh)[slot + 1 : slot + 24]
        pue = tell(np.asarray(world.conditions.pue))[slot + 1 : slot + 24]
        np.testing.assert_allclose(seen.cost_usd[1:], price * pue * world.fleet.energy_kwh, rtol=1e-12)
    assert not np.allclose(forecaster.ahead(0, 72).cost_usd, whole.cost_usd)
