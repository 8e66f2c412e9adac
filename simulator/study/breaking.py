"""The breaking point: how far a stress can go before something no longer holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

_Stress = TypeVar("_Stress")


class BreakingPoint(NamedTuple, Generic[_Stress]):
    """The last stress found under which something holds, and the first under which it does not.

    None where it never holds, or always.
    """

    holds: _Stress | None
    fails: _Stress | None


def breaking_point(holds: Callable[[float], bool], low: float, high: float, tolerance: float) -> BreakingPoint[float]:
    """The breaking point of a predicate between ``low``, the least stress, and ``high``, by bisection.

    The predicate must be monotone: once it fails it fails for every greater stress. ``low`` may be the larger number.
    The two sides that are returned are at most ``tolerance`` apart.

    Raises
    ------
    ValueError
        for a tolerance that is not above 0.
    """
    if not tolerance > 0:
        raise ValueError(f"tolerance must be above 0 (given {tolerance})")
    if not holds(low):
        return BreakingPoint(None, low)
    if holds(high):
        return BreakingPoint(high, None)
    good, bad = low, high
    while abs(bad - good) > tolerance:
        middle = good + (bad - good) / 2
        if middle in (good, bad):  # neighbours in floating point
            break
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return BreakingPoint(good, bad)


def breaking_candidate(holds: Callable[[_Stress], bool], candidates: Sequence[_Stress]) -> BreakingPoint[_Stress]:
    """The breaking point among candidates in the order of rising stress: with few calls, the exact neighbours.

    For a bound that gets tighter give the bounds from the loosest on.
    """
    first, end = 0, len(candidates)
    while first < end:  # all before `first` hold, all from `end` on fail
        middle = (first + end) // 2
        first, end = (middle + 1, end) if holds(candidates[middle]) else (first, middle)
    last = candidates[first - 1] if first > 0 else None
    return BreakingPoint(last, candidates[first] if first < len(candidates) else None)
