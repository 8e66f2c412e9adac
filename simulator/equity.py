"""Equity: how evenly a burden lies on the sites that carry it. Every function takes one value per site."""

from __future__ import annotations

import numpy as np

from simulator.fleet import FloatArray


def peak_to_average(values: FloatArray) -> float:
    """Max / mean; 1 when all carry the same. NaN when nobody carries anything, or nobody is there."""
    mean = float(np.mean(values)) if len(values) else 0.0
    return float(np.max(values)) / mean if mean else float("nan")


def gini(values: FloatArray) -> float:
    """Gini coefficient: sum_i (2i - n - 1) v_(i) / (n sum v), values in rising order, i from 1; 0 = even."""
    ordered, count = np.sort(values), len(values)
    total = float(ordered.sum())
    weights = 2 * np.arange(1, count + 1) - count - 1
    return float((weights * ordered).sum()) / (count * total) if total else float("nan")


def jain(values: FloatArray) -> float:
    """Jain's fairness index: (sum v)^2 / (n sum v^2); 1 = even, 1/n = one carries all."""
    squares = float(np.square(values).sum())
    return float(np.sum(values)) ** 2 / (len(values) * squares) if squares else float("nan")
