"""A user's own rule for single requests, in both engines, and what is said of rules and plans that are none."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from conftest import world
from worlds import Ask, InTurn, fleet, play, world_of

from policies import POLICIES
from simulator import Dual, Own, PolicyError, Score, check_policy, run
from simulator.policy import RoutingPolicy


@numba.njit
def in_turn(origin, time_s, u, waiting, free, data, memory):
    """Sites one after the other; the memory counts."""
    memory[0] += 1
    return int(memory[0] - 1) % len(waiting)


@numba.njit
def emptiest(origin, time_s, u, waiting, free, data, memory):
    """The site with the most free places less requests waiting; of equal ones the first."""
    best = 0
    for site in range(len(waiting)):
        if free[site] - waiting[site] > free[best] - waiting[best]:
            best = site
    return best


@numba.njit
def by_table(origin, time_s, u, waiting, free, data, memory):
    """What the table says; the number u and the time pick the column."""
    return int(data[origin, int(u * 2) + (2 if time_s >= 10.0 else 0)])


def sites(world, plan, asks) -> list[int]:
    return play(world, plan, asks).record.requests.site.tolist()


def test_a_memory_is_kept_from_plan_to_plan() -> None:
    """Seven requests over four plans go to three sites in turn; a memory of another length begins anew."""
    three = world_of(fleet((9, 9, 9), slots=4, slot_s=25.0))
    asks = [Ask(10.0 * k) for k in range(7)]
    own = Own(in_turn, np.zeros((1, 1)), memory=1)
    assert sites(three, own, asks) == [0, 1, 2, 0, 1, 2, 0]
    assert sites(three, InTurn(own, Own(in_turn, np.zeros((1, 1)), memory=2)), asks) == [0, 1, 2, 0, 1, 2, 0]


def test_a_rule_sees_queues_now_or_as_they_were() -> None:
    """Two sites of 2 places: requests go where more is free; with a look each 10 s all go to site 0."""
    two = world_of(fleet((2, 2)))
    asks = [Ask(1.0 * k, 50.0) for k in range(4)] + [Ask(10.0, 50.0)]
    assert sites(two, Own(emptiest, np.zeros((1, 1))), asks) == [0, 1, 0, 1, 0]
    assert sites(two, Own(emptiest, np.zeros((1, 1)), refresh_s=10.0), asks) == [0, 0, 0, 0, 1]


def test_a_rule_has_the_origin_the_time_the_number_and_the_table() -> None:
    """Columns by u below or above one half, before and after 10 s; -1 rejects."""
    table = np.array([[0, 1, 1, 0], [1, 1, -1, 0]])
    two = world_of(fleet((9, 9), (1, 1)))
    asks = [Ask(1, u=0.1), Ask(2, u=0.9), Ask(3, origin=1), Ask(11, u=0.1), Ask(12, u=0.1, origin=1), Ask(13, u=0.9)]
    assert sites(two, Own(by_table, table), asks) == [0, 1, 1, 1, -1, 0]


@pytest.mark.parametrize("engine", ["compiled", "simpy"])
@pytest.mark.parametrize(
    ("answer", "says"), [(1, "sends a request from o0 to s1, which o0 may not use"), (7, "picks 7"), (-2, "picks -2")]
)
def test_a_site_that_the_origin_may_not_use_ends_the_run(engine: str, answer: int, says: str) -> None:
    two = world_of(fleet((9, 9)), allowed=[[True, False]])
    table = np.full((1, 4), answer)
    with pytest.raises(PolicyError, match=says):
        play(two, Own(by_table, table), [Ask(1)], engine=engine)


@numba.njit
def writes(origin, time_s, u, waiting, free, data, memory):
    waiting[0] += 10
    return 0


@numba.njit
def raises(origin, time_s, u, waiting, free, data, memory):
    if time_s > 2.0:
        raise ValueError("too late")
    return 0


@numba.njit
def beyond(origin, time_s, u, waiting, free, data, memory):
    memory[int(time_s)] = 1.0
    return 0


@numba.njit
def a_share(origin, time_s, u, waiting, free, data, memory):
    return u


@numba.njit
def nothing(origin, time_s, u, waiting, free, data, memory):
    pass


@numba.njit
def too_few(origin, time_s):
    return 0


@pytest.mark.parametrize("engine", ["compiled", "simpy"])
@pytest.mark.parametrize(
    ("rule", "kind", "says"),
    [
        (writes, (PolicyError, ValueError), "Cannot modify readonly|cannot be compiled|read-only"),
        (raises, ValueError, "too late"),
        (beyond, IndexError, "out of bounds"),
        (a_share, PolicyError, "returns float64|picks 0"),
        (nothing, PolicyError, "returns none|picks None"),
        (too_few, (PolicyError, TypeError), "cannot be compiled|takes 2 positional arguments"),
    ],
)
def test_a_rule_that_fails_ends_the_run(engine: str, rule, kind, says: str) -> None:
    """What it raises, what it may not write to, an index out of bounds, what is no site: in both engines."""
    with pytest.raises(kind, match=says) as caught:
        play(world_of(fleet((9, 9))), Own(rule, np.zeros((1, 1)), memory=3), [Ask(1), Ask(5)], engine=engine)
    assert len(str(caught.value).splitlines()) == 1


def test_plain_python_is_for_the_reference() -> None:
    """The compiled engine says so, and how to compile it."""

    def first(origin, time_s, u, waiting, free, data, memory):
        return 0

    one, plan = world_of(fleet((9,))), Own(first, np.zeros((1, 1)))
    assert play(one, plan, [Ask(1)], engine="simpy").record.requests.site.tolist() == [0]
    with pytest.raises(PolicyError, match=r"rule first is plain Python.*@numba.njit.*--engine simpy"):
        play(one, plan, [Ask(1)], engine="compiled")


GOOD = {"steps": "euclidean", "step": 1.0, "burden_usd": np.ones((2, 3)), "most_usd": np.ones((2, 3)), "requests": 1.0}
PRICES = Score(np.ones((3, 3)))


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (
            Dual(PRICES, **{**GOOD, "steps": "big"}),
            "steps must be one of euclidean, entropic, adaptive-e",
        ),
        (Dual(PRICES, **{**GOOD, "step": -1.0}), "step must be finite"),
        (Dual(PRICES, **{**GOOD, "requests": float("nan")}), "requests must be finite"),
        (Dual(PRICES, **{**GOOD, "burden_usd": np.ones((3, 2))}), r"burden_usd must have the shape \[2, sites\]"),
        (Dual(PRICES, **{**GOOD, "most_usd": np.full((2, 3), np.inf)}), "must be finite"),
        (Dual(PRICES, **GOOD, update_every=0), "update_every must be a whole number from 1"),
        (Dual(Score(np.ones((3, 2))), **GOOD), "score must have the shape"),
        (Own(5, np.ones((1, 1))), "rule must be a function"),
        (Own(in_turn, np.ones(3)), "data must have two dimensions, not 1"),
        (Own(in_turn, np.ones((1, 1)), memory=-1), "memory must be a length"),
        (Own(in_turn, np.ones((1, 1)), refresh_s=1e-9), "refresh_s must be 0"),
    ],
)
def test_what_is_no_plan_is_refused(plan, says: str) -> None:
    class Says(RoutingPolicy):
        def plan(self, observation):
            return plan

    with pytest.raises(PolicyError, match=says):
        run(world(), Says())


@pytest.mark.parametrize("name", ["eglb", "hedge"])
def test_policies_with_moving_prices_keep_the_contract(name: str) -> None:
    check_policy(lambda: POLICIES[name](update_every=5))


def test_the_contract_tells_two_own_rules_apart() -> None:
    class Wavering(RoutingPolicy):
        turn = 0

        def plan(self, observation):
            Wavering.turn += 1
            return Own(in_turn if Wavering.turn % 5 else emptiest, np.zeros((1, 1)), memory=1)

    with pytest.raises(PolicyError, match="different plans"):
        check_policy(Wavering)
