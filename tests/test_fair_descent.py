"""FairOBD: its slot program against a second solver and by hand, and eGLB where switching costs nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from conftest import SMALL, scenario, world
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import POLICIES
from policies.closeness import Closeness
from policies.switching import SwitchingDispatch, boots_of
from simulator import build_world, run
from simulator.policy import Observation, RoutingPolicy
from simulator.units import J_PER_KWH

BOOTING = {**SMALL["servers"], "boot_w": 900, "boot_s": 200, "load_s": 100}
CROWD = {"demand": {"poisson": {"rate_per_s": 0.2}}, "request": {"seconds": 60}}


@given(seed=st.integers(0, 10**6), is_full=st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_slot_with_switching_costs_is_a_convex_program(seed: int, is_full: bool) -> None:
    """Sum of price x flow + rise x (flow - last)+ by the second solver; no rise is another way to write no split."""
    fleet, generator = world(sites={"generate": {"count": 4}}).fleet, np.random.default_rng(seed)
    allowed = np.ones(fleet.allowed.shape, dtype=bool) if is_full else generator.random(fleet.allowed.shape) < 0.6
    allowed[np.arange(len(allowed)), np.arange(len(allowed))] = True
    fleet = replace(fleet, allowed=allowed)
    price, rise = generator.uniform(-1, 3, 4), generator.choice([0.0, 0.3, 2.0], 4)
    last, demand = generator.uniform(0, 0.1, 4), generator.uniform(0, 0.05, len(fleet.origins))
    flow = cp.Variable(allowed.shape, nonneg=True)
    served = cp.sum(flow, axis=0)
    usd = price @ served + rise @ cp.pos(served - last)
    bounds = [cp.sum(flow, axis=1) == demand, served <= fleet.capacity_rps, flow[~allowed] == 0]
    least = cp.Problem(cp.Minimize(usd), bounds).solve(solver=cp.CLARABEL)
    split = SwitchingDispatch(fleet, Closeness()).split(price, rise, last, demand)
    ours = demand @ split.shares
    assert split.shares.sum(axis=1) == pytest.approx(1)
    assert price @ ours + rise @ np.maximum(ours - last, 0) == pytest.approx(least, rel=1e-5, abs=1e-7)


def test_what_a_boot_takes_by_hand() -> None:
    """900 W for 300 s; requests of 60 s at 0.5 of servers of two places: 60 servers for each request a second."""
    boots = boots_of(world(servers=BOOTING).fleet, 0.5)
    np.testing.assert_allclose(boots.it_kwh, 900 * 300 / J_PER_KWH)
    np.testing.assert_allclose(boots.servers_per_rps, 60 / (0.5 * 2))


def test_a_boot_of_several_types_is_that_of_their_mean_server() -> None:
    """One server of 1,000 J a boot and one place, three of 5,000 J and three places."""
    kinds = [
        {"name": "a", "count": 1, "concurrency": 1, "peak_w": 500, "boot_w": 10, "boot_s": 100, "load_s": 0},
        {"name": "b", "count": 3, "concurrency": 3, "peak_w": 500, "boot_w": 50, "boot_s": 60, "load_s": 40},
    ]
    boots = boots_of(world(servers=kinds).fleet, 1.0)
    np.testing.assert_allclose(boots.it_kwh, (1000 + 3 * 5000) / 4 / J_PER_KWH)
    np.testing.assert_allclose(boots.servers_per_rps, 60 / ((1 + 9) / 4))


class Prices(RoutingPolicy):
    """Records what another policy plans, and the prices of the slots."""

    def __init__(self, inner: RoutingPolicy):
        self.inner, self.flows, self.cost = inner, list[np.ndarray](), list[np.ndarray]()

    def start(self, fleet: Any) -> None:
        self.inner.start(fleet)

    def plan(self, observation: Observation) -> Any:
        plan = self.inner.plan(observation)
        self.flows.append(observation.demand_rps @ plan.shares)
        self.cost.append(observation.cost_usd)
        return plan


@pytest.mark.parametrize(("usd", "moves"), [(0.0, True), (1e9, False)])
def test_load_moves_where_that_is_worth_its_boots(usd: float, moves: bool) -> None:
    """The cheapest site changes in the course of a day: all follow it when boots are free, nobody at any price."""
    made = world(slots=24, slot_s=3600)
    spy = Prices(POLICIES["fairobd"](switching_usd_per_server=usd, step=1e-9))
    run(made, spy, engine="fluid")
    flows = np.array(spy.flows)
    rises = np.maximum(np.diff(flows, axis=0), 0).sum()
    growth = np.maximum(np.diff(flows.sum(axis=1)), 0).sum()
    # Demand may grow; beyond that only who moves load raises it anywhere.
    assert (rises > growth + 1e-3) == moves


@pytest.mark.parametrize(("mirror", "twin"), [("euclidean", "eglb"), ("entropic", "hedge")])
@pytest.mark.parametrize("step", [0.02, "adaptive"])
@pytest.mark.parametrize("allowed", ["full", {"max_rtt_ms": 90}])
def test_without_switching_costs_it_is_eglb(mirror: str, twin: str, step: Any, allowed: Any) -> None:
    """Every split is the same; so it is with power that follows the load, whose boots take nothing."""
    made = world(sites={"generate": {"count": 6}}, allowed=allowed, servers=BOOTING)
    found = []
    for policy in (
        POLICIES["fairobd"](step=step, mirror=mirror, switching_weight=0.0),
        POLICIES["fairobd"](step=step, mirror=mirror, switching_usd_per_server=0.0),
        POLICIES[twin](step=step),
    ):
        spy = Prices(policy)
        run(made, spy, engine="fluid")
        found.append(spy.flows)
    np.testing.assert_allclose(found[0], found[2], atol=1e-9)
    np.testing.assert_allclose(found[1], found[2], atol=1e-9)
    if allowed == "full":
        np.testing.assert_array_equal(found[0], found[2])


def test_fewer_servers_boot_the_more_switching_weighs() -> None:
    changes = {
        "sites": {"generate": {"count": 4}},
        "servers": {**BOOTING, "count": 6},
        "workload": {"demand": {"poisson": {"rate_per_s": 0.25}}, "request": {"seconds": 60}},
        "provisioning": "follow",
        "slots": 48,
    }
    made = build_world(scenario(**changes))
    boots = [
        run(made, POLICIES["fairobd"](switching_weight=weight), engine="compiled").summary()["boots"]
        for weight in (0.0, 1.0, 100.0)
    ]
    assert boots[0] > boots[1] >= boots[2]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"mirror": "flat"}, "mirror must be one of entropic, euclidean"),
        ({"utilisation": 0.0}, "utilisation must be above 0"),
        ({"switching_weight": -1.0}, "switching_weight must be finite and at least 0"),
        ({"switching_usd_per_server": float("inf")}, "switching_usd_per_server must be finite"),
        ({"step": 0.0}, "step must be finite and above 0, or adaptive"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        POLICIES["fairobd"](**wrong)


@pytest.mark.parametrize("name", ["eglb", "hedge", "fairobd"])
def test_steps_that_adapt_are_those_of_the_maximum(name: str) -> None:
    with pytest.raises(ValueError, match="step: steps that adapt by themselves are those of the largest site"):
        POLICIES[name](step="adaptive", norm=2).check(world().fleet)
    POLICIES[name](step=0.1, norm=2).check(world().fleet)
