"""Statistics of simulated figures: how sure a mean is, and where a warm-up ends.

Replications with seeds of their own are independent, so Student's t holds for their means. Within one run neighbours
in time are not; there batch means and MSER take over, and both assume that the run has a steady state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.fleet import FloatArray

#: Consecutive groups into which batch means cut a run. Schmeiser (1982): between 10 and 30 the intervals of a run of
#: given length hardly become narrower with more of them, while fewer and longer ones depend less on each other.
BATCHES = 20
#: The known means that MSER always leaves: the spread of a handful may be small by chance (Hoad, Robinson and Davies
#: 2010).
LEAST_LEFT = 5


class Interval(NamedTuple):
    """A mean and the ends of its confidence interval, in the unit of the values."""

    count: int  # type: ignore[assignment]  # hides the method of tuples, which nobody asks of an interval
    """Independent values behind it."""
    mean: float
    low: float
    """The ends are NaN where fewer than two values leave the spread unknown."""
    high: float


class WarmUp(NamedTuple):
    """What a search for the end of a warm-up says."""

    start: int
    """The first value of the series that is kept."""
    is_trustworthy: bool
    """Whether that is in the first half of the series: else the run is too short, or has no steady state."""


def student_t(level: float, freedom: int) -> float:
    """Student's t that a share ``level`` of draws stays within on both sides, for ``freedom`` degrees of freedom."""
    from scipy.special import stdtrit  # a fifth of a second that most commands can do without

    return float(stdtrit(freedom, (1.0 + level) / 2.0))


def known(values: FloatArray | Sequence[float]) -> FloatArray:
    """Those that are not NaN: what nobody did has no mean."""
    found = np.asarray(values, dtype=float)
    return found[~np.isnan(found)]


def mean_interval(values: FloatArray | Sequence[float], level: float = 0.95) -> Interval:
    """The mean of independent values, and the interval that covers the true one in a share ``level`` of cases.

    Values that are NaN are left out. Mean -/+ t s / sqrt(n) with n - 1 degrees of freedom (Student 1908; Law,
    Simulation Modeling and Analysis, 5th ed., section 4.5).
    """
    found = known(values)
    count = len(found)
    mean = float(found.mean()) if count else math.nan
    if count < 2:
        return Interval(count, mean, math.nan, math.nan)
    return _around(count, mean, float(found.std(ddof=1)) / math.sqrt(count), level)


def paired_interval(
    values: FloatArray | Sequence[float], others: FloatArray | Sequence[float], level: float = 0.95
) -> Interval:
    """The mean of ``values - others``, pair by pair, as :func:`mean_interval`.

    Pairs met the same requests (common random numbers), so what both have in common falls out of their difference
    (Law, section 10.2.1). A pair with a NaN on either side is left out, and ``count`` does not count it.

    Raises
    ------
    ValueError
        where there are not as many values as others.
    """
    mine, theirs = np.asarray(values, dtype=float), np.asarray(others, dtype=float)
    if mine.shape != theirs.shape:
        raise ValueError(f"{mine.size} values cannot be paired with {theirs.size}")
    return mean_interval(mine - theirs, level)


def batch_means(
    sums: FloatArray | Sequence[float],
    counts: FloatArray | Sequence[float],
    batches: int = BATCHES,
    level: float = 0.95,
) -> Interval:
    """The steady-state mean from one long run, cut into equal spans of time.

    ``sums[k]`` is what ``counts[k]`` requests of span k add up to. Consecutive spans are joined to about ``batches``
    groups, long enough that one hardly depends on the next (BATCHES says why so few); spans that are left over at the
    start join the first group. Groups hold unequal numbers of requests, so the mean is a ratio of two means, and the
    spread is that of sum_j - mean x count_j (Law, section 9.5.3; the ratio estimator of Cochran, Sampling Techniques,
    3rd ed., section 2.11). ``count`` is the number of groups. The ends are NaN with fewer than two groups.
    """
    sums, counts = np.asarray(sums, dtype=float), np.asarray(counts, dtype=float)
    groups = min(batches, len(sums))
    total = float(counts.sum())
    if groups == 0 or total == 0:
        return Interval(0, math.nan, math.nan, math.nan)
    mean = float(sums.sum()) / total
    if groups < 2:
        return Interval(groups, mean, math.nan, math.nan)
    width = len(sums) // groups
    first = np.concatenate([[0], len(sums) - width * np.arange(groups - 1, 0, -1)])
    left = np.add.reduceat(sums, first) - mean * np.add.reduceat(counts, first)
    error = math.sqrt(float(left @ left) / (groups - 1) / groups) / (total / groups)
    return _around(groups, mean, error, level)


def mser(series: FloatArray | Sequence[float], batch: int = 5) -> WarmUp:
    """Where the warm-up of a series ends: the marginal standard error rule, MSER-5.

    Means of ``batch`` consecutive values each; of all points d at which their series may be cut, the one whose rest
    has the smallest squared standard error, sum (z_j - mean)^2 / (n - d)^2 (White 1997, Simulation 69(6); in batches
    of five White, Cobb and Spratt 2000; Franklin and White 2008, Proc. Winter Simulation Conference). A minimum in
    the second half is not to be trusted: the run is too short, or has no steady state. NaN values are left out, and
    a mean of nothing else is not known: LEAST_LEFT are left of those that are, and a series of fewer than twice as
    many says nothing: start 0, not trustworthy.
    """
    values = np.asarray(series, dtype=float)
    count = len(values) // batch
    table = values[: count * batch].reshape(count, batch)
    is_known = ~np.isnan(table)
    number = is_known.sum(axis=1)
    means = np.where(is_known, table, 0.0).sum(axis=1) / np.maximum(number, 1)
    weight = (number > 0).astype(float)
    if weight.sum() < 2 * LEAST_LEFT:
        return WarmUp(0, False)
    # Sums over the rest of the series from each point on; about the mean of all, so that large means cost no digits.
    means = (means - (means * weight).sum() / weight.sum()) * weight
    rest, of_means, of_squares = (np.cumsum(part[::-1])[::-1] for part in (weight, means, means**2))
    cuts = np.count_nonzero(rest >= LEAST_LEFT)  # the first so many, as the rest only shrinks
    rest, of_means, of_squares = rest[:cuts], of_means[:cuts], of_squares[:cuts]
    error = np.maximum(of_squares - of_means**2 / rest, 0.0) / rest**2
    cut = int(np.argmin(error))
    return WarmUp(cut * batch, 2 * cut <= count)


def _around(count: int, mean: float, error: float, level: float) -> Interval:
    """Mean -/+ t standard errors."""
    half = student_t(level, count - 1) * error
    return Interval(count, mean, mean - half, mean + half)
