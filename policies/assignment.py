"""Assignment: which origins use which sites, once a planner has said how much each site serves: the nearest ones."""

from __future__ import annotations

import numpy as np

from policies.closeness import above_all
from policies.grouping import Grouping, by_allowed_sites, one_by_one
from policies.slot_program import SlotProgram
from simulator.fleet import BoolArray, Fleet, FloatArray
from simulator.plan import Split, Witness

#: Demand that is served but for this share counts as served: what linear programs leave.
ROUNDING = 1e-6


class Assignment:
    """The smallest sum of RTT x requests that keeps what every site serves, and how much of each group is served.

    Prices that depend on the site only leave open who goes where. Chosen so, nothing changes that a policy pays
    for, and its latency is what its choice of sites costs at least. Pairs that are ``far`` [origins, sites] come last.
    """

    def __init__(self, fleet: Fleet, grouping: Grouping, far: BoolArray | None = None):
        self._fleet = fleet
        self._grouping = grouping
        self._program = SlotProgram(fleet, one_by_one(fleet))
        self._way = fleet.rtt_s if far is None else above_all(fleet.rtt_s, far)

    def split(self, flow: FloatArray, demand_rps: FloatArray) -> Split:
        """The split for a flow [groups, sites] and the demand of the origins, [origins].

        Members of a group that is not served whole go short in the same proportion.
        """
        fleet, grouping = self._fleet, self._grouping
        demand = grouping.demand(demand_rps)
        flow = topped_up(flow, demand, grouping.allowed, fleet.capacity_rps)
        served = np.minimum(flow.sum(axis=1) / np.where(demand > 0, demand, 1.0), 1.0)
        near = self._program.flow(self._way, demand_rps * served[grouping.member], flow.sum(axis=0))
        return split_of(near, demand_rps, fleet)


class Dispatch:
    """The cheapest split of a slot for prices that depend on the site only; of equally cheap ones, the nearest."""

    def __init__(self, fleet: Fleet):
        self._grouping = by_allowed_sites(fleet)
        self._program = SlotProgram(fleet, self._grouping)
        self._assignment = Assignment(fleet, self._grouping)

    def split(self, price: FloatArray, demand_rps: FloatArray) -> Split:
        """The split for prices per request [sites] and the demand of the origins, [origins]."""
        return self._assignment.split(self._program.flow(price, self._grouping.demand(demand_rps)), demand_rps)


def split_of(flow: FloatArray, demand_rps: FloatArray, fleet: Fleet) -> Split:
    """The split that sends ``flow`` [origins, sites]. Without demand: the nearest allowed site."""
    flow = topped_up(flow, demand_rps, fleet.allowed, fleet.capacity_rps)
    idle = demand_rps <= 0
    shares = np.clip(np.divide(flow, np.where(idle, 1.0, demand_rps)[:, None]), 0.0, 1.0)
    # Rounding of a linear program: a row that is full up to rounding, or more than full, is made full.
    rows = shares.sum(axis=1)
    full = rows > 1 - ROUNDING
    shares[full] /= rows[full, None]
    for origin in np.flatnonzero(idle):
        nearest = fleet.nearest[origin]
        shares[origin] = 0.0
        if nearest >= 0:
            shares[origin, nearest] = 1.0
    return Split(np.where(fleet.allowed, shares, 0.0), witness_of(flow, demand_rps, fleet))


def topped_up(flow: FloatArray, demand: FloatArray, allowed: BoolArray, capacity: FloatArray) -> FloatArray:
    """The flow [groups, sites] with what a solver left out for its tolerance put where there is room.

    A solver's tolerance is a share of the largest site: beside sites of a continent it may lose a small origin whole.
    """
    flow = flow.copy()
    left = demand - flow.sum(axis=1)
    for group in np.flatnonzero(left > 1e-12 * demand):
        room = np.where(allowed[group], np.maximum(capacity - flow.sum(axis=0), 0.0), 0.0)
        flow[group] += room * (1.0 if left[group] >= room.sum() else left[group] / room.sum())
    return flow


def witness_of(flow: FloatArray, demand_rps: FloatArray, fleet: Fleet) -> Witness | None:
    """Why demand stays unserved under a flow that serves as much as can be; None when nothing does.

    From the origins with unserved demand walk to the sites they may use, and from there back to the
    origins that use those: the sites reached are full and serve nobody else, so the origins reached ask
    for more than the sites reached can carry (a minimum cut: Ford and Fulkerson, 1956).
    """
    origins = demand_rps - flow.sum(axis=1) > ROUNDING * demand_rps
    if not origins.any():
        return None
    # Less than this is a solver's noise.
    noise = np.maximum(1e-9 * demand_rps, 1e-7 * min(float(demand_rps.max()), float(fleet.capacity_rps.max())))
    while True:
        sites = fleet.allowed[origins].any(axis=0)
        wider = origins | (flow[:, sites] > noise[:, None]).any(axis=1)
        if (wider == origins).all():
            break
        origins = wider
    return Witness(
        origins=tuple(np.array(fleet.origins)[origins].tolist()),
        sites=tuple(np.array(fleet.sites)[sites].tolist()),
        demand_rps=float(demand_rps[origins].sum()),
        capacity_rps=float(fleet.capacity_rps[sites].sum()),
    )
