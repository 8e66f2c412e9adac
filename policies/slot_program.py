"""The planning problem of one slot: serve the demand of the slot at the smallest price."""

from __future__ import annotations

import highspy
import numpy as np

from policies.grouping import Grouping, by_allowed_sites, split_of
from policies.program import Entries, Infinity, Program, loaded, optimum
from simulator.fleet import Fleet, FloatArray
from simulator.policy import Split

#: A difference of prices that the solver sees (its tolerance is 1e-7), a millionth of the largest price.
TIE = 1e-6


class SlotProgram:
    """A transportation problem between groups of origins and sites, solved again and again for other prices.

    With one group it is a merit order and needs no solver. Demand that no site can carry is left out, as
    little as possible whatever the prices. The solver starts from its last basis.
    """

    def __init__(self, fleet: Fleet, grouping: Grouping | None = None):
        self._fleet = fleet
        self._grouping = grouping or by_allowed_sites(fleet)
        self._unit = float(fleet.capacity_rps.max()) or 1.0
        self._pairs = np.argwhere(self._grouping.allowed)
        self._solver = None if len(self._grouping.allowed) == 1 else self._transport()

    def solve(self, price: FloatArray, demand_rps: FloatArray) -> Split:
        """The cheapest split for prices per request [sites] or [groups, sites] and demand [origins]."""
        demand = self._grouping.demand(demand_rps)
        flow = self.flow(price, demand)
        return split_of(flow, demand, self._grouping, self._fleet)

    def flow(self, price: FloatArray, demand: FloatArray) -> FloatArray:
        """The cheapest flow [groups, sites] for the demand of the groups."""
        if self._solver is None:
            allowed = self._grouping.allowed[0]
            order = np.where(allowed, np.ravel(price), np.inf)
            return merit_order(order, float(demand[0]), np.where(allowed, self._fleet.capacity_rps, 0.0))[None, :]
        groups, sites = self._grouping.allowed.shape
        prices = np.broadcast_to(price, (groups, sites))[self._pairs[:, 0], self._pairs[:, 1]]
        prices = prices / (float(np.abs(prices).max(initial=0.0)) or 1.0)
        # Equal prices: the lower site index, whatever basis the solver starts from.
        prices = prices + TIE * self._pairs[:, 1] / sites
        columns = len(self._pairs)
        self._solver.changeColsCost(columns, np.arange(columns, dtype=np.int32), prices)
        for group, need in enumerate((demand / self._unit).tolist()):
            self._solver.changeRowBounds(group, need, need)
        best = optimum(self._solver)
        assert best is not None, "leaving demand out is always feasible"
        flow = np.zeros((groups, sites))
        flow[self._pairs[:, 0], self._pairs[:, 1]] = np.maximum(best.x[:columns], 0.0) * self._unit
        return flow

    def _transport(self) -> highspy.Highs:
        """Columns: allowed pairs, then unserved demand by group. Rows: groups, then sites."""
        groups, sites = self._grouping.allowed.shape
        columns = len(self._pairs)
        # Prices are scaled to at most 1, so that serving one request more costs less than this, however long
        # the chain of requests that have to move for it.
        penalty = 2.0 * (min(groups, sites) + 1)
        unserved = np.arange(groups)
        entries = Entries(
            row=np.concatenate([self._pairs[:, 0], groups + self._pairs[:, 1], unserved]),
            column=np.concatenate([np.arange(columns), np.arange(columns), columns + unserved]),
            value=np.ones(2 * columns + groups),
        )
        return loaded(
            Program(
                cost=np.concatenate([np.zeros(columns), np.full(groups, penalty)]),
                upper=np.full(columns + groups, Infinity),
                row_lower=np.concatenate([np.zeros(groups), np.full(sites, -Infinity)]),
                row_upper=np.concatenate([np.zeros(groups), self._fleet.capacity_rps / self._unit]),
                entries=entries,
            )
        )


def merit_order(price: FloatArray, demand: float, capacity: FloatArray) -> FloatArray:
    """Fill sites up to their capacity from the cheapest on (equal prices: lower index first), [sites]."""
    order = np.argsort(price, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(capacity[order])[:-1]])
    flow = np.zeros(len(price))
    flow[order] = np.clip(demand - before, 0.0, capacity[order])
    return flow
