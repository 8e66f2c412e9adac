"""The past: what a policy has seen of signals and demand, slot by slot, as far back as it cares to look."""

from __future__ import annotations

import numpy as np

from simulator.fleet import Fleet, FloatArray
from simulator.policy import Observation


class Past:
    """The last slots, oldest first; older ones are forgotten."""

    def __init__(self, fleet: Fleet, longest: int):
        self._longest = max(1, min(longest, fleet.slots))
        room, sites = min(2 * self._longest, fleet.slots), len(fleet.sites)
        self._signals = np.zeros((3, room, sites))
        self._demand_rps = np.zeros((room, len(fleet.origins)))
        self._end = 0

    def add(self, observation: Observation) -> None:
        """A slot has begun: its signals and its demand are known."""
        if self._end == len(self._demand_rps):
            keep = self._longest - 1
            for table in (*self._signals, self._demand_rps):
                table[:keep] = table[self._end - keep : self._end].copy()
            self._end = keep
        self._signals[:, self._end] = observation.cost_usd, observation.water_m3, observation.carbon_t
        self._demand_rps[self._end] = observation.demand_rps
        self._end += 1

    @property
    def slots(self) -> int:
        """How many slots are remembered."""
        return min(self._end, self._longest)

    def signals(self, slots: int) -> FloatArray:
        """Cost [US$], water [m3] and carbon [t] of a request in the last slots, [3, slots, sites]."""
        return self._signals[:, self._end - slots : self._end]

    def demand_rps(self, slots: int) -> FloatArray:
        """Demand in the last slots, [slots, origins]."""
        return self._demand_rps[self._end - slots : self._end]
