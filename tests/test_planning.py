"""The planning problems against a second solver (Clarabel through cvxpy), by hand, and by their laws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from conftest import world
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import POLICIES
from policies.assignment import Assignment, Dispatch, split_of
from policies.grouping import by_allowed_sites, one_by_one
from policies.horizon_program import HorizonProgram, Spent
from policies.slot_program import SlotProgram, merit_order
from simulator import run
from simulator.fleet import Fleet
from simulator.forecast import Outlook, Perfect
from simulator.objective import Objective
from simulator.plan import Witness
from simulator.world import World

Case = tuple[Fleet, np.random.Generator]


def made_fleet(generator: np.random.Generator, load: float) -> tuple[Fleet, np.ndarray]:
    """A fleet with random sizes and a random mask, and demand [origins] at about this load of its capacity."""
    sites, origins = int(generator.integers(1, 7)), int(generator.integers(1, 7))
    base = world(sites={"generate": {"count": sites}}, origins={"generate": {"count": origins}}).fleet
    allowed = generator.random((origins, sites)) < 0.6
    allowed[np.arange(origins), generator.integers(0, sites, origins)] = True
    changed = {field: getattr(base, field) for field in base.__dataclass_fields__}
    changed |= {"allowed": allowed, "capacity_rps": generator.uniform(0.0, 2.0, sites) + 0.1}
    fleet = Fleet(**changed)
    demand = generator.uniform(0, 1, origins)
    return fleet, demand * (load * fleet.capacity_rps.sum() / demand.sum())


def most_served(fleet: Fleet, demand: np.ndarray) -> float:
    """The largest flow that the pairs can carry, by the second solver."""
    x = cp.Variable(fleet.allowed.shape, nonneg=True)
    problem = cp.Problem(cp.Maximize(cp.sum(x)), _limits(fleet, x, demand))
    return float(problem.solve(solver=cp.CLARABEL))


def _limits(fleet: Fleet, x: cp.Variable, demand: np.ndarray) -> list[Any]:
    return [cp.sum(x, axis=1) <= demand, cp.sum(x, axis=0) <= fleet.capacity_rps, x[~fleet.allowed] == 0]


@given(seed=st.integers(0, 10**6), load=st.floats(0.1, 1.4), pairs=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_slot_serves_as_much_as_can_be_at_the_least_price(seed: int, load: float, pairs: bool) -> None:
    generator = np.random.default_rng(seed)
    fleet, demand = made_fleet(generator, load)
    price = generator.uniform(-1, 5, fleet.allowed.shape if pairs else len(fleet.sites))
    if pairs:
        split = split_of(SlotProgram(fleet, one_by_one(fleet)).flow(price, demand), demand, fleet)
    else:
        split = Dispatch(fleet).split(price, demand)
    flow = split.shares * demand[:, None]

    served = most_served(fleet, demand)
    assert flow.sum() == pytest.approx(served, rel=1e-6, abs=1e-6)
    x = cp.Variable(fleet.allowed.shape, nonneg=True)
    least = cp.Problem(
        cp.Minimize(cp.sum(cp.multiply(np.broadcast_to(price, fleet.allowed.shape), x))),
        [*_limits(fleet, x, demand), cp.sum(x) >= served * (1 - 1e-9)],
    ).solve(solver=cp.CLARABEL)
    assert (flow * price).sum() == pytest.approx(least, rel=1e-5, abs=1e-5 * fleet.capacity_rps.sum())
    assert (flow.sum(axis=0) <= fleet.capacity_rps * (1 + 1e-6) + 1e-9).all()
    assert not flow[~fleet.allowed].any()


@given(seed=st.integers(0, 10**6), load=st.floats(0.3, 1.5))
@settings(max_examples=60, deadline=None)
def test_a_witness_is_given_exactly_when_demand_is_left_out_and_it_proves_why(seed: int, load: float) -> None:
    """Hall's condition: the witness' origins may use no other sites, and ask for more than those can carry."""
    fleet, demand = made_fleet(np.random.default_rng(seed), load)
    split = Dispatch(fleet).split(np.arange(len(fleet.sites), dtype=float), demand)
    left = demand.sum() - most_served(fleet, demand)
    if left < 1e-5 * demand.sum():
        assert split.witness is None or left > 1e-7 * demand.sum()
        return
    assert isinstance(split.witness, Witness)
    origins = np.isin(fleet.origins, split.witness.origins)
    sites = np.isin(fleet.sites, split.witness.sites)
    assert set(np.flatnonzero(fleet.allowed[origins].any(axis=0))) == set(np.flatnonzero(sites))
    shortage = demand[origins].sum() - fleet.capacity_rps[sites].sum()
    assert shortage == pytest.approx(left, rel=1e-4)
    assert split.witness.demand_rps - split.witness.capacity_rps == pytest.approx(shortage, rel=1e-9)


@given(seed=st.integers(0, 10**6), load=st.floats(0.1, 1.4))
@settings(max_examples=60, deadline=None)
def test_of_equally_cheap_splits_the_nearest_is_taken(seed: int, load: float) -> None:
    """What each site serves is what the prices ask for; who goes where is the least sum of RTT for that."""
    generator = np.random.default_rng(seed)
    fleet, demand = made_fleet(generator, load)
    grouping = by_allowed_sites(fleet)
    planned = SlotProgram(fleet, grouping).flow(generator.uniform(0, 1, len(fleet.sites)), grouping.demand(demand))
    flow = Assignment(fleet, grouping).split(planned, demand).shares * demand[:, None]
    size = demand.sum()
    assert flow.sum(axis=0) == pytest.approx(planned.sum(axis=0), abs=1e-6 * size)
    assert grouping.demand(flow.sum(axis=1)) == pytest.approx(planned.sum(axis=1), abs=1e-6 * size)
    x = cp.Variable(fleet.allowed.shape, nonneg=True)
    limits = [x[~fleet.allowed] == 0, cp.sum(x, axis=0) <= flow.sum(axis=0) + 1e-7 * size]
    limits += [cp.sum(x, axis=1) >= flow.sum(axis=1) - 1e-7 * size]
    least = cp.Problem(cp.Minimize(cp.sum(cp.multiply(fleet.rtt_s, x))), limits).solve(solver=cp.CLARABEL)
    assert (fleet.rtt_s * flow).sum() == pytest.approx(least, rel=1e-4, abs=1e-5 * size)


def horizon_oracle(fleet: Fleet, outlook: Outlook, spent: Spent, weights: Objective, served: np.ndarray) -> float:
    """The offline objective by the second solver, over all pairs of origins and sites, none merged."""
    slots, amount = len(outlook.demand_rps), fleet.slot_s
    x = [cp.Variable(fleet.allowed.shape, nonneg=True) for _ in range(slots)]
    limits = [limit for t in range(slots) for limit in _limits(fleet, x[t], outlook.demand_rps[t])]
    limits += [cp.sum(x[t]) >= served[t] * (1 - 1e-9) for t in range(slots)]
    loads = [cp.sum(x[t], axis=0) * amount for t in range(slots)]
    cost = sum(outlook.cost_usd[t] @ loads[t] for t in range(slots))
    water = spent.water_m3 + outlook.standing_water_m3.sum(axis=0)
    water = water + sum(cp.multiply(outlook.water_m3[t], loads[t]) for t in range(slots))
    carbon = spent.carbon_t + outlook.standing_carbon_t.sum(axis=0)
    carbon = carbon + sum(cp.multiply(outlook.carbon_t[t], loads[t]) for t in range(slots))
    j = cost + weights.water_weight_usd_per_m3 * cp.max(water) + weights.carbon_weight_usd_per_t * cp.max(carbon)
    return float(cp.Problem(cp.Minimize(j), limits).solve(solver=cp.CLARABEL))


@given(seed=st.integers(0, 10**6), load=st.sampled_from([0.5, 0.9, 1.2]), begun=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_horizon_program_is_the_optimum_of_a_second_solver(seed: int, load: float, begun: bool) -> None:
    """Feasible or not, from the start or from footprints already spent."""
    generator = np.random.default_rng(seed)
    fleet, _ = made_fleet(generator, load)
    slots, origins, sites = 4, len(fleet.origins), len(fleet.sites)
    demand = generator.uniform(0.5, 1.5, (slots, origins)) * (load * fleet.capacity_rps.sum() / origins)
    outlook = Outlook(
        demand_rps=demand,
        cost_usd=generator.uniform(-0.01, 0.05, (slots, sites)),
        carbon_t=generator.uniform(1e-6, 1e-5, (slots, sites)),
        water_m3=generator.uniform(1e-4, 1e-3, (slots, sites)),
        standing_carbon_t=generator.uniform(0, 1e-3, (slots, sites)),
        standing_water_m3=generator.uniform(0, 1e-1, (slots, sites)),
    )
    most = 400 * fleet.capacity_rps.max() if begun else 0.0
    spent = Spent(generator.uniform(0, 1e-5, sites) * most, generator.uniform(0, 1e-3, sites) * most)
    weights = Objective(60.0, 1500.0)
    plan = HorizonProgram(fleet, weights).solve(outlook, spent)

    loads = plan.flow.sum(axis=1) * fleet.slot_s
    water = spent.water_m3 + (outlook.standing_water_m3 + outlook.water_m3 * loads).sum(axis=0)
    carbon = spent.carbon_t + (outlook.standing_carbon_t + outlook.carbon_t * loads).sum(axis=0)
    j = (outlook.cost_usd * loads).sum() + 60 * water.max() + 1500 * carbon.max()
    served = np.array([most_served(fleet, row) for row in demand])
    assert loads.sum(axis=1) / fleet.slot_s == pytest.approx(served, rel=1e-5)
    assert j == pytest.approx(horizon_oracle(fleet, outlook, spent, weights, served), rel=1e-4)


def test_the_multipliers_of_the_maxima_sum_to_their_weights() -> None:
    """Stationarity of J in the two maxima: sum_i gamma_i = mu, for water and for carbon; prices then follow."""
    made = world(
        sites={"generate": {"count": 4}},
        workload={"demand": {"poisson": {"rate_per_s": 0.2}}, "request": {"seconds": 60}},
    )
    outlook = Perfect(made, 0).ahead(made.fleet.slots)
    weights = Objective(60.0, 1500.0)
    plan = HorizonProgram(made.fleet, weights).solve(outlook, Spent(np.zeros(4), np.zeros(4)))
    premium = plan.price - outlook.cost_usd
    gammas = np.array(
        [
            np.linalg.lstsq(np.stack([outlook.water_m3[:, i], outlook.carbon_t[:, i]], 1), premium[:, i], rcond=None)[0]
            for i in range(4)
        ]
    )
    assert gammas.sum(axis=0) == pytest.approx((60.0, 1500.0), rel=1e-6)


def test_no_online_policy_beats_the_offline_optimum_whatever_servers_draw_when_idle() -> None:
    """With idle power the largest footprints hold what servers drink by being on; the optimum must know it."""
    servers = {"count": 4, "concurrency": 2, "peak_w": 1000, "idle_w": 600}
    made = world(sites={"generate": {"count": 5}}, servers=servers, slots=36)
    best = run(made, POLICIES["eglb-off"](), engine="fluid").objective_usd
    for name, settings_ in {"glb-cost": {}, "hedge": {"step": 20.0}, "eglb": {"step": 5.0}, "mpc": {}}.items():
        assert run(made, POLICIES[name](**settings_), engine="fluid").objective_usd >= best * (1 - 1e-9), name


def test_no_weight_means_the_merit_order(made: World) -> None:
    outlook = Perfect(made, 0).ahead(made.fleet.slots)
    plan = HorizonProgram(made.fleet, Objective(0.0, 0.0)).solve(outlook, Spent(np.zeros(3), np.zeros(3)))
    expected = [
        merit_order(c, d.sum(), made.fleet.capacity_rps)
        for c, d in zip(outlook.cost_usd, outlook.demand_rps, strict=True)
    ]
    assert plan.flow[:, 0] == pytest.approx(np.array(expected), abs=1e-6)


@pytest.fixture
def made() -> World:
    return world()


def test_merit_order_by_hand() -> None:
    """Demand 5 over capacities 2, 2, 4 at prices 3, 1, 2: the second is full, the third takes 3."""
    assert merit_order(np.array([3.0, 1.0, 2.0]), 5.0, np.array([2.0, 2.0, 4.0])).tolist() == [0.0, 2.0, 3.0]


def test_equal_prices_fill_the_lower_index_first() -> None:
    assert merit_order(np.array([1.0, 1.0]), 1.5, np.array([1.0, 1.0])).tolist() == [1.0, 0.5]


def uneven(**changes: Any) -> World:
    """Two sites of 100,000 places beside a small one, and an origin a million times smaller than the other."""
    large = {"count": 100_000, "concurrency": 1, "peak_w": 100}
    sites = [
        {"name": "a", "like": "texas", "servers": large},
        {"name": "b", "like": "japan", "servers": large},
        {"name": "c", "like": "germany", "servers": {**large, "count": 10}},
    ]
    origins = [{"name": "city", "like": "texas", "share": 1e6}, {"name": "village", "like": "japan", "share": 1}]
    demand = {"demand": {"poisson": {"rate_per_s": 1000}}, "request": {"seconds": 60}}
    asked = {"sites": sites, "origins": origins, "workload": demand, "network": {"rtt": "catalogue"}, "slots": 2}
    return world(**asked | {"allowed": {"max_rtt_ms": 200}} | changes)


@pytest.mark.parametrize("policy", ["glb-cost", "glb-nearest", "eglb-off", "eglb", "hedge", "mpc"])
def test_no_origin_is_too_small_to_be_served(policy: str) -> None:
    """A thousandth of a request a second beside capacities of 1,500: below any solver's tolerance."""
    result = run(uneven(), POLICIES[policy](), engine="fluid")
    assert result.record.fates[1].sum(axis=1) == pytest.approx(result.record.arrived, rel=1e-9)
    assert result.short_slots == 0


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_a_plan_does_not_depend_on_the_slots_before(seed: int) -> None:
    """To the last bit, also where prices are equal and many splits are as cheap."""
    generator = np.random.default_rng(seed)
    fleet, demand = made_fleet(generator, 0.7)
    tied = generator.integers(1, 3, len(fleet.sites)).astype(float)
    fresh, used = Dispatch(fleet), Dispatch(fleet)
    for _ in range(4):
        used.split(generator.uniform(0, 1, len(fleet.sites)), demand * generator.uniform(0.2, 1))
    assert np.array_equal(fresh.split(tied, demand).shares, used.split(tied, demand).shares)


def test_a_plan_of_a_large_fleet_does_not_depend_on_the_slots_before() -> None:
    made = world(sites={"generate": {"count": 120}}, origins="at_sites", allowed={"max_rtt_ms": 120}, slots=4)
    fresh, used, tied = Dispatch(made.fleet), Dispatch(made.fleet), np.ones(120)
    for slot in range(3):
        used.split(made.conditions.price_usd_per_kwh[slot], made.demand.rate_rps[slot])
    demand = made.demand.rate_rps[3]
    assert np.array_equal(fresh.split(tied, demand).shares, used.split(tied, demand).shares)


@given(
    seed=st.integers(0, 10**6),
    load=st.sampled_from([0.5, 1 - 1e-8, 1.0, 1 + 1e-8, 1 + 1e-7, 1 + 1e-6, 1.3]),
    apart=st.sampled_from([0, 4, 8]),
)
@settings(max_examples=60, deadline=None)
def test_planners_serve_as_much_as_each_other_however_uneven_the_fleet(seed: int, load: float, apart: int) -> None:
    """Sites and origins up to 1e8 apart, demand at the edge of what fits: whole rows, no row above one, no crash."""
    generator = np.random.default_rng(seed)
    made = world(sites={"generate": {"count": 6}}, origins={"generate": {"count": 5}}, slots=2)
    capacity = 10 ** generator.uniform(-apart, 4, 6)
    rates = 10 ** generator.uniform(-apart, 0, (2, 5))
    rates *= load * capacity.sum() / rates.sum(axis=1, keepdims=True)
    allowed = generator.random((5, 6)) < generator.choice([0.2, 0.5, 0.8])
    fleet = replace(made.fleet, allowed=allowed, capacity_rps=capacity)
    made = replace(made, fleet=fleet, demand=replace(made.demand, rate_rps=rates))
    names = ("glb-cost", "glb-nearest", "eglb-off", "mpc", "hedge")
    served = [run(made, POLICIES[name](), engine="fluid").record.routed.sum() for name in names]
    assert served == pytest.approx([served[0]] * 5, rel=1e-6)


@pytest.mark.parametrize("allowed", ["full", "paper-partial"])
def test_capacity_without_limit_leaves_every_planner_its_choice(allowed: str) -> None:
    """A capacity a million times above all demand gives the same plans as one that is only far above it."""
    figures = []
    for kw in (1e6, 1e9, 1e12):
        made = world(
            sites={"catalogue": "paper"},
            origins={"catalogue": "paper"},
            network={"rtt": "catalogue"},
            allowed=allowed,
            slots=8,
            planning={"site_capacity_kw": kw},
        )
        names = ("glb-cost", "glb-carbon", "glb-nearest", "eglb-off", "mpc")
        figures.append([run(made, POLICIES[name](), engine="fluid").objective_usd for name in names])
    assert figures[1] == pytest.approx(figures[0], rel=1e-6)
    assert figures[2] == pytest.approx(figures[0], rel=1e-6)
    assert len({round(figure, 9) for figure in figures[0]}) > 2


def test_a_fleet_without_capacity_serves_nobody_and_says_so() -> None:
    made = uneven()
    changed = {field: getattr(made.fleet, field) for field in made.fleet.__dataclass_fields__}
    fleet = Fleet(**changed | {"capacity_rps": np.zeros(3)})
    split = Dispatch(fleet).split(np.ones(3), made.demand.rate_rps[0])
    assert not split.shares.any()
    assert split.witness is not None
    assert split.witness.capacity_rps == 0


def test_prices_of_equity_stay_bounded_when_servers_draw_power_by_being_on() -> None:
    """At the saddle point they sum to one for each footprint (the weights of the maxima, in US$ per US$)."""
    servers = {"count": 6, "concurrency": 1, "peak_w": 1000, "idle_w": 900}
    made = world(sites={"generate": {"count": 4}}, servers=servers, slots=600)
    policy = POLICIES["eglb"](step=0.05)
    run(made, policy, engine="fluid")
    for prices in policy._prices:  # type: ignore[attr-defined]
        assert sum(prices.gamma) == pytest.approx(1.0, abs=0.2)
