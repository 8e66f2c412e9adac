"""Arrivals: from random gaps to times, and from random numbers to the origins where requests arise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .guide import Guide, interval_of
from .jit import compiled


@compiled
def times_from_gaps(
    gaps: NDArray[np.float64], unit_s: float, since_s: float, start_s: float, end_s: float
) -> tuple[int, float]:
    """Turn gaps into times before ``end_s`` in place; how many there are, and the time since the start.

    Gap by gap, so that a slot gives the same times in one piece and in many.
    """
    for k in range(len(gaps)):
        since_s += gaps[k] * unit_s
        time = start_s + since_s
        if time >= end_s:
            return k, since_s
        gaps[k] = time
    return len(gaps), since_s


@compiled
def origins_from_uniforms(guide: Guide, uniforms: NDArray[np.float64], origins: NDArray[np.int64]) -> None:
    """Write the origin whose part of [0, 1) each number falls into."""
    for k in range(len(uniforms)):
        origins[k] = interval_of(guide, 0, uniforms[k])
