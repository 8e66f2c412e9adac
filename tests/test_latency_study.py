"""The latency study: its ends are known policies, its figures are those of its points."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SMALL
from test_sweep import run

from policies.equitable_offline import EquitableOffline
from policies.merit_order import GlbCost
from simulator.objective import Objective
from simulator.problem import InputError
from simulator.scenario import parse
from simulator.simulation import run as run_one
from simulator.study.latency import latency_agenda
from simulator.study.multiples import CHANGE, telling_multiples
from simulator.study.prospect import cheapest, equitable, outlook_of
from simulator.world import build_world

#: Student's t at 97.5 % for one degree of freedom, that of two seeds: tan(0.475 pi).
T_OF_TWO = 12.7062047
STUDY = """\
name: a latency study
start: 2022-09-22T00:00:00Z
slots: 6
slot_s: 1800
sites: {catalogue: {name: paper, only: [texas, germany, japan]}}
servers: {count: 3, concurrency: 2, peak_w: 1000, idle_w: 300}
origins: {catalogue: {name: paper, only: [texas, germany, japan]}}
signals: {calibrated: {}}
workload: {demand: {poisson: {rate_per_s: 0.12}}, request: {seconds: 60}}
network: {rtt: catalogue}
policies: [glb-cost]
study: {latency: {weights: 3, seeds: 2, network_p99_ms: [150]}}
"""


def made(**changes: Any) -> Any:
    catalogued = {"catalogue": {"name": "paper", "only": ["texas", "germany", "japan"]}}
    own = {"sites": catalogued, "origins": catalogued, "network": {"rtt": "catalogue"}, "signals": {"calibrated": {}}}
    return parse({**SMALL, **own, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("latency")
    (home / "study.yaml").write_text(STUDY)
    run(home, "run", "study.yaml", "--out", "done")
    return home / "done"


def rows(file: Path) -> list[dict[str, str]]:
    with open(file, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize("allowed", ["full", "paper-partial"])
def test_prospects_are_what_the_fluid_engine_makes_of_the_plans(allowed: str) -> None:
    world = build_world(made(allowed=allowed, engine="fluid"))
    outlook, fleet = outlook_of(world), world.fleet
    for policy, prospect in (
        (GlbCost(), cheapest(fleet, outlook)),
        (EquitableOffline(), equitable(fleet, outlook, fleet.objective)),
        (EquitableOffline(0.0, 0.0), equitable(fleet, outlook, Objective(0.0, 0.0))),
    ):
        result = run_one(world, policy, engine="fluid")
        standing = float((fleet.standing_kwh * world.conditions.price_usd_per_kwh * world.conditions.pue).sum())
        assert prospect.cost_usd + standing == pytest.approx(result.cost_usd, rel=1e-6)
        assert prospect.water_m3 == pytest.approx(result.water_m3, rel=1e-5)
        assert prospect.carbon_t == pytest.approx(result.carbon_t, rel=1e-5)
        assert prospect.objective_usd(fleet.objective) + standing == pytest.approx(result.objective_usd, rel=1e-6)


def test_multiples_reach_from_where_equity_begins_to_matter_to_where_nothing_changes_any_more() -> None:
    world = build_world(made())
    fleet, outlook = world.fleet, outlook_of(world)
    water, carbon = fleet.objective[:2]

    def prospect(k: float) -> Any:
        return equitable(fleet, outlook, Objective(k * water, k * carbon))

    found = telling_multiples(prospect, 4)
    assert found[0] == 0 and 1.0 in found and list(found) == sorted(found)
    assert prospect(found[1] * 1.01).differs(prospect(0.0), CHANGE)
    assert not prospect(found[1] / 1.3).differs(prospect(0.0), CHANGE)
    assert not prospect(found[-1] * 1.3).differs(prospect(1e4), CHANGE)
    assert prospect(found[-1] / 1.3).differs(prospect(1e4), CHANGE)


def test_where_equity_changes_nothing_there_are_two_multiples() -> None:
    one = build_world(parse({**SMALL, "sites": {"generate": {"count": 1}}}))
    assert telling_multiples(lambda k: equitable(one.fleet, outlook_of(one), Objective(k, k)), 5) == (0.0, 1.0)


def test_without_weight_a_point_is_glb_cost_request_by_request(folder: Path) -> None:
    summary = rows(folder / "summary.csv")
    plain = [
        r for r in summary if r["equity"] == "0.0" and r["rtt_usd_per_request_s"] == "0.0" and not r["network_p99_ms"]
    ]
    pairs: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for row in plain:
        pairs.setdefault((row["point"], row["seed"]), {})[row["policy"]] = row
    assert len(pairs) == 4  # two constraints, two seeds
    for both in pairs.values():
        for figure in ("cost_usd", "par_water", "par_carbon", "ttft_p99_ms", "e2e_mean_s"):
            assert float(both["eglb-off"][figure]) == pytest.approx(float(both["glb-cost"][figure]), rel=1e-6)


def test_with_the_weights_themselves_a_point_is_eglb_off(folder: Path) -> None:
    row = next(
        r
        for r in rows(folder / "summary.csv")
        if (r["allowed"], r["equity"], r["rtt_usd_per_request_s"], r["network_p99_ms"], r["seed"])
        == ("full", "1.0", "0.0", "", "2")
    )
    scenario = made(
        slots=6, slot_s=1800, workload={"demand": {"poisson": {"rate_per_s": 0.12}}, "request": {"seconds": 60}}
    )
    result = run_one(scenario, "eglb-off", seed=2).summary()
    for figure in ("cost_usd", "objective_usd", "ttft_mean_ms", "nearest_share"):
        assert float(row[figure]) == result[figure]


def test_the_trade_off_is_the_means_over_seeds_and_paired_differences(folder: Path) -> None:
    summary, told = rows(folder / "summary.csv"), rows(folder / "tradeoff.csv")
    axes = ("allowed", "equity", "rtt_usd_per_request_s", "network_p99_ms", "policy")

    def by_hand(values: np.ndarray[Any, Any]) -> list[float]:
        assert len(values) == 2
        half = T_OF_TWO * values.std(ddof=1) / np.sqrt(2)
        return [values.mean(), values.mean() - half, values.mean() + half]

    def of(row: dict[str, str], figure: str) -> np.ndarray[Any, Any]:
        found = [r for r in summary if all(r[axis] == row[axis] for axis in axes)]
        return np.array([float(r[figure]) for r in sorted(found, key=lambda r: r["seed"])])

    for row in told:
        base = {**row, "equity": "0.0", "rtt_usd_per_request_s": "0.0", "network_p99_ms": "", "policy": "eglb-off"}
        expected = {
            "ttft_p99_ms": of(row, "ttft_p99_ms"),
            "extra_ttft_p99_ms": of(row, "ttft_p99_ms") - of(base, "ttft_p99_ms"),
            "extra_cost_share": of(row, "cost_usd_per_site") / of(base, "cost_usd_per_site") - 1,
        }
        for figure, values in expected.items():
            found = [float(row[f"{figure}{end}"]) for end in ("", "_low", "_high")]
            assert found == pytest.approx(by_hand(values), rel=1e-6, abs=1e-9)


def test_the_pareto_set_is_that_of_brute_force(folder: Path) -> None:
    told = rows(folder / "tradeoff.csv")
    for allowed in {row["allowed"] for row in told}:
        here = [row for row in told if row["allowed"] == allowed]
        costs = [
            [float(r[name]) for name in ("cost_usd_per_site", "par_water", "par_carbon", "ttft_p99_ms")] for r in here
        ]
        for row, mine in zip(here, costs, strict=True):
            beaten = any(all(o <= m for o, m in zip(other, mine, strict=True)) and other != mine for other in costs)
            assert row["pareto"] == str(int(not beaten))
        assert sum(row["knee"] == "1" for row in here) <= 1


def test_equity_that_pays_for_distance_goes_less_far(folder: Path) -> None:
    """Less than without, but for the chance by which some 2,600 requests share themselves out (three deviations)."""
    told = {
        (r["allowed"], r["equity"], r["rtt_usd_per_request_s"]): float(r["extra_rtt_ms"])
        for r in rows(folder / "tradeoff.csv")
        if r["policy"] == "eglb-off" and not r["network_p99_ms"]
    }
    for (allowed, equity, price), extra_ms in told.items():
        assert extra_ms <= told[allowed, equity, "0.0"] + 3 * 100 / np.sqrt(2600) or price == "0.0"
    assert any(extra_ms < told[allowed, equity, "0.0"] - 10 for (allowed, equity, price), extra_ms in told.items())


def test_a_bound_on_round_trips_is_kept(folder: Path) -> None:
    asked = json.loads((folder / "sweep.json").read_text())
    fleet, bounded = build_world(made()).fleet, 0
    rtt_ms = {
        (origin, site): 1e3 * fleet.rtt_s[j, i]
        for j, origin in enumerate(fleet.origins)
        for i, site in enumerate(fleet.sites)
    }
    assert any(trip > 150 for trip in rtt_ms.values())
    for point in asked["points"]:
        if point["values"]["network_p99_ms"] is not None:
            bounded += 1
            for flow in rows(folder / "points" / point["name"] / "flows.csv"):
                assert rtt_ms[flow["origin"], flow["site"]] <= 150
    assert bounded


def test_the_answer_has_no_difference_without_its_interval(folder: Path) -> None:
    said = json.loads((folder / "study.json").read_text())
    assert said["kind"] == "latency" and len(said["checks"]) == 4 and said["answer"]
    assert all("[" in sentence for sentence in said["answer"])


def test_constraints_of_one_kind_are_told_apart() -> None:
    allowed = [{"pairs": {"texas": ["texas"]}}, {"pairs": {"japan": ["japan"]}}]
    scenario = made(study={"latency": {"allowed": allowed, "multiples": [1], "seeds": 1}})
    points = latency_agenda(scenario, scenario.study.latency, ()).points
    names = {point.values["allowed"]: point.scenario.allowed for point in points}
    assert list(names) == ["pairs given", "pairs given #2"] and names["pairs given"] != names["pairs given #2"]


REFUSED = [
    ({"sites": {"catalogue": {"name": "paper", "only": ["texas"]}}}, "with one there is nothing to choose"),
    ({"workload": {"demand": {"poisson": {"rate_per_s": 0}}, "request": {"seconds": 60}}}, "none are expected"),
    ({"engine": "fluid"}, "a latency study needs requests; take compiled or simpy"),
    ({"fleet_scale": 0.5}, "say accept_scaled: true"),
    ({"objective": {"water_weight_usd_per_m3": 0, "carbon_weight_usd_per_t": 0}}, "both weights of equity are 0"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_scenarios_that_are_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    scenario = made(study={"latency": {}}, **changes)
    with pytest.raises(InputError, match=message):
        latency_agenda(scenario, scenario.study.latency, ())
