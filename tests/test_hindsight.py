"""Hindsight: its smoothed program against a second solver (Clarabel through cvxpy), its laws, and the past by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from conftest import world
from hypothesis import given, settings
from hypothesis import strategies as st
from test_decomposition import made
from worlds import fleet as small

from policies.hindsight import Hindsight
from policies.past import Past
from policies.smoothed_program import SmoothedProgram
from simulator.objective import Objective
from simulator.scenario import parse
from simulator.simulation import run
from simulator.world import build_world


def smoothed_j(solver: Any, seed: int, is_full: bool, order: float, temperature: Any) -> tuple[float, float]:
    """The smoothed optimum by a second solver, and the value of the dual at the prices that we found."""
    fleet, outlook, spent = made(seed, 0.8, is_full)
    fleet = replace(fleet, standing_kwh=np.zeros(len(fleet.sites)))
    objective = Objective(60.0, 1500.0, norm=order)
    program = SmoothedProgram(fleet, objective)
    weights = np.random.default_rng(seed).uniform(0.5, 3.0, len(outlook.cost_usd))
    borne = program.burden_usd(spent.water_m3, spent.carbon_t)
    signals = np.stack([outlook.cost_usd, outlook.water_m3, outlook.carbon_t])
    gamma = program.prices(signals, outlook.demand_rps, weights, borne, temperature)
    flow = [cp.Variable(fleet.allowed.shape, nonneg=True) for _ in weights]
    held = [part[~fleet.allowed] == 0 for part in flow if (~fleet.allowed).any()]
    for part, need in zip(flow, outlook.demand_rps, strict=True):
        held += [cp.sum(part, axis=1) == need * fleet.slot_s, cp.sum(part, axis=0) <= fleet.capacity_rps * fleet.slot_s]
    loads = [weight * cp.sum(part, axis=0) for weight, part in zip(weights, flow, strict=True)]
    burden = program.burden_usd(outlook.water_m3, outlook.carbon_t)

    def total(price: Any) -> Any:
        return cp.sum([load @ price[slot] for slot, load in enumerate(loads)])

    sums = [
        borne[kind] + cp.sum([cp.multiply(load, burden[kind][slot]) for slot, load in enumerate(loads)])
        for kind in (0, 1)
    ]
    if np.isinf(order):
        sizes = [heat * cp.log_sum_exp(one / heat) for one, heat in zip(sums, temperature, strict=True)]
    else:
        sizes = [cp.pnorm(one, order) for one in sums]
    best = cp.Problem(cp.Minimize(total(outlook.cost_usd) + cp.sum(sizes)), held).solve(solver=solver)
    # Weak duality: at prices gamma no plan costs less; what the prices themselves weigh is the conjugate of the size.
    at_prices = outlook.cost_usd + (gamma[:, None] * burden).sum(axis=0)
    least = cp.Problem(cp.Minimize(total(at_prices)), held).solve(solver=solver)
    dual = least + float((gamma * borne).sum())
    if np.isinf(order):
        dual -= float((np.asarray(temperature)[:, None] * gamma * np.log(np.maximum(gamma, 1e-300))).sum())
    return float(best), float(dual)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), is_full=st.booleans(), order=st.sampled_from([1.0, 2.0, np.inf]))
def test_its_prices_are_those_of_the_smoothed_optimum(seed: int, is_full: bool, order: float) -> None:
    """No duality gap at the prices: sum of the slots' minima + entropy = the smoothed optimum, to a hundredth.

    As wide as in the middle of a run: conditional gradients crawl where the maximum is hardly smoothed at all.
    """
    heat = np.random.default_rng(seed).uniform(10.0, 40.0, 2)
    best, dual = smoothed_j(cp.CLARABEL, seed, is_full, order, heat)
    assert dual <= best + 1e-6 * abs(best) + 1e-9
    assert dual == pytest.approx(best, rel=1e-2, abs=1e-6)


def test_prices_are_a_distribution_over_sites() -> None:
    fleet, outlook, spent = made(3, 0.8, is_full=False)
    program = SmoothedProgram(fleet, Objective(60.0, 1500.0))
    signals = np.stack([outlook.cost_usd, outlook.water_m3, outlook.carbon_t])
    borne = program.burden_usd(spent.water_m3, spent.carbon_t)
    gamma = program.prices(signals, outlook.demand_rps, np.ones(len(outlook.cost_usd)), borne, np.ones(2))
    assert (gamma >= 0).all()
    assert gamma.sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-12)


def seen(slot: int, sites: int = 2) -> Any:
    """An observation of a slot, all of whose figures say its number."""

    class Seen:
        cost_usd = np.full(sites, float(slot))
        water_m3 = np.full(sites, slot + 0.1)
        carbon_t = np.full(sites, slot + 0.2)
        demand_rps = np.full(1, slot + 0.3)

    return Seen()


@pytest.mark.parametrize("longest", [1, 2, 3, 7, 100])
def test_the_past_is_the_last_slots_in_their_order(longest: int) -> None:
    held = build_world(parse(small((1, 1), slots=20)), 1).fleet
    past = Past(held, longest)
    for slot in range(20):
        past.add(seen(slot))
        known = min(slot + 1, longest)
        assert past.slots == known
        for asked in {1, known}:
            last = np.arange(slot + 1 - asked, slot + 1)
            assert past.signals(asked)[0, :, 0].tolist() == last.tolist()
            assert past.signals(asked)[2, :, 1] == pytest.approx(last + 0.2)
            assert past.demand_rps(asked)[:, 0] == pytest.approx(last + 0.3)


@pytest.mark.parametrize(
    ("slot_s", "known", "windows"),
    [
        (3600.0, 5, [5]),
        (3600.0, 24, [24]),
        (3600.0, 47, [24]),
        (3600.0, 50, [24, 48]),
        (3600.0, 400, [24, 48, 96, 168, 336]),
        (300.0, 300, [288]),
        (86400.0, 20, [1, 2, 4, 7, 14]),
    ],
)
def test_windows_are_whole_days_as_many_as_there_are(slot_s: float, known: int, windows: list[int]) -> None:
    policy = Hindsight()
    policy.start(build_world(parse(small((1,), slots=max(known, 400), slot_s=slot_s)), 1).fleet)
    for slot in range(known):
        policy._past.add(seen(slot, 1))
    assert policy._windows(slot_s) == windows


def days_alike(days: int, **changes: Any) -> Any:
    """A world whose days are all the same."""
    hours = 24 * days
    made = world(slots=hours, engine="fluid", **changes)
    repeat = np.arange(hours) % 24
    conditions = type(made.conditions)(*(part[repeat] if len(part) == hours else part for part in made.conditions))
    demand = replace(made.demand, rate_rps=made.demand.rate_rps[repeat])
    return replace(made, conditions=conditions, demand=demand)


def test_where_all_days_are_alike_nothing_is_left_to_learn_after_the_first() -> None:
    """The rest is like the past: after a day only the width of the smoothing stands between it and the optimum."""
    gaps = [run(days_alike(days), Hindsight(), engine="fluid").summary()["gap"] for days in (4, 16)]
    assert gaps[1] < gaps[0] < 0.02
    assert gaps[1] < 0.004


def test_it_uses_nothing_but_the_past_and_the_current_slot() -> None:
    """Two worlds that differ from some slot on only: it plans the same until then."""
    one = world(slots=60, engine="fluid")
    later = np.arange(60) >= 40
    conditions = one.conditions._replace(
        price_usd_per_kwh=np.where(
            later[:, None], one.conditions.price_usd_per_kwh[::-1] * 3, one.conditions.price_usd_per_kwh
        )
    )
    other = replace(one, conditions=conditions)
    first, second = (run(each, Hindsight(), engine="fluid").footprint.meter_kwh for each in (one, other))
    assert np.array_equal(first[:40], second[:40])
    assert not np.array_equal(first[40:], second[40:])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"windows_h": []}, "windows_h must be one number or more"),
        ({"windows_h": [24, 0]}, "each above 0"),
        ({"caution": 0.4}, "caution must be finite and at least 0.5"),
        ({"every_h": 0}, "every_h must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Hindsight(**wrong)
