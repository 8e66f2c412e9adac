"""The decomposition against the exact program, a second solver (Clarabel through cvxpy), by hand, and by its laws."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from conftest import world
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decomposition import Decomposition
from policies.grouping import by_allowed_sites
from policies.horizon_program import HorizonProgram, Spent
from policies.slot_program import SlotProgram
from simulator import build_world, load
from simulator.core.fill import Filled, Offers, desk_of, fill
from simulator.course import Course
from simulator.fleet import Fleet
from simulator.forecast import Outlook, Perfect
from simulator.objective import Objective

ORDERS = (1.0, 1.5, 2.0, 8.0, np.inf)


def made(seed: int, load_: float, is_full: bool) -> tuple[Fleet, Outlook, Spent]:
    """A fleet of random sizes with a mask (or none), an outlook of random prices, and what was spent before."""
    generator = np.random.default_rng(seed)
    sites, origins, slots = int(generator.integers(1, 7)), int(generator.integers(1, 6)), 6
    base = world(sites={"generate": {"count": sites}}, origins={"generate": {"count": origins}}).fleet
    allowed = generator.random((origins, sites)) < (2.0 if is_full else 0.6)
    allowed[np.arange(origins), generator.integers(0, sites, origins)] = True
    capacity = generator.uniform(0.0, 2.0, sites) + 0.1
    # What every origin gets when each shares itself out evenly, so that the demand can be carried.
    share = allowed / allowed.sum(axis=1, keepdims=True)
    most = 1.0 / (share.T / capacity[:, None]).sum(axis=1).max()
    demand = generator.uniform(0.3, 1.0, (slots, origins)) * (load_ * most)
    outlook = Outlook(
        demand_rps=demand,
        cost_usd=generator.uniform(-0.01, 0.05, (slots, sites)),
        carbon_t=generator.uniform(1e-6, 1e-5, (slots, sites)),
        water_m3=generator.uniform(1e-4, 1e-3, (slots, sites)),
        standing_carbon_t=generator.uniform(0, 1e-3, (slots, sites)),
        standing_water_m3=generator.uniform(0, 1e-1, (slots, sites)),
    )
    begun = 400 * float(capacity.max()) * float(generator.integers(0, 2))
    spent = Spent(generator.uniform(0, 1e-5, sites) * begun, generator.uniform(0, 1e-3, sites) * begun)
    return replace(base, allowed=allowed, capacity_rps=capacity), outlook, spent


def j_of(requests: np.ndarray, outlook: Outlook, spent: Spent, weights: Objective) -> float:
    """J of flows, [slots, sites], written out."""
    water = spent.water_m3 + (outlook.standing_water_m3 + outlook.water_m3 * requests).sum(axis=0)
    carbon = spent.carbon_t + (outlook.standing_carbon_t + outlook.carbon_t * requests).sum(axis=0)
    sizes = [
        np.linalg.norm(part, weights.norm) for part in (weights.weighted_water(water), weights.weighted_carbon(carbon))
    ]
    return float((outlook.cost_usd * requests).sum() + weights[0] * sizes[0] + weights[1] * sizes[1])


@given(seed=st.integers(0, 10**6), load_=st.floats(0.1, 0.999), is_full=st.booleans(), order=st.sampled_from(ORDERS))
@settings(max_examples=60, deadline=None)
def test_the_exact_optimum_lies_between_bound_and_plan(seed: int, load_: float, is_full: bool, order: float) -> None:
    """Weak duality below, a feasible plan above; with weights of sites and any norm."""
    fleet, outlook, spent = made(seed, load_, is_full)
    site_weights = np.random.default_rng(seed).uniform(0.2, 3.0, (2, len(fleet.sites)))
    weights = Objective(60.0, 1500.0, *site_weights, order)
    found = Decomposition(fleet, weights, outlook, spent).solve()
    flow = HorizonProgram(fleet, weights).solve(outlook, spent).flow.sum(axis=1) * fleet.slot_s
    exact = j_of(flow, outlook, spent, weights)
    size = abs(exact) + float((np.abs(outlook.cost_usd) * flow).sum())
    assert found.lower_usd <= exact + 2e-6 * size
    assert found.upper_usd >= exact - 2e-6 * size
    assert found.upper_usd - found.lower_usd <= 2e-6 * size
    assert j_of(found.requests, outlook, spent, weights) == pytest.approx(found.upper_usd, abs=1e-9 * size)


@given(seed=st.integers(0, 10**6), is_full=st.booleans(), order=st.sampled_from((2.0, np.inf)))
@settings(max_examples=15, deadline=None)
def test_a_second_solver_agrees(seed: int, is_full: bool, order: float) -> None:
    """All pairs of origins and sites, none merged, in a program of its own."""
    fleet, outlook, spent = made(seed, 0.9, is_full)
    slots = len(outlook.demand_rps)
    x = [cp.Variable(fleet.allowed.shape, nonneg=True) for _ in range(slots)]
    limits = [cp.sum(x[t], axis=1) == outlook.demand_rps[t] for t in range(slots)]
    limits += [cp.sum(part, axis=0) <= fleet.capacity_rps for part in x] + [part[~fleet.allowed] == 0 for part in x]
    loads = [cp.sum(part, axis=0) * fleet.slot_s for part in x]
    water = spent.water_m3 + outlook.standing_water_m3.sum(axis=0)
    carbon = spent.carbon_t + outlook.standing_carbon_t.sum(axis=0)
    water = water + sum(cp.multiply(outlook.water_m3[t], loads[t]) for t in range(slots))
    carbon = carbon + sum(cp.multiply(outlook.carbon_t[t], loads[t]) for t in range(slots))
    j = sum(outlook.cost_usd[t] @ loads[t] for t in range(slots))
    norm = "inf" if np.isinf(order) else order
    j = j + 60.0 * cp.norm(water, norm) + 1500.0 * cp.norm(carbon, norm)
    exact = float(cp.Problem(cp.Minimize(j), limits).solve(solver=cp.CLARABEL))
    found = Decomposition(fleet, Objective(60.0, 1500.0, norm=order), outlook, spent).solve()
    assert found.lower_usd <= exact + 1e-4 * abs(exact)
    assert found.upper_usd >= exact - 1e-4 * abs(exact)


@given(seed=st.integers(0, 10**6), is_full=st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_plan_serves_all_demand_within_capacity_on_allowed_sites(seed: int, is_full: bool) -> None:
    """Hall's theorem, set by set: no set of origins asks for more than its sites serve, and no site serves too much."""
    fleet, outlook, spent = made(seed, 0.95, is_full)
    requests = Decomposition(fleet, Objective(60.0, 1500.0), outlook, spent).solve().requests / fleet.slot_s
    total = outlook.demand_rps.sum(axis=1)
    assert requests.sum(axis=1) == pytest.approx(total, rel=1e-9)
    assert (requests >= 0).all()
    assert (requests <= fleet.capacity_rps * (1 + 1e-9)).all()
    origins = len(fleet.origins)
    for members in (np.arange(2**origins)[:, None] >> np.arange(origins)) % 2 == 1:
        reached = fleet.allowed[members].any(axis=0)
        asked = outlook.demand_rps[:, members].sum(axis=1)
        assert (asked <= requests[:, reached].sum(axis=1) + 1e-9 * total).all()


@given(seed=st.integers(0, 10**6), load_=st.floats(0.1, 3.0), sites=st.integers(1, 9), groups=st.integers(1, 7))
@settings(max_examples=80, deadline=None)
def test_filling_is_the_cheapest_flow_of_each_slot(seed: int, load_: float, sites: int, groups: int) -> None:
    """Greedy with augmenting paths against the transportation program, demand that cannot be carried among it."""
    generator = np.random.default_rng(seed)
    allowed = np.unique(generator.random((groups, sites)) < 0.5, axis=0)
    allowed = allowed[allowed.any(axis=1)] if allowed.any() else np.ones((1, sites), dtype=bool)
    fleet, _, _ = made(seed, 0.5, True)
    capacity = generator.uniform(0.1, 2.0, sites)
    fleet = replace(fleet, sites=tuple(map(str, range(sites))), capacity_rps=capacity, allowed=allowed)
    demand = generator.uniform(0, 1, (5, len(allowed)))
    demand *= load_ * capacity.sum() / demand.sum(axis=1, keepdims=True)
    price = generator.uniform(-1, 5, (5, sites))
    offers = Offers(price, price * 0, price * 0, demand, capacity, allowed)
    filled = Filled(np.zeros(1), np.zeros(sites), np.zeros(sites), np.zeros(1), np.zeros((5, sites)))
    fill(offers, np.zeros(sites), np.zeros(sites), desk_of(offers), filled)
    program = SlotProgram(fleet, by_allowed_sites(fleet)._replace(allowed=allowed))
    best = np.array([program.flow(p, d).sum(axis=0) for p, d in zip(price, demand, strict=True)])
    assert filled.flow.sum() == pytest.approx(best.sum(), rel=1e-6)
    assert filled.short[0] == pytest.approx(demand.sum() - best.sum(), abs=1e-5 * demand.sum())
    assert filled.cost[0] == pytest.approx((best * price).sum(), abs=1e-5 * (best * np.abs(price)).sum())


def test_a_chain_of_displacements_is_found() -> None:
    """By hand. The dearer site's only group must push the others along a chain: 0 -> 1 -> 2.

    Sites of one request each at prices 1, 2, 3; groups may use {0}, {0, 1}, {1, 2}, and ask for one each.
    """
    allowed = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1]], dtype=bool)
    price = np.array([[1.0, 2.0, 3.0]])
    offers = Offers(price, price * 0, price * 0, np.ones((1, 3)), np.ones(3), allowed)
    filled = Filled(np.zeros(1), np.zeros(3), np.zeros(3), np.zeros(1), np.zeros((1, 3)))
    fill(offers, np.zeros(3), np.zeros(3), desk_of(offers), filled)
    assert filled.flow.tolist() == [[1.0, 1.0, 1.0]]
    assert (filled.cost[0], filled.short[0]) == (6.0, 0.0)


def test_any_prices_in_the_dual_ball_give_a_bound_and_the_best_ones_are_in_it() -> None:
    """Sums of at most mu for the maximum; the search's own prices prove its bound when they are put in anew."""
    fleet, outlook, spent = made(5, 0.9, True)
    weights = Objective(60.0, 1500.0)
    found = Decomposition(fleet, weights, outlook, spent).solve()
    assert found.water_price_usd_per_m3.min() >= 0
    assert found.water_price_usd_per_m3.sum() <= 60.0 * (1 + 1e-12)
    assert found.carbon_price_usd_per_t.sum() <= 1500.0 * (1 + 1e-12)
    free = Objective(0.0, 0.0)
    water, carbon = found.water_price_usd_per_m3, found.carbon_price_usd_per_t
    priced = outlook._replace(cost_usd=outlook.cost_usd + water * outlook.water_m3 + carbon * outlook.carbon_t)
    flow = HorizonProgram(fleet, free).solve(priced, spent).flow.sum(axis=1) * fleet.slot_s
    before = water @ (spent.water_m3 + outlook.standing_water_m3.sum(axis=0))
    before += carbon @ (spent.carbon_t + outlook.standing_carbon_t.sum(axis=0))
    assert float((priced.cost_usd * flow).sum() + before) == pytest.approx(found.lower_usd, rel=1e-6)


def test_few_rounds_bound_as_well_only_less_tightly() -> None:
    fleet, outlook, spent = made(8, 0.9, False)
    search = Decomposition(fleet, Objective(60.0, 1500.0), outlook, spent)
    bounds = [search.solve(most_rounds=rounds) for rounds in (1, 3, 9, 200)]
    assert all(one.lower_usd <= bounds[-1].upper_usd for one in bounds)
    assert all(one.upper_usd >= bounds[-1].lower_usd for one in bounds)
    assert bounds[0].upper_usd - bounds[0].lower_usd >= bounds[-1].upper_usd - bounds[-1].lower_usd
    assert bounds[-1].rounds > 3


def test_demand_that_cannot_be_carried_is_told() -> None:
    fleet, outlook, spent = made(3, 0.9, True)
    over = outlook._replace(
        demand_rps=outlook.demand_rps * (2 * fleet.capacity_rps.sum() / outlook.demand_rps[0].sum())
    )
    search = Decomposition(fleet, Objective(60.0, 1500.0), over, spent)
    short = np.maximum(over.demand_rps.sum(axis=1) - fleet.capacity_rps.sum(), 0.0).sum() * fleet.slot_s
    assert search.short_requests == pytest.approx(short, rel=1e-9)
    assert short > 0


def test_without_weights_the_bound_is_the_cheapest_plan() -> None:
    fleet, outlook, spent = made(4, 0.9, False)
    search = Decomposition(fleet, Objective(0.0, 0.0), outlook, spent)
    found = search.solve()
    assert found.lower_usd == found.upper_usd == pytest.approx(search.cheapest_usd, rel=1e-12)


@pytest.mark.parametrize("glb", ["", "-partial"])
def test_ten_thousand_slots_are_bounded_to_a_part_in_a_million(glb: str) -> None:
    """100,000 flows and more; the benchmark does a year of five minutes."""
    made_ = build_world(load(f"table1{glb}", ["slots=10000", "slot_s=300"]))
    outlook, none = Perfect(made_, 0).ahead(made_.fleet.slots), np.zeros(10)
    found = Decomposition(made_.fleet, made_.fleet.objective, outlook, Spent(none, none)).solve()
    assert 0 <= found.within <= 1e-6
    course = Course(*(found.requests * part for part in (outlook.cost_usd, outlook.water_m3, outlook.carbon_t)))
    assert course.objective_usd(made_.fleet.objective) == pytest.approx(found.upper_usd, rel=1e-9)
