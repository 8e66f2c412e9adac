"""Norms: how a burden of many sites becomes one number, from their sum (L_1) to the largest of them (the maximum).

||v||_q = (sum_i v_i^q)^(1/q) for burdens v >= 0 and 1 <= q <= infinity. Between the two ends every site counts, and the
larger ones count more. Boyd and Vandenberghe, "Convex Optimization" (2004), appendix A.1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.problem import did_you_mean

FloatArray = NDArray[np.float64]

#: The order of the maximum.
MAXIMUM = math.inf
#: How users write it.
MAX = "max"


def order_of(given: Any) -> float:
    """The order of a norm as users write it: ``max`` or a number that is at least 1; else ValueError."""
    if given == MAX:
        return MAXIMUM
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or not 1 <= given < MAXIMUM:
        near = did_you_mean(given, [MAX]) if isinstance(given, str) else ""
        raise ValueError(f"{MAX} or a number that is at least 1 is needed (given {given}){near}")
    return float(given)


def size_of(burden: FloatArray, order: float) -> float:
    """||burden||_order of what every site carries, [sites]."""
    largest = float(burden.max())
    if math.isinf(order) or largest <= 0:
        return largest
    return largest * float(((np.maximum(burden, 0.0) / largest) ** order).sum()) ** (1.0 / order)


def sizes_of(burdens: FloatArray, order: float) -> FloatArray:
    """||burden||_order of many burdens at once, [...] of [..., sites]."""
    largest = burdens.max(axis=-1)
    if math.isinf(order):
        return np.asarray(largest)
    unit = np.where(largest > 0, largest, 1.0)
    shares = np.maximum(burdens, 0.0) / unit[..., None]
    return np.asarray(np.where(largest > 0, unit * (shares**order).sum(axis=-1) ** (1.0 / order), largest))


def slope_of(burden: FloatArray, order: float) -> FloatArray:
    """How much the norm grows with each site's burden, [sites]: (v_i / ||v||)^(order - 1), for a finite order.

    It has the dual norm 1, and the norm is its product with the burden.
    """
    size = size_of(burden, order)
    if size <= 0:
        return np.full(len(burden), len(burden) ** -(1.0 - 1.0 / order))
    return np.asarray((np.maximum(burden, 0.0) / size) ** (order - 1.0))


def dual_order(order: float) -> float:
    """The order p of the dual norm: 1/p + 1/order = 1."""
    if math.isinf(order):
        return 1.0
    return MAXIMUM if order == 1 else order / (order - 1.0)
