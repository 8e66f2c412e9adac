"""Water cap: the cheapest sites, within a yearly allowance of water for each, by drift plus penalty.

Each site has a virtual queue of the water that it has drunk beyond its allowance so far. Neely, "Stochastic network
optimization with application to communication and queueing systems" (Morgan & Claypool, 2010), chapter 4. For water of
data centres: Islam et al., "Water-constrained geographic load balancing in data centers", IEEE Transactions on Cloud
Computing 5 (2017).
"""

from __future__ import annotations

import numpy as np

from policies.merit_order import MeritOrder
from policies.rule import Rule
from policies.site_limits import SiteLimits, check_given, checked_limits, limits_of
from policies.weights import checked_weight
from simulator.fleet import Fleet, FloatArray
from simulator.plan import Plan
from simulator.policy import Observation
from simulator.units import H_PER_DAY, S_PER_H, S_PER_YEAR


class WaterCap(MeritOrder):
    """min sum of (cost + carbon at its weight) + price_i water_i: the price follows how far a site is ahead.

    Q_i = max(0, Q_i + water_i - allowance of a slot) [m3] after each slot; the price of a m3 at site i is
    ``price_usd_per_m3_day`` x Q_i / (its allowance of a day). Without an allowance it is ``glb-cost``.
    """

    def __init__(
        self,
        allowance_m3_per_year: SiteLimits | None = None,
        price_usd_per_m3_day: float = 30.0,
        carbon_weight_usd_per_t: float = 0.0,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
    ):
        super().__init__(1.0, carbon_weight_usd_per_t, 0.0, rule, rtt_usd_per_request_s, network_p99_ms)
        self.allowance_m3_per_year = checked_limits("allowance_m3_per_year", allowance_m3_per_year, is_positive=True)
        self.price_usd_per_m3_day = checked_weight("price_usd_per_m3_day", price_usd_per_m3_day)

    def check(self, fleet: Fleet) -> None:
        """Whether there is an allowance, of sites of this fleet."""
        check_given("allowance_m3_per_year", self.allowance_m3_per_year, fleet)

    def start(self, fleet: Fleet) -> None:
        """Nobody has drunk anything."""
        super().start(fleet)
        per_second = limits_of("allowance_m3_per_year", self.allowance_m3_per_year, fleet) / S_PER_YEAR
        self._allowance_m3 = per_second * fleet.slot_s
        self._usd_per_m3 = self.price_usd_per_m3_day / (per_second * S_PER_H * H_PER_DAY)
        self._ahead_m3 = np.zeros(len(fleet.sites))

    def price(self, observation: Observation) -> FloatArray:
        """Cost and carbon of a request, and its water at the price of the site, [sites]."""
        return super().price(observation) + self._usd_per_m3 * self._ahead_m3 * observation.water_m3

    def plan(self, observation: Observation) -> Plan:
        """Count what the last slot drank, and fill sites in the order of their price."""
        if observation.last is not None:
            self._ahead_m3 = np.maximum(self._ahead_m3 + observation.last.water_m3 - self._allowance_m3, 0.0)
        return super().plan(observation)
