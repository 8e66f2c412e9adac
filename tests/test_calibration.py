"""Calibrated signals and demand: the fitted model, whatever the length, the start and the subset of sites.

The model (docs/data.md): mean + daily and half-daily waves of the UTC hour + an AR(1) process of stationary standard
deviation sigma whose innovations are correlated between sites, clipped to [min, max]; in the United States a price
of two levels. Expected moments of a clipped normal are closed forms (integration by parts of y phi(y)); standard
errors come from the series' own batch means, or from the theory of AR(1) where it is exact. A z-value of 4 is
exceeded once in 16,000 times; seeds are fixed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from statistics import NormalDist

import numpy as np
import pytest

from simulator.scenario import parse
from simulator.scenario.catalogue import calibration, correlation, places
from simulator.streams import stream
from simulator.units import S_PER_H
from simulator.world import World, build_world
from simulator.world.calibration import DEMAND, calibrated_demand, calibrated_signal, correlated_ar1

NAMES = list(places())
SIGNALS = ("price", "carbon", "water")
START = datetime(2022, 9, 22, tzinfo=UTC)
HOURS = 5 * 8760
Z = 4.0


def model(row) -> dict[str, float]:
    """A row of the calibration as numbers."""
    keys = ("mean", "peak", "cos24", "sin24", "cos12", "sin12", "ar1", "sigma", "min", "max")
    return {key: float(row.get(key) or 0) for key in keys}


def mean_at(m: dict[str, float], hour: int) -> float:
    day, half = 2 * np.pi * hour / 24, 2 * np.pi * hour / 12
    wave = m["cos24"] * np.cos(day) + m["sin24"] * np.sin(day) + m["cos12"] * np.cos(half) + m["sin12"] * np.sin(half)
    return float(m["mean"] + wave)


def clipped_moments(mean: float, sigma: float, low: float, high: float) -> tuple[float, float]:
    """First and second moment of a normal that is clipped to [low, high]."""
    normal = NormalDist()
    a, b = (low - mean) / sigma, (high - mean) / sigma
    below, above = normal.cdf(a), 1 - normal.cdf(b)
    inside, pa, pb = 1 - below - above, normal.pdf(a), normal.pdf(b)
    first = low * below + high * above + mean * inside + sigma * (pa - pb)
    second = low**2 * below + high**2 * above + (mean**2 + sigma**2) * inside
    second += 2 * mean * sigma * (pa - pb) + sigma**2 * (a * pa - b * pb)
    return first, second


def day_moments(m: dict[str, float]) -> np.ndarray:
    """First and second moments at each UTC hour, [24, 2]."""
    return np.array([clipped_moments(mean_at(m, hour), m["sigma"], m["min"], m["max"]) for hour in range(24)])


def batch_z(values: np.ndarray, expected: float, batches: int = 40) -> float:
    """(mean - expected) / standard error of the mean, from batch means."""
    means = values[: len(values) // batches * batches].reshape(batches, -1).mean(axis=1)
    return float((means.mean() - expected) / (means.std(ddof=1) / np.sqrt(batches)))


@pytest.fixture(scope="module")
def five_years() -> dict[str, np.ndarray]:
    return {signal: calibrated_signal(signal, NAMES, START, HOURS * S_PER_H, 11).values for signal in SIGNALS}


# --- the AR(1) process, before it is clipped ------------------------------------------------------------------------


@pytest.mark.parametrize("signal", SIGNALS)
def test_unclipped_noise_has_its_mean_deviation_coefficient_and_correlation(signal):
    """Standard errors of the estimators of a stationary Gaussian AR(1) (Brockwell and Davis, Time Series, chapters 7
    and 8): mean sigma^2 (1+a)/(1-a)/n, variance 2 sigma^4 (1+a^2)/(1-a^2)/n, coefficient (1-a^2)/n; the correlation
    of independent pairs (1-rho^2)^2/n."""
    rows = [model(row) for row in calibration(signal).values() if row["kind"] == "harmonic"]
    keep = [k for k, row in enumerate(calibration(signal).values()) if row["kind"] == "harmonic"]
    ar1, sigma = (np.array([row[key] for row in rows]) for key in ("ar1", "sigma"))
    rho = correlation(signal)[np.ix_(keep, keep)]
    noise = correlated_ar1(HOURS, ar1, sigma, rho, stream(5, "signals", 9))
    assert np.all(np.abs(noise.mean(axis=0)) < Z * sigma * np.sqrt((1 + ar1) / (1 - ar1) / HOURS))
    error = sigma**2 * np.sqrt(2 * (1 + ar1**2) / (1 - ar1**2) / HOURS)
    assert np.all(np.abs((noise**2).mean(axis=0) - sigma**2) < Z * error)
    found = (noise[1:] * noise[:-1]).sum(axis=0) / (noise[:-1] ** 2).sum(axis=0)
    assert np.all(np.abs(found - ar1) < Z * np.sqrt((1 - ar1**2) / HOURS))
    innovations = noise[1:] - ar1 * noise[:-1]
    pairs = np.triu_indices(len(rows), 1)
    off = np.corrcoef(innovations.T)[pairs] - rho[pairs]
    assert np.all(np.abs(off) < Z * (1 - rho[pairs] ** 2) / np.sqrt(HOURS))


def test_noise_is_stationary_from_its_first_value_on():
    """Over 4000 seeds the first value has the same deviation as the hundredth: chi-square, error 1/sqrt(2 x 4000)."""
    ar1, sigma = np.array([0.95]), np.array([2.0])
    runs = [correlated_ar1(100, ar1, sigma, np.eye(1), np.random.default_rng(seed))[[0, 99], 0] for seed in range(4000)]
    for deviation in np.sqrt((np.array(runs) ** 2).mean(axis=0)):
        assert abs(deviation / 2.0 - 1) < Z / np.sqrt(2 * 4000)


# --- the signals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signal", SIGNALS)
def test_signals_stay_between_the_smallest_and_the_largest_value(signal, five_years):
    low, high = (np.array([model(row)[key] for row in calibration(signal).values()]) for key in ("min", "max"))
    assert (five_years[signal] >= low).all()
    assert (five_years[signal] <= high).all()
    # A bound that the model passes in more than 100 of the hours is met: nothing tighter cuts the process.
    for k, row in enumerate(calibration(signal).values()):
        m = model(row)
        for bound, sign in ((m["min"], -1), (m["max"], 1)) if m["sigma"] else ():
            beyond = [NormalDist().cdf(sign * (mean_at(m, hour) - bound) / m["sigma"]) for hour in range(24)]
            if np.mean(beyond) * HOURS > 100:
                assert (five_years[signal][:, k] == bound).any(), (NAMES[k], bound)


@pytest.mark.parametrize("signal", SIGNALS)
def test_means_and_deviations_are_those_of_a_clipped_normal(signal, five_years):
    for k, row in enumerate(calibration(signal).values()):
        if row["kind"] == "harmonic":
            first, second = day_moments(model(row)).mean(axis=0)
            values = five_years[signal][:, k]
            assert abs(batch_z(values, first)) < Z, (signal, NAMES[k], "mean")
            # Around the mean of theory, so that the second moment is a deviation and not mostly the mean.
            assert abs(batch_z((values - first) ** 2, second - first**2)) < Z, (signal, NAMES[k], "deviation")


@pytest.mark.parametrize("signal", SIGNALS)
def test_signals_move_together_as_an_independent_simulation_of_the_model_does(signal, five_years):
    """The plain twin: innovations from a Cholesky factor and another generator, one value at a time. The error of a
    correlation of two AR(1) is at most sqrt((1+ab)/(1-ab)/n) (Bartlett); there are two of them."""
    rows = [model(row) for row in calibration(signal).values()]
    keep = [k for k, row in enumerate(rows) if row["sigma"] > 0]
    a, sigma = (np.array([rows[k][key] for k in keep]) for key in ("ar1", "sigma"))
    low, high = (np.array([rows[k][key] for k in keep]) for key in ("min", "max"))
    root = np.linalg.cholesky(correlation(signal)[np.ix_(keep, keep)])
    draws = np.random.default_rng(77).standard_normal((HOURS, len(keep))) @ root.T
    waves = np.array([[mean_at(rows[k], hour) for k in keep] for hour in range(24)])
    state, twin = draws[0], np.empty_like(draws)
    for hour in range(HOURS):
        state = a * state + np.sqrt(1 - a * a) * draws[hour] if hour else state
        twin[hour] = np.minimum(np.maximum(waves[hour % 24] + sigma * state, low), high)
    ab = np.outer(a, a)
    error = np.sqrt(2 * (1 + ab) / (1 - ab) / HOURS)
    off = np.corrcoef(five_years[signal][:, keep].T) - np.corrcoef(twin.T)
    assert np.all(np.abs(off) < Z * error)
    # And in time: what is clipped remembers the hour before as the twin does.
    for k, site in enumerate(keep):
        assert abs(memory_z(five_years[signal][:, site], twin[:, k])) < Z, NAMES[site]


def memory_z(one: np.ndarray, other: np.ndarray, batches: int = 40) -> float:
    """Difference of the lag-one autocovariances of two series / its standard error, from batch means."""
    level, products = np.concatenate([one, other]).mean(), []
    for series in (one, other):
        product = (series[1:] - level) * (series[:-1] - level)
        products.append(product[: len(product) // batches * batches].reshape(batches, -1).mean(axis=1))
    error = np.sqrt(sum(means.var(ddof=1) / batches for means in products))
    return float((products[0].mean() - products[1].mean()) / error)


def lag_one(series: np.ndarray) -> float:
    return float(np.corrcoef(series[1:], series[:-1])[0, 1])


@pytest.mark.parametrize("first_hour", [0, 17])
def test_the_wave_keeps_utc_however_the_run_starts(first_hour):
    """Means by UTC hour of Singapore's price (amplitude 41 of 155 US$/MWh) over four years, started at 00:00 and at
    17:00. Values a day apart are nearly independent (0.878^24 = 0.044): error sigma sqrt(1.09 / days)."""
    days = 4 * 365
    start = START.replace(hour=first_hour)
    values = calibrated_signal("price", ["singapore"], start, days * 24 * S_PER_H, 3).values[:, 0]
    m = model(calibration("price")["singapore"])
    found = np.array([values[(hour - first_hour) % 24 :: 24].mean() for hour in range(24)])
    expected = day_moments(m)[:, 0]
    assert np.ptp(expected) > 50
    assert np.all(np.abs(found - expected) < Z * m["sigma"] * np.sqrt(1.09 / days))


@pytest.mark.parametrize("first_hour", [0, 9, 15, 23])
def test_american_prices_have_their_peak_from_10_to_16_utc(first_hour):
    """Two levels and nothing else, clipped: at 10, 11, ... 15 h the peak price."""
    names = ["texas", "virginia", "georgia", "nevada"]
    values = calibrated_signal("price", names, START.replace(hour=first_hour), 50 * S_PER_H, 1).values
    for k, name in enumerate(names):
        m = model(calibration("price")[name])
        expected = [m["peak"] if (first_hour + h) % 24 in (10, 11, 12, 13, 14, 15) else m["mean"] for h in range(50)]
        np.testing.assert_array_equal(values[:, k], expected)


def test_a_run_that_starts_within_an_hour_meets_the_rest_of_it():
    """From 09:30 in slots of half an hour: one of the low price, then the peak; of an hour: half and half."""
    m = model(calibration("price")["texas"])
    half = world(start="2022-09-22T09:30:00Z", slots=4, slot_s=1800).conditions.price_usd_per_kwh[:, 0] * 1000
    np.testing.assert_allclose(half, [m["mean"], m["peak"], m["peak"], m["peak"]], rtol=1e-12)
    whole = world(start="2022-09-22T09:30:00Z", slots=2).conditions.price_usd_per_kwh[:, 0] * 1000
    np.testing.assert_allclose(whole, [(m["mean"] + m["peak"]) / 2, m["peak"]], rtol=1e-12)


def test_price_carbon_water_and_demand_do_not_move_together(five_years):
    """Each has draws of its own: correlations between them are nothing but error, at most sqrt((1+ab)/(1-ab)/n)
    (Bartlett) with the largest a of all, 0.992, taken for both."""
    demand = calibrated_demand(START, HOURS * S_PER_H, 11).values
    hour = np.arange(HOURS) % 24
    parts = []
    for values in (*(five_years[signal] for signal in SIGNALS), demand):
        by_hour = np.stack([values[hour == h].mean(axis=0) for h in range(24)])
        rest = values - by_hour[hour]
        parts.append(rest[:, rest.std(axis=0) > 1e-9])
    ab = 0.992**2
    error = np.sqrt((1 + ab) / (1 - ab) / HOURS)
    assert error < 0.06
    for k, one in enumerate(parts):
        for other in parts[k + 1 :]:
            between = np.corrcoef(one.T, other.T)[: one.shape[1], one.shape[1] :]
            assert np.abs(between).max() < Z * error


# --- what a seed means ----------------------------------------------------------------------------------------------


def world(slots: int = 48, seed: int = 1, **more) -> World:
    return build_world(
        parse(
            {
                "name": "calibrated",
                "start": "2022-09-22T00:00:00Z",
                "slots": slots,
                "sites": {"catalogue": "paper"},
                "servers": {"count": 600, "concurrency": 4, "peak_w": 2000},
                "origins": {"catalogue": "paper"},
                "workload": {"demand": {"calibrated": {}}, "request": {"energy_wh": 4}},
                "network": {"rtt": "catalogue"},
                "policies": ["glb-cost"],
            }
            | more
        ),
        seed,
    )


def arrays(made: World) -> list[np.ndarray]:
    return [
        made.conditions.price_usd_per_kwh,
        made.conditions.carbon_kg_per_kwh,
        made.conditions.onsite_water_l_per_kwh,
        made.demand.rate_rps,
    ]


@pytest.mark.parametrize("slots", [1, 47, 457, 2000])
def test_a_longer_run_begins_with_the_same_values(slots):
    for short, long in zip(arrays(world(slots)), arrays(world(2500)), strict=True):
        assert len(short) == slots
        np.testing.assert_array_equal(short, long[:slots])


def test_the_length_of_a_slot_does_not_move_the_values():
    for hourly, fine in zip(arrays(world(30)), arrays(world(360, slot_s=300)), strict=True):
        np.testing.assert_array_equal(np.repeat(hourly, 12, axis=0), fine)


def test_the_same_seed_gives_the_same_values_and_another_seed_others():
    for one, same, other in zip(arrays(world()), arrays(world()), arrays(world(seed=2)), strict=True):
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)


def test_signals_and_demand_may_have_a_seed_of_their_own():
    """With it they do not follow the run's seed, and are what that seed gives."""
    demand = {"demand": {"calibrated": {"seed": 7}}, "request": {"energy_wh": 4}}
    kept = world(seed=3, signals={"calibrated": {"seed": 7}}, workload=demand)
    for one, other in zip(arrays(kept), arrays(world(seed=7)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_site_has_the_same_signals_in_every_fleet():
    some = ["japan", "virginia", "denmark"]
    whole = arrays(world())[:3]
    columns = [k for k, name in enumerate(NAMES) if name in some]
    for part, full in zip(arrays(world(sites={"catalogue": {"only": some}}))[:3], whole, strict=True):
        np.testing.assert_array_equal(part, full[:, columns])
    moved = [{"name": f"{name}-2", "like": name} for name in some]
    for part, full in zip(arrays(world(sites=moved))[:3], whole, strict=True):
        np.testing.assert_array_equal(part, full[:, [NAMES.index(name) for name in some]])


def test_factors_of_a_site_multiply_its_own_signals_alone():
    site = {"name": "here", "like": "japan", "price_factor": 2.0, "carbon_factor": 0.5, "water_factor": 4.0}
    made, plain = world(sites=[{"name": "japan"}, site]), world(sites=[{"name": "japan"}])
    for found, base, factor in zip(arrays(made)[:3], arrays(plain)[:3], (2.0, 0.5, 4.0), strict=True):
        np.testing.assert_array_equal(found[:, 0], base[:, 0])
        np.testing.assert_allclose(found[:, 1], factor * base[:, 0], rtol=1e-15)


# --- demand ---------------------------------------------------------------------------------------------------------


def test_demand_has_the_moments_of_a_clipped_normal_and_keeps_its_bounds():
    values = calibrated_demand(START, HOURS * S_PER_H, 4).values[:, 0]
    assert (values.min(), values.max()) == (0.48, 1.0)
    first, second = day_moments(DEMAND).mean(axis=0)
    assert abs(batch_z(values, first)) < Z
    assert abs(batch_z((values - first) ** 2, second - first**2)) < Z


@pytest.mark.parametrize("first_hour", [0, 6])
def test_demand_keeps_utc_however_the_run_starts(first_hour):
    """0.454^24 is nothing: values a day apart are independent; the clipped deviation is at most sigma."""
    days = HOURS // 24
    values = calibrated_demand(START.replace(hour=first_hour), HOURS * S_PER_H, 8).values[:, 0]
    found = np.array([values[(hour - first_hour) % 24 :: 24].mean() for hour in range(24)])
    expected = day_moments(DEMAND)[:, 0]
    spread = np.sqrt(day_moments(DEMAND)[:, 1] - expected**2)
    # The wave is larger than the tolerance on both sides of it, so that a wrong phase is seen.
    assert np.ptp(expected) > 4 * (Z * spread / np.sqrt(days)).max()
    assert np.all(np.abs(found - expected) < Z * spread / np.sqrt(days))


def test_demand_remembers_the_hour_before_as_an_independent_simulation_does():
    m, twin, state = DEMAND, [], 0.0
    generator = np.random.default_rng(5)
    for hour in range(HOURS):
        state = m["ar1"] * state + np.sqrt(1 - m["ar1"] ** 2) * generator.standard_normal()
        twin.append(min(max(mean_at(m, hour % 24) + m["sigma"] * state, m["min"]), m["max"]))
    values = calibrated_demand(START, HOURS * S_PER_H, 4).values[:, 0]
    assert abs(memory_z(values, np.array(twin))) < Z
    # Without any memory the wave alone would give less than 0.05.
    assert lag_one(values) > 0.3


def test_every_origin_has_its_share_of_the_same_demand():
    """``peak_kw`` is that of an average origin; 1000 kW at 4 Wh are 250,000 requests/h."""
    origins = [{"name": "a", "like": "texas", "share": 3}, {"name": "b", "like": "japan", "share": 1}]
    made = world(origins=origins)
    relative = calibrated_demand(START, 48 * S_PER_H, 1).values[:, 0]
    np.testing.assert_allclose(made.demand.rate_rps[:, 0], relative * 1.5 * 250_000 / 3600, rtol=1e-12)
    np.testing.assert_allclose(made.demand.rate_rps[:, 1], relative * 0.5 * 250_000 / 3600, rtol=1e-12)
