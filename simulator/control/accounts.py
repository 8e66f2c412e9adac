"""Accounts: what servers, sun and batteries did in each slot, and its footprint, closed as each slot ends."""

from __future__ import annotations

import numpy as np

from simulator.footprint import Footprint, Usage, added, footprint, nothing
from simulator.onsite import Flows, OnSite, no_flows, stacked
from simulator.world import World

from .servers import Servers


class Accounts:
    """Usage, flows and footprint of the finished slots, in units of the full fleet."""

    def __init__(self, world: World, servers: Servers, onsite: OnSite):
        self._world = world
        self.servers = servers
        self._onsite = onsite
        self._usage: list[Usage] = []
        self._flows: list[Flows] = []
        self._footprints: list[Footprint] = []
        self.total = nothing(len(world.sites))

    @property
    def last(self) -> Footprint | None:
        """Of the slot before, [sites]; None in the first slot."""
        return self._footprints[-1] if self._footprints else None

    def close(self) -> None:
        """A slot ends."""
        slot = len(self._footprints)
        fleet, here, usage = self._world.fleet, self._world.conditions.of(slot), self.servers.usage(slot)
        # A battery's control sees the load, so that the load must be known first.
        load_kwh = footprint(usage, fleet, here).facility_kwh
        flows = self._onsite.settle(slot, load_kwh)
        burden = footprint(usage, fleet, here, flows.own_kwh)
        self._usage.append(usage)
        self._flows.append(flows)
        self._footprints.append(burden)
        self.total = added(self.total, burden)

    def usage(self) -> Usage:
        """Of all slots, [slots, pools]."""
        return Usage(*(np.array(part) for part in zip(*self._usage, strict=True)))

    def flows(self) -> Flows:
        """Of all slots, [slots, sites]."""
        if not self._world.has_own_energy:  # one array of zeros in place of eight
            return no_flows((len(self._flows), len(self._world.sites)))
        return stacked(self._flows)

    def footprint(self) -> Footprint:
        """Of all slots, [slots, sites]."""
        return Footprint(*(np.array(part) for part in zip(*self._footprints, strict=True)))
