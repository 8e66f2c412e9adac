"""The planning problem over many slots: cost plus the weighted norms of regional footprints, one linear program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from policies.closeness import Closeness, above_all
from policies.feasibility import unserved_rps
from policies.grouping import Grouping, by_allowed_sites, by_rows
from policies.horizon_layout import Layout, Units, entries_of
from policies.norm_cuts import norm_optimum
from policies.program import Infinity, Program, loaded
from policies.sliding_basis import SlidingBasis
from policies.slot_program import SlotProgram
from simulator.fleet import BoolArray, Fleet, FloatArray
from simulator.forecast import Outlook
from simulator.objective import Objective

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


class HorizonProgram:
    """min sum of cost + mu_w ||a (spent + water)|| + mu_c ||b (spent + carbon)|| over the slots of an outlook.

    What servers drink and emit by being on, whatever they serve, counts as spent; what closeness asks for is a cost.
    Slots are coupled through the footprints of the sites only. Origins with the same sites at the same prices are one.
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

        From scratch, or from the ``basis`` of the window before, which then becomes that of this one. Cuts of a norm
        are not in a basis: with a norm other than the maximum every window is solved from scratch.
        """
        outlook, spent = self._weighted(outlook, spent)
        basis = basis if self._objective.is_largest else None
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
            best = norm_optimum(solver, layout, self._objective.norm)
            if best is not None:
                break
        if basis is not None:
            basis.keep(solver, layout.shape)
        assert best is not None, "leaving out what no flow can serve makes every slot feasible"
        flow = np.zeros((len(demand), *self.grouping.allowed.shape))
        x = np.maximum(best.x[: layout.norms], 0.0).reshape(len(demand), -1)
        flow[:, layout.group, layout.site] = x * units.flow_rps
        sites = len(self._fleet.sites)
        water = -best.row_price[layout.water_row :][:sites] * units.money_usd / units.water_m3
        carbon = -best.row_price[layout.carbon_row :][:sites] * units.money_usd / units.carbon_t
        price = outlook.cost_usd + water * outlook.water_m3 + carbon * outlook.carbon_t
        weighted = self._objective.weighted_water(water), self._objective.weighted_carbon(carbon)
        return HorizonPlan(flow, price, wide, *weighted)

    def _weighted(self, outlook: Outlook, spent: Spent) -> tuple[Outlook, Spent]:
        """Footprints as they weigh at the sites: from here on nothing else is asked of them."""
        water, carbon = self._objective.weighted_water, self._objective.weighted_carbon
        weighted = outlook._replace(
            carbon_t=carbon(outlook.carbon_t),
            water_m3=water(outlook.water_m3),
            standing_carbon_t=carbon(outlook.standing_carbon_t),
            standing_water_m3=water(outlook.standing_water_m3),
        )
        return weighted, Spent(carbon(spent.carbon_t), water(spent.water_m3))

    def _wide(self, demand: FloatArray) -> BoolArray:
        """Slots that near pairs cannot carry, [slots]."""
        if np.array_equal(self.near.allowed, self.grouping.allowed):
            return np.zeros(len(demand), dtype=bool)
        # Far less than the solver's tolerance: what is too much for it must not be called feasible.
        return unserved_rps(self._fleet, self.near, demand, rounding=1e-9) > 0

    def _layout(self, unserved: FloatArray, wide: BoolArray) -> Layout:
        pairs = self.grouping.allowed if wide.any() else self.near.allowed
        group, site = np.argwhere(pairs).T
        shared, short = pairs.sum(axis=0) > 1, np.flatnonzero(unserved)
        return Layout(len(unserved), self.grouping, wide, group, site, shared, short, self._objective.is_largest)

    def _units(self, outlook: Outlook, demand: FloatArray) -> Units:
        flow = min(float(self._fleet.capacity_rps.max()), float(demand.max())) or 1.0
        requests = flow * self._fleet.slot_s
        water, carbon = (float(part.mean()) * requests or 1.0 for part in (outlook.water_m3, outlook.carbon_t))
        mu_water, mu_carbon = self._objective[:2]
        money = float(np.abs(outlook.cost_usd).mean()) * requests + mu_water * water + mu_carbon * carbon
        money += float(self._trip_usd[self.grouping.allowed].sum()) / max(self.grouping.allowed.sum(), 1) * requests
        # A thousandth, so that costs are in the hundreds, as they are in the paper's own units.
        return Units(flow, requests, (money or 1.0) / 1e3, water, carbon)

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
        units: Units,
        layout: Layout,
    ) -> Program:
        """Bounds and costs; the matrix is made by :func:`entries_of`."""
        mu_water, mu_carbon = self._objective[:2]
        water_spent = spent.water_m3 + outlook.standing_water_m3.sum(axis=0)
        carbon_spent = spent.carbon_t + outlook.standing_carbon_t.sum(axis=0)
        left, burdens = len(layout.short) * len(self.grouping.allowed), np.zeros(layout.columns - layout.burdens)
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
            cost=np.concatenate([cost, weights, np.full(left, penalty), burdens]) / units.money_usd,
            upper=np.concatenate([upper, np.full(layout.columns - layout.norms, Infinity)]),
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
            entries=entries_of(outlook, units, layout),
        )

    def _trip(self, outlook: Outlook, layout: Layout) -> FloatArray:
        """What the round trips of pairs cost [US$], [pairs]; those beyond the bound more than any saving is worth."""
        trip, far = self._trip_usd, self.grouping.allowed & ~self.near.allowed
        if layout.wide.any():
            most = self._dearest_usd(outlook) + trip
            trip = trip + (above_all(most, far) - most)
        return trip[layout.group, layout.site]

    def _dearest_usd(self, outlook: Outlook) -> float:
        """More than one request at any site can add to the objective, round trips apart."""
        mu_water, mu_carbon = self._objective[:2]
        return float((np.abs(outlook.cost_usd) + mu_water * outlook.water_m3 + mu_carbon * outlook.carbon_t).max())
