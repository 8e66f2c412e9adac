"""Feasibility: whether a fleet can carry a demand on its allowed pairs, and where and why it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from policies.assignment import ROUNDING, witness_of
from policies.grouping import Grouping, by_allowed_sites, one_by_one
from policies.slot_program import SlotProgram
from simulator.fleet import BoolArray, Fleet, FloatArray
from simulator.plan import Witness

#: So many groups or sites have few enough subsets (4,096) to look at all of them.
FEW = 12
#: Sums of demand, slots x subsets, that are held at once: 32 MB.
_CELLS = 4_000_000


class Shortfall(NamedTuple):
    """Demand that cannot be carried, whoever plans; the worst slot is the one that leaves out the most."""

    slot: int
    unserved_rps: float
    """Requests/s that the worst slot leaves out at least."""
    short_kw: float
    """IT power that those requests would add at the sites of the witness (:meth:`Fleet.it_kw`)."""
    witness: Witness
    """A minimum cut of the worst slot."""
    slots: int
    """Slots that leave out demand."""
    requests: float
    """Requests that all slots leave out at least, of the full fleet."""


def shortfall(fleet: Fleet, demand_rps: FloatArray) -> Shortfall | None:
    """What cannot be carried of the demand [slots, origins] of the full fleet [requests/s]; None where all can."""
    grouping = by_allowed_sites(fleet)
    unserved = unserved_rps(fleet, grouping, grouping.demand(demand_rps))
    if not unserved.any():
        return None
    slot = int(unserved.argmax())
    apart = one_by_one(fleet)
    flow = SlotProgram(fleet, apart).flow(np.zeros(len(fleet.sites)), demand_rps[slot])
    witness = witness_of(flow, demand_rps[slot], fleet)
    if witness is None:  # so little that it is within the tolerance of planners' programs
        return None
    return Shortfall(
        slot=slot,
        unserved_rps=float(unserved[slot]),
        short_kw=fleet.it_kw(float(unserved[slot]), witness.sites),
        witness=witness,
        slots=int(np.count_nonzero(unserved)),
        requests=float(unserved.sum()) * fleet.slot_s,
    )


def unserved_rps(fleet: Fleet, grouping: Grouping, demand: FloatArray, rounding: float = ROUNDING) -> FloatArray:
    """The least demand that each slot leaves out [requests/s], [slots], for the demand of groups [slots, groups].

    Zero where it is at most the share ``rounding`` of the slot's demand.
    """
    groups, sites = grouping.allowed.shape
    by_set = min(groups, sites) <= FEW
    left = _by_sets(fleet, grouping, demand) if by_set else _by_programs(fleet, grouping, demand)
    return np.where(left > rounding * demand.sum(axis=1), left, 0.0)


def _by_sets(fleet: Fleet, grouping: Grouping, demand: FloatArray) -> FloatArray:
    """By the deficiency form of Hall's theorem: the largest excess of a set's demand over what its sites can carry.

    A set of groups and all sites that they may use, or a set of sites and all groups that may use no other ones.
    (Ore, "Graphs and matching theorems", 1955; for capacities it is the minimum cut of Ford and Fulkerson.)
    """
    groups, sites = grouping.allowed.shape
    if groups <= sites:
        inside = _subsets(groups)
        reached = inside @ grouping.allowed > 0
    else:
        reached = _subsets(sites)
        inside = ~(~reached @ grouping.allowed.T > 0)
    capacity = reached @ fleet.capacity_rps
    most = np.zeros(len(demand))
    for part in _blocks(len(demand), max(1, _CELLS // len(inside))):
        most[part] = (demand[part] @ inside.T - capacity).max(axis=1)
    return np.maximum(most, 0.0)


def _subsets(count: int) -> BoolArray:
    """All subsets of so many things, [2 ** count, count]."""
    return (np.arange(2**count)[:, None] >> np.arange(count)) % 2 == 1


def _blocks(length: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, length, size))


def _by_programs(fleet: Fleet, grouping: Grouping, demand: FloatArray) -> FloatArray:
    """By one program for each slot that no other one answers for: less of everything can be carried as well."""
    program, free = SlotProgram(fleet, grouping), np.zeros(len(fleet.sites))

    def left(row: FloatArray) -> float:
        return max(float(row.sum() - program.flow(free, row).sum()), 0.0)

    most = demand.max(axis=0)
    if left(most) <= ROUNDING * demand.sum(axis=1).min():
        return np.zeros(len(demand))
    found, open_ = np.zeros(len(demand)), np.ones(len(demand), dtype=bool)
    for slot in np.argsort(-demand.sum(axis=1), kind="stable"):
        if open_[slot]:
            found[slot] = left(demand[slot])
            open_[slot] = False
            if found[slot] <= ROUNDING * demand[slot].sum():
                open_ &= (demand > demand[slot]).any(axis=1)
    return found
