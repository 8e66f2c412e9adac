"""The planning problem over a sample of slots, with the largest burdens smoothed: it gives prices of equity."""

from __future__ import annotations

import numpy as np

from policies.grouping import by_allowed_sites
from simulator.core.fill import Filled, Offers, desk_of
from simulator.core.saddle import Search, Stakes, settle
from simulator.fleet import Fleet, FloatArray
from simulator.objective import Objective
from simulator.policy import Observation

#: What the found plan may lack to the best one, as a share of its J; and the most fillings of a search. About half of
#: the searches end at the latter: ten times as many change J of a run by a few hundredths of a percent.
TOLERANCE, MOST_ROUNDS = 3e-5, 60


class SmoothedProgram:
    """min sum over slots of weight x (cost + burdens), the burdens of the sites taken by a smoothed norm.

    Prices depend on the site alone here, so that slots are filled greedily, with full and with partial GLB.
    """

    def __init__(self, fleet: Fleet, objective: Objective):
        self._fleet, self._objective = fleet, objective
        self._grouping = by_allowed_sites(fleet)
        sites = len(fleet.sites)
        self._plans = [
            Filled(np.zeros(1), np.zeros(sites), np.zeros(sites), np.zeros(1), np.zeros((0, sites))) for _ in range(2)
        ]

    def burden_usd(self, water_m3: FloatArray, carbon_t: FloatArray) -> FloatArray:
        """What footprints of the sites weigh [US$]: water and carbon, [2, ..., sites]."""
        objective = self._objective
        water_usd = objective.water_weight_usd_per_m3 * objective.weighted_water(water_m3)
        return np.stack([water_usd, objective.carbon_weight_usd_per_t * objective.weighted_carbon(carbon_t)])

    def equity_usd(self, gamma: FloatArray, observation: Observation) -> FloatArray:
        """What equity costs a request of this slot at each site [US$], at prices ``gamma`` [2, sites], [sites]."""
        return np.asarray((gamma * self.burden_usd(observation.water_m3, observation.carbon_t)).sum(axis=0))

    def prices(
        self,
        signals: FloatArray,
        demand_rps: FloatArray,
        weights: FloatArray,
        spent_usd: FloatArray,
        temperature_usd: FloatArray,
    ) -> FloatArray:
        """The prices of a US$ of burden at each site, [2, sites]: water, carbon.

        Parameters
        ----------
        signals
            cost [US$], water [m3] and carbon [t] of a request in the slots, [3, slots, sites].
        demand_rps
            [slots, origins].
        weights
            so many times does each slot count, [slots].
        spent_usd
            the burdens that the sums start from, [2, sites].
        temperature_usd
            how far the largest burdens are smoothed, [2].
        """
        fleet, order = self._fleet, self._objective.norm
        burden = self.burden_usd(signals[1], signals[2])
        # What servers drink and emit by being on is borne whatever they serve.
        borne = spent_usd + np.tensordot(burden * fleet.standing_requests, weights, axes=([1], [0]))
        offers = Offers(
            cost=np.ascontiguousarray(signals[0] * weights[:, None]),
            water=np.ascontiguousarray(burden[0] * weights[:, None]),
            carbon=np.ascontiguousarray(burden[1] * weights[:, None]),
            demand=self._grouping.demand(demand_rps) * fleet.slot_s,
            capacity=np.array(fleet.capacity_rps * fleet.slot_s),
            allowed=np.array(self._grouping.allowed),
        )
        smallest = 1e-12 * max(float(borne.max(initial=0.0)), 1.0)
        stakes = Stakes(borne, np.maximum(temperature_usd, smallest), order)
        sites = len(fleet.sites)
        even = sites ** (1.0 / order - 1.0)
        search = Search(np.full((2, sites), even), np.zeros((2, sites)), *self._plans)
        settle(offers, stakes, desk_of(offers), search, TOLERANCE, MOST_ROUNDS)
        return search.price
