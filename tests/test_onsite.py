"""Sun and batteries of a site: cycles by hand, and laws over random days.

The C/L/C model by hand: lithium-ion cells of Kazhamiaka, Rosenberg and Keshav (2019), eff_c 0.97, eff_d 1.04, 3 C,
u_up -0.04 h, v_up 1, u_lo 0.01 h, v_lo 0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import STORAGE
from policies.storage import SelfConsumption
from simulator.battery import Battery, charge_limit_kw, discharge_limit_kw, lost_kwh, moved
from simulator.footprint import Conditions
from simulator.onsite import Flows, OnSite, check_flows, no_flows, stacked
from simulator.plan import PolicyError
from simulator.storage import StorageControl, StorageView


def battery(*capacities: float, **changes: float) -> Battery:
    """Lithium-ion batteries of these capacities [kWh], empty unless told otherwise."""
    cells = {"initial_kwh": 0.0, "c_rate_per_h": 3.0, "eff_c": 0.97, "eff_d": 1.04}
    cells |= {"u_up_h": -0.04, "v_up": 1.0, "u_lo_h": 0.01, "v_lo": 0.0} | changes
    return Battery(np.array(capacities), **{key: np.full(len(capacities), value) for key, value in cells.items()})


def conditions(slots: int, sites: int, price: Any = 0.1, carbon: Any = 0.3) -> Conditions:
    """Prices [US$/kWh] and carbon [kg/kWh] of the slots, the same at all sites."""
    flat = np.ones((slots, sites))
    price, carbon = (np.reshape(np.asarray(value, dtype=float), (-1, 1)) for value in (price, carbon))
    return Conditions(flat * price, flat * carbon, flat, 0 * flat, flat, flat, np.nan * flat)


def settled(site: OnSite, loads_kwh: Any) -> Flows:
    """The flows of a run with these loads, [slots, sites]."""
    return stacked([site.settle(slot, np.array(load, dtype=float)) for slot, load in enumerate(loads_kwh)])


def one_site(
    solar_kw: Any,
    load_kw: Any,
    control: StorageControl,
    hours: float = 1.0,
    cells: Battery | None = None,
    **signals: Any,
) -> tuple[Flows, np.ndarray]:
    """The flows of one site [slots], and its loads [kWh]."""
    cells = battery(100.0) if cells is None else cells
    loads = np.array(load_kw, dtype=float)[:, None] * hours
    sun = np.array(solar_kw, dtype=float)[:, None]
    site = OnSite(sun, cells, [control], conditions(len(sun), 1, **signals), hours * 3600)
    flows = settled(site, loads)
    assert all(check_flows(flows, loads, cells).values()), check_flows(flows, loads, cells)
    return Flows(*(part[:, 0] for part in flows)), loads[:, 0]


class Wishes(StorageControl):
    """Wishes for these powers, one after the other; keeps what it saw."""

    def __init__(self, *powers: Any):
        self.powers = powers
        self.views: list[StorageView] = []

    def start(self) -> None:
        self.views = []

    def power_kw(self, view: StorageView) -> float:
        self.views.append(view)
        return self.powers[view.slot % len(self.powers)]


# --- the battery ----------------------------------------------------------------------------------------------------


def test_limits_by_hand():
    """100 kWh half full. An hour of charging: room 50 / (0.97 + 0.04) = 49.505 kW; of discharging: 50 / 1.05 kW.
    A minute: the rate of 3 C holds, 300 / 0.97 and 300 / 1.04 kW. A day: 50 / 23.32 and 50 / 24.97 kW."""
    cells, half = battery(100.0), np.array([50.0])
    for hours, charge, discharge in (
        (1.0, 50 / 1.01, 50 / 1.05),
        (1 / 60, 300 / 0.97, 300 / 1.04),
        (24.0, 50 / 23.32, 50 / 24.97),
    ):
        assert charge_limit_kw(cells, half, hours)[0] == pytest.approx(charge, rel=1e-14)
        assert discharge_limit_kw(cells, half, hours)[0] == pytest.approx(discharge, rel=1e-14)


def test_a_full_battery_takes_nothing_and_an_empty_one_gives_nothing():
    cells = battery(100.0, 100.0, 0.0, v_up=0.9, v_lo=0.2)
    content = np.array([95.0, 15.0, 0.0])
    assert charge_limit_kw(cells, content, 1.0)[0] == 0
    assert discharge_limit_kw(cells, content, 1.0)[1] == 0
    assert charge_limit_kw(cells, content, 1.0)[2] == discharge_limit_kw(cells, content, 1.0)[2] == 0


@given(
    st.floats(0, 1), st.floats(1e-3, 1e5), st.floats(0.01, 100), st.floats(0.5, 1), st.floats(1, 2), st.floats(-1, 0)
)
def test_charging_at_the_limit_and_giving_it_back_stays_within_the_cells_and_gains_nothing(
    share, capacity, hours, eff_c, eff_d, u_up
):
    cells, content = battery(capacity, eff_c=eff_c, eff_d=eff_d, u_up_h=u_up), np.array([share * capacity])
    charged, none = charge_limit_kw(cells, content, hours) * hours, np.zeros(1)
    fuller = moved(cells, content, charged, none)
    assert content <= fuller * (1 + 1e-12)
    assert fuller <= capacity
    back = discharge_limit_kw(cells, fuller, hours) * hours
    emptier = moved(cells, fuller, none, back)
    assert emptier >= 0
    lost = lost_kwh(cells, charged, back)
    assert lost >= 0
    assert charged - back == pytest.approx(emptier - content + lost, rel=1e-9, abs=1e-9 * capacity)
    assert back <= content / eff_d + charged * cells.round_trip * (1 + 1e-12) + 1e-12


# --- cycles by hand -------------------------------------------------------------------------------------------------


def test_a_cycle_of_two_days_by_hand():
    """100 kWh, slots of 12 h: days of 15 and of 25 kW sun over a load of 10 kW, nights of 5 kW. In fractions.

    Day 1: 120 of 180 kWh are used, 60 stored: content 58.2. Night 1: 58.2 / (0.01 + 1.04 x 12) = 4.66 kW of the 5.
    Day 2: of 15 kW surplus (100 - content) / (0.97 x 12 + 0.04) = 8.56 kW are stored, the rest is curtailed.
    Night 2: content 99.66 could give 7.98 kW; the load is 5 kW: 60 kWh.
    """
    flows, loads = one_site([15, 0, 25, 0], [10, 5, 10, 5], SelfConsumption(), hours=12)
    first_night = Fraction("58.2") / Fraction("12.49")
    left = Fraction("58.2") - Fraction("1.04") * 12 * first_night
    second_day = (100 - left) / Fraction("11.68")
    full = left + Fraction("0.97") * 12 * second_day
    expected = {
        "produced": [180, 0, 300, 0],
        "used": [120, 0, 120, 0],
        "stored": [60, 0, 12 * second_day, 0],
        "curtailed": [0, 0, 180 - 12 * second_day, 0],
        "grid_charged": [0, 0, 0, 0],
        "discharged": [0, 12 * first_night, 0, 60],
        "lost": [Fraction("1.8"), Fraction("0.48") * first_night, Fraction("0.36") * second_day, Fraction("2.4")],
        "content": [Fraction("58.2"), left, full, full - Fraction("62.4")],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(flows, name), [float(v) for v in values], rtol=1e-14, atol=1e-14)
    assert flows.content[3] == pytest.approx(37.257694, abs=1e-6)
    np.testing.assert_allclose(loads - flows.own_kwh, [0, 60 - float(12 * first_night), 0, 0], atol=1e-13)


def test_what_is_charged_from_the_grid_is_added_at_the_meter():
    """A wish of 40 kW with 10 kW of sun left over: 10 from the sun and 30 from the grid; then 20 kW to the load."""
    flows, loads = one_site([30, 0], [20, 50], Wishes(40, -20))
    assert (flows.stored[0], flows.grid_charged[0], flows.curtailed[0]) == (10, 30, 0)
    assert flows.content[0] == pytest.approx(0.97 * 40)
    np.testing.assert_allclose(loads - flows.own_kwh, [30, 30])
    assert flows.content[1] == pytest.approx(0.97 * 40 - 1.04 * 20)


def test_a_wish_is_cut_to_what_the_battery_and_the_load_allow():
    flows, _ = one_site([0, 0, 0], [1, 1, 1000], Wishes(1e9, -1e9, -1e9))
    assert flows.grid_charged[0] == pytest.approx(100 / 1.01)
    assert flows.discharged[1] == 1
    assert flows.discharged[2] == pytest.approx(flows.content[1] / 1.05)


def test_a_battery_without_a_wish_leaves_the_sun_curtailed():
    flows, _ = one_site([30], [20], Wishes(0))
    assert (flows.used[0], flows.curtailed[0], flows.stored[0]) == (20, 10, 0)


def test_sun_without_a_battery_serves_the_load_and_the_rest_is_curtailed():
    site = OnSite(np.array([[30.0, 5.0]]), battery(0.0, 0.0), (), conditions(1, 2), 1800)
    flows = site.settle(0, np.array([10.0, 10.0]))
    np.testing.assert_array_equal(flows.produced, [15, 2.5])
    np.testing.assert_array_equal(flows.used, [10, 2.5])
    np.testing.assert_array_equal(flows.curtailed, [5, 0])
    np.testing.assert_array_equal(flows.own_kwh, [10, 2.5])


def test_sites_without_sun_and_battery_have_no_flows():
    site = OnSite(np.zeros((2, 3)), battery(0.0, 0.0, 0.0), (), conditions(2, 3), 3600)
    flows = settled(site, [[1, 2, 3], [4, 5, 6]])
    for part, zero in zip(flows, no_flows((2, 3)), strict=True):
        np.testing.assert_array_equal(part, zero)


def test_each_site_has_a_battery_and_a_control_of_its_own():
    site = OnSite(
        np.full((2, 3), 10.0), battery(100.0, 0.0, 50.0), [Wishes(5), None, Wishes(2)], conditions(2, 3), 3600
    )
    flows = settled(site, [[0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(flows.stored, [[5, 0, 2], [5, 0, 2]])
    np.testing.assert_allclose(flows.content, [[4.85, 0, 1.94], [9.7, 0, 3.88]])


# --- what a control sees and says -----------------------------------------------------------------------------------


def test_a_control_sees_the_slot_and_the_past_and_nothing_else():
    control = Wishes(0)
    one_site([30, 4], [20, 5], control, price=[0.1, 0.2], carbon=[0.3, 0.4], hours=0.5)
    first, second = control.views
    assert first.prices_usd_per_kwh.tolist() == [0.1]
    assert second.prices_usd_per_kwh.tolist() == [0.1, 0.2]
    assert second.carbons_kg_per_kwh.tolist() == [0.3, 0.4]
    assert (second.price_usd_per_kwh, second.carbon_kg_per_kwh) == (0.2, 0.4)
    assert (first.load_kw, first.solar_kw, first.surplus_kw, first.left_kw) == (20, 30, 10, 0)
    assert (second.surplus_kw, second.left_kw, second.slot, second.slot_s) == (0, 1, 1, 1800)
    assert (first.content_kwh, first.capacity_kwh) == (0, 100)
    assert first.charge_limit_kw == pytest.approx(100 / 0.525)
    assert first.round_trip == pytest.approx(0.97 / 1.04)


@pytest.mark.parametrize("wish", [float("nan"), float("inf"), None, "all", True, np.zeros(2)])
def test_a_wish_that_is_no_number_is_named_with_its_slot_and_class(wish):
    with pytest.raises(PolicyError, match=r"slot 0: Wishes: power_kw\(\) must return a finite number"):
        one_site([1], [1], Wishes(wish))


def test_slots_are_settled_once_and_in_their_order():
    site = OnSite(np.ones((3, 1)), battery(1.0), [SelfConsumption()], conditions(3, 1), 3600)
    site.settle(0, np.ones(1))
    for slot in (0, 2):
        with pytest.raises(ValueError, match="slot 1 is to be settled next"):
            site.settle(slot, np.ones(1))


def test_a_battery_without_a_control_is_an_error():
    with pytest.raises(ValueError, match="the battery of site 1 has no control"):
        OnSite(np.ones((1, 2)), battery(1.0, 1.0), [SelfConsumption()], conditions(1, 2), 3600)


# --- laws -----------------------------------------------------------------------------------------------------------

POWERS = st.lists(st.floats(0, 500), min_size=1, max_size=30)


@settings(max_examples=200, deadline=None)
@given(st.data(), POWERS, st.sampled_from([300.0, 3600.0, 86400.0]), st.floats(0, 1))
def test_the_laws_hold_on_random_days_whatever_the_control_wishes(data, solar, slot_s, initial):
    slots = len(solar)
    some = st.lists(st.floats(0, 500), min_size=slots, max_size=slots)
    signals = st.lists(st.floats(-0.1, 1), min_size=slots, max_size=slots)
    cells = battery(data.draw(st.floats(0.1, 1000)))
    cells = cells._replace(initial_kwh=cells.capacity_kwh * initial)
    wishes = Wishes(*data.draw(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=slots)))
    control = data.draw(st.sampled_from([wishes, *(kind() for kind in STORAGE.values())]))
    loads = np.array(data.draw(some))[:, None] * slot_s / 3600
    here = conditions(slots, 1, price=data.draw(signals), carbon=data.draw(some))
    flows = settled(OnSite(np.array(solar)[:, None], cells, [control], here, slot_s), loads)
    laws = check_flows(flows, loads, cells)
    assert all(laws.values()), laws
    meter = loads - flows.own_kwh
    assert (meter >= -1e-12 * (1 + loads)).all()  # but for rounding
    # Energy is kept over the whole run: meter + sun = load + curtailed + lost + what is more in the battery.
    gained = flows.content[-1] - cells.initial_kwh
    out = loads.sum() + flows.curtailed.sum() + flows.lost.sum() + gained.sum()
    assert meter.sum() + flows.produced.sum() == pytest.approx(out, rel=1e-9, abs=1e-6)


def broken(**changes: Any) -> list[str]:
    """The laws that do not hold when a fair day's flows are changed."""
    cells, loads = battery(100.0), np.array([[10.0], [10.0]])
    site = OnSite(np.array([[25.0], [0.0]]), cells, [SelfConsumption()], conditions(2, 1), 3600)
    flows = settled(site, loads)
    laws = check_flows(
        flows._replace(**{key: change(getattr(flows, key)) for key, change in changes.items()}), loads, cells
    )
    return [name for name, holds in laws.items() if not holds]


@pytest.mark.parametrize(
    ("changes", "law"),
    [
        ({"produced": lambda x: x + 1}, "sun = used + stored + curtailed"),
        ({"curtailed": lambda x: x - 1, "produced": lambda x: x - 1}, "energies of sun and battery >= 0"),
        ({"content": lambda x: x + 1}, "content gained = efficiency x charge - discharge / efficiency"),
        ({"content": lambda x: x * 0 + 101}, "0 <= content <= capacity"),
        ({"lost": lambda x: x + 1}, "charge - discharge = content gained + losses"),
        ({"discharged": lambda x: x * 3}, "used sun and discharge <= facility energy"),
        ({"grid_charged": lambda x: x + 1}, "no charge and discharge in one slot"),
    ],
)
def test_each_law_finds_what_breaks_it(changes, law):
    assert broken() == []
    assert law in broken(**changes)
