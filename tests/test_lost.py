"""Lost sites: a world without some of its sites is the world of the others, and nothing else of it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import scenario, world

from policies import POLICIES
from simulator import run
from simulator.record import REJECTED
from simulator.world import World

GENERATED: dict[str, Any] = {"sites": {"generate": {"count": 5}}, "allowed": {"max_rtt_ms": 150}}
LOST = ["virginia-1", "nevada-1"]


def names_of(made: World) -> list[str]:
    return [site.name for site in made.sites]


def assert_same_columns(left: World, whole: World) -> None:
    """Every array of sites or pools in ``left`` is the part of those in ``whole`` that belongs to its sites."""
    kept = [names_of(whole).index(name) for name in names_of(left)]
    pools = np.flatnonzero(np.isin(whole.fleet.hardware.site, kept))
    for name in ("service_s", "energy_kwh", "capacity_rps", "queue_limit", "overhead_fixed", "standing_kwh"):
        np.testing.assert_array_equal(getattr(left.fleet, name), getattr(whole.fleet, name)[kept], err_msg=name)
    for name in ("allowed", "rtt_s"):
        np.testing.assert_array_equal(getattr(left.fleet, name), getattr(whole.fleet, name)[:, kept], err_msg=name)
    for name, part in left.conditions._asdict().items():
        np.testing.assert_array_equal(part, getattr(whole.conditions, name)[:, kept], err_msg=name)
    for name, part in left.batteries._asdict().items():
        np.testing.assert_array_equal(part, getattr(whole.batteries, name)[kept], err_msg=name)
    for name, part in left.fleet.hardware._asdict().items():
        if name != "site":
            np.testing.assert_array_equal(part, getattr(whole.fleet.hardware, name)[pools], err_msg=name)
    for name, part in left.fleet.curve._asdict().items():
        np.testing.assert_array_equal(part, getattr(whole.fleet.curve, name)[pools], err_msg=name)
    np.testing.assert_array_equal(left.fleet.place_s, whole.fleet.place_s[pools])
    np.testing.assert_array_equal(left.solar_kw, whole.solar_kw[:, kept])
    site = [names_of(whole)[k] for k in whole.fleet.hardware.site[pools]]
    assert [names_of(left)[k] for k in left.fleet.hardware.site] == site
    assert [(names_of(left)[pool.site], pool.servers) for pool in left.pools] == [
        (names_of(whole)[pool.site], pool.servers) for pool in whole.pools if pool.site in kept
    ]


def test_the_other_sites_are_what_they_were_and_origins_and_demand_stay() -> None:
    changes = {
        "texas-1": {"servers": [{"name": "x", "count": 2, "peak_w": 900}, {"name": "y", "count": 5, "peak_w": 400}]}
    }
    asked = {**GENERATED, "sites": {"generate": {"count": 5, "changes": changes}}, "solar": {"capacity_kw": 9}}
    asked |= {"cooling": {"water": {"l_per_kwh": 1}}, "grid": {"water": {"l_per_kwh": 2}}}
    whole, left = world(**asked), world(**asked, lost_sites=LOST)
    assert names_of(left) == [name for name in names_of(whole) if name not in LOST]
    assert left.fleet.sites == tuple(names_of(left))
    assert len(left.sites) == 3
    assert_same_columns(left, whole)
    assert left.fleet.origins == whole.fleet.origins
    np.testing.assert_array_equal(left.demand.rate_rps, whole.demand.rate_rps)


def test_demand_in_kw_is_as_many_requests_whatever_sites_are_lost() -> None:
    """Requests follow from the mean energy of a request, which is that of the whole fleet."""
    asked: dict[str, Any] = {
        "sites": [{"name": "texas"}, {"name": "japan", "servers": {"count": 4, "peak_w": 3000}}],
        "workload": {"demand": {"calibrated": {"peak_kw": 1}}, "request": {"seconds": 60}},
        "network": {"rtt": "catalogue"},
    }
    whole, left = world(**asked), world(**asked, lost_sites=["japan"])
    np.testing.assert_array_equal(left.demand.rate_rps, whole.demand.rate_rps)


def test_the_fleet_without_a_site_is_the_fleet_that_never_had_it() -> None:
    """With the signals of a catalogue, which do not depend on who else is there: the same run to the last bit."""
    places = ["virginia", "texas", "germany"]
    origins = [{"name": f"o-{place}", "like": place} for place in places]
    asked = {"origins": origins, "network": {"rtt": "catalogue"}, "signals": "calibrated"}
    lost = world(sites=[{"name": place} for place in places], **asked, lost_sites=["virginia"])
    never = world(sites=[{"name": place} for place in places[1:]], **asked)
    for policy in ("eglb-off", "glb-nearest"):
        one, other = (run(made, POLICIES[policy](), engine="compiled") for made in (lost, never))
        np.testing.assert_array_equal(one.record.busy_place_s, other.record.busy_place_s)
        np.testing.assert_equal(one.summary(), other.summary())
        assert one.summary()["par_carbon"] <= 2  # of two sites: the lost one is in no mean


def test_what_is_given_for_a_lost_site_is_no_mistake(tmp_path: Path) -> None:
    """Signals by site, columns, words, matrices, pairs, changes and outages may go on naming it."""
    (tmp_path / "price.csv").write_text("t,a,b\n2022-09-22 00:00,50,60\n2022-09-22 01:00,50,60\n2022-09-22 02:00,5,6\n")
    (tmp_path / "rtt.csv").write_text("origin,a,b\no,10,20\n")
    file = {"file": str(tmp_path / "price.csv"), "time": "t", "column": {"a": "a", "b": "b"}}
    made = world(
        sites=[{"name": "a"}, {"name": "b"}],
        origins=[{"name": "o"}],
        signals={"csv": {"price": file, "carbon": {**file, "unit": "g/kWh"}, "water": {**file}}},
        network={"rtt": {"matrix": str(tmp_path / "rtt.csv")}},
        allowed={"pairs": {"o": ["a", "b"]}},
        outages={
            "scheduled": [{"site": "a", "start_s": 1, "length_s": 2}, {"site": "b", "start_s": 3, "length_s": 4}],
            "random": {"sites": {"mean_up_h": 1e6, "mean_down_h": 1, "only": ["a"]}},
        },
        lost_sites=["a"],
    )
    assert made.fleet.rtt_s.tolist() == [[0.02]]
    assert made.conditions.price_usd_per_kwh[0] == pytest.approx([0.06])
    assert [(outage.site, outage.start_s) for outage in made.outages.all] == [(0, 3)]


def test_outages_and_boots_at_random_are_those_of_the_same_site() -> None:
    """Common random numbers: a study that loses sites one by one meets the same failures at all others."""
    asked = {**GENERATED, "outages": {"random": {"sites": {"mean_up_h": 1, "mean_down_h": 0.2}}}}
    whole, left = world(**asked), world(**asked, lost_sites=LOST)
    for name in names_of(left):
        mine, theirs = (
            [(o.start_s, o.end_s) for o in made.outages.all if names_of(made)[o.site] == name] for made in (left, whole)
        )
        assert mine == theirs
        assert left.numbers[names_of(left).index(name)] == names_of(whole).index(name)


@pytest.mark.parametrize("engine", ["compiled", "simpy", "fluid"])
def test_origins_that_only_a_lost_site_may_serve_are_rejected_and_a_note_says_so(engine: str) -> None:
    made = world(
        sites=[{"name": "virginia"}, {"name": "japan"}],
        network={"rtt": "catalogue"},
        allowed={"pairs": {"japan": ["japan"]}},
        servers={"count": 9, "concurrency": 2, "peak_w": 1000},
        lost_sites=["japan"],
    )
    assert "no site may serve japan: those requests are rejected" in made.notes
    assert "out of service for the whole run: japan" in made.notes
    result = run(made, POLICIES["glb-cost"](), engine=engine)
    assert result.sites == ("virginia",)
    assert result.record.fates[REJECTED].sum(axis=-1).tolist() == [0, result.record.arrived[1]]
    assert result.shortfall()["origins"] == ["japan"]
    assert result.shortfall()["sites"] == []


def test_lost_sites_stand_in_the_scenario_that_is_shown() -> None:
    assert scenario(**GENERATED, lost_sites=LOST).lost_sites == tuple(LOST)
