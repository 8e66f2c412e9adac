"""Advice: what it owes to `hedge`, when it trusts, and what perfect predictions are worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import needs, world
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.advice import Advice
from policies.hedge import Hedge
from policies.receding_horizon import RecedingHorizon
from policies.shadow import Shadow
from policies.trust import Trust
from simulator import load
from simulator.forecast import Outlook
from simulator.objective import Objective
from simulator.simulation import run

SITES = 3


def shadow(generator: np.random.Generator) -> Shadow:
    return Shadow(generator.normal(size=SITES), generator.random(SITES), generator.random(SITES))


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.sampled_from([1.0, 2.0, np.inf]))
def test_whatever_comes_j_ends_no_further_above_the_shadow_than_the_excess(seed: int, order: float) -> None:
    generator = np.random.default_rng(seed)
    mine, its, rest = (shadow(generator) for _ in range(3))
    objective = Objective(2.0, 3.0, norm=order)
    apart = mine.plus(rest).objective_usd(objective) - its.plus(rest).objective_usd(objective)
    assert apart <= mine.excess_usd(its, objective) + 1e-12


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 1))
def test_mixtures_have_no_more_excess_than_their_parts(seed: int, share: float) -> None:
    """The excess is convex, so that bisection finds how far one may go."""
    generator = np.random.default_rng(seed)
    one, other, its = (shadow(generator) for _ in range(3))
    objective = Objective(2.0, 3.0)
    mixed = one.between(other, share).excess_usd(its, objective)
    ends = one.excess_usd(its, objective), other.excess_usd(its, objective)
    assert mixed <= (1 - share) * ends[0] + share * ends[1] + 1e-12


def seen(slot: int, cost: float, demand: float = 1.0) -> Any:
    class Seen:
        cost_usd = np.full(SITES, cost)
        water_m3 = carbon_t = np.zeros(SITES)
        demand_rps = np.full(1, demand)

    Seen.slot = slot  # type: ignore[attr-defined]
    return Seen()


def foretold(costs: list[float]) -> Outlook:
    rows = np.repeat(np.array(costs)[:, None], SITES, axis=1)
    none = np.zeros_like(rows)
    return Outlook(np.ones((len(costs), 1)), rows, none, none, none, none)


def test_trust_is_earned_by_being_nearer_than_yesterday_and_lost_again() -> None:
    """By hand: true costs are 10, 12, 14, ... The first day "as now" is wrong by 2, 4, 6; the prediction by 1 each."""
    trust = Trust(Objective(0.0, 0.0), day=4, trial=2)
    trust.see(seen(0, 10.0))
    trust.promise(0, foretold([10.0, 13.0, 15.0, 17.0, 0.0]))
    assert not trust.is_earned
    trust.see(seen(1, 12.0))
    assert not trust.is_earned  # one slot is not enough
    trust.see(seen(2, 14.0))
    assert trust.is_earned  # 1 + 1 against 2 + 4
    trust.see(seen(3, 16.0))
    assert trust.is_earned  # 3 against 12
    trust.see(seen(4, 18.0))
    assert not trust.is_earned  # 3 + 18 against 12 + 8


def test_a_prediction_that_nothing_changes_is_worth_no_more_than_that_anybody_knows_it() -> None:
    trust = Trust(Objective(0.0, 0.0), day=4, trial=1)
    for slot, cost in enumerate((10.0, 11.0, 9.0, 12.0, 10.0, 11.0)):
        trust.see(seen(slot, cost))
        assert not trust.is_earned
        trust.promise(slot, foretold([cost] * 5))


def test_what_nobody_can_know_better_is_trusted() -> None:
    """In a world that does not change, "as yesterday" is never wrong, and neither is a prediction that is right."""
    trust = Trust(Objective(0.0, 0.0), day=3, trial=1)
    for slot in range(5):
        trust.see(seen(slot, 7.0))
        trust.promise(slot, foretold([7.0] * 4))
    assert trust.is_earned


def test_without_a_trial_it_is_followed_from_the_first_slot() -> None:
    one = world(slots=3, engine="fluid")
    assert run(one, Advice(10.0, "perfect", trial_h=0), engine="fluid").summary()["gap"] < 1e-4


#: Idle servers draw power, so that sites drink and emit by being on.
IDLE = {"count": 600, "concurrency": 4, "peak_w": 2000, "idle_w": 800}


@pytest.mark.parametrize("servers", [None, IDLE])
def test_without_trust_it_is_hedge(servers: Any) -> None:
    one = world(slots=72, engine="fluid", **({} if servers is None else {"servers": servers}))
    ours, its = (run(one, policy, engine="fluid") for policy in (Advice(trial_h=1e6), Hedge()))
    assert ours.objective_usd == pytest.approx(its.objective_usd, rel=1e-9)


def test_its_shadow_reads_the_meter() -> None:
    """Estimates of energy that are wrong mislead it no more than `hedge`, once meters have said so."""
    one = world(slots=96, engine="fluid", footprint_error={"noise": 0.3})
    ours, its = (run(one, policy, engine="fluid").objective_usd for policy in (Advice(trial_h=1e6), Hedge()))
    assert ours <= its * 1.01


@pytest.mark.parametrize("epsilon", [0.001, 0.003])
@pytest.mark.parametrize("servers", [None, IDLE])
def test_lies_that_are_believed_cost_no_more_than_epsilon(
    epsilon: float, servers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trust is given whatever comes true, and the bound is what holds: without it these lies cost more."""
    monkeypatch.setattr(Trust, "is_earned", True)
    one = world(slots=96, engine="fluid", **({} if servers is None else {"servers": servers}))
    its = run(one, Hedge(), engine="fluid").objective_usd
    lies = {"adversarial": "permuted"}
    bound, free = (run(one, Advice(each, lies), engine="fluid").objective_usd / its - 1.0 for each in (epsilon, 1e3))
    assert bound <= epsilon * (1 + 1e-9)
    assert free > epsilon


def test_prices_that_hold_for_hours_do_not_fill_like_slots_one_after_the_other() -> None:
    """Slots of five minutes with the signals of their hour: between two programs `mpc` goes as it planned."""
    one = world(slots=72, slot_s=300, engine="fluid")
    assert run(one, RecedingHorizon(forecaster="perfect", every_h=2), engine="fluid").summary()["gap"] < 1e-3


def test_sites_that_are_alike_share_what_prices_leave_open() -> None:
    """Ties: three sites at the same signals, which do not change. Prices alone would fill one site after the other."""
    like = [{"name": name, "latitude_deg": 48.2, "longitude_deg": 16.4} for name in ("a", "b", "c")]
    flat = {"synthetic": {"price_usd_per_mwh": 100, "carbon_kg_per_kwh": 0.3, "water_l_per_kwh": 3}}
    near = {"rtt": {"coordinates": {"fixed_ms": 0}}}
    one = world(
        slots=240, engine="fluid", sites=like, origins=like[:1], signals=flat, network=near, allowed={"full": {}}
    )
    for forecaster in ("perfect", "seasonal"):
        assert run(one, Advice(forecaster=forecaster), engine="fluid").summary()["gap"] < 0.002


@pytest.mark.parametrize("epsilon", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("forecaster", ["perfect", "persistence", {"noisy": {"relative_error_24h": 1.0}}])
def test_j_stays_within_epsilon_of_hedge(epsilon: float, forecaster: Any) -> None:
    """The promise, in a world whose demand does not vanish: J <= (1 + epsilon) J(hedge)."""
    one = world(slots=96, engine="fluid")
    ours = run(one, Advice(epsilon=epsilon, forecaster=forecaster), engine="fluid").objective_usd
    assert ours <= (1 + epsilon) * run(one, Hedge(), engine="fluid").objective_usd * (1 + 1e-9)


@needs("paper")
@pytest.mark.parametrize("scenario", ["paper-table1", "paper-table1-partial"])
def test_perfect_predictions_bring_it_within_a_five_hundredth_of_the_optimum(scenario: str) -> None:
    gap = run(load(scenario, ["engine=fluid"]), Advice(forecaster="perfect")).summary()["gap"]
    assert 0 <= gap <= 0.002


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"epsilon": -0.1}, "epsilon must be finite and at least 0"),
        ({"trial_h": float("inf")}, "trial_h must be finite"),
        ({"every_h": 0}, "every_h must be above 0"),
        ({"forecaster": "oracle"}, "unknown"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(Exception, match=says):
        Advice(**wrong)
