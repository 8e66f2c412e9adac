"""Prices of equity whose steps adapt by themselves: whatever the size of the fleet and the length of its slots.

They keep how hard the burdens so far were to follow, and take the step that this calls for. Burdens repeat by the day,
so that a round is a day: what comes and goes within one day is no news. Plain Python; the compiled kernels
(``core/adaptive.py``) give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from simulator.prices import Prices, auxiliary
from simulator.units import S_PER_DAY


class Pace(NamedTuple):
    """What a slot says of adaptive steps."""

    factor: float
    """Hardness grows as the square root of time, at most: what there is of it now is this share of it at the end."""
    round: int
    """The number of the round that the slot belongs to."""


def pace_of(slot: int, slots: int, slot_s: float) -> Pace:
    """The pace of a slot of a run: rounds are days since its start."""
    return Pace(math.sqrt((slot + 1) / slots), int(slot * slot_s // S_PER_DAY))


class AdaptiveEntropicPrices(Prices):
    """AdaHedge: gamma_i in proportion to exp(rate x all that site i was charged), rate = factor ln N / gap.

    The gap is the sum over rounds of the mixability gap, of the round as a whole or of its moves one by one, whichever
    is more: de Rooij, van Erven, Grünwald, Koolen, "Follow the leader if you can, hedge if you must", JMLR 15 (2014).
    """

    def __init__(self, sites: int):
        self.gamma = [1.0 / sites] * sites
        self._total = [0.0] * sites
        self.rate = math.inf
        self._before = self._hardness = 0.0
        self.begin_round()

    def begin_round(self) -> None:
        """A round begins."""
        self._before, self._moves = self._hardness, 0.0
        self._opening, self._round = self.gamma, [0.0] * len(self.gamma)

    def move(self, charged_usd: Sequence[float], step: float, most_usd: Sequence[float], share: float) -> None:
        """Take a step; ``step`` is the factor of the pace."""
        self._moves += mixability_gap(self.gamma, charged_usd, self.rate)
        self._round = [old + usd for old, usd in zip(self._round, charged_usd, strict=True)]
        self._total = [old + usd for old, usd in zip(self._total, charged_usd, strict=True)]
        whole = mixability_gap(self._opening, self._round, self.rate)
        self._hardness = max(self._hardness, self._before + max(self._moves, whole))
        if self._hardness > 0.0:
            self.rate = min(self.rate, step * math.log(len(self.gamma)) / self._hardness)
            highest = max(self._total)
            weights = [math.exp(self.rate * (total - highest)) for total in self._total]
            summed = _summed(weights)
            self.gamma = [weight / summed for weight in weights]


class AdaptiveEuclideanPrices(Prices):
    """Dual mirror descent with AdaGrad's step: gamma += rate (charged - share z), rate = factor / sqrt(squares).

    The squares are those of the slopes, summed over rounds, of the round as a whole or of its moves one by one,
    whichever is more; prices that count are at most 1, the size of the ball. Streeter and McMahan, "Less regret via
    online conditioning" (2010); Duchi, Hazan and Singer, JMLR 12 (2011).
    """

    def __init__(self, sites: int):
        self.gamma = [0.0] * sites
        self.rate = math.inf
        self._before = self._hardness = 0.0
        self.begin_round()

    def begin_round(self) -> None:
        """A round begins."""
        self._before, self._moves, self._round = self._hardness, 0.0, [0.0] * len(self.gamma)

    def move(self, charged_usd: Sequence[float], step: float, most_usd: Sequence[float], share: float) -> None:
        """Take a step; ``step`` is the factor of the pace."""
        z = auxiliary(self.gamma, most_usd)
        slope = [b - share * a for b, a in zip(charged_usd, z, strict=True)]
        self._round = [old + usd for old, usd in zip(self._round, slope, strict=True)]
        self._moves += _summed([usd * usd for usd in slope])
        whole = _summed([usd * usd for usd in self._round])
        self._hardness = max(self._hardness, self._before + max(self._moves, whole))
        if self._hardness > 0.0:
            self.rate = min(self.rate, step / math.sqrt(self._hardness))
            self.gamma = [g + self.rate * usd for g, usd in zip(self.gamma, slope, strict=True)]


def mixability_gap(weights: Sequence[float], gains: Sequence[float], rate: float) -> float:
    """What hedging loses to the best mix of a move: ln(sum of weight exp(rate gain)) / rate - sum of weight gain.

    With an infinite rate the best mix is the largest gain.
    """
    highest, mean, mixed = max(gains), 0.0, 0.0
    for weight, gain in zip(weights, gains, strict=True):
        mean += weight * gain
        if rate < math.inf:
            mixed += weight * math.expm1(rate * (gain - highest))
    if rate == math.inf or mixed <= -1.0:
        return max(0.0, highest - mean)
    return max(0.0, highest - mean + math.log1p(mixed) / rate)


def _summed(numbers: Sequence[float]) -> float:
    """The sum, one number after the other."""
    *_, total = accumulate(numbers, initial=0.0)
    return total
