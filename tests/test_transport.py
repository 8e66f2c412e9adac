"""Transportation of many pairs: against a second solver, by hand, and the same as the general solver at any size."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from conftest import world
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import slot_program
from policies.grouping import one_by_one
from policies.slot_program import SlotProgram
from simulator.core.transport import Pairs, transport


def solved(allowed: np.ndarray, price: np.ndarray, demand: np.ndarray, capacity: np.ndarray, penalty: float):
    """The flow [groups, sites] of a table of prices."""
    pairs = np.argwhere(allowed)
    first = np.searchsorted(pairs[:, 0], np.arange(len(allowed) + 1))
    flow = np.zeros(allowed.shape)
    flow[allowed] = transport(Pairs(first, pairs[:, 1].copy(), price[allowed].astype(float)), demand, capacity, penalty)
    return flow


def test_a_transport_by_hand() -> None:
    """The origin that has nowhere else to go keeps the cheap site; the other one moves, and half of it stays behind."""
    allowed = np.array([[True, False], [True, True]])
    price = np.array([[0.1, 0.0], [0.2, 0.9]])
    flow = solved(allowed, price, np.array([2.0, 2.0]), np.array([2.0, 1.0]), 6.0)
    np.testing.assert_array_equal(flow, [[2, 0], [0, 1]])


@given(seed=st.integers(0, 10**6), are_whole=st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_transport_is_a_linear_program(seed: int, are_whole: bool) -> None:
    """By the second solver; with whole numbers most bases are degenerate, and sites may have no capacity at all."""
    generator = np.random.default_rng(seed)
    groups, sites = generator.integers(1, 7, 2)
    allowed = generator.random((groups, sites)) < 0.7
    if are_whole:
        price = generator.integers(-3, 4, (groups, sites)) / 3
        demand, capacity = generator.integers(0, 4, groups).astype(float), generator.integers(0, 4, sites).astype(float)
    else:
        price = generator.uniform(-1, 1, (groups, sites))
        demand, capacity = generator.uniform(0, 1, groups), generator.uniform(0, 1, sites)
    penalty = 2.0 * (min(groups, sites) + 1)
    flow = solved(allowed, price, demand, capacity, penalty)
    assert flow.min() >= 0
    assert not flow[~allowed].any()
    assert (flow.sum(axis=0) <= capacity + 1e-9).all()
    assert (flow.sum(axis=1) <= demand + 1e-9).all()
    x = cp.Variable((groups, sites), nonneg=True)
    left = demand - cp.sum(x, axis=1)
    usd = cp.sum(cp.multiply(price, x)) + penalty * cp.sum(left)
    bounds = [left >= 0, cp.sum(x, axis=0) <= capacity, cp.multiply(x, ~allowed) == 0]
    least = cp.Problem(cp.Minimize(usd), bounds).solve(solver=cp.CLARABEL)
    assert (price * flow).sum() + penalty * (demand.sum() - flow.sum()) == pytest.approx(least, abs=1e-5)


@pytest.mark.parametrize("load", [0.6, 1.0, 1.3])
def test_large_slots_cost_what_the_general_solver_says(load: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """60 sites and 60 origins within 120 ms, half empty, to the brim, and with more than can be carried."""
    fleet = world(sites={"generate": {"count": 60}}, allowed={"max_rtt_ms": 120}).fleet
    generator = np.random.default_rng(7)
    fleet = replace(fleet, capacity_rps=generator.uniform(0.1, 2.0, 60))
    demand = generator.uniform(0, 1, 60)
    demand *= load * fleet.capacity_rps.sum() / demand.sum()
    found = []
    for many in (0, 10**9):
        monkeypatch.setattr(slot_program, "MANY", many)
        flow = SlotProgram(fleet, one_by_one(fleet)).flow(fleet.rtt_s, demand)
        found.append((flow.sum(), (flow * fleet.rtt_s).sum()))
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    assert (found[0][0] < demand.sum() * 0.99) == (load >= 1)
