"""Reactive: more servers when those that are on are busy, fewer when they have been idle for a while."""

from __future__ import annotations

import math

from simulator.provisioning import Order, ProvisioningPolicy, SiteFacts, SiteView


class Reactive(ProvisioningPolicy):
    """Holds busy places between two shares of the places that are open or booting, looking every so often.

    Requests that wait count as busy. Servers are switched off when the share has been low for ``delay_s``.
    """

    def __init__(
        self,
        up: float = 0.8,
        down: float = 0.5,
        every_s: float = 60.0,
        delay_s: float = 600.0,
        least: float = 0.0,
    ):
        if not 0 < down < up <= 1:
            raise ValueError(f"0 < down < up <= 1 is needed (given down {down}, up {up})")
        if not 0 < every_s < math.inf:
            raise ValueError(f"every_s must be finite and above 0 (given {every_s})")
        if not 0 <= delay_s < math.inf or not 0 <= least < math.inf:
            raise ValueError("delay_s and least must be finite and at least 0")
        self.up, self.down, self.every_s, self.delay_s, self.least = up, down, every_s, delay_s, least

    def start(self, facts: SiteFacts) -> None:
        """Called once, before the first slot."""
        self.facts = facts
        self._low_since_s: float | None = None

    def always_on(self, servers: float) -> float:
        """The least."""
        return min(self.least, servers)

    def order(self, view: SiteView) -> Order:
        """Hold the share of busy places between the thresholds."""
        turn = math.floor(view.time_s / self.every_s) + 1
        if turn * self.every_s <= view.time_s:  # the division may round to the turn before
            turn += 1
        return Order(max(self._servers(view), self.least), turn * self.every_s)

    def _servers(self, view: SiteView) -> float:
        have, busy = view.on + view.booting, view.in_use + view.waiting
        per_server = self.facts.places_per_server
        wanted = float(math.ceil(round(2 * busy / (self.up + self.down) / per_server, 9)))
        if view.reason == "work":
            wanted = max(wanted, 1.0)  # it may have been turned away, and does not wait
        if busy >= self.down * have * per_server:
            self._low_since_s = None
            return max(have, wanted) if busy > self.up * have * per_server or view.reason == "work" else have
        if self._low_since_s is None:
            self._low_since_s = view.time_s
        if view.time_s < self._low_since_s + self.delay_s:
            return have
        self._low_since_s = None
        return min(wanted, have)
