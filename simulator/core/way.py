"""Requests on their way to a site: a heap by the time at which they reach it; of equal times, who left first."""

from __future__ import annotations

from .jit import inlined
from .state import Records


@inlined
def send(way: Records, clock: Records, reach_s: float, k: int) -> None:
    """Request ``k`` leaves for its site and reaches it at this time."""
    hole = clock.travelling
    while hole > 0:  # whoever is there left earlier: equal times stay where they are
        above = (hole - 1) >> 1
        if way[above].reach_s <= reach_s:
            break
        way[hole] = way[above]
        hole = above
    way[hole].reach_s, way[hole].number, way[hole].call = reach_s, clock.sent, k
    clock.sent += 1
    clock.travelling += 1


@inlined
def take(way: Records, clock: Records) -> int:
    """Take the request that reaches its site first."""
    clock.travelling -= 1
    k, size, hole, below = way[0].call, clock.travelling, 0, 1
    while below < size:
        if below + 1 < size and _is_before(way[below + 1], way[below]):
            below += 1
        if not _is_before(way[below], way[size]):
            break
        way[hole] = way[below]
        hole, below = below, 2 * below + 1
    way[hole] = way[size]
    return k


@inlined
def _is_before(one: Records, other: Records) -> bool:
    if one.reach_s == other.reach_s:
        return one.number < other.number
    return one.reach_s < other.reach_s
