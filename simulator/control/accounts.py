"""Accounts: what servers did in each slot, and the footprint of it, closed as each slot ends."""

from __future__ import annotations

import numpy as np

from simulator.footprint import Footprint, Usage, added, footprint, nothing
from simulator.world import World

from .servers import Servers


class Accounts:
    """Usage and footprint of the finished slots, in units of the full fleet."""

    def __init__(self, world: World, servers: Servers):
        self._world = world
        self._servers = servers
        self._usage: list[Usage] = []
        self._footprints: list[Footprint] = []
        self.total = nothing(len(world.sites))

    @property
    def last(self) -> Footprint | None:
        """Of the slot before, [sites]; None in the first slot."""
        return self._footprints[-1] if self._footprints else None

    def close(self) -> None:
        """A slot ends."""
        slot = len(self._footprints)
        usage = self._servers.usage(slot)
        burden = footprint(usage, self._world.fleet, self._world.conditions.of(slot))
        self._usage.append(usage)
        self._footprints.append(burden)
        self.total = added(self.total, burden)

    def usage(self) -> Usage:
        """Of all slots, [slots, pools]."""
        return Usage(*(np.array(part) for part in zip(*self._usage, strict=True)))

    def footprint(self) -> Footprint:
        """Of all slots, [slots, sites]."""
        return Footprint(*(np.array(part) for part in zip(*self._footprints, strict=True)))
