"""Adversarial forecasts: the truth made misleading on purpose, to see what bad advice can do."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from simulator.fleet import FloatArray
from simulator.scenario.forecast import Attack

from .course import Course


class Adversarial:
    """Foresees a course that will not be. Of each series every value is one that a true series has, or lies between.

    The present slot is as it was heard of.
    """

    def __init__(self, course: Course, kind: Attack, slots_per_day: float):
        self._course, self._kind, self._day = course, kind, slots_per_day

    def now(self, slot: int) -> FloatArray:
        """As it was heard of."""
        return self._course.measured(slot)

    def ahead(self, slot: int, slots: int) -> FloatArray:
        """The misleading series; the present slot as it is known."""
        made = np.array(self._told[slot : slot + slots])
        made[0] = self.now(slot)
        return made

    @cached_property
    def _told(self) -> FloatArray:
        """The whole course as it is told, [slots, columns]."""
        truth = np.asarray(self._course.truth(slice(None)))
        if self._kind == "permuted":
            return permuted(truth)
        return flipped(truth) if self._kind == "flipped" else elsewhen(truth, self._day)


def permuted(truth: FloatArray) -> FloatArray:
    """Columns change places by their mean: the smallest is told as the largest, the second as the second largest."""
    order = np.argsort(truth.mean(axis=0), kind="stable")
    told = np.empty_like(truth)
    told[:, order] = truth[:, order[::-1]]
    return told


def flipped(truth: FloatArray) -> FloatArray:
    """Each column mirrored about its mean, and cut to its own range, so that what cannot be negative stays so."""
    return np.clip(2.0 * truth.mean(axis=0) - truth, truth.min(axis=0), truth.max(axis=0))


def elsewhen(truth: FloatArray, slots_per_day: float) -> FloatArray:
    """What will be half a run later, going round: of a year, half a year later, and day for night.

    By the odd number of half days that is nearest to half the run (the larger of two); of a run of less than a day, by
    half of it.
    """
    slots, half_day = len(truth), slots_per_day / 2.0
    odd = 2 * int(slots / 2.0 / half_day / 2.0) + 1
    away = round(odd * half_day)
    return np.roll(truth, -(away if away < slots else slots // 2), axis=0)
