"""Static: always the same number of servers."""

from __future__ import annotations

from simulator.provisioning import Order, ProvisioningPolicy, SiteView


class Static(ProvisioningPolicy):
    """All servers of the site, or so many."""

    def __init__(self, servers: float | None = None):
        if servers is not None and not 0 <= servers < float("inf"):
            raise ValueError(f"servers must be finite and at least 0 (given {servers})")
        self.servers = servers

    def always_on(self, servers: float) -> float:
        """All that it says."""
        return servers if self.servers is None else min(self.servers, servers)

    def order(self, view: SiteView) -> Order:
        """The same as ever."""
        return Order(self.facts.servers if self.servers is None else self.servers)
