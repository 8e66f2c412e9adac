"""Switching: what it costs to turn on the servers that more load at a site needs, and the slot's program with it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from policies.assignment import ROUNDING, Assignment, split_of
from policies.closeness import Closeness, above_all
from policies.dispatch import stretched
from policies.grouping import Grouping, by_allowed_sites, one_by_one
from policies.slot_program import SlotProgram
from simulator.fleet import Fleet, FloatArray
from simulator.plan import Split
from simulator.units import J_PER_KWH


class Boots(NamedTuple):
    """What turning servers on takes; of a site with several types of servers the mean of its servers."""

    it_kwh: FloatArray
    """IT energy of turning one server on: boot power x (time to boot + time to load the model) [kWh], [sites]."""
    servers_per_rps: FloatArray
    """Servers that a request a second needs: service / target utilisation / places of a server, [sites]."""


def boots_of(fleet: Fleet, utilisation: float) -> Boots:
    """Boots of a fleet whose servers are to be busy at this utilisation."""
    hardware = fleet.hardware
    servers = hardware.by_site(hardware.servers)
    energy_j = hardware.boot_w * (hardware.boot_s + hardware.load_s)
    places = hardware.by_site(hardware.servers * hardware.concurrency) / servers
    it_kwh = hardware.by_site(hardware.servers * energy_j) / servers / J_PER_KWH
    return Boots(it_kwh, fleet.service_s / (utilisation * places))


class SwitchingDispatch:
    """The cheapest split of a slot where load beyond that of the slot before costs more; of equally cheap, the nearest.

    Minimise sum of price x flow + rise x (flow - last)+ by site, and what closeness asks for. Every site stands twice
    in the program: up to what it served last, and beyond it with the rise on its price. Costs that bend upwards make
    that exact.
    """

    def __init__(self, fleet: Fleet, closeness: Closeness):
        self._fleet, self._capacity_rps = fleet, fleet.capacity_rps
        self._trip_usd = closeness.price(fleet) if closeness.is_asked else None
        near = closeness.near(fleet)
        self._far = fleet.allowed & ~near
        self._bounded = replace(fleet, allowed=near) if self._far.any() else fleet
        self._grouping = one_by_one(fleet) if closeness.is_asked else by_allowed_sites(fleet)
        self._wide = SlotProgram(fleet, _twice(self._grouping))
        self._near = SlotProgram(fleet, _twice(one_by_one(self._bounded))) if self._far.any() else self._wide
        self._assignment = Assignment(fleet, self._grouping)

    def split(self, price: FloatArray, rise: FloatArray, last_rps: FloatArray, demand_rps: FloatArray) -> Split:
        """The split for prices per request and their rises [sites], last flows [sites] and demand [origins]."""
        # Where nothing rises a site is whole, as in a program without switching.
        kept = np.where(rise > 0, np.minimum(last_rps, self._capacity_rps), self._capacity_rps)
        parts = np.concatenate([kept, self._capacity_rps - kept])
        if self._trip_usd is None:
            prices, demand = np.concatenate([price, price + rise]), self._grouping.demand(demand_rps)
            return self._assignment.split(_once(self._wide.flow(prices, demand, parts)), demand_rps)
        prices = np.hstack([price + self._trip_usd, price + rise + self._trip_usd])
        near = _once(self._near.flow(prices, demand_rps, parts))
        if not self._far.any() or near.sum() >= demand_rps.sum() * (1 - ROUNDING):
            return split_of(near, demand_rps, self._bounded)
        prices = above_all(prices, np.hstack([self._far, self._far]))
        wide = split_of(_once(self._wide.flow(prices, demand_rps, parts)), demand_rps, self._fleet)
        return stretched(wide, demand_rps, self._bounded)


def _twice(grouping: Grouping) -> Grouping:
    """Groups with every site twice."""
    return Grouping(grouping.member, np.hstack([grouping.allowed, grouping.allowed]))


def _once(flow: FloatArray) -> FloatArray:
    """The flow to every site, [groups, sites], from that to its two parts."""
    first, second = np.hsplit(flow, 2)
    return np.asarray(first + second)
