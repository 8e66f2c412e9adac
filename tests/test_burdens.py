"""Scarcity-weighted water and health cost, by hand; AWARE 2.0 factors read off its table by eye (Zenodo 8215864)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import worlds

from simulator.burdens import health_usd, scarce_water_m3, scarcity
from simulator.footprint import Conditions, Footprint
from simulator.problem import InputError
from simulator.rows import site_rows
from simulator.scenario import parse
from simulator.simulation import run
from simulator.world import World, build_world

SERVERS = {"count": 1, "peak_w": 1}
IDLE = {"demand": {"poisson": {"rate_per_s": 0}}, "request": {"seconds": 1}}


def world(sites: object, **more) -> World:
    return build_world(parse(worlds.fleet() | {"sites": sites, "servers": SERVERS} | more))


def site(name: str, **more) -> dict:
    return {"name": name, **worlds.HERE, **more}


def spent(water_l: list[list[float]], meter_kwh: list[list[float]]) -> Footprint:
    """A footprint of two slots and two sites of which only water and energy matter."""
    none = np.zeros((2, 2))
    parts = dict.fromkeys(Footprint._fields, none)
    return Footprint(**(parts | {"water_l": np.array(water_l), "meter_kwh": np.array(meter_kwh)}))


def conditions(scarce: list[list[float]], health: list[list[float]]) -> Conditions:
    none = np.zeros((2, 2))
    return Conditions(none, none, none, none, none, np.array(scarce), np.array(health))


def test_scarce_water_weighs_each_slot_with_its_month():
    """Site 0: 1 m3 x 10 + 2 m3 x 20 = 50; site 1: 5 m3 x 1 + 5 m3 x 1 = 10. Mean 30, largest 50, PAR 5/3."""
    footprint = spent([[1000, 5000], [2000, 5000]], [[0, 0], [0, 0]])
    here = conditions([[10, 1], [20, 1]], [[0, 0], [0, 0]])
    np.testing.assert_allclose(scarce_water_m3(footprint, here), [50, 10])
    assert scarcity(footprint, here) == pytest.approx((50, 30, 5 / 3))


def test_health_cost_is_per_kwh_at_the_meter_and_not_known_where_it_is_not():
    footprint = spent([[0, 0], [0, 0]], [[1000, 10], [500, 10]])
    cost = health_usd(footprint, conditions([[1, 1]] * 2, [[0.054, math.nan]] * 2))
    assert cost[0] == pytest.approx(81)
    assert math.isnan(cost[1])


def test_scarcity_of_catalogued_places_follows_the_month_in_which_a_slot_starts():
    """Texas: 15.36 in September, 13.42 in October; Nevada 66.31 and 65.47. The month turns at midnight UTC."""
    made = world({"catalogue": {"only": ["texas", "nevada"]}}, start="2022-09-30T22:30:00Z", slots=4, slot_s=3600)
    hand = [[15.36, 66.31], [15.36, 66.31], [13.42, 65.47], [13.42, 65.47]]
    np.testing.assert_array_equal(made.conditions.scarcity, hand)


def test_a_site_takes_scarcity_and_health_cost_from_its_kin_its_own_or_none():
    """Virginia: 54 US$/MWh, 0.85 in January. Germany: no health cost is known."""
    months = list(range(1, 13))
    sites = [
        site("a", like="virginia"),
        site("b", aware=7, health_usd_per_mwh=10),
        site("c", aware=months),
        site("d"),
        site("e", like="germany"),
    ]
    made = world(sites, start="2022-12-31T23:00:00Z", slots=2, slot_s=3600).conditions
    np.testing.assert_array_equal(made.scarcity, [[1.08, 7, 12, 1, 1.01], [0.85, 7, 1, 1, 0.64]])
    np.testing.assert_allclose(made.health_usd_per_kwh[0], [0.054, 0.01, np.nan, np.nan, np.nan])


def test_scarcity_goes_through_years_of_long_slots():
    """Slots of 31 days from 1 January 2023: months 1, 2 (1 Feb), 3 (4 Mar), 4 (4 Apr), 5 (5 May)."""
    made = world([site("c", aware=list(range(1, 13)))], start="2023-01-01T00:00:00Z", slots=5, slot_s=31 * 86400)
    np.testing.assert_array_equal(made.conditions.scarcity[:, 0], [1, 2, 3, 4, 5])


@pytest.mark.parametrize("aware", [[1, 2, 3], -1, "high"])
def test_scarcity_is_a_number_or_twelve(aware):
    with pytest.raises(InputError, match=r"sites\.given\[0\]\.aware|sites\[0\]\.aware"):
        world([site("c", aware=aware)])


@pytest.mark.parametrize(("known", "total"), [((None, None), math.nan), ((None, 20.0), 0.02), ((10.0, 20.0), 0.03)])
def test_the_tables_of_a_run_hold_scarce_water_and_the_health_cost_that_is_known(known, total):
    """Two sites that draw 1 W each for 1,000 h: 1 kWh, 3 L of combined water. Scarcity 2 and 6."""
    sites = [
        site("a", aware=2) | ({} if known[0] is None else {"health_usd_per_mwh": known[0]}),
        site("b", aware=6) | ({} if known[1] is None else {"health_usd_per_mwh": known[1]}),
    ]
    made = world(sites, slot_s=3.6e6, servers={"count": 1, "peak_w": 2, "idle_w": 1}, workload=IDLE)
    result = run(made, "glb-nearest", engine="fluid")
    row, rows = result.summary(), site_rows(result)
    assert [r["scarce_water_m3"] for r in rows] == pytest.approx([0.006, 0.018])
    assert (row["scarce_water_m3_mean"], row["scarce_water_m3_max"]) == pytest.approx((0.012, 0.018))
    assert row["par_scarce_water"] == pytest.approx(1.5)
    assert row["health_usd"] == pytest.approx(total, nan_ok=True)
    expected = [math.nan if usd is None else usd / 1000 for usd in known]
    assert [r["health_usd"] for r in rows] == pytest.approx(expected, nan_ok=True)
