"""Grouping: origins that may use the same sites at the same prices are one origin to a planner."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.fleet import BoolArray, Fleet, FloatArray, IntArray
from simulator.policy import Split, Witness

#: Demand that is served but for this share counts as served: what linear programs leave.
ROUNDING = 1e-6


class Grouping(NamedTuple):
    """Groups of origins: ``member`` [origins] is the group of each, ``allowed`` [groups, sites]."""

    member: IntArray
    allowed: BoolArray

    def demand(self, demand_rps: FloatArray) -> FloatArray:
        """Demand of the groups, [..., groups], from that of the origins, [..., origins]."""
        summed = np.zeros((*demand_rps.shape[:-1], len(self.allowed)))
        np.add.at(summed.T, self.member, demand_rps.T)
        return summed


def by_allowed_sites(fleet: Fleet) -> Grouping:
    """Origins with the same row of allowed sites together: exact where prices depend on the site only."""
    rows, member = np.unique(fleet.allowed, axis=0, return_inverse=True)
    return Grouping(member.ravel().astype(np.int64), rows)


def one_by_one(fleet: Fleet) -> Grouping:
    """Every origin by itself, for prices that depend on the pair."""
    return Grouping(np.arange(len(fleet.origins)), fleet.allowed)


def topped_up(flow: FloatArray, demand: FloatArray, grouping: Grouping, capacity: FloatArray) -> FloatArray:
    """The flow [groups, sites] with what a solver left out for its tolerance put where there is room.

    A solver's tolerance is a share of the largest site: beside sites of a continent it may lose a small origin whole.
    """
    left = demand - flow.sum(axis=1)
    for group in np.flatnonzero(left > 1e-12 * demand):
        room = np.where(grouping.allowed[group], np.maximum(capacity - flow.sum(axis=0), 0.0), 0.0)
        flow[group] += room * min(1.0, left[group] / max(float(room.sum()), 1e-300))
    return flow


def split_of(flow: FloatArray, demand: FloatArray, grouping: Grouping, fleet: Fleet) -> Split:
    """The split that sends ``flow`` [groups, sites] when the groups' demand is ``demand`` [groups].

    Members of a group share its flow in proportion to their demand. Without demand: the nearest allowed site.
    """
    flow = topped_up(flow.copy(), demand, grouping, fleet.capacity_rps)
    idle = demand <= 0
    served = np.divide(flow, np.where(idle, 1.0, demand)[:, None])
    shares = np.clip(served, 0.0, 1.0)[grouping.member]
    # Rounding of a linear program: a row that is full up to rounding is made full.
    rows = shares.sum(axis=1)
    full = np.abs(rows - 1) < ROUNDING
    shares[full] /= rows[full, None]
    for origin in np.flatnonzero(idle[grouping.member]):
        nearest = fleet.nearest[origin]
        shares[origin] = 0.0
        if nearest >= 0:
            shares[origin, nearest] = 1.0
    return Split(np.where(fleet.allowed, shares, 0.0), witness_of(flow, demand, grouping, fleet))


def witness_of(flow: FloatArray, demand: FloatArray, grouping: Grouping, fleet: Fleet) -> Witness | None:
    """Why demand stays unserved under a flow that serves as much as can be; None when nothing does.

    From the groups with unserved demand walk to the sites they may use, and from there back to the
    groups that use those: the sites reached are full and serve nobody else, so the origins reached ask
    for more than the sites reached can carry (a minimum cut: Ford and Fulkerson, 1956).
    """
    short = demand - flow.sum(axis=1) > ROUNDING * demand
    if not short.any():
        return None
    groups, sites = short, np.zeros(flow.shape[1], dtype=bool)
    while True:
        sites = grouping.allowed[groups].any(axis=0)
        wider = groups | (flow[:, sites] > 1e-9 * demand[:, None]).any(axis=1)
        if (wider == groups).all():
            break
        groups = wider
    origins = groups[grouping.member]
    return Witness(
        origins=tuple(np.array(fleet.origins)[origins].tolist()),
        sites=tuple(np.array(fleet.sites)[sites].tolist()),
        demand_rps=float(demand[groups].sum()),
        capacity_rps=float(fleet.capacity_rps[sites].sum()),
    )
