"""The saddle: prices of equity for which the cheapest fillings of all slots bear the burdens that ask for these prices.

    min over plans of  cost + sum of both footprints of S(spent + burden)

where S smooths the largest burden, S(v) = t log sum exp(v / t), or is a norm of finite order, which is smooth as it
is. The slope of S at a plan's burdens are prices; a filling at these prices (:mod:`simulator.core.fill`) is the plan in
whose direction the sum falls fastest. Conditional gradients: Frank and Wolfe, "An algorithm for quadratic programming",
Naval Research Logistics 3 (1956); how far to go is found by bisection.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .fill import Desk, Filled, Floats, Offers, fill
from .jit import compiled, inlined

#: Halvings of a way.
_HALVINGS = 16


class Stakes(NamedTuple):
    """What burdens weigh beside cost. Footprints of the offers are in US$ here."""

    spent: Floats
    """What sites have borne so far [US$], [2, sites]: water, carbon."""
    temperature: Floats
    """How much the largest burden is smoothed [US$], [2]; above 0."""
    order: float
    """Of the norm; infinity smooths the maximum."""


class Search(NamedTuple):
    """Room to work in; what is found stands in ``price``."""

    price: Floats
    """Of a US$ of burden at each site, [2, sites]; the search starts from those it finds here."""
    trial: Floats
    """[2, sites]."""
    plan: Filled
    target: Filled


@compiled
def settle(offers: Offers, stakes: Stakes, desk: Desk, search: Search, tolerance: float, rounds: int) -> int:
    """Find the prices; how many fillings it took. Ends when no plan can be better by more than ``tolerance``."""
    plan, target, price = search.plan, search.target, search.price
    _clear(plan)
    fill(offers, price[0], price[1], desk, plan)
    done = 1
    while done < rounds:
        _slope(stakes, plan, target, 0.0, price)
        _clear(target)
        fill(offers, price[0], price[1], desk, target)
        done += 1
        if -_fall(price, plan, target) <= tolerance * _size(price, stakes, plan):
            break
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            _slope(stakes, plan, target, middle, search.trial)
            if _fall(search.trial, plan, target) < 0:
                low = middle
            else:
                high = middle
        _go(plan, target, 0.5 * (low + high))
    _slope(stakes, plan, target, 0.0, price)
    return done


@inlined
def _clear(filled: Filled) -> None:
    filled.cost[:] = 0.0
    filled.short[:] = 0.0
    filled.water[:] = 0.0
    filled.carbon[:] = 0.0


@inlined
def _go(plan: Filled, target: Filled, share: float) -> None:
    """Go a share of the way to another plan."""
    plan.cost[0] += share * (target.cost[0] - plan.cost[0])
    for site in range(len(plan.water)):
        plan.water[site] += share * (target.water[site] - plan.water[site])
        plan.carbon[site] += share * (target.carbon[site] - plan.carbon[site])


@inlined
def _fall(price: Floats, plan: Filled, target: Filled) -> float:
    """How fast the sum changes on the way to another plan, at prices [US$ on the whole way]."""
    change = target.cost[0] - plan.cost[0]
    for site in range(len(plan.water)):
        change += price[0, site] * (target.water[site] - plan.water[site])
        change += price[1, site] * (target.carbon[site] - plan.carbon[site])
    return change


@inlined
def _size(price: Floats, stakes: Stakes, plan: Filled) -> float:
    """About what the sum is, for a tolerance to be a share of [US$]."""
    size = abs(plan.cost[0])
    for site in range(len(plan.water)):
        size += price[0, site] * (stakes.spent[0, site] + plan.water[site])
        size += price[1, site] * (stakes.spent[1, site] + plan.carbon[site])
    return size


@inlined
def _slope(stakes: Stakes, plan: Filled, target: Filled, share: float, price: Floats) -> None:
    """The prices of equity at burdens a share of the way from one plan to another."""
    for site in range(len(plan.water)):
        price[0, site] = stakes.spent[0, site] + plan.water[site] + share * (target.water[site] - plan.water[site])
        price[1, site] = stakes.spent[1, site] + plan.carbon[site] + share * (target.carbon[site] - plan.carbon[site])
    for footprint in range(2):
        largest, total = 0.0, 0.0
        for site in range(len(plan.water)):
            largest = max(largest, price[footprint, site])
        if math.isinf(stakes.order):
            for site in range(len(plan.water)):
                price[footprint, site] = math.exp((price[footprint, site] - largest) / stakes.temperature[footprint])
                total += price[footprint, site]
            for site in range(len(plan.water)):
                price[footprint, site] /= total
        elif largest > 0.0:
            for site in range(len(plan.water)):
                price[footprint, site] = max(price[footprint, site], 0.0) / largest
                total += price[footprint, site] ** stakes.order
            size = total ** (1.0 / stakes.order)
            for site in range(len(plan.water)):
                price[footprint, site] = (price[footprint, site] / size) ** (stakes.order - 1.0)
        else:
            for site in range(len(plan.water)):
                price[footprint, site] = len(plan.water) ** (1.0 / stakes.order - 1.0)
