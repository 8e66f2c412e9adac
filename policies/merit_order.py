"""Merit order: one weighted sum of cost, carbon and water, minimised slot by slot (GLB-Cost and its kin)."""

from __future__ import annotations

from policies.closeness import Closeness
from policies.dispatch import CloseDispatch
from policies.rule import Rule, checked_rule, ruled
from policies.weights import checked_weight
from simulator.fleet import Fleet, FloatArray
from simulator.plan import Plan
from simulator.policy import Observation, RoutingPolicy


class MeritOrder(RoutingPolicy):
    """min sum of cost_weight x cost [US$] + carbon [t] and water [m3] at their weights."""

    def __init__(
        self,
        cost_weight: float = 1.0,
        carbon_weight_usd_per_t: float = 0.0,
        water_weight_usd_per_m3: float = 0.0,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
    ):
        self.cost_weight = checked_weight("cost_weight", cost_weight)
        self.carbon_weight_usd_per_t = checked_weight("carbon_weight_usd_per_t", carbon_weight_usd_per_t)
        self.water_weight_usd_per_m3 = checked_weight("water_weight_usd_per_m3", water_weight_usd_per_m3)
        self.rule = checked_rule(rule)
        self.closeness = Closeness(rtt_usd_per_request_s, network_p99_ms).checked()

    def start(self, fleet: Fleet) -> None:
        """Set up the program of a slot."""
        self._dispatch = CloseDispatch(self.closeness)

    def price(self, observation: Observation) -> FloatArray:
        """Weighted sum of a request's footprints, [sites]."""
        money = self.cost_weight * observation.cost_usd
        return (
            money
            + self.carbon_weight_usd_per_t * observation.carbon_t
            + self.water_weight_usd_per_m3 * observation.water_m3
        )

    def plan(self, observation: Observation) -> Plan:
        """Fill sites in the order of their price."""
        price, fleet, dispatch = self.price(observation), observation.fleet, self._dispatch
        return ruled(
            self.rule,
            lambda: dispatch.price(fleet, price),
            observation,
            lambda: dispatch.split(fleet, price, observation.demand_rps),
        )


class GlbCost(MeritOrder):
    """GLB-Cost: the cheapest electricity."""

    def __init__(
        self,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
    ):
        super().__init__(1.0, 0.0, 0.0, rule, rtt_usd_per_request_s, network_p99_ms)


class GlbCarbon(MeritOrder):
    """GLB-Carbon: the least carbon."""

    def __init__(
        self,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
    ):
        super().__init__(0.0, 1.0, 0.0, rule, rtt_usd_per_request_s, network_p99_ms)


class GlbWater(MeritOrder):
    """GLB-Water: the least water."""

    def __init__(
        self,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
    ):
        super().__init__(0.0, 0.0, 1.0, rule, rtt_usd_per_request_s, network_p99_ms)


class GlbC2(MeritOrder):
    """GLB-C2: cost and carbon together."""

    def __init__(
        self,
        carbon_weight_usd_per_t: float = 600.0,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
    ):
        super().__init__(1.0, carbon_weight_usd_per_t, 0.0, rule, rtt_usd_per_request_s, network_p99_ms)


class GlbAll(MeritOrder):
    """GLB-All: cost, carbon and water together."""

    def __init__(
        self,
        carbon_weight_usd_per_t: float = 300.0,
        water_weight_usd_per_m3: float = 30.0,
        rule: Rule = "split",
        rtt_usd_per_request_s: float = 0.0,
        network_p99_ms: float | None = None,
    ):
        super().__init__(
            1.0, carbon_weight_usd_per_t, water_weight_usd_per_m3, rule, rtt_usd_per_request_s, network_p99_ms
        )
