"""Changes of single sites of a catalogue or a generator, and the batteries and controls that sites get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import fleet

from policies.storage import Price, SelfConsumption
from simulator.problem import InputError
from simulator.roster import make_controls
from simulator.scenario import parse
from simulator.scenario.source import Source
from simulator.scenario.writing import to_data, to_yaml
from simulator.world import World, build_world

SERVERS = {"count": 5, "peak_w": 700, "idle_w": 100}


def scenario(sites: Any, **more: Any) -> dict[str, Any]:
    """A scenario of these sites, with an origin at each."""
    apart = {"cooling": {"water": {"l_per_kwh": 1}}, "grid": {"water": {"l_per_kwh": 2}}}
    changes = {"sites": sites, "origins": "at_sites", "servers": SERVERS, "signals": "calibrated"} | apart | more
    return fleet(**changes)


def world(sites: Any, **more: Any) -> World:
    return build_world(parse(scenario(sites, **more)))


def catalogue(changes: Any, **more: Any) -> World:
    return world({"catalogue": {"name": "paper", "changes": changes}}, **more)


def test_changes_replace_keys_of_a_catalogued_site_and_nothing_else():
    plain = world({"catalogue": "paper"})
    made = catalogue({"texas": {"pue": 1.7, "servers": {"count": 9, "peak_w": 500}}, "japan": {"region": "islands"}})
    names = list(made.fleet.sites)
    texas, japan = names.index("texas"), names.index("japan")
    assert names == list(plain.fleet.sites)
    assert made.sites[texas] == plain.sites[texas].model_copy(update={"pue": 1.7, "servers": made.sites[texas].servers})
    assert made.fleet.hardware.servers.tolist() == [9 if k == texas else 5 for k in range(10)]
    assert made.conditions.pue[0, texas] == 1.7
    assert made.sites[japan].region == "islands"
    others = [k for k in range(10) if k not in (texas, japan)]
    assert [made.sites[k] for k in others] == [plain.sites[k] for k in others]


def test_changes_of_generated_sites():
    made = world({"generate": {"count": 12, "changes": {"texas-2": {"latitude_deg": 0.0, "longitude_deg": 1.0}}}})
    plain = world({"generate": {"count": 12}})
    assert [(site.latitude_deg, site.longitude_deg) for site in made.sites][10] == (0, 1)
    assert made.sites[:10] == plain.sites[:10]
    assert made.origins[10].latitude_deg == 0


def test_changes_of_some_of_the_catalogued_sites():
    made = world({"catalogue": {"only": ["texas", "japan"], "changes": {"japan": {"pue": 2}}}})
    assert [site.pue for site in made.sites] == [1.15, 2]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"texsa": {}}, r"sites.catalogue.changes.texsa: unknown site 'texsa'; did you mean 'texas'\?"),
        ({"texas": {"peu": 1}}, r"sites.catalogue.changes.texas.peu: unknown key 'peu'; did you mean 'pue'\?"),
        ({"texas": {"pue": 0.5}}, "sites.catalogue.changes.texas.pue: must be at least 1"),
        ({"texas": {"name": "x"}}, "sites.catalogue.changes.texas: a site keeps its name; leave `name` out"),
        ({"texas": {"like": "txeas"}}, "changes.texas.like: unknown place 'txeas'; did you mean 'texas'"),
        ({"texas": 3}, "sites.catalogue.changes.texas: a mapping is needed"),
    ],
)
def test_changes_that_make_no_sense_are_refused_with_their_place(changes, says):
    with pytest.raises(InputError, match=says):
        catalogue(changes)


def test_a_scenario_with_changes_is_written_and_read_back():
    changes = {"texas": {"pue": 1.2, "battery": {"capacity_kwh": 5, "control": {"price": {"window_h": 12}}}}}
    asked = parse(scenario({"catalogue": {"changes": changes}}, solar={"capacity_kw": 3}, battery={"capacity_kwh": 2}))
    again = parse(Source(to_yaml(asked), "again", Path.cwd()).data)
    assert build_world(again).sites == build_world(asked).sites
    assert (again.solar, again.battery) == (asked.solar, asked.battery)
    written = to_data(asked)["sites"]["catalogue"]["changes"]["texas"]
    assert list(written) == ["pue", "battery"]
    assert written["battery"]["control"] == {"price": {"window_h": 12}}


def test_a_scenario_without_them_is_written_as_before():
    written = to_data(parse(scenario({"catalogue": "paper"})))
    assert written["sites"] == {"catalogue": {"name": "paper", "only": []}}
    assert not {"solar", "battery"} & set(written)


def test_each_site_has_its_own_battery_or_that_of_all_or_none():
    made = world(
        {"catalogue": {"only": ["texas", "japan", "georgia"], "changes": {"japan": {"battery": {"capacity_kwh": 0}}}}},
        battery={"capacity_kwh": 8, "initial_share": 0.5, "eff_c": 0.9},
    )
    np.testing.assert_array_equal(made.batteries.capacity_kwh, [8, 8, 0])
    np.testing.assert_array_equal(made.batteries.initial_kwh, [4, 4, 0])
    np.testing.assert_array_equal(made.batteries.eff_c, [0.9, 0.9, 0.97])
    np.testing.assert_array_equal(made.batteries.eff_d, [1.04] * 3)


def test_a_battery_is_empty_at_first_unless_told_otherwise():
    assert world({"catalogue": "paper"}, battery={"capacity_kwh": 10, "v_lo": 0.2}).batteries.initial_kwh[0] == 2


def test_each_site_has_a_fresh_control():
    changes = {"japan": {"battery": {"capacity_kwh": 3, "control": {"price": {"window_h": 12}}}}}
    made = world(
        {"catalogue": {"only": ["texas", "japan", "georgia"], "changes": changes}}, battery={"capacity_kwh": 1}
    )
    first, again = make_controls(made), make_controls(made)
    assert [type(control) for control in first] == [SelfConsumption, SelfConsumption, Price]
    assert first[0] is not first[1]
    assert first[0] is not again[0]
    assert make_controls(world({"catalogue": "paper"})) == (None,) * 10
