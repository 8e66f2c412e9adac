"""Hedge: the saddle point of J with multiplicative weights on the simplex of sites."""

from __future__ import annotations

import numpy as np

from policies.rule import Rule, checked_rule, ruled
from policies.slot_program import SlotProgram
from policies.weights import OwnWeights
from simulator.fleet import Fleet, FloatArray
from simulator.policy import Observation, Plan, RoutingPolicy


class Hedge(RoutingPolicy):
    """max_i b_i is the largest gamma.b on the simplex: gamma *= exp(step b_t), normalised for each footprint.

    gamma_0 = 1/N; b_t = (mu_c carbon, mu_w water) of the finished slot by site [US$].
    Multiplicative weights: Freund and Schapire, 1997.
    """

    def __init__(
        self,
        step: float = 2.0e-4,
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
        """Every site weighs the same."""
        self._program = SlotProgram(fleet)
        self._objective = self.weights.objective(fleet)
        sites = len(fleet.sites)
        self._log_water, self._log_carbon = np.zeros(sites), np.zeros(sites)

    def plan(self, observation: Observation) -> Plan:
        """Learn from the finished slot, then fill sites in the order of cost and equity prices."""
        mu_water, mu_carbon = self._objective
        if observation.last is not None:
            self._log_water = self._log_water + self.step * mu_water * observation.last.water_m3
            self._log_carbon = self._log_carbon + self.step * mu_carbon * observation.last.carbon_t
        gamma_water, gamma_carbon = simplex(self._log_water), simplex(self._log_carbon)
        equity = gamma_carbon * (mu_carbon * observation.carbon_t) + gamma_water * (mu_water * observation.water_m3)
        price = observation.cost_usd + equity
        return ruled(self.rule, price, observation, lambda: self._program.solve(price, observation.demand_rps))


def simplex(logarithm: FloatArray) -> FloatArray:
    """Weights that sum to one, from their logarithms up to a constant."""
    weights = np.exp(logarithm - logarithm.max())
    return np.asarray(weights / weights.sum())
