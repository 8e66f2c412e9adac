"""Dispatch: the split of a slot for prices of its sites, and for what closeness asks for where it asks for anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from policies.assignment import ROUNDING, Dispatch, split_of, witness_of
from policies.closeness import Closeness, above_all
from policies.current import Current
from policies.grouping import one_by_one
from policies.slot_program import SlotProgram
from simulator.fleet import Fleet, FloatArray
from simulator.plan import Split


class CloseDispatch:
    """Dispatch of the fleet as it is known to be up: by prices of sites, or of pairs where closeness has a say."""

    def __init__(self, closeness: Closeness):
        self._asked = closeness.is_asked
        self._of_sites = Current(Dispatch)
        self._of_pairs = Current(lambda known: PairDispatch(known, closeness))

    def price(self, fleet: Fleet, price: FloatArray, more: FloatArray | float = 0.0) -> FloatArray:
        """Prices per request: those of sites [sites] as they are, or those of pairs [origins, sites].

        ``more`` is what prices of sites may still rise by, from request to request.
        """
        return self._of_pairs.of(fleet).price(price, more) if self._asked else price

    def split(self, fleet: Fleet, price: FloatArray, demand_rps: FloatArray) -> Split:
        """The split for prices per request [sites] and the demand of the origins, [origins]."""
        if self._asked:
            return self._of_pairs.of(fleet).split(price, demand_rps)
        return self._of_sites.of(fleet).split(price, demand_rps)


class PairDispatch:
    """The cheapest split of a slot for prices of sites and what closeness asks for."""

    def __init__(self, fleet: Fleet, closeness: Closeness):
        self._fleet, near = fleet, closeness.near(fleet)
        self._trip_usd, self._far = closeness.price(fleet), fleet.allowed & ~near
        self._wide = SlotProgram(fleet, one_by_one(fleet))
        self._bounded, self._near = fleet, self._wide
        if self._far.any():
            self._bounded = replace(fleet, allowed=near)
            self._near = SlotProgram(self._bounded, one_by_one(self._bounded))

    def price(self, price: FloatArray, more: FloatArray | float = 0.0) -> FloatArray:
        """Prices of pairs [origins, sites], from those of sites [sites]: the far ones above all others."""
        return above_all(price + self._trip_usd, self._far, more)

    def split(self, price: FloatArray, demand_rps: FloatArray) -> Split:
        """The split for prices per request [sites] and the demand of the origins, [origins]."""
        near = self._near.flow(price + self._trip_usd, demand_rps)
        if not self._far.any() or near.sum() >= demand_rps.sum() * (1 - ROUNDING):
            return split_of(near, demand_rps, self._bounded)
        wide = split_of(self._wide.flow(self.price(price), demand_rps), demand_rps, self._fleet)
        return stretched(wide, demand_rps, self._bounded)


def stretched(split: Split, demand_rps: FloatArray, bounded: Fleet) -> Split:
    """The split with the reason why it goes beyond the bound, if it does; ``bounded`` allows what is within it."""
    near = np.where(bounded.allowed, split.shares, 0.0)
    if (split.shares.sum(axis=1) - near.sum(axis=1)).max() <= ROUNDING:
        return split
    return replace(split, stretched=witness_of(near * demand_rps[:, None], demand_rps, bounded))
