"""Courses: how demand and signals go over a run, what they will be and what has been measured of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.fleet import FloatArray, IntArray
from simulator.world import World

Index = int | slice | IntArray


class Course:
    """One quantity over the slots of a run."""

    def __init__(self, rows: Callable[[Index], FloatArray], slots: int, heard: FloatArray | None):
        self.truth = rows
        """The figures of some slots, [..., columns]."""
        self.slots = slots
        #: What was measured, [slots, columns], where some of it may not arrive.
        self._heard = heard

    def measured(self, index: Index) -> FloatArray:
        """The figures of some slots, none later than the present one, as they were known when they passed."""
        return self.truth(index) if self._heard is None else self._heard[index]

    def hear(self, slot: int, last: IntArray) -> None:
        """In a slot that begins each column was last heard of in these slots, [columns]."""
        if self._heard is not None:
            every = np.arange(len(last))
            self._heard[slot] = self.truth(last)[every, every]


class Courses:
    """Demand and signals of a world. It holds rates and signals, never the requests themselves."""

    def __init__(self, world: World):
        fleet, conditions, demand_rps = world.fleet, world.conditions, world.demand.rate_rps
        slots = fleet.slots
        # What a silent site does not tell has to be remembered; where none is ever silent the truth is what was heard.
        silent = any(outage.kind == "signals" for outage in world.outages.all)

        def signal(rows: Callable[[Index], FloatArray]) -> Course:
            return Course(rows, slots, np.array(rows(slice(None))) if silent else None)

        self.demand = Course(lambda index: demand_rps[index], slots, None)
        self.price = signal(lambda index: conditions.price_usd_per_kwh[index])
        self.carbon = signal(lambda index: conditions.carbon_kg_per_kwh[index])
        self.water = signal(lambda index: conditions.of(index).water_l_per_kwh(fleet))
        self.pue = signal(lambda index: conditions.of(index).marginal_pue(fleet))

    def hear(self, slot: int, last: IntArray) -> None:
        """A slot begins, and the signals of each site were last heard of in these slots, [sites]."""
        for course in (self.price, self.carbon, self.water, self.pue):
            course.hear(slot, last)
