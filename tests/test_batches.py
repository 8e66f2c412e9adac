"""Batches of a run against the rows of its requests, and what they say of a warm-up."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import EXPONENTIAL, Ask, InTurn, fleet, play, split, world_of

from simulator import load
from simulator.batches import Batches, Cut
from simulator.latency import Histogram
from simulator.record import FINISHED
from simulator.remarks import remarks
from simulator.result import RunResult
from simulator.simulation import run
from simulator.tables import batch_table
from simulator.units import S_PER_MS

#: Enough expected requests for ten batches of 10 s.
TEN = {"slots": 2, "slot_s": 50.0, "demand": {"poisson": {"rate_per_s": 1.0}}}


def test_a_batch_holds_those_that_arose_in_it_even_before_the_warm_up():
    """Services of 8 s at one place: waits 0, 8, 16 of requests at 0; one at 95 s does not finish, one at 60 s does."""
    world = world_of(fleet((1,), **TEN, warmup_s=55.0))
    result = play(world, split([1]), [Ask(0.0, 8.0)] * 3 + [Ask(60.0, 8.0), Ask(95.0, 8.0)])
    batches = result.record.batches
    assert batches.length_s == 10.0
    assert batches.requests[:, 0].tolist() == [3, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    assert batches.wait_s[0, 0] == 0 + 8 + 16
    assert batches.end_to_end_s[0, 0] == 8 + 16 + 24
    assert batches.ttft_s[6, 0] == 0.0
    assert result.record.latency["wait"].counts.sum() == 1


def test_a_batch_begins_with_its_first_instant():
    world = world_of(fleet((9,), **TEN))
    asks = [Ask(9.999999), Ask(10.0), Ask(20.0), Ask(30.000001), Ask(math.nextafter(100.0, 0.0), 0.0)]
    found = play(world, split([1]), asks).record.batches.requests[:, 0]
    assert found.tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 0, 1]


@given(st.integers(1, 1000), st.floats(1e-3, 1e9))
def test_no_time_before_the_end_is_beyond_the_rows_of_batches(batches, horizon_s):
    """Kernels do not look: one row too many would be written outside of the array."""
    cut = Cut(batches, horizon_s / batches, batches / horizon_s, 1.0)
    assert int(math.nextafter(horizon_s, 0.0) * cut.batches_per_s) < cut.rows


def test_what_rounds_up_to_the_end_is_in_the_last_batch():
    sums = np.arange(12).reshape(4, 3, 1)
    found = Batches.of_ticks(Cut(2, 5.0, 0.2, 4.0), sums)
    assert found.requests.tolist() == [[0], [1 + 2]]
    assert found.end_to_end_s.tolist() == [[9 / 4], [(10 + 11) / 4]]


def test_a_lost_request_counts_once_where_it_was_served_and_when_it_arose():
    """Killed at 12 s at a, it leaves its origin anew and is served at b: its wait is that of both attempts."""
    data = fleet((1, 1), **TEN) | {
        "outages": {"scheduled": [{"site": "s0", "start_s": 12.0, "length_s": 80.0}], "retries": 2, "detection_s": 3.0}
    }
    result = play(world_of(data), split([1, 0]), [Ask(5.0, 10.0)])
    batches = result.record.batches
    assert np.argwhere(batches.requests).tolist() == [[0, 1]]
    assert batches.wait_s[0, 1] == 10.0
    assert batches.end_to_end_s[0, 1] == 20.0


@pytest.fixture(scope="module")
def busy() -> RunResult:
    """Three sites of unequal size, with ways, jitter and exponential services."""
    network = {"rtt": {"coordinates": {"fixed_ms": 7}}, "jitter_ms": {"gamma": {"mean": 20, "cv": 1}}}
    data = fleet((3, 2, 4), (1, 2), slots=10, slot_s=400.0, request={"seconds": EXPONENTIAL}, network=network)
    data["workload"]["demand"] = {"poisson": {"rate_per_s": 7.0}}
    shares = split([0.3, 0.3, 0.4], [0.5, 0.1, 0.4])
    return run(world_of(data, rtt_s=[[0.01, 0.1, 0.2], [0.3, 0.02, 0.1]]), InTurn(shares), keep_requests=True)


def test_batches_are_the_sums_over_the_rows(busy):
    """Exactly but for half a tick a request, in fractions of whole numbers."""
    rows, batches = busy.record.requests, busy.record.batches
    assert batches.requests.shape == (1000, 3)
    done = rows.fate == FINISHED
    batch = np.floor(rows.arrival_s / 4.0).astype(int)
    wait = rows.start_s - rows.reach_s
    for site in range(3):
        for k in (0, 1, 500, 999):
            here = done & (rows.site == site) & (batch == k)
            assert batches.requests[k, site] == here.sum()
            exact = sum((Fraction(float(value)) for value in wait[here]), Fraction(0))
            assert batches.wait_s[k, site] == pytest.approx(float(exact), abs=1e-6)
    assert batches.requests.sum() == busy.record.fates[FINISHED].sum()
    for measure in ("wait", "ttft", "end_to_end"):
        whole = getattr(batches, f"{measure}_s").sum() / batches.requests.sum()
        assert whole == pytest.approx(busy.record.latency[measure].mean(), abs=1e-7)


def test_the_table_of_batches_tells_their_means_and_leaves_empty_ones_out(busy):
    table, batches = batch_table(busy).to_pandas(), busy.record.batches
    assert len(table) == np.count_nonzero(batches.requests)
    assert table.requests.sum() == batches.requests.sum()
    row = table[(table.batch == 500) & (table.site == "s1")].iloc[0]
    assert (row.from_s, row.to_s) == (2000.0, 2004.0)
    assert row.ttft_mean_ms * S_PER_MS == pytest.approx(batches.ttft_s[500, 1] / batches.requests[500, 1])
    assert (row.wait_mean_s * row.requests) == pytest.approx(batches.wait_s[500, 1])


def test_the_intervals_of_the_summary_begin_after_the_warm_up(busy):
    """By hand from the rows: batches of 4 s from 100 s on, without those that had less time than 99.9 % take."""
    late, rows = replace(busy, warmup_s=98.0), busy.record.requests
    row, done = late.summary(), rows.fate == FINISHED
    longest_s = late.record.latency["end_to_end"].percentile(0.999)
    ordered_s = np.sort((rows.finish_s + rows.back_s - rows.arrival_s)[done])
    assert longest_s == pytest.approx(ordered_s[math.ceil(0.999 * done.sum()) - 1], rel=0.006)
    last = int((4000.0 - longest_s) // 4.0)
    assert last < 1000 - 20, "the sites are busy, so requests take many batches"
    sums, counts = (part.sum(axis=1)[25:last] for part in (busy.record.batches.wait_s, busy.record.batches.requests))
    assert (row["wait_mean_low_s"] + row["wait_mean_high_s"]) / 2 == pytest.approx(sums.sum() / counts.sum())
    assert row["wait_mean_low_s"] < row["wait_mean_high_s"]


@pytest.mark.parametrize(
    ("longest_s", "left"), [(0.0, 10), (0.1, 9), (10.0, 9), (10.1, 8), (99.0, 0), (500.0, 0), (math.nan, 10)]
)
def test_batches_are_settled_if_all_of_them_had_that_long_until_the_end(longest_s, left):
    parts = np.arange(40.0).reshape(4, 10, 1)
    found = Batches(10.0, *parts).settled(longest_s)
    assert [part.tolist() for part in found[1:]] == [part[:left].tolist() for part in parts]
    assert math.isnan(found.interval("wait_s", 0.0).low) == (left < 2)


def test_of_erlangs_queue_one_batch_in_a_thousand_is_not_settled():
    """M/M/8 at 80 %: 99.9 % take less than 10 s, and a batch is 108 s."""
    record = run(load("mmc"), "glb-nearest").record
    assert len(record.batches.requests) == 1000
    assert len(record.settled.requests) == 999


def test_engines_agree_on_what_is_settled(busy):
    data = fleet((3,), **TEN, request={"seconds": EXPONENTIAL})
    one, other = (run(world_of(data), InTurn(split([1])), engine=engine).record for engine in ("compiled", "simpy"))
    assert 0 < len(one.settled.requests) < len(one.batches.requests)
    for mine, theirs in zip(one.settled, other.settled, strict=True):
        assert np.array_equal(mine, theirs)


def slow_services(seed: int) -> RunResult:
    """20,000 expected requests, each with a place of its own, of exponential services of 2 % of the run."""
    data = fleet((1000,), slot_s=1000.0, request={"seconds": {"exponential": {"mean": 20.0}}})
    data["workload"]["demand"] = {"poisson": {"rate_per_s": 20.0}}
    return run(world_of(data, seed), InTurn(split([1])))


def test_services_that_the_end_of_the_run_cuts_off_do_not_bias_the_mean():
    """Nobody waits, so the mean is 20 s. Over the batches of the whole run it is 2 % less: one request in fifty is
    unfinished, and those take 40 s on average (inspection paradox). A run's mean has a standard error of 0.8 %."""
    found = [slow_services(seed) for seed in range(1, 61)]
    rows = [result.summary() for result in found]
    covered = np.mean([row["e2e_mean_low_s"] <= 20.0 <= row["e2e_mean_high_s"] for row in rows])
    assert abs(covered - 0.95) < 3.3 * math.sqrt(0.95 * 0.05 / 60)
    middle = np.mean([(row["e2e_mean_low_s"] + row["e2e_mean_high_s"]) / 2 for row in rows])
    assert abs(middle / 20.0 - 1) < 3.3 * 0.008 / math.sqrt(60)
    whole = [result.record.batches.interval("end_to_end_s", 0.0) for result in found]
    assert np.mean([one.mean for one in whole]) / 20.0 - 1 == pytest.approx(-0.02, abs=3.3 * 0.008 / math.sqrt(60))
    # A group of batches that lacks its slow ones differs from the others: that makes intervals wide.
    widths = np.mean([one.high - one.low for one in whole])
    assert np.mean([row["e2e_mean_high_s"] - row["e2e_mean_low_s"] for row in rows]) < 0.8 * widths
    # There is no warm-up: an answer in all runs, and in most of them next to nothing is cut.
    warmups_s = [row["warmup_mser_s"] for row in rows]
    assert np.isfinite(warmups_s).mean() > 0.9
    assert np.nanmedian(warmups_s) <= 100.0


@pytest.mark.parametrize(
    "changes",
    [
        {"demand": {"poisson": {"rate_per_s": 1.0, "daily_profile": [1] * 12 + [2] * 12}}, "slot_s": 43200.0},
        {"outages": {"scheduled": [{"site": "s0", "start_s": 12.0, "length_s": 3.0, "share": 0.5}]}},
        {
            "signals": {
                "synthetic": {
                    "price_usd_per_mwh": {"steps": {"values": [100, 300]}},
                    "carbon_kg_per_kwh": 0.3,
                    "water_l_per_kwh": 3,
                }
            },
            "slot_s": 3600.0,
        },
    ],
)
def test_where_demand_signals_or_servers_change_no_steady_state_is_assumed(changes):
    row = run(world_of(fleet((9,), **(TEN | changes))), InTurn(split([1]))).summary()
    assert row["wait_mean_s"] >= 0
    for figure in ("wait_mean_low_s", "wait_mean_high_s", "e2e_mean_low_s", "e2e_mean_high_s", "warmup_mser_s"):
        assert math.isnan(row[figure]), figure


def test_the_fluid_engine_has_no_batches():
    result = run(world_of(fleet((9,), **TEN)), InTurn(split([1])), engine="fluid")
    assert result.record.batches is None
    assert len(batch_table(result)) == 0
    assert math.isnan(result.summary()["e2e_mean_low_s"])
    assert remarks([result]) == []


def held(result: RunResult, means: np.ndarray, warmup_s: float) -> RunResult:
    """The result with these mean end-to-end times in batches of 10 s, and four more at the end whose means are 0,
    as it takes 35 s to finish."""
    means = np.concatenate([means, np.zeros(4)])
    none, longest = np.zeros((len(means), 1)), Histogram(1)
    longest.add(np.array([0]), np.array([35.0]))
    batches = Batches(10.0, none + 5, none, none, 5 * means[:, None])
    latency = result.record.latency | {"end_to_end": longest}
    return replace(result, record=result.record._replace(batches=batches, latency=latency), warmup_s=warmup_s)


def test_services_as_long_as_the_last_batches_leave_an_answer():
    """All services take 2 % of the run, so its last 20 batches of 1,000 are empty; jitter makes the others differ."""
    data = fleet((1000,), slot_s=1000.0, request={"seconds": 20.0})
    data["workload"]["demand"] = {"poisson": {"rate_per_s": 20.0}}
    data["network"] = {"rtt": {"coordinates": {"fixed_ms": 0}}, "jitter_ms": {"gamma": {"mean": 50, "cv": 1}}}
    result = run(world_of(data), InTurn(split([1])))
    assert np.count_nonzero(result.record.batches.requests) <= 980
    assert result.summary()["warmup_mser_s"] <= 200.0
    assert result.record.batches.warmup_s <= 200.0, "with the empty ones as well"


def of_warm_up(results: list[RunResult]) -> list[str]:
    """What is remarked on the warm-up."""
    return [note for note in remarks(results) if "warm-up" in note]


def test_a_warm_up_that_is_too_short_is_told_and_one_that_does_not_matter_is_not(busy):
    """A fifth of the run about 9 s, the rest about 1 s; then that with a warm-up as long; then only noise."""
    noise = 1.0 + np.random.default_rng(3).normal(0, 0.1, 500)
    slow = noise + 8.0 * (np.arange(500) < 100)
    (note,) = of_warm_up([held(busy, slow, 0.0)])
    assert note == (
        "InTurn: the warm-up takes until 1,000 s (MSER-5), longer than warmup_s: "
        "2.61 s of mean end-to-end time become 1.01 s"
    )
    assert held(busy, slow, 0.0).summary()["warmup_mser_s"] == 1000.0
    assert of_warm_up([held(busy, slow, 1000.0)]) == []
    assert of_warm_up([held(busy, noise, 0.0)]) == []
    assert of_warm_up([replace(held(busy, slow, 0.0), is_steady=False)]) == []
