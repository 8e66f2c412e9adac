"""Requests on their way: a heap by the time at which they arrive; of equal times, who left first.

A request that was lost and will leave its origin anew stands there as well, behind all that reach a site at that time.
"""

from __future__ import annotations

from .jit import inlined
from .state import Records

#: Numbers from here on are of requests that leave their origin anew.
ANEW = 1 << 60


@inlined
def send(way: Records, clock: Records, reach_s: float, k: int) -> None:
    """Request ``k`` leaves for its site and reaches it at this time."""
    _push(way, clock, reach_s, clock.sent, k)
    clock.sent += 1


@inlined
def send_anew(way: Records, clock: Records, leave_s: float, k: int) -> None:
    """Request ``k`` was lost and leaves its origin anew at this time."""
    _push(way, clock, leave_s, ANEW + clock.lost, k)
    clock.lost += 1


@inlined
def _push(way: Records, clock: Records, time_s: float, number: int, k: int) -> None:
    hole = clock.travelling
    while hole > 0:
        above = (hole - 1) >> 1
        if way[above].reach_s < time_s or (way[above].reach_s == time_s and way[above].number < number):
            break
        way[hole] = way[above]
        hole = above
    way[hole].reach_s, way[hole].number, way[hole].call = time_s, number, k
    clock.travelling += 1


@inlined
def take(way: Records, clock: Records) -> int:
    """Take the request that comes first."""
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
