"""Grouping: origins that may use the same sites at the same prices are one origin to a planner."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.fleet import BoolArray, Fleet, FloatArray, IntArray, Number


class Grouping(NamedTuple):
    """Groups of origins: ``member`` [origins] is the group of each, ``allowed`` [groups, sites]."""

    member: IntArray
    allowed: BoolArray

    def of_groups(self, table: NDArray[Number]) -> NDArray[Number]:
        """A table that is the same for all members of a group: [origins, ...] -> [groups, ...]."""
        return table[[int(np.argmax(self.member == group)) for group in range(len(self.allowed))]]

    def demand(self, demand_rps: FloatArray) -> FloatArray:
        """Demand of the groups, [..., groups], from that of the origins, [..., origins]."""
        summed = np.zeros((*demand_rps.shape[:-1], len(self.allowed)))
        np.add.at(summed.T, self.member, demand_rps.T)
        return summed


def by_allowed_sites(fleet: Fleet) -> Grouping:
    """Origins with the same row of allowed sites together: exact where prices depend on the site only."""
    rows, member = np.unique(fleet.allowed, axis=0, return_inverse=True)
    return Grouping(member.ravel().astype(np.int64), rows)


def by_rows(fleet: Fleet, *tables: FloatArray | BoolArray) -> Grouping:
    """Origins with the same allowed sites and the same rows of some tables [origins, sites] together."""
    rows = np.hstack([fleet.allowed, *(np.where(fleet.allowed, table, 0.0) for table in tables)])
    _, first, member = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return Grouping(member.ravel().astype(np.int64), fleet.allowed[first])


def one_by_one(fleet: Fleet) -> Grouping:
    """Every origin by itself, for prices that depend on the pair."""
    return Grouping(np.arange(len(fleet.origins)), fleet.allowed)
