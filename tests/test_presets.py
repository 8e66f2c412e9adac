"""Presets: files as platforms hand them out (made ones in tests/fixtures), their times and units by hand.

Clocks: on 2022-10-30 at 03:00 CEST (01:00 UTC) back to 02:00 CET; on 2023-03-26 at 02:00 CET (01:00 UTC) on to 03:00
CEST; on 2025-10-26 back again (directive 2000/84/EC).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import worlds

from simulator.problem import InputError
from simulator.scenario import parse
from simulator.scenario.preset import PRESETS
from simulator.scenario.writing import to_data
from simulator.world import World, build_world

FIXTURES = Path(__file__).parent / "fixtures"


def flat(folder: Path) -> dict:
    (folder / "flat.csv").write_text("t,x\n2020-01-01,1\n2025-01-01,1\n2029-12-31,1\n", encoding="utf-8")
    return {"file": str(folder / "flat.csv"), "time": "t", "column": "x", "gaps": "hold", "stamp": "instant"}


def world(folder: Path, files: dict, start: str, slots: int, slot_s: float = 3600.0, sites: int = 1) -> World:
    """A world with some signals from fixtures and the others flat."""
    calm = flat(folder)
    signals = {"csv": {"price": calm, "carbon": calm, "water": calm} | files}
    keys = {"signals": signals, "slots": slots, "slot_s": slot_s, "start": start}
    return build_world(parse(worlds.fleet(places=(1,) * sites, **keys)))


def prices(folder: Path, name: str, start: str, slots: int, slot_s: float = 3600.0, **keys) -> list[float]:
    """Prices of a fixture at 1.1 US$ for a euro, in EUR/MWh again."""
    asked = {"preset": "entso-e", "file": str(FIXTURES / name), "scale": 1.1} | keys
    made = world(folder, {"price": asked}, start, slots, slot_s)
    return list(made.conditions.price_usd_per_kwh[:, 0] * 1000 / 1.1)


def carbon(folder: Path, name: str, start: str, slots: int, **keys) -> np.ndarray:
    asked = {"file": str(FIXTURES / name)} | keys
    return world(folder, {"carbon": asked}, start, slots, sites=2).conditions.carbon_kg_per_kwh * 1000


# --- Electricity Maps -----------------------------------------------------------------------------------------------


def test_electricity_maps_of_2022_by_life_cycle_and_direct(tmp_path):
    """Hours that start at their times, UTC, g/kWh; the third hour has no value: interpolated (360 + 380) / 2."""
    name, start = "electricity-maps-2022.csv", "2022-09-22T00:00:00Z"
    cycle = carbon(tmp_path, name, start, 2, preset="electricity-maps", gaps="hold")
    np.testing.assert_allclose(cycle[:, 0], [350.25, 360], rtol=1e-12)
    direct = carbon(tmp_path, name, start, 2, preset="electricity-maps-direct", gaps="hold")
    np.testing.assert_allclose(direct[:, 0], [300.5, 310], rtol=1e-12)
    with pytest.raises(InputError, match=r"electricity-maps-2022\.csv:4: .*a finite number is needed"):
        carbon(tmp_path, name, start, 4, preset="electricity-maps")
    drawn = carbon(tmp_path, name, start, 4, preset="electricity-maps", gaps="interpolate")
    np.testing.assert_allclose(drawn[:, 1], [350.25, 360, 370, 380], rtol=1e-12)


def test_electricity_maps_of_2025_with_several_zones_in_a_file(tmp_path):
    zones = {"only": {"Zone id": {"s0": "XX", "s1": "YY"}}}
    name, start = "electricity-maps-2025.csv", "2025-03-01T00:00:00Z"
    cycle = carbon(tmp_path, name, start, 3, preset="electricity-maps", **zones)
    np.testing.assert_allclose(cycle, [[150, 550], [160, 560], [170, 570]], rtol=1e-12)
    direct = carbon(tmp_path, name, start, 3, preset="electricity-maps-direct", only={"Zone id": "YY"})
    np.testing.assert_allclose(direct, [[500, 500], [510, 510], [520, 520]], rtol=1e-12)


def test_a_word_that_no_row_has_is_refused(tmp_path):
    only = {"only": {"Zone id": "XY"}}
    with pytest.raises(InputError, match="no row has 'XY'; known: XX, YY"):
        carbon(tmp_path, "electricity-maps-2025.csv", "2025-03-01T00:00:00Z", 3, preset="electricity-maps", **only)


# --- ENTSO-E --------------------------------------------------------------------------------------------------------


def test_entso_e_where_clocks_go_back_in_the_older_export(tmp_path):
    """01 CEST = 23 UTC, 02 CEST = 0, 02 CET = 1, 03 CET = 2, 04 CET = 3 UTC; prices may be negative."""
    found = prices(tmp_path, "entso-e-old-autumn.csv", "2022-10-29T23:00:00Z", 5)
    assert found == pytest.approx([10, 20, 30, -5.5, 50])


def test_entso_e_where_clocks_go_forward_in_the_older_export(tmp_path):
    """00 CET = 23 UTC, 01 CET = 0, 03 CEST = 1, 04 CEST = 2 (no price: -), 05 CEST = 3 UTC."""
    start, name = "2023-03-25T23:00:00Z", "entso-e-old-spring.csv"
    assert prices(tmp_path, name, start, 5, gaps="interpolate") == pytest.approx([10, 20, 30, 40, 50])
    with pytest.raises(InputError, match=r"entso-e-old-spring\.csv:5: .*given '-'"):
        prices(tmp_path, name, start, 5)


def test_entso_e_in_the_newer_export_with_hours_that_turn_into_quarters(tmp_path):
    """Two hours, then four quarters: 10, 20, 30, 40, their mean 25. Of two sequences one must be picked."""
    start, name = "2025-09-30T22:00:00Z", "entso-e-new-utc.csv"
    first = {"only": {"Sequence": "Sequence Sequence 1"}}
    assert prices(tmp_path, name, start, 3, **first) == pytest.approx([40, 60, 25])
    quarters = prices(tmp_path, name, start, 12, 900.0, **first)
    assert quarters == pytest.approx([40] * 4 + [60] * 4 + [10, 20, 30, 40])
    with pytest.raises(InputError, match=r"entso-e-new-utc\.csv:3: .*times must increase.*pick one with `only`"):
        prices(tmp_path, name, start, 3)


def test_entso_e_quarters_where_clocks_go_back_with_and_without_the_name_of_the_time(tmp_path):
    """02:00 CEST = 0:00 UTC, 02:00 CET = 1:00 UTC, eight quarters and one more, marked or not."""
    start, marked = "2025-10-26T00:00:00Z", FIXTURES / "entso-e-new-autumn.csv"
    assert prices(tmp_path, marked.name, start, 9, 900.0) == pytest.approx(range(1, 10))
    text = marked.read_text(encoding="utf-8").replace(" (CEST)", "").replace(" (CET)", "")
    (tmp_path / "plain.csv").write_text(text, encoding="utf-8")
    assert prices(tmp_path, str(tmp_path / "plain.csv"), start, 9, 900.0) == pytest.approx(range(1, 10))


def test_a_missing_hour_of_entso_e_is_a_gap(tmp_path):
    lines = (FIXTURES / "entso-e-old-autumn.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "gap.csv").write_text("\n".join(lines[:4] + lines[5:]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"gap\.csv:5: .*1 interval"):
        prices(tmp_path, str(tmp_path / "gap.csv"), "2022-10-29T23:00:00Z", 5)
    held = prices(tmp_path, str(tmp_path / "gap.csv"), "2022-10-29T23:00:00Z", 5, gaps="hold")
    assert held == pytest.approx([10, 20, 30, 30, 50])


def test_euros_without_a_rate_are_refused():
    asked = {"preset": "entso-e", "file": "p.csv"}
    signals = {
        "csv": {"price": asked, "carbon": asked | {"preset": "electricity-maps"}, "water": {"file": "w", "time": "t"}}
    }
    with pytest.raises(InputError, match=r"signals\.csv\.price: these prices are in EUR/MWh: give `scale`"):
        parse(worlds.fleet(signals=signals))


# --- all of them ----------------------------------------------------------------------------------------------------


def test_own_keys_stand_before_those_of_a_preset(tmp_path):
    """The direct column under the preset of the life cycle, in another unit, its hours ending at their times."""
    own = {"column": "Carbon Intensity gCO₂eq/kWh (direct)", "unit": "t/MWh", "stamp": "end", "timezone": "+01:00"}
    own |= {"preset": "electricity-maps", "gaps": "hold"}
    found = carbon(tmp_path, "electricity-maps-2022.csv", "2022-09-21T22:00:00Z", 2, **own)
    np.testing.assert_allclose(found[:, 0] / 1000, [300.5, 310], rtol=1e-12)


def test_a_resolved_scenario_with_a_preset_reads_back_as_itself(tmp_path):
    asked = {"preset": "entso-e", "file": str(FIXTURES / "entso-e-new-utc.csv"), "scale": 1.1}
    calm = flat(tmp_path)
    scenario = parse(worlds.fleet(signals={"csv": {"price": asked, "carbon": calm, "water": calm}}))
    assert parse(to_data(scenario)) == scenario


def test_every_preset_is_tested():
    tested = (Path(__file__).parent / name for name in ("test_presets.py", "test_weather.py", "test_grid.py"))
    texts = "".join(file.read_text(encoding="utf-8") for file in tested)
    assert all(f'"{name}"' in texts for name in PRESETS)
