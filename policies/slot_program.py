"""The planning problem of one slot: serve the demand of the slot at the smallest price."""

from __future__ import annotations

import highspy
import numpy as np

from policies.grouping import Grouping
from policies.program import Entries, Infinity, Program, loaded, optimum
from simulator.core.transport import Pairs, transport
from simulator.fleet import Fleet, FloatArray

#: With more pairs than this a solver of its own is faster than a general one: at a million pairs by hundreds of times.
MANY = 2000


class SlotProgram:
    """A transportation problem between groups of origins and sites, for prices that differ from slot to slot.

    With one group it is a merit order and needs no solver; with many pairs a network has one of its own. Demand that
    no site can carry is left out, as little as possible whatever the prices. A flow is a function of prices and demand
    alone: the solver forgets the slot before, since among equally cheap flows it would choose by the basis it starts
    from.
    """

    def __init__(self, fleet: Fleet, grouping: Grouping):
        self._allowed = grouping.allowed
        self._capacity_rps = fleet.capacity_rps
        self._pairs = np.argwhere(grouping.allowed)
        groups, sites = grouping.allowed.shape
        # Prices are scaled to at most 1, so that serving one request more costs less than this, however long
        # the chain of requests that have to move for it.
        self._penalty = 2.0 * (min(groups, sites) + 1)
        self._first = np.searchsorted(self._pairs[:, 0], np.arange(groups + 1))
        self._site = np.ascontiguousarray(self._pairs[:, 1])
        self._solver = None if groups == 1 or len(self._pairs) > MANY else self._transport()

    def flow(self, price: FloatArray, demand: FloatArray, capacity_rps: FloatArray | None = None) -> FloatArray:
        """The cheapest flow [groups, sites] for prices per request [sites] or [groups, sites] and demand [groups].

        ``capacity_rps`` [sites] is that of the fleet unless given.
        """
        capacity = self._capacity_rps if capacity_rps is None else capacity_rps
        if len(self._allowed) == 1:
            allowed = self._allowed[0]
            order = np.where(allowed, np.ravel(price), np.inf)
            return merit_order(order, float(demand[0]), np.where(allowed, capacity, 0.0))[None, :]
        groups, sites = self._allowed.shape
        columns = len(self._pairs)
        prices = np.broadcast_to(price, (groups, sites))[self._pairs[:, 0], self._pairs[:, 1]]
        # The solver's tolerances are absolute: prices are at most 1, and so is the largest demand or capacity. A site
        # larger than all demand is as good as one of that size.
        capacity = np.minimum(capacity, demand.sum())
        prices = prices / (float(np.abs(prices).max(initial=0.0)) or 1.0)
        flow = np.zeros((groups, sites))
        if self._solver is None:
            served = transport(Pairs(self._first, self._site, prices), demand, capacity, self._penalty)
            flow[self._pairs[:, 0], self._pairs[:, 1]] = served
            return flow
        unit = min(float(capacity.max()), float(demand.max())) or 1.0
        self._solver.clearSolver()
        every = np.arange(columns, dtype=np.int32)
        self._solver.changeColsCost(columns, every, prices)
        for group, need in enumerate((demand / unit).tolist()):
            self._solver.changeRowBounds(group, need, need)
        for site, most in enumerate((capacity / unit).tolist()):
            self._solver.changeRowBounds(groups + site, -Infinity, most)
        best = optimum(self._solver)
        assert best is not None, "leaving demand out is always feasible"
        flow[self._pairs[:, 0], self._pairs[:, 1]] = np.maximum(best.x[:columns], 0.0) * unit
        return flow

    def _transport(self) -> highspy.Highs:
        """Columns: allowed pairs, then unserved demand by group. Rows: groups, then sites."""
        groups, sites = self._allowed.shape
        columns = len(self._pairs)
        unserved = np.arange(groups)
        entries = Entries(
            row=np.concatenate([self._pairs[:, 0], groups + self._pairs[:, 1], unserved]),
            column=np.concatenate([np.arange(columns), np.arange(columns), columns + unserved]),
            value=np.ones(2 * columns + groups),
        )
        solver = loaded(
            Program(
                cost=np.concatenate([np.zeros(columns), np.full(groups, self._penalty)]),
                upper=np.full(columns + groups, Infinity),
                row_lower=np.concatenate([np.zeros(groups), np.full(sites, -Infinity)]),
                row_upper=np.zeros(groups + sites),
                entries=entries,
            )
        )
        # Devex: a third to half of the time here, whatever the number of sites.
        solver.setOptionValue("simplex_dual_edge_weight_strategy", 1)
        return solver


def merit_order(price: FloatArray, demand: float, capacity: FloatArray) -> FloatArray:
    """Fill sites up to their capacity from the cheapest on (equal prices: lower index first), [sites]."""
    order = np.argsort(price, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(capacity[order])[:-1]])
    flow = np.zeros(len(price))
    flow[order] = np.clip(demand - before, 0.0, capacity[order])
    return flow
