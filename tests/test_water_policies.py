"""`water-cap` and `peak-water`: by hand, against programs with hard limits, and by what their sources promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import world
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, identity, kron

from policies import POLICIES
from policies.peak_water import PeakWater
from policies.water_cap import WaterCap
from simulator import check_policy, run
from simulator.fleet import FloatArray
from simulator.forecast import Outlook
from simulator.plan import Score
from simulator.policy import Observation
from simulator.remarks import remarks
from simulator.study.prospect import outlook_of
from simulator.units import S_PER_YEAR
from simulator.world import World

HERE = {"latitude_deg": 48.2, "longitude_deg": 16.4}
PROPORTIONAL = {"count": 10, "concurrency": 1, "peak_w": 1000, "power": "proportional"}


def two(rate_rps: float = 0.1, **changes: Any) -> World:
    """Two sites of ten places, services of 60 s (0.0167 kWh): `cheap` drinks 6 L/kWh, `dry` 1 L/kWh at twice the price.

    A request costs 1/600 US$ and 0.1 L at `cheap`, 2/600 US$ and 1/60 L at `dry`.
    """
    return world(
        **{
            "sites": [{"name": "cheap", **HERE}, {"name": "dry", **HERE}],
            "origins": [{"name": "here", **HERE}],
            "servers": PROPORTIONAL,
            "slot_s": 3600,
            "slots": 24,
            "signals": {
                "synthetic": {
                    "price_usd_per_mwh": {"per_site": {"cheap": 100, "dry": 200}},
                    "carbon_kg_per_kwh": 0.3,
                    "water_l_per_kwh": {"per_site": {"cheap": 6, "dry": 1}},
                }
            },
            "workload": {"demand": {"poisson": {"rate_per_s": rate_rps}}, "request": {"seconds": 60}},
            **changes,
        }
    )


class Seen(WaterCap):
    """Keeps its prices."""

    def start(self, fleet: Any) -> None:
        super().start(fleet)
        self.prices: list[FloatArray] = []

    def price(self, observation: Observation) -> FloatArray:
        self.prices.append(super().price(observation))
        return self.prices[-1]


def test_a_queue_of_water_by_hand() -> None:
    """360 requests an hour drink 36 L at `cheap`; its allowance is 12 L an hour, 288 L a day.

    After one slot it is 24 L ahead, a twelfth of a day: at 480 US$/m3 for a day that is 40 US$/m3, and 0.004 US$ for
    the 0.1 L of a request. So `cheap` (0.00567) is the dearer one from then on, and gains 12 L an hour: it is 12 L
    ahead after the second slot (0.00367 > 0.00333), and not at all after the third.
    """
    policy = Seen({"cheap": 0.012 * S_PER_YEAR / 3600}, price_usd_per_m3_day=480.0)
    result = run(two(slots=4), policy, engine="fluid")
    assert [price[0] for price in policy.prices] == pytest.approx(
        [1 / 600, 1 / 600 + 0.004, 1 / 600 + 0.002, 1 / 600], rel=1e-9
    )
    assert all(price[1] == pytest.approx(2 / 600, rel=1e-9) for price in policy.prices)
    np.testing.assert_allclose(result.footprint.water_m3[:, 0], [0.036, 0, 0, 0.036], atol=1e-12)
    np.testing.assert_allclose(result.footprint.water_m3[:, 1], [0, 0.006, 0.006, 0], atol=1e-12)


def test_no_allowance_and_no_limit_are_the_cheapest_plan_and_no_scenario_may_forget_them() -> None:
    made = two(0.2)
    cheapest = run(made, POLICIES["glb-cost"](), engine="fluid")
    for kind, key in ((WaterCap, "allowance_m3_per_year"), (PeakWater, "limit_m3_per_h")):
        assert np.array_equal(run(made, kind(), engine="fluid").record.routed, cheapest.record.routed)
        with pytest.raises(ValueError, match=f"{key} is missing"):
            kind().check(made.fleet)
        with pytest.raises(ValueError, match="unknown site 'chaep'; did you mean 'cheap'"):
            kind({"chaep": 1.0}).check(made.fleet)
        kind({"cheap": 1.0}).check(made.fleet)


def test_cost_with_a_cap_is_that_of_the_program_with_a_hard_one_as_the_run_grows() -> None:
    """Neely (2010), chapter 4: the queue stays bounded, so the excess a slot fades as 1/T, and the gap in cost with it.

    Feasible: `dry` could serve all. Of the 36 L an hour at `cheap` half may be drunk.
    """
    excess, gap = [], []
    allowance = 0.018 * S_PER_YEAR / 3600
    for slots in (24, 96, 384):
        made = two(slots=slots)
        result = run(made, WaterCap({"cheap": allowance}, price_usd_per_m3_day=120.0), engine="fluid")
        allowed = 0.018 * slots
        excess.append(result.water_m3[0] / allowed - 1)
        gap.append(result.cost_usd / hard_cap_usd(made, np.array([allowed, np.inf])) - 1)
    assert excess[2] < 0.1 * excess[0]
    assert 0 <= excess[2] < 0.02
    assert abs(gap[2]) < 0.1 * abs(gap[0])
    assert abs(gap[2]) < 0.01


def hard_cap_usd(made: World, allowed_m3: FloatArray) -> float:
    """The least cost of serving all demand with at most so much water at each site, by scipy; the future is known."""
    outlook, fleet = outlook_of(made), made.fleet
    slots, sites = outlook.cost_usd.shape
    seconds = fleet.slot_s
    capped = np.flatnonzero(np.isfinite(allowed_m3))
    water = np.zeros((len(capped), slots * sites))
    for row, site in enumerate(capped):
        water[row, site::sites] = outlook.water_m3[:, site] * seconds
    found = linprog(
        (outlook.cost_usd * seconds).ravel(),
        A_ub=csr_matrix(water),
        b_ub=allowed_m3[capped],
        A_eq=kron(identity(slots), np.ones((1, sites))),
        b_eq=outlook.demand_rps.sum(axis=1),
        bounds=np.column_stack([np.zeros(slots * sites), np.tile(fleet.capacity_rps, slots)]),
    )
    assert found.status == 0
    return float(found.fun)


@pytest.mark.parametrize("seed", range(1, 6))
def test_what_is_drunk_beyond_the_allowance_is_the_queue(seed: int) -> None:
    """water(T) <= allowance(T) + Q(T) on every path, whatever the price, and a higher one leaves less of it."""
    made = world(sites={"catalogue": "paper"}, origins={"catalogue": "paper"}, slots=200, slot_s=3600, seed=seed)
    drunk = run(made, "glb-cost", engine="fluid").water_m3
    allowance = 0.7 * float(drunk.max()) * S_PER_YEAR / (made.fleet.slots * made.fleet.slot_s)
    left = []
    for price in (1.0, 30.0, 900.0):
        policy = WaterCap(allowance, price)
        result = run(made, policy, engine="fluid")
        # The queue as it stands after the last slot.
        last = result.footprint.water_m3[-1]
        queue = np.maximum(policy._ahead_m3 + last - policy._allowance_m3, 0.0)
        allowed = policy._allowance_m3 * made.fleet.slots
        assert (result.water_m3 <= allowed + queue + 1e-9).all()
        left.append(float((result.water_m3 / allowed).max()) - 1)
    assert left[0] > left[1] > left[2]
    assert left[2] < 0.05


def test_a_limit_on_water_by_hand() -> None:
    """360 requests an hour at 0.1 L: 20 L an hour serve 200 of them at `cheap`, 160 go to `dry` (2.67 L)."""
    result = run(two(), PeakWater({"cheap": 0.02}), engine="fluid")
    np.testing.assert_allclose(result.record.routed.sum(axis=0) / 24, [200, 160], rtol=1e-9)
    np.testing.assert_allclose(result.footprint.water_m3, np.tile([0.02, 160 / 60e3], (24, 1)), rtol=1e-9)
    assert result.stretched_slots == 0
    assert remarks([result]) == []


def test_what_servers_drink_by_being_on_counts() -> None:
    """Ten servers of 400 W idle: 4 kWh an hour, 24 L at 6 L/kWh. Of 30 L 6 are left, for 6 L / (0.01 kWh x 6) = 100."""
    servers = {"count": 10, "concurrency": 1, "peak_w": 1000, "idle_w": 400}
    result = run(two(servers=servers), PeakWater({"cheap": 0.03}), engine="fluid")
    np.testing.assert_allclose(result.record.routed.sum(axis=0) / 24, [100, 260], rtol=1e-9)
    np.testing.assert_allclose(result.footprint.water_m3[:, 0], 0.03, rtol=1e-9)


def test_a_limit_that_cannot_be_kept_gives_way_for_what_must_be_served_and_says_so() -> None:
    """720 requests an hour; 540 fit a site. 20 and 5 L serve 200 and 300. `dry` drinks least for the 220 that are left.

    It has places for 240 more, so it takes them all.
    """
    result = run(two(0.2), PeakWater({"cheap": 0.02, "dry": 0.005}), engine="fluid")
    np.testing.assert_allclose(result.record.routed.sum(axis=0) / 24, [200, 520], rtol=1e-9)
    assert result.stretched_slots == 24
    assert result.record.fates[1].sum() == pytest.approx(result.record.arrived.sum())
    (said,) = (note for note in remarks([result]) if "gave way" in note)
    assert said.startswith("PeakWater: its limit on water gave way in 24 slot(s) to serve all it could")
    assert "here ask for 0.2 requests/s and may use only cheap, dry with 0.1389 requests/s" in said


def test_beyond_all_limits_and_all_capacity_what_is_left_out_is_told_as_ever() -> None:
    """1,440 an hour, 1,080 fit both sites: a quarter is left out, by both reasons."""
    result = run(two(0.4), PeakWater(0.001), engine="fluid")
    assert result.record.fates[1].sum() == pytest.approx(0.75 * result.record.arrived.sum(), rel=1e-6)
    assert (result.short_slots, result.stretched_slots) == (24, 24)


@given(seed=st.integers(0, 10**6), load=st.floats(0.2, 1.2), tight=st.floats(0.0, 1.2))
@settings(max_examples=40, deadline=None)
def test_as_little_water_as_possible_is_drunk_beyond_the_limits(seed: int, load: float, tight: float) -> None:
    """Against scipy: first all that can be served, then the least water beyond the limits, then the least cost."""
    generator = np.random.default_rng(seed)
    made = world(
        sites={"generate": {"count": 4, "seed": seed % 50 + 1}},
        allowed={"max_rtt_ms": float(generator.choice([60, 120, 400]))},
        workload={"demand": {"poisson": {"rate_per_s": 0.36 * load}}, "request": {"seconds": 60}},
        slots=2,
    )
    one = outlook_of(made)
    standing, most = one.standing_water_m3, one.water_m3 * made.fleet.capacity_rps * made.fleet.slot_s
    limit_m3 = (standing + tight * most * generator.uniform(0.3, 1, 4)).mean(axis=0)
    limits = dict(zip(made.fleet.sites, (limit_m3 * 3600 / made.fleet.slot_s).tolist(), strict=True))
    result = run(made, PeakWater(limits), engine="fluid")
    for slot in range(2):
        # Figures of the two sums, each with what came before it held.
        least = _second_solver(made, one, slot, limit_m3)
        beyond = np.maximum(result.footprint.water_m3[slot] - limit_m3, 0.0)
        held = np.maximum(standing[slot] - limit_m3, 0.0)
        scale = float(most.max())
        assert (beyond - held).sum() <= least * (1 + 2e-3) + 1e-5 * scale


def _second_solver(made: World, outlook: Outlook, slot: int, limit_m3: FloatArray) -> float:
    """The least water beyond the limits of a slot [m3] when as much as possible is served."""
    fleet, seconds = made.fleet, made.fleet.slot_s
    pairs = np.argwhere(fleet.allowed)
    count, sites = len(pairs), len(fleet.sites)
    of_origin = csr_matrix((np.ones(count), (pairs[:, 0], np.arange(count))), (len(fleet.origins), count))
    of_site = csr_matrix((np.ones(count), (pairs[:, 1], np.arange(count))), (sites, count))
    water = csr_matrix(np.diag(outlook.water_m3[slot] * seconds)) @ of_site
    room = np.maximum(limit_m3 - outlook.standing_water_m3[slot], 0.0)
    bounds = [*(np.r_[outlook.demand_rps[slot], fleet.capacity_rps],), room]
    blank = csr_matrix((len(fleet.origins) + sites, sites))
    rows = hstack([_stacked(of_origin, of_site), blank]).tocsr()
    over = hstack([water, -identity(sites)]).tocsr()
    matrix, limit = _stacked(rows, over), np.concatenate(bounds)
    most = linprog(np.r_[-np.ones(count), np.zeros(sites)], A_ub=matrix, b_ub=limit)
    served = csr_matrix(np.r_[-np.ones(count), np.zeros(sites)][None, :])
    found = linprog(
        np.r_[np.zeros(count), np.ones(sites)],
        A_ub=_stacked(matrix, served),
        b_ub=np.r_[limit, most.fun * (1 - 1e-9)],
    )
    return float(found.fun)


def _stacked(above: Any, below: Any) -> Any:
    return csr_matrix(np.vstack([above.toarray(), below.toarray()]))


@pytest.mark.parametrize("rule", ["split", {"score": {"wait_price_usd_per_s": 1e-4}}])
@pytest.mark.parametrize(
    "settings_",
    [
        {"limit_m3_per_h": 0.02},
        {"limit_m3_per_h": 0.001, "carbon_weight_usd_per_t": 50.0},
        {"limit_m3_per_h": 0.003, "network_p99_ms": 60.0, "rtt_usd_per_request_s": 1e-3},
        {"limit_m3_per_h": 0.0},
    ],
)
def test_limits_keep_the_contract(rule: Any, settings_: dict[str, Any]) -> None:
    check_policy(lambda: PeakWater(**settings_, rule=rule))


@pytest.mark.parametrize("rule", ["split", {"score": {"refresh_s": 30}}])
def test_caps_keep_the_contract(rule: Any) -> None:
    check_policy(lambda: WaterCap(2.0, 500.0, rule=rule))
    check_policy(lambda: WaterCap(5.0, network_p99_ms=60.0, carbon_weight_usd_per_t=100.0, rule=rule))


def test_as_scores_a_limit_is_the_rate_of_a_sites_tokens() -> None:
    """20 L an hour at 0.1 L a request: 200 an hour."""
    plans = []

    class Watching(PeakWater):
        def plan(self, observation: Observation) -> Any:
            plans.append(super().plan(observation))
            return plans[-1]

    result = run(two(slots=200), Watching({"cheap": 0.02}, rule="score"), engine="compiled")
    assert isinstance(plans[0], Score)
    assert plans[0].rate_cap_rps == pytest.approx([200 / 3600, 0.15])
    assert result.water_m3[0] / 200 == pytest.approx(0.02, rel=0.02)
    assert run(two(slots=200), "glb-cost", engine="compiled").water_m3[0] / 200 == pytest.approx(0.036, rel=0.02)


def test_requests_one_by_one_keep_a_limit_in_the_mean() -> None:
    """Shares are those of the plan: 200 requests an hour, within 3.3 standard deviations of a Poisson count."""
    result = run(two(slots=100), PeakWater({"cheap": 0.02}), engine="compiled")
    count = result.record.routed.sum(axis=0)[0]
    assert abs(count - 20_000) < 3.3 * np.sqrt(20_000)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: WaterCap(0.0), "allowance_m3_per_year must be finite and above 0"),
        (lambda: WaterCap({"a": float("inf")}), "allowance_m3_per_year must be finite"),
        (lambda: WaterCap(1.0, -1.0), "price_usd_per_m3_day"),
        (lambda: PeakWater(-1.0), "limit_m3_per_h must be finite and at least 0"),
        (lambda: PeakWater({"a": "much"}), "limit_m3_per_h must be finite"),
    ],
)
def test_settings_that_are_no_limits_are_refused(make: Any, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        make()
