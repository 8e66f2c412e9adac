"""The robustness study: its figures are those of its points, and what it says of them is what they say."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SMALL
from test_sweep import run

from policies import POLICIES
from simulator.problem import InputError
from simulator.scenario import parse
from simulator.simulation import run as run_one
from simulator.study.robustness import robustness_agenda
from simulator.world import build_world

#: Student's t at 97.5 % for one degree of freedom, that of two seeds: tan(0.475 pi).
T_OF_TWO = 12.7062047
PLACES = {"catalogue": {"name": "paper", "only": ["texas", "germany", "japan"]}}
ASKED: dict[str, Any] = {"errors": [0.3, 1.5], "attacks": ["permuted", "flipped"], "refresh_s": [600], "seeds": 2}
STUDY: dict[str, Any] = {
    "name": "a robustness study",
    "start": "2022-09-22T00:00:00Z",
    "slots": 12,
    "slot_s": 3600,
    "engine": "fluid",
    "sites": PLACES,
    "servers": {"count": 4, "concurrency": 2, "peak_w": 1000, "power": "proportional"},
    "origins": PLACES,
    "signals": {"calibrated": {}},
    "workload": {"demand": {"calibrated": {"peak_kw": 1.5}}, "request": {"seconds": 60}},
    "network": {"rtt": "catalogue"},
    "policies": ["glb-cost", {"hedge": {"step": 0.01}}, {"mpc": {"window_h": 6}}],
}


def made(**changes: Any) -> Any:
    return parse({**STUDY, **changes})


def rows(file: Path) -> list[dict[str, str]]:
    with open(file, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("robustness")
    (home / "study.yaml").write_text(json.dumps({**STUDY, "study": {"robustness": ASKED}}))
    run(home, "run", "study.yaml", "--out", "done")
    return home / "done"


@pytest.fixture(scope="module")
def told(folder: Path) -> list[dict[str, str]]:
    return rows(folder / "robustness.csv")


def of(folder: Path, challenge: str, level: str, policy: str, figure: str) -> np.ndarray[Any, Any]:
    """A figure of a policy's own runs, by seed; of policies that look at no forecast, from where they were run."""
    table = rows(folder / "summary.csv")
    here = [r for r in table if (r["challenge"], r["level"], r["policy"]) == (challenge, level, policy)]
    if not here:
        assert challenge in ("error", "attack") and policy != "mpc"
        here = [r for r in table if (r["challenge"], r["level"], r["policy"]) == ("shift", "none", policy)]
    return np.array([float(r[figure] or "nan") for r in sorted(here, key=lambda r: r["seed"])])


def test_every_challenge_is_run_and_missing_references_with_it(told: list[dict[str, str]]) -> None:
    places = {(row["challenge"], row["level"]) for row in told}
    assert places == {
        *(("shift", level) for level in ("none", "demand", "price")),
        *(("error", level) for level in ("0.0", "0.3", "1.5")),
        *(("attack", level) for level in ("permuted", "flipped")),
        *(("refresh", level) for level in ("0.0", "600.0")),
    }
    for place in places:
        here = [row["policy"] for row in told if (row["challenge"], row["level"]) == place]
        assert here == (["eglb"] if place[0] == "refresh" else ["glb-cost", "hedge", "mpc", "eglb"])


def test_without_error_forecasts_are_perfect(folder: Path) -> None:
    result = run_one(build_world(made(), 2), POLICIES["mpc"](window_h=6, forecaster="perfect"), engine="fluid")
    assert of(folder, "error", "0.0", "mpc", "objective_usd")[1] == pytest.approx(result.objective_usd, rel=1e-9)


def test_policies_without_forecasts_would_do_the_same_under_any(folder: Path) -> None:
    """The study runs them once; here they are run under an error and under an attack."""
    for forecast in ({"noisy": {"relative_error_24h": 1.5}}, {"adversarial": "permuted"}):
        world = build_world(made(forecast=forecast), 1)
        for policy, settings in (("glb-cost", {}), ("hedge", {"step": 0.01}), ("eglb", {})):
            result = run_one(world, POLICIES[policy](**settings), engine="fluid")
            assert of(folder, "shift", "none", policy, "objective_usd")[0] == result.objective_usd


def test_demand_jumps_to_what_the_scenario_has_and_never_beyond() -> None:
    scenario = made(study={"robustness": {"demand_jump": 1.5}})
    points = robustness_agenda(scenario, scenario.study.robustness, ()).points
    (jump,) = [p for p in points if p.values == {"challenge": "shift", "level": "demand"} and p.seed == 1]
    plain, jumping = (build_world(one, 1).demand.rate_rps for one in (made(), jump.scenario))
    np.testing.assert_allclose(jumping[:6], plain[:6] / 1.5, rtol=1e-12)
    np.testing.assert_allclose(jumping[6:], plain[6:], rtol=1e-12)


def test_prices_change_in_the_cheaper_half_of_the_sites(folder: Path) -> None:
    (points,) = [json.loads((folder / "sweep.json").read_text())["points"]]
    (first,) = [p for p in points if p["values"] == {"challenge": "shift", "level": "price"} and p["seed"] == 1]
    assert first
    scenario = made()
    mean = build_world(scenario).conditions.price_usd_per_kwh.mean(axis=0)
    cheapest = build_world(scenario).fleet.sites[int(mean.argmin())]
    result = run_one(build_world(made(shift={"price": {cheapest: 3.0}}), 1), "glb-cost", engine="fluid")
    assert of(folder, "shift", "price", "glb-cost", "objective_usd")[0] == pytest.approx(result.objective_usd)


def test_central_eglb_is_that_whose_prices_are_always_fresh(folder: Path) -> None:
    result = run_one(build_world(made(engine="compiled"), 1), POLICIES["eglb"](update_every=1), engine="compiled")
    assert of(folder, "refresh", "0.0", "eglb", "objective_usd")[0] == result.objective_usd


def test_figures_are_means_over_seeds_and_paired_differences(folder: Path, told: list[dict[str, str]]) -> None:
    def by_hand(values: np.ndarray[Any, Any]) -> list[float]:
        assert len(values) == 2
        half = T_OF_TWO * values.std(ddof=1) / np.sqrt(2)
        return [values.mean(), values.mean() - half, values.mean() + half]

    compared = 0
    for row in told:
        place = row["challenge"], row["level"]
        mine = {name: of(folder, *place, row["policy"], name) for name in ("objective_usd", "gap", "par_water")}
        expected = {"gap": mine["gap"], "par_water": mine["par_water"]}
        if row["challenge"] != "refresh":
            expected["over_hedge"] = mine["objective_usd"] / of(folder, *place, "hedge", "objective_usd") - 1
            expected["over_eglb"] = mine["objective_usd"] / of(folder, *place, "eglb", "objective_usd") - 1
            expected["over_glb_cost_par_water"] = mine["par_water"] - of(folder, *place, "glb-cost", "par_water")
        else:
            central = of(folder, "refresh", "0.0", "eglb", "objective_usd")
            expected["over_plainest"] = mine["objective_usd"] / central - 1
        for figure, values in expected.items():
            if not np.isnan(values).any():
                compared += 1
                found = [float(row[f"{figure}{end}"]) for end in ("", "_low", "_high")]
                assert found == pytest.approx(by_hand(values), rel=1e-6, abs=1e-9)
    assert compared > 100


def test_a_policy_wins_up_to_the_last_error_before_the_first_at_which_it_may_not(
    folder: Path, told: list[dict[str, str]]
) -> None:
    columns = {
        ("objective_usd", "hedge"): "over_hedge_high",
        ("objective_usd", "eglb"): "over_eglb_high",
        ("par_water", "glb-cost"): "over_glb_cost_par_water_high",
        ("par_carbon", "glb-cost"): "over_glb_cost_par_carbon_high",
    }
    limits = rows(folder / "limits.csv")
    assert len(limits) == 4 * 4 - 4  # no policy is held against itself
    for row in limits:
        column = columns[row["figure"], row["against"]]
        won = [
            (step["level"], float(step[column]) < 0)
            for step in told
            if step["challenge"] == "error" and step["policy"] == row["policy"]
        ]
        lost = [level for level, is_won in won if not is_won]
        assert row["not_at"] == (lost[0] if lost else "")
        before = [level for level, _ in won[: [level for level, _ in won].index(lost[0])]] if lost else ["1.5"]
        assert row["better_up_to"] == (before[-1] if before else "")


def test_the_answer_has_no_share_without_its_interval_and_the_optimum_was_not_beaten(folder: Path) -> None:
    said = json.loads((folder / "study.json").read_text())
    assert said["kind"] == "robustness" and said["broken"] == []
    # 2 seeds of 3 shifts under 4 policies, and of 3 errors and 2 attacks under mpc; less where demand is too much.
    (check,) = said["checks"]
    assert 2 * (3 * 4 + 5) - 8 <= int(check.partition("(")[2].split()[0]) <= 2 * (3 * 4 + 5)
    assert "for mpc" in said["answer"][0] and "[" in said["answer"][0]


def test_the_command_takes_a_scenario_without_a_block(tmp_path: Path) -> None:
    asked = {"errors": [0], "attacks": [], "refresh_s": [], "demand_jump": 1, "price_jump": 1, "seeds": 1}
    (tmp_path / "study.yaml").write_text(json.dumps({**STUDY, "slots": 3}))
    settings = [word for key, value in asked.items() for word in ("--set", f"study.robustness.{key}={value}")]
    run(tmp_path, "study", "robustness", "study.yaml", *settings, "--out", "done")
    table = rows(tmp_path / "done" / "robustness.csv")
    assert {(row["challenge"], row["level"]) for row in table} == {("shift", "none"), ("error", "0.0")}
    assert "one seed" in " ".join(json.loads((tmp_path / "done" / "study.json").read_text())["answer"])


REFUSED = [
    ({"sites": {"catalogue": {"name": "paper", "only": ["texas"]}}}, {}, "with one there is nothing to choose"),
    ({"workload": {"demand": {"poisson": {"rate_per_s": 0}}, "request": {"seconds": 60}}}, {}, "none are expected"),
    ({"slots": 1}, {}, "there is nothing to foresee"),
    (
        {
            "workload": {
                "demand": {"trace": {"file": "nowhere.csv", "when_absent": "fitted"}},
                "request": {"tokens": {"model": "llama2-70b"}},
            }
        },
        {},
        "demand_jump.*a trace has its own requests",
    ),
    ({"shift": {"demand": 2}}, {}, "the study makes shifts itself"),
    ({}, {"refresh_s": [60, 1e-5]}, "refresh_s.1.*at least 0.001"),
]


@pytest.mark.parametrize(("changes", "asked", "message"), REFUSED)
def test_scenarios_that_are_not_fit_are_refused(changes: dict[str, Any], asked: dict[str, Any], message: str) -> None:
    scenario = made(**changes, study={"robustness": asked})
    with pytest.raises(InputError, match=message):
        robustness_agenda(scenario, scenario.study.robustness, ())


def test_where_nobody_follows_a_forecast_none_is_tried() -> None:
    scenario = parse({**SMALL, "study": {"robustness": {"seeds": 1}}})
    points = robustness_agenda(scenario, scenario.study.robustness, ()).points
    assert {point.values["challenge"] for point in points} == {"shift", "refresh"}
