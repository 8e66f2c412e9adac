"""Cooling: water from the wet bulb and energy from the temperature, by hand, and in a world.

On-site water: S/(S-1) (6e-5 T^3 - 0.01 T^2 + 0.61 T - 10.4), T in degF. At 60 degF: 12.96 - 36 + 36.6 - 10.4 = 3.16,
x 6/5 = 3.792. At 75 degF: 25.3125 - 56.25 + 45.75 - 10.4 = 4.4125, x 5.295 / 4.4125 = 6/5. At 20 degF: 0.48 - 4 + 12.2
- 10.4 = -1.72: the least, 0.05. Partial PUE at 20 degC: 7.1705e-5 x 400 + 0.082 + 1.0743 = 1.184982.
"""

from __future__ import annotations

import numpy as np
import pytest
import worlds

from simulator.cooling import onsite_water_l_per_kwh, partial_pue
from simulator.problem import InputError
from simulator.scenario import parse
from simulator.world import World, build_world

PRICED = {"synthetic": {"price_usd_per_mwh": 100, "carbon_kg_per_kwh": 0.3}}
OFFSITE = {"water": {"l_per_kwh": 2}}


def degc(degf: float) -> float:
    return (degf - 32) * 5 / 9


def cooled(cooling: dict, weather: dict | None = None, **more) -> World:
    """Two sites that draw linear power, hourly slots, cooled as given; off-site water 2 L/kWh."""
    keys = {"signals": PRICED, "grid": OFFSITE, "cooling": cooling, "slots": 4, "slot_s": 3600.0} | more
    if weather is not None:
        keys["weather"] = {"synthetic": weather}
    return build_world(parse(worlds.fleet(places=(1, 1), **keys)))


@pytest.mark.parametrize(("degf", "cycles", "litres"), [(60, 6, 3.792), (75, 6, 5.295), (60, 2, 6.32), (20, 6, 0.05)])
def test_the_water_of_a_tower_by_hand(degf, cycles, litres):
    assert onsite_water_l_per_kwh(np.array([degc(degf)]), cycles)[0] == pytest.approx(litres, rel=1e-9)


def test_the_cooling_energy_by_hand_and_beyond_what_was_measured():
    """At 35 degC: 7.1705e-5 x 1225 + 0.1435 + 1.0743 = 1.30563863; the paper says 1.30 there and 1.05 at -3.9 degC."""
    hot, cold = 1.30563863, 7.1705e-5 * 15.21 - 0.01599 + 1.0743
    np.testing.assert_allclose(
        partial_pue(np.array([20, 35, 48, -3.9, -20])), [1.184982, hot, hot, cold, cold], rtol=1e-8
    )


def test_water_on_site_follows_the_wet_bulb_and_off_site_water_stands_apart():
    weather = {"wet_bulb_degc": {"steps": {"values": [degc(60), degc(75)]}}}
    made = cooled({"water": {"wet_bulb": {}}}, weather).conditions
    np.testing.assert_allclose(made.onsite_water_l_per_kwh[:, 0], [3.792, 5.295, 3.792, 5.295], rtol=1e-9)
    np.testing.assert_array_equal(made.offsite_water_l_per_kwh, np.full((4, 2), 2.0))


def test_a_wet_bulb_of_humidity_one_of_dew_point_and_the_one_of_psychrolib_agree():
    """At 30 degC and 50 %: dew point 18.4 degC, wet bulb 22.0 degC at sea level, lower at 2000 m."""
    import psychrolib

    psychrolib.SetUnitSystem(psychrolib.SI)
    dew = psychrolib.GetTDewPointFromRelHum(30, 0.5)
    sites = [{"name": f"s{k}", **worlds.HERE, "altitude_m": z} for k, z in enumerate((0, 2000))]
    servers = {"count": 1, "peak_w": 700}
    for moist in ({"relative_humidity_pct": 50}, {"dew_point_degc": dew}):
        made = cooled({"water": {"wet_bulb": {}}}, {"dry_bulb_degc": 30, **moist}, sites=sites, servers=servers)
        for k, z in enumerate((0, 2000)):
            wet = psychrolib.GetTWetBulbFromRelHum(30, 0.5, psychrolib.GetStandardAtmPressure(z))
            hand = onsite_water_l_per_kwh(np.array([wet]), 6)[0]
            assert made.conditions.onsite_water_l_per_kwh[0, k] == pytest.approx(hand, abs=2e-3)


def test_stull_s_wet_bulb_may_be_asked_for():
    made = cooled({"water": {"wet_bulb": {"method": "stull"}}}, {"dry_bulb_degc": 20, "relative_humidity_pct": 50})
    hand = onsite_water_l_per_kwh(np.array([13.699]), 6)[0]
    assert made.conditions.onsite_water_l_per_kwh[0, 0] == pytest.approx(hand, abs=2e-3)


def test_water_on_site_may_be_made():
    made = cooled({"water": {"l_per_kwh": {"per_site": {"s0": 1, "s1": {"steps": {"values": [0, 3]}}}}}})
    np.testing.assert_array_equal(made.conditions.onsite_water_l_per_kwh, [[1, 0], [1, 3], [1, 0], [1, 3]])


def test_pue_follows_the_temperature_of_the_slot():
    """1.184982 at 20 degC and 1.30563863 at 40 degC, and 0.1 for the rest."""
    weather = {"dry_bulb_degc": {"steps": {"values": [20, 40]}}}
    made = cooled({"water": {"l_per_kwh": 1}, "pue": {"temperature": {"other_overhead": 0.1}}}, weather)
    np.testing.assert_allclose(made.conditions.pue[:, 1], [1.284982, 1.40563863] * 2, rtol=1e-8)
    assert made.fleet.overhead_fixed.tolist() == [0, 0]


def test_a_share_of_the_overhead_is_fixed_and_proportional_power_has_none():
    linear = {"count": 1, "peak_w": 700}
    own = [{"name": "s0", "pue": 1.4}, {"name": "s1", "pue": 1.4, "servers": linear | {"power": "proportional"}}]
    sites = [site | worlds.HERE for site in own]
    made = cooled({"water": {"l_per_kwh": 1}, "pue": {"fixed_share": 0.25}}, sites=sites, servers=linear)
    assert made.fleet.overhead_fixed.tolist() == [0.25, 0]
    np.testing.assert_array_equal(made.conditions.pue[0], [1.4, 1.0])
    # A kWh of IT adds 1 + 0.4 x 0.75; off-site water is drunk at the meter, on-site water per kWh of IT.
    np.testing.assert_allclose(made.conditions.marginal_pue(made.fleet)[0], [1.3, 1.0])
    np.testing.assert_allclose(made.conditions.water_l_per_kwh(made.fleet)[0], [1 + 2 * 1.3, 1 + 2])


def test_without_the_new_keys_nothing_is_split():
    made = build_world(parse(worlds.fleet(slots=3, slot_s=3600.0)))
    np.testing.assert_array_equal(made.conditions.onsite_water_l_per_kwh, np.full((3, 1), 3.0))
    np.testing.assert_array_equal(made.conditions.offsite_water_l_per_kwh, np.zeros((3, 1)))
    assert made.fleet.overhead_fixed.tolist() == [0]


def test_weather_that_no_place_on_earth_has_is_refused():
    with pytest.raises(InputError, match=r"weather\.synthetic\.dry_bulb_degc: site 's0': 95 degC is no weather"):
        cooled({"water": {"wet_bulb": {}}}, {"dry_bulb_degc": 95, "relative_humidity_pct": 50})
