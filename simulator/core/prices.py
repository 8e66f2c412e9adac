"""Prices of equity that move with the requests: dual descent with Euclidean or entropic steps (docs/policies.md).

The plain twin of these kernels is ``simulator/prices.py``; both give the same bits.
"""

from __future__ import annotations

import math

from .adaptive import adapt
from .jit import inlined
from .plan import ENTROPIC, EUCLIDEAN, Steps
from .state import Floats, Records

#: Weights are taken relative to a base that follows the largest one at this distance: exp neither overflows nor fades.
REACH = 1.0


@inlined
def charge_request(prices: Records, steps: Steps, i: int) -> None:
    """Charge a request that was routed to site ``i``."""
    for footprint in range(len(prices)):
        prices[footprint, i].charged_usd += steps.burdens[footprint, i].charge_usd


@inlined
def move(prices: Records, bases: Floats, paces: Records, steps: Steps) -> None:
    """Move the prices by what has been charged since they last moved."""
    for footprint in range(len(bases)):
        if steps.kind == EUCLIDEAN:
            _euclidean(prices, steps, footprint)
        elif steps.kind == ENTROPIC:
            _entropic(prices, bases, steps.step, footprint)
        else:
            adapt(prices, paces, steps, footprint, _level(prices, steps.burdens, footprint))
        for i in range(prices.shape[1]):
            prices[footprint, i].charged_usd = 0.0


@inlined
def _euclidean(prices: Records, steps: Steps, footprint: int) -> None:
    """Gamma += step (charged - share z), where z minimises max(z) - gamma.z over 0 <= z <= most."""
    level = _level(prices, steps.burdens, footprint)
    for i in range(prices.shape[1]):
        price = prices[footprint, i]
        z = min(level, steps.burdens[footprint, i].most_usd) if price.gamma > 0.0 else 0.0
        price.gamma += steps.step * (price.charged_usd - steps.share * z)


@inlined
def _level(prices: Records, burdens: Records, footprint: int) -> float:
    """The largest z: raising it pays as long as the sites that can follow have more than 1 of gamma together."""
    total = 0.0
    for k in range(prices.shape[1]):
        i = burdens[footprint, k].order
        if prices[footprint, i].gamma > 0.0:
            total += prices[footprint, i].gamma
            if total > 1.0:
                return burdens[footprint, i].most_usd
    return 0.0


@inlined
def _entropic(prices: Records, bases: Floats, rate: float, footprint: int) -> None:
    """Gamma *= exp(rate charged), normalised; only weights that moved are taken anew."""
    highest, total = -math.inf, 0.0
    for i in range(prices.shape[1]):
        prices[footprint, i].logarithm += rate * prices[footprint, i].charged_usd
        highest = max(highest, prices[footprint, i].logarithm)
    is_far = abs(highest - bases[footprint]) > REACH
    if is_far:
        bases[footprint] = highest
    for i in range(prices.shape[1]):
        price = prices[footprint, i]
        if is_far or price.charged_usd != 0.0:
            price.weight = math.exp(price.logarithm - bases[footprint])
    for i in range(prices.shape[1]):
        total += prices[footprint, i].weight
    for i in range(prices.shape[1]):
        prices[footprint, i].gamma = prices[footprint, i].weight / total


@inlined
def look_at_prices(prices: Records, outlooks: Records, burdens: Records) -> None:
    """Routers look at the prices: what equity costs a request at each site."""
    for i in range(len(outlooks)):
        for footprint in range(len(prices)):
            prices[footprint, i].seen = prices[footprint, i].gamma
    quote(prices, outlooks, burdens)


@inlined
def quote(prices: Records, outlooks: Records, burdens: Records) -> None:
    """What equity costs a request at each site, by the prices that routers have seen."""
    for i in range(len(outlooks)):
        carbon, water = prices[0, i].seen * burdens[0, i].burden_usd, prices[1, i].seen * burdens[1, i].burden_usd
        outlooks[i].equity_usd = carbon + water
