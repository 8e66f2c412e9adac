"""Weights of sites: as a scenario and as policies say them, by hand; what they do to burdens; what J says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from conftest import world

from policies import POLICIES
from policies.weights import OwnWeights
from simulator import load, run
from simulator.equity import peak_to_average
from simulator.norm import MAXIMUM
from simulator.problem import InputError
from simulator.report.table import comparison
from simulator.scenario import parse, shipped_scenarios
from simulator.scenario.source import Source
from simulator.scenario.writing import to_data, to_yaml
from simulator.world import World, build_world

PAPER: dict[str, Any] = {
    "sites": {"catalogue": "paper"},
    "origins": {"catalogue": "paper"},
    "network": {"rtt": "catalogue"},
    "servers": {"count": 8, "concurrency": 2, "peak_w": 1000, "power": "proportional"},
    "slots": 48,
    "slot_s": 3600,
    "workload": {"demand": {"poisson": {"rate_per_s": 0.5}}, "request": {"seconds": 60}},
}
#: AWARE 2.0, non-agricultural, the year (Zenodo 8215864), in the order of the paper's sites.
AWARE = np.array([13.56, 1.62, 1.78, 46.46, 1.61, 2.53, 2.01, 2.17, 0.81, 0.867])


def asked(**objective: Any) -> World:
    return world(**PAPER, objective=objective)


def test_aware_is_the_years_factor_of_each_place_over_their_mean() -> None:
    weights = asked(water_site_weights="aware").fleet.objective.water_site_weights
    np.testing.assert_allclose(weights, AWARE / AWARE.mean(), rtol=1e-12)
    assert weights.mean() == pytest.approx(1.0)


def test_a_sites_own_factors_count_by_their_mean_over_the_year() -> None:
    """6 for every month; 1 to 12, mean 6.5; one that nobody knows, 1: over their mean 4.5."""
    here = {"latitude_deg": 48.2, "longitude_deg": 16.4}
    sites = [
        {"name": "a", **here, "aware": 6},
        {"name": "b", **here, "aware": list(range(1, 13))},
        {"name": "c", **here},
    ]
    signals = {"synthetic": {"price_usd_per_mwh": 100, "carbon_kg_per_kwh": 0.3, "water_l_per_kwh": 3}}
    fleet = world(sites=sites, signals=signals, objective={"water_site_weights": "aware"}).fleet
    np.testing.assert_allclose(fleet.objective.water_site_weights, np.array([6, 6.5, 1]) / 4.5, rtol=1e-12)
    np.testing.assert_array_equal(fleet.scarcity, fleet.objective.water_site_weights)


def test_sites_that_are_not_named_weigh_one() -> None:
    objective = asked(water_site_weights={"nevada": 5}, carbon_site_weights={"texas": 0, "japan": 2.5}).fleet.objective
    np.testing.assert_array_equal(objective.water_site_weights, [1, 1, 1, 5, 1, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(objective.carbon_site_weights, [0, 1, 1, 1, 1, 1, 1, 1, 2.5, 1])
    assert objective.norm == MAXIMUM


def test_sites_keep_their_weights_when_others_are_lost() -> None:
    """So runs with and without them are of one objective; settings of policies may name the lost ones too."""
    whole = asked(water_site_weights="aware", carbon_site_weights={"texas": 3}).fleet
    left = world(
        **PAPER,
        lost_sites=["nevada", "texas"],
        objective={"water_site_weights": "aware", "carbon_site_weights": {"texas": 3}},
    ).fleet
    standing = [i for i, name in enumerate(whole.sites) if name not in ("nevada", "texas")]
    np.testing.assert_array_equal(left.objective.water_site_weights, whole.objective.water_site_weights[standing])
    np.testing.assert_array_equal(left.objective.carbon_site_weights, np.ones(8))
    assert set(left.lost) == {"nevada", "texas"}
    own = OwnWeights(water_site_weights={"nevada": 4, "japan": 2}).objective(left)
    np.testing.assert_array_equal(own.water_site_weights, [1, 1, 1, 1, 1, 1, 2, 1])
    np.testing.assert_array_equal(
        OwnWeights(water_site_weights="aware").objective(left).water_site_weights, left.scarcity
    )


@pytest.mark.parametrize("name", ["eglb-off", "eglb", "hedge", "mpc"])
@pytest.mark.parametrize(
    "objective",
    [
        {"water_site_weights": "aware"},
        {"norm": 3},
        {"norm": 1, "carbon_site_weights": {"japan": 4}, "water_weight_usd_per_m3": 200},
    ],
)
def test_a_policys_own_settings_do_what_the_scenarios_do(name: str, objective: dict[str, Any]) -> None:
    """The same flows to the last bit, whether the scenario asks for an objective or the policy for itself alone."""
    step = {"step": 1.0} if name in ("eglb", "hedge") else {}
    scenarios = run(asked(**objective), POLICIES[name](**step), engine="fluid")
    own = run(asked(), POLICIES[name](**objective, **step), engine="fluid")
    assert np.array_equal(scenarios.record.routed, own.record.routed)
    plain = run(asked(), POLICIES[name](**step), engine="fluid")
    assert not np.array_equal(plain.record.routed, own.record.routed)
    assert plain.fleet.objective.is_plain
    assert own.fleet.objective.is_plain


def test_a_policy_may_weigh_sites_evenly_where_its_scenario_does_not() -> None:
    even = run(
        asked(water_site_weights="aware"), POLICIES["eglb-off"](water_site_weights={}, norm="max"), engine="fluid"
    )
    assert np.array_equal(even.record.routed, run(asked(), POLICIES["eglb-off"](), engine="fluid").record.routed)


def test_weights_of_one_change_no_bit() -> None:
    names = dict.fromkeys(asked().fleet.sites, 1.0)
    for policy in ("eglb-off", "eglb", "hedge", "mpc"):
        plain, ones = (
            run(made, POLICIES[policy](), engine="fluid")
            for made in (asked(), asked(water_site_weights=names, carbon_site_weights=names, norm="max"))
        )
        assert plain.objective_usd == ones.objective_usd
        assert np.array_equal(plain.record.routed, ones.record.routed)


def test_scarcity_moves_water_away_from_where_it_is_scarce() -> None:
    """With water alone in J: Nevada and Texas, 6.3 and 1.8 times the mean, drink less; the weighted PAR falls."""
    made = asked(water_site_weights="aware", carbon_weight_usd_per_t=0)
    weighted, even = (
        run(made, POLICIES["eglb-off"](**own), engine="fluid") for own in ({}, {"water_site_weights": {}})
    )
    assert (weighted.water_m3[[0, 3]] < even.water_m3[[0, 3]]).all()
    assert weighted.summary()["par_weighted_water"] < even.summary()["par_weighted_water"]
    assert weighted.objective_usd < even.objective_usd


def test_the_summary_says_how_evenly_weighted_burdens_lie() -> None:
    result = run(asked(water_site_weights="aware", carbon_site_weights={"texas": 3}), "glb-cost", engine="fluid")
    row = result.summary()
    assert row["par_weighted_water"] == pytest.approx(peak_to_average(result.water_m3 * AWARE), rel=1e-12)
    heavy = result.carbon_t * np.array([3] + [1] * 9)
    assert row["par_weighted_carbon"] == pytest.approx(peak_to_average(heavy), rel=1e-12)
    water = float((result.water_m3 * AWARE).max()) / AWARE.mean()
    assert row["objective_usd"] == pytest.approx(result.cost_usd + 60 * water + 1500 * heavy.max(), rel=1e-12)
    plain = run(asked(), "glb-cost", engine="fluid").summary()
    assert (plain["par_weighted_water"], plain["par_weighted_carbon"]) == (plain["par_water"], plain["par_carbon"])


def test_the_printed_table_shows_weighted_ratios_where_sites_weigh_differently() -> None:
    def headings(made: World) -> list[str]:
        printed = comparison([run(made, "glb-cost", engine="fluid")], None, False)
        return [part.column.key for part in printed if part.column.key.startswith("par_")]

    assert headings(asked()) == ["par_water", "par_carbon"]
    assert headings(asked(water_site_weights="aware")) == ["par_water", "par_carbon", "par_weighted_water"]


def test_j_in_a_norm_by_hand() -> None:
    """The Euclidean norm over the sites, of what the ledger holds."""
    result = run(asked(norm=2), "glb-cost", engine="fluid")
    water, carbon = (float(np.sqrt((part**2).sum())) for part in (result.water_m3, result.carbon_t))
    assert result.objective_usd == pytest.approx(result.cost_usd + 60 * water + 1500 * carbon, rel=1e-12)


def test_notes_say_which_objective_j_is_of_where_it_is_not_the_plain_one() -> None:
    assert not any("J = " in note for note in asked().notes)
    said = [note for note in asked(water_site_weights="aware", norm=4).notes if note.startswith("J = ")]
    assert said == [
        "J = cost + 60 US$/m3 x L4(a water) + 1500 US$/t x L4(carbon), a from 0.11 (japan) to 6.33 (nevada)"
    ]


@pytest.mark.parametrize(
    "objective",
    [
        {},
        {"norm": 4},
        {"norm": "max"},
        {"water_site_weights": "aware"},
        {"carbon_site_weights": {"texas": 2.0}, "norm": 1.5},
    ],
)
def test_an_objective_is_written_as_it_reads(objective: dict[str, Any]) -> None:
    scenario = asked(**objective).scenario
    again = parse(Source(to_yaml(scenario), "again", next(iter(shipped_scenarios().values())).parent).data)
    assert again == scenario
    assert to_data(again)["objective"].items() >= objective.items()


@pytest.mark.parametrize("settings", [{"norm": 3}, {"norm": 1.1}, {"water_site_weights": "aware"}])
def test_engines_see_the_same_prices_of_a_norm(settings: dict[str, Any]) -> None:
    """eglb and hedge learn from the ledger: every request goes where it goes in the other engine."""
    made = world(workload={"demand": {"poisson": {"rate_per_s": 0.15}}, "request": {"seconds": 60}})
    for policy in ("eglb", "hedge"):
        learner = POLICIES[policy](step=50.0, **settings)
        results = [run(made, learner, engine=engine, keep_requests=True) for engine in ("compiled", "simpy")]
        one, other = (result.record.requests for result in results)
        assert one is not None and other is not None
        assert np.array_equal(one.site, other.site)


def test_prices_that_move_with_requests_weigh_sites_but_know_one_norm() -> None:
    made = asked(water_site_weights="aware", norm=2)
    with pytest.raises(ValueError, match="norm: max"):
        POLICIES["hedge"](update_every=10).check(made.fleet)
    with pytest.raises(ValueError, match="norm: max"):
        run(made, POLICIES["eglb"](update_every=10), engine="compiled")
    settings = {"update_every": 10, "norm": "max", "step": 5.0}
    moved = run(made, POLICIES["hedge"](**settings), engine="compiled")
    even = run(made, POLICIES["hedge"](**settings, water_site_weights={}), engine="compiled")
    assert moved.summary()["par_weighted_water"] < even.summary()["par_weighted_water"]


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"norm": 0.5}, "norm: max or a number that is at least 1 is needed"),
        ({"norm": "maxx"}, "did you mean 'max'"),
        ({"norm": True}, "norm: max or a number"),
        ({"water_site_weights": "awere"}, "did you mean 'aware'"),
        ({"water_site_weights": {"texas": -1}}, "texas: -1"),
        ({"carbon_site_weights": "aware"}, "a mapping from sites to weights is needed"),
        ({"carbon_site_weights": {"texas": "much"}}, "texas: much"),
    ],
)
@pytest.mark.parametrize("name", ["eglb-off", "eglb", "hedge", "mpc"])
def test_settings_that_are_no_objective_are_refused(name: str, settings: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        POLICIES[name](**settings)


@pytest.mark.parametrize("name", ["eglb-off", "eglb", "hedge", "mpc"])
def test_settings_that_name_no_site_are_refused_before_anything_runs(name: str) -> None:
    wrong = POLICIES[name](carbon_site_weights={"texsa": 2})
    with pytest.raises(ValueError, match="unknown site 'texsa'; did you mean 'texas'"):
        wrong.check(asked().fleet)


def test_every_wrong_name_of_a_scenario_is_told_with_its_place() -> None:
    data: Mapping[str, Any] = {"water_site_weights": {"texsa": 1, "japna": 2}, "carbon_site_weights": {"nowhere": 3}}
    with pytest.raises(InputError) as refused:
        asked(**data)
    assert [problem.path for problem in refused.value.problems] == [
        ("objective", "water_site_weights", "texsa"),
        ("objective", "water_site_weights", "japna"),
        ("objective", "carbon_site_weights", "nowhere"),
    ]


def test_a_latency_study_keeps_the_objective_of_its_scenario() -> None:
    """Its multiples are of the two weights; sites and norm are the scenario's."""
    scenario = load("latency-study")
    assert build_world(scenario).fleet.objective.is_plain
    twice = asked(water_site_weights="aware", norm=2).fleet.objective.times(2.0)
    assert (twice.water_weight_usd_per_m3, twice.carbon_weight_usd_per_t, twice.norm) == (120, 3000, 2.0)
    np.testing.assert_allclose(twice.water_site_weights, AWARE / AWARE.mean(), rtol=1e-12)
