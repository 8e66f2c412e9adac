"""The laws are checked on every run, and the checks bite: a record with one figure changed does not pass."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from conftest import world
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import POLICIES
from simulator import LawError, run
from simulator.footprint import Footprint
from simulator.laws import check_laws
from simulator.onsite import Flows
from simulator.planes.reference import ReferencePlane
from simulator.planes.station import Pool
from simulator.record import Record
from simulator.result import RunResult
from simulator.rows import site_rows
from simulator.world import World


@pytest.fixture(scope="module")
def made() -> World:
    return world(allowed={"regions": {"us": ["us"]}}, sites={"generate": {"count": 6}}, slots=24)


@pytest.fixture(scope="module")
def result(made: World) -> RunResult:
    return run(made, POLICIES["hedge"](), engine="simpy")


def bumped(array: Any, index: tuple[int, ...], by: float = 1.0) -> Any:
    copy = np.array(array)
    copy[index] += by
    return copy


BREAKS: dict[str, tuple[str, Callable[[Record, Footprint], tuple[Record, Footprint]]]] = {
    "a request that arrived and has no fate": (
        "every request of an origin",
        lambda r, f: (r._replace(arrived=bumped(r.arrived, (0,))), f),
    ),
    "a request that a site never saw": (
        "every request that a site",
        lambda r, f: (r._replace(received=bumped(r.received, (1,), -1)), f),
    ),
    "a request routed nowhere": (
        "every request that a site",
        lambda r, f: (r._replace(routed=bumped(r.routed, (0, 0))), f),
    ),
    "a second of service nobody got": (
        "busy seconds",
        lambda r, f: (r._replace(busy_place_s=bumped(r.busy_place_s, (3, 2))), f),
    ),
    "service charged to another slot": (
        "slot by slot",
        lambda r, f: (r._replace(busy_place_s=bumped(bumped(r.busy_place_s, (3, 2)), (4, 2), -1.0)), f),
    ),
    "more service than a slot has room for": (
        "nobody is served by servers that are off",
        lambda r, f: (r._replace(busy_place_s=bumped(r.busy_place_s, (3, 2), 1e9)), f),
    ),
    "energy from nowhere": ("meter energy", lambda r, f: (r, f._replace(facility_kwh=bumped(f.facility_kwh, (2, 2))))),
    "a cost without energy": (
        "cost, carbon and water",
        lambda r, f: (r, f._replace(cost_usd=bumped(f.cost_usd, (1, 1)))),
    ),
    "water without energy": ("cost, carbon and water", lambda r, f: (r, f._replace(water_l=bumped(f.water_l, (1, 1))))),
    "more places than there are": (
        "places in use",
        lambda r, f: (r._replace(most_in_use=bumped(r.most_in_use, (0,), 9)), f),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_law_ends_the_run_and_is_named(made: World, result: RunResult, name: str) -> None:
    law, change = BREAKS[name]
    assert check_laws(made, result.record, result.usage, result.footprint, result.flows) == result.laws
    with pytest.raises(LawError, match=law):
        record, footprint = change(result.record, result.footprint)
        check_laws(made, record, result.usage, footprint, result.flows)


def test_a_request_on_a_forbidden_site_is_found(made: World, result: RunResult) -> None:
    origin, site = np.argwhere(~made.fleet.allowed)[0]
    record = result.record._replace(
        routed=bumped(result.record.routed, (origin, site)),
        fates=bumped(result.record.fates, (1, origin, site)),
        received=bumped(result.record.received, (site,)),
        arrived=bumped(result.record.arrived, (origin,)),
    )
    with pytest.raises(LawError, match="may not use"):
        check_laws(made, record, result.usage, result.footprint, result.flows)


#: On-site and off-site water apart, as own energy needs it.
SUNNY: dict[str, Any] = {
    "slots": 24,
    "slot_s": 3600,
    "start": "2023-06-21T00:00:00Z",
    "servers": {"count": 20, "concurrency": 2, "peak_w": 1000, "idle_w": 300},
    "signals": {
        "synthetic": {
            "price_usd_per_mwh": {"steps": {"values": [20, 100], "every_h": 6}},
            "carbon_kg_per_kwh": 0.3,
        }
    },
    "cooling": {"water": {"l_per_kwh": 1}},
    "grid": {"water": {"l_per_kwh": 2}},
    "solar": {"capacity_kw": 25},
    "battery": {"capacity_kwh": 30, "control": "price"},
}


@pytest.fixture(scope="module")
def sunny() -> World:
    return world(**SUNNY)


@pytest.fixture(scope="module")
def sunny_result(sunny: World) -> RunResult:
    return run(sunny, POLICIES["glb-nearest"](), engine="simpy")


def changed(flows: Flows, **by: float) -> Flows:
    """Some energies of site 1 in slot 12 changed."""
    return flows._replace(**{name: bumped(getattr(flows, name), (12, 1), kwh) for name, kwh in by.items()})


FLOW_BREAKS: dict[str, tuple[str, Callable[[Flows], Flows]]] = {
    "sun from nowhere": ("sun = power of the panels", lambda f: changed(f, produced=1.0, curtailed=1.0)),
    "sun that is lost": ("sun = used", lambda f: changed(f, curtailed=1.0)),
    "a battery that creates energy": ("content gained", lambda f: changed(f, content=1.0)),
    "a battery that hides its losses": ("gained \\+ losses", lambda f: changed(f, lost=0.5)),
    "a battery that holds more than it can": ("content <= capacity", lambda f: changed(f, content=50.0)),
    "a battery that gives what nobody takes": ("<= facility energy", lambda f: changed(f, discharged=1e3)),
    "a battery that charges and gives at once": (
        "no charge and discharge",
        lambda f: changed(f, grid_charged=1.0, discharged=1.0),
    ),
    "energy below zero": ("energies of sun", lambda f: changed(f, used=-1e3)),
    "own energy that the meter does not see": ("meter energy", lambda f: changed(f, grid_charged=1.0)),
    "own energy that is paid for": ("cost, carbon", lambda f: changed(f, used=-1.0)),
}


@pytest.mark.parametrize("name", FLOW_BREAKS)
def test_a_broken_law_of_sun_and_batteries_is_named(sunny: World, sunny_result: RunResult, name: str) -> None:
    law, change = FLOW_BREAKS[name]
    result = sunny_result
    assert len(result.laws) == 9 + 8
    assert result.flows.used.any() and result.flows.grid_charged.any() and result.flows.discharged.any()
    with pytest.raises(LawError, match=law):
        check_laws(sunny, result.record, result.usage, result.footprint, change(result.flows))


def test_flows_of_a_fleet_without_sun_and_battery_are_none(made: World, result: RunResult) -> None:
    assert not any(part.any() for part in result.flows)
    with pytest.raises(LawError, match="sun = power of the panels"):
        check_laws(made, result.record, result.usage, result.footprint, changed(result.flows, produced=1, curtailed=1))


@pytest.mark.parametrize("engine", ["compiled", "simpy", "fluid"])
def test_own_energy_is_taken_off_the_meter_and_saves_no_cooling_water(engine: str) -> None:
    """Price, carbon and off-site water fall by own energy x signal; on-site water, facility and latency stay."""
    plain, own = (
        run(world(**SUNNY | changes), POLICIES["glb-nearest"](), engine=engine)
        for changes in ({"solar": None, "battery": None}, {})
    )
    energy, here = own.flows.own_kwh, own.conditions
    np.testing.assert_array_equal(own.footprint.facility_kwh, plain.footprint.facility_kwh)
    for name, intensity in (("meter_kwh", 1), ("cost_usd", here.price_usd_per_kwh), ("water_l", 2.0)):
        saved = getattr(plain.footprint, name) - getattr(own.footprint, name)
        np.testing.assert_allclose(saved, energy * intensity, atol=1e-9)
    summary = own.summary()
    assert summary["solar_used_mwh"] == pytest.approx(own.flows.used.sum() / 1e3)
    assert sum(row["discharged_kwh"] for row in site_rows(own)) == pytest.approx(own.flows.discharged.sum())
    assert summary["e2e_p99_s"] == plain.summary()["e2e_p99_s"] or engine == "fluid"


def test_every_run_has_fresh_controls(sunny: World, sunny_result: RunResult) -> None:
    again = run(sunny, POLICIES["glb-nearest"](), engine="compiled")
    for one, other in zip(again.flows, sunny_result.flows, strict=True):
        np.testing.assert_array_equal(one, other)


@given(
    policy=st.sampled_from(sorted(POLICIES)),
    seed=st.integers(0, 1000),
    rate=st.floats(0.0, 0.8),
    queue=st.one_of(st.none(), st.integers(0, 5)),
    power=st.sampled_from([{"power": "proportional"}, {"idle_w": 300}]),
    scale=st.sampled_from([0.3, 1.0, 2.0]),
    allowed=st.sampled_from(["full", {"max_rtt_ms": 80}, {"max_rtt_ms": 0.1}]),
)
@settings(max_examples=40, deadline=None)
def test_the_laws_hold_on_generated_scenarios(**asked: Any) -> None:
    """Overload, refused origins, full queues, fleets of other sizes: check_laws raises inside run() if one breaks."""
    made = world(
        seed=asked["seed"],
        fleet_scale=asked["scale"],
        allowed=asked["allowed"],
        servers={"count": 3, "concurrency": 2, "peak_w": 1000, "queue_limit": asked["queue"], **asked["power"]},
        workload={
            "demand": {"poisson": {"rate_per_s": asked["rate"]}},
            "request": {"seconds": {"exponential": {"mean": 30}}},
        },
    )
    for engine in ("simpy", "fluid"):
        assert len(run(made, POLICIES[asked["policy"]](), engine=engine).laws) == {"simpy": 9, "fluid": 7}[engine]


def test_more_servers_never_make_anybody_wait_longer() -> None:
    """FCFS with the same arrivals, services and sites: starts are monotone in the number of places."""
    waits = []
    for count in (3, 4, 6):
        servers = {"count": count, "concurrency": 1, "peak_w": 1000}
        made = world(
            servers=servers,
            planning={"site_capacity_kw": 3},
            workload={
                "demand": {"poisson": {"rate_per_s": 0.2}},
                "request": {"seconds": {"exponential": {"mean": 30}}},
            },
        )
        requests = run(made, POLICIES["glb-nearest"](), engine="simpy", keep_requests=True).record.requests
        assert requests is not None
        waits.append(np.nan_to_num(requests.start_s - requests.reach_s, nan=np.inf))
    assert (waits[0] >= waits[1] - 1e-9).all()
    assert (waits[1] >= waits[2] - 1e-9).all()
    assert waits[0].sum() > waits[2].sum()


@pytest.mark.parametrize("scale", [1, 10, 100])
def test_the_fluid_engine_is_the_limit_of_the_other_one(scale: int) -> None:
    """A site's requests under fixed shares are Poisson around the flow, at every size: z and its square, over seeds."""
    z = []
    for seed in range(8):
        made = world(seed=seed, slots=6, fleet_scale=scale, planning={"utilisation_cap": 0.6})
        flow, counts = (
            run(made, POLICIES["glb-nearest"](), engine=e).record.routed.sum(axis=0) for e in ("fluid", "simpy")
        )
        z += ((counts - flow) / np.sqrt(flow)).tolist()
    assert abs(np.mean(z)) < 3.3 / np.sqrt(len(z))
    # The squares of normal deviates have variance 2.
    assert abs(np.mean(np.square(z)) - 1) < 3.3 * np.sqrt(2 / len(z))


def test_a_plane_that_loses_requests_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other request of the tape never starts its way: the tape's own count does not agree."""
    whole, kept = ReferencePlane._request, cycle([True, False])

    def lossy(self: ReferencePlane, *request: Any) -> Any:
        if next(kept):
            yield from whole(self, *request)

    monkeypatch.setattr(ReferencePlane, "_request", lossy)
    with pytest.raises(LawError, match="every request of an origin has one fate"):
        run(world(), POLICIES["glb-cost"](), engine="simpy")


def test_a_ledger_that_charges_the_wrong_slot_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_at_once(ledger: Any, site: int, start: float, finish: float, slot_s: float) -> None:
        ledger[0, site] += max(0.0, min(finish, len(ledger) * slot_s) - start)

    monkeypatch.setattr("simulator.planes.reference.spread_busy", all_at_once)
    with pytest.raises(LawError, match="slot by slot"):
        run(world(), POLICIES["glb-cost"](), engine="simpy")


@pytest.mark.parametrize("engine", ["simpy", "fluid"])
def test_laws_bear_figures_of_any_size(engine: str) -> None:
    """Beyond 2^53 every number is whole, and is no count for that."""
    signals = {"price_usd_per_mwh": 1e24, "carbon_kg_per_kwh": 0.3, "water_l_per_kwh": 3}
    assert run(world(signals={"synthetic": signals}), POLICIES["glb-nearest"](), engine=engine).cost_usd > 1e20


def test_a_site_that_serves_more_than_it_has_places_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sites that think they have a place more than they own: requests under service are counted by themselves."""
    monkeypatch.setattr(Pool, "free", property(lambda pool: max(0, pool.open + 1 - pool.in_use)))
    crowded = {"demand": {"poisson": {"rate_per_s": 2.0}}, "request": {"seconds": 60}}
    with pytest.raises(LawError, match="places in use <= places"):
        run(world(workload=crowded), POLICIES["glb-cost"](), engine="simpy")
