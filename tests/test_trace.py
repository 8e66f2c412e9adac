"""The Azure LLM inference trace of 2023 (conversations): what comes out of the simulator is what the file holds.

The file is read here once more with the csv module; its 7 decimals are kept as whole numbers of 100 ns.
"""

from __future__ import annotations

import csv
import math
from datetime import UTC, datetime

import numpy as np
import pytest
from worlds import InTurn, fleet, split, world_of

from simulator.scenario.inputs import data_folder
from simulator.simulation import run
from simulator.tape import Block, Tape

NAME = "azure_llm_2023_conv.csv"
FILE = data_folder() / "traces" / NAME
TICKS_PER_S = 10_000_000

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"{NAME} is not in the data folder (EQUIFLEET_DATA)")


@pytest.fixture(scope="module")
def rows():
    """Times since the first request [s], input and output tokens, as the file holds them."""
    ticks, inputs, outputs = [], [], []
    with FILE.open(newline="") as file:
        for row in csv.DictReader(file):
            seconds, decimals = row["TIMESTAMP"].split(".")
            assert len(decimals) == 7
            time = datetime.strptime(seconds, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            ticks.append(round(time.timestamp()) * TICKS_PER_S + int(decimals))
            inputs.append(int(row["ContextTokens"]))
            outputs.append(int(row["GeneratedTokens"]))
    return np.array([tick - ticks[0] for tick in ticks]) / TICKS_PER_S, np.array(inputs), np.array(outputs)


def played(slots: int = 12, slot_s: float = 300.0, shares=(1,), seed: int = 1, **settings):
    """The scenario, and its whole tape; `scale` is the fleet_scale."""
    changes = {"fleet_scale": settings.pop("scale")} if "scale" in settings else {}
    data = fleet(
        (1000,),
        shares,
        slots=slots,
        slot_s=slot_s,
        demand={"trace": {"file": NAME, **settings}},
        request={"tokens": {"model": "llama2-70b"}},
        **changes,
    )
    world = world_of(data, seed)
    return world, Block(*(np.concatenate(column) for column in zip(*Tape(world).blocks(), strict=True)))


def test_the_file_is_the_one_that_is_known(rows):
    """Azure Public Dataset, AzureLLMInferenceDataset2023: 19,366 conversations in an hour or so (Patel et al. 2024)."""
    times, inputs, outputs = rows
    assert len(times) == 19_366
    assert np.all(np.diff(times) >= 0)
    assert 3480 < times[-1] < 3600
    assert inputs.min() >= 1
    assert outputs.min() >= 0


def test_every_request_of_the_file_arises_once_at_its_time_with_its_tokens(rows):
    """repeat: false, the trace's own rate; a slot length that cuts the hour into uneven pieces changes nothing."""
    times, inputs, outputs = rows
    for slots, slot_s in ((12, 300.0), (1, 3600.0), (101, 36.7)):
        _, block = played(slots, slot_s, repeat=False)
        assert len(block.arrival_s) == len(times)
        np.testing.assert_allclose(block.arrival_s, times, rtol=0, atol=1e-6)
        assert np.array_equal(block.input, inputs)
        assert np.array_equal(block.output, outputs)


def test_the_run_serves_the_tokens_of_the_file(rows):
    """Service of llama2-70b on servers of one place: 10.4 + 0.091 x input + (30.1 + 0.30) x output ms, row by row.

    The coefficients are those of its row in models.csv; a thousand servers never make a request wait.
    """
    times, inputs, outputs = rows
    world, _ = played(slots=24, repeat=False)
    record = run(world, InTurn(split([1])), keep_requests=True).record
    met = record.requests
    np.testing.assert_allclose(met.arrival_s, times, rtol=0, atol=1e-6)
    assert np.array_equal(met.start_s, met.reach_s)
    service = (10.4 + 0.091 * inputs + 30.4 * outputs) / 1000
    np.testing.assert_allclose(met.finish_s - met.start_s, service, rtol=0, atol=1e-9)
    assert record.busy_place_s.sum() == pytest.approx(service.sum(), rel=1e-9)
    assert record.arrived.sum() == len(times)


def test_demand_that_planners_see_is_the_count_of_each_slot(rows):
    """Rates x slot length are the requests of the file in each slot, shared over the origins by their shares."""
    times, _, _ = rows
    world, _ = played(12, 300.0, shares=(1, 3), repeat=False)
    counts = np.histogram(times, bins=np.arange(13) * 300.0)[0]
    np.testing.assert_allclose(world.demand.rate_rps * 300, counts[:, None] * [0.25, 0.75], rtol=1e-12)


@pytest.mark.parametrize(("thin", "scale"), [(1.0, 0.1), (0.5, 0.2)])
def test_planners_see_the_demand_of_the_full_fleet(rows, thin, scale):
    """Rates are thinned but not scaled; the fluid engine then serves scale x thin x the requests of the file."""
    times, _, _ = rows
    world, _ = played(repeat=False, thin=thin, scale=scale)
    assert world.demand.rate_rps.sum() * 300 == pytest.approx(thin * len(times))
    arrived = run(world, InTurn(split([1])), engine="fluid").record.arrived.sum()
    assert arrived == pytest.approx(scale * thin * len(times))


def test_cutting_a_repeated_trace_into_slots_loses_and_doubles_nothing(rows):
    """101 slots of 89.1 s hold what one slot of 8,999.1 s holds, across two turns of the period."""
    one, cut = played(1, 8999.1)[1], played(101, 89.1)[1]
    for name in ("arrival_s", "input", "output"):
        assert np.array_equal(getattr(one, name), getattr(cut, name))


def test_the_trace_is_played_again_after_its_period(rows):
    """The period is the time from the first to the last request and one mean gap; tokens are repeated with it."""
    times, inputs, outputs = rows
    period = times[-1] * len(times) / (len(times) - 1)
    _, block = played(slots=30, slot_s=300.0)
    turns = math.ceil(9000 / period)
    assert turns == 3
    expected = np.concatenate([times + turn * period for turn in range(turns)])
    kept = expected < 9000
    assert len(block.arrival_s) == kept.sum()
    np.testing.assert_allclose(block.arrival_s, expected[kept], rtol=0, atol=1e-6)
    assert np.array_equal(block.input, np.tile(inputs, turns)[kept])
    assert np.array_equal(block.output, np.tile(outputs, turns)[kept])


@pytest.mark.parametrize(
    ("settings", "share"), [({"thin": 0.3}, 0.3), ({"scale": 0.1}, 0.1), ({"thin": 0.5, "scale": 0.5}, 0.25)]
)
def test_thinning_keeps_the_share_and_changes_nothing_else(rows, settings, share):
    """What is kept is binomial (|z| < 3.3), and each kept request is one of the file, time and tokens, in order."""
    times, inputs, outputs = rows
    _, block = played(repeat=False, **settings)
    z = (len(block.arrival_s) - share * len(times)) / math.sqrt(len(times) * share * (1 - share))
    print(f"z = {z:.2f}")
    assert abs(z) < 3.3
    held = iter(zip(np.round(times, 6).tolist(), inputs.tolist(), outputs.tolist(), strict=True))
    kept = zip(np.round(block.arrival_s, 6).tolist(), block.input.tolist(), block.output.tolist(), strict=True)
    # Each is found further on in the file than the one before.
    assert all(any(request == row for row in held) for request in kept)
    _, other = played(repeat=False, seed=2, **settings)
    assert not np.array_equal(block.arrival_s, other.arrival_s[: len(block.arrival_s)])


@pytest.mark.parametrize("rate", [1.0, 20.0])
def test_rate_per_s_stretches_time_and_leaves_tokens(rows, rate):
    """All times by the same factor, so that requests / period is the rate; the order of tokens stays."""
    times, inputs, outputs = rows
    stretch = len(times) / (times[-1] * len(times) / (len(times) - 1)) / rate
    slots = math.ceil(times[-1] * stretch / 300) + 1
    _, block = played(slots, 300.0, repeat=False, rate_per_s=rate)
    np.testing.assert_allclose(block.arrival_s, times * stretch, rtol=1e-12, atol=1e-6)
    assert np.array_equal(block.input, inputs)
    assert np.array_equal(block.output, outputs)
    # One request a mean gap: n requests in n / rate seconds.
    assert block.arrival_s[-1] == pytest.approx((len(times) - 1) / rate, rel=1e-9)


def test_a_repeated_trace_at_a_rate_has_that_rate(rows):
    """20/s for three periods: n requests each, exactly."""
    times, _, _ = rows
    period = len(times) / 20.0
    _, block = played(3, period, rate_per_s=20.0)
    counts = np.histogram(block.arrival_s, bins=np.arange(4) * period)[0]
    assert counts.tolist() == [len(times)] * 3


def test_origins_share_the_trace(rows):
    """Each request is marked with an origin by the shares (binomial, |z| < 3.3)."""
    times, _, _ = rows
    _, block = played(shares=(1, 3), repeat=False)
    z = ((block.origin == 0).sum() - 0.25 * len(times)) / math.sqrt(len(times) * 0.25 * 0.75)
    print(f"z = {z:.2f}")
    assert abs(z) < 3.3
