"""Signals: synthetic shapes by hand, and the importer of a user's own CSV files.

Units by hand: 1 lb = 0.45359237 kg (international yard and pound agreement, 1959), 1 US gallon = 231 cubic inches
= 231 x 16.387064 mL = 3.785411784 L; 1 m3/MWh = 1000 L / 1000 kWh = 1 L/kWh.
Clocks in Berlin: on 2022-10-30 at 03:00 CEST (01:00 UTC) back to 02:00 CET; on 2023-03-26 at 02:00 CET (01:00 UTC)
on to 03:00 CEST (directive 2000/84/EC).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from simulator.problem import InputError
from simulator.scenario import parse
from simulator.scenario.inputs import data_folder
from simulator.world import World, build_world

FLAT = {"price_usd_per_mwh": 100, "carbon_kg_per_kwh": 0.3, "water_l_per_kwh": 3}
START = "2022-09-22T00:00:00Z"


def world(signals, slots: int = 4, slot_s: float = 3600, start: str = START, sites: object = None) -> World:
    """A small world with the given signals, at two sites ``a`` and ``b`` unless others are given."""
    here = {"latitude_deg": 0, "longitude_deg": 0}
    return build_world(
        parse(
            {
                "name": "signals",
                "start": start,
                "slots": slots,
                "slot_s": slot_s,
                "sites": sites or [{"name": "a"} | here, {"name": "b"} | here],
                "servers": {"count": 10, "peak_w": 1000},
                "origins": [{"name": "o"} | here],
                "signals": signals,
                "workload": {"demand": {"poisson": {"rate_per_s": 1}}, "request": {"seconds": 1}},
                "network": {"rtt": {"coordinates": {}}},
                "policies": ["glb-cost"],
            }
        )
    )


def synthetic(shape, key: str = "price_usd_per_mwh", **more) -> World:
    return world({"synthetic": FLAT | {key: shape}}, **more)


# --- synthetic ------------------------------------------------------------------------------------------------------


def test_a_constant_is_the_same_at_every_site_and_slot_in_our_units():
    """100 US$/MWh = 0.1 US$/kWh; kg/kWh and L/kWh are ours already."""
    made = world({"synthetic": FLAT}, slots=3)
    np.testing.assert_allclose(made.conditions.price_usd_per_kwh, np.full((3, 2), 0.1), rtol=1e-15)
    np.testing.assert_array_equal(made.conditions.carbon_kg_per_kwh, np.full((3, 2), 0.3))
    np.testing.assert_array_equal(made.conditions.onsite_water_l_per_kwh, np.full((3, 2), 3.0))


def test_a_sine_has_its_peak_at_the_hour_that_is_named():
    """Mean 200, amplitude 100, peak at 12:30: the slot 12-13 h has its mean, a little below 300, the slots at 6:30
    and 18:30 have 200. By the antiderivative: 24/(2 pi) (sin(7.5 deg) - sin(-7.5 deg)) = 0.99715."""
    made = synthetic({"sine": {"mean": 200, "amplitude": 100, "peak_h": 12.5}}, slots=24)
    price = made.conditions.price_usd_per_kwh[:, 0] * 1000
    top = 24 / (2 * math.pi) * 2 * math.sin(math.pi / 24)
    assert top == pytest.approx(0.99715, abs=1e-5)
    assert price[12] == pytest.approx(200 + 100 * top)
    assert price[0] == pytest.approx(200 - 100 * top)
    assert price[6] == pytest.approx(200)
    assert price[18] == pytest.approx(200)
    assert price[9] == pytest.approx(200 + 100 * top * math.cos(2 * math.pi * 3 / 24))


def test_a_sine_counts_hours_from_midnight_utc_however_the_run_starts():
    """A run from 06:15 (given as 08:15 +02:00) meets the slot of 12:15 to 13:15, middle 12:45, as its seventh."""
    shape = {"sine": {"mean": 200, "amplitude": 100, "peak_h": 12.75}}
    price = synthetic(shape, slots=8, start="2022-09-22T08:15:00+02:00").conditions.price_usd_per_kwh[:, 0] * 1000
    assert price[6] == pytest.approx(299.715, abs=1e-3)
    assert price.argmax() == 6


def test_a_sine_of_another_period_repeats_after_it():
    shape = {"sine": {"mean": 5, "amplitude": 2, "period_h": 6}}
    water = synthetic(shape, "water_l_per_kwh", slots=12).conditions.onsite_water_l_per_kwh[:, 0]
    np.testing.assert_allclose(water[:6], water[6:], rtol=1e-12)
    # Slot k has its middle at k + 1/2 h: 5 + 2 cos(60 deg (k + 1/2)), flattened by sin(30 deg) / (pi / 6) = 3 / pi.
    root = math.sqrt(3) * 3 / math.pi
    np.testing.assert_allclose(water[:6], [5 + root, 5, 5 - root, 5 - root, 5, 5 + root], rtol=1e-12)


def test_steps_follow_each_other_from_the_start_of_the_run_over_and_over():
    """Values 10, 20, 30 every 2 h, hourly slots from any hour: 10 10 20 20 30 30 10 10."""
    shape = {"steps": {"values": [10, 20, 30], "every_h": 2}}
    price = synthetic(shape, slots=8, start="2022-09-22T05:30:00Z").conditions.price_usd_per_kwh[:, 0] * 1000
    np.testing.assert_allclose(price, [10, 10, 20, 20, 30, 30, 10, 10], rtol=1e-15)


def test_steps_on_slots_of_five_minutes_change_on_the_step():
    """Steps of 20 min on slots of 5 min: four slots each; a third of an hour is no binary fraction."""
    shape = {"steps": {"values": [1, 2], "every_h": 1 / 3}}
    carbon = synthetic(shape, "carbon_kg_per_kwh", slots=2400, slot_s=300).conditions.carbon_kg_per_kwh[:, 0]
    np.testing.assert_array_equal(carbon, np.tile([1.0] * 4 + [2.0] * 4, 300))


def test_steps_shorter_than_a_slot_give_its_mean():
    """Steps 0, 100 every hour on slots of 2 h: 50; on slots of 90 min half an hour of 100 in each: 50 / 1.5."""
    shape = {"steps": {"values": [0, 100]}}
    np.testing.assert_allclose(
        synthetic(shape, slots=3, slot_s=7200).conditions.price_usd_per_kwh[:, 0], [0.05] * 3, rtol=1e-12
    )
    price = synthetic(shape, slots=2, slot_s=5400).conditions.price_usd_per_kwh[:, 0] * 1000
    np.testing.assert_allclose(price, [50 / 1.5, 50 / 1.5], rtol=1e-12)


def test_each_site_may_have_a_shape_of_its_own():
    shape = {"per_site": {"b": 7, "a": {"steps": {"values": [1, 2]}}}}
    water = synthetic(shape, "water_l_per_kwh", slots=3).conditions.onsite_water_l_per_kwh
    np.testing.assert_array_equal(water, [[1, 7], [2, 7], [1, 7]])


@pytest.mark.parametrize(
    ("shape", "key", "what"),
    [
        ({"per_site": {"a": 1}}, "water_l_per_kwh", "site 'b' has no value"),
        ({"per_site": {"a": 1, "b": 1, "bb": 2}}, "water_l_per_kwh", "unknown site 'bb'; did you mean 'b'"),
        ({"per_site": {"a": 1, "b": {"per_site": {"a": 1}}}}, "water_l_per_kwh", "another value per site"),
        ({"sine": {"mean": 1, "amplitude": 2, "peak_h": 12}}, "carbon_kg_per_kwh", "cannot be negative"),
        (-1, "water_l_per_kwh", "cannot be negative"),
    ],
)
def test_shapes_that_make_no_sense_are_refused(shape, key, what):
    with pytest.raises(InputError, match=what):
        synthetic(shape, key)


def test_prices_may_be_negative():
    assert synthetic(-20).conditions.price_usd_per_kwh[0, 0] == pytest.approx(-0.02)


# --- csv ------------------------------------------------------------------------------------------------------------


def stamps(count: int, first: str = "2022-09-22T00:00", step_min: int = 60) -> list[str]:
    start = datetime.fromisoformat(first)
    return [(start + timedelta(minutes=step_min * k)).strftime("%Y-%m-%d %H:%M") for k in range(count)]


def write(file, times, *columns, header="time,a,b"):
    rows = [",".join([time, *(str(cell) for cell in cells)]) for time, *cells in zip(times, *columns, strict=True)]
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(file)


def csv_world(folder, price: dict, slots: int = 2, **more) -> World:
    """A world whose price comes from the given file; carbon and water from flat ones of the year 2022 and on."""
    times = stamps(3, "2022-01-01T00:00", step_min=60 * 24 * 400)
    flat = write(folder / "flat.csv", times, [1] * 3, [1] * 3)
    calm = {"file": flat, "time": "time", "column": "a"}
    signals = {"csv": {"price": {"time": "time"} | price, "carbon": calm, "water": calm}}
    return world(signals, slots=slots, **more)


def price_of(folder, price: dict, slots: int = 2, **more) -> list[float]:
    """The price of the first site [US$/MWh]."""
    return list(csv_world(folder, price, slots, **more).conditions.price_usd_per_kwh[:, 0] * 1000)


def test_a_wide_file_has_a_column_for_each_site(tmp_path):
    file = write(tmp_path / "wide.csv", stamps(2), [10, 20], [30, 40])
    made = csv_world(tmp_path, {"file": file})
    np.testing.assert_allclose(made.conditions.price_usd_per_kwh, [[0.01, 0.03], [0.02, 0.04]], rtol=1e-15)


def test_columns_may_stand_in_any_order_and_beside_others(tmp_path):
    file = write(tmp_path / "wide.csv", stamps(2), [30, 40], ["x", "y"], [10, 20], header=" time ,b,note, a")
    made = csv_world(tmp_path, {"file": file})
    np.testing.assert_allclose(made.conditions.price_usd_per_kwh, [[0.01, 0.03], [0.02, 0.04]], rtol=1e-15)


def test_a_column_can_be_mapped_to_each_site(tmp_path):
    file = write(tmp_path / "zones.csv", stamps(2), [10, 20], [30, 40], header="time,DE-LU,BE")
    made = csv_world(tmp_path, {"file": file, "column": {"b": "DE-LU", "a": "BE"}})
    np.testing.assert_allclose(made.conditions.price_usd_per_kwh, [[0.03, 0.01], [0.04, 0.02]], rtol=1e-15)


def test_a_file_for_each_site_is_named_after_it(tmp_path):
    write(tmp_path / "p-a.csv", stamps(2), [1, 2], header="time,price")
    write(tmp_path / "p-b.csv", stamps(2), [5, 6], header="time,price")
    made = csv_world(tmp_path, {"file": str(tmp_path / "p-{site}.csv"), "column": "price"})
    np.testing.assert_allclose(made.conditions.price_usd_per_kwh * 1000, [[1, 5], [2, 6]], rtol=1e-15)


def test_one_column_may_serve_all_sites(tmp_path):
    file = write(tmp_path / "one.csv", stamps(2), [3, 4], header="time,price")
    made = csv_world(tmp_path, {"file": file, "column": "price"})
    np.testing.assert_allclose(made.conditions.price_usd_per_kwh * 1000, [[3, 3], [4, 4]], rtol=1e-15)


UNITS = [
    ("price", "USD/MWh", 42.0, 0.042),
    ("price", "USD/kWh", 0.042, 0.042),
    ("carbon", "kg/kWh", 0.4, 0.4),
    ("carbon", "g/kWh", 400.0, 0.4),
    ("carbon", "kg/MWh", 400.0, 0.4),
    ("carbon", "t/MWh", 0.4, 0.4),
    ("carbon", "lb/MWh", 1000.0, 0.45359237),
    ("water", "L/kWh", 2.0, 2.0),
    ("water", "L/MWh", 2000.0, 2.0),
    ("water", "m3/MWh", 2.0, 2.0),
    ("water", "gal/kWh", 1.0, 231 * 0.016387064),
    ("water", "gal/MWh", 1000.0, 231 * 0.016387064),
]


@pytest.mark.parametrize(("signal", "unit", "given", "ours"), UNITS)
def test_every_unit_becomes_ours(tmp_path, signal, unit, given, ours):
    times = stamps(2)
    flat = write(tmp_path / "flat.csv", times, [1, 1], header="time,v")
    file = write(tmp_path / "given.csv", times, [given, 2 * given], header="time,v")
    files = {name: {"file": flat, "time": "time", "column": "v"} for name in ("price", "carbon", "water")}
    files[signal] = {"file": file, "time": "time", "column": "v", "unit": unit}
    made = world({"csv": files}, slots=2)
    name = {"price": "price_usd_per_kwh", "carbon": "carbon_kg_per_kwh", "water": "onsite_water_l_per_kwh"}[signal]
    np.testing.assert_allclose(getattr(made.conditions, name)[:, 0], [ours, 2 * ours], rtol=1e-14)


def test_all_units_are_tested():
    from simulator.units import KG_PER_KWH, L_PER_KWH, USD_PER_KWH

    assert {unit for _, unit, _, _ in UNITS} == {*KG_PER_KWH, *L_PER_KWH, *USD_PER_KWH}


def test_a_unit_of_another_signal_is_refused(tmp_path):
    file = write(tmp_path / "wide.csv", stamps(2), [1, 2], [1, 2])
    with pytest.raises(InputError, match="unit"):
        csv_world(tmp_path, {"file": file, "unit": "g/kWh"})


def test_a_scale_multiplies_on_top_of_the_unit(tmp_path):
    """80 EUR/MWh at 1.25 US$ for a euro are 100 US$/MWh."""
    file = write(tmp_path / "wide.csv", stamps(2), [80, 40], [0, 0])
    assert price_of(tmp_path, {"file": file, "scale": 1.25}) == pytest.approx([100, 50])


def test_a_stamp_at_the_end_of_its_interval_moves_it_back_by_one_step(tmp_path):
    """Stamps 01:00, 02:00, 03:00 that end their hours: values of the hours from 00:00, 01:00, 02:00."""
    file = write(tmp_path / "wide.csv", stamps(3, "2022-09-22T01:00"), [10, 20, 30], [0, 0, 0])
    assert price_of(tmp_path, {"file": file, "stamp": "end"}, slots=3) == pytest.approx([10, 20, 30])
    with pytest.raises(InputError, match="holds 2022-09-22T01:00Z to 2022-09-22T04:00Z"):
        price_of(tmp_path, {"file": file}, slots=3)


def test_quarter_hours_are_averaged_over_an_hourly_slot(tmp_path):
    file = write(tmp_path / "wide.csv", stamps(8, step_min=15), [1, 2, 3, 6, 0, 0, 8, 8], [0] * 8)
    assert price_of(tmp_path, {"file": file}) == pytest.approx([3, 4])


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("UTC", "2022-09-22T00:00"),
        ("+02:00", "2022-09-22T02:00"),
        ("-05:30", "2022-09-21T18:30"),
        ("Europe/Berlin", "2022-09-22T02:00"),
        ("America/New_York", "2022-09-21T20:00"),
        ("Asia/Tokyo", "2022-09-22T09:00"),
    ],
)
def test_local_times_are_read_in_their_zone(tmp_path, zone, first):
    """Midnight UTC of 22 September 2022: 02:00 CEST, 20:00 EDT of the day before, 09:00 JST."""
    file = write(tmp_path / "wide.csv", stamps(2, first), [10, 20], [0, 0])
    assert price_of(tmp_path, {"file": file, "timezone": zone}) == pytest.approx([10, 20])


def test_an_offset_in_a_stamp_counts_before_the_zone(tmp_path):
    """The same two instants written in three ways; the time zone of the scenario is for times without an offset."""
    for number, times in enumerate(
        (
            ["2022-09-22T00:00Z", "2022-09-22T01:00Z"],
            ["2022-09-22T02:00+02:00", "2022-09-22T03:00+02:00"],
            ["2022-09-21T20:00:00-04:00", "2022-09-22T06:30+05:30"],
        )
    ):
        file = write(tmp_path / f"{number}.csv", times, [10, 20], [0, 0])
        assert price_of(tmp_path, {"file": file, "timezone": "Asia/Tokyo"}) == pytest.approx([10, 20])


@pytest.mark.parametrize("zone", ["Europe/Berlinn", "+2:00", "+25:00", "", "Europe", "../../etc/passwd"])
def test_a_time_zone_that_is_none_is_refused(tmp_path, zone):
    file = write(tmp_path / "wide.csv", stamps(2), [10, 20], [0, 0])
    with pytest.raises(InputError, match="unknown time zone"):
        price_of(tmp_path, {"file": file, "timezone": zone})


AUTUMN = ["2022-10-30 01:00", "2022-10-30 02:00", "2022-10-30 02:00", "2022-10-30 03:00", "2022-10-30 04:00"]
SPRING = ["2023-03-26 00:00", "2023-03-26 01:00", "2023-03-26 03:00", "2023-03-26 04:00"]


def test_where_clocks_go_back_the_hour_that_stands_twice_is_two_hours(tmp_path):
    """01:00 CEST = 23:00 UTC, 02:00 CEST = 00:00, 02:00 CET = 01:00, 03:00 CET = 02:00, 04:00 CET = 03:00 UTC."""
    file = write(tmp_path / "wide.csv", AUTUMN, [1, 2, 3, 4, 5], [0] * 5)
    asked = {"file": file, "timezone": "Europe/Berlin"}
    assert price_of(tmp_path, asked, slots=5, start="2022-10-29T23:00:00Z") == pytest.approx([1, 2, 3, 4, 5])


def test_where_clocks_go_back_quarter_hours_stand_twice_as_well(tmp_path):
    """02:00, :15, :30, :45 CEST (00:00 to 00:45 UTC), then the same in CET (01:00 to 01:45 UTC), then 03:00 CET."""
    quarters = [f"2022-10-30 02:{minute:02d}" for minute in (0, 15, 30, 45)]
    file = write(tmp_path / "wide.csv", [*quarters, *quarters, "2022-10-30 03:00"], range(9), [0] * 9)
    asked = {"file": file, "timezone": "Europe/Berlin"}
    start = "2022-10-30T00:00:00Z"
    assert price_of(tmp_path, asked, slots=9, slot_s=900, start=start) == pytest.approx(range(9))


def test_where_clocks_go_back_a_file_without_the_second_hour_has_a_gap(tmp_path):
    file = write(tmp_path / "wide.csv", [AUTUMN[0], AUTUMN[1], *AUTUMN[3:]], [1, 2, 4, 5], [0] * 4)
    asked = {"file": file, "timezone": "Europe/Berlin"}
    start = "2022-10-29T23:00:00Z"
    with pytest.raises(InputError, match="1 interval"):
        price_of(tmp_path, asked, slots=5, start=start)
    assert price_of(tmp_path, asked | {"gaps": "hold"}, slots=5, start=start) == pytest.approx([1, 2, 2, 4, 5])


def test_where_clocks_go_forward_the_missing_hour_is_no_gap(tmp_path):
    """00:00 CET = 23:00 UTC, 01:00 CET = 00:00, 03:00 CEST = 01:00, 04:00 CEST = 02:00 UTC."""
    file = write(tmp_path / "wide.csv", SPRING, [1, 2, 3, 4], [0] * 4)
    asked = {"file": file, "timezone": "Europe/Berlin"}
    assert price_of(tmp_path, asked, slots=4, start="2023-03-25T23:00:00Z") == pytest.approx([1, 2, 3, 4])


def test_where_clocks_go_forward_the_hour_that_did_not_exist_is_refused(tmp_path):
    """02:00 on that day was no time in Berlin: read as 02:00 CET it is the same instant as 03:00 CEST."""
    times = [*SPRING[:2], "2023-03-26 02:00", *SPRING[2:]]
    file = write(tmp_path / "wide.csv", times, [1, 2, 3, 4, 5], [0] * 5)
    with pytest.raises(InputError, match=r"wide\.csv:5: .*times must increase"):
        price_of(tmp_path, {"file": file, "timezone": "Europe/Berlin"}, start="2023-03-25T23:00:00Z")


def test_stamps_that_end_their_intervals_go_through_the_change_of_clocks(tmp_path):
    """The same autumn night with end stamps: the first hour is 22:00 to 23:00 UTC."""
    file = write(tmp_path / "wide.csv", AUTUMN, [1, 2, 3, 4, 5], [0] * 5)
    asked = {"file": file, "timezone": "Europe/Berlin", "stamp": "end"}
    assert price_of(tmp_path, asked, slots=5, start="2022-10-29T22:00:00Z") == pytest.approx([1, 2, 3, 4, 5])


def test_a_year_of_local_hours_is_a_year_of_hours(tmp_path):
    """8760 UTC hours of 2022 written as Berlin wall-clock times, both changes of clocks among them, come back."""
    from zoneinfo import ZoneInfo

    first = datetime(2022, 1, 1, tzinfo=UTC)
    instants = [first + timedelta(hours=k) for k in range(8760)]
    times = [t.astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M") for t in instants]
    assert len(set(times)) == 8759
    file = write(tmp_path / "year.csv", times, range(8760), [0] * 8760)
    asked = {"file": file, "timezone": "Europe/Berlin"}
    found = price_of(tmp_path, asked, slots=8760, start="2022-01-01T00:00:00Z")
    np.testing.assert_allclose(found, np.arange(8760), rtol=1e-12)


GAPPY = ["2022-09-22 00:00", "2022-09-22 01:00", "2022-09-22 04:00", "2022-09-22 05:00"]


def test_a_missing_row_is_refused_with_its_line_and_the_way_out(tmp_path):
    file = write(tmp_path / "wide.csv", GAPPY, [1, 2, 8, 5], [0] * 4)
    with pytest.raises(InputError, match=r"wide\.csv:4: .*2 interval.*hold or interpolate"):
        price_of(tmp_path, {"file": file}, slots=6)


def test_a_gap_may_be_held_or_interpolated(tmp_path):
    """1 2 _ _ 8 5: held 2 2, interpolated on the line from 2 to 8 over three steps: 4 6."""
    file = write(tmp_path / "wide.csv", GAPPY, [1, 2, 8, 5], [0] * 4)
    held = price_of(tmp_path, {"file": file, "gaps": "hold"}, slots=6)
    assert held == pytest.approx([1, 2, 2, 2, 8, 5])
    drawn = price_of(tmp_path, {"file": file, "gaps": "interpolate"}, slots=6)
    assert drawn == pytest.approx([1, 2, 4, 6, 8, 5])


@pytest.mark.parametrize("empty", ["", "nan", "NA", "-", "null"])
def test_an_empty_cell_is_a_gap(tmp_path, empty):
    file = write(tmp_path / "wide.csv", stamps(4), [1, empty, 5, 7], [0] * 4)
    with pytest.raises(InputError, match=r"wide\.csv:3: "):
        price_of(tmp_path, {"file": file}, slots=4)
    assert price_of(tmp_path, {"file": file, "gaps": "hold"}, slots=4) == pytest.approx([1, 1, 5, 7])
    assert price_of(tmp_path, {"file": file, "gaps": "interpolate"}, slots=4) == pytest.approx([1, 3, 5, 7])


@pytest.mark.parametrize("gaps", ["hold", "interpolate"])
def test_a_gap_at_an_end_takes_the_nearest_value(tmp_path, gaps):
    file = write(tmp_path / "wide.csv", stamps(4), ["", 4, 6, ""], [0] * 4)
    assert price_of(tmp_path, {"file": file, "gaps": gaps}, slots=4) == pytest.approx([4, 4, 6, 6])


def test_a_column_without_any_value_is_refused(tmp_path):
    file = write(tmp_path / "wide.csv", stamps(3), ["", "", ""], [0] * 3)
    with pytest.raises(InputError, match="no value to fill"):
        price_of(tmp_path, {"file": file, "gaps": "hold"})
    flat = {"file": file, "time": "time", "column": "b"}
    with pytest.raises(InputError, match="no value to fill"):
        world({"csv": {"price": flat, "carbon": flat | {"column": "a", "gaps": "hold"}, "water": flat}}, slots=2)


def test_filling_gaps_does_not_stretch_a_file_beyond_its_ends(tmp_path):
    file = write(tmp_path / "wide.csv", stamps(4), [1, 2, 3, 4], [0] * 4)
    with pytest.raises(InputError, match="the run needs 2022-09-22T00:00Z to 2022-09-22T05:00Z"):
        price_of(tmp_path, {"file": file, "gaps": "hold"}, slots=5)


def test_rows_off_the_grid_and_falling_times_are_refused_with_their_lines(tmp_path):
    times = ["2022-09-22 00:00", "2022-09-22 01:00", "2022-09-22 02:30", "2022-09-22 03:00", "2022-09-22 04:00"]
    file = write(tmp_path / "off.csv", [times[0], times[1], "2022-09-22 02:20", *times[3:]], range(5), [0] * 5)
    with pytest.raises(InputError, match=r"off\.csv:\d: .*grid"):
        price_of(tmp_path, {"file": file})
    file = write(tmp_path / "falls.csv", [times[0], times[3], times[1]], range(3), [0] * 3)
    with pytest.raises(InputError, match=r"falls\.csv:4: .*must increase"):
        price_of(tmp_path, {"file": file})


def test_negative_intensities_are_refused_and_negative_prices_are_not(tmp_path):
    file = write(tmp_path / "wide.csv", stamps(2), [-5, 5], [0, 0])
    assert price_of(tmp_path, {"file": file}) == pytest.approx([-5, 5])
    flat = {"file": file, "time": "time", "column": "b"}
    with pytest.raises(InputError, match=r"wide\.csv:2: .*negative"):
        world({"csv": {"price": flat, "carbon": flat | {"column": "a"}, "water": flat}}, slots=2)


# --- the authors' folder --------------------------------------------------------------------------------------------

PAPER = data_folder() / "paper"
paper = pytest.mark.skipif(
    not PAPER.is_dir(), reason="the authors' data are not there: github.com/Ren-Research/Environmentally-Equitable-AI"
)
PLACES = [
    *("texas", "virginia", "georgia", "nevada", "germany", "belgium", "netherlands", "denmark", "japan", "singapore")
]


@paper
@pytest.mark.parametrize(("slots", "slot_s"), [(457, 3600), (100, 900), (76, 21600)])
def test_the_importer_reads_the_authors_folder_as_their_own_reader_does(slots, slot_s):
    """A file for each site, headers with a leading space, six price files that go on after the window."""
    here = {"latitude_deg": 0, "longitude_deg": 0}
    files = [{"name": "Belguim" if name == "belgium" else name.capitalize(), "like": name} | here for name in PLACES]
    asked = {
        "price": {"file": str(PAPER / "price/{site}_Price.csv"), "column": "Price (USD/MWh)"},
        "carbon": {"file": str(PAPER / "carbon/{site}_carbon.csv"), "column": "Carbon (kg/kWh)"},
        "water": {"file": str(PAPER / "water/{site}_water.csv"), "column": "WUE (L/kWh)"},
    }
    csv = {signal: {"time": "Time (UTC)"} | asked[signal] for signal in asked}
    ours = world({"csv": csv}, slots=slots, slot_s=slot_s, sites=files)
    theirs = world({"paper": {}}, slots=slots, slot_s=slot_s, sites=files)
    assert ours.conditions.price_usd_per_kwh.shape == (slots, 10)
    np.testing.assert_array_equal(ours.conditions.price_usd_per_kwh, theirs.conditions.price_usd_per_kwh)
    np.testing.assert_array_equal(ours.conditions.carbon_kg_per_kwh, theirs.conditions.carbon_kg_per_kwh)
    np.testing.assert_array_equal(ours.conditions.onsite_water_l_per_kwh, theirs.conditions.onsite_water_l_per_kwh)


@paper
def test_the_authors_first_hours_are_in_the_arrays():
    """Read off the files by eye: Texas 38.35 US$/MWh at midnight, Belgium 0.47726308167396486 kg/kWh, Germany
    3.7868174625472326 L/kWh an hour later."""
    made = world({"paper": {}}, slots=457, sites={"catalogue": "paper"})
    assert made.conditions.price_usd_per_kwh[0, PLACES.index("texas")] == pytest.approx(0.03835, rel=1e-15)
    assert made.conditions.carbon_kg_per_kwh[0, PLACES.index("belgium")] == 0.47726308167396486
    assert made.conditions.onsite_water_l_per_kwh[1, PLACES.index("germany")] == 3.7868174625472326
