"""A series: values on equal intervals of time, and their means over the slots of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.fleet import FloatArray


@dataclass(frozen=True)
class Series:
    """``values[k]``, [n, columns], on [start_s + k step_s, start_s + (k+1) step_s), seconds since the run's start."""

    start_s: float
    step_s: float
    values: FloatArray

    @property
    def end_s(self) -> float:
        """Where the last interval ends."""
        return self.start_s + len(self.values) * self.step_s

    def to_slots(self, slots: int, slot_s: float) -> FloatArray:
        """Mean over each slot, [slots, columns]. The series must cover the run (see :meth:`covers`)."""
        edges = (np.arange(slots + 1) * slot_s - self.start_s) / self.step_s
        edges = np.where(np.abs(edges - np.round(edges)) < 1e-9, np.round(edges), edges)
        first = np.clip(np.floor(edges[:-1]).astype(int), 0, len(self.values) - 1)
        last = np.clip(np.ceil(edges[1:]).astype(int) - 1, 0, len(self.values) - 1)
        if np.array_equal(first, last):
            return self.values[first].copy()
        whole = np.vstack([np.zeros(self.values.shape[1]), np.cumsum(self.values, axis=0)])
        below = np.clip(np.floor(edges).astype(int), 0, len(self.values) - 1)
        integral = whole[below] + (edges - below)[:, None] * self.values[below]
        means = np.diff(integral, axis=0) / np.diff(edges)[:, None]
        return np.where((first == last)[:, None], self.values[first], means)

    def covers(self, horizon_s: float) -> bool:
        """Whether the series reaches from the run's start to its end."""
        return self.start_s <= 1e-6 and self.end_s >= horizon_s - 1e-6
