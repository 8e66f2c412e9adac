"""Weather from files: measurements at instants as means over slots, by hand (made files in tests/fixtures).

A line is drawn from one measurement to the next; the first and the last hold for up to an hour.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import worlds

from simulator.problem import InputError, Problems
from simulator.scenario import parse
from simulator.scenario.generator import resolve_sites
from simulator.world.weather import build_weather

FIXTURES = Path(__file__).parent / "fixtures"
START = "2023-07-17T00:00:00Z"


def weather(csv: dict, names: tuple[str, ...] = ("a", "b"), slots: int = 3, start: str = START) -> dict:
    """Dry bulb and wet bulb [degC] of some sites, hourly."""
    sites = [{"name": name, **worlds.HERE, "servers": {"count": 1, "peak_w": 1}} for name in names]
    keys = {"sites": sites, "slots": slots, "slot_s": 3600.0, "start": start, "weather": {"csv": csv}}
    scenario = parse(worlds.fleet() | keys | {"cooling": {"water": {"wet_bulb": {}}}})
    problems = Problems()
    found = build_weather({"dry_bulb", "wet_bulb"}, scenario, resolve_sites(scenario.sites, problems), problems)
    problems.settle()
    return found


def table(folder: Path, text: str) -> str:
    (folder / "w.csv").write_text(text, encoding="utf-8")
    return str(folder / "w.csv")


OPEN = {"preset": "open-meteo", "file": str(FIXTURES / "open-meteo-{site}.csv")}
ASOS = {"preset": "iem-asos", "file": str(FIXTURES / "iem-asos.csv"), "only": {"station": {"dfw": "DFW", "iad": "IAD"}}}


def test_open_meteo_is_read_with_the_offset_of_its_first_lines():
    """Site a in UTC+2: 20, 22, 26, 26 degC at 0, 1, 2, 3 h UTC: means 21, 24, 26. Site b in UTC: 30, 31, 32."""
    found = weather({"dry_bulb": OPEN, "relative_humidity": OPEN})
    np.testing.assert_allclose(found["dry_bulb"], [[21, 30], [24, 31], [26, 32]], rtol=1e-9)
    import psychrolib

    psychrolib.SetUnitSystem(psychrolib.SI)
    hand = [psychrolib.GetTWetBulbFromRelHum(t, rh, 101325) for t, rh in [(21, 0.5), (24, 0.45), (26, 0.4)]]
    np.testing.assert_allclose(found["wet_bulb"][:, 0], hand, atol=0.02)


def test_open_meteo_s_dew_point_gives_nearly_the_wet_bulb_of_its_humidity():
    """26 degC and 40 % or a dew point of 11.3 degC (by psychrolib 11.3)."""
    by_dew, by_humidity = (weather({"dry_bulb": OPEN, key: OPEN}) for key in ("dew_point", "relative_humidity"))
    np.testing.assert_allclose(by_dew["wet_bulb"][2], by_humidity["wet_bulb"][2], atol=0.05)


def test_open_meteo_values_may_be_read_as_those_of_their_hours():
    hours = OPEN | {"stamp": "start"}
    np.testing.assert_allclose(
        weather({"dry_bulb": hours, "wet_bulb": hours | {"column": "dew_point_2m (°C)"}})["dry_bulb"],
        [[20, 30], [22, 30], [26, 32]],
        rtol=1e-9,
    )


def test_asos_reports_at_odd_minutes_in_fahrenheit_become_hours_in_celsius():
    """86 degF = 30 degC at 23:30, 95 degF = 35 degC at 0:30 and 2:00; at 1:07 nothing was measured (M).

    0 to 1 h: from 32.5 to 35 in the first half, 35 in the second: (33.75 + 35) / 2. 77 degF = 25 degC all the time.
    """
    found = weather({"dry_bulb": ASOS, "dew_point": ASOS}, ("dfw", "iad"), slots=2)
    np.testing.assert_allclose(found["dry_bulb"], [[34.375, 25], [35, 25]], rtol=1e-9)


def test_the_last_report_holds_for_an_hour_and_no_longer():
    only = ASOS | {"only": {"station": "DFW"}}
    last = weather({"dry_bulb": only, "dew_point": only}, ("dfw",))
    assert last["dry_bulb"][2, 0] == pytest.approx(35)
    with pytest.raises(
        InputError, match="holds 2023-07-16T23:52Z to 2023-07-17T01:52Z, the run needs 2023-07-17T00:00Z"
    ):
        weather({"dry_bulb": ASOS, "dew_point": ASOS}, ("dfw", "iad"))


def test_reports_missing_for_more_than_three_hours_are_a_gap(tmp_path):
    """10 at 0 h, 18 at 4 h: drawn 11 13 15 17, held 10 10 10 10, and refused unless one of them is asked for."""
    file = table(tmp_path, "t,x\n2023-07-17 00:00,10\n2023-07-17 02:00,M\n2023-07-17 04:00,18\n")
    asked = {"file": file, "time": "t", "column": "x", "stamp": "instant"}
    with pytest.raises(InputError, match=r"w\.csv:4: .*4 h without a value before this one"):
        weather({"wet_bulb": asked, "dry_bulb": asked}, slots=4)
    for gaps, means in (("interpolate", [11, 13, 15, 17]), ("hold", [10, 10, 10, 10])):
        filled = asked | {"gaps": gaps}
        found = weather({"wet_bulb": filled, "dry_bulb": filled}, slots=4)
        np.testing.assert_allclose(found["wet_bulb"][:, 0], means, rtol=1e-9)


@pytest.mark.parametrize(("unit", "given"), [("degC", 25), ("degF", 77), ("K", 298.15)])
def test_every_unit_of_temperature_becomes_celsius(tmp_path, unit, given):
    file = table(tmp_path, "t,x\n" + "".join(f"2023-07-17 0{h}:00,{given}\n" for h in range(3)))
    asked = {"file": file, "time": "t", "column": "x", "unit": unit}
    np.testing.assert_allclose(weather({"wet_bulb": asked, "dry_bulb": asked})["dry_bulb"], 25, rtol=1e-12)


@pytest.mark.parametrize(("unit", "given"), [("%", 100), ("1", 1)])
def test_every_unit_of_humidity_becomes_per_cent(tmp_path, unit, given):
    file = table(tmp_path, "t,x,rh\n" + "".join(f"2023-07-17 0{h}:00,20,{given}\n" for h in range(3)))
    asked = {"file": file, "time": "t"}
    found = weather({"dry_bulb": asked | {"column": "x"}, "relative_humidity": asked | {"column": "rh", "unit": unit}})
    np.testing.assert_allclose(found["wet_bulb"], 20, atol=1e-6)


def test_fahrenheit_read_as_celsius_is_noticed(tmp_path):
    file = table(tmp_path, "t,x\n" + "".join(f"2023-07-17 0{h}:00,95\n" for h in range(3)))
    asked = {"file": file, "time": "t", "column": "x"}
    with pytest.raises(
        InputError, match=r"weather\.csv\.dry_bulb: site 'a': 95 degC is no weather .* is the unit right"
    ):
        weather({"wet_bulb": asked, "dry_bulb": asked})
