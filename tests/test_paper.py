"""Table 1 of "Towards Environmentally Equitable AI" (arXiv 2412.16539) on the authors' data."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import needs

from policies import POLICIES
from simulator import load, run
from simulator.result import RunResult
from simulator.scenario import find_scenario
from simulator.world import World, build_world

pytestmark = needs("paper")

#: Cost per site [US$], PAR of water, PAR of carbon, J [US$]: the programs solved exactly by HiGHS on the
#: authors' data. Rows without a published counterpart are baselines of arXiv 2307.05494.
EXACT = {
    "full": {
        "glb-cost": (29169.8606, 1.709758, 1.675363, 721352.011),
        "glb-carbon": (45535.4669, 1.852358, 1.702423, 844825.197),
        "glb-water": (56183.7551, 1.616183, 2.043116, 987806.087),
        "glb-c2": (31272.437, 1.818803, 1.751813, 736248.218),
        "glb-all": (31473.6012, 1.795502, 1.771653, 737491.356),
        "eglb-off": (33669.4511, 1.269364, 1.130112, 623661.352),
        "glb-nearest": (47037.5903, 1.445283, 1.406751, 825888.484),
    },
    "partial": {
        "glb-cost": (29659.47, 1.716484, 1.687299, 727718.655),
        "glb-carbon": (45535.4669, 1.852358, 1.702423, 844825.197),
        "glb-water": (53975.6365, 1.622825, 2.067396, 966806.646),
        "glb-c2": (31652.2069, 1.827221, 1.758305, 740236.637),
        "glb-all": (31835.6152, 1.802007, 1.78021, 741551.363),
        "eglb-off": (34185.6446, 1.29874, 1.126178, 629943.209),
        "glb-nearest": (47037.5903, 1.445283, 1.406751, 825888.484),
    },
}
#: As published: cost per site [US$], PAR of water, PAR of carbon.
PUBLISHED = {
    ("full", "glb-cost"): (29170, 1.71, 1.68),
    ("full", "glb-carbon"): (45535, 1.85, 1.70),
    ("full", "eglb-off"): (33669, 1.27, 1.13),
    ("full", "glb-nearest"): (47038, 1.44, 1.41),
    ("full", "eglb"): (33752, 1.37, 1.22),
    ("partial", "glb-cost"): (29659, 1.72, 1.69),
    ("partial", "glb-carbon"): (45535, 1.84, 1.71),
    ("partial", "glb-nearest"): (47038, 1.44, 1.41),
    ("partial", "eglb-off"): (34186, 1.30, 1.12),
    ("partial", "eglb"): (34162, 1.38, 1.22),
}
FILES = {"full": "paper-table1", "partial": "paper-table1-partial"}


@pytest.fixture(scope="module", params=["full", "partial"])
def glb(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def paper(glb: str) -> World:
    return build_world(load(find_scenario(FILES[glb])))


@cache
def fluid(world: World, policy: str, **settings: Any) -> RunResult:
    return run(world, POLICIES[policy](**settings), engine="fluid", label=policy)


def figures(result: RunResult) -> tuple[float, float, float, float]:
    row = result.summary()
    return row["cost_usd_per_site"], row["par_water"], row["par_carbon"], row["objective_usd"]


@pytest.mark.parametrize("policy", EXACT["full"])
def test_every_exact_figure_is_met_within_a_hundredth_of_a_percent(paper: World, glb: str, policy: str) -> None:
    assert figures(fluid(paper, policy)) == pytest.approx(EXACT[glb][policy], rel=1e-4)


@pytest.mark.parametrize("policy", EXACT["full"])
def test_the_fluid_engine_serves_the_demand_of_the_paper(paper: World, glb: str, policy: str) -> None:
    """2,915 MWh (10 sites x 457 h x 0.638 MW) are 729 million requests of 4 Wh: nothing is rejected or unfinished."""
    row = fluid(paper, policy).summary()
    assert row["energy_mwh"] == pytest.approx(2914.78, abs=0.01)
    assert (row["rejected"], row["unfinished"], row["short_slots"]) == (0, 0, 0)


def test_the_offline_optimum_is_met_to_a_millionth(paper: World, glb: str) -> None:
    optimum = {"full": 623661.3525, "partial": 629943.2094}[glb]
    assert fluid(paper, "eglb-off").objective_usd == pytest.approx(optimum, rel=1e-6)


def test_online_equity_meets_the_published_row(paper: World, glb: str) -> None:
    """Within 1 % of the published cost and 0.01 of both published PARs."""
    cost, par_water, par_carbon, _ = figures(fluid(paper, "eglb"))
    published = PUBLISHED[glb, "eglb"]
    assert cost == pytest.approx(published[0], rel=0.01)
    assert (par_water, par_carbon) == pytest.approx(published[1:], abs=0.01)


def test_published_rows_are_met_to_one_unit_of_their_last_digit(paper: World, glb: str) -> None:
    """Not half a unit: nearest is printed as 1.44 and partial eGLB-Off as 1.12, the data give 1.4453 and 1.1262.

    But for partial GLB-Carbon: it does as full GLB-Carbon (1.8524), and is printed as 1.84 beside its 1.85.
    """
    for (kind, policy), row in PUBLISHED.items():
        misprinted = (kind, policy) == ("partial", "glb-carbon")
        cost, par_water, par_carbon = PUBLISHED["full", policy] if misprinted else row
        if kind == glb and policy != "eglb":
            ours = figures(fluid(paper, policy))
            assert ours[0] == pytest.approx(cost, abs=1), policy
            assert ours[1:3] == pytest.approx((par_water, par_carbon), abs=0.01), policy


def test_the_scenario_shows_the_published_rows(glb: str) -> None:
    shown = load(find_scenario(FILES[glb])).published
    assert shown is not None
    rows = {(glb, name): (r.cost_usd_per_site, r.par_water, r.par_carbon) for name, r in shown.rows.items()}
    assert rows == {key: row for key, row in PUBLISHED.items() if key[0] == glb}


def test_hedge_stays_within_two_percent_of_the_optimum(paper: World, glb: str) -> None:
    assert fluid(paper, "hedge", step=2e-4).objective_usd <= {"full": 636_000, "partial": 642_000}[glb]


def test_hindsight_stays_within_one_and_a_half_percent_with_nothing_but_the_past(paper: World, glb: str) -> None:
    assert 0 <= fluid(paper, "hindsight").summary()["gap"] <= 0.015


def test_a_perfect_day_ahead_brings_mpc_near_the_optimum(paper: World, glb: str) -> None:
    assert (
        fluid(paper, "mpc", window_h=24, forecaster="perfect").objective_usd
        <= {"full": 632_000, "partial": 638_000}[glb]
    )


def test_mpc_that_sees_everything_is_the_offline_optimum(paper: World, glb: str) -> None:
    """A window as long as the run, on its last four days."""
    scenario = paper.scenario.model_copy(update={"slots": 96})
    short = build_world(scenario)
    everything = fluid(short, "mpc", window_h=96, forecaster="perfect").objective_usd
    assert everything == pytest.approx(fluid(short, "eglb-off").objective_usd, rel=1e-6)


def test_no_policy_beats_the_offline_optimum(paper: World, glb: str) -> None:
    optimum = fluid(paper, "eglb-off").objective_usd
    for policy in POLICIES:
        assert fluid(paper, policy).objective_usd >= optimum * (1 - 1e-9), policy


@pytest.mark.parametrize("policy", ["glb-cost", "glb-carbon", "glb-nearest", "eglb-off", "eglb", "hedge"])
def test_a_thousandth_of_the_table_comes_near_the_fluid_limit(glb: str, policy: str) -> None:
    """All 457 hours, 728,000 requests. Poisson counts n of every slot and site bound the difference.

    The cost scatters by sqrt(sum p^2 n) around sum p n, and a site's footprint w by sqrt(sum w^2 n): |z| < 3.3, and for
    the ten sites together chi-square < 35.6 (one in 10,000). Policies that learn from the ledger plan differently after
    a while: their cost is within the 0.5 % that the whole table is held to.
    """
    world = build_world(load(find_scenario(FILES[glb])).model_copy(update={"fleet_scale": 0.001}))
    ours, limit = (run(world, POLICIES[policy](), engine=engine) for engine in ("compiled", "fluid"))
    if policy in ("eglb", "hedge"):
        assert ours.cost_usd == pytest.approx(limit.cost_usd, rel=0.005)
        return
    counts = limit.footprint.it_kwh * world.scenario.fleet_scale / world.fleet.energy_kwh
    one = 1 / world.scenario.fleet_scale * world.fleet.energy_kwh
    spread = np.sqrt((np.square(world.conditions.price_usd_per_kwh * one) * counts).sum())
    assert abs(ours.cost_usd - limit.cost_usd) < 3.3 * spread
    for signal, found, expected in (
        (world.conditions.onsite_water_l_per_kwh, ours.water_m3, limit.water_m3),
        (world.conditions.carbon_kg_per_kwh, ours.carbon_t, limit.carbon_t),
    ):
        # In t or m3, as the footprints are.
        spreads = np.sqrt((np.square(signal * one / 1e3) * counts).sum(axis=0))
        assert np.square((found - expected) / spreads).sum() < 35.6


def test_scores_with_token_buckets_follow_the_merit_order() -> None:
    """A hundredth of the table: US$ 29,184 a site (the program's 29,170), no site above 1.02 of its planned capacity.

    Without buckets of a minute the cheapest sites stand idle between two tokens: with bursts of 1 s, US$ 38,300.
    """
    world = build_world(load(find_scenario("paper-table1")).model_copy(update={"fleet_scale": 0.01}))
    score = run(world, POLICIES["glb-cost"](rule="score"), engine="compiled")
    assert figures(score)[0] == pytest.approx(29_184, rel=1e-3)
    planned_kwh = world.fleet.capacity_rps * world.fleet.energy_kwh * world.fleet.slot_s
    assert (score.footprint.it_kwh <= 1.02 * planned_kwh).all()
    hasty = run(world, POLICIES["glb-cost"](rule={"score": {"burst_s": 1.0}}), engine="compiled")
    assert figures(hasty)[0] == pytest.approx(38_300, rel=1e-2)


@pytest.mark.parametrize(("policy", "objective_usd"), [("eglb", 648_100), ("hedge", 637_500)])
@pytest.mark.parametrize("update_every", [1, 100])
def test_prices_that_move_with_the_requests(policy: str, objective_usd: float, update_every: int) -> None:
    """A hundredth of the table, full GLB: J of Euclidean and of entropic steps, at every request or every 100.

    A prototype of the method saw about these J; ours must not be worse. No online policy beats the optimum.
    """
    world = build_world(load(find_scenario("paper-table1")).model_copy(update={"fleet_scale": 0.01}))
    found = run(world, POLICIES[policy](update_every=update_every), engine="compiled").objective_usd
    assert EXACT["full"]["eglb-off"][3] < found <= objective_usd


def test_water_weighted_by_scarcity_lies_evenly_where_its_scenario_says_so() -> None:
    """Annual AWARE 2.0 factors scaled to mean 1: weighted PAR 1.28 against 6.73, for US$ 44,405 a site against 33,669.

    An independent program on the same data gave about 1.28, 6.7 and 44,400.
    """
    world = build_world(load(find_scenario("paper-table1-aware")))
    weighted, even = (
        run(world, POLICIES["eglb-off"](**settings), engine="fluid").summary()
        for settings in ({}, {"water_site_weights": {}})
    )
    assert weighted["par_weighted_water"] == pytest.approx(1.28, abs=0.005)
    assert even["par_weighted_water"] == pytest.approx(6.7, abs=0.05)
    assert weighted["cost_usd_per_site"] == pytest.approx(44_400, rel=1e-3)
    assert even["cost_usd_per_site"] == pytest.approx(EXACT["full"]["eglb-off"][0], rel=1e-4)
    factors = np.array([13.56, 1.62, 1.78, 46.46, 1.61, 2.53, 2.01, 2.17, 0.81, 0.867])
    np.testing.assert_allclose(world.fleet.objective.water_site_weights, factors / factors.mean(), rtol=1e-12)
    for policy in ("eglb", "hedge", "mpc"):
        gap = run(world, POLICIES[policy](), engine="fluid").objective_usd / weighted["objective_usd"] - 1
        assert 0 <= gap <= {"eglb": 0.03, "hedge": 0.02, "mpc": 0.03}[policy], policy


@pytest.mark.parametrize("norm", [1, 2, 8, 64])
def test_no_online_policy_beats_the_optimum_of_another_norm(norm: float) -> None:
    """J in the norm of the scenario: the offline optimum is below all, `hedge` within 2 % of it."""
    scenario = load(find_scenario("paper-table1"), [f"objective.norm={norm}"])
    world = build_world(scenario)
    best = run(world, POLICIES["eglb-off"](), engine="fluid").objective_usd
    for policy in ("glb-cost", "glb-water", "eglb", "hedge", "water-cap"):
        assert run(world, POLICIES[policy](), engine="fluid").objective_usd >= best * (1 - 1e-6), policy
    assert run(world, POLICIES["hedge"](), engine="fluid").objective_usd <= best * 1.02
