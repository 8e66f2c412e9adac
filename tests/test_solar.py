"""Solar power: the sun's place against published figures, a clear sky by hand, files and shapes.

Equinoxes and solstices of 2023 (UTC): March 20 21:24, June 21 14:58, September 23 06:50, December 22 03:27 (US Naval
Observatory, "Earth's Seasons"). Equation of time: -14 min 14 s about February 11, +16 min 26 s about November 3
(Astronomical Almanac). Haurwitz at the zenith: 1098 exp(-0.059) = 1035.09 W/m2; at 60 degrees 549 exp(-0.118) = 487.89.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.problem import InputError, Problems
from simulator.scenario import parse
from simulator.world import World, build_world
from simulator.world.files import input_files
from simulator.world.onsite import refuse_combined_water
from simulator.world.sun import clear_sky_w_per_m2, cos_zenith, sun_at

HERE = {"latitude_deg": 48.2, "longitude_deg": 16.4}


def at(*times: str) -> np.ndarray:
    return np.array(times, dtype="datetime64[us]")


def day(date: str, step_s: int = 10) -> np.ndarray:
    """The times of a day (UTC)."""
    return np.arange(np.datetime64(date, "us"), np.datetime64(date, "us") + np.timedelta64(1, "D"), step_s * 1_000_000)


def world(solar: object, sites: object = None, slots: int = 24, slot_s: float = 3600, **more: object) -> World:
    """A small world with these panels at every site, at two sites ``a`` and ``b`` unless others are given."""
    data = {
        "name": "solar",
        "start": "2023-06-21T00:00:00Z",
        "slots": slots,
        "slot_s": slot_s,
        "sites": sites or [{"name": "a", **HERE}, {"name": "b", **HERE}],
        "servers": {"count": 10, "peak_w": 1000},
        "origins": [{"name": "o", **HERE}],
        "signals": {"synthetic": {"price_usd_per_mwh": 100, "carbon_kg_per_kwh": 0.3}},
        "cooling": {"water": {"l_per_kwh": 1}},
        "grid": {"water": {"l_per_kwh": 2}},
        "workload": {"demand": {"poisson": {"rate_per_s": 1}}, "request": {"seconds": 1}},
        "network": {"rtt": {"coordinates": {}}},
        "policies": ["glb-cost"],
    }
    return build_world(parse(data | ({} if solar is None else {"solar": solar}) | more))


# --- the sun --------------------------------------------------------------------------------------------------------


def test_the_sun_crosses_the_equator_and_turns_back_when_the_almanac_says_so():
    """A degree of declination takes about 2.5 days at the equinoxes: 0.01 degrees are half an hour."""
    north = np.degrees(sun_at(at("2023-03-20T21:24", "2023-09-23T06:50", "2024-03-20T03:06")).declination)
    np.testing.assert_allclose(north, 0, atol=0.01)
    turns = np.degrees(sun_at(at("2023-06-21T14:58", "2023-12-22T03:27")).declination)
    np.testing.assert_allclose(turns, [23.436, -23.436], atol=0.001)


def test_a_sundial_is_ahead_of_a_clock_as_the_almanac_says():
    """Minutes and seconds of February 11, May 14, July 26 and November 3, 2023; a turn is 1440 minutes."""
    times = at("2023-02-11T12:00", "2023-05-14T12:00", "2023-07-26T12:00", "2023-11-03T12:00")
    minutes = sun_at(times).ahead / (2 * np.pi) * 24 * 60
    np.testing.assert_allclose(minutes, [-14.23, 3.67, -6.55, 16.43], atol=0.1)


@pytest.mark.parametrize("latitude", [-60.0, -23.0, 0.0, 35.7, 51.5])
@pytest.mark.parametrize("date", ["2022-01-15", "2024-02-29", "2023-06-21", "2023-10-02"])
def test_the_zenith_angle_at_noon_is_latitude_less_declination(latitude, date):
    times = day(date)
    cosines = cos_zenith(times, np.array([latitude]), np.array([0.0]))[:, 0]
    noon = cosines.argmax()
    declination = math.degrees(sun_at(times[noon : noon + 1]).declination[0])
    assert math.degrees(math.acos(cosines[noon])) == pytest.approx(abs(latitude - declination), abs=0.02)


@pytest.mark.parametrize("latitude", [-50.0, 0.0, 35.0, 60.0])
@pytest.mark.parametrize("date", ["2023-03-20", "2023-06-21", "2023-11-05"])
def test_a_day_is_as_long_as_the_sunrise_equation_says(latitude, date):
    """cos(hour angle of sunset) = -tan(latitude) tan(declination): half a day, without refraction."""
    times = day(date)
    up = (cos_zenith(times, np.array([latitude]), np.array([0.0])) > 0).mean() * 24
    declination = sun_at(times[len(times) // 2 :][:1]).declination[0]
    expected = 24 / np.pi * np.arccos(-np.tan(np.radians(latitude)) * np.tan(declination))
    assert up == pytest.approx(expected, abs=0.04)


def test_noon_comes_with_the_longitude():
    """Tokyo, 139.7 degrees east: the sun is highest 139.7 / 15 hours before it is at Greenwich."""
    times = day("2023-06-13")
    cosines = cos_zenith(times, np.array([35.7, 35.7]), np.array([0.0, 139.7]))
    hours = cosines.argmax(axis=0) * 10 / 3600
    assert hours[0] == pytest.approx(12.0, abs=0.01)
    assert hours[0] - hours[1] == pytest.approx(139.7 / 15, abs=0.01)


def test_beyond_the_polar_circle_the_sun_does_not_set_in_june_and_does_not_rise_in_december():
    assert (cos_zenith(day("2023-06-21", 600), np.array([78.2]), np.array([15.6])) > 0).all()
    assert (cos_zenith(day("2023-12-21", 600), np.array([78.2]), np.array([15.6])) < 0).all()


def test_a_clear_sky_by_hand():
    irradiance = clear_sky_w_per_m2(np.array([1.0, 0.5, 0.0, -0.3]))
    np.testing.assert_allclose(irradiance, [1035.09203, 487.89413, 0, 0], rtol=1e-8)


# --- clear sky in a world -------------------------------------------------------------------------------------------


def test_panels_under_a_clear_sky_give_a_smooth_day():
    """Vienna on the longest day: about 16 hours of sun, 8.6 kWh/m2 of Haurwitz's irradiance, of which 0.8 come out."""
    made = world({"capacity_kw": 1000}).solar_kw
    irradiance = clear_sky_w_per_m2(cos_zenith(day("2023-06-21"), np.array([48.2]), np.array([16.4])))
    np.testing.assert_allclose(made.sum(axis=0), 0.8 * irradiance.mean() * 24, rtol=1e-4)
    assert 8500 < irradiance.mean() * 24 < 9000
    assert made[:, 0].argmax() in (10, 11)
    assert made[0, 0] == made[22, 0] == 0
    assert (made > 0).all(axis=1).sum() in (16, 17)


def test_long_and_short_slots_have_the_same_sun():
    """A mean over a slot is the mean over its parts, whatever the slots."""
    solar = {"capacity_kw": 700, "profile": {"clear_sky": {"performance_ratio": 0.9}}}
    hourly = world(solar).solar_kw
    short = world(solar, slots=288, slot_s=300).solar_kw
    long = world(solar, slots=1, slot_s=86400).solar_kw
    np.testing.assert_allclose(short.reshape(24, 12, 2).mean(axis=1), hourly, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(hourly.mean(axis=0), long[0], rtol=1e-12)


def test_panels_give_at_most_their_capacity():
    """At the equator at noon 1000 W/m2 are exceeded: an ideal panel is cut at what it is made for."""
    equator = [{"name": "a", "latitude_deg": 0, "longitude_deg": 0}]
    solar = {"capacity_kw": 100, "profile": {"clear_sky": {"performance_ratio": 1.0}}}
    assert world(solar, equator, start="2023-03-21T00:00:00Z").solar_kw.max() == 100


def test_a_site_has_its_own_panels_or_those_of_all_or_none():
    sites = [{"name": "a", **HERE}, {"name": "b", **HERE, "solar": {"capacity_kw": 0}}]
    sites += [{"name": "c", **HERE, "solar": {"capacity_kw": 5, "profile": {"shape": 0.5}}}]
    made = world({"capacity_kw": 10, "profile": {"shape": 0.1}}, sites, slots=2)
    np.testing.assert_array_equal(made.solar_kw, [[1, 0, 2.5]] * 2)
    none = world(None, slots=3)
    np.testing.assert_array_equal(none.solar_kw, np.zeros((3, 2)))
    np.testing.assert_array_equal(none.batteries.capacity_kwh, [0, 0])


# --- files and shapes -----------------------------------------------------------------------------------------------


def file(folder, rows: str, name: str = "sun.csv") -> str:
    (folder / name).write_text("time,a,b\n" + rows, encoding="utf-8")
    return str(folder / name)


def test_a_trace_is_a_share_of_the_capacity_or_kw(tmp_path):
    rows = "2023-06-21 00:00,0,0.5\n2023-06-21 01:00,0.25,1\n"
    share = world({"capacity_kw": 40, "profile": {"trace": {"file": file(tmp_path, rows), "time": "time"}}}, slots=2)
    np.testing.assert_array_equal(share.solar_kw, [[0, 20], [10, 40]])
    trace = {"file": file(tmp_path, rows), "time": "time", "unit": "kW", "column": "a", "scale": 8}
    kw = world({"capacity_kw": 40, "profile": {"trace": trace}}, slots=2)
    np.testing.assert_array_equal(kw.solar_kw, [[0, 0], [2, 2]])
    assert [path.name for path in input_files(kw.scenario, kw.sites)] == ["sun.csv"]


def test_a_trace_may_be_finer_than_the_slots_and_map_its_columns(tmp_path):
    rows = "".join(f"2023-06-21 0{k // 2}:{30 * (k % 2):02d},{k / 8},1\n" for k in range(4))
    trace = {"file": file(tmp_path, rows), "time": "time", "column": {"a": "b", "b": "a"}}
    made = world({"capacity_kw": 8, "profile": {"trace": trace}}, slots=2)
    np.testing.assert_array_equal(made.solar_kw, [[8, 0.5], [8, 2.5]])


def test_a_shape_is_a_share_of_the_capacity():
    shape = {"per_site": {"a": {"steps": {"values": [0, 1]}}, "b": 0.25}}
    np.testing.assert_array_equal(
        world({"capacity_kw": 8, "profile": {"shape": shape}}, slots=2).solar_kw, [[0, 2], [8, 2]]
    )


# --- water ----------------------------------------------------------------------------------------------------------


def test_sun_and_batteries_are_refused_where_water_is_combined():
    sites = [{"name": "a", **HERE}, {"name": "b", **HERE, "battery": {"capacity_kwh": 9}}, {"name": "c", **HERE}]
    made = world({"capacity_kw": 10}, sites)
    for combined, wrong in ((True, ["solar", "sites[1].battery"]), (False, [])):
        problems = Problems()
        refuse_combined_water(made.scenario, made.sites, combined, problems)
        assert [str(problem).split(":")[0] for problem in problems.found] == wrong
    none = world({"capacity_kw": 0}, battery={"capacity_kwh": 0})
    problems = Problems()
    refuse_combined_water(none.scenario, none.sites, True, problems)
    assert problems.found == []


def test_a_clear_sky_needs_the_places(tmp_path):
    (tmp_path / "rtt.csv").write_text("origin,a,b\no,1,1\n", encoding="utf-8")
    network = {"rtt": {"matrix": str(tmp_path / "rtt.csv")}}
    with pytest.raises(InputError, match="solar: a clear sky needs latitude_deg and longitude_deg of site 'b'"):
        world({"capacity_kw": 1}, [{"name": "a", **HERE}, {"name": "b"}], network=network)
