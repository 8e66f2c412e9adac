"""The compiled plane says the same of every request as the SimPy reference, on generated scenarios, ties included.

``play`` runs both planes and holds them against each other: site, start, finish and fate of every request are equal,
counts are equal, sums of batches to the last bit, other sums within 1e-9.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest
from conftest import scenario
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import Ask, InTurn, Orders, assert_equal, fleet, play, world_of

from policies import POLICIES
from simulator import build_world, run
from simulator.plan import Dual, Own, Plan, Score, Split

QUARTERS = st.integers(0, 4).map(lambda k: k / 4)


@numba.njit
def longest_memory(origin, time_s, u, waiting, free, data, memory):
    """Among allowed sites the one with the shortest queue; the memory counts requests and breaks ties."""
    best, least = -1, 1e9
    for site in range(len(waiting)):
        length = waiting[site] - free[site] + 0.1 * ((site + memory[0]) % 3) + u * data[0, 0]
        if data[1 + origin, site] > 0 and length < least:
            best, least = site, length
    memory[0] += 1
    return best


@st.composite
def plans(draw, origins: int, sites: int, allowed: np.ndarray) -> Plan:
    """Any plan; figures are quarters, so that prices and tokens tie as well."""
    quarters = st.lists(QUARTERS, min_size=origins * sites, max_size=origins * sites)
    table = np.array(draw(quarters)).reshape(origins, sites)
    refresh_s = draw(st.sampled_from([0.0, 0.0, 2.5, 4.0]))
    duals = ["euclidean", "entropic", "adaptive-euclidean", "adaptive-entropic"]
    kind = draw(st.sampled_from(["split", "score", *duals, "own"]))
    if kind == "split":
        shares = np.where(allowed, table, 0.0)
        return Split(shares / np.maximum(1.0, shares.sum(axis=1, keepdims=True)))
    if kind == "own":
        data = np.zeros((1 + origins, sites))
        data[0, 0], data[1:] = draw(QUARTERS), allowed
        return Own(longest_memory, data, memory=draw(st.integers(1, 2)), refresh_s=refresh_s)
    score = Score(
        table,
        wait_price_usd_per_s=draw(st.sampled_from([0.0, 0.25, 1.0])),
        rtt_price_usd_per_s=draw(st.sampled_from([0.0, 0.125])),
        rate_cap_rps=np.array(draw(st.lists(QUARTERS, min_size=sites, max_size=sites))),
        burst_s=draw(st.sampled_from([0.0, 4.0, 60.0])),
        refresh_s=refresh_s,
    )
    if kind == "score":
        return score
    burden = np.array(draw(st.lists(QUARTERS, min_size=2 * sites, max_size=2 * sites))).reshape(2, sites)
    return Dual(
        score,
        kind,
        step=draw(st.sampled_from([0.01, 0.25, 3.0])),
        burden_usd=burden,
        most_usd=burden * draw(st.sampled_from([1.0, 10.0])),
        requests=draw(st.sampled_from([0.0, 7.0, 40.0])),
        update_every=draw(st.integers(1, 4)),
        round=draw(st.integers(0, 1)),
    )


@st.composite
def crowds(draw, origins: int) -> list[Ask]:
    """Up to 60 requests, on whole-number times with many ties or on any; some of no length, some with jitter."""
    whole = draw(st.booleans())
    times = st.integers(0, 30).map(float) if whole else st.floats(0, 39)
    sizes = st.integers(0, 12).map(float) if whole else st.floats(0, 12)
    number = draw(st.integers(0, 60))
    jitter = st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.5])
    return [
        Ask(at, draw(sizes), draw(st.integers(0, origins - 1)), draw(QUARTERS) % 1, out=draw(jitter), back=draw(jitter))
        for at in sorted(draw(st.lists(times, min_size=number, max_size=number)))
    ]


@st.composite
def types(draw) -> list[dict]:
    """One to three types of servers, that boot in no time, in whole seconds, in others, or at random."""
    boots = st.sampled_from([0.0, 1.0, 2.5, 7.0, {"exponential": {"mean": 3.0}}])
    return [
        {
            "name": f"t{k}",
            "count": draw(st.integers(1, 4)),
            "concurrency": draw(st.integers(1, 3)),
            "peak_w": 700,
            "idle_w": 100,
            "boot_s": draw(boots),
            "load_s": draw(st.sampled_from([0.0, 0.0, 1.0])),
            "speed": draw(st.sampled_from([1.0, 0.5, 2.0])),
        }
        for k in range(draw(st.sampled_from([1, 1, 2, 3])))
    ]


@st.composite
def outages(draw, sites: int, origins: int) -> dict:
    """Up to five outages: of sites, of parts of them, of links, of signals; on whole-number times and others."""
    times = st.one_of(st.integers(0, 30).map(float), st.floats(0, 39))
    found = []
    for _ in range(draw(st.integers(0, 5))):
        when = {"start_s": draw(times), "length_s": draw(st.sampled_from([1.0, 3.0, 10.0, 0.7]))}
        site = f"s{draw(st.integers(0, sites - 1))}"
        match draw(st.sampled_from(["site", "site", "site", "link", "signals"])):
            case "site":
                share, running = draw(st.sampled_from([1.0, 1.0, 0.5, 0.3])), draw(st.sampled_from(["kill", "finish"]))
                found.append({"site": site, "share": share, "running": running, **when})
            case "link":
                found.append({"site": site, "origin": f"o{draw(st.integers(0, origins - 1))}", **when})
            case _:
                found.append({"signals": site, **when})
    detection_s = draw(st.sampled_from([0.0, 1.0, 2.5, 100.0]))
    return {"scheduled": found, "retries": draw(st.integers(0, 3)), "detection_s": detection_s}


@st.composite
def worlds_and_plans(draw, switched: bool) -> tuple:
    """A world of 1 to 6 sites and 1 to 3 origins, a plan for each of its slots, and requests."""
    sites, origins = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    limit = draw(st.sampled_from([{}, {}, {"queue_limit": 0}, {"queue_limit": 2}]))
    # Slots of 0.7 s end where division rounds to the slot before, or after.
    slots, slot_s = draw(st.sampled_from([(1, 40.0), (4, 10.0), (8, 5.0), (57, 0.7)]))
    slo = {} if draw(st.booleans()) else {"slo": {"ttft_s": 3.0, "end_to_end_s": 9.0}}
    data = fleet(
        draw(st.lists(st.integers(1, 4), min_size=sites, max_size=sites)),
        [1] * origins,
        slots=slots,
        slot_s=slot_s,
        warmup_s=draw(st.sampled_from([0.0, 5.0])),
        request={"seconds": 3.0, **slo},
        demand={"poisson": {"rate_per_s": 5.0}},  # requests are given by hand; this makes 10 or 20 batches
        fleet_scale=draw(st.sampled_from([1.0, 0.5])),
        **limit,
    )
    if switched:
        for site in data["sites"]:
            site["servers"] = draw(types())
            site["servers"][0] |= limit
        data |= {"outages": draw(outages(sites, origins)), "accept_scaled": True}
    half_s = st.sampled_from([0.0, 0.0, 1.0, 3.0, 0.1])
    rtt_s = [[2 * draw(half_s) for _ in range(sites)] for _ in range(origins)]
    mask = st.lists(st.sampled_from([True, True, True, False]), min_size=sites, max_size=sites)
    allowed = np.array([draw(mask) for _ in range(origins)])
    world = world_of(data, rtt_s=rtt_s, allowed=allowed)
    said = [draw(plans(origins, sites, allowed)) for _ in range(min(slots, 8))]
    asks = [ask for ask in draw(crowds(origins)) if ask.at < slots * slot_s]
    if slot_s == 0.7:  # some on the very boundaries
        asks = sorted((ask._replace(at=int(ask.at / 0.7) * 0.7) if ask.u < 0.5 else ask for ask in asks), key=_at)
    return world, said, asks, draw(st.sampled_from([1, 3, 100]))


def cases() -> st.SearchStrategy:
    """Servers of one type that are always on."""
    return worlds_and_plans(False)


@st.composite
def switched_cases(draw) -> tuple:
    """Servers of several types that are switched on and off, and outages."""
    case = draw(worlds_and_plans(True))
    orders = [
        (draw(st.lists(st.integers(0, 8).map(float), min_size=1, max_size=6)), draw(st.booleans()))
        for _ in case[0].sites
    ]
    return *case, orders


def _at(ask: Ask) -> float:
    return ask.at


@settings(max_examples=300, deadline=None)
@given(cases())
def test_the_planes_say_the_same_of_every_request(case) -> None:
    world, said, asks, block = case
    play(world, InTurn(*said), asks, block=block)


@settings(max_examples=300, deadline=None)
@given(switched_cases())
def test_the_planes_say_the_same_with_boots_drains_types_outages_kills_retries_and_link_cuts(case) -> None:
    world, said, asks, block, orders = case
    play(
        world,
        InTurn(*said),
        asks,
        block=block,
        orders=lambda: [Orders(*servers, idle=idle) for servers, idle in orders],
    )


@settings(max_examples=100, deadline=None)
@given(cases())
def test_cutting_time_changes_no_request(case) -> None:
    """One plan held over 1, 4, 16 or 90 control slots."""
    world, (plan, *_), asks, block = case
    found = []
    for slots in (1, 4, 16, 90):
        cut = build_world(world.scenario.model_copy(update={"slots": slots, "slot_s": 36.0 / slots}))
        cut = replace(cut, fleet=replace(cut.fleet, rtt_s=world.fleet.rtt_s, allowed=world.fleet.allowed))
        here = [ask for ask in asks if ask.at < 36.0]
        found.append(play(cut, plan, here, engine="compiled", block=block).record.requests)
    for other in found[1:]:
        np.testing.assert_equal(other, found[0])


@pytest.mark.parametrize("name", POLICIES)
def test_policies_that_learn_from_the_run_stay_together(name: str) -> None:
    """Plans follow from the ledger: were it different in the last bit, so would be the plans and the requests."""
    world = build_world(
        scenario(workload=BUSY, network={"rtt": "coordinates", "jitter_ms": {"gamma": {"mean": 20, "cv": 1}}})
    )
    compiled, reference = (
        run(world, POLICIES[name](), engine=engine, keep_requests=True) for engine in ("compiled", "simpy")
    )
    assert len(compiled.record.requests.site) > 1000
    assert_equal(compiled, reference)


BUSY = {"demand": {"poisson": {"rate_per_s": 0.25}}, "request": {"seconds": {"exponential": {"mean": 50}}}}


@pytest.mark.parametrize("name", ["eglb", "hedge"])
@pytest.mark.parametrize(
    "settings_",
    [
        {"update_every": 1},
        {"update_every": 7, "rule": {"score": {"refresh_s": 30.0}}},
        {"update_every": 1, "step": "adaptive"},
        {"update_every": 7, "step": "adaptive", "rule": {"score": {"refresh_s": 30.0}}},
    ],
)
def test_dual_policies_stay_together(name: str, settings_: dict) -> None:
    world = build_world(scenario(workload=BUSY, fleet_scale=0.5))
    compiled, reference = (
        run(world, POLICIES[name](**settings_), engine=engine, keep_requests=True) for engine in ("compiled", "simpy")
    )
    assert_equal(compiled, reference)


@pytest.mark.parametrize(
    "others",
    [
        ["entropic", "euclidean"],
        ["euclidean", "entropic"],
        ["adaptive-entropic", "adaptive-euclidean"],
        ["adaptive-euclidean", "adaptive-entropic"],
    ],
)
def test_other_steps_begin_anew(others: list[str]) -> None:
    """Three requests of a step of four are charged when steps change; prices, charges and their count begin anew.

    Nine requests a slot, so that counts differ if any of them were kept: a later plan of the first kind as well.
    """
    burden = np.array([[0.5, 0.5], [0.25, 0.25]])
    first, second = (
        Dual(Score(np.array([[0.0, 0.3]])), kind, 0.4, burden, 4 * burden, 9.0, update_every=4) for kind in others
    )
    world = world_of(fleet((99, 99), slots=4, slot_s=10.0))
    asks = [Ask(10.0 * slot + k) for slot in range(4) for k in range(9 if slot else 3)]
    played = play(world, InTurn(first, second, Split(np.array([[1.0, 0.0]])), first), asks).record.requests.site
    alone = play(world, InTurn(Split(np.array([[1.0, 0.0]])), second), asks).record.requests.site
    np.testing.assert_array_equal(played[3:12], alone[3:12])
    assert set(played[3:12].tolist()) == {0, 1}


def test_more_requests_than_there_is_room_for_at_first() -> None:
    """5,000 requests on a way of 100 s, then in one queue: room doubles on the way."""
    world = world_of(fleet((1,)), rtt_s=[[80.0]])
    asks = [Ask(0.001 * k, 0.01) for k in range(5000)]
    result = play(world, Split(np.ones((1, 1))), asks, block=999)
    assert result.record.most_in_use.tolist() == [1]


CODE = """
import json, sys
import numpy as np
from conftest import scenario
from test_engines_agree import BUSY, longest_memory
from worlds import InTurn
from simulator import Own, build_world, run
from policies import POLICIES
world = build_world(scenario(workload=BUSY, slots=4))
found = []
for name, settings in (("eglb", {}), ("glb-cost", {"rule": {"score": {"wait_price_usd_per_s": 0.001}}}),
                       ("hedge", {"update_every": 2})):
    result = run(world, POLICIES[name](**settings), engine="compiled", keep_requests=True)
    rows = result.record.requests
    found.append([rows.site.tolist(), rows.start_s.tolist(), rows.finish_s.tolist(), result.cost_usd])
own = InTurn(Own(longest_memory, np.ones((4, 3)), memory=1))
found.append(run(world, own, engine="compiled", keep_requests=True).record.requests.site.tolist())
json.dump(found, sys.stdout)
"""


def test_without_compiling_the_results_are_the_same() -> None:
    """``NUMBA_DISABLE_JIT=1`` runs the kernels as the Python they are written in."""
    found = []
    for off in ("0", "1"):
        env = {**os.environ, "NUMBA_DISABLE_JIT": off, "PYTHONPATH": str(Path(__file__).parent)}
        done = subprocess.run([sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]
    assert len(found[0][0][0]) > 400
    assert set(found[0][-1]) == {0, 1, 2}
