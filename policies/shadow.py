"""Shadow accounts: what plans come to if requests come as expected, of a policy that is not the one in force."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.fleet import Fleet, FloatArray
from simulator.footprint import Footprint
from simulator.objective import Objective
from simulator.plan import Split
from simulator.policy import Observation
from simulator.units import KG_PER_T, L_PER_M3


class Shadow(NamedTuple):
    """Cost [US$], water [m3] and carbon [t] of planned flows; of a slot, or of all so far."""

    cost_usd: float
    water_m3: FloatArray
    """[sites]; likewise carbon."""
    carbon_t: FloatArray

    @classmethod
    def none(cls, fleet: Fleet) -> Shadow:
        """Nothing yet."""
        return cls(0.0, np.zeros(len(fleet.sites)), np.zeros(len(fleet.sites)))

    @classmethod
    def of(cls, split: Split, observation: Observation) -> Shadow:
        """What a slot comes to under shares of its demand, servers that are on included."""
        fleet = observation.fleet
        requests = observation.demand_rps @ split.shares * fleet.slot_s
        borne = requests + fleet.standing_kwh / np.maximum(fleet.energy_kwh, np.finfo(float).tiny)
        cost_usd = float(requests @ observation.cost_usd)
        return cls(cost_usd, borne * observation.water_m3, borne * observation.carbon_t)

    def plus(self, other: Shadow) -> Shadow:
        """The sum of both."""
        return self._mixed(1.0, other, 1.0)

    def between(self, other: Shadow, share: float) -> Shadow:
        """A share of the way to another."""
        return self._mixed(1.0 - share, other, share)

    def _mixed(self, mine: float, other: Shadow, its: float) -> Shadow:
        return Shadow(
            mine * self.cost_usd + its * other.cost_usd,
            mine * self.water_m3 + its * other.water_m3,
            mine * self.carbon_t + its * other.carbon_t,
        )

    def objective_usd(self, objective: Objective) -> float:
        """J [US$]."""
        return self.cost_usd + objective.water_usd(self.water_m3) + objective.carbon_usd(self.carbon_t)

    def excess_usd(self, other: Shadow, objective: Objective) -> float:
        """By how much J can at most end above the other's, if from now on both do the same [US$].

        A norm of a sum is at most the sum of the norms: ||mine + rest|| <= ||other + rest|| + ||(mine - other)+||.
        """
        water, carbon = (np.maximum(mine - its, 0.0) for mine, its in zip(self[1:], other[1:], strict=True))
        return self.cost_usd - other.cost_usd + objective.water_usd(water) + objective.carbon_usd(carbon)

    def footprint(self) -> Footprint:
        """As what the ledger says of a finished slot; energy is left out, [sites]."""
        none = np.zeros(len(self.water_m3))
        cost = np.zeros(len(self.water_m3))
        return Footprint(none, none, none, none, none, none, cost, self.carbon_t * KG_PER_T, self.water_m3 * L_PER_M3)
