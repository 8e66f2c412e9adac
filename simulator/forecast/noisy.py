"""Noisy forecasts: the truth, and an error that grows with the lead time."""

from __future__ import annotations

from simulator.fleet import FloatArray
from simulator.scenario.forecast import NoisyForecast

from .course import Course
from .errors import Errors


class Noisy:
    """The truth times (1 + bias) and a factor of mean one. The present slot has neither, unless an error is asked for.

    Factors are above zero: what cannot be negative stays so, and a price below zero stays below it.
    """

    def __init__(self, course: Course, asked: NoisyForecast, errors: Errors):
        self._course, self._asked, self._errors = course, asked, errors

    def now(self, slot: int) -> FloatArray:
        """As it was heard of, with an error if one is asked for."""
        known = self._course.measured(slot)
        return known * self._errors.factors(slot, 1)[0] if self._asked.relative_error_now > 0 else known

    def ahead(self, slot: int, slots: int) -> FloatArray:
        """The truth times errors; the present slot as it is known."""
        made = self._course.truth(slice(slot, slot + slots)) * self._errors.factors(slot, slots)
        made[1:] *= 1.0 + self._asked.bias
        made[0] = self.now(slot)
        return made
