"""Merit order: one weighted sum of cost, carbon and water, minimised slot by slot (GLB-Cost and its kin)."""

from __future__ import annotations

from policies.assignment import Dispatch
from policies.current import Current
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
    ):
        self.cost_weight = checked_weight("cost_weight", cost_weight)
        self.carbon_weight_usd_per_t = checked_weight("carbon_weight_usd_per_t", carbon_weight_usd_per_t)
        self.water_weight_usd_per_m3 = checked_weight("water_weight_usd_per_m3", water_weight_usd_per_m3)
        self.rule = checked_rule(rule)

    def start(self, fleet: Fleet) -> None:
        """Set up the program of a slot."""
        self._dispatch = Current(Dispatch)

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
        price, dispatch = self.price(observation), self._dispatch.of(observation.fleet)
        return ruled(self.rule, price, observation, lambda: dispatch.split(price, observation.demand_rps))


class GlbCost(MeritOrder):
    """GLB-Cost: the cheapest electricity."""

    def __init__(self, rule: Rule = "split"):
        super().__init__(rule=rule)


class GlbCarbon(MeritOrder):
    """GLB-Carbon: the least carbon."""

    def __init__(self, rule: Rule = "split"):
        super().__init__(0.0, 1.0, 0.0, rule)


class GlbWater(MeritOrder):
    """GLB-Water: the least water."""

    def __init__(self, rule: Rule = "split"):
        super().__init__(0.0, 0.0, 1.0, rule)


class GlbC2(MeritOrder):
    """GLB-C2: cost and carbon together."""

    def __init__(self, carbon_weight_usd_per_t: float = 600.0, rule: Rule = "split"):
        super().__init__(1.0, carbon_weight_usd_per_t, 0.0, rule)


class GlbAll(MeritOrder):
    """GLB-All: cost, carbon and water together."""

    def __init__(
        self, carbon_weight_usd_per_t: float = 300.0, water_weight_usd_per_m3: float = 30.0, rule: Rule = "split"
    ):
        super().__init__(1.0, carbon_weight_usd_per_t, water_weight_usd_per_m3, rule)
