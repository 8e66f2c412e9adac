"""Norms of burdens: laws, programs with them against a second solver, and prices that learn their saddle points."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from conftest import world
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import POLICIES
from policies.horizon_program import HorizonPlan, HorizonProgram, Spent
from policies.slot_program import SlotProgram
from simulator import run
from simulator.fleet import Fleet, FloatArray
from simulator.forecast import Outlook, Perfect
from simulator.norm import dual_order, size_of, slope_of
from simulator.normed_prices import NormedEntropicPrices, NormedEuclideanPrices, normed_auxiliary
from simulator.objective import Objective
from simulator.prices import EntropicPrices, EuclideanPrices, Prices
from simulator.study.prospect import equitable, outlook_of

ORDERS = (1.0, 1.2, 1.5, 2.0, 3.0, 8.0, 40.0)


@given(
    burden=st.lists(st.floats(0, 1e6), min_size=1, max_size=6),
    other=st.lists(st.floats(0, 1e6), min_size=6, max_size=6),
    order=st.sampled_from(ORDERS),
)
@settings(max_examples=200, deadline=None)
def test_a_plane_touches_the_norm_and_lies_below_it(burden: list[float], other: list[float], order: float) -> None:
    """Hoelder: slope.v = ||v|| where it touches, slope.w <= ||w|| anywhere, and the slope has the dual norm 1."""
    here, there = np.array(burden), np.array(other[: len(burden)])
    slope, size = slope_of(here, order), size_of(here, order)
    assert size == pytest.approx(float(np.linalg.norm(here, order)), rel=1e-9)
    assert slope @ here == pytest.approx(size, rel=1e-9)
    assert slope @ there <= size_of(there, order) * (1 + 1e-9)
    assert size_of(slope, dual_order(order)) == pytest.approx(1.0, rel=1e-9)


def test_norms_by_hand() -> None:
    """(3, 4): sum 7, Euclidean 5, largest 4; dual orders 1/p + 1/q = 1."""
    burden = np.array([3.0, 4.0])
    assert [size_of(burden, order) for order in (1.0, 2.0, math.inf)] == pytest.approx([7.0, 5.0, 4.0], rel=1e-15)
    assert slope_of(burden, 2.0).tolist() == pytest.approx([0.6, 0.8], rel=1e-15)
    assert [dual_order(order) for order in (1.0, 2.0, 4.0, math.inf)] == [math.inf, 2.0, 4 / 3, 1.0]
    assert size_of(np.zeros(3), 2.0) == 0.0


def test_the_objective_by_hand() -> None:
    """Water (2, 3) m3 weighs (2 x 2, 3 x 1), carbon (1, 5) t (1, 0): L2 of (4, 3) is 5, of (1, 0) is 1."""
    weighed = Objective(10.0, 100.0, np.array([2.0, 1.0]), np.array([1.0, 0.0]), 2.0)
    water, carbon = np.array([2.0, 3.0]), np.array([1.0, 5.0])
    assert (weighed.water_usd(water), weighed.carbon_usd(carbon)) == pytest.approx((50.0, 100.0), rel=1e-15)
    plain = Objective(10.0, 100.0)
    assert (plain.water_usd(water), plain.carbon_usd(carbon)) == (30.0, 500.0)
    assert plain.formula == "cost + 10 US$/m3 x max(water) + 100 US$/t x max(carbon)"
    assert weighed.formula == "cost + 10 US$/m3 x L2(a water) + 100 US$/t x L2(b carbon)"
    assert (plain.is_plain, weighed.is_plain) == (True, False)
    assert weighed.times(3.0).water_usd(water) == pytest.approx(150.0)


def case(seed: int) -> tuple[Fleet, Outlook, Spent, Objective]:
    """A fleet with a random mask, four slots, footprints that are spent already, and weights of sites."""
    generator = np.random.default_rng(seed)
    sites, origins, slots = int(generator.integers(2, 6)), int(generator.integers(1, 5)), 4
    base = world(sites={"generate": {"count": sites}}, origins={"generate": {"count": origins}}).fleet
    allowed = generator.random((origins, sites)) < 0.7
    allowed[np.arange(origins), generator.integers(0, sites, origins)] = True
    changed = {field: getattr(base, field) for field in base.__dataclass_fields__}
    fleet = Fleet(**changed | {"allowed": allowed, "capacity_rps": generator.uniform(0.5, 2.0, sites)})
    outlook = Outlook(
        demand_rps=generator.uniform(0.1, 0.5, (slots, origins)) * fleet.capacity_rps.min(),
        cost_usd=generator.uniform(-0.01, 0.05, (slots, sites)),
        carbon_t=generator.uniform(1e-6, 1e-5, (slots, sites)),
        water_m3=generator.uniform(1e-4, 1e-3, (slots, sites)),
        standing_carbon_t=generator.uniform(0, 1e-3, (slots, sites)),
        standing_water_m3=generator.uniform(0, 1e-1, (slots, sites)),
    )
    spent = Spent(generator.uniform(0, 2e-3, sites), generator.uniform(0, 0.2, sites))
    weights = generator.uniform(0, 3, (2, sites)) * (generator.random((2, sites)) < 0.8)
    return fleet, outlook, spent, Objective(60.0, 1500.0, weights[0], weights[1])


def j_of(flow: Any, outlook: Outlook, spent: Spent, weighed: Objective, fleet: Fleet) -> float:
    loads = flow.sum(axis=1) * fleet.slot_s
    water = spent.water_m3 + (outlook.standing_water_m3 + outlook.water_m3 * loads).sum(axis=0)
    carbon = spent.carbon_t + (outlook.standing_carbon_t + outlook.carbon_t * loads).sum(axis=0)
    return float((outlook.cost_usd * loads).sum()) + weighed.water_usd(water) + weighed.carbon_usd(carbon)


def oracle(outlook: Outlook, spent: Spent, weighed: Objective, fleet: Fleet) -> float:
    """The optimum of J by the second solver, over all pairs of origins and sites."""
    served = [_most_served(fleet, demand) for demand in outlook.demand_rps]
    x = [cp.Variable(fleet.allowed.shape, nonneg=True) for _ in served]
    limits = [limit for t, flow in enumerate(x) for limit in _limits(fleet, flow, outlook.demand_rps[t])]
    limits += [cp.sum(flow) >= most * (1 - 1e-9) for flow, most in zip(x, served, strict=True)]
    loads = [cp.sum(flow, axis=0) * fleet.slot_s for flow in x]
    water: Any = spent.water_m3 + outlook.standing_water_m3.sum(axis=0)
    carbon: Any = spent.carbon_t + outlook.standing_carbon_t.sum(axis=0)
    for t, load in enumerate(loads):
        water, carbon = water + cp.multiply(outlook.water_m3[t], load), carbon + cp.multiply(outlook.carbon_t[t], load)
    j: Any = sum(outlook.cost_usd[t] @ load for t, load in enumerate(loads))
    for weight, of_sites, footprint in zip(weighed[:2], weighed[2:4], (water, carbon), strict=True):
        norm, more = _norm(cp.multiply(of_sites, footprint), weighed.norm)
        j, limits = j + weight * norm, limits + more
    return float(cp.Problem(cp.Minimize(j), limits).solve(solver=cp.CLARABEL))


def _norm(burden: Any, order: float) -> tuple[Any, list[Any]]:
    """A norm of burdens in cones: t with v_i <= r_i^(1/q) t^(1 - 1/q) and sum r_i = t."""
    if order in (1.0, 2.0) or math.isinf(order):
        return cp.norm(burden, "inf" if math.isinf(order) else int(order)), []
    t, r = cp.Variable(), cp.Variable(burden.shape)
    return t, [cp.PowCone3D(r, t * np.ones(burden.shape), burden, 1 / order), cp.sum(r) == t]


def _limits(fleet: Fleet, x: cp.Variable, demand: FloatArray) -> list[Any]:
    return [cp.sum(x, axis=1) <= demand, cp.sum(x, axis=0) <= fleet.capacity_rps, x[~fleet.allowed] == 0]


def _most_served(fleet: Fleet, demand: FloatArray) -> float:
    x = cp.Variable(fleet.allowed.shape, nonneg=True)
    return float(cp.Problem(cp.Maximize(cp.sum(x)), _limits(fleet, x, demand)).solve(solver=cp.CLARABEL))


@given(seed=st.integers(0, 10**6), order=st.sampled_from([*ORDERS, math.inf]))
@settings(max_examples=40, deadline=None)
def test_the_program_is_the_optimum_of_a_second_solver_in_every_norm(seed: int, order: float) -> None:
    """cvxpy models a q-norm by cones of powers, ours by planes: nothing in common but the optimum."""
    fleet, outlook, spent, weighed = case(seed)
    weighed = weighed._replace(norm=order)
    plan = HorizonProgram(fleet, weighed).solve(outlook, spent)
    ours = j_of(plan.flow, outlook, spent, weighed, fleet)
    assert ours == pytest.approx(oracle(outlook, spent, weighed, fleet), rel=2e-6, abs=1e-6)


@given(seed=st.integers(0, 10**6), order=st.sampled_from([*ORDERS, math.inf]))
@settings(max_examples=40, deadline=None)
def test_prices_of_the_optimum_bring_it_about(seed: int, order: float) -> None:
    """Lagrange: at cost + multipliers x footprints no slot has a cheaper flow, and multipliers are in the dual ball."""
    fleet, outlook, spent, weighed = case(seed)
    weighed = weighed._replace(norm=order)
    program = HorizonProgram(fleet, weighed)
    plan = program.solve(outlook, spent)
    slot = SlotProgram(fleet, program.grouping)
    paid = (plan.flow.sum(axis=1) * plan.price).sum()
    demand = program.grouping.demand(outlook.demand_rps)
    least = sum((slot.flow(p, d).sum(axis=0) * p).sum() for p, d in zip(plan.price, demand, strict=True))
    size = float((plan.flow.sum(axis=1) * np.abs(plan.price)).sum())
    assert paid <= least + 2e-6 * size
    for part, weight, of_sites in zip(_multipliers(plan, outlook), weighed[:2], weighed[2:4], strict=True):
        seen = of_sites > 0
        gamma = part[seen] / of_sites[seen] / weight
        assert size_of(gamma, dual_order(order)) <= 1 + 1e-6 if seen.any() else True


def _multipliers(plan: HorizonPlan, outlook: Outlook) -> FloatArray:
    """What a m3 and a t cost at each site, from prices: [water and carbon, sites]."""
    found = []
    for i in range(plan.price.shape[1]):
        footprints = np.stack([outlook.water_m3[:, i], outlook.carbon_t[:, i] * 100], 1)
        found.append(np.linalg.lstsq(footprints, plan.price[:, i] - outlook.cost_usd[:, i], rcond=None)[0])
    return np.maximum(np.array(found).T * np.array([[1.0], [100.0]]), 0.0)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_sum_is_a_merit_order_and_high_norms_tend_to_the_maximum(seed: int) -> None:
    """||v||_1 is linear: weighted GLB. max <= ||v||_q <= N^(1/q) max, and so are the optima of J without cost."""
    fleet, outlook, spent, weighed = case(seed)
    flow = HorizonProgram(fleet, weighed._replace(norm=1.0)).solve(outlook, spent).flow
    price = outlook.cost_usd + 60 * weighed.water_site_weights * outlook.water_m3
    price = price + 1500 * weighed.carbon_site_weights * outlook.carbon_t
    program = HorizonProgram(fleet, weighed)
    slot, demand = SlotProgram(fleet, program.grouping), program.grouping.demand(outlook.demand_rps)
    merit = sum((slot.flow(p, d).sum(axis=0) * p).sum() for p, d in zip(price, demand, strict=True))
    assert (flow.sum(axis=1) * price).sum() == pytest.approx(merit, rel=1e-6, abs=1e-9)

    free = outlook._replace(cost_usd=np.zeros_like(outlook.cost_usd))
    optima = []
    for order in (1.0, 2.0, 4.0, 16.0, 256.0, math.inf):
        asked = weighed._replace(norm=order)
        optima.append(j_of(HorizonProgram(fleet, asked).solve(free, spent).flow, free, spent, asked, fleet))
    assert all(high >= low * (1 - 1e-6) for high, low in pairwise(optima))
    assert optima[-2] <= optima[-1] * len(fleet.sites) ** (1 / 256) * (1 + 1e-6)


@given(seed=st.integers(0, 10**6), count=st.integers(1, 6), order=st.sampled_from(ORDERS))
@settings(max_examples=100, deadline=None)
def test_the_auxiliary_step_of_a_norm_is_a_cone_program(seed: int, count: int, order: float) -> None:
    """argmin of ||z||_q - gamma.z over 0 <= z <= most, by the second solver."""
    generator = np.random.default_rng(seed)
    gamma, most = generator.normal(0.5, 0.7, count), generator.uniform(0, 3, count)
    z = cp.Variable(count, nonneg=True)
    norm, more = _norm(1.0 * z, order)
    least = cp.Problem(cp.Minimize(norm - gamma @ z), [z <= most, *more]).solve(solver=cp.CLARABEL)
    ours = np.array(normed_auxiliary(gamma.tolist(), most.tolist(), order))
    assert (ours >= 0).all()
    assert (ours <= most + 1e-12).all()
    assert size_of(ours, order) - gamma @ ours == pytest.approx(least, abs=2e-6)


def test_the_auxiliary_step_by_hand() -> None:
    """Euclidean, gamma (2, 0.6), most (3, 9): the first is at its bound, r^2 = 9 / (1 - 0.36), z_2 = 0.6 r = 2.25."""
    assert normed_auxiliary([2.0, 0.6], [3.0, 9.0], 2.0) == pytest.approx([3.0, 2.25], rel=1e-14)
    assert normed_auxiliary([0.6, 0.79], [3.0, 9.0], 2.0) == [0.0, 0.0]  # 0.36 + 0.6241 < 1
    assert normed_auxiliary([1.5, 0.9], [3.0, 9.0], 1.0) == [3.0, 0.0]
    assert normed_auxiliary([2.0, 2.0], [0.0, 0.0], 2.0) == [0.0, 0.0]
    assert normed_auxiliary([50.0, 1.2], [3.0, 2.0], 1.001) == pytest.approx([3.0, 2.0])


@given(seed=st.integers(0, 10**6), count=st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_prices_of_a_high_norm_are_those_of_the_maximum(seed: int, count: int) -> None:
    """At q = 10^6 steps of the norm and of the maximum are the same but for a millionth or so."""
    generator = np.random.default_rng(seed)
    pairs: list[tuple[Prices, Prices]] = [
        (NormedEuclideanPrices(count, 1e6), EuclideanPrices(count)),
        (NormedEntropicPrices(count, 1e6), EntropicPrices(count)),
    ]
    for normed, plain in pairs:
        for _ in range(5):
            charged, most = generator.uniform(0, 1, count).tolist(), generator.uniform(1, 2, count).tolist()
            for prices in (normed, plain):
                prices.move(charged, 0.3, most, 1.0)
        assert normed.gamma == pytest.approx(plain.gamma, abs=1e-4)


@pytest.mark.parametrize("order", ORDERS)
def test_entropic_prices_of_a_norm_stay_on_the_dual_sphere_and_learn_the_slope(order: float) -> None:
    """Of burdens that do not change, gamma tends to the slope of the norm: where gamma.burden is the norm itself."""
    burden, prices = np.array([1.0, 3.0, 0.0, 2.0]), NormedEntropicPrices(4, order)
    for _ in range(4000):
        prices.move(burden.tolist(), 0.02, [], 1.0)
        assert size_of(np.array(prices.gamma), dual_order(order)) == pytest.approx(1.0, rel=1e-9)
    assert np.array(prices.gamma) @ burden == pytest.approx(size_of(burden, order), rel=1e-6)


def test_a_site_that_was_idle_for_long_does_not_shoot_up() -> None:
    """Its share has faded; the slope there has no bound, and one request must not make it the only one that counts."""
    prices = NormedEntropicPrices(2, 2.0)
    for _ in range(2000):
        prices.move([1.0, 0.0], 0.5, [], 1.0)
    prices.move([1.0, 1.0], 0.5, [], 1.0)
    assert prices.gamma[1] < 0.01


@pytest.mark.parametrize("order", [1.0, 1.5, 2.0, 6.0])
@pytest.mark.parametrize("policy", ["hedge", "eglb"])
def test_online_equity_comes_near_the_saddle_point_of_a_norm(policy: str, order: float) -> None:
    """A world that stays as it is: prices learn, and J of 600 slots comes within 0.5 % of the offline optimum's."""
    made = world(
        sites={"generate": {"count": 4, "seed": 2}},
        slots=600,
        servers={"count": 3, "concurrency": 2, "peak_w": 1000, "power": "proportional"},
        signals={
            "synthetic": {
                "price_usd_per_mwh": {"per_site": dict(zip(_names(4), (30, 60, 50, 40), strict=True))},
                "carbon_kg_per_kwh": {"per_site": dict(zip(_names(4), (0.6, 0.1, 0.3, 0.5), strict=True))},
                "water_l_per_kwh": {"per_site": dict(zip(_names(4), (2.0, 5.0, 1.0, 4.0), strict=True))},
            }
        },
        objective={"norm": order, "water_weight_usd_per_m3": 20, "carbon_weight_usd_per_t": 60},
    )
    best = equitable(made.fleet, outlook_of(made), made.fleet.objective).objective_usd(made.fleet.objective)
    found = run(made, POLICIES[policy](step=3.0), engine="fluid").objective_usd
    plain = run(made, POLICIES["glb-cost"](), engine="fluid").objective_usd
    assert best * (1 - 1e-7) <= found <= best * 1.005
    assert plain > best * 1.2


def _names(count: int) -> list[str]:
    return list(world(sites={"generate": {"count": count, "seed": 2}}).fleet.sites)


@pytest.mark.parametrize("order", [2.0, 8.0])
def test_a_window_over_the_whole_run_is_the_offline_optimum_in_a_norm_too(order: float) -> None:
    made = world(sites={"generate": {"count": 4}}, objective={"norm": order, "water_site_weights": "aware"})
    everything = run(made, POLICIES["mpc"](window_h=24, forecaster="perfect"), engine="fluid").objective_usd
    assert everything == pytest.approx(run(made, POLICIES["eglb-off"](), engine="fluid").objective_usd, rel=1e-5)


def test_the_same_program_gives_the_same_bytes() -> None:
    made = world(sites={"generate": {"count": 5}}, slots=24)
    outlook, weighed = Perfect(made, 0).ahead(24), Objective(60.0, 1500.0, norm=3.0)
    spent = Spent(np.zeros(5), np.zeros(5))
    one, two = (HorizonProgram(made.fleet, weighed).solve(outlook, spent) for _ in range(2))
    assert np.array_equal(one.flow, two.flow)
    assert np.array_equal(one.price, two.price)
