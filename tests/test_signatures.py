"""Failure signatures: each fires where it was made to, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import world

from policies import POLICIES
from policies.merit_order import MeritOrder
from simulator import Observation, run
from simulator.fleet import FloatArray
from simulator.remarks import remarks
from simulator.result import RunResult
from simulator.signatures import INEQUITY, OVERRUN, SLOW, decision_times, overrun, signatures, slow, spike

#: Two days of four unlike sites, proportional power, a third of what they can carry.
FOUR: dict[str, Any] = {
    "slots": 48,
    "slot_s": 3600,
    "sites": {"generate": {"count": 4}},
    "servers": {"count": 3, "concurrency": 2, "peak_w": 1000, "power": "proportional"},
    "workload": {"demand": {"poisson": {"rate_per_s": 0.1}}, "request": {"seconds": 20}},
    "objective": {"water_weight_usd_per_m3": 600, "carbon_weight_usd_per_t": 15000},
}


class Dearest(MeritOrder):
    """The dearest sites first."""

    def price(self, observation: Observation) -> FloatArray:
        return -observation.cost_usd


def made(policy: str, **changes: Any) -> RunResult:
    return run(world(**{**FOUR, **changes}), POLICIES[policy](), engine="fluid", label=policy)


def test_the_optimum_shows_nothing() -> None:
    assert signatures(made("eglb-off")) == []


def test_a_policy_that_minds_cost_alone_shows_a_spike_in_a_day_that_the_optimum_evens_out() -> None:
    """The window, its ratio and that of the plan by hand, from the footprints."""
    result = made("glb-cost")
    found = spike(result, "water")
    assert found is not None and found.name == INEQUITY
    assert result.gap.optimum is not None
    own, plan = result.footprint.water_m3, result.gap.optimum.course.water_m3
    ratios = []
    for slot in range(48 - 24 + 1):
        sums = [part[slot : slot + 24].sum(axis=0) for part in (own, plan)]
        ratios.append([part.max() / part.mean() for part in sums])
    worst = max(ratios, key=lambda pair: pair[0] / pair[1])
    assert found.value == pytest.approx(worst[0])
    assert found.limit == pytest.approx(1.25 * worst[1])
    assert found.value > found.limit
    assert f"{worst[1]:.2f}" in found.sentence


def test_a_spike_is_told_for_a_window_even_if_the_whole_run_is_even() -> None:
    """The optimal plan's own course, but with one day's water all at one site and the next day's at the others."""
    result = made("eglb-off")
    water = result.gap.course.water_m3.copy()
    daily = water[:24].sum()
    water[:24] = 0.0
    water[:24, 0] = daily / 24
    shifted = replace(result, known_gap=replace(result.gap, course=result.gap.course._replace(water_m3=water)))
    found = spike(shifted, "water")
    assert found is not None
    assert found.value == pytest.approx(4.0)  # all at one of four
    assert spike(shifted, "carbon") is None


def test_few_requests_are_luck_and_no_spike() -> None:
    """A hundredth of the requests: 190 a day over four sites."""
    few = {"demand": {"poisson": {"rate_per_s": 0.0006}}, "request": {"seconds": 20}}
    result = run(world(**{**FOUR, "workload": few}), POLICIES["glb-cost"](), engine="compiled")
    assert result.gap.against == "optimum"
    assert spike(result, "water") is None
    many = run(world(**FOUR), POLICIES["glb-cost"](), engine="compiled")
    assert spike(many, "water") is not None


def test_who_buys_the_dearest_power_overruns_its_cost() -> None:
    made_ = world(**FOUR)
    result = run(made_, Dearest(), engine="fluid", label="dearest")
    cheapest = run(made_, POLICIES["glb-cost"](), engine="fluid")
    assert result.gap.optimum is not None
    assert result.gap.optimum.cheapest_usd == pytest.approx(cheapest.cost_usd, rel=1e-9)
    found = overrun(result)
    assert found is not None and found.name == OVERRUN
    assert found.value == pytest.approx(result.cost_usd / cheapest.cost_usd)
    assert f"{result.cost_usd / cheapest.cost_usd - 1:.1%}" in found.sentence
    assert overrun(cheapest) is None


def test_what_the_optimum_itself_pays_for_equity_is_no_overrun() -> None:
    """Strong weights make the optimum dear; to pay as much is what was asked for."""
    result = made("eglb-off", objective={"water_weight_usd_per_m3": 6e4, "carbon_weight_usd_per_t": 1.5e6})
    assert result.gap.optimum is not None
    assert result.cost_usd > 1.1 * result.gap.optimum.cheapest_usd
    assert overrun(result) is None


@pytest.mark.parametrize(
    ("times_s", "slot_s", "is_slow"),
    [
        (np.full(200, 1.2), 3600.0, True),
        (np.full(200, 0.8), 3600.0, False),
        (np.append(np.zeros(199), 30.0), 3600.0, False),  # one that sets things up
        (np.append(np.zeros(190), np.full(10, 30.0)), 3600.0, True),
        (np.full(200, 0.2), 10.0, True),  # a hundredth of the slot is 0.1 s
        (np.full(200, 0.05), 10.0, False),
    ],
)
def test_slow_is_beside_the_slot_and_not_by_one_decision(times_s: FloatArray, slot_s: float, is_slow: bool) -> None:
    result = made("glb-cost")
    timed = replace(result, decision_s=times_s, fleet=replace(result.fleet, slot_s=slot_s))
    assert (slow(timed) is not None) == is_slow
    if is_slow:
        assert slow(timed).name == SLOW  # type: ignore[union-attr]


def test_every_decision_is_timed() -> None:
    times = decision_times(made("hedge"))
    assert times["count"] == 48
    assert 0 < times["median_ms"] <= times["p99_ms"] <= times["largest_ms"]


def test_notes_name_signatures_and_why_there_is_no_gap_once_for_all_policies() -> None:
    plain = [made("glb-cost"), made("eglb-off")]
    notes = remarks(plain)
    assert f"{INEQUITY}: glb-cost (failure signatures; see the report)" in notes
    busy = {"demand": {"poisson": {"rate_per_s": 5.0}}, "request": {"seconds": 60}}
    notes = remarks([made("glb-cost", workload=busy), made("glb-carbon", workload=busy)])
    assert sum("no gap to the offline optimum" in note for note in notes) == 1
    assert any(note.startswith("all policies: no gap to the offline optimum: ") for note in notes)
