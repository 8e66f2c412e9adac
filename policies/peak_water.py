"""Peak water: the cheapest sites, none of which may drink more in a slot than its limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from policies.grouping import Grouping, by_allowed_sites
from policies.merit_order import MeritOrder
from policies.rule import Rule, ruled
from policies.site_limits import SiteLimits, check_given, checked_limits, limits_of
from policies.slot_program import SlotProgram
from simulator.fleet import Fleet, FloatArray
from simulator.plan import Plan, Split
from simulator.policy import Observation
from simulator.units import L_PER_M3, S_PER_H

#: How the run's notes call it.
WISH = "limit on water"
#: How much more than the dearest request one beyond a limit costs, at the site that needs the least water for it.
ABOVE = 1e3


class PeakWater(MeritOrder):
    """min sum of cost and carbon at its weight, slot by slot, with at most ``limit_m3_per_h`` of water at each site.

    What servers drink by being on counts too. The limit is a smaller capacity in that slot. It gives way for requests
    that could not be served otherwise, by as little water as possible.
    """

    def __init__(
        self,
        limit_m3_per_h: SiteLimits | None = None,
        carbon_weight_usd_per_t: float = 0.0,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
    ):
        super().__init__(1.0, carbon_weight_usd_per_t, 0.0, rule, rtt_usd_per_request_s, network_p99_ms)
        self.limit_m3_per_h = checked_limits("limit_m3_per_h", limit_m3_per_h)

    def check(self, fleet: Fleet) -> None:
        """Whether there is a limit, of sites of this fleet."""
        check_given("limit_m3_per_h", self.limit_m3_per_h, fleet)

    def start(self, fleet: Fleet) -> None:
        """Set up the program of a slot."""
        super().start(fleet)
        self._limit_m3 = limits_of("limit_m3_per_h", self.limit_m3_per_h, fleet) * fleet.slot_s / S_PER_H

    def plan(self, observation: Observation) -> Plan:
        """Fill sites up to what they may drink in the order of their price."""
        price, fleet, dispatch = self.price(observation), observation.fleet, self._dispatch
        capacity_rps = self._capacity_rps(observation)
        return ruled(
            self.rule,
            lambda: dispatch.price(fleet, price),
            observation,
            lambda: self._split(observation, price, capacity_rps),
            capacity_rps,
        )

    def _capacity_rps(self, observation: Observation) -> FloatArray:
        """What each site may serve in this slot [requests/s], [sites]."""
        fleet, water_m3 = observation.fleet, observation.water_m3
        standing_m3 = observation.water_l_per_kwh * fleet.standing_kwh / L_PER_M3
        room_m3 = np.maximum(self._limit_m3 - standing_m3, 0.0)
        most = np.full(len(water_m3), np.inf)
        np.divide(room_m3, water_m3 * fleet.slot_s, out=most, where=water_m3 > 0)
        return np.minimum(fleet.capacity_rps, most)

    def _split(self, observation: Observation, price: FloatArray, capacity_rps: FloatArray) -> Split:
        fleet, demand_rps, dispatch = observation.fleet, observation.demand_rps, self._dispatch
        if (capacity_rps >= fleet.capacity_rps).all():
            return dispatch.split(fleet, price, demand_rps)
        within = dispatch.split(replace(fleet, capacity_rps=capacity_rps), price, demand_rps)
        if within.witness is None:
            return within
        served = _least_beyond(fleet, price, demand_rps, capacity_rps, observation.water_m3)
        raised = replace(fleet, capacity_rps=np.maximum(capacity_rps, served))
        return replace(dispatch.split(raised, price, demand_rps), stretched=within.witness._replace(wish=WISH))


def _least_beyond(
    fleet: Fleet, price: FloatArray, demand_rps: FloatArray, capacity_rps: FloatArray, water_m3: FloatArray
) -> FloatArray:
    """What each site serves when as little water as possible is drunk beyond these capacities [requests/s], [sites].

    Every site stands twice in this program: up to its limit, and beyond it at a price that follows its water.
    """
    grouping, sites, limited = by_allowed_sites(fleet), len(price), capacity_rps < fleet.capacity_rps
    twice = Grouping(grouping.member, np.hstack([grouping.allowed, grouping.allowed]))
    # Hardly any saving is worth a litre beyond a limit; where water is the same, the cheaper site goes beyond its own.
    dearest = float(np.abs(price).max()) or 1.0
    above = ABOVE * dearest * water_m3 / water_m3[limited].min()
    both = np.concatenate([capacity_rps, fleet.capacity_rps - capacity_rps])
    program = SlotProgram(replace(fleet, capacity_rps=both), twice)
    flow = program.flow(np.concatenate([price, price + above]), grouping.demand(demand_rps), both).sum(axis=0)
    return np.asarray(flow[:sites] + flow[sites:])
