"""eGLB: equity-aware online routing by dual mirror descent (arXiv 2412.16539)."""

from __future__ import annotations

import numpy as np

from policies.rule import Rule, checked_rule, ruled
from policies.slot_program import SlotProgram
from policies.weights import OwnWeights
from simulator.fleet import Fleet, FloatArray
from simulator.policy import Observation, Plan, RoutingPolicy


class EquitableOnline(RoutingPolicy):
    """x_t minimises cost + gamma-weighted footprints; gamma += step (b_t - z_t), gamma_0 = 0.

    b_t = (mu_c carbon, mu_w water) of the finished slot by site [US$], and z_t minimises
    max(z_c) + max(z_w) - gamma.z over 0 <= z <= zbar, where zbar is the largest that a slot can give.
    """

    def __init__(
        self,
        step: float = 5.0e-5,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rule: Rule = "split",
    ):
        if not 0 < step < float("inf"):
            raise ValueError(f"step must be above 0 (given {step})")
        self.step = step
        self.weights = OwnWeights(water_weight_usd_per_m3, carbon_weight_usd_per_t).checked()
        self.rule = checked_rule(rule)

    def start(self, fleet: Fleet) -> None:
        """Prices of equity start at zero."""
        self._program = SlotProgram(fleet)
        self._objective = self.weights.objective(fleet)
        sites = len(fleet.sites)
        self._gamma_water, self._gamma_carbon = np.zeros(sites), np.zeros(sites)
        self._most_water, self._most_carbon = np.zeros(sites), np.zeros(sites)

    def plan(self, observation: Observation) -> Plan:
        """Learn from the finished slot, then fill sites in the order of cost and equity prices."""
        mu_water, mu_carbon = self._objective
        if observation.last is not None:
            water, carbon = mu_water * observation.last.water_m3, mu_carbon * observation.last.carbon_t
            self._gamma_water = self._gamma_water + self.step * (water - auxiliary(self._gamma_water, self._most_water))
            self._gamma_carbon = self._gamma_carbon + self.step * (
                carbon - auxiliary(self._gamma_carbon, self._most_carbon)
            )
        requests = observation.fleet.capacity_rps * observation.fleet.slot_s
        self._most_water = np.maximum(self._most_water, mu_water * observation.water_m3 * requests)
        self._most_carbon = np.maximum(self._most_carbon, mu_carbon * observation.carbon_t * requests)
        equity = self._gamma_carbon * (mu_carbon * observation.carbon_t) + self._gamma_water * (
            mu_water * observation.water_m3
        )
        price = observation.cost_usd + equity
        return ruled(self.rule, price, observation, lambda: self._program.solve(price, observation.demand_rps))


def auxiliary(gamma: FloatArray, most: FloatArray) -> FloatArray:
    """Argmin over 0 <= z <= most of max(z) - gamma.z, in closed form, [sites].

    With the maximum at m, z_i = min(m, most_i) where gamma_i > 0; the best m is 0 or one of ``most``.
    """
    worth = np.maximum(gamma, 0.0)
    levels = np.concatenate([[0.0], most])
    value = levels - np.minimum(levels[:, None], most) @ worth
    level = levels[int(np.argmin(value))]
    return np.where(gamma > 0, np.minimum(level, most), 0.0)
