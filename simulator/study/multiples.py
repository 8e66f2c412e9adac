"""Multiples: how strongly equity is weighted in a study, from nothing to where nothing changes any more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulator.study.breaking import breaking_point
from simulator.study.prospect import Prospect

#: A cost or a largest footprint that moves by less than this share has not changed.
CHANGE = 5e-3
#: Equity is never weighted more than 2 ** FURTHEST times as asked, nor less than that part of it.
FURTHEST = 14
#: The ends are told to a factor of 2 ** FINEST.
FINEST = 0.25


def telling_multiples(prospect: Callable[[float], Prospect], count: int) -> tuple[float, ...]:
    """0, then so many multiples from the smallest that changes anything to the largest, evenly by ratio, and 1.

    Rounded to three digits, so that they can be read.
    """
    low, high = _ends(prospect)
    found = {float(f"{multiple:.3g}") for multiple in np.geomspace(low, high, count).tolist()}
    return tuple(sorted({0.0, 1.0, *found}))


def _ends(prospect: Callable[[float], Prospect]) -> tuple[float, float]:
    """The smallest and the largest multiple that change anything."""
    nothing, limit = prospect(0.0), prospect(2.0**FURTHEST)
    first = breaking_point(lambda k: not prospect(2.0**k).differs(nothing, CHANGE), -FURTHEST, FURTHEST, FINEST)
    last = breaking_point(lambda k: prospect(2.0**k).differs(limit, CHANGE), -FURTHEST, FURTHEST, FINEST)
    if first.fails is None or last.holds is None:
        return 1.0, 1.0  # equity changes nothing, however it is weighted
    low = 2.0**first.fails
    return low, max(2.0**last.holds, low)
