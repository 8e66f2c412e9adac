"""Planned load: servers for the load that the routing plan brings, switched on ahead of it by the time of a boot."""

from __future__ import annotations

import math

from simulator.provisioning import Order, ProvisioningPolicy, SiteView

#: Times that differ by less than this share of a slot are the same.
ROUNDING = 1e-9


class PlannedLoad(ProvisioningPolicy):
    """As many servers as the largest planned load wants from now until a server that is switched on now would be ready.

    Work at a site with no open place, and requests that are still there, keep one server on.
    """

    def __init__(self, least: float = 0.0):
        if not 0 <= least < math.inf:
            raise ValueError(f"least must be finite and at least 0 (given {least})")
        self.least = least

    def places(self, load: float) -> float:
        """Places that a load of so many busy places wants."""
        raise NotImplementedError(f"{type(self).__name__} has no places()")

    def always_on(self, servers: float) -> float:
        """The least."""
        return min(self.least, servers)

    def order(self, view: SiteView) -> Order:
        """Servers for the load up to one lead time ahead; asked again when another slot comes within it."""
        slot_s, lead_s = self.facts.slot_s, self.facts.lead_s
        reach_s = view.time_s + lead_s + ROUNDING * slot_s
        ahead = [load for k, load in enumerate(view.load) if k == 0 or (view.slot + k) * slot_s <= reach_s]
        wanted = max(self.places(float(load)) for load in ahead) / self.facts.places_per_server
        servers = max(math.ceil(round(wanted, 9)), self.least)
        if view.reason == "work" or view.in_use + view.waiting > 0:
            servers = max(servers, 1.0)
        starts = ((view.slot + k) * slot_s - lead_s for k in range(len(ahead), len(view.load) + 1))
        return Order(servers, next((start for start in starts if start > view.time_s), None))
