"""Feasibility: what a fleet can carry, against brute force and a second solver; what is left out grows with stress."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import chain, combinations
from typing import Any

import numpy as np
import pytest
from conftest import world
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import policies.feasibility as module
from policies import POLICIES
from policies.feasibility import shortfall
from simulator import run
from simulator.fleet import Fleet, FloatArray
from simulator.study.breaking import BreakingPoint, breaking_candidate, breaking_point
from simulator.study.masks import nested_masks
from simulator.world import World


def made(seed: int, load: float, slots: int = 5, most: int = 7) -> tuple[Fleet, FloatArray]:
    """A fleet with random sizes and a random mask (some origins may use no site), and demand [slots, origins]."""
    generator = np.random.default_rng(seed)
    sites, origins = (int(number) for number in generator.integers(1, most, 2))
    base = world(sites={"generate": {"count": sites}}, origins={"generate": {"count": origins}}).fleet
    allowed = generator.random((origins, sites)) < generator.choice([0.2, 0.5, 0.9])
    fleet = replace(base, allowed=allowed, capacity_rps=generator.uniform(0.1, 2.0, sites))
    return fleet, generator.uniform(0, 2, (slots, origins)) * (load * fleet.capacity_rps.sum() / origins)


def by_brute_force(fleet: Fleet, demand: FloatArray) -> float:
    """The largest excess of any set of origins over all that their sites can carry, a minimum cut, set by set."""
    every = range(len(fleet.origins))
    sets = chain.from_iterable(combinations(every, count) for count in range(len(every) + 1))
    excess = [
        demand[list(some)].sum() - fleet.capacity_rps[fleet.allowed[list(some)].any(axis=0)].sum() for some in sets
    ]
    return float(max(excess))


def by_second_solver(fleet: Fleet, demand: FloatArray) -> float:
    """Demand less the largest flow, by scipy."""
    pairs = np.argwhere(fleet.allowed)
    if not len(pairs):
        return float(demand.sum())
    rows = np.vstack(
        [[pairs[:, 0] == j for j in range(len(demand))], [pairs[:, 1] == i for i in range(len(fleet.sites))]]
    )
    most = linprog(-np.ones(len(pairs)), A_ub=rows.astype(float), b_ub=np.concatenate([demand, fleet.capacity_rps]))
    return float(demand.sum() + most.fun)


@given(seed=st.integers(0, 10**6), load=st.floats(0.2, 1.5), few=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_shortfall_is_what_no_flow_can_carry(seed: int, load: float, few: bool) -> None:
    """By all subsets, and by a program for each slot."""
    fleet, demand = made(seed, load)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW", module.FEW if few else 0)
        found = shortfall(fleet, demand)
    least = np.array([by_brute_force(fleet, row) for row in demand])
    assert [by_second_solver(fleet, row) for row in demand] == pytest.approx(least.tolist(), abs=1e-7)
    least = np.where(least > 1e-6 * demand.sum(axis=1), least, 0.0)
    if found is None:
        assert not least.any()
        return
    assert found.unserved_rps == pytest.approx(least.max(), rel=1e-5)
    assert least[found.slot] == pytest.approx(least.max(), rel=1e-5)
    assert found.slots == np.count_nonzero(least)
    assert found.requests == pytest.approx(least.sum() * fleet.slot_s, rel=1e-5)
    # The witness proves it: its origins may use no other sites, and ask for so much more than those can carry.
    origins, sites = np.isin(fleet.origins, found.witness.origins), np.isin(fleet.sites, found.witness.sites)
    np.testing.assert_array_equal(fleet.allowed[origins].any(axis=0), sites)
    proved = demand[found.slot][origins].sum() - fleet.capacity_rps[sites].sum()
    assert proved == pytest.approx(found.unserved_rps, rel=1e-4)


def pair_of_sites() -> tuple[Fleet, FloatArray]:
    """Two sites of 3 servers with 2 places: 0.9 x 6 / 60 = 0.09 requests/s each; two origins at home."""
    fleet = world(
        sites=[{"name": "texas"}, {"name": "japan"}],
        network={"rtt": "catalogue"},
        allowed={"pairs": {"texas": ["texas"], "japan": ["japan"]}},
        slots=3,
    ).fleet
    return fleet, np.array([[0.05, 0.05], [0.12, 0.01], [0.0, 0.10]])


def test_a_shortfall_by_hand() -> None:
    """Of 0.12 requests/s 0.03 are left out, and of 0.10 in the last slot 0.01. A request takes 60 s of a place, which
    adds (1000 - 300) / 2 = 350 W: 0.03 x 60 x 350 W = 0.63 kW."""
    found = shortfall(*pair_of_sites())
    assert found is not None
    assert (found.slot, found.slots, found.witness.origins, found.witness.sites) == (1, 2, ("texas",), ("texas",))
    assert found.unserved_rps == pytest.approx(0.03)
    assert found.requests == pytest.approx((0.03 + 0.01) * 600)
    assert found.short_kw == pytest.approx(0.63)


def test_the_manifest_figures_of_a_run_are_those_of_the_shortfall() -> None:
    """What plans left out is the least that has to be, and both say the same of the worst slot."""
    fleet, demand = pair_of_sites()
    base = world(
        sites=[{"name": "texas"}, {"name": "japan"}],
        network={"rtt": "catalogue"},
        allowed={"pairs": {"texas": ["texas"], "japan": ["japan"]}},
        slots=3,
    )
    result = run(replace(base, demand=replace(base.demand, rate_rps=demand)), POLICIES["eglb-off"](), engine="fluid")
    row, found = result.shortfall(), shortfall(fleet, demand)
    assert found is not None
    assert (row.pop("origins"), row.pop("sites")) == (["texas"], ["texas"])
    expected = {"slots": 2, "requests": found.requests, "demand_rps": 0.12, "capacity_rps": 0.09, "short_kw": 0.63}
    assert row == pytest.approx(expected)


def test_an_origin_without_any_site_is_short_of_the_power_of_a_mean_site() -> None:
    fleet, demand = pair_of_sites()
    found = shortfall(replace(fleet, allowed=np.array([[False, False], [True, True]])), demand)
    assert found is not None
    assert found.witness.sites == ()
    assert found.short_kw == pytest.approx(0.12 * 60 * 0.35)


def test_a_year_of_slots_takes_well_under_a_second() -> None:
    made_ = world(sites={"catalogue": "paper"}, network={"rtt": "catalogue"}, allowed="paper-partial", slots=457)
    generator = np.random.default_rng(1)
    demand = generator.uniform(0.5, 1.4, (8760, 10)) * made_.fleet.capacity_rps
    started = time.perf_counter()
    assert shortfall(made_.fleet, demand) is not None
    assert time.perf_counter() - started < 0.5


@given(seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_the_largest_growth_is_where_the_tightest_cut_is_full(seed: int) -> None:
    """min over slots and sets of origins of capacity / demand: the parametric form of the minimum cut."""
    fleet, demand = made(seed, 0.5)
    fleet = replace(fleet, allowed=fleet.allowed | np.eye(*fleet.allowed.shape, dtype=bool))
    fleet = replace(fleet, allowed=np.where(fleet.allowed.any(axis=1)[:, None], fleet.allowed, True))
    every = range(len(fleet.origins))
    sets = [list(some) for count in every for some in combinations(every, count + 1)]
    largest = min(
        fleet.capacity_rps[fleet.allowed[some].any(axis=0)].sum() / row[some].sum() for row in demand for some in sets
    )
    point = breaking_point(lambda growth: shortfall(fleet, growth * demand) is None, 0.0, 100.0, 1e-6)
    if largest < 99:
        assert point.holds == pytest.approx(largest, rel=1e-5)
        assert point.fails is not None and 0 < point.fails - point.holds <= 1e-6
    else:
        assert point == BreakingPoint(100.0, None)


@given(threshold=st.floats(-5, 15), low=st.floats(0, 10), high=st.floats(0, 10), tolerance=st.floats(1e-12, 1.0))
def test_a_breaking_point_has_the_threshold_between_its_sides(
    threshold: float, low: float, high: float, tolerance: float
) -> None:
    """In both directions of stress."""
    sign = 1 if low <= high else -1

    def holds(stress: float) -> bool:
        return sign * stress <= sign * threshold

    point = breaking_point(holds, low, high, tolerance)
    if not holds(low):
        assert point == (None, low)
    elif holds(high):
        assert point == (high, None)
    else:
        assert point.holds is not None and point.fails is not None
        assert holds(point.holds) and not holds(point.fails)
        assert abs(point.fails - point.holds) <= max(tolerance, 2e-15 * abs(point.holds))


@given(count=st.integers(0, 40), first=st.integers(0, 40))
def test_among_candidates_the_exact_neighbours_are_found_with_few_calls(count: int, first: int) -> None:
    calls = []

    def holds(candidate: str) -> bool:
        calls.append(candidate)
        return int(candidate) < first

    point = breaking_candidate(holds, [str(k) for k in range(count)])
    assert point.holds == (None if first == 0 or count == 0 else str(min(first, count) - 1))
    assert point.fails == (None if first >= count else str(first))
    assert len(calls) <= count.bit_length()


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan")])
def test_bisection_needs_a_tolerance(tolerance: float) -> None:
    with pytest.raises(ValueError, match="tolerance must be above 0"):
        breaking_point(lambda stress: stress < 1, 0.0, 2.0, tolerance)


def stressed(growth: float, **changes: Any) -> World:
    """Five sites and uneven origins."""
    shares = [3, 1, 1, 2, 1]
    origins = [
        {"name": f"o{k}", "like": like, "share": share}
        for k, (like, share) in enumerate(
            zip(["texas", "virginia", "germany", "japan", "denmark"], shares, strict=True)
        )
    ]
    places = ["texas", "virginia", "germany", "japan", "singapore"]
    asked: dict[str, Any] = {"sites": [{"name": place} for place in places], "origins": origins, "slots": 6}
    demand = {"demand": {"poisson": {"rate_per_s": 0.4}}, "request": {"seconds": 60}, "growth": growth}
    return world(**asked, workload=demand, network={"rtt": "catalogue"}, **changes)


@pytest.mark.parametrize("growth", [0.4, 0.9, 1.3])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fewer_pairs_never_lower_j_while_all_is_served_and_never_serve_more(growth: float, seed: int) -> None:
    """Fluid: each mask holds the sparser ones, so what these allow it allows too."""
    made_ = stressed(growth)
    masks = nested_masks(made_.fleet.allowed, made_.fleet.nearest, [1.0, 0.7, 0.4, 0.2, 0.0], seed)
    results = [
        run(replace(made_, fleet=replace(made_.fleet, allowed=mask)), POLICIES["eglb-off"](), engine="fluid")
        for mask in masks
    ]
    left = np.array([0.0 if r.unserved_requests is None else r.unserved_requests.sum() for r in results])
    assert (np.diff(left) >= -1e-6 * results[0].record.arrived.sum()).all()
    served = [result.objective_usd for result, gone in zip(results, left, strict=True) if gone == 0]
    assert (np.diff(served) >= -1e-6 * np.abs(served[:-1])).all() if len(served) > 1 else True
    for mask, result, gone in zip(masks, results, left, strict=True):
        found = shortfall(replace(made_.fleet, allowed=mask), made_.demand.rate_rps)
        assert gone == pytest.approx(0.0 if found is None else found.requests, rel=1e-5)
        assert result.short_slots == (0 if found is None else found.slots)
