"""Prices of equity: how much a weighted US$ of a footprint counts at each site, learned from what sites were charged.

Plain Python, one number after the other: the readable meaning of the compiled kernels (``core/prices.py``), which give
the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol


class Prices(Protocol):
    """Prices of one footprint."""

    gamma: list[float]
    """[sites]."""

    def begin_round(self) -> None:
        """A round of adaptive steps begins; steps that are given have none."""
        return None

    def move(self, charged_usd: Sequence[float], step: float, most_usd: Sequence[float], share: float) -> None:
        """Take a step with the weighted footprint of some requests [US$], [sites].

        ``most_usd`` is the largest that a slot can give, and ``share`` what part of a slot the requests are.
        """
        ...


class EuclideanPrices(Prices):
    """Dual mirror descent (arXiv 2412.16539): gamma += step (charged - share z), gamma_0 = 0.

    z minimises max(z) - gamma.z over 0 <= z <= most.
    """

    def __init__(self, sites: int):
        self.gamma = [0.0] * sites

    def move(self, charged_usd: Sequence[float], step: float, most_usd: Sequence[float], share: float) -> None:
        """Take a step."""
        z = auxiliary(self.gamma, most_usd)
        self.gamma = [g + step * (b - share * a) for g, b, a in zip(self.gamma, charged_usd, z, strict=True)]


class EntropicPrices(Prices):
    """Multiplicative weights (Freund and Schapire, 1997): gamma *= exp(step charged), normalised, gamma_0 = 1/N.

    The largest burden is the largest gamma.burden on the simplex, so that no bound on what a slot can give is needed.
    """

    #: Weights are relative to a base that follows the largest one at this distance: exp neither overflows nor fades.
    REACH = 1.0

    def __init__(self, sites: int):
        self.gamma = [1.0 / sites] * sites
        self._logarithm = [0.0] * sites
        self._weight = [1.0] * sites
        self._base = 0.0

    def move(self, charged_usd: Sequence[float], step: float, most_usd: Sequence[float], share: float) -> None:
        """Take a step; only weights that moved are taken anew."""
        self._logarithm = [old + step * usd for old, usd in zip(self._logarithm, charged_usd, strict=True)]
        highest = max(self._logarithm)
        moved = [abs(highest - self._base) > self.REACH or usd != 0.0 for usd in charged_usd]
        if abs(highest - self._base) > self.REACH:
            self._base = highest
        for site, logarithm in enumerate(self._logarithm):
            if moved[site]:
                self._weight[site] = math.exp(logarithm - self._base)
        total = 0.0
        for weight in self._weight:
            total += weight
        self.gamma = [weight / total for weight in self._weight]


def auxiliary(gamma: Sequence[float], most: Sequence[float]) -> list[float]:
    """Argmin over 0 <= z <= most of max(z) - gamma.z, in closed form, [sites].

    With the maximum at m, z_i = min(m, most_i) where gamma_i > 0. Raising m pays as long as the sites that can follow
    have more than 1 of gamma together.
    """
    level, total = 0.0, 0.0
    for site in falling(most):
        if gamma[site] > 0:
            total += gamma[site]
            if total > 1.0:
                level = most[site]
                break
    return [min(level, bound) if price > 0 else 0.0 for price, bound in zip(gamma, most, strict=True)]


def falling(most: Sequence[float]) -> list[int]:
    """Sites from the largest to the smallest; of equal ones the lower index first."""
    return sorted(range(len(most)), key=lambda site: -most[site])
