"""The gap to the offline optimum: against the optimum's own runs, by hand, and by its laws."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import needs, world
from worlds import Ask, InTurn, fleet, play, split, world_of

from policies import POLICIES
from simulator import build_world, gap, load, offline, run
from simulator.asked import Asked
from simulator.gap import DYNAMIC, WHOLE, gap_of, with_gaps
from simulator.result import RunResult
from simulator.tables import regret_table
from simulator.tape import Tape
from simulator.world import World

#: A bigger world than that of ``conftest``: five unlike sites, a day and a half, enough requests that luck is small.
FIVE: dict[str, Any] = {
    "slots": 36,
    "slot_s": 3600,
    "sites": {"generate": {"count": 5}},
    "workload": {"demand": {"poisson": {"rate_per_s": 0.15}}, "request": {"seconds": 20}},
}
PROPORTIONAL = {"count": 3, "concurrency": 2, "peak_w": 1000, "power": "proportional"}


def runs(made: World, engine: str = "fluid", *names: str) -> dict[str, RunResult]:
    names = names or ("glb-cost", "glb-nearest", "hedge", "eglb-off")
    results = with_gaps([run(made, POLICIES[name](), engine=engine) for name in names])
    return dict(zip(names, results, strict=True))


@pytest.mark.parametrize("servers", [PROPORTIONAL, {"count": 3, "concurrency": 2, "peak_w": 1000, "idle_w": 600}])
def test_the_offline_policy_has_no_gap_and_no_policy_has_a_smaller_one(servers: dict[str, Any]) -> None:
    """The flows of the fluid engine are what was planned for; also where idle servers draw whatever is served."""
    found = runs(world(**FIVE, servers=servers))
    assert found["eglb-off"].summary()["gap"] == pytest.approx(0.0, abs=1e-7)
    for result in found.values():
        row = result.summary()
        assert (row["gap_of"], row["gap_against"], row["offline_within"]) == (WHOLE, "optimum", 0.0)
        assert row["gap"] == pytest.approx(result.objective_usd / found["eglb-off"].objective_usd - 1, abs=1e-7)
        assert row["gap"] >= -1e-9
    assert found["glb-cost"].summary()["gap"] > 0.001


def test_requests_are_compared_with_the_optimum_of_what_arose_not_of_what_was_expected() -> None:
    """Another seed brings other requests at the same rates, and so another optimum."""
    made = world(**FIVE, servers=PROPORTIONAL)
    expected = runs(made, "fluid", "eglb-off")["eglb-off"].objective_usd
    for seed in (1, 2, 3):
        other = world(**FIVE, servers=PROPORTIONAL, seed=seed)
        found = runs(other, "compiled", "eglb-off", "hedge")
        row = found["eglb-off"].summary()
        assert row["objective_offline_usd"] != pytest.approx(expected, rel=1e-6)
        assert -0.005 < row["gap"] < found["hedge"].summary()["gap"]
        arrived = found["hedge"].record.arrived.sum()
        assert found["hedge"].record.asked.sum() == pytest.approx(arrived, rel=1e-3)


@needs("paper")
@pytest.mark.parametrize(
    ("scenario", "best_usd"), [("paper-table1", 623_661.3525), ("paper-table1-partial", 629_943.2094)]
)
def test_the_optimum_of_the_authors_data_is_the_known_one(scenario: str, best_usd: float) -> None:
    row = run(build_world(load(scenario)), "glb-cost", engine="fluid").summary()
    assert row["objective_offline_usd"] == pytest.approx(best_usd, abs=0.01)
    assert row["gap_against"] == "optimum"


def test_work_lies_in_the_slots_in_which_it_would_be_done() -> None:
    """By hand, slots of 100 s and services of 60 s: a request that arises at 70 is half done in its slot.

    One that arises at 170 of 200 s has half of its work beyond the end, where nobody charges it.
    """
    made = world_of(fleet((9,), request={"seconds": 60.0}, slots=2))
    asks = [Ask(10, 60), Ask(70, 60), Ask(100, 60), Ask(170, 60)]
    result = play(made, InTurn(split([1])), asks)
    assert result.record.asked[:, 0] == pytest.approx([1.5, 2.0])
    busy_s = result.record.busy_place_s.sum(axis=1)
    assert busy_s == pytest.approx([90.0, 120.0])


def test_a_request_counts_by_its_size_and_may_last_for_many_slots() -> None:
    """Mean 60 s; one of 250 s from 50 on: 50, 100 and 100 s of it in the three slots."""
    made = world_of(fleet((9,), request={"seconds": {"exponential": {"mean": 60.0}}}, slots=3))
    result = play(made, InTurn(split([1])), [Ask(50, 250)])
    assert result.record.asked[:, 0] == pytest.approx(np.array([50, 100, 100]) / 60)


@pytest.mark.parametrize("size", [{"seconds": 40}, {"seconds": {"exponential": {"mean": 40}}}])
def test_engines_count_the_same_bits_and_all_of_the_tape(size: dict[str, Any]) -> None:
    made = world(slots=5, workload={"demand": {"poisson": {"rate_per_s": 0.1}}, "request": size})
    one, other = (run(made, POLICIES["glb-nearest"](), engine=engine).record.asked for engine in ("compiled", "simpy"))
    assert (one == other).all()
    whole = Asked(made.fleet)
    for block in Tape(made, block_requests=17).blocks():
        whole.take(block)
    assert whole.requests == pytest.approx(one, rel=1e-12)
    first = Asked(made.fleet)
    for block in Tape(made).slot(0):
        first.take(block)
    in_time_s = sum(float(np.minimum(block.output, made.scenario.horizon_s).sum()) for block in Tape(made).slot(0))
    assert first.requests.sum() == pytest.approx(in_time_s / 40)


def test_a_program_that_is_too_large_is_bounded_and_says_how_tightly(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(**FIVE, servers=PROPORTIONAL)
    exact = runs(made, "fluid", "hedge")["hedge"].summary()
    monkeypatch.setattr(offline, "EXACT", 0)
    found = runs(made, "fluid", "hedge")["hedge"]
    row = found.summary()
    assert row["gap_against"] == "bound"
    assert row["objective_offline_usd"] <= exact["objective_offline_usd"] * (1 + 1e-9)
    assert row["objective_offline_usd"] * (1 + row["offline_within"]) >= exact["objective_offline_usd"] * (1 - 1e-9)
    assert 0 < row["offline_within"] <= 1.1e-6
    assert row["gap"] >= exact["gap"] - 1e-9


def test_policies_of_a_world_share_one_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    made, calls = world(**FIVE), []
    monkeypatch.setattr(gap, "offline", lambda *asked: calls.append(1) or offline.offline(*asked))
    found = runs(made, "compiled")
    assert len(calls) == 1
    for result in found.values():
        alone = gap_of(replace(result, known_gap=None))
        assert alone.value == result.gap.value


def test_sun_leaves_the_dynamic_part_which_is_named_so() -> None:
    """Of J only what requests add, as if the grid gave all of it: by hand from the ledger of the run."""
    result = run(build_world(load("solar-battery", ["slots=30", "engine=fluid"])), "glb-cost")
    row = result.summary()
    assert (row["gap_of"], row["gap_against"]) == (DYNAMIC, "optimum")
    here, kwh = result.conditions, result.footprint.serving_kwh
    meter = kwh * here.marginal_pue(result.fleet)
    water = (here.onsite_water_l_per_kwh * kwh + here.offsite_water_l_per_kwh * meter).sum(axis=0) / 1000
    carbon = (here.carbon_kg_per_kwh * meter).sum(axis=0) / 1000
    weights = result.fleet.objective
    j = (here.price_usd_per_kwh * meter).sum() + weights[0] * water.max() + weights[1] * carbon.max()
    assert result.gap.objective_usd == pytest.approx(j, rel=1e-9)
    assert row["gap"] == pytest.approx(j / row["objective_offline_usd"] - 1, rel=1e-9)


def test_servers_that_are_switched_leave_the_dynamic_part() -> None:
    made = world(**FIVE, provisioning={"follow": {"utilisation": 0.5}})
    assert run(made, "glb-cost", engine="compiled").summary()["gap_of"] == DYNAMIC
    assert run(world(**FIVE), "glb-cost", engine="compiled").summary()["gap_of"] == WHOLE


def test_there_is_no_gap_where_demand_is_left_out_and_the_reason_is_told() -> None:
    busy = {"demand": {"poisson": {"rate_per_s": 5.0}}, "request": {"seconds": 60}}
    over = run(world(workload=busy), "glb-cost", engine="fluid")
    assert math.isnan(over.summary()["gap"])
    assert "rejected" in over.gap.reason
    full = world_of(fleet((1,), queue_limit=0, demand={"poisson": {"rate_per_s": 0.8}}, slots=20))
    rejected = run(full, "glb-nearest")
    assert rejected.summary()["gap_against"] == ""
    assert "rejected or failed" in rejected.gap.reason
    crowded = world_of(fleet((1,), demand={"poisson": {"rate_per_s": 1.5}}, slots=20))
    waiting = run(crowded, POLICIES["glb-nearest"](rule="score"))
    assert "was not done by the end" in waiting.gap.reason


def test_capacity_that_cannot_carry_what_arose_leaves_no_gap() -> None:
    """Luck brings more in some slot than planned capacity, 0.9 of the places, although all is served in the end."""
    made = world_of(fleet((10,), demand={"poisson": {"rate_per_s": 8.8}}, slots=50))
    result = run(made, "glb-nearest")
    assert "planned capacity cannot carry" in result.gap.reason
    assert math.isnan(result.summary()["objective_offline_usd"])


def test_a_sliver_that_capacity_cannot_carry_is_left_out_of_the_optimum() -> None:
    """Of a peak that just fits luck makes one that does not: the gap is too large by what is left out, and no more."""
    made = world_of(fleet((10,), demand={"poisson": {"rate_per_s": 8.4}}, slots=50))
    result = run(made, "glb-nearest")
    asked = result.record.asked
    assert asked is not None
    short = np.maximum(asked - 0.9 * 10 * 100.0, 0.0).sum() / asked.sum()
    assert 0 < short < 2e-3
    assert result.summary()["gap"] == pytest.approx(short, rel=0.2)


def test_regret_ends_at_the_difference_of_the_objectives_and_the_optimum_has_none() -> None:
    found = runs(world(**FIVE, servers=PROPORTIONAL))
    for name, result in found.items():
        table = regret_table(result).to_pydict()
        plan = result.gap.optimum
        assert plan is not None
        assert len(table["regret_usd"]) == 36
        assert table["regret_usd"][-1] == pytest.approx(result.objective_usd - plan.plan_usd, abs=1e-9)
        assert table["objective_offline_usd"][-1] == pytest.approx(plan.plan_usd)
        alone = [part[0] for part in result.gap.course]
        weights = result.fleet.objective
        j = alone[0].sum() + weights[0] * alone[1].max() + weights[1] * alone[2].max()
        assert table["regret_usd"][0] + table["objective_offline_usd"][0] == pytest.approx(j)
        if name == "eglb-off":
            assert table["regret_usd"] == pytest.approx([0.0] * 36, abs=1e-6 * plan.plan_usd)


def test_norms_and_weights_of_sites_are_in_the_gap() -> None:
    asked = {"norm": 2, "water_site_weights": {"texas-1": 3.0}}
    found = runs(world(**FIVE, servers=PROPORTIONAL, objective=asked))
    assert found["eglb-off"].summary()["gap"] == pytest.approx(0.0, abs=1e-5)
    assert min(result.summary()["gap"] for result in found.values()) > -1e-6
