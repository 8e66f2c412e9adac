"""The planning problem over many slots: cost plus the weighted largest regional footprints, one linear program."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from policies.grouping import Grouping, by_allowed_sites
from policies.program import Entries, Infinity, Program, loaded, optimum
from policies.slot_program import SlotProgram
from simulator.fleet import Fleet, FloatArray, Objective
from simulator.forecast import Outlook


class Spent(NamedTuple):
    """Footprints that the maxima start from, [sites]: carbon [t], water [m3]."""

    carbon_t: FloatArray
    water_m3: FloatArray


class HorizonProgram:
    """min sum of cost + mu_w max_i(spent_i + water_i) + mu_c max_i(spent_i + carbon_i) over the slots of an outlook.

    Slots are coupled through the 2 x sites maxima only. Origins with the same allowed sites are one.
    """

    def __init__(self, fleet: Fleet, objective: Objective):
        self._fleet = fleet
        self._objective = objective
        self.grouping: Grouping = by_allowed_sites(fleet)
        self._pairs = np.argwhere(self.grouping.allowed)
        self._slot_program = SlotProgram(fleet, self.grouping)

    def solve(self, outlook: Outlook, spent: Spent) -> FloatArray:
        """The best flows [slots, groups, sites], requests/s.

        Demand that cannot be carried is left out, in each slot as little as possible.
        """
        demand = self.grouping.demand(outlook.demand_rps)
        x = optimum(loaded(self._program(outlook, spent, demand, np.zeros(len(demand)))))
        if x is None:
            x = optimum(loaded(self._program(outlook, spent, demand, self._unserved(demand))))
            assert x is not None, "leaving out what no flow can serve makes every slot feasible"
        slots, pairs = len(demand), len(self._pairs)
        flow = np.zeros((slots, *self.grouping.allowed.shape))
        flow[:, self._pairs[:, 0], self._pairs[:, 1]] = (
            np.maximum(x[: slots * pairs], 0.0).reshape(slots, pairs) * self._unit
        )
        return flow

    @property
    def _unit(self) -> float:
        return float(self._fleet.capacity_rps.max())

    def _unserved(self, demand: FloatArray) -> FloatArray:
        """The least demand [requests/s] that each slot has to leave out, [slots], a little more for rounding."""
        none = np.zeros(len(self._fleet.sites))
        served = np.array([self._slot_program.flow(none, row).sum() for row in demand])
        short = demand.sum(axis=1) - served
        return np.where(short > 1e-9 * self._unit, short, 0.0) * (1 + 1e-9)

    def _program(self, outlook: Outlook, spent: Spent, demand: FloatArray, unserved: FloatArray) -> Program:
        """Columns: flows [slot, pair], the largest water and carbon, unserved demand [short slot, group].

        Flows are in units of the largest capacity; money and footprints are divided by typical sizes, so
        that the solver's absolute tolerances mean the same for every fleet.
        """
        slots, (groups, sites), pairs = len(demand), self.grouping.allowed.shape, len(self._pairs)
        group, site = self._pairs[:, 0], self._pairs[:, 1]
        amount = self._unit * self._fleet.slot_s
        water, carbon = outlook.water_m3 * amount, outlook.carbon_t * amount
        water_unit, carbon_unit = (max(float(part.mean()), 1e-300) for part in (water, carbon))
        money = np.abs(outlook.cost_usd * amount).mean() + self._objective.water_weight_usd_per_m3 * water_unit
        money = max(float(money + self._objective.carbon_weight_usd_per_t * carbon_unit), 1e-300) / 1e3
        short = np.flatnonzero(unserved)

        largest = slots * pairs
        # A site that one group alone may use is held to its capacity by the bound of a column, the others by rows.
        shared = np.bincount(site, minlength=sites) > 1
        place = np.cumsum(shared) - 1
        cap_row = slots * groups
        water_row = cap_row + slots * int(shared.sum())
        carbon_row = water_row + sites
        short_row = carbon_row + sites
        slot = np.repeat(np.arange(slots), pairs)
        flow = np.arange(slots * pairs)
        all_group, all_site = np.tile(group, slots), np.tile(site, slots)
        capped = shared[all_site]
        capacity = self._fleet.capacity_rps / self._unit
        one = np.ones(slots * pairs)
        left = largest + 2 + np.arange(len(short) * groups)
        left_slot, left_group = np.repeat(short, groups), np.tile(np.arange(groups), len(short))
        every_site = np.arange(sites)
        parts = [
            (slot * groups + all_group, flow, one),
            (cap_row + (slot * int(shared.sum()) + place[all_site])[capped], flow[capped], one[capped]),
            (water_row + all_site, flow, water[slot, all_site] / water_unit),
            (carbon_row + all_site, flow, carbon[slot, all_site] / carbon_unit),
            (water_row + every_site, np.full(sites, largest), -np.ones(sites)),
            (carbon_row + every_site, np.full(sites, largest + 1), -np.ones(sites)),
            (left_slot * groups + left_group, left, np.ones(len(left))),
            (short_row + np.repeat(np.arange(len(short)), groups), left, np.ones(len(left))),
        ]
        weights = np.array(
            [
                self._objective.water_weight_usd_per_m3 * water_unit,
                self._objective.carbon_weight_usd_per_t * carbon_unit,
            ]
        )
        need, allowed_left = demand / self._unit, unserved[short] / self._unit
        free = np.full(slots * int(shared.sum()), -Infinity)
        return Program(
            cost=np.concatenate([(outlook.cost_usd * amount)[slot, all_site], weights, np.zeros(len(left))]) / money,
            upper=np.concatenate([np.where(capped, Infinity, capacity[all_site]), np.full(2 + len(left), Infinity)]),
            row_lower=np.concatenate([need.ravel(), free, np.full(2 * sites, -Infinity), np.zeros(len(short))]),
            row_upper=np.concatenate(
                [
                    need.ravel(),
                    np.tile(capacity[shared], slots),
                    -spent.water_m3 / water_unit,
                    -spent.carbon_t / carbon_unit,
                    allowed_left,
                ]
            ),
            entries=Entries(*(np.concatenate(column) for column in zip(*parts, strict=True))),
        )
