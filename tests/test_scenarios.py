"""Every shipped scenario loads, runs on a shortened horizon, and shows what its title promises."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import needs

from policies import POLICIES
from simulator import load, run
from simulator.scenario import shipped_scenarios
from simulator.scenario.inputs import data_folder
from simulator.world import build_world

SHORT = {
    "table1": 6,
    "table1-partial": 6,
    "paper-table1": 6,
    "paper-table1-partial": 6,
    "azure-conversation": 2,
    "mmc": 2,
    "hot-week": 6,
    "solar-battery": 4,
}


def test_this_list_knows_every_shipped_scenario() -> None:
    assert set(SHORT) == set(shipped_scenarios())


@pytest.mark.parametrize("name", SHORT)
def test_a_shipped_scenario_runs_under_each_of_its_policies(name: str) -> None:
    if name.startswith("paper") and not (data_folder() / "paper").is_dir():
        pytest.skip("the authors' data are not there")
    scenario = load(name, [f"slots={SHORT[name]}"])
    world = build_world(scenario)
    for choice in scenario.policies:
        result = run(world, POLICIES[choice.name](**choice.settings), label=choice.name)
        row = result.summary()
        assert row["finished"] > 0.9 * row["requests"] > 0


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", ["table1", "table1-partial"])
def test_calibrated_signals_give_the_order_of_the_published_table(name: str, seed: int) -> None:
    """Not its figures: GLB-Cost is the cheapest, equity lowers both PARs, and offline is the optimum of J."""
    world = build_world(load(name, [f"seed={seed}"]))
    rows = {policy: run(world, POLICIES[policy](), engine="fluid").summary() for policy in POLICIES}
    assert min(rows.values(), key=lambda row: row["cost_usd"]) is rows["glb-cost"]
    assert min(rows.values(), key=lambda row: row["objective_usd"]) is rows["eglb-off"]
    for policy in ("eglb-off", "hedge", "mpc"):
        assert rows[policy]["par_water"] < rows["glb-cost"]["par_water"]
        assert rows[policy]["par_carbon"] < rows["glb-cost"]["par_carbon"]
    assert rows["eglb-off"]["objective_usd"] < rows["mpc"]["objective_usd"] < rows["glb-cost"]["objective_usd"]


def test_in_the_hot_week_water_follows_the_heat_of_the_day() -> None:
    """Hot and humid Texas drinks most on site, Denmark least; Nevada is hotter, but dry; nights ask for less."""
    world = build_world(load("hot-week"))
    onsite = world.conditions.onsite_water_l_per_kwh
    drinks = dict(zip(world.fleet.sites, onsite.mean(axis=0), strict=True))
    assert min(drinks, key=lambda name: drinks[name]) == "denmark"
    assert drinks["nevada"] < drinks["texas"]
    texas = onsite[:24, world.fleet.sites.index("texas")]
    assert (texas.argmax(), texas.argmin()) in {(19, 7), (20, 7), (19, 8), (20, 8)}
    assert 1.05 < world.conditions.pue.min() < world.conditions.pue.max() < 1.36


def test_all_requests_of_table_1_are_about_7_300_000() -> None:
    """729 million at full scale (2,915 MWh of 4 Wh), a hundredth of them simulated; the calibrated demand scatters."""
    world = build_world(load("table1"))
    requests = world.demand.rate_rps.sum() * world.fleet.slot_s * world.scenario.fleet_scale
    assert requests == pytest.approx(7_300_000, rel=0.03)


@needs("traces")
def test_the_azure_scenario_plays_the_real_trace() -> None:
    assert build_world(load("azure-conversation")).demand.trace is not None


def test_the_azure_scenario_runs_without_the_trace(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("EQUIFLEET_DATA", str(tmp_path))
    world = build_world(load("azure-conversation"))
    assert world.demand.trace is None
    assert any("fitted" in note for note in world.notes)
    assert world.demand.rate_rps.sum(axis=1) == pytest.approx(55.3)
    settings = ["workload.demand.trace.repeat=false", "slots=5", "slot_s=300"]
    once = build_world(load("azure-conversation", settings))
    assert once.expected_requests == pytest.approx(19_366)
    assert once.demand.rate_rps.sum(axis=1) == pytest.approx(
        55.3 * np.array([1, 350.2 / 300 - 1, 0, 0, 0]), rel=1e-3, abs=1e-9
    )
