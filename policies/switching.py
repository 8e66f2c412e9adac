"""Switching: what it costs to turn on the servers that more load at a site needs, and the slot's program with it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from policies.assignment import Assignment
from policies.grouping import Grouping, by_allowed_sites
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

    Minimise sum of price x flow + rise x (flow - last)+ by site. Every site stands twice in this program: up to what
    it served last, and beyond it with the rise on its price. Costs that bend upwards make that exact.
    """

    def __init__(self, fleet: Fleet):
        self._grouping = by_allowed_sites(fleet)
        twice = Grouping(self._grouping.member, np.hstack([self._grouping.allowed, self._grouping.allowed]))
        self._capacity_rps = fleet.capacity_rps
        self._program = SlotProgram(fleet, twice)
        self._assignment = Assignment(fleet, self._grouping)

    def split(self, price: FloatArray, rise: FloatArray, last_rps: FloatArray, demand_rps: FloatArray) -> Split:
        """The split for prices per request and their rises [sites], last flows [sites] and demand [origins]."""
        sites, capacity = len(price), self._capacity_rps
        # Where nothing rises a site is whole, as in a program without switching.
        kept = np.where(rise > 0, np.minimum(last_rps, capacity), capacity)
        flow = self._program.flow(
            np.concatenate([price, price + rise]),
            self._grouping.demand(demand_rps),
            np.concatenate([kept, capacity - kept]),
        )
        return self._assignment.split(flow[:, :sites] + flow[:, sites:], demand_rps)
