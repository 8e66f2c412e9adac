"""Replay: forecasts as somebody has made them, from a file."""

from __future__ import annotations

import numpy as np

from simulator.fleet import FloatArray
from simulator.world.replay import Issues, Replay

from .plain import Predictor


class Replayed:
    """The newest forecast issued by the start of the slot. What it does not reach is foreseen by ``beyond``."""

    def __init__(self, replay: Replay, factor: float, slot_s: float, beyond: Predictor):
        self._replay, self._factor, self._slot_s, self._beyond = replay, factor, slot_s, beyond

    def now(self, slot: int) -> FloatArray:
        """As it was heard of."""
        return self._beyond.now(slot)

    def ahead(self, slot: int, slots: int) -> FloatArray:
        """The present slot as it is known, the others from the file."""
        made = self._beyond.ahead(slot, slots)
        edges = np.arange(slot + 1, slot + slots + 1, dtype=np.float64) * self._slot_s
        for column, issues in enumerate(self._replay.columns):
            values = _means(issues, slot * self._slot_s, edges)
            reached = ~np.isnan(values)
            made[1:, column][reached] = values[reached] * self._factor
        return made


def _means(issues: Issues, now_s: float, edges: FloatArray) -> FloatArray:
    """Means between ``edges`` [n + 1] by the newest issue, [n]; NaN where it does not reach.

    A value holds until the next target of its issue, the last one as long as the one before it.
    """
    newest = int(np.searchsorted(issues.issued_s, now_s + 1e-6, side="right")) - 1
    if newest < 0 or len(edges) < 2:
        return np.full(len(edges) - 1, np.nan)
    rows = slice(issues.first[newest], issues.first[newest + 1])
    start, value = issues.target_s[rows], issues.value[rows]
    last_s = start[-1] - start[-2] if len(start) > 1 else edges[1] - edges[0]
    times = np.append(start, start[-1] + last_s)
    integral = np.concatenate([[0.0], np.cumsum(value * np.diff(times))])
    means = np.diff(np.interp(edges, times, integral)) / np.diff(edges)
    reached = (edges[:-1] >= times[0] - 1e-6) & (edges[1:] <= times[-1] + 1e-6)
    return np.where(reached, means, np.nan)
