"""The partial-GLB study: what cannot be carried is what cannot be carried, and what is nested costs more and more."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from test_sweep import run

from simulator.fleet import BoolArray, Fleet, FloatArray
from simulator.intake import load
from simulator.problem import InputError
from simulator.study.breakage import breakage
from simulator.study.partial import partial_agenda
from simulator.study.stress import GROWTH, LOSS, MASK, NESTED, RTT, Step, steps_of
from simulator.world import World, build_world

STUDY = """\
name: a partial study
start: 2022-09-22T00:00:00Z
slots: 4
slot_s: 3600
sites:
  - {name: big, region: us, latitude_deg: 40, longitude_deg: -80, servers: {count: 6, concurrency: 2, peak_w: 1000}}
  - {name: mid, region: us, latitude_deg: 35, longitude_deg: -100, servers: {count: 4, concurrency: 2, peak_w: 1000}}
  - {name: small, region: eu, latitude_deg: 50, longitude_deg: 8, servers: {count: 2, concurrency: 2, peak_w: 1000}}
origins:
  - {name: east, region: us, latitude_deg: 40, longitude_deg: -80}
  - {name: west, region: us, latitude_deg: 35, longitude_deg: -100}
  - {name: over, region: eu, latitude_deg: 50, longitude_deg: 8}
signals:
  synthetic:
    price_usd_per_mwh: {per_site: {big: 40, mid: 60, small: 90}}
    carbon_kg_per_kwh: {per_site: {big: 0.5, mid: 0.4, small: 0.2}}
    water_l_per_kwh: {per_site: {big: 2, mid: 4, small: 1}}
workload: {demand: {poisson: {rate_per_s: 0.24}}, request: {seconds: 60}}
network: {rtt: coordinates}
policies: [glb-cost]
study: {partial: {rtt_steps: 4, densities: [0, 0.3, 0.6, 0.9, 1], mask_seeds: 2, growth_steps: 3}}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("partial")
    (home / "study.yaml").write_text(STUDY)
    run(home, "run", "study.yaml", "--out", "done")
    return home


def made(home: Path) -> tuple[World, tuple[Step, ...]]:
    scenario = load(home / "study.yaml")
    assert scenario.study is not None and scenario.study.partial is not None
    world = build_world(scenario)
    return world, steps_of(world, scenario.study.partial)


def rows(file: Path) -> list[dict[str, str]]:
    with open(file, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def unserved_rps(fleet: Fleet, mask: BoolArray, demand: FloatArray) -> float:
    """The least demand that a slot leaves out, by scipy's linear programming: a second solver, and no code of ours."""
    pairs = np.argwhere(mask)
    by_origin = np.array([[float(pair[0] == j) for pair in pairs] for j in range(len(demand))])
    by_site = np.array([[float(pair[1] == i) for pair in pairs] for i in range(len(fleet.sites))])
    if not len(pairs):
        return float(demand.sum())
    most = linprog(
        -np.ones(len(pairs)),
        A_ub=np.vstack([by_origin, by_site]),
        b_ub=np.concatenate([demand, fleet.capacity_rps]),
    )
    return float(demand.sum() + most.fun)


def test_what_a_step_cannot_carry_is_what_a_second_solver_leaves_out(home: Path) -> None:
    world, steps = made(home)
    for step in steps:
        stepped = build_world(world.scenario.model_copy(update={**step.changes, "study": None}))
        left = [unserved_rps(stepped.fleet, stepped.fleet.allowed, row) for row in stepped.demand.rate_rps]
        assert (step.shortfall is None) == (max(left) < 1e-6)
        if step.shortfall is not None:
            assert step.shortfall.unserved_rps == pytest.approx(max(left), rel=1e-6)
            assert step.shortfall.requests == pytest.approx(sum(left) * world.fleet.slot_s, rel=1e-6)
    assert {step.shortfall is None for step in steps} == {True, False}


def test_steps_are_nested(home: Path) -> None:
    _, steps = made(home)
    chains = [list(chain) for key, chain in groupby(steps, lambda step: (step.stress, step.mask)) if key[0] in NESTED]
    assert len(chains) == 4  # bounds, two masks, residency
    for chain in chains:
        for one, other in pairwise(chain):
            before, after = one.changes["allowed"].pairs, other.changes["allowed"].pairs
            assert all(set(after[origin]) <= set(before[origin]) for origin in before)


def test_growth_breaks_where_all_sites_are_full(home: Path) -> None:
    """Full GLB: demand may grow until it is the capacity of all sites."""
    world, steps = made(home)
    exact = world.fleet.capacity_rps.sum() / world.demand.rate_rps.sum(axis=1).max()
    growth = [step for step in steps if step.stress == GROWTH]
    last = max(float(step.level) for step in growth if step.shortfall is None)
    first = min(float(step.level) for step in growth if step.shortfall is not None)
    assert last <= exact * (1 + 1e-6) and exact <= first and first - last <= 0.001 + 1e-6


def test_the_breaking_bound_stands_between_two_round_trips(home: Path) -> None:
    world, steps = made(home)
    bounds = [(float(step.level), step.shortfall is None) for step in steps if step.stress == RTT]
    assert bounds == sorted(bounds, reverse=True)
    holding = [bound for bound, holds in bounds if holds]
    failing = [bound for bound, holds in bounds if not holds]
    assert holding and failing and min(holding) > max(failing)
    between = 1e3 * world.fleet.rtt_s
    assert not ((between > max(failing) + 1e-3) & (between < min(holding) - 1e-3)).any()


def test_every_site_and_every_pair_is_lost_once(home: Path) -> None:
    _, steps = made(home)
    assert [step.level for step in steps if step.stress == LOSS] == [
        "big", "mid", "small", "big, mid", "big, small", "mid, small"
    ]  # fmt: skip


def test_the_table_holds_the_figures_of_both_engines(home: Path) -> None:
    told, summary = rows(home / "done/partial.csv"), rows(home / "done/summary.csv")
    by = {(r["stress"], r["level"], r["mask"], r["engine"], r["policy"]): r for r in summary}
    assert len(told) == 2 * len({(r["stress"], r["level"], r["mask"]) for r in told})
    for row in told:
        place = (row["stress"], row["level"], row["mask"])
        assert row["objective_usd"] == by[*place, "fluid", row["policy"]]["objective_usd"]
        assert row["e2e_p99_s"] == by[*place, "compiled", row["policy"]]["e2e_p99_s"]
        assert row["rejected"] in (by[*place, "compiled", row["policy"]]["rejected"] + ".0",)
        unserved = float(row["unserved_requests"])
        assert (unserved > 0) == (row["feasible"] == "0")


def test_j_of_the_optimum_is_monotone_and_that_is_checked(home: Path) -> None:
    told = [r for r in rows(home / "done/partial.csv") if r["policy"] == "eglb-off" and r["stress"] == MASK]
    for _, chain in groupby(told, lambda r: r["mask"]):
        ordered = list(chain)
        costs = [float(r["objective_usd"]) for r in ordered if r["feasible"] == "1"]
        assert all(b >= a * (1 - 1e-6) for a, b in pairwise(costs)) and len(costs) >= 2
    said = json.loads((home / "done/study.json").read_text())
    assert said["checks"] and said["broken"] == []


class _Readings:
    """Readings in which the optimum becomes cheaper the less it may do: no solver would."""

    def __init__(self, steps: list[dict[str, Any]]):
        self.summary = dict(self._rows(steps))

    def _rows(self, steps: list[dict[str, Any]]) -> Iterator[tuple[Any, Any]]:
        from simulator.study.readings import Key, cell_of

        for number, step in enumerate(steps):
            place = tuple(cell_of(step[name]) for name in ("stress", "level", "mask"))
            row = {"objective_usd": str(100.0 - number), "unserved_requests": "0.0"}
            for engine in ("fluid", "compiled"):
                yield Key((*place, engine), "eglb-off"), {1: row}


def test_a_j_that_falls_is_told(home: Path) -> None:
    scenario = load(home / "study.yaml")
    assert scenario.study is not None and scenario.study.partial is not None
    agenda = partial_agenda(scenario, scenario.study.partial, ())
    steps = [step for step in agenda.extra["steps"] if step["stress"] == MASK]
    _, said = breakage(replace(agenda, extra={**agenda.extra, "steps": steps}), _Readings(steps))  # type: ignore[arg-type]
    assert not said["checks"] and any("objective_usd falls" in broken for broken in said["broken"])


def test_the_answer_names_who_is_short_of_what(home: Path) -> None:
    """By hand: 0.24 / 3 requests/s an origin; `small` carries 0.9 x 4 / 60 = 0.06 of the 0.08 of `over`."""
    said = " ".join(json.loads((home / "done/study.json").read_text())["answer"])
    assert "What breaks first" in said
    assert "over ask for 0.08 requests/s and may use only small; 0.06 can be carried there" in said
    assert "N-1: 2 of 3 losses can be carried; the worst is that of big" in said


REFUSED = [
    ({"outages": {"scheduled": [{"site": "big", "start_s": 0, "length_s": 600}]}}, "the fluid engine has no servers"),
    ({"fleet_scale": 0.5}, "say accept_scaled: true"),
    ({"allowed": {"max_rtt_ms": 0.1}}, "no site may serve"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_scenarios_that_are_not_fit_are_refused(home: Path, changes: dict[str, Any], message: str) -> None:
    from simulator.scenario import parse
    from simulator.scenario.writing import to_data

    scenario = parse({**to_data(load(home / "study.yaml")), **changes})
    assert scenario.study is not None and scenario.study.partial is not None
    with pytest.raises(InputError, match=message):
        partial_agenda(scenario, scenario.study.partial, ())


def test_an_optimum_with_weights_of_its_own_is_not_held_to_those_of_the_scenario(home: Path) -> None:
    """It minimises something else; the one that is checked stands beside it, under its own label."""
    own = "policies: [{eglb-off: {water_weight_usd_per_m3: 0, carbon_weight_usd_per_t: 0}}]"
    (home / "own.yaml").write_text(STUDY.replace("policies: [glb-cost]", own))
    run(home, "run", "own.yaml", "--out", "own")
    assert {r["policy"] for r in rows(home / "own/partial.csv")} == {
        "eglb-off(water_weight_usd_per_m3=0,carbon_weight_usd_per_t=0)",
        "eglb-off",
    }
    assert "steps)" in json.loads((home / "own/study.json").read_text())["checks"][0]


def test_what_cannot_be_carried_to_begin_with_is_said_so(home: Path) -> None:
    (home / "full.yaml").write_text(STUDY.replace("rate_per_s: 0.24", "rate_per_s: 2"))
    scenario = load(home / "full.yaml")
    assert scenario.study is not None and scenario.study.partial is not None
    agenda = partial_agenda(scenario, scenario.study.partial, ())
    _, said = breakage(agenda, _Readings(list(agenda.extra["steps"])))  # type: ignore[arg-type]
    assert said["answer"][0].startswith("The scenario as it is cannot be carried")


def test_all_seeds_see_one_world(home: Path) -> None:
    """What can be carried is told of one demand; seeds vary the requests."""
    made = STUDY.replace("poisson: {rate_per_s: 0.24}", "calibrated: {peak_kw: 1}")
    (home / "made.yaml").write_text(made.replace("mask_seeds", "seeds: 3, mask_seeds"))
    scenario = load(home / "made.yaml")
    assert scenario.study is not None and scenario.study.partial is not None
    points = partial_agenda(scenario, scenario.study.partial, ()).points[:3]
    worlds = [build_world(point.scenario) for point in points]
    assert [world.seed for world in worlds] == [1, 2, 3]
    assert all(np.array_equal(world.demand.rate_rps, worlds[0].demand.rate_rps) for world in worlds)
