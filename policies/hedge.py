"""Hedge: the saddle point of J with multiplicative weights on the simplex of sites (Freund and Schapire, 1997)."""

from __future__ import annotations

import math

import numpy as np

from policies.online_equity import OnlineEquity
from policies.rule import Rule
from simulator.fleet import FloatArray


class MultiplicativeWeights:
    """gamma *= exp(step b_t), normalised; gamma_0 = 1/N; b_t is the weighted footprint of slot t [US$], [sites].

    The largest b_i is the largest gamma.b on the simplex, so gamma needs no bound on what a slot can give.
    """

    def __init__(self, sites: int, step: float):
        self._logarithm: FloatArray = np.zeros(sites)
        self._step = step
        self.gamma: FloatArray = simplex(self._logarithm)

    def learn(self, burden_usd: FloatArray) -> None:
        """Take the step of a finished slot."""
        self._logarithm = self._logarithm + self._step * burden_usd
        self.gamma = simplex(self._logarithm)

    def reach(self, most_usd: FloatArray) -> None:
        """Nothing to note."""


class Hedge(OnlineEquity):
    """Cost plus equity prices by multiplicative weights on the paper's objective."""

    def __init__(
        self,
        step: float = 2.0e-4,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rule: Rule = "split",
    ):
        super().__init__(step, water_weight_usd_per_m3, carbon_weight_usd_per_t, rule)

    def dual(self, sites: int) -> MultiplicativeWeights:
        """Prices that start even."""
        return MultiplicativeWeights(sites, self.step)


def simplex(logarithm: FloatArray) -> FloatArray:
    """Weights that sum to one, from their logarithms up to a constant."""
    most = logarithm.max()
    weights = np.array([math.exp(value - most) for value in logarithm])
    return np.asarray(weights / weights.sum())
