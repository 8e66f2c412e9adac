"""Placement: splits that mind what closeness asks for, and say so where its bound gives way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from policies.assignment import ROUNDING, Assignment, split_of, witness_of
from policies.closeness import Closeness, above_all
from policies.grouping import one_by_one
from policies.horizon_program import HorizonPlan, HorizonProgram
from policies.slot_program import SlotProgram
from simulator.fleet import Fleet, FloatArray
from simulator.plan import Split


class Placement:
    """The splits of a horizon's plan: who goes where, once it is known how much each site serves.

    Slots that near pairs can carry use no other ones, to the last request.
    """

    def __init__(self, fleet: Fleet, program: HorizonProgram, closeness: Closeness):
        self._fleet, near = fleet, closeness.near(fleet)
        self._bounded = fleet if near is fleet.allowed else replace(fleet, allowed=near)
        self._near = Assignment(self._bounded, program.near)
        self._wide = Assignment(fleet, program.grouping, fleet.allowed & ~near)

    def split(self, plan: HorizonPlan, slot: int, demand_rps: FloatArray) -> Split:
        """The split of one slot of the plan for the demand of the origins, [origins]."""
        if not plan.wide[slot]:
            return self._near.split(plan.flow[slot], demand_rps)
        return stretched(self._wide.split(plan.flow[slot], demand_rps), demand_rps, self._bounded)


class PairDispatch:
    """The cheapest split of a slot for prices of sites and what closeness asks for."""

    def __init__(self, fleet: Fleet, closeness: Closeness):
        self._fleet, near = fleet, closeness.near(fleet)
        self._bounded = replace(fleet, allowed=near)
        self._trip_usd, self._far = closeness.price(fleet), fleet.allowed & ~near
        self._near, self._wide = (SlotProgram(each, one_by_one(each)) for each in (self._bounded, fleet))

    def price(self, price: FloatArray) -> FloatArray:
        """Prices of pairs [origins, sites], from those of sites [sites]: the far ones above all others."""
        return above_all(price + self._trip_usd, self._far)

    def split(self, price: FloatArray, demand_rps: FloatArray) -> Split:
        """The split for prices per request [sites] and the demand of the origins, [origins]."""
        near = self._near.flow(price + self._trip_usd, demand_rps)
        if near.sum() >= demand_rps.sum() * (1 - ROUNDING):
            return split_of(near, demand_rps, self._bounded)
        wide = split_of(self._wide.flow(self.price(price), demand_rps), demand_rps, self._fleet)
        return stretched(wide, demand_rps, self._bounded)


def stretched(split: Split, demand_rps: FloatArray, bounded: Fleet) -> Split:
    """The split with the reason why it goes beyond the bound, if it does; ``bounded`` allows what is within it."""
    near = np.where(bounded.allowed, split.shares, 0.0)
    if (split.shares.sum(axis=1) - near.sum(axis=1)).max() <= ROUNDING:
        return split
    return replace(split, stretched=witness_of(near * demand_rps[:, None], demand_rps, bounded))
