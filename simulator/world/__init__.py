"""The world: a scenario made concrete for one seed, as arrays over all slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from simulator.battery import Battery
from simulator.fleet import Fleet, FloatArray, IntArray, freeze
from simulator.footprint import Conditions
from simulator.problem import Problems, refuse
from simulator.scenario.agreement import check_agreement, water_is_split
from simulator.scenario.generator import resolve_origins, resolve_sites
from simulator.scenario.place import Origin, Site
from simulator.scenario.scenario import Scenario
from simulator.streams import stream
from simulator.units import S_PER_H

from .conditions import build_conditions
from .demand import Demand, build_demand
from .fleet import build_fleet, check_objective, mean_request, survey
from .hardware import Pool, is_proportional, pools_of
from .lost import columns_of, fleet_of, outages_of, pools_of_sites, standing_sites
from .onsite import build_batteries, refuse_combined_water
from .outages import Outages, build_outages
from .replay import Replay, build_replays
from .shift import check_shift, shifted_conditions, shifted_demand
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
    pools: tuple[Pool, ...]
    fleet: Fleet
    conditions: Conditions
    demand: Demand
    outages: Outages
    solar_kw: FloatArray
    """Mean power of the panels of each site, of the full fleet."""
    batteries: Battery
    numbers: IntArray
    """Which of the scenario's sites each one is, [sites]: streams follow them, whatever sites are lost."""
    sites_in_all: int
    """Sites of the scenario, with those that are lost."""
    replays: Mapping[str, Replay]
    """Forecasts from files, by quantity."""
    misjudged: FloatArray
    """Energy of a request as policies are told / as it is, [sites]."""

    def __post_init__(self) -> None:
        freeze(self)

    @cached_property
    def told(self) -> Fleet:
        """The fleet as policies are told of it: the energy of a request may be wrong.

        Planned capacity stays what it is: a site knows how many requests it can take.
        """
        if np.all(self.misjudged == 1.0):
            return self.fleet
        return replace(self.fleet, energy_kwh=self.fleet.energy_kwh * self.misjudged)

    @property
    def has_own_energy(self) -> bool:
        """Whether any site has panels or a battery."""
        return bool(self.solar_kw.any() or self.batteries.capacity_kwh.any())

    @property
    def is_steady(self) -> bool:
        """Whether nothing outside the fleet changes with time, so that a run of it may have a steady state.

        Demand, conditions and sun are the same in all slots, there is no battery, and nothing fails.
        """
        demand = self.demand
        series = (demand.rate_rps, self.solar_kw, *self.conditions)
        held = all(np.array_equal(part, np.broadcast_to(part[:1], part.shape), equal_nan=True) for part in series)
        own = demand.trace is not None or demand.counts is not None or bool(self.batteries.capacity_kwh.any())
        return held and not own and not self.outages.all

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
        if not self.fleet.objective.is_plain:
            notes.append(_said(self.fleet))
        if self.scenario.lost_sites:
            notes.append(f"out of service for the whole run: {', '.join(self.scenario.lost_sites)}")
        if self.outages.all:
            count = Counter[str](outage.kind for outage in self.outages.all)
            words = {"site": "of a site", "link": "of a link", "signals": "of signals"}
            what = ", ".join(f"{count[kind]} {of}" for kind, of in words.items() if count[kind])
            notes.append(f"outages: {what}; routers know of each after {self.outages.detection_s:g} s")
        blocked = [name for name, row in zip(self.fleet.origins, self.fleet.allowed, strict=True) if not row.any()]
        if blocked:
            notes.append(f"no site may serve {', '.join(blocked)}: those requests are rejected")
        return tuple(notes)


def _said(fleet: Fleet) -> str:
    """Which objective J is of, and what sites weigh in it."""
    objective, weighing = fleet.objective, []
    for name, weights in (("a", objective.water_site_weights), ("b", objective.carbon_site_weights)):
        if (weights != 1).any():
            least, most = int(weights.argmin()), int(weights.argmax())
            ends = [f"{weights[i]:.3g} ({fleet.sites[i]})" for i in (least, most)]
            weighing.append(f"{name} from {ends[0]} to {ends[1]}")
    return ", ".join([f"J = {objective.formula}", *weighing])


def build_world(scenario: Scenario, seed: int | None = None) -> World:
    """Make a scenario concrete; raises InputError with every mistake in its names and files."""
    seed = scenario.seed if seed is None else seed
    if seed < 0:
        raise refuse(("seed",), f"must be at least 0 (given {seed})")
    problems = Problems()
    sites = resolve_sites(scenario.sites, problems)
    origins = resolve_origins(scenario.origins, sites, problems)
    pools = pools_of(scenario, sites, problems)
    standing = standing_sites(scenario.lost_sites, [site.name for site in sites], problems)
    _fits_in_memory(scenario, len(sites), len(origins), problems)
    check_agreement(scenario, problems)
    check_objective(scenario, sites, problems)
    check_shift(scenario, [site.name for site in sites], [origin.name for origin in origins], problems)
    problems.settle()
    conditions = build_conditions(scenario, sites, seed, is_proportional(pools, len(sites)), problems)
    outages = build_outages(scenario, [s.name for s in sites], [o.name for o in origins], seed, problems)
    demand = solar_kw = None
    with problems.collecting():
        demand = build_demand(scenario, origins, seed)
    ground = survey(scenario, sites, origins, pools, problems)
    with problems.collecting():
        solar_kw = build_solar(scenario, sites)
    names, replays = ([site.name for site in sites], [origin.name for origin in origins]), dict[str, Replay]()
    with problems.collecting():
        replays = build_replays(scenario, scenario.forecast, names, ("forecast",))
    refuse_combined_water(scenario, sites, not water_is_split(scenario), problems)
    problems.settle()
    assert conditions is not None and demand is not None and ground is not None and solar_kw is not None
    mean = mean_request(scenario, ground, demand)
    demand = shifted_demand(_in_requests(demand, mean.energy_kwh), scenario, names[1])
    conditions = shifted_conditions(conditions, scenario, names[0])
    fleet, batteries = build_fleet(scenario, sites, origins, ground, mean), build_batteries(scenario, sites)
    world = World(
        scenario=scenario,
        seed=seed,
        sites=sites,
        origins=origins,
        pools=pools,
        fleet=fleet,
        conditions=conditions,
        demand=demand,
        outages=outages,
        solar_kw=solar_kw,
        batteries=batteries,
        numbers=np.arange(len(sites)),
        sites_in_all=len(sites),
        replays=replays,
        misjudged=_misjudged(scenario, len(sites), seed),
    )
    return world if len(standing) == len(sites) else _without_lost(world, standing)


def _without_lost(world: World, standing: IntArray) -> World:
    """The world of the sites that stand; demand is what it was."""
    return replace(
        world,
        sites=tuple(world.sites[i] for i in standing),
        pools=pools_of_sites(world.pools, standing),
        fleet=fleet_of(world.fleet, standing),
        conditions=columns_of(world.conditions, standing),
        outages=outages_of(world.outages, standing),
        solar_kw=world.solar_kw[:, standing],
        batteries=columns_of(world.batteries, standing),
        numbers=standing,
        replays={name: one if name == "demand" else one.of(standing) for name, one in world.replays.items()},
        misjudged=world.misjudged[standing],
    )


def _misjudged(scenario: Scenario, sites: int, seed: int) -> FloatArray:
    """Factors of the estimated energy per request, [sites]: the scale x lognormal ones of mean one."""
    asked = scenario.footprint_error
    variance = np.log1p(asked.noise**2)
    drawn = stream(seed, "forecasts", 0).standard_normal(sites)
    return np.asarray(asked.scale * np.exp(np.sqrt(variance) * drawn - variance / 2.0))


def _fits_in_memory(scenario: Scenario, sites: int, origins: int, problems: Problems) -> None:
    if sites * origins > MOST_CELLS:
        problems.add(("sites",), f"{sites:,} sites x {origins:,} origins are more than {MOST_CELLS:,} pairs")
    hours = int(scenario.horizon_s / S_PER_H)
    rows, what = max((scenario.slots, "slots"), (hours, "hours"))
    if rows * max(sites, origins) > MOST_CELLS:
        wide = f"{max(sites, origins):,} {'sites' if sites >= origins else 'origins'}"
        problems.add(("slots",), f"{rows:,} {what} x {wide} are more than {MOST_CELLS:,} figures of each signal")


def _in_requests(demand: Demand, energy_kwh: FloatArray) -> Demand:
    """Demand given as IT power, in requests/s: by the mean energy of a request over the sites."""
    mean_kwh = float(energy_kwh.mean())
    demand = replace(demand, rps_per_kw=1.0 / S_PER_H / mean_kwh)
    return demand if demand.kw is None else replace(demand, rate_rps=demand.kw / S_PER_H / mean_kwh)
