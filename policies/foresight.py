"""Foresight: the planning problem of the rest of the run, as it is foreseen, without regard to how well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from policies.closeness import Closeness
from policies.decomposition import Decomposition
from policies.dispatch import CloseDispatch
from policies.horizon_program import Spent
from policies.weights import OwnWeights
from simulator.fleet import Fleet, FloatArray
from simulator.forecast import Outlook
from simulator.plan import Split
from simulator.policy import Observation

#: Decomposition ends when bound and plan are this near, as a share of J; beyond it no forecast is worth more.
TOLERANCE = 1e-5
#: A slot goes as it was planned where, at the prices that were found, that costs no more than this above the cheapest.
AS_GOOD = 1e-3
#: Share of a slot's demand that is rounding.
_ROUNDING = 1e-9


class Foresight:
    """Prices of equity that are best for what is foreseen; each slot is filled at its own signals.

    Prices leave ties open, and sites that are alike are always tied: where the plan that was found is as good as the
    cheapest filling, a slot goes as planned.
    """

    def __init__(self, weights: OwnWeights, closeness: Closeness):
        self._weights, self._closeness = weights, closeness

    def start(self, fleet: Fleet) -> None:
        """Forget all prices."""
        self._dispatch, self._as_planned = CloseDispatch(self._closeness), CloseDispatch(self._closeness)
        self._price_per_unit: FloatArray = np.zeros((2, len(fleet.sites)))
        self._planned: FloatArray = np.zeros((0, len(fleet.sites)))
        self._slot = 0

    def look(self, outlook: Outlook, observation: Observation, stretch: float, keep: int) -> None:
        """Find the prices for an outlook that stands for a rest of the run ``stretch`` times as long.

        What is planned of the next ``keep`` slots is remembered.
        """
        fleet, total = observation.fleet, observation.total
        objective = self._weights.objective(fleet)
        spent = Spent(total.carbon_t / stretch, total.water_m3 / stretch)
        found = Decomposition(fleet, objective, outlook, spent).solve(TOLERANCE)
        water = objective.weighted_water(found.water_price_usd_per_m3)
        self._price_per_unit = np.stack([water, objective.weighted_carbon(found.carbon_price_usd_per_t)])
        self._planned, self._slot = found.requests[:keep] / fleet.slot_s, observation.slot

    def plan(self, observation: Observation) -> Split:
        """A slot as it was planned, or the cheapest filling at its own signals and the prices that were found last."""
        water, carbon = self._price_per_unit
        price = observation.cost_usd + water * observation.water_m3 + carbon * observation.carbon_t
        cheapest = self._dispatch.split(observation.fleet, price, observation.demand_rps)
        planned = self._loads(observation)
        if planned is None:
            return cheapest
        known = replace(observation.fleet, capacity_rps=planned)
        split = self._as_planned.split(known, price, observation.demand_rps)
        mine, least = (float(observation.demand_rps @ each.shares @ price) for each in (split, cheapest))
        served = (split.shares.sum(axis=1) >= cheapest.shares.sum(axis=1) - _ROUNDING).all()
        return split if served and mine <= least + AS_GOOD * abs(least) else cheapest

    def _loads(self, observation: Observation) -> FloatArray | None:
        """What sites were to serve in this slot, as shares of what is asked for, [sites]; None where they cannot."""
        ahead = observation.slot - self._slot
        if not 0 <= ahead < len(self._planned) or not self._planned[ahead].any():
            return None
        loads = self._planned[ahead] * (observation.demand_rps.sum() / self._planned[ahead].sum())
        if (loads > observation.fleet.capacity_rps * (1.0 + _ROUNDING)).any():
            return None
        return np.minimum(loads * (1.0 + _ROUNDING), observation.fleet.capacity_rps)
