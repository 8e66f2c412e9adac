"""The planning problem over many slots without one large program: a certified lower bound, and a plan near it.

Slots are coupled through the sites' footprints only. Under prices of water and carbon g they are independent, and

    L(g) = min over flows of cost + sum_i g_w,i (spent + water)_i + g_c,i (spent + carbon)_i  <=  J of every plan

for every g with ||g_w|| <= mu_w and ||g_c|| <= mu_c in the dual norm (weak duality): for the maximum, prices that are at least
0 and add up to at most mu. Each L(g) is a filling of all slots (:mod:`simulator.core.fill`) and gives a plan, a column. Convex
combinations of columns are plans as well; a small master program finds the best one, and its multipliers say which prices
to try next, drawn half of the way to the best ones so far (Dantzig and Wolfe 1960; smoothing: Wentges 1997).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from policies.grouping import by_allowed_sites
from policies.horizon_program import Spent
from policies.program import Entries, Infinity, Program, loaded, optimum
from simulator.core.fill import Desk, Filled, Offers, desk_of, fill
from simulator.fleet import Fleet, FloatArray, Objective
from simulator.forecast import Outlook

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


class Burden(NamedTuple):
    """How the footprint of one kind weighs in J: weight x norm, for footprints that are not negative."""

    weight: float
    """US$ per m3 or t."""
    size: Callable[[FloatArray], float]
    """The norm of the sites' footprints, [sites]."""
    slope: Callable[[FloatArray], FloatArray]
    """Its slope there, [sites]: in the ball of the dual norm, and size = slope . footprints."""


class _Column(NamedTuple):
    """A plan: its prices, and what it costs, drinks and emits, with what was spent before."""

    prices: tuple[FloatArray, FloatArray]
    cost_usd: float
    footprints: tuple[FloatArray, FloatArray]


def burdens_of(objective: Objective) -> tuple[Burden, Burden]:
    """Water and carbon as they weigh in J."""
    return (
        Burden(objective.water_weight_usd_per_m3, _largest, _first_of_the_largest),
        Burden(objective.carbon_weight_usd_per_t, _largest, _first_of_the_largest),
    )


def _largest(footprints: FloatArray) -> float:
    return float(footprints.max())


def _first_of_the_largest(footprints: FloatArray) -> FloatArray:
    return np.asarray(np.arange(len(footprints)) == footprints.argmax(), dtype=float)


class Decomposition:
    """min sum of cost + what the largest footprints weigh, over the slots of an outlook, as ``HorizonProgram`` has it."""

    def __init__(self, fleet: Fleet, objective: Objective, outlook: Outlook, spent: Spent):
        grouping = by_allowed_sites(fleet)
        self._offers = Offers(
            cost=np.array(outlook.cost_usd),
            water=np.array(outlook.water_m3),
            carbon=np.array(outlook.carbon_t),
            demand=grouping.demand(outlook.demand_rps) * fleet.slot_s,
            capacity=np.asarray(fleet.capacity_rps * fleet.slot_s),
            allowed=np.array(grouping.allowed),
        )
        self._spent = (
            spent.water_m3 + outlook.standing_water_m3.sum(axis=0),
            spent.carbon_t + outlook.standing_carbon_t.sum(axis=0),
        )
        self._burdens = burdens_of(objective)
        self._desk: Desk = desk_of(self._offers)
        free = np.zeros(len(fleet.sites))
        cheapest = self._filled((free, free))
        self.short_requests = float(cheapest.short[0])
        """Demand that no plan can carry."""
        self.cheapest_usd = float(cheapest.cost[0])
        """The smallest cost, whatever it does to water and carbon."""
        self._first = self._column((free, free), cheapest)

    @property
    def rounds(self) -> int:
        """So many fillings may be done within the work that a search is allowed."""
        groups, sites = self._offers.allowed.shape
        # As measured [ns]: sorting and filling; and looking for ways.
        steps = 1.5 * sites * math.log2(1 + sites) ** 2 + (groups * sites * (groups + sites) if groups > 1 else 0)
        return min(MOST_ROUNDS, int(WORK / (len(self._offers.cost) * steps)))

    def solve(self, tolerance: float = TOLERANCE, most_rounds: int | None = None) -> Bounded:
        """Search until bound and plan are that near to each other, or for so many rounds. All demand must be carried."""
        most = max(1, self.rounds if most_rounds is None else most_rounds)
        columns = [self._first]
        master, even = _Master(self._burdens, self._first), len(self._desk.price)
        best, lower = tuple(np.full(even, burden.weight / even) for burden in self._burdens), -np.inf
        prices, shares, upper = best, np.ones(1), np.inf
        done = 0
        while done < most and (done == 0 or upper - lower > tolerance * abs(upper)):
            done += 1
            tried = prices if done == 1 else _between(prices, best)
            column = self._column(tried, self._filled(tried))
            columns.append(column)
            master.add(column)
            value = _priced(column, tried)
            if value > lower:
                lower, best = value, tried
            shares, prices, found = master.solve()
            upper = min(upper, found)
        return Bounded(lower, upper, best[0], best[1], self._plan(columns, shares), done)

    def cheapest(self) -> FloatArray:
        """What each site serves in each slot of the cheapest plan, [slots, sites]."""
        return self._filled(self._first.prices, keeps=True).flow

    def _filled(self, prices: tuple[FloatArray, FloatArray], keeps: bool = False) -> Filled:
        slots, sites = self._offers.cost.shape
        flow = np.zeros((slots if keeps else 0, sites))
        filled = Filled(np.zeros(1), np.zeros(sites), np.zeros(sites), np.zeros(1), flow)
        fill(self._offers, *prices, self._desk, filled)
        return filled

    def _column(self, prices: tuple[FloatArray, FloatArray], filled: Filled) -> _Column:
        water, carbon = self._spent
        return _Column(prices, float(filled.cost[0]), (filled.water + water, filled.carbon + carbon))

    def _plan(self, columns: list[_Column], shares: FloatArray) -> FloatArray:
        """The flows of a convex combination; those of its columns are made anew, for all would not fit into memory."""
        plan = np.zeros(self._offers.cost.shape)
        for column, share in zip(columns, shares, strict=True):
            if share > _NO_SHARE:
                plan += share * self._filled(column.prices, keeps=True).flow
        return plan


def _between(one: tuple[FloatArray, ...], other: tuple[FloatArray, ...]) -> tuple[FloatArray, FloatArray]:
    water, carbon = (_SMOOTHING * b + (1.0 - _SMOOTHING) * a for a, b in zip(one, other, strict=True))
    return water, carbon


def _priced(column: _Column, prices: tuple[FloatArray, FloatArray]) -> float:
    """Cost and footprints of a plan at some prices."""
    return column.cost_usd + sum(float(p @ f) for p, f in zip(prices, column.footprints, strict=True))


class _Master:
    """The best convex combination of columns, and the prices that it stands for.

    A norm is the largest of the planes that its slopes span. The planes of single sites are there from the beginning, and
    are all that the maximum has; of other norms those are added that were missing where the last combination lay.

    Rows: the sum of shares, the planes of single sites for water and for carbon, more planes. Columns: the sizes of both,
    then shares. It grows, and each solution begins at the one before.
    """

    def __init__(self, burdens: tuple[Burden, Burden], first: _Column):
        self._burdens, self._sites = burdens, len(first.prices[0])
        self._units = [float(footprints.mean()) or 1.0 for footprints in first.footprints]
        weights = [burden.weight * unit for burden, unit in zip(burdens, self._units, strict=True)]
        # In the hundreds, so that the solver's absolute tolerances are small beside them.
        self._money = (abs(first.cost_usd) + sum(weights) or 1.0) / 1e3
        self._more: list[tuple[int, FloatArray]] = []
        self._columns: list[_Column] = []
        rows = 2 * self._sites
        self._solver = loaded(
            Program(
                cost=np.array(weights) / self._money,
                upper=np.full(2, Infinity),
                row_lower=np.concatenate([[1.0], np.full(rows, -Infinity)]),
                row_upper=np.concatenate([[1.0], np.zeros(rows)]),
                entries=Entries(1 + np.arange(rows), np.repeat([0, 1], self._sites), -np.ones(rows)),
            )
        )
        self._solver.setOptionValue("simplex_strategy", 4)  # primal: with a column more, the last point is feasible
        self.add(first)

    def add(self, column: _Column) -> None:
        """One plan more."""
        self._columns.append(column)
        single = [footprints / unit for footprints, unit in zip(column.footprints, self._units, strict=True)]
        more = [float(plane @ single[kind]) for kind, plane in self._more]
        filled = np.concatenate([[1.0], *single, more])
        rows = np.flatnonzero(filled).astype(np.int32)
        self._solver.addCol(column.cost_usd / self._money, 0.0, Infinity, len(rows), rows, filled[rows])

    def solve(self) -> tuple[FloatArray, tuple[FloatArray, FloatArray], float]:
        """Shares of the columns, prices, and J of the combination."""
        best = optimum(self._solver)
        assert best is not None, "any one column is feasible"
        shares = np.maximum(best.x[2:], 0.0)
        shares /= shares.sum()
        slopes = np.maximum(-best.row_price[1:], 0.0) * self._money
        value = float(shares @ [column.cost_usd for column in self._columns])
        prices, planes = [], list(zip(self._more, slopes[2 * self._sites :].tolist(), strict=True))
        for kind, (burden, unit) in enumerate(zip(self._burdens, self._units, strict=True)):
            here = np.asarray(shares @ np.array([column.footprints[kind] for column in self._columns]))
            size = burden.size(here)
            value += burden.weight * size
            price = slopes[kind * self._sites :][: self._sites] / unit
            known, total = float(here.max()), float(price.sum())
            for (whose, plane), slope in planes:
                if whose == kind:
                    price, total = price + plane * (slope / unit), total + slope / unit
                    known = max(known, float(plane @ here))
            # Within the ball whatever the solver's tolerance.
            prices.append(price * (burden.weight / total if total > burden.weight else 1.0))
            if size > known * (1.0 + 1e-12):
                self._add_plane(kind, burden.slope(here))
        return shares, (prices[0], prices[1]), value

    def _add_plane(self, kind: int, plane: FloatArray) -> None:
        self._more.append((kind, plane))
        heights = [float(plane @ column.footprints[kind]) / self._units[kind] for column in self._columns]
        filled = np.array([-1.0 if kind == 0 else 0.0, -1.0 if kind == 1 else 0.0, *heights])
        columns = np.flatnonzero(filled).astype(np.int32)
        self._solver.addRow(-Infinity, 0.0, len(columns), columns, filled[columns])
