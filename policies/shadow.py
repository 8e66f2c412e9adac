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

    cost_usd: FloatArray
    """[sites]; likewise water and carbon."""
    water_m3: FloatArray
    carbon_t: FloatArray

    @classmethod
    def none(cls, fleet: Fleet) -> Shadow:
        """Nothing yet."""
        return cls(*(np.zeros(len(fleet.sites)) for _ in cls._fields))

    @classmethod
    def of(cls, split: Split, observation: Observation) -> Shadow:
        """What a slot comes to under shares of its demand, servers that are on included."""
        fleet = observation.fleet
        borne = observation.demand_rps @ split.shares * fleet.slot_s + fleet.standing_requests
        return cls(borne * observation.cost_usd, borne * observation.water_m3, borne * observation.carbon_t)

    @classmethod
    def metered(cls, footprint: Footprint) -> Shadow:
        """What meters say, [sites]."""
        return cls(footprint.cost_usd, footprint.water_m3, footprint.carbon_t)

    def over(self, expected: Shadow) -> Shadow:
        """How often this is what was expected; 1 where nothing was."""
        pairs = zip(self, expected, strict=True)
        return Shadow(*(np.divide(mine, its, out=np.ones(len(its)), where=its > 0) for mine, its in pairs))

    def times(self, factors: Shadow) -> Shadow:
        """Each part by its factor."""
        return Shadow(*(mine * its for mine, its in zip(self, factors, strict=True)))

    def plus(self, other: Shadow) -> Shadow:
        """The sum of both."""
        return Shadow(*(mine + its for mine, its in zip(self, other, strict=True)))

    def between(self, other: Shadow, share: float) -> Shadow:
        """A share of the way to another."""
        return Shadow(*(mine + share * (its - mine) for mine, its in zip(self, other, strict=True)))

    def objective_usd(self, objective: Objective) -> float:
        """J [US$]."""
        equity_usd = objective.water_usd(self.water_m3) + objective.carbon_usd(self.carbon_t)
        return float(self.cost_usd.sum()) + equity_usd

    def excess_usd(self, other: Shadow, objective: Objective) -> float:
        """By how much J can at most end above the other's, if from now on both do the same [US$].

        A norm of a sum is at most the sum of the norms: ||mine + rest|| <= ||other + rest|| + ||(mine - other)+||.
        """
        water, carbon = (np.maximum(mine - its, 0.0) for mine, its in zip(self[1:], other[1:], strict=True))
        more_usd = float((self.cost_usd - other.cost_usd).sum())
        return more_usd + objective.water_usd(water) + objective.carbon_usd(carbon)

    def footprint(self) -> Footprint:
        """As what the ledger says of a finished slot; energy is left out, [sites]."""
        none = np.zeros(len(self.water_m3))
        water_l, carbon_kg = self.water_m3 * L_PER_M3, self.carbon_t * KG_PER_T
        return Footprint(none, none, none, none, none, none, self.cost_usd, carbon_kg, water_l)
