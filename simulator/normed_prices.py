"""Prices of equity for a norm of burdens that is not their maximum, learned from what sites were charged.

||burden||_q is the largest gamma.burden over gamma >= 0 with ||gamma||_p <= 1, where 1/p + 1/q = 1. With the maximum
gamma lies on the simplex (p = 1, ``prices.py``); with the sum (q = 1) no price is above 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from simulator.norm import dual_order
from simulator.prices import EntropicPrices, Prices

#: Logarithm of the largest number that powers are taken to.
_FARTHEST = 300.0


class NormedEuclideanPrices(Prices):
    """Dual mirror descent (arXiv 2412.16539): gamma += step (charged - share z), gamma_0 = 0.

    z minimises ||z||_q - gamma.z over 0 <= z <= most.
    """

    def __init__(self, sites: int, order: float):
        self.gamma = [0.0] * sites
        self._order = order

    def move(self, charged_usd: Sequence[float], step: float, most_usd: Sequence[float], share: float) -> None:
        """Take a step."""
        z = normed_auxiliary(self.gamma, most_usd, self._order)
        self.gamma = [g + step * (b - share * a) for g, b, a in zip(self.gamma, charged_usd, z, strict=True)]


class NormedEntropicPrices(Prices):
    """Multiplicative weights on shares s_i = gamma_i^p, so that ||gamma||_p is always 1.

    The reward gamma.charged is concave in the shares, so they may follow its slope, charged_i s_i^(-1/q) / p:
    s *= exp(step slope), normalised, which is mirror ascent by entropy (Beck and Teboulle, 2003). With the maximum it
    is hedge. Nothing raises a share by more than a factor e: the bound on the regret of such steps rests on
    exp(x) <= 1 + x + x^2, which holds for x <= 1 (Auer et al., "The nonstochastic multiarmed bandit problem", 2002).
    """

    def __init__(self, sites: int, order: float):
        self._shares = EntropicPrices(sites)
        self._order, self._dual = order, dual_order(order)
        self._take()

    def move(self, charged_usd: Sequence[float], step: float, most_usd: Sequence[float], share: float) -> None:
        """Take a step."""
        steps = [
            min(step * usd / self._dual / s ** (1.0 / self._order), 1.0) if s > 0 else float(usd > 0)
            for usd, s in zip(charged_usd, self._shares.gamma, strict=True)
        ]
        self._shares.move(steps, 1.0, most_usd, share)
        self._take()

    def _take(self) -> None:
        self.gamma = [s ** (1.0 / self._dual) for s in self._shares.gamma]


def normed_auxiliary(gamma: Sequence[float], most: Sequence[float], order: float) -> list[float]:
    """Argmin over 0 <= z <= most of ||z||_q - gamma.z for a finite order q, [sites].

    At norm r, z_i = min(most_i, r c_i) with c_i = gamma_i^(1 / (q - 1)), from the slope (z_i / r)^(q - 1) = gamma_i.
    Sites reach their bound in the order of most_i / c_i, and where it ends r^q = sum of z_i^q: the most_i^q of those
    that did over what the c_i^q of the others leave of 1. While all c_i^q sum to at most 1, ||gamma||_p <= 1 and z = 0.
    """
    if order == 1:
        return [bound if price > 1 else 0.0 for price, bound in zip(gamma, most, strict=True)]
    # A price whose slope would leave floating point is above 1, and its site at its bound, by far.
    most_price = math.exp(_FARTHEST / dual_order(order))
    slopes = [min(price, most_price) ** (1.0 / (order - 1.0)) if price > 0 else 0.0 for price in gamma]
    rising = sorted((i for i in range(len(gamma)) if slopes[i] > 0), key=lambda i: most[i] / slopes[i])
    # What the sites that are not reached yet leave of 1, before each one.
    later = [*accumulate((slopes[i] ** order for i in reversed(rising)), initial=0.0)][::-1]
    if later[0] <= 1 or max(most) <= 0:
        return [0.0] * len(gamma)
    unit, reached, norm = 0.0, 0.0, 0.0
    for k, i in enumerate(rising, start=1):
        # Sums of powers in units of the largest one so far: what is far smaller may vanish, the sum may not.
        if most[i] > unit:
            unit, reached = most[i], reached * (unit / most[i]) ** order
        reached += (most[i] / unit) ** order if unit > 0 else 0.0
        if later[k] < 1:
            norm = unit * (reached / (1.0 - later[k])) ** (1.0 / order)
            if k == len(rising) or norm <= most[rising[k]] / slopes[rising[k]]:
                break
    return [min(bound, norm * slope) for bound, slope in zip(most, slopes, strict=True)]
