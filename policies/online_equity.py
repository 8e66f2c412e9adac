"""Online equity: fill sites by cost and by prices of equity that are learned from the finished slots."""

from __future__ import annotations

from typing import Protocol

from policies.assignment import Dispatch
from policies.rule import Rule, checked_rule, ruled
from policies.weights import OwnWeights
from simulator.fleet import Fleet, FloatArray
from simulator.policy import Observation, Plan, RoutingPolicy


class Dual(Protocol):
    """Prices of equity for one footprint: how much a weighted US$ of it counts at each site."""

    gamma: FloatArray
    """[sites]."""

    def learn(self, burden_usd: FloatArray) -> None:
        """Take in the weighted footprint of a finished slot [US$], [sites]."""
        ...

    def reach(self, most_usd: FloatArray) -> None:
        """Take in the largest weighted footprint that the coming slot can give [US$], [sites]."""
        ...


class OnlineEquity(RoutingPolicy):
    """Minimise cost + gamma-weighted footprints slot by slot; a :class:`Dual` learns gamma for each footprint."""

    def __init__(
        self,
        step: float,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rule: Rule = "split",
    ):
        if not 0 < step < float("inf"):
            raise ValueError(f"step must be above 0 (given {step})")
        self.step = step
        self.weights = OwnWeights(water_weight_usd_per_m3, carbon_weight_usd_per_t).checked()
        self.rule = checked_rule(rule)

    def dual(self, sites: int) -> Dual:
        """Fresh prices for this many sites."""
        raise NotImplementedError

    def start(self, fleet: Fleet) -> None:
        """Set up the program of a slot, and forget all prices."""
        self._dispatch = Dispatch(fleet)
        self._mu_water, self._mu_carbon = self.weights.objective(fleet)
        self._water, self._carbon = self.dual(len(fleet.sites)), self.dual(len(fleet.sites))

    def plan(self, observation: Observation) -> Plan:
        """Learn from the finished slot, then fill sites in the order of cost and equity prices."""
        if observation.last is not None:
            self._water.learn(self._mu_water * observation.last.water_m3)
            self._carbon.learn(self._mu_carbon * observation.last.carbon_t)
        water, carbon = self._mu_water * observation.water_m3, self._mu_carbon * observation.carbon_t
        fleet = observation.fleet
        # The largest burden of a slot: all places at the planned load, and what servers draw by being on.
        load = fleet.capacity_rps * fleet.slot_s + fleet.standing_kwh / fleet.energy_kwh
        self._water.reach(water * load)
        self._carbon.reach(carbon * load)
        price = observation.cost_usd + (self._carbon.gamma * carbon + self._water.gamma * water)
        return ruled(self.rule, price, observation, lambda: self._dispatch.split(price, observation.demand_rps))
