"""eGLB: equity-aware online routing by dual mirror descent (arXiv 2412.16539)."""

from __future__ import annotations

import numpy as np

from policies.online_equity import OnlineEquity
from policies.rule import Rule
from simulator.fleet import FloatArray


class MirrorDescent:
    """gamma += step (b_t - z_t), gamma_0 = 0, where b_t is the weighted footprint of slot t [US$], [sites].

    z_t minimises max(z) - gamma.z over 0 <= z <= zbar, and zbar is the largest that a slot so far could give.
    """

    def __init__(self, sites: int, step: float):
        self.gamma: FloatArray = np.zeros(sites)
        self._most: FloatArray = np.zeros(sites)
        self._step = step

    def learn(self, burden_usd: FloatArray) -> None:
        """Take the step of a finished slot."""
        self.gamma = self.gamma + self._step * (burden_usd - auxiliary(self.gamma, self._most))

    def reach(self, most_usd: FloatArray) -> None:
        """Widen zbar."""
        self._most = np.maximum(self._most, most_usd)


class EquitableOnline(OnlineEquity):
    """Cost plus equity prices by dual mirror descent on the paper's objective."""

    def __init__(
        self,
        step: float = 5.0e-5,
        water_weight_usd_per_m3: float | None = None,
        carbon_weight_usd_per_t: float | None = None,
        rule: Rule = "split",
    ):
        super().__init__(step, water_weight_usd_per_m3, carbon_weight_usd_per_t, rule)

    def dual(self, sites: int) -> MirrorDescent:
        """Prices that start at zero."""
        return MirrorDescent(sites, self.step)


def auxiliary(gamma: FloatArray, most: FloatArray) -> FloatArray:
    """Argmin over 0 <= z <= most of max(z) - gamma.z, in closed form, [sites].

    With the maximum at m, z_i = min(m, most_i) where gamma_i > 0; the best m is 0 or one of ``most``.
    """
    worth = np.maximum(gamma, 0.0)
    levels = np.concatenate([[0.0], most])
    value = levels - (np.minimum(levels[:, None], most) * worth).sum(axis=1)
    level = levels[int(np.argmin(value))]
    return np.where(gamma > 0, np.minimum(level, most), 0.0)
