"""On demand: servers boot when there is work for no open place, and go off when the site has been idle for a while."""

from __future__ import annotations

import math

from simulator.provisioning import Order, ProvisioningPolicy, SiteFacts, SiteView


class OnDemand(ProvisioningPolicy):
    """The queue with setup times and a delayed-off timer (Gandhi and Harchol-Balter, Queueing Systems, 2013).

    All servers of the site, or so many, are switched on and off together.
    """

    hears_idle = True

    def __init__(self, delay_s: float = 0.0, servers: float | None = None):
        if not 0 <= delay_s < math.inf:
            raise ValueError(f"delay_s must be finite and at least 0 (given {delay_s})")
        if servers is not None and not 0 < servers < math.inf:
            raise ValueError(f"servers must be finite and above 0 (given {servers})")
        self.delay_s = delay_s
        self.servers = servers

    def start(self, facts: SiteFacts) -> None:
        """Called once, before the first slot."""
        self.facts = facts
        self._idle_since_s: float | None = None

    def order(self, view: SiteView) -> Order:
        """On while there is work and for the delay after it, else off."""
        if view.reason == "work" or view.in_use + view.waiting > 0:
            self._idle_since_s = None
            return Order(self.facts.servers if self.servers is None else self.servers)
        if self._idle_since_s is None or view.reason in ("idle", "outage"):
            self._idle_since_s = view.time_s
        off_s = self._idle_since_s + self.delay_s
        return Order(0.0) if view.time_s >= off_s else Order(view.on + view.booting, off_s)
