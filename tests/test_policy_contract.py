"""The contract of routing policies: ours keep it, and the check finds those that do not."""

from __future__ import annotations

import sys
import types
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import SMALL, world

from policies import POLICIES
from simulator import InputError, PolicyError, RoutingPolicy, Score, Split, check_policy, run
from simulator.problem import Problems
from simulator.roster import check_policies, settings_of
from simulator.scenario.choice import PolicyChoice


@pytest.mark.parametrize("name", POLICIES)
def test_every_built_in_policy_keeps_the_contract(name: str) -> None:
    check_policy(POLICIES[name])


@pytest.mark.parametrize("name", [name for name in POLICIES if "rule" in settings_of(POLICIES[name])])
def test_every_built_in_policy_keeps_the_contract_as_scores(name: str) -> None:
    check_policy(lambda: POLICIES[name](rule={"score": {"wait_price_usd_per_s": 0.001, "refresh_s": 30}}))


def even(observation: Any) -> np.ndarray:
    allowed = observation.fleet.allowed.astype(float)
    return allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)


class Even(RoutingPolicy):
    """The policy that the wrong ones below differ from by one thing each."""

    def plan(self, observation: Any) -> Any:
        return Split(even(observation))


class Forbidden(Even):
    def plan(self, observation: Any) -> Any:
        return Split(np.full(observation.fleet.allowed.shape, 1 / len(observation.fleet.sites)))


class TooMuch(Even):
    def plan(self, observation: Any) -> Any:
        return Split(1.5 * even(observation))


class Negative(Even):
    def plan(self, observation: Any) -> Any:
        return Split(-even(observation))


class NotANumber(Even):
    def plan(self, observation: Any) -> Any:
        return Split(np.nan * even(observation))


class Transposed(Even):
    def plan(self, observation: Any) -> Any:
        return Split(np.ones((len(observation.fleet.sites), len(observation.fleet.origins) + 1)))


class NoPlan(Even):
    def plan(self, observation: Any) -> Any:
        return even(observation)


class Meddling(Even):
    def plan(self, observation: Any) -> Any:
        observation.demand_rps[:] = 0
        return Split(even(observation))


class Random(Even):
    def plan(self, observation: Any) -> Any:
        share = np.random.default_rng().random()
        return Split(share * even(observation))


class Remembering(Even):
    def __init__(self) -> None:
        self.seen = 0

    def plan(self, observation: Any) -> Any:
        self.seen += 1
        return Split(even(observation) / self.seen)


class Crashing(Even):
    def plan(self, observation: Any) -> Any:
        return Split(even(observation) / {}["nothing"])


class InfiniteScore(Even):
    def plan(self, observation: Any) -> Any:
        return Score(np.full(observation.fleet.allowed.shape, np.inf))


class NegativeBurst(Even):
    def plan(self, observation: Any) -> Any:
        return Score(np.zeros(observation.fleet.allowed.shape), burst_s=-1)


class OftenFresh(Even):
    def plan(self, observation: Any) -> Any:
        return Score(np.zeros(observation.fleet.allowed.shape), refresh_s=1e-7)


class RandomCaps(Even):
    def plan(self, observation: Any) -> Any:
        caps = np.random.default_rng().random(len(observation.fleet.sites))
        return Score(np.zeros(observation.fleet.allowed.shape), rate_cap_rps=caps)


class Leaving(Even):
    def plan(self, observation: Any) -> Any:
        raise SystemExit(3)


class LawMaking(Even):
    held = "allowed"

    def plan(self, observation: Any) -> Any:
        held = getattr(observation.fleet, self.held)
        held.setflags(write=True)
        held[:] = 1
        return Split(even(observation))


class RoadMaking(LawMaking):
    held = "nearest"


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (RoadMaking, "ValueError: cannot set WRITEABLE flag to True"),
        (OftenFresh, "refresh_s must be 0"),
        (RandomCaps, "two fresh policies say different plans"),
        (Leaving, "SystemExit: 3"),
        (LawMaking, "ValueError: cannot set WRITEABLE flag to True"),
        (Forbidden, "may not use site"),
        (TooMuch, "more than 1"),
        (Negative, "at least 0"),
        (NotANumber, "NaN"),
        (Transposed, "shape"),
        (NoPlan, "must return a Split, a Score, a Dual or an Own"),
        (Meddling, "read-only"),
        (Random, "two fresh policies say different plans"),
        (Remembering, "forget the run before"),
        (Crashing, "KeyError"),
        (InfiniteScore, "finite"),
        (NegativeBurst, "burst_s"),
    ],
)
def test_the_check_finds_what_is_wrong(kind: type[RoutingPolicy], what: str) -> None:
    with pytest.raises(PolicyError, match=what):
        check_policy(kind)


def test_shares_of_single_precision_are_shares() -> None:
    """A softmax as machine learning makes it misses one by some 1e-8; that is not demand left out."""

    class Softmax(RoutingPolicy):
        def plan(self, observation: Any) -> Any:
            logits = np.random.default_rng(observation.slot).normal(size=observation.fleet.allowed.shape)
            shares = np.exp(logits).astype(np.float32)
            return Split(shares / shares.sum(axis=1, keepdims=True, dtype=np.float32))

    for engine in ("simpy", "fluid"):
        result = run(world(), Softmax(), engine=engine)
        assert (result.short_slots, result.summary()["rejected"]) == (0, 0)


def test_a_policy_of_ones_own_may_call_anything_its_rule() -> None:
    class Ruled(Even):
        rule = "high-score-first"

    problems = Problems()
    sys.modules["own_ruled"] = types.ModuleType("own_ruled")
    sys.modules["own_ruled"].Ruled = Ruled  # type: ignore[attr-defined]
    check_policies([PolicyChoice(name="own_ruled:Ruled")], "fluid", [], problems)
    assert not problems.found
    assert run(world(), Ruled(), engine="fluid").short_slots == 0


def test_scores_leave_out_origins_that_no_site_may_serve_and_say_so() -> None:
    made = world(allowed={"max_rtt_ms": 0.5}, origins={"generate": {"count": 2}})
    assert not made.fleet.allowed.any()
    row = run(made, POLICIES["glb-cost"](rule="score"), engine="simpy").summary()
    assert row["short_slots"] == made.fleet.slots
    assert row["rejected"] == row["requests"] > 0
    assert row["unserved_requests"] == pytest.approx(made.expected_requests)


def test_an_even_policy_passes() -> None:
    check_policy(Even)


def test_a_policy_is_never_shown_the_future_unless_it_names_a_forecaster() -> None:
    seen = []

    class Curious(Even):
        def plan(self, observation: Any) -> Any:
            seen.append(observation)
            return super().plan(observation)

    run(world(), Curious(), engine="fluid")
    assert all(observation.forecast is None for observation in seen)
    fields = set(seen[0].__dataclass_fields__)
    assert not fields & {"world", "tape", "requests"}


def test_a_policy_sees_the_ledger_of_finished_slots_in_units_of_the_full_fleet() -> None:
    """Totals seen at slot t are those of slots before t, divided by fleet_scale; held against the final footprint."""
    seen = []

    class Watching(Even):
        def plan(self, observation: Any) -> Any:
            seen.append(observation)
            return super().plan(observation)

    for engine in ("fluid", "simpy"):
        seen.clear()
        result = run(world(fleet_scale=0.5), Watching(), engine=engine)
        assert seen[0].last is None
        for slot in (1, 5, 11):
            assert seen[slot].last.cost_usd == pytest.approx(result.footprint.cost_usd[slot - 1])
            assert seen[slot].total.water_l == pytest.approx(result.footprint.water_l[:slot].sum(axis=0))


def test_a_partial_plan_rejects_the_rest_at_the_origin() -> None:
    class Half(Even):
        def plan(self, observation: Any) -> Any:
            return Split(0.5 * even(observation))

    row = run(world(slots=60), Half(), engine="fluid").summary()
    assert row["rejected"] == pytest.approx(row["requests"] / 2)
    row = run(world(slots=60), Half(), engine="simpy").summary()
    spread = np.sqrt(row["requests"] * 0.25)
    assert abs(row["rejected"] - row["requests"] / 2) < 3.3 * spread


def test_infeasible_constraints_give_a_partial_plan_and_its_witness() -> None:
    """Three times the capacity of the one site each origin may use: two thirds stay unserved, and it is said why."""
    made = world(
        allowed={"max_rtt_ms": 2}, workload={"demand": {"poisson": {"rate_per_s": 0.81}}, "request": {"seconds": 60}}
    )
    assert made.fleet.allowed.sum() == 3
    for name in ("glb-cost", "glb-nearest", "eglb-off", "eglb", "hedge", "mpc"):
        result = run(made, POLICIES[name](), engine="fluid", label=name)
        row = result.summary()
        assert row["rejected"] / row["requests"] == pytest.approx(2 / 3, rel=1e-3), name
        assert result.short_slots == 12
        assert result.witness is not None
        assert result.witness.demand_rps > result.witness.capacity_rps
        shortage = result.witness.demand_rps - result.witness.capacity_rps
        assert shortage * SMALL["slots"] * SMALL["slot_s"] == pytest.approx(row["unserved_requests"], rel=1e-3)


def test_the_fluid_engine_refuses_scores() -> None:
    with pytest.raises(PolicyError, match="simpy"):
        run(world(), POLICIES["glb-cost"](rule="score"), engine="fluid")


def test_settings_override_the_objective_for_that_policy_alone() -> None:
    """Weights of zero make the offline optimum the cheapest plan; J is still reported at the scenario's weights."""
    made = world(planning={"utilisation_cap": 0.5})
    free = run(made, POLICIES["eglb-off"](water_weight_usd_per_m3=0, carbon_weight_usd_per_t=0), engine="fluid")
    cheapest = run(made, POLICIES["glb-cost"](), engine="fluid")
    assert free.cost_usd == pytest.approx(cheapest.cost_usd, rel=1e-6)
    assert free.fleet.objective == made.fleet.objective
    assert replace(free, policy="x").objective_usd > free.cost_usd


@pytest.mark.parametrize(
    ("plan", "what"),
    [
        (lambda fleet: Split([[0.0] * len(fleet.sites)] * len(fleet.origins)), None),
        (lambda fleet: Score([[1] * len(fleet.sites)] * len(fleet.origins), rate_cap_rps=[1] * len(fleet.sites)), None),
        (lambda fleet: Split(np.zeros(fleet.allowed.shape) + 0j), "shares must be real numbers"),
        (lambda fleet: Split([["half"] * len(fleet.sites)] * len(fleet.origins)), "shares must be real numbers"),
        (
            lambda fleet: Score(np.zeros(fleet.allowed.shape), rate_cap_rps=np.zeros(1)),
            "rate_cap_rps must have the shape",
        ),
        (lambda fleet: Score(np.zeros(fleet.allowed.shape), burst_s="long"), "burst_s"),
    ],
)
def test_plans_may_be_lists_and_what_is_no_plan_is_said_with_its_slot(plan: Any, what: str | None) -> None:
    class Given(RoutingPolicy):
        def plan(self, observation: Any) -> Any:
            return plan(observation.fleet)

    if what is None:
        run(world(), Given(), engine="simpy")
        return
    with pytest.raises(PolicyError, match=f"slot 0: {what}"):
        run(world(), Given(), engine="simpy")


def test_queues_and_places_are_seen_in_units_of_the_full_fleet() -> None:
    seen = []

    class Watching(Even):
        def plan(self, observation: Any) -> Any:
            seen.append(observation)
            return super().plan(observation)

    crowd = {"demand": {"poisson": {"rate_per_s": 2}}, "request": {"seconds": 60}}
    waiting = []
    for scale in (1, 10):
        seen.clear()
        run(world(fleet_scale=scale, workload=crowd), Watching(), engine="simpy")
        assert (seen[-1].places_open == 6).all()
        waiting.append(seen[-1].waiting.sum())
    # Far above capacity the queue is what came and could not be served: 2/s for 6,600 s less 18 places' work.
    assert waiting == pytest.approx([2 * 6600 - 18 / 60 * 6600] * 2, rel=0.05)


def test_a_policy_by_name_has_the_settings_of_its_scenario() -> None:
    made = world(policies=[{"eglb": {"step": 5.0}}])
    named, by_hand, default = (
        run(made, p, engine="fluid") for p in ("eglb", POLICIES["eglb"](step=5.0), POLICIES["eglb"]())
    )
    assert named.cost_usd == by_hand.cost_usd
    assert named.cost_usd != default.cost_usd


def test_what_cannot_be_run_is_refused() -> None:
    made = world()
    for wrong in ({"seed": 2}, {"engine": "compile"}):
        with pytest.raises(InputError):
            run(made, "glb-cost", **wrong)
    for policy in (POLICIES["eglb"], 5):
        with pytest.raises(InputError):
            run(made, policy)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        run(made.scenario, "glb-cost", seed=-1)
    assert run(made.scenario, "glb-cost", seed=2, engine="fluid").seed == 2
