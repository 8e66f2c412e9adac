"""Foresight: the planning problem of the rest of the run, as it is foreseen, without regard to how well."""

from __future__ import annotations

import numpy as np

from policies.as_planned import AsPlanned
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


class Foresight:
    """Prices of equity that are best for what is foreseen; each slot is filled at its own signals."""

    def __init__(self, weights: OwnWeights, closeness: Closeness):
        self._weights, self._closeness = weights, closeness

    def start(self, fleet: Fleet) -> None:
        """Forget all prices."""
        self._as_planned = AsPlanned(CloseDispatch(self._closeness), self._closeness)
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
        """The slot at its own signals and the prices that were found last, as planned where that is as good."""
        water, carbon = self._price_per_unit
        price = observation.cost_usd + water * observation.water_m3 + carbon * observation.carbon_t
        ahead = observation.slot - self._slot
        planned = self._planned[ahead] if 0 <= ahead < len(self._planned) else None
        return self._as_planned.split(observation, price, planned)
