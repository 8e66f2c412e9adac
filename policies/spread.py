"""The spread: take from the grid when a signal is low, give when it is high, and never at a loss."""

from __future__ import annotations

import math

import numpy as np

from simulator.fleet import FloatArray
from simulator.storage import StorageView
from simulator.units import S_PER_H


class Spread:
    """Thresholds of a signal over its last hours, and a book of what the content of a battery was bought at.

    Low and high are the lowest and the highest share of the last ``window_h`` hours, this slot included. Energy from
    the grid enters the book at the signal's value, sun that would be curtailed at nothing; what is given leaves it at
    the mean. Nothing is given for less than was paid for it, unless the low of the window would buy it again for
    less, losses included: else a battery that was filled before the signal fell for good would stay full for good.
    """

    def __init__(
        self,
        window_h: float,
        low_share: float,
        high_share: float,
        names: tuple[str, str] = ("cheap_share", "dear_share"),
    ):
        if not 0 < window_h < math.inf:
            raise ValueError(f"window_h must be finite and above 0 (given {window_h})")
        for name, share in zip(names, (low_share, high_share), strict=True):
            if not 0 < share <= 0.5:
                raise ValueError(f"{name} must be above 0 and at most 0.5 (given {share})")
        self.window_h, self.low_share, self.high_share = window_h, low_share, high_share
        self.forget()

    def forget(self) -> None:
        """Open a new book: what is in the battery has cost nothing."""
        self._paid, self._content_kwh = 0.0, 0.0

    def power_kw(self, view: StorageView, signal: FloatArray) -> float:
        """The wish for a slot [kW], above 0 charges; ``signal`` [slot + 1] is per kWh at the meter."""
        self._take_stock(view)
        hours, now = view.slot_s / S_PER_H, float(signal[-1])
        recent = signal[-max(1, round(self.window_h / hours)) :]
        low, high = np.quantile(recent, [self.low_share, 1.0 - self.high_share]).tolist()
        if now <= low and now < high * view.round_trip:
            self._paid += now * max(view.charge_limit_kw - view.surplus_kw, 0.0) * hours
            return view.charge_limit_kw
        if view.surplus_kw > 0:
            return view.surplus_kw
        least = min(self._worth(view), low / view.round_trip)
        return -view.discharge_limit_kw if now >= high and now > max(least, 0.0) else 0.0

    def _take_stock(self, view: StorageView) -> None:
        """What the battery has given since the last slot takes its share of the book with it."""
        if view.content_kwh < self._content_kwh:
            self._paid *= view.content_kwh / self._content_kwh
        self._content_kwh = view.content_kwh

    def _worth(self, view: StorageView) -> float:
        """What was paid for each kWh that the content can still give."""
        return self._paid / view.content_kwh * view.drawn_per_given if view.content_kwh > 0 else 0.0
