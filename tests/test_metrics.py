"""Equity, latency histograms and footprints, by hand and by their laws.

PAR = max / mean; Gini = sum_i (2i - n - 1) v_(i) / (n sum v), the mean difference of all pairs over twice the mean;
Jain = (sum v)^2 / (n sum v^2) (Jain, Chiu and Hawe, DEC-TR-301, 1984).
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import world_of

from simulator.core.edges import EDGES_S as EDGES
from simulator.core.edges import FIRST_S, LAST_S
from simulator.equity import gini, jain, peak_to_average
from simulator.fleet import Fleet, Hardware
from simulator.footprint import Conditions, Usage, added, footprint, nothing
from simulator.latency import Histogram
from simulator.result import RunResult
from simulator.rows import site_rows
from simulator.scenario import parse
from simulator.simulation import run

BURDENS = st.lists(st.floats(0, 1e9).map(lambda v: round(v, 3)), min_size=1, max_size=30).filter(lambda v: sum(v) > 0)


# --- equity ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "par", "unevenness", "fairness"),
    [
        ([1, 1, 1, 1], 1, 0, 1),
        ([0, 0, 0, 8], 4, 0.75, 0.25),
        # Mean 2.5. Gini: (-3 x 1 - 1 x 2 + 1 x 3 + 3 x 4) / (4 x 10) = 10/40. Jain: 100 / (4 x 30).
        ([4, 1, 3, 2], 1.6, 0.25, 100 / 120),
        # Mean 2. Gini: (-1 x 1 + 1 x 3) / (2 x 4). Jain: 16 / (2 x 10).
        ([1, 3], 1.5, 0.25, 0.8),
        ([7], 1, 0, 1),
        # Mean 3. Gini: (-2 x 1 + 2 x 6) / (3 x 9). Jain: 81 / (3 x 41).
        ([2, 6, 1], 2, 10 / 27, 81 / 123),
    ],
)
def test_equity_by_hand(values, par, unevenness, fairness):
    values = np.array(values, dtype=float)
    assert peak_to_average(values) == pytest.approx(par, rel=1e-15)
    assert gini(values) == pytest.approx(unevenness, rel=1e-14, abs=1e-15)
    assert jain(values) == pytest.approx(fairness, rel=1e-14)


def test_where_nobody_carries_anything_there_is_no_equity():
    for metric in (peak_to_average, gini, jain):
        assert math.isnan(metric(np.zeros(3)))


@given(BURDENS, st.sampled_from([1e-6, 0.5, 3.0, 1e6]))
def test_equity_does_not_depend_on_the_unit(values, factor):
    burden = np.array(values)
    for metric in (peak_to_average, gini, jain):
        assert metric(factor * burden) == pytest.approx(metric(burden), rel=1e-9, abs=1e-12)


@given(BURDENS, st.randoms(use_true_random=False))
def test_equity_does_not_depend_on_the_order_of_the_sites(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    for metric in (peak_to_average, gini, jain):
        assert metric(np.array(shuffled)) == pytest.approx(metric(np.array(values)), rel=1e-9, abs=1e-12)


@given(BURDENS)
def test_equity_keeps_its_bounds(values):
    """1 <= PAR <= n, 0 <= Gini <= 1 - 1/n, 1/n <= Jain <= 1; and Jain is 1 / (1 + squared coefficient of variation)."""
    burden, n = np.array(values), len(values)
    assert 1 - 1e-12 <= peak_to_average(burden) <= n * (1 + 1e-12)
    assert -1e-12 <= gini(burden) <= 1 - 1 / n + 1e-12
    assert (1 - 1e-12) / n <= jain(burden) <= 1 + 1e-12
    assert jain(burden) == pytest.approx(1 / (1 + (burden.std() / burden.mean()) ** 2), rel=1e-9)


@given(BURDENS)
def test_gini_is_the_mean_difference_of_all_pairs(values):
    """Its definition, summed pair by pair in exact fractions."""
    exact = [Fraction(v) for v in values]
    pairs = sum(abs(a - b) for a in exact for b in exact)
    wanted = pairs / (2 * len(exact) * sum(exact))
    assert gini(np.array(values)) == pytest.approx(float(wanted), rel=1e-9, abs=1e-12)


@given(BURDENS.filter(lambda v: len(v) > 1), st.data())
def test_a_transfer_from_the_largest_to_the_smallest_makes_it_fairer(values, data):
    """Pigou and Dalton: Gini falls or stays, Jain rises or stays, PAR does not rise."""
    burden = np.array(values)
    high, low = int(burden.argmax()), int(burden.argmin())
    part = data.draw(st.floats(0, 0.5)) * (burden[high] - burden[low])
    moved = burden.copy()
    moved[high] -= part
    moved[low] += part
    assert gini(moved) <= gini(burden) + 1e-9
    assert jain(moved) >= jain(burden) - 1e-9
    assert peak_to_average(moved) <= peak_to_average(burden) * (1 + 1e-9)


# --- latency --------------------------------------------------------------------------------------------------------


def histogram(seconds) -> Histogram:
    made = Histogram(1)
    made.add(np.zeros(len(seconds), dtype=np.int64), np.asarray(seconds, dtype=float))
    return made


def exact_percentile(seconds, share: float) -> float:
    """The smallest duration that at least this share of the requests does not exceed."""
    ordered = sorted(seconds)
    return ordered[max(0, math.ceil(Fraction(str(share)) * len(ordered)) - 1)]


def test_bins_are_one_per_cent_wide_from_ten_microseconds_to_four_months():
    np.testing.assert_allclose(EDGES[1:] / EDGES[:-1], 1.01, rtol=1e-10)
    assert EDGES[0] == FIRST_S == 1e-5
    assert EDGES[-1] >= LAST_S == 1e7


DURATIONS = st.lists(st.one_of(st.just(0.0), st.floats(1e-5, 9e6)), min_size=1, max_size=60)


@settings(deadline=None)
@given(DURATIONS, st.sampled_from([0.01, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0]))
def test_percentiles_are_within_half_a_per_cent(seconds, share):
    """To the middle of a bin of 1 %: sqrt(1.01) - 1 = 0.4988 %; zero exactly."""
    found, exact = histogram(seconds).percentile(share), exact_percentile(seconds, share)
    assert found == pytest.approx(exact, rel=0.005, abs=0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_percentiles_of_many_random_durations(seed):
    generator = np.random.default_rng(seed)
    seconds = np.concatenate([generator.lognormal(0, 2, 50_000), generator.exponential(0.01, 30_000), np.zeros(5000)])
    made = histogram(seconds)
    for share in (0.05, 0.0588, 0.06, 0.5, 0.9, 0.99, 0.999, 1.0):
        assert made.percentile(share) == pytest.approx(exact_percentile(seconds, share), rel=0.005, abs=0)


def test_zero_has_a_bin_of_its_own():
    """Half of the requests waited 0 s: the median is 0, not the middle of a small bin; what is above is above."""
    made = histogram([0.0, 0.0, 1.0, 2.0])
    assert made.percentile(0.5) == 0.0
    assert made.percentile(0.51) == pytest.approx(1.0, rel=0.005)
    assert made.counts[0, 0] == 2
    assert histogram([1e-5]).counts[0, 0] == 0
    assert histogram([np.nextafter(1e-5, 0)]).percentile(1.0) == 0.0


@given(DURATIONS)
def test_means_are_exact_and_every_duration_is_in_the_bin_that_holds_it(seconds):
    made = histogram(seconds)
    assert made.mean() == pytest.approx(math.fsum(seconds) / len(seconds), rel=1e-12)
    assert made.counts.sum() == len(seconds)
    edges = [0.0, *EDGES, math.inf]
    for second in set(seconds):
        (bin_,) = np.flatnonzero(histogram([second]).counts[0])
        assert edges[bin_] <= second < edges[bin_ + 1]


def test_durations_beyond_the_last_bin_are_counted():
    made = histogram([1.0, 5e8])
    assert made.counts.sum() == 2
    assert made.mean() == 250_000_000.5
    assert made.percentile(1.0) > LAST_S


def test_an_empty_histogram_has_no_figures():
    assert math.isnan(Histogram(2).mean())
    assert math.isnan(Histogram(2).percentile(0.5))
    assert math.isnan(Histogram(2).mean(1))
    assert math.isnan(Histogram(2).percentile(0.5, 1))


def test_groups_do_not_mix_and_their_sum_is_the_whole():
    made = Histogram(3)
    made.add(np.array([0, 2, 2]), np.array([1.0, 4.0, 6.0]))
    made.add(np.array([0]), np.array([3.0]))
    assert (made.mean(0), made.mean(2), made.mean()) == (2.0, 5.0, 3.5)
    assert math.isnan(made.mean(1))
    assert made.percentile(1.0, 0) == pytest.approx(3.0, rel=0.005)
    assert made.percentile(0.5, 2) == pytest.approx(4.0, rel=0.005)


def test_weights_count_as_that_many_requests():
    """Flows of the fluid engine: 3 of 2 s and 1 of 10 s have mean 4 s."""
    made = Histogram(1)
    made.add(np.zeros(2, dtype=np.int64), np.array([2.0, 10.0]), np.array([3.0, 1.0]))
    assert made.mean() == 4.0
    assert made.percentile(0.75) == pytest.approx(2.0, rel=0.005)
    assert made.percentile(0.76) == pytest.approx(10.0, rel=0.005)


# --- footprint ------------------------------------------------------------------------------------------------------


def fleet_of(
    servers: float, concurrency: int, peak_w: float, idle_w: float, boot_w: float = 0.0, off_w: float = 0.0
) -> Fleet:
    """One site with one pool."""
    hardware = Hardware(*(np.array([v]) for v in (0, servers, concurrency, peak_w, idle_w, boot_w, off_w, 0.0, 0.0)))
    return replace(world_of(worlds.fleet()).fleet, hardware=hardware)


def conditions(*values: float) -> Conditions:
    """Price, carbon, on-site and off-site water, PUE; water as scarce as anywhere, health cost not known."""
    return Conditions(*(np.array([v]) for v in (*values, 1.0, np.nan)))


def usage(busy_place_s: float, on_server_s: float, booting_server_s: float = 0.0, off_server_s: float = 0.0) -> Usage:
    return Usage(*(np.array([v]) for v in (busy_place_s, on_server_s, booting_server_s, off_server_s)))


def test_the_footprint_of_a_day_by_hand():
    """Ten servers of 4 places, 2000 W busy and 800 W idle, PUE 1.25, on for 24 hours, 20 places busy on average.

    Idle 10 x 800 W x 24 h = 192 kWh. Serving (2000 - 800) / 4 W x 20 x 24 h = 144 kWh. IT 336 kWh, meter 420 kWh.
    At 0.1 US$/kWh 42 US$, at 0.5 kg/kWh 210 kg; water is per IT energy: 2 L/kWh x 336 = 672 L.
    """
    day = 86_400.0
    found = footprint(usage(20 * day, 10 * day), fleet_of(10.0, 4, 2000.0, 800.0), conditions(0.1, 0.5, 2.0, 0.0, 1.25))
    wanted = {
        "idle_kwh": 192.0,
        "serving_kwh": 144.0,
        "it_kwh": 336.0,
        "meter_kwh": 420.0,
        "cost_usd": 42.0,
        "carbon_kg": 210.0,
        "carbon_t": 0.21,
        "water_l": 672.0,
        "water_m3": 0.672,
    }
    for name, value in wanted.items():
        # To the last digit: one unit in the last place for each of at most three roundings.
        np.testing.assert_array_max_ulp(np.asarray(getattr(found, name)), np.array([value]), maxulp=3)


def test_proportional_power_is_energy_times_signals():
    """The accounting of the paper: one request of 4 Wh on a quarter of 2 kW, 28.8 place-seconds, nothing else."""
    found = footprint(usage(28.8, 600 * 3600.0), fleet_of(600.0, 4, 2000.0, 0.0), conditions(0.05, 0.4, 6.0, 0.0, 1.0))
    assert found.idle_kwh[0] == 0
    assert found.meter_kwh[0] == pytest.approx(0.004, rel=1e-15)
    assert found.cost_usd[0] == pytest.approx(0.0002, rel=1e-15)
    assert found.carbon_kg[0] == pytest.approx(0.0016, rel=1e-15)
    assert found.water_l[0] == pytest.approx(0.024, rel=1e-15)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from([0.0, 0.05, 1.7]), st.floats(1, 3))
def test_footprints_add(busy, more, price, pue):
    """Linear in place-seconds: the footprint of two spans is the sum of theirs, idle counted once for each."""
    fleet, here = fleet_of(3.0, 2, 500.0, 100.0), conditions(price, 0.3, 1.0, 0.5, pue)
    one, two = (footprint(usage(b, 1000.0), fleet, here) for b in (busy, more))
    both = footprint(usage(busy + more, 2000.0), fleet, here)
    for mine, wanted in zip(added(added(one, two), nothing(1)), both, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-12)


# --- a result -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished() -> RunResult:
    """Two sites, steady flows, fluid engine: 0.5 requests/s each of 3600 J for two hours, all served nearby.

    Each of the sites spends 0.5 x 7200 x 3600 J = 3.6 kWh above idle and 2 x 100 W x 2 h = 0.4 kWh idle.
    """
    here, there = ({"latitude_deg": 0, "longitude_deg": east} for east in (0, 90))
    return run(
        _world(
            sites=[{"name": "a", "pue": 1.5} | here, {"name": "b"} | there],
            origins=[{"name": "oa"} | here, {"name": "ob"} | there],
        ),
        "glb-nearest",
    )


def _world(**more):
    from simulator.world import build_world

    price = {"per_site": {"a": {"steps": {"values": [100, 300]}}, "b": 50}}
    return build_world(
        parse(
            {
                "name": "by hand",
                "start": "2022-09-22T00:00:00Z",
                "slots": 2,
                "engine": "fluid",
                "servers": {"count": 2, "concurrency": 1, "peak_w": 3700, "idle_w": 100},
                "signals": {
                    "synthetic": {
                        "price_usd_per_mwh": price,
                        "carbon_kg_per_kwh": {"per_site": {"a": 0.5, "b": 1.0}},
                        "water_l_per_kwh": 2,
                    }
                },
                "workload": {"demand": {"poisson": {"rate_per_s": 1.0}}, "request": {"seconds": 1}},
                "network": {"rtt": {"coordinates": {"fixed_ms": 4, "stretch": 1}}},
                "policies": ["glb-nearest"],
            }
            | more
        )
    )


def test_the_summary_of_a_run_by_hand(finished):
    """Site a: IT 4 kWh, meter 6 kWh, 3 kWh at 0.1 and 3 at 0.3 = 1.2 US$, 3 kg, 8 L.
    Site b: 4 kWh, 0.2 US$, 4 kg, 8 L. J = 1.4 + 60 x 0.008 + 1500 x 0.004 = 7.88 US$."""
    row = finished.summary()
    wanted = {
        "requests": 7200,
        "finished": 7200,
        "cost_usd": 1.4,
        "cost_usd_per_site": 0.7,
        "water_m3_mean": 0.008,
        "water_m3_max": 0.008,
        "par_water": 1.0,
        "gini_water": 0.0,
        "jain_water": 1.0,
        "carbon_t_mean": 0.0035,
        "carbon_t_max": 0.004,
        "par_carbon": 4 / 3.5,
        "gini_carbon": 1 / 14,
        "jain_carbon": 49 / 50,
        "objective_usd": 7.88,
        "energy_mwh": 0.010,
        "it_energy_mwh": 0.008,
        "idle_energy_mwh": 0.0008,
        "network_mean_ms": 4.0,
        "nearest_share": 1.0,
    }
    for key, value in wanted.items():
        assert row[key] == pytest.approx(value, rel=1e-12, abs=1e-12), key


def test_sites_sum_to_the_summary(finished):
    row, sites = finished.summary(), site_rows(finished)
    assert sum(site["cost_usd"] for site in sites) == pytest.approx(row["cost_usd"], rel=1e-12)
    assert sum(site["energy_kwh"] for site in sites) == pytest.approx(row["energy_mwh"] * 1000, rel=1e-12)
    assert [site["utilisation"] for site in sites] == pytest.approx([0.25, 0.25])
    assert sum(site["requests"] for site in sites) == pytest.approx(7200)
