"""The planning problem over many slots without one large program: a certified lower bound, and a plan near it.

Slots are coupled through the sites' footprints only. Under prices g of water and carbon they are independent, and

    L(g) = min over flows of cost + sum_i g_w,i (spent + water)_i + g_c,i (spent + carbon)_i  <=  J of every plan

for every g with ||g_w|| <= mu_w and ||g_c|| <= mu_c in the dual norm (weak duality): of the maximum, prices that are at
least 0 and add up to at most mu. Footprints are taken as they weigh at the sites. Each L(g) is a filling of all slots
(:mod:`simulator.core.fill`) and gives a plan, a column. Convex combinations of columns are plans as well; the master
program finds the best one, and its multipliers say which prices to try next, drawn half of the way to the best ones so
far. (Dantzig and Wolfe, 1960; the smoothing: Wentges, 1997.)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from policies.column_master import Column, ColumnMaster, Prices
from policies.grouping import by_allowed_sites
from policies.horizon_program import Spent
from simulator.core.fill import Desk, Filled, Offers, desk_of, fill
from simulator.fleet import Fleet, FloatArray
from simulator.forecast import Outlook
from simulator.objective import Objective

#: (upper - lower) / upper at which the search ends.
TOLERANCE = 1e-6
#: The most fillings of a search.
MOST_ROUNDS = 200
#: What all fillings together may do, in steps of about a nanosecond: a bound that every machine meets alike.
WORK = 1e10
#: The next prices are drawn so far towards the best ones so far.
_SMOOTHING = 0.5
#: Columns of a plan that weigh less are left out of it.
_NO_SHARE = 1e-12


class Bounded(NamedTuple):
    """What a search has found."""

    lower_usd: float
    """No plan has a smaller J."""
    upper_usd: float
    """J of the plan that was found."""
    water_price_usd_per_m3: FloatArray
    """The prices that prove the bound, [sites]; likewise carbon."""
    carbon_price_usd_per_t: FloatArray
    requests: FloatArray
    """What each site serves in each slot of the plan, [slots, sites]."""
    rounds: int

    @property
    def within(self) -> float:
        """How much larger J of the plan is than the bound, as a share of the bound."""
        return self.upper_usd / self.lower_usd - 1.0 if self.lower_usd > 0 else float("inf")


class Decomposition:
    """The problem of ``HorizonProgram`` without its closeness: min sum of cost + what the norms of footprints weigh."""

    def __init__(self, fleet: Fleet, objective: Objective, outlook: Outlook, spent: Spent):
        grouping = by_allowed_sites(fleet)
        self._offers = Offers(
            cost=np.array(outlook.cost_usd),
            water=np.ascontiguousarray(objective.weighted_water(outlook.water_m3)),
            carbon=np.ascontiguousarray(objective.weighted_carbon(outlook.carbon_t)),
            demand=grouping.demand(outlook.demand_rps) * fleet.slot_s,
            capacity=np.asarray(fleet.capacity_rps * fleet.slot_s),
            allowed=np.array(grouping.allowed),
        )
        self._spent = (
            objective.weighted_water(spent.water_m3 + outlook.standing_water_m3.sum(axis=0)),
            objective.weighted_carbon(spent.carbon_t + outlook.standing_carbon_t.sum(axis=0)),
        )
        self._objective = objective
        self._desk: Desk = desk_of(self._offers)
        free = np.zeros(len(fleet.sites))
        cheapest = self._filled(Prices(free, free))
        self.short_requests = float(cheapest.short[0])
        """Demand that no plan can carry."""
        self.cheapest_usd = float(cheapest.cost[0])
        """The smallest cost, whatever it does to water and carbon."""
        self._first = self._column(Prices(free, free), cheapest)

    @property
    def rounds(self) -> int:
        """So many fillings may be done within the work that a search is allowed."""
        groups, sites = self._offers.allowed.shape
        # As measured [ns]: sorting and filling; and looking for ways.
        steps = 1.5 * sites * math.log2(1 + sites) ** 2 + (groups * sites * (groups + sites) if groups > 1 else 0)
        return min(MOST_ROUNDS, int(WORK / (len(self._offers.cost) * steps)))

    def solve(self, tolerance: float = TOLERANCE, most_rounds: int | None = None) -> Bounded:
        """Search until bound and plan are that near to each other, or for so many rounds; demand must be carried."""
        most = max(1, self.rounds if most_rounds is None else most_rounds)
        columns = [self._first]
        master, sites = ColumnMaster(self._objective, self._first), len(self._desk.price)
        # Sites alike: as far as that goes in the ball of the dual norm.
        even = sites ** (1.0 / self._objective.norm - 1.0)
        best, lower = Prices(*(np.full(sites, weight * even) for weight in self._objective[:2])), -np.inf
        prices, shares, upper = best, np.ones(1), np.inf
        done = 0
        while done < most and (done == 0 or upper - lower > tolerance * abs(upper)):
            done += 1
            tried = prices if done == 1 else _between(prices, best)
            column = self._column(tried, self._filled(tried))
            columns.append(column)
            master.add(column)
            value = column.at(tried)
            if value > lower:
                lower, best = value, tried
            mixed, prices, found = master.solve()
            if found < upper:
                upper, shares = found, mixed
        return Bounded(lower, upper, best[0], best[1], self._plan(columns, shares), done)

    def cheapest(self) -> FloatArray:
        """What each site serves in each slot of the cheapest plan, [slots, sites]."""
        return self._filled(self._first.prices, keeps=True).flow

    def _filled(self, prices: Prices, keeps: bool = False) -> Filled:
        slots, sites = self._offers.cost.shape
        flow = np.zeros((slots if keeps else 0, sites))
        filled = Filled(np.zeros(1), np.zeros(sites), np.zeros(sites), np.zeros(1), flow)
        fill(self._offers, *prices, self._desk, filled)
        return filled

    def _column(self, prices: Prices, filled: Filled) -> Column:
        water, carbon = self._spent
        return Column(prices, float(filled.cost[0]), (filled.water + water, filled.carbon + carbon))

    def _plan(self, columns: list[Column], shares: FloatArray) -> FloatArray:
        """The flows of a convex combination; those of its columns are made anew, for all would not fit into memory."""
        plan = np.zeros(self._offers.cost.shape)
        for column, share in zip(columns, shares, strict=False):  # columns that came later have none
            if share > _NO_SHARE:
                plan += share * self._filled(column.prices, keeps=True).flow
        return plan


def _between(one: Prices, other: Prices) -> Prices:
    return Prices(*(_SMOOTHING * b + (1.0 - _SMOOTHING) * a for a, b in zip(one, other, strict=True)))
