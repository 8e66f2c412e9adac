"""Filling: the demand of every slot served at the smallest price, where prices depend on the site alone.

With such prices a slot is a problem over a polymatroid, so being greedy is exact (Edmonds, 1970): sites take all they
can in the order of their price, and what stands in the way moves to a site that was filled before, which changes no
price (augmenting paths of Ford and Fulkerson, the shortest first).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .jit import compiled, inlined

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Shares of a slot's demand: what is rounding to an augmenting path, and what counts as carried.
ROUNDING, CARRIED = 1e-13, 1e-9


class Offers(NamedTuple):
    """What sites offer in each slot, what is asked for, and who may go where."""

    cost: Floats
    """Of a request, [slots, sites]; likewise water and carbon."""
    water: Floats
    carbon: Floats
    demand: Floats
    """Requests, [slots, groups]."""
    capacity: Floats
    """Requests of a slot, [sites]."""
    allowed: NDArray[np.bool_]
    """[groups, sites]."""


class Filled(NamedTuple):
    """What serving all slots comes to: things are added to it."""

    cost: Floats
    """[1]."""
    water: Floats
    """[sites]; likewise carbon."""
    carbon: Floats
    short: Floats
    """Requests that nobody can carry, [1]."""
    flow: Floats
    """Requests by slot and site, [slots, sites]; [0, sites] where nobody asks for them."""


class Desk(NamedTuple):
    """Room to work in, for one slot after the other."""

    price: Floats
    """[sites]."""
    order: Ints
    """Sites in the order of their price, [sites]."""
    room: Floats
    """What a site may still take, [sites]."""
    left: Floats
    """What a group still asks for, [groups]."""
    load: Floats
    """[groups, sites]."""
    queue: Ints
    """Groups on the ways that are looked for; then for which group each could give way, and at which site, [groups]."""
    behind: Ints
    through: Ints
    seen: NDArray[np.bool_]
    """Sites that ways have led through, [sites]."""


def desk_of(offers: Offers) -> Desk:
    """Room for these offers."""
    groups, sites = offers.allowed.shape
    return Desk(
        price=np.zeros(sites),
        order=np.arange(sites),
        room=np.zeros(sites),
        left=np.zeros(groups),
        load=np.zeros((groups, sites)),
        queue=np.zeros(groups, dtype=np.int64),
        behind=np.zeros(groups, dtype=np.int64),
        through=np.zeros(groups, dtype=np.int64),
        seen=np.zeros(sites, dtype=np.bool_),
    )


@compiled
def fill(offers: Offers, water_price: Floats, carbon_price: Floats, desk: Desk, filled: Filled) -> None:
    """Serve all slots at the smallest cost + water price x water + carbon price x carbon; prices by site, [sites]."""
    slots, sites = offers.cost.shape
    for slot in range(slots):
        for site in range(sites):
            desk.room[site] = offers.capacity[site]
            equity = water_price[site] * offers.water[slot, site] + carbon_price[site] * offers.carbon[slot, site]
            desk.price[site] = offers.cost[slot, site] + equity
        _sort(desk.price, desk.order)
        total = _serve(slot, offers, desk)
        for site in range(sites):
            flow = offers.capacity[site] - desk.room[site]
            filled.cost[0] += flow * offers.cost[slot, site]
            filled.water[site] += flow * offers.water[slot, site]
            filled.carbon[site] += flow * offers.carbon[slot, site]
            if len(filled.flow) > 0:
                filled.flow[slot, site] = flow
        for group in range(len(desk.left)):
            if desk.left[group] > CARRIED * total:
                filled.short[0] += desk.left[group]


@inlined
def _sort(price: Floats, order: Ints) -> None:
    """Shell's sort by price, then by number. It begins with the order of the slot before, which is nearly right."""
    gap = 1
    while 3 * gap + 1 < len(order):
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, len(order)):
            site, to = order[k], k
            while to >= gap and (
                price[order[to - gap]] > price[site]
                or (price[order[to - gap]] == price[site] and order[to - gap] > site)
            ):
                order[to] = order[to - gap]
                to -= gap
            order[to] = site
        gap //= 3


@inlined
def _serve(slot: int, offers: Offers, desk: Desk) -> float:
    """Fill the sites of a slot in their order; the demand of the slot."""
    total = 0.0
    for group in range(len(desk.left)):
        desk.left[group] = offers.demand[slot, group]
        total += offers.demand[slot, group]
    if len(desk.left) == 1:
        for k in range(len(desk.order)):
            site = desk.order[k]
            if offers.allowed[0, site]:
                taken = min(desk.room[site], desk.left[0])
                desk.left[0] -= taken
                desk.room[site] -= taken
        return total
    desk.load[:] = 0.0
    for k in range(len(desk.order)):
        _take(desk.order[k], offers, desk, ROUNDING * total)
    return total


@inlined
def _take(site: int, offers: Offers, desk: Desk, rounding: float) -> None:
    """A site takes all it can: from groups that may use it, then from those for whom these can give way elsewhere."""
    for group in range(len(desk.left)):
        if offers.allowed[group, site]:
            taken = min(desk.room[site], desk.left[group])
            desk.load[group, site] += taken
            desk.left[group] -= taken
            desk.room[site] -= taken
    while desk.room[site] > rounding:
        last = _way_to(site, offers, desk, rounding)
        if last < 0:
            return
        taken, group = min(desk.room[site], desk.left[last]), last
        while desk.behind[group] >= 0:
            taken = min(taken, desk.load[desk.behind[group], desk.through[group]])
            group = desk.behind[group]
        desk.left[last] -= taken
        desk.room[site] -= taken
        group = last
        while desk.behind[group] >= 0:
            desk.load[group, desk.through[group]] += taken
            desk.load[desk.behind[group], desk.through[group]] -= taken
            group = desk.behind[group]
        desk.load[group, site] += taken


@inlined
def _way_to(site: int, offers: Offers, desk: Desk, rounding: float) -> int:
    """The nearest group that still asks and for whom others can give way; -1 where there is none."""
    groups, sites = offers.allowed.shape
    known = 0
    desk.seen[:] = False
    for group in range(groups):
        desk.behind[group] = -2
        if offers.allowed[group, site]:
            desk.behind[group] = -1
            desk.queue[known] = group
            known += 1
    at = 0
    while at < known:
        group = desk.queue[at]
        at += 1
        for other in range(sites):
            if desk.seen[other] or desk.load[group, other] <= rounding:
                continue
            desk.seen[other] = True
            for giver in range(groups):
                if desk.behind[giver] == -2 and offers.allowed[giver, other]:
                    desk.behind[giver], desk.through[giver] = group, other
                    if desk.left[giver] > rounding:
                        return giver
                    desk.queue[known] = giver
                    known += 1
    return -1
