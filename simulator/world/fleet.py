"""The fleet of a world: sites, origins and servers as arrays, with the mean request that planners reckon with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.fleet import (
    BoolArray,
    Fleet,
    FloatArray,
    Hardware,
    ServiceCurve,
    idle_share_kwh,
    marginal_kwh,
)
from simulator.norm import order_of
from simulator.objective import Objective
from simulator.problem import Problems
from simulator.scenario.place import Origin, Site
from simulator.scenario.scenario import Scenario
from simulator.site_weights import site_weights, unknown_sites
from simulator.units import J_PER_KWH, S_PER_H

from .conditions import relative_scarcity
from .demand import Demand
from .hardware import Pool, build_hardware, is_proportional, queue_limits, share_of_places
from .network import build_allowed, build_rtt
from .service import build_curve, mean_sizes


class Ground(NamedTuple):
    """What a fleet stands on."""

    pools: tuple[Pool, ...]
    hardware: Hardware
    curve: ServiceCurve
    rtt_s: FloatArray
    allowed: BoolArray
    """[origins, sites]."""


class MeanRequest(NamedTuple):
    """A request of mean size; requests share themselves out over the pools of a site by places."""

    place_s: FloatArray
    """Place-seconds that it brings to each pool, [pools]."""
    service_s: FloatArray
    """[sites]."""
    energy_kwh: FloatArray
    """Dynamic IT energy, [sites]."""
    idle_kwh: FloatArray
    """Idle IT energy of its place, [sites]."""


def survey(
    scenario: Scenario,
    sites: tuple[Site, ...],
    origins: tuple[Origin, ...],
    pools: tuple[Pool, ...],
    problems: Problems,
) -> Ground | None:
    """Servers and network of a scenario; what is wrong is added to ``problems``, and None returned if anything is."""
    hardware = build_hardware(pools, scenario.workload.request)
    curve = rtt_s = allowed = None
    with problems.collecting():
        curve = build_curve(scenario.workload.request, hardware, pools)
    with problems.collecting():
        rtt_s = build_rtt(scenario.network, origins, sites)
    with problems.collecting():
        known_s = np.zeros((len(origins), len(sites))) if rtt_s is None else rtt_s
        allowed = build_allowed(scenario.allowed, origins, sites, known_s)
    if problems.found:
        return None
    return Ground(pools, hardware, curve, rtt_s, allowed)


def mean_request(scenario: Scenario, ground: Ground, demand: Demand) -> MeanRequest:
    """The mean request of a demand."""
    hardware = ground.hardware
    own_s, share = ground.curve.service_s(*mean_sizes(scenario.workload.request, demand)), share_of_places(hardware)
    return MeanRequest(
        place_s=share * own_s,
        service_s=hardware.by_site(share * own_s),
        energy_kwh=hardware.by_site(share * marginal_kwh(own_s, hardware)),
        idle_kwh=hardware.by_site(share * idle_share_kwh(own_s, hardware)),
    )


def build_fleet(
    scenario: Scenario, sites: tuple[Site, ...], origins: tuple[Origin, ...], ground: Ground, mean: MeanRequest
) -> Fleet:
    """The fleet, with what planners may assume of it."""
    names, scarce = tuple(site.name for site in sites), relative_scarcity(sites)
    hardware, proportional = ground.hardware, is_proportional(ground.pools, len(sites))
    energy_kwh = mean.energy_kwh
    standing_kwh = hardware.by_site(hardware.idle_w * hardware.servers) * scenario.slot_s / J_PER_KWH
    if scenario.planning.marginal == "average":
        energy_kwh = energy_kwh + mean.idle_kwh / scenario.planning.utilisation_cap
        standing_kwh = np.zeros(len(sites))
    return Fleet(
        sites=names,
        origins=tuple(origin.name for origin in origins),
        slots=scenario.slots,
        slot_s=scenario.slot_s,
        allowed=ground.allowed,
        rtt_s=ground.rtt_s,
        service_s=mean.service_s,
        energy_kwh=energy_kwh,
        capacity_rps=_capacity(scenario, hardware, mean.service_s, energy_kwh),
        standing_kwh=standing_kwh,
        objective=_objective(scenario, names, scarce),
        queue_limit=queue_limits(ground.pools, len(sites)),
        overhead_fixed=np.where(proportional, 0.0, scenario.cooling.pue.fixed_share),
        hardware=hardware,
        curve=ground.curve,
        place_s=mean.place_s,
        scarcity=scarce,
    )


def check_objective(scenario: Scenario, sites: tuple[Site, ...], problems: Problems) -> None:
    """Add to ``problems`` the names in weights of sites that are no site's."""
    names = [site.name for site in sites]
    for key in ("water_site_weights", "carbon_site_weights"):
        for name, what in unknown_sites(getattr(scenario.objective, key), names).items():
            problems.add(("objective", key, name), what)


def _objective(scenario: Scenario, sites: Sequence[str], scarce: FloatArray) -> Objective:
    asked = scenario.objective
    return Objective(
        asked.water_weight_usd_per_m3,
        asked.carbon_weight_usd_per_t,
        site_weights(asked.water_site_weights, sites, scarce),
        site_weights(asked.carbon_site_weights, sites, scarce),
        order_of(asked.norm),
    )


def _capacity(scenario: Scenario, hardware: Hardware, service_s: FloatArray, energy_kwh: FloatArray) -> FloatArray:
    planning = scenario.planning
    if planning.site_capacity_kw is not None:
        return planning.site_capacity_kw / S_PER_H / energy_kwh
    return planning.utilisation_cap * hardware.by_site(hardware.servers * hardware.concurrency) / service_s
