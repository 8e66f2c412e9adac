"""The world: a scenario made concrete for one seed, as arrays over all slots."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.battery import Battery
from simulator.fleet import Fleet, FloatArray, Hardware, IntArray, Objective, freeze, marginal_kwh
from simulator.footprint import Conditions
from simulator.problem import Problems, refuse
from simulator.scenario.generator import resolve_origins, resolve_sites
from simulator.scenario.place import Origin, Site
from simulator.scenario.scenario import Scenario
from simulator.scenario.server import Servers
from simulator.units import S_PER_H

from .demand import Demand, build_demand
from .network import build_allowed, build_rtt
from .onsite import build_batteries
from .service import build_curve, mean_sizes
from .signals import build_signals
from .solar import build_solar

__all__ = ["Demand", "World", "build_world"]

#: Cells of the largest array of a world, 160 MB: a run holds about a dozen of them.
MOST_CELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class World:
    """What all slots are like and their demand, and the fleet they act on; shapes [slots, sites], [slots, origins]."""

    scenario: Scenario
    seed: int
    sites: tuple[Site, ...]
    origins: tuple[Origin, ...]
    fleet: Fleet
    conditions: Conditions
    demand: Demand
    solar_kw: FloatArray
    """Mean power of the panels of each site, of the full fleet."""
    batteries: Battery

    def __post_init__(self) -> None:
        freeze(self)

    @property
    def expected_requests(self) -> float:
        """How many requests the fleet that is simulated will meet, on average."""
        return float(self.demand.rate_rps.sum()) * self.fleet.slot_s * self.scenario.fleet_scale

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures must know about this world."""
        notes = [self.demand.note] if self.demand.note else []
        scale = self.scenario.fleet_scale
        if scale != 1 and self.scenario.engine != "fluid":
            size = f"latencies are those of a fleet of {scale:g} times the size"
            notes.append(f"fleet_scale {scale:g}: {size}; totals are divided by it")
        blocked = [name for name, row in zip(self.fleet.origins, self.fleet.allowed, strict=True) if not row.any()]
        if blocked:
            notes.append(f"no site may serve {', '.join(blocked)}: those requests are rejected")
        return tuple(notes)


def build_world(scenario: Scenario, seed: int | None = None) -> World:
    """Make a scenario concrete; raises InputError with every mistake in its names and files."""
    seed = scenario.seed if seed is None else seed
    if seed < 0:
        raise refuse(("seed",), f"must be at least 0 (given {seed})")
    problems = Problems()
    sites = resolve_sites(scenario.sites, problems)
    origins = resolve_origins(scenario.origins, sites, problems)
    _every_site_has_servers(scenario, sites, problems)
    _fits_in_memory(scenario, len(sites), len(origins), problems)
    problems.settle()
    signals = build_signals(scenario, sites, seed, problems)
    hardware = build_hardware(scenario, sites)
    demand = curve = rtt_s = allowed = solar_kw = None
    with problems.collecting():
        demand = build_demand(scenario, origins, seed)
    with problems.collecting():
        curve = build_curve(scenario.workload.request, hardware)
    with problems.collecting():
        rtt_s = build_rtt(scenario.network, origins, sites)
    with problems.collecting():
        allowed = build_allowed(
            scenario.allowed, origins, sites, np.zeros((len(origins), len(sites))) if rtt_s is None else rtt_s
        )
    with problems.collecting():
        solar_kw = build_solar(scenario, sites)
    problems.settle()
    assert demand is not None and curve is not None and rtt_s is not None and allowed is not None
    assert solar_kw is not None
    service_s = curve.service_s(*mean_sizes(scenario.workload.request, demand))
    energy_kwh = marginal_kwh(service_s, hardware)
    demand = _in_requests(demand, scenario, energy_kwh)
    fleet = Fleet(
        sites=tuple(site.name for site in sites),
        origins=tuple(origin.name for origin in origins),
        slots=scenario.slots,
        slot_s=scenario.slot_s,
        allowed=allowed,
        rtt_s=rtt_s,
        service_s=service_s,
        energy_kwh=energy_kwh,
        capacity_rps=_capacity(scenario, hardware, service_s, energy_kwh),
        objective=Objective(**scenario.objective.model_dump()),
        queue_limit=_queue_limits(scenario, sites),
        overhead_fixed=np.zeros(len(sites)),
        hardware=hardware,
        curve=curve,
    )
    conditions, batteries = _conditions(scenario, sites, signals), build_batteries(scenario, sites)
    return World(scenario, seed, sites, origins, fleet, conditions, demand, solar_kw, batteries)


def _conditions(scenario: Scenario, sites: tuple[Site, ...], signals: dict[str, FloatArray]) -> Conditions:
    """What the slots are like; proportional power has PUE 1."""
    pue = [1.0 if servers.power == "proportional" else site.pue for site, servers in _with_servers(scenario, sites)]
    return Conditions(
        price_usd_per_kwh=signals["price"],
        carbon_kg_per_kwh=signals["carbon"],
        onsite_water_l_per_kwh=signals["water"],
        offsite_water_l_per_kwh=np.zeros_like(signals["water"]),
        pue=np.broadcast_to(np.array(pue), signals["price"].shape),
    )


def build_hardware(scenario: Scenario, sites: tuple[Site, ...]) -> Hardware:
    """Servers of each site as arrays."""
    known = [servers for _, servers in _with_servers(scenario, sites)]
    none = np.zeros(len(known))
    return Hardware(
        site=np.arange(len(known)),
        servers=np.array([float(s.count) for s in known]),
        concurrency=np.array([s.concurrency for s in known], dtype=np.int64),
        peak_w=np.array([s.peak_w for s in known]),
        idle_w=np.array([s.idle_w for s in known]),
        boot_w=none,
        off_w=none,
    )


def _with_servers(scenario: Scenario, sites: tuple[Site, ...]) -> list[tuple[Site, Servers]]:
    """Each site with its servers; those without any have been refused before."""
    both = [(site, site.servers or scenario.servers) for site in sites]
    return [(site, servers) for site, servers in both if servers is not None]


def _queue_limits(scenario: Scenario, sites: tuple[Site, ...]) -> IntArray:
    limits = [servers.queue_limit for _, servers in _with_servers(scenario, sites)]
    return np.array([-1 if limit is None else limit for limit in limits], dtype=np.int64)


def _every_site_has_servers(scenario: Scenario, sites: tuple[Site, ...], problems: Problems) -> None:
    if scenario.servers is None:
        for k, site in enumerate(sites):
            if site.servers is None:
                problems.add(
                    ("sites", k), f"site '{site.name}' has no servers, and the scenario gives none for all sites"
                )


def _fits_in_memory(scenario: Scenario, sites: int, origins: int, problems: Problems) -> None:
    if sites * origins > MOST_CELLS:
        problems.add(("sites",), f"{sites:,} sites x {origins:,} origins are more than {MOST_CELLS:,} pairs")
    hours = int(scenario.horizon_s / S_PER_H)
    rows, what = max((scenario.slots, "slots"), (hours, "hours"))
    if rows * max(sites, origins) > MOST_CELLS:
        wide = f"{max(sites, origins):,} {'sites' if sites >= origins else 'origins'}"
        problems.add(("slots",), f"{rows:,} {what} x {wide} are more than {MOST_CELLS:,} figures of each signal")


def _in_requests(demand: Demand, scenario: Scenario, energy_kwh: FloatArray) -> Demand:
    """Demand given as IT power, in requests/s: by the mean energy of a request over the sites."""
    if demand.kw is None:
        return demand
    return replace(demand, rate_rps=demand.kw / S_PER_H / float(energy_kwh.mean()))


def _capacity(scenario: Scenario, hardware: Hardware, service_s: FloatArray, energy_kwh: FloatArray) -> FloatArray:
    planning = scenario.planning
    if planning.site_capacity_kw is not None:
        return planning.site_capacity_kw / S_PER_H / energy_kwh
    return planning.utilisation_cap * hardware.servers * hardware.concurrency / service_s
