"""Plain predictors: the truth, and what needs no more than what was measured."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from simulator.fleet import FloatArray

from .course import Course


class Predictor(Protocol):
    """Foresees one quantity."""

    def now(self, slot: int) -> FloatArray:
        """What is known of the present slot, [columns]."""
        ...

    def ahead(self, slot: int, slots: int) -> FloatArray:
        """The present slot and the next ones as foreseen in it, [slots, columns]."""
        ...


class Truth:
    """What will be."""

    def __init__(self, course: Course):
        self._course = course

    def now(self, slot: int) -> FloatArray:
        """As it was heard of."""
        return self._course.measured(slot)

    def ahead(self, slot: int, slots: int) -> FloatArray:
        """As it will be; of silent sites too, since this comes from elsewhere."""
        return self._course.truth(slice(slot, slot + slots))


class Stale:
    """The measurement of some slots ago; in the first slots that of the first one. 0 slots ago: persistence."""

    def __init__(self, course: Course, age: int):
        self._course, self._age = course, age

    def now(self, slot: int) -> FloatArray:
        """As it was."""
        return self._course.measured(max(slot - self._age, 0))

    def ahead(self, slot: int, slots: int) -> FloatArray:
        """As it was, going on."""
        now = self.now(slot)
        return np.array(np.broadcast_to(now, (slots, len(now))))


class Seasonal:
    """The mean of the same time of day on the last days; the present value where no such time has been yet.

    A slot's time of day may lie across two slots of another day (a day that is no multiple of a slot): then their
    mean counts, weighted by the time that each has of it. Only what has been measured counts: a time more than a day
    ahead is foreseen from the last days that had it.
    """

    def __init__(self, course: Course, days: int, slots_per_day: float):
        self._course, self._days, self._day = course, days, slots_per_day

    def now(self, slot: int) -> FloatArray:
        """As it was heard of."""
        return self._course.measured(slot)

    def ahead(self, slot: int, slots: int) -> FloatArray:
        """Means of past days."""
        now = self.now(slot)
        made = np.array(np.broadcast_to(now, (slots, len(now))))
        later = np.arange(slot + 1, slot + slots)
        # Of no use: a day that would begin before the run.
        days = min(self._days, math.ceil((slot + slots) / self._day))
        # The newest day on which the time of each slot has passed, counted back from it.
        newest = np.ceil((later - slot) / self._day - 1e-9)
        start = later - (newest + np.arange(days)[:, None]) * self._day
        whole = np.floor(start + 1e-9)
        part = np.where(start - whole > 1e-9, start - whole, 0.0)
        known = whole >= 0
        first = np.where(known, whole, 0).astype(np.int64)
        values = self._course.measured(first)
        if part.any():
            after = self._course.measured(np.minimum(first + 1, slot))
            values = values + part[..., None] * (after - values)
        count = known.sum(axis=0)
        total = np.where(known[..., None], values, 0.0).sum(axis=0)
        seen = np.flatnonzero(count)
        made[1 + seen] = total[seen] / count[seen, None]
        return made
