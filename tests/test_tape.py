"""The tape: the same requests whoever asks for them, in whatever order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from worlds import fleet, world_of

import simulator.tape
from simulator.simulation import run
from simulator.tape import Block, Tape

LOGNORMAL = {"lognormal": {"mu": 1.0, "sigma": 0.5}}


def busy(**changes):
    """A scenario whose tape draws from every stream: three origins, tokens and jitter at random."""
    return fleet(
        (2, 3),
        (1, 2, 3),
        **{
            "slots": 6,
            "slot_s": 50.0,
            "demand": {"poisson": {"rate_per_s": 2.0}},
            "request": {"tokens": {"model": "llama3.1-8b", "input": LOGNORMAL, "output": LOGNORMAL}},
            "network": {"rtt": {"coordinates": {}}, "jitter_ms": {"exponential": {"mean": 3.0}}},
            **changes,
        },
    )


def hourly(tmp_path, counts, arrivals):
    """Demand counted in each hour, from a file."""
    lines = [f"2023-11-16 {hour:02}:00,{count}" for hour, count in enumerate(counts)]
    file = tmp_path / "counts.csv"
    file.write_text("\n".join(["hour_utc,requests", *lines]) + "\n")
    return {"hourly": {"file": str(file), "arrivals": arrivals}}


def trace(tmp_path):
    """A trace of 40 requests, one every 7 s or so, played over and over and thinned."""
    lines = [f"2023-11-16 10:{7 * k // 60:02}:{7 * k % 60:02}.{k:07},{k + 1},{2 * k + 1}" for k in range(40)]
    file = tmp_path / "trace.csv"
    file.write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *lines]) + "\n")
    return {"trace": {"file": str(file), "thin": 0.8}}


def same(one: Block, other: Block) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def whole(blocks) -> Block:
    return Block(*(np.concatenate(column) for column in zip(*blocks, strict=True)))


def slot_counts(world) -> list[int]:
    """Requests on the tape in each slot."""
    return [sum(len(block.u) for block in Tape(world).slot(slot)) for slot in range(world.fleet.slots)]


@pytest.fixture(params=["poisson", "counted", "trace"])
def world(request, tmp_path):
    """A world of each kind of arrivals."""
    if request.param == "counted":
        return world_of(busy(slot_s=3600.0, demand=hourly(tmp_path, [100, 0, 7, 1, 30, 200], "counted")))
    if request.param == "trace":
        data = busy(demand=trace(tmp_path))
        data["workload"]["request"]["tokens"] = {"model": "llama3.1-8b"}
        return world_of(data)
    return world_of(busy())


def test_any_slot_can_be_made_alone(world):
    """A slot's generators follow from (seed, stream, slot) only."""
    in_order = whole(Tape(world).blocks())
    assert len(in_order.u) > 30
    alone = [list(Tape(world).slot(slot)) for slot in reversed(range(world.fleet.slots))]
    assert same(in_order, whole([block for blocks in reversed(alone) for block in blocks]))


@pytest.mark.parametrize("most", [1, 7, 64, 1000])
def test_where_the_tape_is_cut_into_blocks_changes_nothing(world, most):
    """Bit for bit the same columns, in blocks of at most so many requests (those of a trace: on average)."""
    blocks = list(Tape(world, kept=0.5, block_requests=most).blocks())
    assert world.demand.trace or max(len(block.u) for block in blocks) <= most
    assert same(whole(blocks), whole(Tape(world, kept=0.5).blocks()))


def test_times_are_in_order_and_within_their_slot(world):
    """Blocks follow each other; none holds more than one slot."""
    for slot in range(world.fleet.slots):
        start, end = (world.fleet.slot_s * edge for edge in (slot, slot + 1))
        last = start
        for block in Tape(world, block_requests=16).slot(slot):
            assert np.all((block.arrival_s >= last) & (block.arrival_s < end))
            assert np.all(np.diff(block.arrival_s) >= 0)
            assert {len(column) for column in block} == {len(block.u)} != {0}
            last = block.arrival_s[-1]


def test_rounding_never_moves_an_arrival_to_the_next_slot(monkeypatch):
    """A last gap that vanishes against the sum of the others would put the last arrival on the end."""

    class Gaps:
        def standard_exponential(self, count):
            return np.array([1.0, 1.0, 1e-20])[:count]

    tape = Tape(world_of(busy()))
    monkeypatch.setattr(tape, "_stream", lambda name, slot: Gaps())
    (times,) = tape._counted(0, 2, 100.0, 200.0)
    assert times.tolist() == [150.0, np.nextafter(200.0, 100.0)]


def test_some_rows_are_kept_and_that_moves_nothing():
    """A share of 0.3 of some 600 requests, drawn from a stream of its own; none unless asked for, or all."""
    none, some, every = (whole(Tape(world_of(busy()), kept).blocks()) for kept in (0.0, 0.3, 1.0))
    assert abs(some.kept.mean() - 0.3) < 3.3 * math.sqrt(0.3 * 0.7 / len(some.kept))
    assert not none.kept.any()
    assert every.kept.all()
    assert same(Block(*none[:-1], None), Block(*some[:-1], None))


@pytest.mark.parametrize("rates", [[0.1] * 10, [0.7, 0.1, 0.1, 0.1], [0.3, 0.0, 0.6, 0.0], [0.1] * 13])
def test_the_largest_number_still_marks_an_origin_that_has_demand(rates):
    """Whatever rounding makes of the shares: just below 1 is the last origin with demand, 0 the first."""
    marks = simulator.tape._cumulative(np.array(rates))
    assert np.searchsorted(marks, [0.0, np.nextafter(1.0, 0.0)], side="right").tolist() == [
        0,
        int(np.flatnonzero(rates)[-1]),
    ]


def test_the_same_seed_draws_the_same_tape_and_another_seed_another_one():
    """Every column that is drawn differs between seeds; none differs between worlds of one seed."""
    one, again, other = (whole(Tape(world_of(busy(), seed)).blocks()) for seed in (1, 1, 2))
    assert same(one, again)
    fewest = min(len(one.u), len(other.u))
    for name in Block._fields[:-1]:
        assert not np.array_equal(getattr(one, name)[:fewest], getattr(other, name)[:fewest]), name


def test_policies_and_engines_meet_the_same_requests():
    """Neither policies named in the scenario nor the one that runs, nor its engine, moves the tape."""
    alone = world_of(busy(policies=["glb-nearest"]))
    crowd = world_of(busy(policies=["glb-cost", {"hedge": {}}, "eglb"], engine="fluid"))
    before = whole(Tape(alone).blocks())
    assert same(before, whole(Tape(crowd).blocks()))
    rows = [run(alone, name, keep_requests=True).record.requests for name in ("glb-nearest", "glb-cost", "eglb")]
    for met in rows:
        assert np.array_equal(met.arrival_s, before.arrival_s)
        assert np.array_equal(met.origin, before.origin)
    assert same(before, whole(Tape(alone).blocks()))


def test_the_fleet_moves_no_request():
    """Other sites, servers and round-trip times: the same requests."""
    before = whole(Tape(world_of(busy())).blocks())
    sites = [{**site, "servers": {"count": 50, "peak_w": 900}} for site in busy()["sites"]]
    assert same(before, whole(Tape(world_of(busy(sites=sites[:1]))).blocks()))


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"network": {"rtt": {"coordinates": {}}, "jitter_ms": 0.0}}, {"out_s", "back_s"}),
        (
            {"request": {"tokens": {"model": "llama3.1-8b", "input": 5.0, "output": LOGNORMAL}}},
            {"input"},
        ),
        (
            {"request": {"tokens": {"model": "llama3.1-8b", "input": LOGNORMAL, "output": 5.0}}},
            {"output"},
        ),
        ({"request": {"seconds": LOGNORMAL}}, {"input"}),
    ],
)
def test_streams_do_not_move_each_other(changes, moved):
    """A column that is drawn otherwise leaves all other columns as they are."""
    before, after = (whole(Tape(world_of(data)).blocks()) for data in (busy(), busy(**changes)))
    for name in Block._fields:
        assert np.array_equal(getattr(before, name), getattr(after, name)) == (name not in moved), name


def test_no_two_columns_are_drawn_from_the_same_numbers():
    """Streams are apart: no column of uniform or jitter numbers repeats another, nor another block."""
    blocks = list(Tape(world_of(busy(network={"rtt": {"coordinates": {}}, "jitter_ms": LOGNORMAL}))).blocks())
    first, second = blocks[0], blocks[1]
    drawn = [first.u, first.input, first.output, first.out_s * 1000, first.back_s * 1000, second.u, second.input]
    assert len({round(float(column[0]), 12) for column in drawn}) == len(drawn)


def test_a_longer_run_begins_with_the_same_requests():
    """Slots depend on their number, not on how many there are."""
    short, long = (list(Tape(world_of(busy(slots=slots))).blocks()) for slots in (3, 6))
    assert all(same(a, b) for a, b in zip(short, long[:3], strict=True))


def test_counted_arrivals_are_exactly_the_counts(tmp_path):
    """`arrivals: counted`: the file's number in every hour, for every seed, at times uniform within the hour."""
    counts = [1000, 0, 1, 2500]
    data = busy(slots=4, slot_s=3600.0, demand=hourly(tmp_path, counts, "counted"))
    for seed in (1, 2):
        assert slot_counts(world_of(data, seed)) == counts
    # Mean of n uniforms on [0, 1): 1/2 with standard deviation 1 / sqrt(12 n).
    share = whole(Tape(world_of(data)).slot(3)).arrival_s / 3600 - 3
    assert abs(share.mean() - 0.5) * math.sqrt(12 * counts[3]) < 3.3


def test_hourly_poisson_arrivals_have_the_counts_as_means(tmp_path):
    """Without `counted` the counts are means: the sum over hours is Poisson, and the hours differ from the file."""
    counts = [4000, 1000, 0, 2500]
    data = busy(slots=4, slot_s=3600.0, demand=hourly(tmp_path, counts, "poisson"))
    drawn = slot_counts(world_of(data))
    assert drawn[2] == 0
    assert drawn != counts
    for number, mean in zip(drawn, counts, strict=True):
        assert abs(number - mean) <= 3.3 * math.sqrt(mean)


def test_a_trace_request_at_a_slot_boundary_is_in_the_same_slot_for_planners_and_for_the_tape(tmp_path):
    """In floating point 5 x 0.1 + 0.1 = 0.6 but 6 x 0.1 > 0.6: requests each 0.1 s fall on such boundaries."""
    assert 5 * 0.1 + 0.1 < 6 * 0.1
    lines = [f"2023-11-16 10:00:0{k // 10}.{k % 10}000000,1,1" for k in range(30)]
    (tmp_path / "trace.csv").write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *lines]) + "\n")
    demand = {"trace": {"file": str(tmp_path / "trace.csv"), "repeat": False}}
    world = world_of(busy(slots=40, slot_s=0.1, demand=demand))
    counts = slot_counts(world)
    assert sum(counts) == 30
    np.testing.assert_allclose(world.demand.rate_rps.sum(axis=1) * 0.1, counts, rtol=1e-12)


@pytest.mark.parametrize("scale", [0.25, 3.0])
def test_fleet_scale_scales_the_rates(scale):
    """f times the requests: the number is Poisson with mean f x 2/s x 20,000 s; rates for planners stay unscaled."""
    world = world_of(busy(slots=4, slot_s=5000.0, fleet_scale=scale))
    number = sum(len(block.arrival_s) for block in Tape(world).blocks())
    mean = scale * 2.0 * 20_000
    assert abs(number - mean) < 3.3 * math.sqrt(mean)
    assert world.demand.rate_rps.sum(axis=1) == pytest.approx(2.0)


def test_columns_have_the_means_that_were_asked_for():
    """u is uniform, jitter has its mean in milliseconds, sizes theirs: z of each mean with its own known deviation."""
    block = whole(Tape(world_of(busy(slots=10, slot_s=1000.0))).blocks())
    mean = math.exp(1.0 + 0.5**2 / 2)
    deviation = mean * math.sqrt(math.exp(0.5**2) - 1)
    for column, expected, spread in (
        (block.u, 0.5, 1 / math.sqrt(12)),
        (block.out_s, 0.003, 0.003),
        (block.back_s, 0.003, 0.003),
        (block.input, mean, deviation),
        (block.output, mean, deviation),
    ):
        z = (column.mean() - expected) / (spread / math.sqrt(len(column)))
        print(f"z = {z:.2f}")
        assert abs(z) < 3.3
