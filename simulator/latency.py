"""Latency: log-spaced histograms, about 1 % wide, for each group of requests, with exact means.

Their edges stand in ``core/edges.py``; bin 0 holds zero and what is below 10 microseconds.
"""

from __future__ import annotations

import numpy as np

from simulator.core.edges import EDGES_S, GROWTH
from simulator.fleet import FloatArray, IntArray

BINS = len(EDGES_S) + 1

#: What is measured of each finished request.
MEASURES = ("network", "wait", "ttft", "end_to_end")


class Histogram:
    """Durations [s] of groups of requests: ``counts`` [groups, bins] and exact ``sums`` [groups]."""

    def __init__(self, groups: int):
        self.counts = np.zeros((groups, BINS))
        self.sums = np.zeros(groups)

    def add(self, group: IntArray, seconds: FloatArray, weight: FloatArray | None = None) -> None:
        """Count durations in their groups, each [n]."""
        bins = np.searchsorted(EDGES_S, seconds, side="right")
        flat = np.bincount(group * BINS + bins, weight, minlength=self.counts.size)
        self.counts += flat.reshape(self.counts.shape)
        self.sums += np.bincount(group, seconds if weight is None else seconds * weight, minlength=len(self.sums))

    def mean(self, group: int | None = None) -> float:
        """Exact mean [s] of a group or of all; NaN when nothing was counted."""
        counts, sums = (
            (self.counts.sum(), self.sums.sum()) if group is None else (self.counts[group].sum(), self.sums[group])
        )
        return float(sums / counts) if counts else float("nan")

    def percentile(self, share: float, group: int | None = None) -> float:
        """The duration [s] that this share of requests does not exceed, to the middle of its bin (within 0.5 %)."""
        counts = self.counts.sum(axis=0) if group is None else self.counts[group]
        total = counts.sum()
        if not total:
            return float("nan")
        bin_ = int(np.searchsorted(np.cumsum(counts), share * total * (1 - 1e-12), side="left"))
        if bin_ == 0:
            return 0.0
        return float(EDGES_S[min(bin_, len(EDGES_S)) - 1] * np.sqrt(GROWTH))
