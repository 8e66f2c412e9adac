"""Steps of equity prices that adapt by themselves (docs/policies.md).

The plain twin of these kernels is ``simulator/adaptive_prices.py``; both give the same bits.
"""

from __future__ import annotations

import math

from .jit import inlined
from .plan import ADAPTIVE_ENTROPIC, Steps
from .state import Records


@inlined
def begin_round(prices: Records, paces: Records, number: int) -> None:
    """A round begins: what was hard in the one before is kept."""
    for footprint in range(len(paces)):
        pace = paces[footprint]
        pace.number, pace.before, pace.moves = number, pace.hardness, 0.0
        for i in range(prices.shape[1]):
            price = prices[footprint, i]
            price.opening, price.round_usd = price.gamma, 0.0


@inlined
def adapt(prices: Records, paces: Records, steps: Steps, footprint: int, level: float) -> None:
    """Move the prices of a footprint by what was charged; ``level`` is that of the auxiliary step."""
    if steps.kind == ADAPTIVE_ENTROPIC:
        _entropic(prices, paces[footprint], steps.step, footprint)
    else:
        _euclidean(prices, paces[footprint], steps, footprint, level)


@inlined
def _entropic(prices: Records, pace: Records, factor: float, footprint: int) -> None:
    """Gamma in proportion to exp(rate total), rate = factor ln N / gap."""
    pace.moves += _gap(prices, footprint, pace.rate, False)
    highest, summed = -math.inf, 0.0
    for i in range(prices.shape[1]):
        price = prices[footprint, i]
        price.round_usd += price.charged_usd
        price.logarithm += price.charged_usd
        highest = max(highest, price.logarithm)
    whole = _gap(prices, footprint, pace.rate, True)
    pace.hardness = max(pace.hardness, pace.before + max(pace.moves, whole))
    if pace.hardness > 0.0:
        pace.rate = min(pace.rate, factor * math.log(prices.shape[1]) / pace.hardness)
        for i in range(prices.shape[1]):
            price = prices[footprint, i]
            price.weight = math.exp(pace.rate * (price.logarithm - highest))
            summed += price.weight
        for i in range(prices.shape[1]):
            prices[footprint, i].gamma = prices[footprint, i].weight / summed


@inlined
def _gap(prices: Records, footprint: int, rate: float, is_whole: bool) -> float:
    """The mixability gap of the round so far as a whole, or of the move."""
    highest, mean, mixed = -math.inf, 0.0, 0.0
    for i in range(prices.shape[1]):
        price = prices[footprint, i]
        highest = max(highest, price.round_usd if is_whole else price.charged_usd)
    for i in range(prices.shape[1]):
        price = prices[footprint, i]
        weight = price.opening if is_whole else price.gamma
        gain = price.round_usd if is_whole else price.charged_usd
        mean += weight * gain
        if rate < math.inf:
            mixed += weight * math.expm1(rate * (gain - highest))
    if rate == math.inf or mixed <= -1.0:
        return max(0.0, highest - mean)
    return max(0.0, highest - mean + math.log1p(mixed) / rate)


@inlined
def _euclidean(prices: Records, pace: Records, steps: Steps, footprint: int, level: float) -> None:
    """Gamma += rate (charged - share z), rate = factor / sqrt(squares)."""
    moves, whole = 0.0, 0.0
    for i in range(prices.shape[1]):
        price = prices[footprint, i]
        z = min(level, steps.burdens[footprint, i].most_usd) if price.gamma > 0.0 else 0.0
        price.charged_usd -= steps.share * z
        price.round_usd += price.charged_usd
        moves += price.charged_usd * price.charged_usd
        whole += price.round_usd * price.round_usd
    pace.moves += moves
    pace.hardness = max(pace.hardness, pace.before + max(pace.moves, whole))
    if pace.hardness > 0.0:
        pace.rate = min(pace.rate, steps.step / math.sqrt(pace.hardness))
        for i in range(prices.shape[1]):
            prices[footprint, i].gamma += pace.rate * prices[footprint, i].charged_usd
