"""Errors of forecasts: lognormal factors of mean one that grow with the lead time and hang together.

All of them come from a stream of their own and are a function of the seed, the quantity, the slot of issue, the lead
and the column alone: every policy of a run meets the same ones, in whatever order and however far ahead it asks.
"""

from __future__ import annotations

import numpy as np

from simulator.fleet import FloatArray, IntArray
from simulator.scenario.forecast import NoisyForecast
from simulator.streams import stream
from simulator.units import H_PER_DAY, S_PER_H


def relative_error(asked: NoisyForecast, lead_s: FloatArray) -> FloatArray:
    """Standard deviation of forecast / truth - 1 at some lead times.

    A line in the square root of the lead time from one hour to 24 and on beyond, as errors of a random walk grow;
    another one from now to one hour.
    """
    now, hour, day = (asked.error_of(lead) for lead in ("now", "1h", "24h"))
    root = np.sqrt(lead_s / S_PER_H)
    later = hour + (day - hour) * (root - 1.0) / (H_PER_DAY**0.5 - 1.0)
    return np.where(root < 1.0, now + (hour - now) * root, later)


class Errors:
    """Errors of one quantity's forecasts.

    Z[issue, lead, column] is Gaussian with mean 0, variance 1 and correlation
    a^|lead - lead'| b^|issue - issue'| (times ``common`` between columns), a and b the autocorrelations per hour.
    The factor of a forecast is exp(s Z - s^2 / 2), s^2 = log(1 + r^2), r the relative error at the lead time: so
    its mean is 1 and its standard deviation r.
    """

    def __init__(self, asked: NoisyForecast, slot_s: float, columns: IntArray, of: int, key: tuple[int, int]):
        """``columns`` of ``of`` in all are wanted; ``key`` is the seed and the number of the quantity."""
        self._asked, self._slot_s = asked, slot_s
        self._columns, self._of, self._key = columns, of, key
        hours = slot_s / S_PER_H
        self._lead, self._issue = asked.autocorrelation_lead**hours, asked.autocorrelation_issue**hours
        self._slot = -1
        self._z = np.zeros((0, len(columns)))

    def factors(self, slot: int, slots: int) -> FloatArray:
        """Factors of the forecast issued in a slot: for that slot and the next ones, [slots, columns]."""
        error = relative_error(self._asked, np.arange(slots, dtype=np.float64) * self._slot_s)
        variance = np.log1p(error**2)[:, None]
        return np.exp(np.sqrt(variance) * self._normal(slot, slots) - variance / 2.0)

    def _normal(self, slot: int, slots: int) -> FloatArray:
        """Z of one issue, [slots, columns]: always made from issue to issue, whatever was asked before."""
        if slot < self._slot or slots > len(self._z):
            self._slot, self._z = -1, np.zeros((max(slots, len(self._z)), len(self._columns)))
        while self._slot < slot:
            self._slot += 1
            fresh = self._fresh(self._slot, len(self._z))
            self._z = fresh if self._slot == 0 else self._issue * self._z + (1.0 - self._issue**2) ** 0.5 * fresh
        return self._z[:slots]

    def _fresh(self, slot: int, slots: int) -> FloatArray:
        """What is new in an issue: correlated along the lead times."""
        seed, quantity = self._key
        # Row by row: more lead times leave the first ones as they are. The last column is what all have in common.
        drawn = stream(seed, "forecasts", quantity, slot).standard_normal((slots, self._of + 1))
        common = self._asked.common
        made = common**0.5 * drawn[:, -1:] + (1.0 - common) ** 0.5 * drawn[:, self._columns]
        left = (1.0 - self._lead**2) ** 0.5
        for k in range(1, slots):
            made[k] = self._lead * made[k - 1] + left * made[k]
        return made
