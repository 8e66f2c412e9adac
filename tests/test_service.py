"""Service times, marginal energy, planned capacity and the size of a scaled fleet, each by hand.

The curve of llama2-70b on 8xH100 (Splitwise, ISCA 2024, fitted): prefill 10.4 ms + 0.091 ms a token, decode of a
token 30.1 ms + 0.30 ms for each request that runs.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.problem import InputError
from simulator.scenario import parse
from simulator.scenario.inputs import data_folder
from simulator.tape import Tape
from simulator.world import World, build_world

HERE = {"latitude_deg": 0, "longitude_deg": 0}


def world(request, servers=None, demand=None, **more) -> World:
    return build_world(
        parse(
            {
                "name": "service",
                "start": "2022-09-22T00:00:00Z",
                "slots": 2,
                "sites": [{"name": "a"} | HERE],
                "servers": servers or {"count": 600, "concurrency": 4, "peak_w": 2000},
                "origins": [{"name": "o"} | HERE],
                "signals": {"synthetic": {"price_usd_per_mwh": 1, "carbon_kg_per_kwh": 1, "water_l_per_kwh": 1}},
                "workload": {"demand": demand or {"poisson": {"rate_per_s": 1}}, "request": request},
                "network": {"rtt": {"coordinates": {}}},
                "policies": ["glb-nearest"],
            }
            | more
        )
    )


def test_four_watt_hours_on_a_quarter_of_two_kilowatts_take_28_8_seconds():
    """4 Wh x 3600 s/h / (2000 W / 4) = 28.8 s (docs of the model)."""
    fleet = world({"energy_wh": 4.0}).fleet
    assert fleet.service_s[0] == pytest.approx(28.8, rel=1e-15)
    assert fleet.energy_kwh[0] == pytest.approx(0.004, rel=1e-15)


def test_idle_power_is_not_spent_on_a_request():
    """4 Wh above idle on a quarter of 2000 - 800 W: 4 x 3600 x 4 / 1200 = 48 s, still 4 Wh."""
    fleet = world({"energy_wh": 4.0}, {"count": 1, "concurrency": 4, "peak_w": 2000, "idle_w": 800}).fleet
    assert fleet.service_s[0] == pytest.approx(48, rel=1e-15)
    assert fleet.energy_kwh[0] == pytest.approx(0.004, rel=1e-15)


def test_a_distribution_of_energies_counts_with_its_mean():
    """Lognormal: exp(mu + sigma^2 / 2)."""
    fleet = world({"energy_wh": {"lognormal": {"mu": 1.0, "sigma": 0.5}}}).fleet
    assert fleet.energy_kwh[0] == pytest.approx(math.exp(1.125) / 1000, rel=1e-12)
    assert fleet.service_s[0] == pytest.approx(math.exp(1.125) * 7.2, rel=1e-12)


def test_tokens_on_llama2_70b():
    """1000 in, 200 out, 32 at once: prefill 10.4 + 91 = 101.4 ms, decode 200 x (30.1 + 9.6) = 7940 ms."""
    request = {"tokens": {"model": "llama2-70b", "input": 1000, "output": 200}}
    fleet = world(request, {"count": 4, "concurrency": 32, "peak_w": 8480, "idle_w": 1576}).fleet
    assert fleet.service_s[0] == pytest.approx(8.0414, rel=1e-12)
    assert fleet.curve.service_s(1000, 0)[0] == pytest.approx(0.1014, rel=1e-12)
    # Marginal energy: 8.0414 s x (8480 - 1576) W / 32 places = 1734.93 J.
    assert fleet.energy_kwh[0] == pytest.approx(8.0414 * 6904 / 32 / 3.6e6, rel=1e-12)


def test_tokens_alone_on_a_server_decode_faster():
    """One at once: 200 x 30.4 ms + 101.4 ms = 6.1814 s."""
    request = {"tokens": {"model": "llama2-70b", "input": 1000, "output": 200}}
    assert world(request, {"count": 4, "peak_w": 8480}).fleet.service_s[0] == pytest.approx(6.1814, rel=1e-12)


def test_each_site_serves_by_its_own_servers():
    """A site of its own servers (2 at once) beside the scenario's (4 at once): 14.4 s and 28.8 s of 4 Wh at 2 kW."""
    sites = [{"name": "a"} | HERE, {"name": "b", "servers": {"count": 10, "concurrency": 2, "peak_w": 2000}} | HERE]
    fleet = world({"energy_wh": 4.0}, sites=sites).fleet
    np.testing.assert_allclose(fleet.service_s, [28.8, 14.4], rtol=1e-15)
    np.testing.assert_allclose(fleet.energy_kwh, [0.004, 0.004], rtol=1e-15)
    np.testing.assert_array_equal(fleet.places(1.0), [2400, 20])


def test_seconds_are_seconds_everywhere():
    """1.5 s on a quarter of 2 kW: 750 J."""
    fleet = world({"seconds": {"exponential": {"mean": 1.5}}}).fleet
    assert fleet.service_s[0] == 1.5
    assert fleet.energy_kwh[0] == pytest.approx(750 / 3.6e6, rel=1e-15)


def test_an_unknown_model_is_refused():
    with pytest.raises(InputError, match=r"unknown model 'llama2-70'; did you mean 'llama2-70b'"):
        world({"tokens": {"model": "llama2-70", "input": 1, "output": 1}})


def test_the_utilisation_cap_bounds_planned_capacity():
    """0.9 x 2400 places / 28.8 s = 75 requests/s; 0.5: 41.67."""
    assert world({"energy_wh": 4.0}).fleet.capacity_rps[0] == pytest.approx(75, rel=1e-15)
    made = world({"energy_wh": 4.0}, planning={"utilisation_cap": 0.5})
    assert made.fleet.capacity_rps[0] == pytest.approx(0.5 * 2400 / 28.8, rel=1e-15)


def test_capacity_in_kilowatts_is_requests_by_their_energy():
    """1000 kW / 4 Wh = 250,000 requests/h = 69.4 requests/s, whatever the servers are."""
    for servers in ({"count": 600, "concurrency": 4, "peak_w": 2000}, {"count": 5, "peak_w": 300, "idle_w": 100}):
        fleet = world({"energy_wh": 4.0}, servers, planning={"site_capacity_kw": 1000}).fleet
        assert fleet.capacity_rps[0] == pytest.approx(250_000 / 3600, rel=1e-15)


@pytest.mark.skipif(not (data_folder() / "paper").is_dir(), reason="the authors' data are not there")
def test_demand_in_kilowatts_becomes_requests_by_their_energy():
    """First hour of the authors' demand: 2700 W of at most 2708 W; at 500 kW and 4 Wh: x 125,000 requests/h."""
    made = world({"energy_wh": 4.0}, demand={"paper": {"peak_kw": 500}})
    assert made.demand.rate_rps[0, 0] == pytest.approx(2700 / 2708 * 125_000 / 3600, rel=1e-12)
    assert made.demand.rate_rps[0, 0] * made.fleet.energy_kwh[0] * 3600 == pytest.approx(500 * 2700 / 2708, rel=1e-12)


def test_demand_in_kilowatts_goes_by_the_mean_energy_of_the_sites():
    """Sites of 2 kW and 1 kW with 4 at once spend 500 J and 250 J a second: the mean of a request of 1 s is 375 J."""
    sites = [{"name": "a"} | HERE, {"name": "b", "servers": {"count": 9, "concurrency": 4, "peak_w": 1000}} | HERE]
    made = world({"seconds": 1}, sites=sites, demand={"calibrated": {"peak_kw": 1000}})
    relative = world({"energy_wh": 1.0}, demand={"calibrated": {"peak_kw": 3.6}}).demand.rate_rps
    np.testing.assert_allclose(made.demand.rate_rps, relative * 1e6 / 375, rtol=1e-12)
    assert (relative > 0.4).all()
    assert (relative <= 1.0).all()


BASE = world({"seconds": 1})


@pytest.mark.parametrize(
    ("scale", "count", "concurrency", "places"),
    [
        (0.07, 100, 1, 7),
        (0.001, 600, 4, 3),
        (0.001, 2400, 1, 3),
        (0.01, 600, 4, 24),
        (1.0, 600, 4, 2400),
        (0.29, 100, 1, 29),
        (0.57, 100, 1, 57),
        (1.1, 10, 1, 11),
        (0.001, 1, 1, 1),
        (0.0101, 100, 1, 2),
        (0.5, 3, 1, 2),
    ],
)
def test_a_scaled_fleet_has_the_places_that_decimal_arithmetic_gives(scale, count, concurrency, places):
    """ceil(scale x count x concurrency) in decimals: in binary 0.07 x 100 is a little above 7 and must be 7."""
    made = world({"seconds": 1}, {"count": count, "concurrency": concurrency, "peak_w": 100}, fleet_scale=scale)
    assert made.fleet.places(scale)[0] == places


@given(st.integers(1, 1000), st.integers(1, 10_000))
def test_thousandths_of_a_fleet_are_rounded_up_as_whole_numbers_are(thousandths, servers):
    """ceil(a b / 1000) in integers."""
    hardware = BASE.fleet.hardware._replace(
        servers=np.array([float(servers)]), concurrency=np.array([1]), site=np.array([0])
    )
    fleet = replace(BASE.fleet, hardware=hardware)
    assert fleet.places(thousandths / 1000)[0] == -(-thousandths * servers // 1000)


def test_scaling_a_fleet_scales_neither_service_nor_capacity():
    """Both are told in units of the full fleet; the tape holds the smaller number of requests."""
    full, small = (world({"energy_wh": 4.0}, fleet_scale=scale) for scale in (1.0, 0.01))
    np.testing.assert_array_equal(full.fleet.service_s, small.fleet.service_s)
    np.testing.assert_array_equal(full.fleet.capacity_rps, small.fleet.capacity_rps)
    np.testing.assert_array_equal(full.demand.rate_rps, small.demand.rate_rps)
    counts = [sum(len(block.arrival_s) for block in Tape(made).blocks()) for made in (full, small)]
    # Poisson with mean 7200 and 72.
    assert abs(counts[0] - 7200) < 4 * math.sqrt(7200)
    assert abs(counts[1] - 72) < 4 * math.sqrt(72)


def test_proportional_power_has_no_overhead():
    site = [{"name": "a", "pue": 1.5} | HERE]
    linear = {"count": 2, "peak_w": 100}
    assert world({"seconds": 1}, linear, sites=site).conditions.pue[0, 0] == 1.5
    assert world({"seconds": 1}, linear | {"power": "proportional"}, sites=site).conditions.pue[0, 0] == 1.0
