"""Every shipped scenario loads, runs on a shortened horizon, and shows what its title promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import needs

from policies import POLICIES
from simulator import load, run
from simulator.problem import InputError
from simulator.record import FAILED
from simulator.result import Row
from simulator.roster import make_policy
from simulator.scenario import Scenario, Source, parse, shipped_scenarios
from simulator.scenario.choice import ProvisioningChoice
from simulator.scenario.inputs import data_folder
from simulator.scenario.writing import to_yaml
from simulator.world import build_world

SHORT = {
    "table1": 6,
    "table1-partial": 6,
    "paper-table1": 6,
    "paper-table1-partial": 6,
    "paper-table1-aware": 6,
    "azure-conversation": 2,
    "mmc": 2,
    "hot-week": 6,
    "solar-battery": 4,
    "on-off": 4,
    "outage": 14,
    "latency-study": 1,
    "partial-stress": 3,
    "robustness": 3,
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
        result = run(
            world, POLICIES[choice.name](**choice.settings), provisioning=choice.provisioning, label=choice.name
        )
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


def test_the_switching_scenario_runs_without_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """The log counts 559 requests an hour on average, 3,630 at most, with a standard deviation of 350: times twenty."""
    monkeypatch.setenv("EQUIFLEET_DATA", str(tmp_path))
    worlds = [build_world(load("on-off"), seed) for seed in range(30)]
    counts = np.array([world.demand.rate_rps.sum(axis=1) * 3600 / 20 for world in worlds])
    assert (counts.mean(), counts.std()) == (pytest.approx(559, rel=0.02), pytest.approx(350, rel=0.05))
    assert 3000 < counts.max() <= 3630 + 1e-9
    assert any("made counts" in note for note in worlds[0].notes)
    refused = ["workload.demand.hourly.when_absent=refuse"]
    with pytest.raises(InputError, match=r"there is no .*requests_hourly"):
        build_world(load("on-off", refused))


def test_made_counts_may_be_played_one_by_one(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("EQUIFLEET_DATA", str(tmp_path))
    counted = ["workload.demand.hourly.scale=1", "workload.demand.hourly.arrivals=counted", "slots=5"]
    world = build_world(load("on-off", counted))
    result = run(world, "glb-nearest")
    assert world.demand.counts is not None
    assert result.summary()["requests"] == world.demand.counts.sum()


BLOOM = {
    "name": "BLOOM",
    "start": "2022-09-22T15:00:00Z",
    "slots": 413,
    "slot_s": 3600,
    "sites": [{"name": "here", "latitude_deg": 41.3, "longitude_deg": -95.9}],
    "servers": {"count": 1, "concurrency": 8, "idle_w": 1777, "peak_w": 6400},
    "origins": "at_sites",
    "signals": {"synthetic": {"price_usd_per_mwh": 100, "carbon_kg_per_kwh": 0.394, "water_l_per_kwh": 3}},
    "workload": {
        "demand": {"hourly": {"file": "requests_hourly.csv", "arrivals": "counted"}},
        "request": {"energy_wh": 0.6},
    },
    "network": {"rtt": {"coordinates": {}}},
    "policies": ["glb-nearest"],
}


@needs("bloom")
def test_the_machine_of_bloom_draws_what_its_log_says() -> None:
    """Over 413 hours and 230,768 requests 1,777 W + 0.60 Wh each: 872.4 kWh (the log: 864.25), 84 % of them idle.

    Fitted to the log of Luccioni, Viguier and Ligozat, arXiv 2211.02001.
    """
    result = run(parse(BLOOM), "glb-nearest")
    energy_kwh = float(result.footprint.meter_kwh.sum())
    assert result.summary()["requests"] == 230_768
    assert energy_kwh == pytest.approx(872.4, rel=1e-3)
    assert float(result.footprint.idle_kwh.sum()) / energy_kwh == pytest.approx(0.84, abs=0.005)


def test_policies_of_one_scenario_may_each_switch_servers_in_their_own_way() -> None:
    scenario = load("on-off", ["slots=12"])
    switched = {label: run_of(scenario, number) for number, label in enumerate(scenario.labels())}
    assert switched["glb-cost"]["boots"] == 0
    assert switched["glb-cost(provisioning=follow)"]["boots"] > 0
    idle = {label: row["idle_energy_mwh"] for label, row in switched.items()}
    assert idle["glb-cost(provisioning=follow)"] < idle["glb-cost(provisioning=follow(least=1))"] < idle["glb-cost"]
    requests = {row["requests"] for row in switched.values()}
    assert len(requests) == 1, "all policies meet the same requests"
    assert parse(Source(to_yaml(scenario), "shown", Path()).data) == scenario


def run_of(scenario: Scenario, number: int) -> Row:
    choice = scenario.policies[number]
    return run(scenario, make_policy(choice), provisioning=choice.provisioning).summary()


def test_a_policy_given_by_name_brings_its_provisioning() -> None:
    scenario = load("on-off", ["slots=12", "policies=[glb-cost: {provisioning: follow}]"])
    assert scenario.labels() == ("glb-cost(provisioning=follow)",)
    assert run(scenario, "glb-cost").summary()["boots"] > 0
    assert run(scenario, "glb-nearest").summary()["boots"] == 0
    always = ProvisioningChoice(name="static")
    assert run(scenario, "glb-cost", provisioning=always).summary()["boots"] == 0


def test_in_the_outage_requests_of_the_dark_site_are_routed_anew_and_some_fail() -> None:
    """Virginia loses 80 places, Georgia 40 s later those who came there after the detection delay of 30 s."""
    scenario = load("outage", ["slots=14"])
    world = build_world(scenario)
    assert world.notes == ("outages: 2 of a site, 1 of a link, 1 of signals; routers know of each after 30 s",)
    result = run(world, "glb-nearest")
    virginia, georgia = (result.sites.index(name) for name in ("virginia", "georgia"))
    assert result.utilisation[13, virginia] == 0
    assert result.record.rerouted[:, virginia].sum() > 0
    failed = result.record.fates[FAILED].sum(axis=0)
    assert failed[georgia] > 0
    assert failed.sum() == failed[georgia]
