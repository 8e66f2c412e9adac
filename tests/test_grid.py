"""The grid: carbon and water of a fuel mix, by hand.

Factors of the catalogue: natural gas 0.440 kg and 1.1356 L, coal 0.968 and 1.7034, nuclear 0.015 and 2.2712, wind
0.0225 and 0, solar 0.020 and 0 per kWh.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import worlds

from simulator.problem import InputError
from simulator.scenario import parse
from simulator.scenario.catalogue import fuels
from simulator.world import World, build_world
from simulator.world.files import input_files

FIXTURES = Path(__file__).parent / "fixtures"
EIA = {"preset": "eia", "file": str(FIXTURES / "eia-fuel-type.csv")}
RESPONDENTS = {"only": {"respondent": {"s0": "ERCO", "s1": "PJM"}}}


def fed(mix: dict, slots: int = 2, start: str = "2022-09-22T00:00:00Z", **more) -> World:
    """Two sites whose carbon and off-site water follow a mix."""
    keys = {
        "signals": {"synthetic": {"price_usd_per_mwh": 100}},
        "cooling": {"water": {"l_per_kwh": 1}},
        "grid": {"carbon": "mix", "water": "mix", "mix": mix},
        "slots": slots,
        "slot_s": 3600.0,
        "start": start,
    }
    return build_world(parse(worlds.fleet(places=(1, 1), **(keys | more))))


def test_a_made_mix_by_hand():
    """3 of gas and 1 of wind: (3 x 0.44 + 0.0225) / 4 = 0.335625 kg, 3 x 1.1356 / 4 = 0.8517 L; then wind alone."""
    made = fed({"synthetic": {"natural gas": {"steps": {"values": [3, 0]}}, "wind": 1}}).conditions
    np.testing.assert_allclose(made.carbon_kg_per_kwh[:, 0], [0.335625, 0.0225], rtol=1e-12)
    np.testing.assert_allclose(made.offsite_water_l_per_kwh[:, 1], [0.8517, 0], rtol=1e-12)
    np.testing.assert_array_equal(made.onsite_water_l_per_kwh, np.ones((2, 2)))


def test_rows_of_eia_end_their_hours_and_stand_in_any_order():
    """The period 01 is the hour from 0 to 1. ERCO: 60 gas, 40 coal, solar below zero counts as none: (60 x 0.44 +
    40 x 0.968) / 100 = 0.6512; then 50 coal, 50 sun: 0.494. PJM: batteries left out, 3:1 and 1:1 of nuclear and wind.
    """
    made = fed({"csv": EIA | RESPONDENTS}).conditions
    np.testing.assert_allclose(made.carbon_kg_per_kwh, [[0.6512, 0.016875], [0.494, 0.01875]], rtol=1e-12)
    water = [[0.6 * 1.1356 + 0.4 * 1.7034, 0.75 * 2.2712], [0.5 * 1.7034, 0.5 * 2.2712]]
    np.testing.assert_allclose(made.offsite_water_l_per_kwh, water, rtol=1e-12)


def test_rows_of_eia_cover_the_hours_before_their_periods():
    with pytest.raises(
        InputError, match="holds 2022-09-22T00:00Z to 2022-09-22T02:00Z, the run needs 2022-09-22T01:00Z"
    ):
        fed({"csv": EIA | RESPONDENTS}, start="2022-09-22T01:00:00Z")


def test_several_respondents_at_once_are_refused():
    with pytest.raises(InputError, match=r"column 'respondent': ERCO, PJM .*pick one with `only`"):
        fed({"csv": EIA})


def test_a_fuel_that_stands_twice_at_one_time_is_refused(tmp_path):
    text = (FIXTURES / "eia-fuel-type.csv").read_text(encoding="utf-8")
    (tmp_path / "e.csv").write_text(text + text.splitlines()[-1] + "\n", encoding="utf-8")
    only = {"only": {"respondent": "PJM"}, "fuels": {"BAT": "other"}}
    with pytest.raises(InputError, match=r"e\.csv:14: .*fuel 'BAT' stands twice at one time"):
        fed({"csv": EIA | only | {"file": str(tmp_path / "e.csv")}})


def wide(folder: Path, text: str, **keys) -> dict:
    (folder / "mix.csv").write_text(text, encoding="utf-8")
    return {"csv": {"file": str(folder / "mix.csv"), "time": "t"} | keys}


def test_a_column_for_each_fuel_by_name_by_code_or_by_what_is_said(tmp_path):
    """Half hours: 1 coal 3 wind, then 3 coal 1 wind: the hour has as much of each; `load` is no fuel."""
    rows = "t,load,COL,Wind Onshore\n2022-09-22 00:00,9,1,3\n2022-09-22 00:30,9,3,1\n"
    mix = wide(tmp_path, rows, fuels={"Wind Onshore": "wind"})
    made = fed(mix, slots=1).conditions
    np.testing.assert_allclose(made.carbon_kg_per_kwh, np.full((1, 2), (0.968 + 0.0225) / 2), rtol=1e-12)
    assert [file.name for file in input_files(fed(mix, slots=1).scenario, fed(mix, slots=1).sites)] == ["mix.csv"]


def test_the_mean_of_a_slot_weighs_hours_by_their_generation(tmp_path):
    """100 of coal, then 300 of wind: a quarter coal, not a half."""
    mix = wide(tmp_path, "t,coal,wind\n2022-09-22 00:00,100,0\n2022-09-22 00:30,0,300\n")
    found = fed(mix, slots=1).conditions.carbon_kg_per_kwh[0, 0]
    assert found == pytest.approx(0.25 * 0.968 + 0.75 * 0.0225)


@pytest.mark.parametrize(
    ("rows", "keys", "what"),
    [
        ("t,coal\n2022-09-22 00:00,1\n2022-09-22 01:00,0\n", {}, "site 's0' has no generation at all in slot 1"),
        ("t,Braunkohle\n2022-09-22 00:00,1\n2022-09-22 01:00,0\n", {}, r"mix\.csv:1: .*no column names a fuel"),
        ("t,a\n2022-09-22 00:00,1\n2022-09-22 01:00,1\n", {"fuels": {"a": "gas"}}, "unknown fuel 'gas'"),
        ("t,a\n2022-09-22 00:00,1\n2022-09-22 01:00,1\n", {"fuels": {"b": "coal"}}, "there is no column 'b'"),
        ("t,coal\n2022-09-22 00:00,x\n2022-09-22 01:00,1\n", {}, r"mix\.csv:2: .*a finite number is needed"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused(tmp_path, rows, keys, what):
    with pytest.raises(InputError, match=what):
        fed(wide(tmp_path, rows, **keys))


def test_an_unknown_code_of_eia_is_refused_with_the_way_out(tmp_path):
    text = (FIXTURES / "eia-fuel-type.csv").read_text(encoding="utf-8").replace(",WND,", ",WDN,")
    (tmp_path / "e.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"e\.csv:\d+: .*unknown fuel 'WDN'; did you mean 'WND'\?; say what it is"):
        fed({"csv": EIA | RESPONDENTS | {"file": str(tmp_path / "e.csv")}})


def test_an_unknown_fuel_of_a_made_mix_is_refused():
    with pytest.raises(InputError, match=r"grid\.mix\.synthetic\.natural_gas: .*did you mean 'natural gas'"):
        fed({"synthetic": {"natural_gas": 1}})


def test_carbon_alone_may_follow_the_mix():
    signals = {"synthetic": {"price_usd_per_mwh": 100, "water_l_per_kwh": 3}}
    made = fed({}, signals=signals, cooling={}, grid={"carbon": "mix", "mix": {"synthetic": {"coal": 1}}}).conditions
    np.testing.assert_array_equal(made.carbon_kg_per_kwh, np.full((2, 2), 0.968))
    np.testing.assert_array_equal(made.onsite_water_l_per_kwh, np.full((2, 2), 3.0))


def test_the_catalogue_knows_eight_fuels():
    """Gao et al. 2012 (carbon) and Macknick et al. (water), as in docs/data.md."""
    assert {name: float(row["carbon_kg_per_kwh"]) for name, row in fuels().items()}["coal"] == 0.968
    assert len(fuels()) == 8
