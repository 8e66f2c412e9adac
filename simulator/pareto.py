"""Trade-offs: which points no other point beats, and where a curve of them bends."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from simulator.fleet import BoolArray

#: A curve that lies no further below the straight line than this, both axes scaled to 0..1, has no bend.
STRAIGHT = 1e-9


def pareto_mask(costs: ArrayLike) -> BoolArray:
    """Which points are efficient: no other is at most as large in every criterion and smaller in one.

    ``costs`` are [points, criteria], all to be minimised; the result is [points]. Equal points are kept or left
    together. A point with a NaN cannot be compared: it is not efficient, and beats nobody.

    A point can only be beaten by one before it in lexicographic order, and only those that are efficient need be
    asked (Kung, Luccio and Preparata 1975).
    """
    table = np.asarray(costs, dtype=float)
    efficient = np.zeros(len(table), dtype=bool)
    known = np.flatnonzero(~np.isnan(table).any(axis=1))
    if not len(known):
        return efficient
    points, which = np.unique(table[known], axis=0, return_inverse=True)
    front, size, kept = np.empty_like(points), 0, np.zeros(len(points), dtype=bool)
    for k, point in enumerate(points):
        if not (front[:size] <= point).all(axis=1).any():  # distinct, so at most as large in all is smaller in one
            front[size], kept[k], size = point, True, size + 1
    efficient[known] = kept[which.ravel()]
    return efficient


def knee(x: ArrayLike, y: ArrayLike) -> int | None:
    """The index of the knee of a trade-off curve of falling costs: furthest below the line between its ends.

    Both axes are scaled to 0..1 first, so units do not matter. None where the curve has fewer than three points with
    different x, does not change in x or y, or is nowhere below the line. Points may come in any order; those with a
    NaN are left out, and of those with the same x the lowest counts.

    Satopaa, Albrecht, Irwin and Raghavan 2011 ("Kneedle"); the idea of the largest bulge is Das 1999, On
    characterizing the "knee" of the Pareto curve.
    """
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    known = np.flatnonzero(~(np.isnan(xs) | np.isnan(ys)))
    order = known[np.lexsort((ys[known], xs[known]))]
    xs, lowest = np.unique(xs[order], return_index=True)
    order = order[lowest]
    ys = ys[order]
    if len(xs) < 3 or np.ptp(ys) == 0:
        return None
    along = (xs - xs[0]) / (xs[-1] - xs[0])
    height = (ys - ys.min()) / np.ptp(ys)
    below = height[0] + along * (height[-1] - height[0]) - height
    best = int(np.argmax(below))
    return int(order[best]) if below[best] > STRAIGHT else None
