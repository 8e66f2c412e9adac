"""Round-trip time in the equity program: priced, and bounded as far as all demand can still be served."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import cvxpy as cp
import numpy as np
import pytest
from conftest import world
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import POLICIES
from policies.closeness import Closeness
from policies.dispatch import PairDispatch
from policies.horizon_program import HorizonPlan, HorizonProgram, Spent
from policies.placement import Placement
from simulator import check_policy, run
from simulator.detours import nearest_share
from simulator.fleet import Fleet, FloatArray
from simulator.forecast import Outlook
from simulator.objective import Objective
from simulator.plan import Score, Split
from simulator.policy import Observation
from simulator.remarks import remarks
from simulator.result import RunResult
from simulator.world import World

WEIGHTS = Objective(60.0, 1500.0)


class Case(NamedTuple):
    """A fleet and what is ahead of it."""

    fleet: Fleet
    outlook: Outlook

    def planned(self, closeness: Closeness) -> tuple[HorizonPlan, FloatArray]:
        """The plan, and its flow by origin [slots, origins, sites]."""
        program = HorizonProgram(self.fleet, WEIGHTS, closeness)
        zero = np.zeros(len(self.fleet.sites))
        plan = program.solve(self.outlook, Spent(zero, zero))
        placement = Placement(self.fleet, program, closeness)
        demand = self.outlook.demand_rps
        flows = [placement.split(plan, t, row).shares * row[:, None] for t, row in enumerate(demand)]
        return plan, np.array(flows)

    def j_usd(self, flow: FloatArray) -> float:
        """Cost and equity of a flow, round trips apart."""
        load = flow.sum(axis=1) * self.fleet.slot_s
        water, carbon = ((part * load).sum(axis=0).max() for part in (self.outlook.water_m3, self.outlook.carbon_t))
        return float((self.outlook.cost_usd * load).sum() + 60 * water + 1500 * carbon)

    def trip_s(self, flow: FloatArray) -> float:
        """Round-trip seconds of all requests."""
        return float((flow * self.fleet.rtt_s).sum() * self.fleet.slot_s)


def made(seed: int, load: float, slots: int = 4) -> Case:
    """Sites and origins of random sizes, places, masks and signals, at about this load."""
    generator = np.random.default_rng(seed)
    sites, origins = int(generator.integers(2, 6)), int(generator.integers(2, 6))
    base = world(sites={"generate": {"count": sites}}, origins={"generate": {"count": origins}}).fleet
    allowed = generator.random((origins, sites)) < 0.7
    allowed[np.arange(origins), generator.integers(0, sites, origins)] = True
    rtt_s = generator.choice([0.01, 0.05, 0.1, 0.2], (origins, sites))
    fleet = replace(base, allowed=allowed, rtt_s=rtt_s, capacity_rps=generator.uniform(0.1, 2.0, sites))
    demand = generator.uniform(0.5, 1.5, (slots, origins)) * (load * fleet.capacity_rps.sum() / origins)
    return Case(
        fleet,
        Outlook(
            demand_rps=demand,
            cost_usd=generator.uniform(0.0, 0.05, (slots, sites)),
            carbon_t=generator.uniform(1e-6, 1e-5, (slots, sites)),
            water_m3=generator.uniform(1e-4, 1e-3, (slots, sites)),
            standing_carbon_t=np.zeros((slots, sites)),
            standing_water_m3=np.zeros((slots, sites)),
        ),
    )


class Oracle:
    """The same problem by the second solver, over pairs that are not merged: first serve, then near, then J."""

    def __init__(self, case: Case, closeness: Closeness):
        fleet, outlook = case.fleet, case.outlook
        slots = range(len(outlook.demand_rps))
        self.x = [cp.Variable(fleet.allowed.shape, nonneg=True) for _ in slots]
        self.limits: list[Any] = [cp.sum(self.x[t], axis=1) <= outlook.demand_rps[t] for t in slots]
        self.limits += [cp.sum(x, axis=0) <= fleet.capacity_rps for x in self.x]
        self.limits += [x[~fleet.allowed] == 0 for x in self.x]
        bound_s = np.inf if closeness.network_p99_ms is None else closeness.network_p99_ms / 1000
        nearest = np.where(fleet.allowed, fleet.rtt_s, np.inf).argmin(axis=1)
        far = fleet.allowed & (fleet.rtt_s > bound_s * (1 + 1e-9))
        far[np.arange(len(far)), nearest] = False
        self.served = self._settle([-cp.sum(x) for x in self.x])
        self.far = self._settle([cp.sum(x[far]) if far.any() else cp.sum(0 * x) for x in self.x])
        loads = [cp.sum(x, axis=0) * fleet.slot_s for x in self.x]
        cost = sum(outlook.cost_usd[t] @ loads[t] for t in slots)
        water, carbon = (
            cp.max(sum(cp.multiply(part[t], loads[t]) for t in slots)) for part in (outlook.water_m3, outlook.carbon_t)
        )
        trips = sum(cp.sum(cp.multiply(fleet.rtt_s, x)) * fleet.slot_s for x in self.x)
        total = cost + 60 * water + 1500 * carbon + closeness.rtt_usd_per_request_s * trips
        self.usd = float(cp.Problem(cp.Minimize(total), self.limits).solve(solver=cp.CLARABEL))

    def _settle(self, aims: list[Any]) -> FloatArray:
        """The least of each slot's aim; from now on it must be met."""
        cp.Problem(cp.Minimize(sum(aims)), self.limits).solve(solver=cp.CLARABEL)
        least = np.array([float(aim.value) for aim in aims])
        self.limits += [aim <= value + 1e-7 * abs(value) + 1e-9 for aim, value in zip(aims, least, strict=True)]
        return least


@given(
    seed=st.integers(0, 10**6),
    load=st.sampled_from([0.4, 0.9, 1.2]),
    price=st.sampled_from([0.0, 1e-3, 0.1, 2.0]),
    bound_ms=st.sampled_from([None, 0.0, 50.0, 100.0]),
)
@settings(max_examples=40, deadline=None)
def test_the_program_is_the_optimum_of_a_second_solver(
    seed: int, load: float, price: float, bound_ms: float | None
) -> None:
    """Whether or not near pairs, or all pairs, can carry the demand."""
    case, closeness = made(seed, load), Closeness(price, bound_ms)
    plan, flow = case.planned(closeness)
    oracle = Oracle(case, closeness)
    size = case.outlook.demand_rps.sum(axis=1)
    assert flow.sum(axis=(1, 2)) == pytest.approx(-oracle.served, rel=1e-5)
    far = case.fleet.allowed & ~closeness.near(case.fleet)
    assert flow[:, far].sum(axis=1) == pytest.approx(oracle.far, abs=2e-5 * size.max())
    assert not flow[~plan.wide][:, far].any(), "what near pairs can carry uses no other ones, not for a rounding error"
    usd = case.j_usd(flow) + price * case.trip_s(flow)
    assert usd == pytest.approx(oracle.usd, rel=2e-4)


@given(seed=st.integers(0, 10**6), load=st.sampled_from([0.4, 0.9]))
@settings(max_examples=25, deadline=None)
def test_the_dearer_the_round_trip_the_shorter_it_is_and_the_dearer_the_rest(seed: int, load: float) -> None:
    """Whatever trades one sum for another: as its price rises the priced sum falls and the other one rises."""
    case = made(seed, load)
    flows = [case.planned(Closeness(price))[1] for price in (0.0, 1e-3, 1e-2, 0.1, 1.0, 10.0)]
    trips, rest = np.array([case.trip_s(flow) for flow in flows]), np.array([case.j_usd(flow) for flow in flows])
    assert (np.diff(trips) <= 1e-5 * trips[0]).all()
    assert (np.diff(rest) >= -1e-5 * rest[0]).all()


def fleet_of_ten(**changes: Any) -> World:
    """The places of the paper with round-trip times that were measured."""
    asked: dict[str, Any] = {
        "sites": {"catalogue": "paper"},
        "origins": {"catalogue": "paper"},
        "network": {"rtt": "catalogue"},
        "servers": {"count": 9, "concurrency": 1, "peak_w": 1000},
        "workload": {"demand": {"poisson": {"rate_per_s": 0.8}}, "request": {"seconds": 60}},
        "slots": 8,
    }
    return world(**asked | changes)


PLANNERS = [name for name in POLICIES if name != "glb-nearest"]
STEPS: dict[str, dict[str, Any]] = {"eglb": {"step": 5.0}, "hedge": {"step": 20.0}}


@pytest.mark.parametrize("name", PLANNERS)
def test_no_price_and_no_bound_are_what_was_before_to_the_last_bit(name: str) -> None:
    """Nor does a bound that nothing is beyond change a figure."""
    plain, priced, loose = (
        run(fleet_of_ten(), POLICIES[name](**settings_), engine="fluid")
        for settings_ in ({}, {"rtt_usd_per_request_s": 0.0}, {"network_p99_ms": 1e6})
    )
    assert loose.cost_usd == pytest.approx(plain.cost_usd, rel=1e-6)
    np.testing.assert_array_equal(priced.record.routed, plain.record.routed)
    np.testing.assert_equal(priced.summary(), plain.summary())
    assert loose.objective_usd == pytest.approx(plain.objective_usd, rel=1e-9)


@pytest.mark.parametrize("allowed", ["full", "paper-partial"])
def test_at_a_huge_price_requests_go_as_near_as_capacity_allows(allowed: str) -> None:
    """The sum of round-trip times of `glb-nearest`, which knows nothing else."""
    uneven = [{"name": f"o{k}", "like": "texas", "share": 4} for k in range(2)] + [{"name": "o2", "like": "japan"}]
    demand = {"demand": {"poisson": {"rate_per_s": 0.5}}, "request": {"seconds": 60}}
    made_ = fleet_of_ten(origins=uneven, allowed=allowed, workload=demand)
    nearest = run(made_, POLICIES["glb-nearest"](), engine="fluid")
    for name in PLANNERS:
        close = run(made_, POLICIES[name](rtt_usd_per_request_s=1e3), engine="fluid")
        trips = [(result.record.routed * made_.fleet.rtt_s).sum() for result in (close, nearest)]
        assert trips[0] == pytest.approx(trips[1], rel=1e-6)
    free = run(made_, POLICIES["eglb-off"](), engine="fluid")
    assert trips[1] < 0.9 * (free.record.routed * made_.fleet.rtt_s).sum()


def test_a_window_over_the_whole_run_is_the_offline_optimum() -> None:
    """What is spent and what is ahead together are the program of the start (Bellman)."""
    totals = []
    for name, more in (("eglb-off", {}), ("mpc", {"window_h": 1e3, "forecaster": "perfect"})):
        result = run(fleet_of_ten(), POLICIES[name](rtt_usd_per_request_s=1e-3, **more), engine="fluid")
        totals.append(result.objective_usd + 1e-3 * (result.record.routed * result.fleet.rtt_s).sum())
    assert totals[1] == pytest.approx(totals[0], rel=1e-6)


@pytest.mark.parametrize("engine", ["fluid", "compiled"])
@pytest.mark.parametrize("name", PLANNERS)
def test_no_request_goes_beyond_the_bound_while_sites_within_it_can_carry_all(name: str, engine: str) -> None:
    result = run(fleet_of_ten(), POLICIES[name](network_p99_ms=60), engine=engine)
    assert not result.record.routed[result.fleet.rtt_s > 0.0601].any()
    assert result.record.latency["network"].percentile(0.9999) <= 0.0606  # bins are a hundredth wide
    assert result.stretched_slots == 0
    plain = run(fleet_of_ten(), POLICIES[name](), engine=engine)
    assert plain.record.routed[result.fleet.rtt_s > 0.0601].any()


def crowded(policy: Any) -> RunResult:
    """Two thirds of the demand arise in Texas, whose own site carries a tenth of it."""
    origins = [{"name": "o0", "like": "texas", "share": 2}, {"name": "o1", "like": "japan", "share": 1}]
    return run(fleet_of_ten(origins=origins), policy, engine="fluid")


@pytest.mark.parametrize("name", PLANNERS)
def test_the_bound_gives_way_for_what_could_not_be_served_otherwise_and_the_run_says_so(name: str) -> None:
    """Within 10 ms there is one site each with 9 x 0.9 / 60 = 0.135 requests/s: of 0.8 asked for 0.53 goes beyond."""
    result = crowded(POLICIES[name](network_p99_ms=10))
    far = result.record.routed[result.fleet.rtt_s > 0.0101].sum() / (8 * 600)
    assert result.short_slots == 0
    assert far == pytest.approx(0.8 - 2 * 0.135, rel=1e-5)
    assert result.stretched_slots == 8
    assert result.stretched is not None
    assert (result.stretched.origins, result.stretched.sites) == (("o0", "o1"), ("texas", "japan"))
    assert result.stretched.short_rps == pytest.approx(0.53, rel=1e-5)
    (note,) = (note for note in remarks([result]) if "gave way" in note)
    assert "its bound on round trips gave way in 8 slot(s)" in note
    assert result.shortfall() == {}


def test_an_origin_without_a_site_within_the_bound_keeps_its_nearest() -> None:
    result = run(fleet_of_ten(), POLICIES["eglb-off"](network_p99_ms=0), engine="fluid")
    assert nearest_share(result.record.routed, result.fleet) == pytest.approx(1.0)
    assert result.stretched_slots == 0


def observation_of(made_: World, fleet: Fleet) -> Observation:
    """What a policy sees in the first slot of a run with this fleet."""
    seen: list[Observation] = []

    class Watch(POLICIES["eglb-off"]):  # type: ignore[misc]
        def plan(self, observation: Observation) -> Split:
            seen.append(observation)
            return Split(np.zeros(fleet.allowed.shape))

    run(made_, Watch(), engine="fluid")
    return replace(seen[0], fleet=fleet)


def test_scores_hold_the_price_of_each_pair_and_put_far_pairs_last() -> None:
    made_ = fleet_of_ten()
    plain, priced, bound = (
        POLICIES["eglb-off"](rule="score", **settings_)
        for settings_ in ({}, {"rtt_usd_per_request_s": 1e-3}, {"network_p99_ms": 60.0})
    )
    scores = []
    for policy in (plain, priced, bound):
        policy.start(made_.fleet)
        plan = policy.plan(observation_of(made_, made_.fleet))
        assert isinstance(plan, Score)
        scores.append(plan.score)
    # What the site costs is the same for all origins: between two of them the price of the pair is left.
    trips = 1e-3 * made_.fleet.rtt_s
    np.testing.assert_allclose(scores[1] - scores[1][0], trips - trips[0], rtol=1e-9, atol=1e-15)
    np.testing.assert_array_equal(scores[0], np.broadcast_to(scores[0][0], scores[0].shape))
    far = made_.fleet.rtt_s > 0.0601
    assert scores[2][far].min() > scores[2][~far].max() * 10


@given(seed=st.integers(0, 10**6), load=st.sampled_from([0.4, 0.9, 1.2]), bound_ms=st.sampled_from([None, 0.0, 50.0]))
@settings(max_examples=40, deadline=None)
def test_a_slot_by_itself_is_the_optimum_of_a_second_solver(seed: int, load: float, bound_ms: float | None) -> None:
    """Cost and round trips of one slot: J without weights, first served, then near."""
    case, closeness = made(seed, load, slots=1), Closeness(0.1, bound_ms)
    case = case._replace(
        outlook=case.outlook._replace(carbon_t=0 * case.outlook.carbon_t, water_m3=0 * case.outlook.water_m3)
    )
    demand = case.outlook.demand_rps[0]
    split = PairDispatch(case.fleet, closeness).split(case.outlook.cost_usd[0], demand)
    flow, oracle = (split.shares * demand[:, None])[None], Oracle(case, closeness)
    far = case.fleet.allowed & ~closeness.near(case.fleet)
    assert flow.sum() == pytest.approx(-oracle.served[0], rel=1e-5)
    assert flow[:, far].sum() == pytest.approx(oracle.far[0], abs=2e-5 * demand.sum())
    assert case.j_usd(flow) + 0.1 * case.trip_s(flow) == pytest.approx(oracle.usd, rel=2e-4)
    assert (split.stretched is None) == (flow[:, far].sum() <= 1e-6 * demand.sum())


@pytest.mark.parametrize("name", ["eglb", "hedge"])
def test_prices_that_move_with_requests_hold_the_bound(name: str) -> None:
    """Far pairs come last whatever the prices of equity have risen to: only where near sites have no tokens."""
    made_ = fleet_of_ten(workload={"demand": {"poisson": {"rate_per_s": 0.4}}, "request": {"seconds": 60}})
    shares = []
    for settings_ in ({}, {"network_p99_ms": 60.0}):
        result = run(made_, POLICIES[name](**STEPS[name], update_every=1, **settings_), engine="compiled")
        shares.append(result.record.routed[made_.fleet.rtt_s > 0.0601].sum() / result.record.routed.sum())
    assert shares[0] > 0.1
    assert shares[1] < 0.005


@pytest.mark.parametrize("settings_", [{"rtt_usd_per_request_s": 1e-3}, {"network_p99_ms": 60.0}])
def test_in_an_outage_prices_and_bound_hold_for_what_is_left(settings_: dict[str, float]) -> None:
    """Sites are taken away after the optimum was found; what is left within the bound comes first."""
    made_ = fleet_of_ten()
    policy = POLICIES["eglb-off"](**settings_)
    policy.start(made_.fleet)
    allowed = made_.fleet.allowed.copy()
    down = made_.fleet.sites.index("virginia")
    allowed[:, down] = False
    left = replace(made_.fleet, allowed=allowed)
    plan = policy.plan(observation_of(made_, left))
    assert isinstance(plan, Split)
    assert not plan.shares[:, down].any()
    assert plan.shares.sum(axis=1) == pytest.approx(1.0)
    if "network_p99_ms" in settings_:
        assert not plan.shares[made_.fleet.rtt_s > 0.0601].any()


@pytest.mark.parametrize("name", ["eglb-off", "mpc", "glb-cost", "hedge"])
@pytest.mark.parametrize("settings_", [{"rtt_usd_per_request_s": 1e-3}, {"network_p99_ms": 60.0}])
def test_they_are_policies_like_others(name: str, settings_: dict[str, float]) -> None:
    check_policy(lambda: POLICIES[name](**settings_))


@pytest.mark.parametrize("key", ["rtt_usd_per_request_s", "network_p99_ms"])
@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
def test_what_is_no_price_and_no_bound_is_refused(key: str, value: float) -> None:
    for name in PLANNERS:
        with pytest.raises(ValueError, match=f"{key} must be finite and at least 0"):
            POLICIES[name](**{key: value})
