"""The planning problem over many slots: cost plus the weighted largest regional footprints, one linear program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from policies.closeness import Closeness, above_all
from policies.feasibility import unserved_rps
from policies.grouping import Grouping, by_allowed_sites, by_rows
from policies.program import Entries, Infinity, Program, loaded, optimum
from policies.sliding_basis import Shape, SlidingBasis
from policies.slot_program import SlotProgram
from simulator.fleet import BoolArray, Fleet, FloatArray, IntArray, Objective
from simulator.forecast import Outlook

#: Ten times the solver's tolerance, in units of flow. What it leaves out is put back by the assignment.
SLACK = 1e-6
#: Requests of a slot that are as good as none: beside them a site's standing draw would leave a solver's range.
NOTHING = 1e-9


class Spent(NamedTuple):
    """Footprints that the maxima start from, [sites]: carbon [t], water [m3]."""

    carbon_t: FloatArray
    water_m3: FloatArray


class HorizonPlan(NamedTuple):
    """The best flows and the prices that bring them about."""

    flow: FloatArray
    """[slots, groups, sites], requests/s."""
    price: FloatArray
    """Cost and equity prices of one request [US$], [slots, sites]; what its round trip costs is not in them."""
    wide: BoolArray
    """Slots in which the bound on round trips gives way, [slots]."""
    water_usd_per_m3: FloatArray
    """What the largest footprint makes a site's water cost, [sites]: the price of equity; likewise carbon."""
    carbon_usd_per_t: FloatArray


class _Layout(NamedTuple):
    """Where things stand in the matrix.

    Columns: flows [slot, pair], the two maxima, unserved demand [short slot, group].
    Rows: demand [slot, group], capacity [slot, shared site], water [site], carbon [site], unserved [short slot].
    """

    slots: int
    grouping: Grouping
    wide: BoolArray
    """Slots that may use the pairs beyond the bound on round trips, [slots]."""
    group: IntArray
    site: IntArray
    shared: BoolArray
    """A site that one group alone may use is held to its capacity by the bound of its column, the others by rows."""
    short: IntArray

    @property
    def shape(self) -> Shape:
        return Shape(self.slots, len(self.site), len(self.grouping.allowed), int(self.shared.sum()))

    @property
    def maxima(self) -> int:
        return self.slots * len(self.site)

    @property
    def capacity_row(self) -> int:
        return self.slots * len(self.grouping.allowed)

    @property
    def water_row(self) -> int:
        return self.capacity_row + self.slots * int(self.shared.sum())

    @property
    def carbon_row(self) -> int:
        return self.water_row + len(self.shared)

    @property
    def short_row(self) -> int:
        return self.carbon_row + len(self.shared)


class _Units(NamedTuple):
    """Typical sizes that everything is divided by, so that the solver's absolute tolerances fit every fleet."""

    flow_rps: float
    requests: float
    """Requests that a unit of flow brings in a slot."""
    money_usd: float
    water_m3: float
    carbon_t: float


class HorizonProgram:
    """min sum of cost + mu_w max_i(spent_i + water_i) + mu_c max_i(spent_i + carbon_i) over the slots of an outlook.

    What servers drink and emit by being on, whatever they serve, counts as spent; what closeness asks for is a cost.
    Slots are coupled through the 2 x sites maxima only. Origins with the same allowed sites at the same prices are one.
    """

    def __init__(self, fleet: Fleet, objective: Objective, closeness: Closeness | None = None):
        self._fleet = fleet
        self._objective = objective
        asked = closeness or Closeness()
        near, trip, self._by_pair = asked.near(fleet), asked.price(fleet), asked.is_asked
        self.grouping: Grouping = by_rows(fleet, near, trip) if self._by_pair else by_allowed_sites(fleet)
        self.near: Grouping = self.grouping._replace(allowed=self.grouping.of_groups(near))
        """The same groups, with the sites within their bound."""
        self._trip_usd = self.grouping.of_groups(trip)
        self._slot_program = SlotProgram(fleet, self.grouping)

    def solve(self, outlook: Outlook, spent: Spent, basis: SlidingBasis | None = None) -> HorizonPlan:
        """Solve for the slots of an outlook. Demand that no flow can carry is left out, as little as possible.

        From scratch, or from the ``basis`` of the window before, which then becomes that of this one.
        """
        demand = self.grouping.demand(outlook.demand_rps)
        demand = np.where(demand * self._fleet.slot_s < NOTHING, 0.0, demand)
        units, wide = self._units(outlook, demand), self._wide(demand)
        for unserved in self._unserved(demand, units.flow_rps):
            layout = self._layout(unserved, wide)
            solver = loaded(self._program(outlook, spent, demand, unserved, units, layout))
            if self._by_pair or basis is not None:
                # Devex: a third to nine tenths of the time with prices of pairs, and in short windows.
                solver.setOptionValue("simplex_dual_edge_weight_strategy", 1)
            if basis is not None:
                basis.place(solver, layout.shape)
            best = optimum(solver)
            if best is not None:
                break
        if basis is not None:
            basis.keep(solver, layout.shape)
        assert best is not None, "leaving out what no flow can serve makes every slot feasible"
        flow = np.zeros((len(demand), *self.grouping.allowed.shape))
        x = np.maximum(best.x[: layout.maxima], 0.0).reshape(len(demand), -1)
        flow[:, layout.group, layout.site] = x * units.flow_rps
        sites = len(self._fleet.sites)
        water = -best.row_price[layout.water_row :][:sites] * units.money_usd / units.water_m3
        carbon = -best.row_price[layout.carbon_row :][:sites] * units.money_usd / units.carbon_t
        price = outlook.cost_usd + water * outlook.water_m3 + carbon * outlook.carbon_t
        return HorizonPlan(flow, price, wide, water, carbon)

    def _wide(self, demand: FloatArray) -> BoolArray:
        """Slots that near pairs cannot carry, [slots]."""
        if np.array_equal(self.near.allowed, self.grouping.allowed):
            return np.zeros(len(demand), dtype=bool)
        # Far less than the solver's tolerance: what is too much for it must not be called feasible.
        return unserved_rps(self._fleet, self.near, demand, rounding=1e-9) > 0

    def _layout(self, unserved: FloatArray, wide: BoolArray) -> _Layout:
        pairs = self.grouping.allowed if wide.any() else self.near.allowed
        group, site = np.argwhere(pairs).T
        return _Layout(len(unserved), self.grouping, wide, group, site, pairs.sum(axis=0) > 1, np.flatnonzero(unserved))

    def _units(self, outlook: Outlook, demand: FloatArray) -> _Units:
        flow = min(float(self._fleet.capacity_rps.max()), float(demand.max())) or 1.0
        requests = flow * self._fleet.slot_s
        water, carbon = (float(part.mean()) * requests or 1.0 for part in (outlook.water_m3, outlook.carbon_t))
        mu_water, mu_carbon = self._objective
        money = float(np.abs(outlook.cost_usd).mean()) * requests + mu_water * water + mu_carbon * carbon
        money += float(self._trip_usd[self.grouping.allowed].sum()) / max(self.grouping.allowed.sum(), 1) * requests
        # A thousandth, so that costs are in the hundreds, as they are in the paper's own units.
        return _Units(flow, requests, (money or 1.0) / 1e3, water, carbon)

    def _unserved(self, demand: FloatArray, unit_rps: float) -> Iterator[FloatArray]:
        """The demand [requests/s] that each slot may leave out, [slots]; the next one where that was infeasible."""
        yield np.zeros(len(demand))
        none = np.zeros(len(self._fleet.sites))
        short = demand.sum(axis=1) - np.array([self._slot_program.flow(none, row).sum() for row in demand])
        must = np.where(short > 1e-9 * unit_rps, short, 0.0)
        yield must
        # Where demand is capacity but for a tolerance, one program finds room that another one does not.
        yield must + SLACK * unit_rps

    def _program(
        self,
        outlook: Outlook,
        spent: Spent,
        demand: FloatArray,
        unserved: FloatArray,
        units: _Units,
        layout: _Layout,
    ) -> Program:
        """Bounds and costs; the matrix is made by :func:`_entries`."""
        mu_water, mu_carbon = self._objective
        water_spent = spent.water_m3 + outlook.standing_water_m3.sum(axis=0)
        carbon_spent = spent.carbon_t + outlook.standing_carbon_t.sum(axis=0)
        left = len(layout.short) * len(self.grouping.allowed)
        # A site larger than all demand is as good as one of that size, which keeps numbers near one.
        capacity = np.minimum(self._fleet.capacity_rps, demand.sum(axis=1).max()) / units.flow_rps
        alone = np.where(layout.shared, Infinity, capacity)[layout.site]
        held = np.tile(capacity[layout.shared], layout.slots)
        need = demand.ravel() / units.flow_rps
        free = np.full(len(held) + 2 * len(capacity), -Infinity)
        weights = np.array([mu_water * units.water_m3, mu_carbon * units.carbon_t])
        trip, upper = self._trip(outlook, layout), np.tile(alone, layout.slots)
        cost = ((outlook.cost_usd[:, layout.site] + trip) * units.requests).ravel()
        upper[~(layout.wide[:, None] | self.near.allowed[layout.group, layout.site]).ravel()] = 0.0
        # Leaving out what could be served must never pay, however long the chain of requests that move for it.
        dearest = self._dearest_usd(outlook) + float(trip.max(initial=0.0))
        penalty = 2.0 * (min(self.grouping.allowed.shape) + 1) * dearest * units.requests
        return Program(
            cost=np.concatenate([cost, weights, np.full(left, penalty)]) / units.money_usd,
            upper=np.concatenate([upper, np.full(2 + left, Infinity)]),
            row_lower=np.concatenate([need, free, np.zeros(len(layout.short))]),
            row_upper=np.concatenate(
                [
                    need,
                    held,
                    -water_spent / units.water_m3,
                    -carbon_spent / units.carbon_t,
                    unserved[layout.short] / units.flow_rps,
                ]
            ),
            entries=_entries(outlook, units, layout),
        )

    def _trip(self, outlook: Outlook, layout: _Layout) -> FloatArray:
        """What the round trips of pairs cost [US$], [pairs]; those beyond the bound more than any saving is worth."""
        trip, far = self._trip_usd, self.grouping.allowed & ~self.near.allowed
        if layout.wide.any():
            most = self._dearest_usd(outlook) + trip
            trip = trip + (above_all(most, far) - most)
        return trip[layout.group, layout.site]

    def _dearest_usd(self, outlook: Outlook) -> float:
        """More than one request at any site can add to the objective, round trips apart."""
        mu_water, mu_carbon = self._objective
        return float((np.abs(outlook.cost_usd) + mu_water * outlook.water_m3 + mu_carbon * outlook.carbon_t).max())


def _entries(outlook: Outlook, units: _Units, layout: _Layout) -> Entries:
    """The matrix: where each column takes part, and with how much."""
    groups, sites, pairs = *layout.grouping.allowed.shape, len(layout.site)
    slot, site, group = (
        np.repeat(np.arange(layout.slots), pairs),
        np.tile(layout.site, layout.slots),
        np.tile(layout.group, layout.slots),
    )
    flow, one = np.arange(layout.maxima), np.ones(layout.maxima)
    capped = layout.shared[site]
    capacity_row = layout.capacity_row + slot * int(layout.shared.sum()) + (np.cumsum(layout.shared) - 1)[site]
    every = np.arange(sites)
    left = layout.maxima + 2 + np.arange(len(layout.short) * groups)
    left_row = np.repeat(layout.short * groups, groups) + np.tile(np.arange(groups), len(layout.short))
    short_row = layout.short_row + np.repeat(np.arange(len(layout.short)), groups)
    water = outlook.water_m3[slot, site] * (units.requests / units.water_m3)
    carbon = outlook.carbon_t[slot, site] * (units.requests / units.carbon_t)
    parts = [
        (slot * groups + group, flow, one),
        (capacity_row[capped], flow[capped], one[capped]),
        (layout.water_row + site, flow, water),
        (layout.carbon_row + site, flow, carbon),
        (layout.water_row + every, np.full(sites, layout.maxima), -np.ones(sites)),
        (layout.carbon_row + every, np.full(sites, layout.maxima + 1), -np.ones(sites)),
        (left_row, left, np.ones(len(left))),
        (short_row, left, np.ones(len(left))),
    ]
    return Entries(*(np.concatenate(column) for column in zip(*parts, strict=True)))
